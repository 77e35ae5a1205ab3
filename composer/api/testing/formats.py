"""Contract test of formats: pieces are written in every format that a representation declares, as `gen` does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from composer import formats
from composer.api.decoder import Decoder, Event
from composer.api.representation import Representation
from composer.api.score import Piece, RejectedPiece, Score
from composer.api.sequence import AnyStep
from composer.api.source import Source
from composer.api.testing.checks import about, expect


def check_format(representation: Representation, pieces: Sequence[Piece], name: str) -> str:
    """Write `pieces` in the format `name`; return what was tested."""
    if name == representation.native:
        return _check_text(representation, pieces)
    known = [each.name for each in formats.all_formats().values() if each.write]
    expect(name in known, f"`{name}` is neither `native` nor a format that scores are written in: {', '.join(known)}")
    written = 0
    for piece in pieces:
        with about(piece.source):
            decoded = representation.decode(representation.encode(piece))
            score = representation.score(dataclasses.replace(decoded, labels={**piece.labels, **decoded.labels}))
            if score is not None and score.is_audible:
                _check_written(score, formats.format_named(name))
                written += 1
    expect(written, f"no piece has a score with notes or chords, so nothing can be written as {name}")
    return _pieces(written)


def _check_written(score: Score, form: formats.Format) -> None:
    """Write a score and read it again."""
    data = formats.write(form.name, score)
    expect(data, f"its {form.name} is empty")
    if form.read is None:
        return
    expect(formats.detect(data) == form, f"what was written as {form.name} is not recognized as {form.name}")
    source = Source(Path(f"written{form.suffixes[0]}"), data=data)
    for _, again in form.read(source):
        if isinstance(again, RejectedPiece):
            raise AssertionError(f"its {form.name} cannot be read: {again.reason} {again.detail}".rstrip())
        expect(again.is_audible, f"its {form.name} is silent, but the score is not")


def _check_text(representation: Representation, pieces: Sequence[Piece]) -> str:
    """Decode pieces as text: one after another, and all at the same time, as a batch is generated."""
    sequences, texts = [], []
    for number, piece in enumerate(pieces, 1):
        with about(piece.source):
            steps = representation.encode(piece)
            text = _text(representation.decoder(number), steps)
            expect(text.strip(), "its decoder returned no text")
            sequences.append(steps)
            texts.append(text)
    decoders = [representation.decoder(number) for number in range(1, len(pieces) + 1)]
    parts: list[list[Event]] = [[] for _ in pieces]
    for place in range(max(map(len, sequences))):
        for steps, decoder, part in zip(sequences, decoders, parts, strict=True):
            part.extend(decoder.push(steps[place]) if place < len(steps) else ())
    for piece, decoder, part, text in zip(pieces, decoders, parts, texts, strict=True):
        together = _join([*part, *decoder.finish()])
        expect(together == text, f"{piece.source}: its decoder returned other text while others were in use")
    return _pieces(len(pieces))


def _text(decoder: Decoder, steps: Iterable[AnyStep]) -> str:
    return _join([*(event for step in steps for event in decoder.push(step)), *decoder.finish()])


def _join(events: Sequence[Event]) -> str:
    """Return text from a decoder. Raises AssertionError if it returned notes."""
    note = next((event for event in events if not isinstance(event, str)), None)
    expect(note is None, f"a decoder must return text if `native` is set, not {note}")
    return "".join(map(str, events))


def _pieces(count: int) -> str:
    return f"{count} {'piece' if count == 1 else 'pieces'}"
