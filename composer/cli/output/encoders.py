"""From the steps of a piece to its bytes.

Text in a representation's native format is rendered as it is composed; any other format once a piece is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from composer import formats
from composer.api import ComposerError, Representation, Score, Step

__all__ = ["Native", "Rendering", "Soundless", "Whole", "rendered"]


class Soundless(ComposerError):
    """A piece without a note, which cannot be written as music."""


class Rendering(Protocol):
    """One piece on its way into bytes."""

    def push(self, steps: Sequence[Step]) -> bytes:
        """The bytes that `steps` complete."""
        ...

    def finish(self) -> bytes:
        """The bytes that only the end of the piece completes. Raises Soundless."""
        ...


class Stream(Protocol):
    """What a text goes through while it is being written."""

    def push(self, data: bytes) -> bytes:
        """The bytes that `data` completes."""
        ...

    def finish(self) -> bytes:
        """The bytes that were held back."""
        ...


class Native:
    """The text that the representation's own decoder writes, through `streams`, one after the other."""

    def __init__(self, representation: Representation, number: int, streams: Sequence[Stream] = ()) -> None:
        self._decoder, self._streams = representation.decoder(number), tuple(streams)

    def push(self, steps: Sequence[Step]) -> bytes:
        push = self._decoder.push
        text = _text(event for step in steps for event in push(step))
        for stream in self._streams:
            text = stream.push(text)
        return text

    def finish(self) -> bytes:
        text = _text(self._decoder.finish())
        for stream in self._streams:
            text = stream.push(text) + stream.finish()
        return text


@dataclass
class Whole:
    """A piece that is turned into a score and then, by `write`, into bytes; `labels` are what it was asked to be."""

    representation: Representation
    number: int
    write: Callable[[Score], bytes]
    labels: Mapping[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def push(self, steps: Sequence[Step]) -> bytes:
        self.steps += steps
        return b""

    def finish(self) -> bytes:
        piece = self.representation.decode(self.steps)
        score = self.representation.score(replace(piece, labels={**self.labels, **piece.labels}))
        if score is None or not score.notes:
            raise Soundless(f"piece {self.number} has no notes that could be played", "try another --seed")
        return self.write(score)


def rendered(representation: Representation, steps: Sequence[Step], format_name: str) -> bytes:
    """A whole piece in a format. Raises ComposerError where it has no notes that could be written."""
    rendering: Rendering
    if format_name == representation.native:
        rendering = Native(representation, 1)
    else:
        rendering = Whole(representation, 1, lambda score: formats.write(format_name, score))
    return rendering.push(steps) + rendering.finish()


def _text(events: Iterable[object]) -> bytes:
    return "".join(event for event in events if isinstance(event, str)).encode("utf-8", "replace")
