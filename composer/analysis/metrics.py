"""Metrics that generated pieces and a corpus are compared by, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from composer.analysis import statistics, voice_leading
from composer.analysis.cadence import cadence
from composer.analysis.score_features import TICKS_PER_BEAT, ScoreFeatures
from composer.analysis.written_parts import BarContent, longest_loop
from composer.api import Score
from composer.music.melody import TICKS_PER_BEAT as MELODY_TICKS_PER_BEAT

MIN_POLYPHONY_RATE = 0.5
"""The share of time with two or more pitches from which on voice leading is measured: a fiddle tune has few."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of one piece: `name` in JSON, `label` and `group` in the table; a share is from 0 to 1.

    `compute` returns it for a score; None if it needs more than the score.
    """

    name: str
    label: str
    group: str
    is_share: bool = False
    compute: Callable[[ScoreFeatures], float | None] | None = None


def bars_that_return(music: ScoreFeatures) -> float | None:
    """Return the share of the bars with melody notes that repeat an earlier bar exactly."""
    contents = [content for content in music.bar_contents if content]
    return 1 - len(set(contents)) / len(contents) if contents else None


def longest_return(music: ScoreFeatures) -> float | None:
    """Return the length in bars of the longest repeat: 8 if a part of 8 bars is repeated."""
    return _longest_repeat(music.bar_contents) if any(music.bar_contents) else None


def ends_on_the_tonic(music: ScoreFeatures) -> float | None:
    """Return 1 if the melody ends on the tonic of its key, given or estimated; else 0."""
    return float(cadence(music.score, music.melody) == 1) if music.melody else None


def ends_long(music: ScoreFeatures) -> float | None:
    """Return 1 if the last note of the melody is longer than the median note; else 0."""
    if not music.melody:
        return None
    onset, pitch = music.melody[-1]
    last = [
        each
        for each in music.notes
        if each.pitch == pitch and abs(each.start - TICKS_PER_BEAT * onset) < TICKS_PER_BEAT / MELODY_TICKS_PER_BEAT
    ]
    lengths = [each.end - each.start for each in music.notes if each.pitch is not None]
    return float(max(each.end - each.start for each in last) > median(lengths))


def loops(music: ScoreFeatures) -> float | None:
    """Return 1 if a cycle of at most 8 bars comes three or more times in a row; else 0."""
    return float(longest_loop(music.bar_contents).excess > 0) if any(music.bar_contents) else None


def _in_voices(compute: Callable[[Score], float | None]) -> Callable[[ScoreFeatures], float | None]:
    """Return `compute` for music with two or more pitches at least half of the time; other music has no value."""

    def computed(music: ScoreFeatures) -> float | None:
        if (statistics.polyphony_rate(music) or 0) < MIN_POLYPHONY_RATE:
            return None
        value = compute(music.score)
        return value if value is None else float(value)

    return computed


def _intervals(smallest: int, largest: int) -> Callable[[ScoreFeatures], float | None]:
    return lambda music: statistics.share_of_intervals(music, smallest, largest)


def _longest_repeat(contents: Sequence[BarContent]) -> int:
    """Return the length of the longest run of bars that occurs twice without overlap and does not start with a rest."""
    numbers = {content: number for number, content in enumerate(dict.fromkeys([(), *contents]))}
    every = [numbers[content] for content in contents]
    longest, before = 0, [0] * (len(every) + 1)
    for late, content in enumerate(every):
        now = [0] * (len(every) + 1)
        for early in range(late):
            if every[early] == content and (content or before[early]):
                now[early + 1] = min(before[early] + 1, late - early)
        longest = max(longest, *now)
        before = now
    return longest


_PITCH, _HARMONY, _RHYTHM, _FORM = "pitch", "harmony", "rhythm", "form"

MUSIC = (
    Metric("pitches_used", "pitches", _PITCH, compute=statistics.pitches_used),
    Metric("pitch_classes_used", "pitch classes", _PITCH, compute=statistics.pitch_classes_used),
    Metric("pitch_range", "range, semitones", _PITCH, compute=statistics.pitch_range),
    Metric("pitch_entropy", "pitch entropy, bits", _PITCH, compute=statistics.pitch_entropy),
    Metric("pitch_class_entropy", "pitch-class entropy, bits", _PITCH, compute=statistics.pitch_class_entropy),
    Metric("scale_consistency", "notes in one scale", _PITCH, is_share=True, compute=statistics.scale_consistency),
    Metric("interval_size", "melodic interval, semitones", _PITCH, compute=statistics.interval_size),
    Metric("repeated_notes", "repeated notes", _PITCH, is_share=True, compute=_intervals(0, 0)),
    Metric("steps", "steps of 1 or 2 semitones", _PITCH, is_share=True, compute=_intervals(1, 2)),
    Metric("leaps", "leaps of 5 semitones or more", _PITCH, is_share=True, compute=_intervals(5, 127)),
    Metric("polyphony", "simultaneous pitches", _HARMONY, compute=statistics.polyphony),
    Metric(
        "polyphony_rate", "time with two or more pitches", _HARMONY, is_share=True,
        compute=statistics.polyphony_rate,
    ),
    Metric(
        "clashes", "semitone clashes on beats", _HARMONY, is_share=True,
        compute=_in_voices(voice_leading.clashes_on_beats),
    ),
    Metric(
        "outer_parallels", "parallel outer voices", _HARMONY, is_share=True,
        compute=_in_voices(voice_leading.outer_parallels),
    ),
    Metric("duration", "length, quarter notes", _RHYTHM, compute=statistics.duration),
    Metric("notes_per_beat", "notes per quarter note", _RHYTHM, compute=statistics.notes_per_beat),
    Metric("empty_beat_rate", "silent quarter notes", _RHYTHM, is_share=True, compute=statistics.empty_beat_rate),
    Metric("empty_bar_rate", "silent bars", _RHYTHM, is_share=True, compute=statistics.empty_bar_rate),
    Metric("groove_consistency", "groove consistency", _RHYTHM, is_share=True, compute=statistics.groove_consistency),
    Metric("bars_that_return", "repeated bars", _FORM, is_share=True, compute=bars_that_return),
    Metric("longest_return", "longest repeat, bars", _FORM, compute=longest_return),
    Metric("loops", "loops of up to 8 bars", _FORM, is_share=True, compute=loops),
    Metric("ends_on_the_tonic", "ends on the tonic", _FORM, is_share=True, compute=ends_on_the_tonic),
    Metric(
        "tonic_in_the_bass", "ends with the tonic in the bass", _FORM, is_share=True,
        compute=_in_voices(voice_leading.ends_on_the_tonic_in_the_bass),
    ),
    Metric("ends_long", "ends on a long note", _FORM, is_share=True, compute=ends_long),
)  # fmt: skip
"""Metrics of a score."""

COPYING = (
    Metric("longest_run", "longest copied run, notes", "copying"),
    Metric("copied", "pieces that copy 16 or more", "copying", is_share=True),
)
"""How much of a melody is copied from the training data or the corpus."""

VALIDITY = (
    Metric("without_error", "no errors", "validity", is_share=True),
    Metric("bars_filled", "every bar fills its meter", "validity", is_share=True),
)
"""Results of `composer check` on ABC."""

TEXT = (
    Metric("lines", "lines", "form"),
    Metric("line_length", "characters per line", "form"),
    Metric("words_per_line", "words per line", "form"),
    Metric("stanza_length", "lines per stanza", "form"),
    Metric("variety", "different words of the first 50", "words", is_share=True),
    Metric("words_known", "words in the corpus", "words", is_share=True),
    Metric("lines_copied", "lines in the corpus", "copying", is_share=True),
)
"""Metrics of a text."""
