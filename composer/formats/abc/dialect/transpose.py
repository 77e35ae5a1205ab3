"""Transpose tunes of the dialect by scale steps, so that accidentals stay correctly spelled in the new key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from composer.api import RejectedPiece
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize_tune
from composer.formats.abc.elements import Element, Sound, Tone, Tune
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.transposition import transpose_chord
from composer.music.keys import LETTERS, Signature, key_name, parse_key

__all__ = ["transpositions"]

MAX_SIGNS = 4
"""Sharps or flats of the keys to transpose to."""


def transpositions(text: str, only: str = "") -> Iterator[NormalizedTune]:
    """Yield the tune `text` of the dialect in other keys of its mode that fit, each by the smaller interval.

    With `only`, yield it in the key that has as many sharps or flats as this one.
    """
    tune = parse_tune(split_tunes(f"X:1\n{text}")[0])
    if tune.key is None or not tune.key.plain:
        return
    for sharps in signs(only):
        key = parse_key(key_name(sharps, tune.key.mode))
        if key is not None and sharps != tune.key.sharps:
            moved = normalize_tune(transposed(tune, key))
            if not (isinstance(moved, RejectedPiece) or moved.changes):
                yield moved


def signs(only: str = "") -> Sequence[int]:
    """Return the sharps, or flats if negative, of the keys to transpose to: of all, or of the key `only`."""
    key = parse_key(only)
    return [
        sharps for sharps in range(-MAX_SIGNS, MAX_SIGNS + 1) if not only or (key is not None and sharps == key.sharps)
    ]


def transposed(tune: Tune, key: Signature) -> Tune:
    """Return `tune`, which has one key throughout, in another key of the same mode."""
    assert tune.key is not None
    steps = (LETTERS.index(key.tonic[0]) - LETTERS.index(tune.key.tonic[0]) + 3) % 7 - 3
    move = KeyChange(tune.key, key, steps)
    voices = {name: [move.element(element) for element in elements] for name, elements in tune.voices.items()}
    return replace(tune, key=key, voices=voices)


class KeyChange:
    """A transposition from one key to another, `steps` of the scale up."""

    def __init__(self, before: Signature, after: Signature, steps: int) -> None:
        self.before, self.after, self.steps = before, after, steps

    def element(self, element: Element) -> Element:
        if not isinstance(element, Sound):
            return element
        tones, ties = tuple(map(self.tone, element.tones)), tuple(map(self.tone, element.ties))
        return replace(element, tones=tones, ties=ties, chord=transpose_chord(element.chord, self.tone))

    def tone(self, tone: Tone) -> Tone:
        step, alter = tone
        moved = step + self.steps
        return moved, alter - self.before.alters[step % 7] + self.after.alters[moved % 7]
