"""What is wrong in a tune, each with line and column: the doctor's reading of real ABC.

abc2midi is the second witness, and a weaker one: it lets a last bar that is too short pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from composer.formats.abc.elements import Mark, Sound, Tone, Tune
from composer.formats.abc.reader.lexer import Diagnostic, TuneText, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.structure import Bar, bars, bars_as_played, ordered_sections
from composer.music.keys import BEAT, Time, pitch

__all__ = ["check", "check_parsed", "check_tune"]


def check(text: str) -> list[Diagnostic]:
    """What is wrong in a file of tunes, in the order of its lines; nothing where all is well."""
    found = split_tunes(text)
    if not found:
        return [Diagnostic(1, 1, "no tune", "there is no tune here")]
    return [diagnostic for tune in found for diagnostic in check_tune(tune)]


def check_tune(text: TuneText) -> list[Diagnostic]:
    """What is wrong in one tune, in the order of its lines; nothing where all is well."""
    return check_parsed(parse_tune(text))


def check_parsed(tune: Tune) -> list[Diagnostic]:
    """As `check_tune`, of a parsed tune."""
    problems = list(tune.diagnostics)
    problems += _header(tune)
    sounding = False
    for elements in tune.voices.values():
        found = bars(elements)
        sounding = sounding or any(sound.tones for bar in found for sound in bar.sounds)
        order = bars_as_played(ordered_sections(tune, found, problems), problems)
        problems += _lengths(tune.time or Time(free=True), found, order)
        problems += _ties([sound for bar in order for sound in bar.sounds])
    if not sounding:
        problems.append(Diagnostic(tune.text.first, 1, "no notes", "the tune has no notes"))
    return sorted(set(problems))


def _header(tune: Tune) -> list[Diagnostic]:
    """A tune's number must be one; a tune without `X:` is a fragment and has none to be wrong."""
    return [
        Diagnostic(found.line, found.column, "odd number", f"`{found.value}` is no tune number")
        for found in tune.fields
        if found.name == "X" and not found.value.isdecimal()
    ]


def _lengths(time: Time, found: Sequence[Bar], order: Sequence[Bar]) -> list[Diagnostic]:
    """Bars that do not fill their meter.

    A bar may be short where the one that is played next fills it up, over a repeat, a double bar line or a part; the
    tune's first bar may be a pickup, and its last one leaves room for that.
    """
    full = _meters(time, found)
    problems = []
    run: list[Bar] = []
    pickup = 0
    for number, bar in enumerate(order):
        ticks, whole = bar.ticks, full[id(bar)]
        if not whole:
            run = []
        elif ticks > whole:
            problems.append(_bar_length_diagnostic(bar, "bar too long", ticks, whole))
            run = []
        elif ticks == whole:
            problems += _short(run, full)
            run = []
        elif number == 0:
            pickup = ticks
        else:
            if run and not _separated(run[-1], bar):
                problems += _short(run, full)
                run = []
            run.append(bar)
            if sum(each.ticks for each in run) == whole:
                run = []
    if run and sum(bar.ticks for bar in run) + pickup != full[id(run[-1])]:
        problems += _short(run, full)
    return problems


def _meters(time: Time, found: Sequence[Bar]) -> dict[int, int]:
    """The length that each bar should have, by its identity; 0 in free meter."""
    full = {}
    for bar in found:
        time = bar.time or time
        full[id(bar)] = 0 if time.free else time.bar
    return full


def _separated(bar: Bar, following: Bar) -> bool:
    """Whether more than a plain bar line stands between two bars that are played one after the other."""
    marks: list[Mark | None] = [bar.close, following.open]
    strong = any(mark and (mark.ends or mark.starts or mark.strong or mark.endings) for mark in marks)
    return strong or following.part is not None or bar.line != following.line


def _short(run: Sequence[Bar], full: dict[int, int]) -> list[Diagnostic]:
    return (
        [_bar_length_diagnostic(run[0], "bar too short", sum(bar.ticks for bar in run), full[id(run[0])])]
        if run
        else []
    )


def _bar_length_diagnostic(bar: Bar, kind: str, ticks: int, whole: int) -> Diagnostic:
    message = f"a bar of {ticks / BEAT:g} quarter notes where the meter has {whole / BEAT:g}"
    return Diagnostic(bar.line, bar.column, kind, message)


def _ties(order: Sequence[Sound]) -> list[Diagnostic]:
    """Ties that in no pass lead to the same pitch."""
    tied = {id(sound): sound for sound in order if sound.tie}
    for sound, following in pairwise(order):
        if sound.tie and _pitches(sound.ties) & _pitches(following.tones):
            tied.pop(id(sound), None)
    return [
        Diagnostic(sound.line, sound.column, "dangling tie", "a tie leads to another pitch, or to nothing")
        for sound in tied.values()
    ]


def _pitches(tones: Sequence[Tone]) -> set[int]:
    return {pitch(step, alter) for step, alter in tones}
