"""Entry points of installed distributions, as `importlib.metadata` finds them.

That module takes longer to import than everything else needed to list plugins, since it can parse e-mail. So folders
are searched here, and it is used only if a path is not a folder, such as a zip file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

_INFO = (".dist-info", ".egg-info")


class EntryPoint(NamedTuple):
    """A named object, `module` or `module:attribute`, of a `distribution`, which is its name and version."""

    name: str
    value: str
    distribution: str

    def load(self) -> Any:
        """Import it. Raises whatever the module raises."""
        module, _, attributes = self.value.partition("[")[0].strip().partition(":")
        found: Any = import_module(module.strip())
        for attribute in filter(None, attributes.strip().split(".")):
            found = getattr(found, attribute)
        return found


def entry_points(group: str) -> list[EntryPoint]:
    """Return all entry points of `group`; of distributions with the same name, the first on the path counts."""
    if any(Path(path).is_file() for path in sys.path):
        return list(_from_importlib(group))
    found, known = [], set[str]()
    for path in sys.path:
        for name, version, folder in _distributions(Path(path)):
            if name not in known:
                known.add(name)
                found += [EntryPoint(*point, f"{name} {version}".rstrip()) for point in _entry_points_in(folder, group)]
    return found


def _distributions(path: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield name, version and folder of each distribution in `path`."""
    try:
        folders = sorted(folder for folder in path.iterdir() if folder.name.endswith(_INFO))
    except OSError:
        return
    for folder in folders:
        name, _, version = folder.stem.partition("-")
        yield name.lower().replace("_", "-").replace(".", "-"), version.partition("-py")[0], folder


def _entry_points_in(folder: Path, group: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of a distribution's entry points."""
    try:
        lines = (folder / "entry_points.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    in_group = False
    for line in map(str.strip, lines):
        if line.startswith("["):
            in_group = line == f"[{group}]"
        elif in_group and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _from_importlib(group: str) -> Iterator[EntryPoint]:
    """Yield the entry points that `importlib.metadata` finds."""
    from importlib import metadata

    for entry in metadata.entry_points(group=group):
        distribution = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown distribution"
        yield EntryPoint(entry.name, entry.value, distribution)
