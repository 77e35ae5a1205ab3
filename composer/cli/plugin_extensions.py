"""List formats, presets, pretrained models, rankings and checks: the built-in ones, and those of plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from composer import __version__
from composer.api import CheckpointError
from composer.cli.console import Console
from composer.registry import plugins as registry

Row = tuple[str, str, str]
"""Name, summary, and name and version of the distribution."""

BUILT_IN = f"{registry.OWN_DISTRIBUTION} {__version__}"


def _formats(_: Console) -> Iterator[Row]:
    from composer.formats import FORMATS

    yield from _rows("format", FORMATS)


def _rankings(_: Console) -> Iterator[Row]:
    from composer.cli.gen.options import RANKINGS

    yield from ((name, summary, BUILT_IN) for name, summary in RANKINGS.items())
    yield from _rows("ranking", {}, RANKINGS)


def _checks(_: Console) -> Iterator[Row]:
    yield from _rows("check", {})


def _presets(console: Console) -> Iterator[Row]:
    from composer.training import presets

    for preset in presets.all_presets(console.warn):
        yield preset.name, preset.summary, preset.distribution or BUILT_IN


def _pretrained(console: Console) -> Iterator[Row]:
    from composer.checkpoints import store
    from composer.checkpoints.file import read_header

    for model in store.pretrained_models():
        try:
            header = read_header(model.path)
        except CheckpointError as error:
            console.warn(f"{model.distribution}: {error.message}")
            continue
        yield model.name, f"{header.representation}, {header.model}", model.distribution


def _rows(kind: str, built_in: Mapping[str, Any], taken: Mapping[str, Any] | None = None) -> Iterator[Row]:
    """Yield a row for each built-in format and the like, and for each of a plugin."""
    yield from ((name, each.summary, BUILT_IN) for name, each in built_in.items())
    for name, added in registry.extensions(kind, built_in if taken is None else taken).items():
        yield name, added.value.summary, added.distribution


LISTS: Mapping[str, Callable[[Console], Iterator[Row]]] = {
    "formats": _formats,
    "presets": _presets,
    "pretrained": _pretrained,
    "rankings": _rankings,
    "checks": _checks,
}
"""What returns the rows of each kind."""

TITLES = {"pretrained": "pretrained models"}
"""Titles of tables that are not the names of their kinds."""


def explain(extensions: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield the lines that explain what one plugin adds."""
    for kind, added in extensions.items():
        for name, value in added.items():
            if isinstance(value, str | Path):
                yield [f"{'preset' if kind == 'presets' else 'pretrained model'} {name}"]
            elif kind == "format":
                reads = f"reads {' '.join((*value.suffixes, *value.read_suffixes))}" if value.read else "is not read"
                writes = f"writes {value.suffixes[0]}" if value.write else "is not written"
                yield [f"format {name}: {value.summary}", f"{reads}; {writes}"]
            else:
                yield [f"{kind} {name}: {value.summary}"]
