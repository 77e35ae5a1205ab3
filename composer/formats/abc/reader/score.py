"""Read ABC 2.1 as found in the wild as a Score, with repeats unrolled and tied notes joined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from composer.api import ChordSymbol, Key, Meter, Note, Part, ReadError, Score, Tempo
from composer.formats.abc.elements import Tune
from composer.formats.abc.reader.lexer import Diagnostic, TuneText, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.structure import Bar, bars, bars_as_played, ordered_sections
from composer.music.keys import BEAT, Time, pitch

__all__ = ["read_score"]


def read_score(text: str) -> Score:
    """Return the first tune in `text`. Raises ReadError if it has no notes or chords."""
    found = split_tunes(text)
    if not found:
        raise ReadError("no tune in the text", "an ABC tune starts with `X:1` and has a `K:` line")
    return read_tune(found[0])


def read_tune(text: TuneText, problems: list[Diagnostic] | None = None) -> Score:
    """Return a tune as a Score, and add its errors to `problems`. Raises ReadError if it has no notes or chords."""
    tune = parse_tune(text)
    if problems is not None:
        problems += tune.diagnostics
    return score_of(tune, problems)


def score_of(tune: Tune, problems: list[Diagnostic] | None = None) -> Score:
    """Return a parsed tune as a Score. Raises ReadError if it has no notes or chords."""
    played = {
        name: bars_as_played(ordered_sections(tune, bars(elements), problems), problems)
        for name, elements in tune.voices.items()
    }
    sounding = {name: notes for name, found in played.items() if (notes := _notes(found))}
    if sounding:
        first = played[next(iter(sounding))]
    else:
        first = next((found for found in played.values() if _chords(found)), [])
    chords = _chords(first)
    if not sounding and not chords:
        raise ReadError(f"the tune at line {tune.text.first} has no notes")
    time = tune.time or Time(free=True)
    return Score(
        parts=tuple(Part(notes, name=name, percussion=name in tune.percussion) for name, notes in sounding.items()),
        chords=chords,
        tempos=(Tempo(Fraction(0), bpm),) if (bpm := tempo_of(tune)) else (),
        meters=_meters(time, first),
        keys=_keys(tune, first),
        pickup=_pickup(time, first),
        title=tune.first("T"),
    )


@lru_cache(maxsize=65536)
def beats(ticks: int) -> Fraction:
    """Convert ticks to beats."""
    return Fraction(ticks, BEAT)


def _notes(found: Sequence[Bar]) -> tuple[Note, ...]:
    """Return the notes of a voice, joining tied notes if the same pitch follows at once."""
    notes: list[Note] = []
    held: dict[int, int] = {}
    now = 0
    for bar in found:
        for sound in bar.sounds:
            end = now + sound.ticks
            pitches = [pitch(step, alter) for step, alter in sound.tones]
            tied = {pitch(step, alter) for step, alter in sound.ties}
            going: dict[int, int] = {}
            for each in pitches:
                begin = held.pop(each, now)
                if each in tied:
                    going[each] = begin
                elif 0 <= each <= 127:
                    notes.append(Note(beats(begin), each, beats(end - begin)))
            notes += [Note(beats(begin), each, beats(now - begin)) for each, begin in held.items() if 0 <= each <= 127]
            held, now = going, end
    notes += [Note(beats(begin), each, beats(now - begin)) for each, begin in held.items() if 0 <= each <= 127]
    notes.sort()
    return tuple(notes)


def _chords(found: Sequence[Bar]) -> tuple[ChordSymbol, ...]:
    starts: list[tuple[int, str]] = []
    now = 0
    for bar in found:
        for sound in bar.sounds:
            if sound.chord:
                starts.append((now, sound.chord))
            now += sound.ticks
    ends = [*(at for at, _ in starts[1:]), now][: len(starts)]
    return tuple(
        ChordSymbol(beats(at), beats(end - at), symbol)
        for (at, symbol), end in zip(starts, ends, strict=True)
        if is_chord(symbol)
    )


@lru_cache(maxsize=4096)
def is_chord(symbol: str) -> bool:
    """Return whether `symbol` is the name of a chord and not other text."""
    from composer.music import chords

    return chords.parse(symbol) is not None


def _meters(time: Time, found: Sequence[Bar]) -> tuple[Meter, ...]:
    meters = [] if time.free else [Meter(Fraction(0), time.numerator, time.denominator)]
    now = 0
    for bar in found:
        if bar.time is not None and not bar.time.free:
            meter = Meter(beats(now), bar.time.numerator, bar.time.denominator)
            if not meters or (meters[-1].numerator, meters[-1].denominator) != (meter.numerator, meter.denominator):
                meters = [*(each for each in meters if each.onset < meter.onset), meter]
        now += bar.ticks
    return tuple(meters)


def _keys(tune: Tune, found: Sequence[Bar]) -> tuple[Key, ...]:
    assert tune.key is not None
    keys = [Key(Fraction(0), tune.key.sharps, tune.key.mode)]
    now = 0
    for bar in found:
        if bar.key is not None and (bar.key.sharps, bar.key.mode) != (keys[-1].sharps, keys[-1].mode):
            key = Key(beats(now), bar.key.sharps, bar.key.mode)
            keys = [*(each for each in keys if each.onset < key.onset), key]
        now += bar.ticks
    return tuple(keys)


def _pickup(time: Time, found: Sequence[Bar]) -> Fraction:
    first = found[0].ticks if found else 0
    return beats(first) if not time.free and first < time.bar and len(found) > 1 else Fraction(0)


_TEMPO = re.compile(r"(?:(\d{1,4})\s*/\s*(\d{1,4})\s*)?=\s*(\d{1,5}(?:\.\d{1,5})?)|^\s*(\d{1,5})\s*$")


def tempo_of(tune: Tune) -> float | None:
    """Return the tempo of a tune in BPM (quarter notes); None if it has none."""
    match = _TEMPO.search(re.sub(r'"[^"]*"', "", tune.tempo))
    if match is None:
        return None
    if match[4]:
        unit = tune.unit or (tune.time or Time()).unit
        bpm = float(4 * unit * int(match[4]))
    else:
        bpm = float(match[3]) * 4 * int(match[1] or 1) / (int(match[2] or 4) or 4)
    return bpm if 4 <= bpm <= 1000 else None
