"""Encode the steps of a piece as bytes.

Text in a representation's native format is encoded step by step; any other format once a piece is finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from composer import formats
from composer.api import ComposerError, Representation, Score, Step
from composer.music.tempo_map import DEFAULT_BPM, at_tempo


class NoNotes(ComposerError):
    """A silent piece, which cannot be written as music."""


class PieceEncoder(Protocol):
    """Encodes one piece."""

    def push(self, steps: Sequence[Step]) -> bytes:
        """Return the bytes that `steps` complete."""

    def finish(self) -> bytes:
        """Return the bytes that the end of the piece completes. Raises NoNotes."""


class TextFilter(Protocol):
    """Changes text while it is being written."""

    def push(self, data: bytes) -> bytes:
        """Return the bytes that `data` completes."""

    def finish(self) -> bytes:
        """Return the bytes that were held back."""


class StreamingEncoder:
    """Text from the representation's own decoder, passed through `filters` in order."""

    def __init__(self, representation: Representation, number: int, filters: Sequence[TextFilter] = ()) -> None:
        self._decoder, self._filters = representation.decoder(number), tuple(filters)

    def push(self, steps: Sequence[Step]) -> bytes:
        push = self._decoder.push
        text = _text(event for step in steps for event in push(step))
        for each in self._filters:
            text = each.push(text)
        return text

    def finish(self) -> bytes:
        text = _text(self._decoder.finish())
        for each in self._filters:
            text = each.push(text) + each.finish()
        return text


@dataclass
class BufferedEncoder:
    """A piece that becomes a score, with `labels` it does not have itself, and then bytes by `write`.

    Music in absolute time gets `tempo`, by default 120 BPM, without a change of speed.
    """

    representation: Representation
    number: int
    write: Callable[[Score], bytes]
    labels: Mapping[str, str] = field(default_factory=dict)
    tempo: float | None = None
    steps: list[Step] = field(default_factory=list)

    def push(self, steps: Sequence[Step]) -> bytes:
        self.steps += steps
        return b""

    def finish(self) -> bytes:
        piece = self.representation.decode(self.steps)
        score = self.representation.score(replace(piece, labels={**self.labels, **piece.labels}))
        if score is None or not score.is_audible:
            raise NoNotes(f"piece {self.number}: no notes", "try another --seed")
        if self.representation.absolute_time:
            score = at_tempo(score, self.tempo or DEFAULT_BPM)
        return self.write(score)


def encode_piece(representation: Representation, steps: Sequence[Step], format_name: str) -> bytes:
    """Return a complete piece in a format. Raises ComposerError if it has no notes."""
    encoder: PieceEncoder = BufferedEncoder(representation, 1, lambda score: formats.write(format_name, score))
    if format_name == representation.native:
        encoder = StreamingEncoder(representation, 1)
    return encoder.push(steps) + encoder.finish()


def _text(events: Iterable[object]) -> bytes:
    return "".join(event for event in events if isinstance(event, str)).encode("utf-8", "replace")
