"""What installed distributions offer: the entry points of a group, as `importlib.metadata` finds them.

That module takes longer to import than all else that is needed to know a plugin's name, since it can parse letters. So
folders are gone through here, and it is asked only where a path is no folder, such as a zip file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

_INFO = (".dist-info", ".egg-info")


class EntryPoint(NamedTuple):
    """A named object of a distribution, which is called `name version`; `value` is `module` or `module:attribute`."""

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
    """All entry points of `group`; of two distributions of one name, the first on the path counts."""
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
    """The name, version and folder of each distribution that is installed in `path`."""
    try:
        inside = sorted(folder for folder in path.iterdir() if folder.name.endswith(_INFO))
    except OSError:
        return
    for folder in inside:
        name, _, version = folder.stem.partition("-")
        yield name.lower().replace("_", "-").replace(".", "-"), version.partition("-py")[0], folder


def _entry_points_in(folder: Path, group: str) -> Iterator[tuple[str, str]]:
    """The names and values of a distribution's entry points."""
    try:
        lines = (folder / "entry_points.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    inside = False
    for line in map(str.strip, lines):
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _from_importlib(group: str) -> Iterator[EntryPoint]:
    """The same by `importlib.metadata`."""
    from importlib import metadata

    for entry in metadata.entry_points(group=group):
        distribution = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown distribution"
        yield EntryPoint(entry.name, entry.value, distribution)
