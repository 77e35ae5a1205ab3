"""File formats: what a row of the table of formats holds, and the formats that plugins add to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from composer.api.score import RejectedPiece, Score
from composer.api.source import Source

__all__ = ["Format", "ReadPieces"]


class ReadPieces(Protocol):
    """Yields each piece of a source by name; `pedal` applies MIDI's sustain pedal."""

    def __call__(self, source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score | RejectedPiece]]: ...


class Format(NamedTuple):
    """A file format. The first of `suffixes` is the usual one; `binary` data must not go to a terminal.

    `recognize` and `read` are None for formats that hold no notes of their own, which representations read and write.
    `write` gets a score and the `composer.formats.WriteSettings`. `mark` puts a line of provenance into a file with
    one piece, and `find_marks` yields such lines.
    """

    name: str
    suffixes: tuple[str, ...]
    binary: bool
    summary: str
    recognize: Callable[[bytes], bool] | None = None
    read: ReadPieces | None = None
    write: Callable[[Score, Any], bytes] | None = None
    mark: Callable[[bytes, bytes], bytes] | None = None
    find_marks: Callable[[bytes], Iterator[str]] | None = None
    read_suffixes: tuple[str, ...] = ()
    """Suffixes of files that are read as this format but never written."""
    rendered_from: str = ""
    """The format that this one is rendered from: whatever can be written as that can be written as this."""
    leaves_out: tuple[str, ...] = ()
    """Which of `velocity` and `composers` files in this format have no place for."""
    unscored: Callable[[Source], Iterator[Mapping[str, int]]] | None = None
    """Counts what each piece of a source has that a score has no place for, by phrase as in `Score.losses`."""


class FormatProvider(Protocol):
    """Finds the formats of plugins. Names in `taken` are those of built-in formats, which win."""

    def formats(self, taken: Collection[str]) -> Mapping[str, Format]:
        """Return all formats of plugins by the names that they are called by."""

    def format(self, name: str, taken: Collection[str]) -> Format | None:
        """Return the format called `name`, None if no plugin has it."""

    def distributions(self) -> Sequence[str]:
        """Return name and version of each distribution that adds formats."""


class _NoPlugins:
    """Finds nothing, as long as the registry of plugins is not imported."""

    def formats(self, taken: Collection[str]) -> Mapping[str, Format]:
        return {}

    def format(self, name: str, taken: Collection[str]) -> Format | None:
        return None

    def distributions(self) -> Sequence[str]:
        return ()


_providers: list[FormatProvider] = [_NoPlugins()]


def provide_formats(provider: FormatProvider) -> None:
    """Let `provider` find the formats of plugins. `composer.registry.plugins` does this when it is imported."""
    _providers[:] = [provider]


def format_provider() -> FormatProvider:
    """Return what finds the formats of plugins."""
    return _providers[0]
