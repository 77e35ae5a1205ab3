"""Check a tune of an ABC file: bar lengths, syntax, header, repeats, ties and range."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from composer.check.abc_bar_lengths import BAR_LENGTH_KINDS, bar_length_diagnostics, bar_length_problems
from composer.check.abc_headers import header_problems
from composer.check.abc_layout import number_of
from composer.check.abc_notation import notation_problems
from composer.check.abc_syntax import syntax_problems
from composer.check.loss_phrases import counted
from composer.check.problem import Problem, Severity, merge_repeated
from composer.check.score_sanity import HIGHEST, LOWEST
from composer.formats.abc.elements import Sound, Tone, Tune
from composer.formats.abc.reader.bars import bars
from composer.formats.abc.reader.lexer import Diagnostic
from composer.formats.abc.reader.playback import played_bars, tune_bars
from composer.formats.abc.reader.score import is_chord
from composer.formats.abc.reader.structure import ordered_sections
from composer.music.keys import Time, pitch

_REPEATED_KINDS = frozenset({
    "dangling tie", "old line break", "quoted-printable", "unusual bar line", "invalid chord symbol",
    "unknown chord symbol",
})  # fmt: skip
"""Kinds that often occur throughout a tune."""


def tune_problems(tune: Tune) -> list[Problem]:
    """Return what is wrong in a parsed tune, by line; problems repeated throughout it are merged."""
    return list(merge_repeated(all_problems(tune), _REPEATED_KINDS, "tune"))


def all_problems(tune: Tune) -> list[Problem]:
    """Return everything that is wrong in a parsed tune, by line."""
    found = diagnostics(tune)
    problems = [*bar_length_problems(tune, [each for each in found if each.kind in BAR_LENGTH_KINDS])]
    problems += syntax_problems([each for each in found if each.kind not in BAR_LENGTH_KINDS], tune)
    problems += header_problems(tune)
    problems += notation_problems(tune)
    problems += _out_of_range(tune)
    problems += _short_voices(tune)
    number, title = number_of(tune.text), tune.first("T")
    if not number and not tune.text.lines[0].startswith("X:"):
        problems.append(Problem(tune.text.first, 1, "no number", "the tune has no `X:` field"))
    found_once = sorted(set(problems), key=lambda each: (each.place, each.kind))
    return [replace(each, tune=number, title=title) for each in found_once]


def diagnostics(tune: Tune) -> list[Diagnostic]:
    """Return what the reader and playing the tune out find wrong, by line.

    abc2midi is a second opinion, and a weaker one: it accepts a last bar that is too short.
    """
    problems = list(tune.diagnostics)
    audible = False
    for found in tune_bars(tune, problems).values():
        audible = audible or any(sound.tones or is_chord(sound.chord) for bar in found for sound in bar.sounds)
        ordered_sections(tune, found, problems)  # for the problems
        order = played_bars(tune, found, problems)
        problems += bar_length_diagnostics(tune.time or Time(free=True), found, order)
        problems += _ties([sound for bar in order for sound in bar.sounds])
    if not audible:
        problems.append(Diagnostic(tune.text.first, 1, "no notes", "the tune has no notes"))
    return sorted(set(problems))


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


def _short_voices(tune: Tune) -> Iterator[Problem]:
    """Yield the voices that end some bars before the longest one. A bar that is too short is another problem."""
    found = {name: bars(elements) for name, elements in tune.voices.items()}
    lengths = {name: sum(bar.ticks for bar in voice) for name, voice in found.items() if voice}
    longest = max(lengths, key=lambda name: lengths[name], default="")
    for name, length in lengths.items():
        voice, count = found[name], len(found[longest])
        if length < lengths[longest] and len(voice) < count:
            message = f"voice `{name}` has {counted(len(voice), 'bars')}; voice `{longest}` has {count}"
            yield Problem(voice[-1].line, voice[-1].column, "voice too short", message, Severity.WARNING)


def _out_of_range(tune: Tune) -> Iterator[Problem]:
    for name, elements in tune.voices.items():
        if name in tune.instruments and tune.instruments[name].percussion:
            continue
        sounds = [each for each in elements if isinstance(each, Sound)]
        notes = [(sound, pitch(*tone)) for sound in sounds for tone in sound.tones]
        if beyond := [(sound, midi) for sound, midi in notes if not LOWEST <= midi <= HIGHEST]:
            sound, midi = beyond[0]
            side = "below" if midi < LOWEST else "above"
            more = f", the first of {len(beyond)}" if len(beyond) > 1 else ""
            message = f"note {side} the range of a piano{more}"
            severity = Severity.WARNING if all(0 <= each <= 127 for _, each in beyond) else Severity.ERROR
            yield Problem(sound.line, sound.column, "note out of range", message, severity)
