"""Check a parsed ABC tune: bar lengths, repeats, ties, number and key.

abc2midi is a second opinion, and a weaker one: it accepts a last bar that is too short.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from composer.formats.abc.elements import Mark, Sound, Tone, Tune
from composer.formats.abc.reader.lexer import Diagnostic, TuneText, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.structure import Bar, bars, bars_as_played, ordered_sections
from composer.music.keys import WHOLE, Time, pitch


def check(text: str) -> list[Diagnostic]:
    """Return what is wrong in a file of tunes, by line."""
    found = split_tunes(text)
    if not found:
        return [Diagnostic(1, 1, "no tune", "no tune in this file")]
    return [diagnostic for tune in found for diagnostic in check_tune(tune)]


def check_tune(text: TuneText) -> list[Diagnostic]:
    """Return what is wrong in one tune, by line."""
    return check_parsed(parse_tune(text))


def check_parsed(tune: Tune) -> list[Diagnostic]:
    """Return what is wrong in a parsed tune, by line."""
    problems = [*tune.diagnostics, *_header(tune)]
    has_notes = False
    for elements in tune.voices.values():
        found = bars(elements)
        has_notes = has_notes or any(sound.tones for bar in found for sound in bar.sounds)
        order = bars_as_played(ordered_sections(tune, found, problems), problems)
        problems += _lengths(tune.time or Time(free=True), found, order)
        problems += _ties([sound for bar in order for sound in bar.sounds])
    if not has_notes:
        problems.append(Diagnostic(tune.text.first, 1, "no notes", "the tune has no notes"))
    return sorted(set(problems))


_NOTES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th"}


def in_notes(ticks: int, time: Time) -> str:
    """Return a length in notes of the meter's denominator, such as `7 eighth notes`."""
    count = f"{ticks * time.denominator / WHOLE:g}"
    return f"{count} {_NOTES[time.denominator]} note{'' if count == '1' else 's'}"


def _header(tune: Tune) -> list[Diagnostic]:
    """Check the tune's number; a tune without `X:` is a fragment and needs none."""
    return [
        Diagnostic(found.line, found.column, "invalid number", f"`{found.value}` is not a tune number")
        for found in tune.fields
        if found.name == "X" and not found.value.isdecimal()
    ]


class _Place(NamedTuple):
    """The number of a bar as written (0 for the pickup) and its meter."""

    number: int
    time: Time

    @property
    def length(self) -> int:
        """Ticks that fill the bar; 0 in free meter."""
        return 0 if self.time.free else self.time.bar


def _lengths(time: Time, found: Sequence[Bar], order: Sequence[Bar]) -> list[Diagnostic]:
    """Check that bars fill their meter.

    A bar may be short if the next one played completes it, across a repeat, double bar line or part. The first bar may
    be a pickup, which the last one completes.
    """
    places, problems, pickup = _places(time, found), list[Diagnostic](), 0
    run: list[Bar] = []
    for position, bar in enumerate(order):
        ticks, full = bar.ticks, places[id(bar)].length
        if not full:
            run = []
        elif ticks > full:
            problems.append(_bar_length_diagnostic(bar, "bar too long", ticks, places[id(bar)]))
            run = []
        elif ticks == full:
            problems += _short(run, places)
            run = []
        elif position == 0:
            pickup = ticks
        else:
            if run and not _separated(run[-1], bar):
                problems += _short(run, places)
                run = []
            run.append(bar)
            if sum(each.ticks for each in run) == full:
                run = []
    if run and sum(bar.ticks for bar in run) + pickup != places[id(run[-1])].length:
        problems += _short(run, places)
    return problems


def _places(time: Time, found: Sequence[Bar]) -> dict[int, _Place]:
    """Return the number and meter of each bar, by its identity."""
    places: dict[int, _Place] = {}
    number = 1
    for bar in found:
        time = bar.time or time
        if not places and not time.free and bar.ticks < time.bar:
            number = 0
        places[id(bar)] = _Place(number, time)
        number += 1
    return places


def _separated(bar: Bar, following: Bar) -> bool:
    """Return whether more than a plain bar line is between two bars played in succession."""
    marks: list[Mark | None] = [bar.close, following.open]
    strong = any(mark and (mark.ends or mark.starts or mark.strong or mark.endings) for mark in marks)
    return strong or following.part is not None or bar.line != following.line


def _short(run: Sequence[Bar], places: dict[int, _Place]) -> list[Diagnostic]:
    if not run:
        return []
    return [_bar_length_diagnostic(run[0], "bar too short", sum(bar.ticks for bar in run), places[id(run[0])])]


def _bar_length_diagnostic(bar: Bar, kind: str, ticks: int, place: _Place) -> Diagnostic:
    message = f"bar {place.number} has {in_notes(ticks, place.time)}; {place.time} needs {place.time.numerator}"
    return Diagnostic(bar.line, bar.column, kind, message)


def _ties(order: Sequence[Sound]) -> list[Diagnostic]:
    """Check that each tie leads to the same pitch in some pass."""
    tied = {id(sound): sound for sound in order if sound.tie}
    for sound, following in pairwise(order):
        if sound.tie and _pitches(sound.ties) & _pitches(following.tones):
            tied.pop(id(sound), None)
    message = "tie not followed by the same pitch"
    return [Diagnostic(sound.line, sound.column, "dangling tie", message) for sound in tied.values()]


def _pitches(tones: Sequence[Tone]) -> set[int]:
    return {pitch(step, alter) for step, alter in tones}
