"""Write one bar of a voice, with tuplets, and ties for lengths that need several notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from composer.api import EncodeError
from composer.formats.abc.dialect.bar_writer import Accidentals
from composer.formats.abc.dialect.tables import beat_group
from composer.formats.abc.elements import Tone
from composer.music.keys import BEAT, WHOLE, Signature, Time
from composer.music.voices.notation import rest_lengths

FINEST = WHOLE // 128
"""The shortest note outside of tuplets, in ticks."""

_TUPLETS = {1: 1, 3: 2, 5: 4, 7: 4, 9: 8}
"""Tuplets: this many notes in the time of that many; 1 stands for no tuplet."""


class BarSpan(NamedTuple):
    """A bar from the tick `start` to the tick `end`; a pickup is shorter than its meter's. `pulse` is in beats."""

    start: int
    end: int
    time: Time
    key: Signature
    pulse: Fraction


class Span(NamedTuple):
    """Ticks of a bar in which `tones` sound, or a rest, which is not shown if it is `hidden`.

    The tones `tied` sound on after it. `symbol` is the chord symbol above, `tempo` a new tempo; `fermata` is set for
    the beginning of a note with one.
    """

    ticks: int
    tones: tuple[Tone, ...] = ()
    tied: frozenset[Tone] = frozenset()
    symbol: str = ""
    tempo: str = ""
    fermata: bool = False
    hidden: bool = False


def bar_text(spans: Iterable[Span], bar: BarSpan, unit: int) -> str:
    """Return the text of `spans`, which fill `bar`; a note without a length has `unit` ticks.

    Raises EncodeError for rhythms that ABC cannot write readably.
    """
    accidentals = Accidentals(bar.key)
    group = beat_group(bar.time)
    # a pickup is grouped as the end of a full bar
    place = 0 if bar.start else bar.time.bar - (bar.end - bar.start)
    pieces: list[str] = []
    for run in _runs(_singles(spans, place, bar)):
        if pieces and place % group == 0:
            pieces.append(" ")
        notes = _tuplet(run[0].ticks)
        pieces.append(_symbol(run[0]) + _bracket(notes, len(run)))
        for number, single in enumerate(run):
            written = Fraction(single.ticks * notes, unit * _TUPLETS[notes])
            sound = "!fermata!" * single.fermata + _sound(single, accidentals, _length(written))
            pieces.append((_symbol(single) if number else "") + sound)
        place += sum(single.ticks for single in run)
    return "".join(pieces)


def _sound(span: Span, accidentals: Accidentals, length: str) -> str:
    """Return the note, chord or rest of `span`, with ties."""
    if not span.tones:
        return ("x" if span.hidden else "z") + length
    all_tied = len(span.tied) == len(span.tones)
    steps = Counter(step for step, _ in span.tones)
    tones = []
    for tone in span.tones:
        # a tie over a bar line takes its accidental along, and with it another note on the same line of the staff
        written = accidentals.write(tone, explicit=steps[tone[0]] > 1)
        tones.append(written + "-" * (tone in span.tied and not all_tied))
    return (f"[{''.join(tones)}]" if len(tones) > 1 else tones[0]) + length + "-" * all_tied


def _symbol(span: Span) -> str:
    tempo = f"[Q:{span.tempo}]" if span.tempo else ""
    return tempo + (f'"{span.symbol}"' if span.symbol else "")


def _bracket(notes: int, count: int) -> str:
    """Return the start of a tuplet in which `notes` equal notes are written as `count` notes."""
    if notes == 1:
        return ""
    return "(3" if (notes, count) == (3, 3) else f"({notes}:{_TUPLETS[notes]}:{count}"


def _length(units: Fraction) -> str:
    """Return `units` as a length string: empty, `3`, `3/2`, `/2`."""
    numerator = str(units.numerator) if units.numerator > 1 else ""
    return numerator + (f"/{units.denominator}" if units.denominator > 1 else "")


def _runs(singles: Iterable[Span]) -> Iterator[list[Span]]:
    """Yield single notes alone, and the notes of each tuplet together until they fill a length outside of tuplets."""
    run: list[Span] = []
    for single in singles:
        if run and _tuplet(run[0].ticks) != _tuplet(single.ticks):
            yield run
            run = []
        run.append(single)
        if _odd_divisor(sum(each.ticks for each in run)) == 1:
            yield run
            run = []
    if run:
        yield run


def _singles(spans: Iterable[Span], place: int, bar: BarSpan) -> Iterator[Span]:
    """Split `spans`, the first of which is at `place` in `bar`, into tied notes with one symbol each, and rests."""
    for span in spans:
        lengths = [sign for part in _at_beats(place, span.ticks) for sign in _note_lengths(part)]
        is_bar = span.ticks == bar.time.bar
        if not span.tones and not is_bar and _odd_divisor(span.ticks) == _odd_divisor(place) == 1:
            begin, end, full = (Fraction(each, BEAT) for each in (place, place + span.ticks, bar.time.bar))
            lengths = [int(length * BEAT) for length in rest_lengths(begin, end, full, bar.pulse)]
        for number, ticks in enumerate(lengths):
            tied = span.tied if number == len(lengths) - 1 else frozenset(span.tones)
            signs = ("", "", False) if number else (span.symbol, span.tempo, span.fermata)
            yield Span(ticks, span.tones, tied, *signs, span.hidden)
        place += span.ticks


def _at_beats(place: int, ticks: int) -> Sequence[int]:
    """Split a length that needs a tuplet at the first and the last beat in it, so that tuplets stay short."""
    if _odd_divisor(ticks) == 1:
        return (ticks,)
    before = min(-place % BEAT, ticks)
    after = (ticks - before) % BEAT
    return [part for part in (before, ticks - before - after, after) if part]


def _note_lengths(ticks: int) -> Iterator[int]:
    """Split `ticks` into notes with at most two dots, longest first."""
    notes = _tuplet(ticks)
    finest = FINEST * _TUPLETS[notes] // notes
    left, rest = divmod(ticks, finest)
    if rest:
        raise _unwritable_error()
    while left:
        power = 1 << left.bit_length() - 1
        sign = next(part for part in (power * 7 // 4, power * 3 // 2, power) if part <= left and _dotted(part))
        yield sign * finest
        left -= sign


def _dotted(length: int) -> bool:
    """Return whether a whole number is 1, 3 or 7 times a power of two."""
    return length // (length & -length) in (1, 3, 7)


def _tuplet(ticks: int) -> int:
    """Return the number of notes in the tuplet that a length needs; 1 for none."""
    notes = _odd_divisor(ticks)
    if notes not in _TUPLETS:
        raise _unwritable_error()
    return notes


def _odd_divisor(ticks: int) -> int:
    """Return the odd part of the denominator of a length in whole notes."""
    denominator = Fraction(ticks, WHOLE).denominator
    return denominator // (denominator & -denominator)


def _unwritable_error() -> EncodeError:
    return EncodeError("the rhythms of the score cannot be written in ABC", "quantize the score, or write MIDI")
