"""What the pieces of two sides are compared by, in the order in which it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from composer.analysis import statistics
from composer.analysis.form import BarContent, cadence
from composer.analysis.score_features import TICKS_PER_BEAT, ScoreFeatures
from composer.music import melody

__all__ = [
    "COPYING",
    "MUSIC",
    "TEXT",
    "VALIDITY",
    "Metric",
    "bars_that_return",
    "ends_long",
    "ends_on_the_tonic",
    "longest_return",
]


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured of each piece: its `name` for programs, what it is called, and among what it stands.

    Of a `is_share`, 1 is all of it. `compute` gives it of a score's outline, where music alone is enough.
    """

    name: str
    label: str
    group: str
    is_share: bool = False
    compute: Callable[[ScoreFeatures], float | None] | None = None


def bars_that_return(music: ScoreFeatures) -> float | None:
    """The share of the bars, of those with a note of the melody in them, that have sounded before, note for note."""
    contents = [content for content in music.bar_contents if content]
    return 1 - len(set(contents)) / len(contents) if contents else None


def longest_return(music: ScoreFeatures) -> float | None:
    """How many bars in a row have sounded before in the same order: 8 where a part of 8 bars is repeated."""
    return _longest_repeat(music.bar_contents) if any(music.bar_contents) else None


def ends_on_the_tonic(music: ScoreFeatures) -> float | None:
    """1 where the melody ends on the tonic of its key, or of what seems to be its key; else 0."""
    return float(cadence(music.score, music.melody) == 1) if music.melody else None


def ends_long(music: ScoreFeatures) -> float | None:
    """1 where the melody's last note is longer than its middling one; else 0."""
    if not music.melody:
        return None
    onset, pitch = music.melody[-1]
    last = [
        each
        for each in music.notes
        if each.pitch == pitch and abs(each.start - TICKS_PER_BEAT * onset) < TICKS_PER_BEAT / melody.TICKS_PER_BEAT
    ]
    lengths = [each.end - each.start for each in music.notes if each.pitch is not None]
    return float(max(each.end - each.start for each in last) > median(lengths))


def _intervals(smallest: int, largest: int) -> Callable[[ScoreFeatures], float | None]:
    return lambda music: statistics.share_of_intervals(music, smallest, largest)


def _longest_repeat(contents: Sequence[BarContent]) -> int:
    """The longest run of bars that is there twice, neither overlapping the other; silent bars begin none."""
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


_PITCH, _HARMONY, _TIME, _FORM = "pitch", "together", "time", "form"

MUSIC = (
    Metric("pitches_used", "pitches", _PITCH, compute=statistics.pitches_used),
    Metric("pitch_classes_used", "pitch classes", _PITCH, compute=statistics.pitch_classes_used),
    Metric("pitch_range", "range, semitones", _PITCH, compute=statistics.pitch_range),
    Metric("pitch_entropy", "entropy of pitches, bits", _PITCH, compute=statistics.pitch_entropy),
    Metric("pitch_class_entropy", "entropy of classes, bits", _PITCH, compute=statistics.pitch_class_entropy),
    Metric("scale_consistency", "in one scale", _PITCH, is_share=True, compute=statistics.scale_consistency),
    Metric("interval_size", "melodic interval, semitones", _PITCH, compute=statistics.interval_size),
    Metric("repeated_notes", "the same note again", _PITCH, True, _intervals(0, 0)),
    Metric("steps", "steps of 1 or 2 semitones", _PITCH, True, _intervals(1, 2)),
    Metric("leaps", "leaps of 5 semitones or more", _PITCH, True, _intervals(5, 127)),
    Metric("polyphony", "pitches that sound together", _HARMONY, compute=statistics.polyphony),
    Metric("polyphony_rate", "time with two or more", _HARMONY, is_share=True, compute=statistics.polyphony_rate),
    Metric("duration", "length, quarter notes", _TIME, compute=statistics.duration),
    Metric("notes_per_beat", "notes to a quarter note", _TIME, compute=statistics.notes_per_beat),
    Metric("empty_beat_rate", "silent quarter notes", _TIME, is_share=True, compute=statistics.empty_beat_rate),
    Metric("empty_bar_rate", "silent bars", _TIME, is_share=True, compute=statistics.empty_bar_rate),
    Metric(
        "groove_consistency", "groove kept from bar to bar", _TIME, is_share=True, compute=statistics.groove_consistency
    ),
    Metric("bars_that_return", "bars that return", _FORM, is_share=True, compute=bars_that_return),
    Metric("longest_return", "bars that return in a row", _FORM, compute=longest_return),
    Metric("ends_on_the_tonic", "ends on the tonic", _FORM, is_share=True, compute=ends_on_the_tonic),
    Metric("ends_long", "ends on a long note", _FORM, is_share=True, compute=ends_long),
)  # fmt: skip
"""What is measured of a score."""

COPYING = (
    Metric("longest_run", "longest run of notes shared", "copying"),
    Metric("copied", "pieces that share 16 or more", "copying", is_share=True),
)
"""How much of a melody stands in those that a model was taught."""

VALIDITY = (
    Metric("without_error", "without an error", "validity", is_share=True),
    Metric("bars_filled", "every bar fills its meter", "validity", is_share=True),
)
"""What the check of notation finds."""

TEXT = (
    Metric("lines", "lines", "form"),
    Metric("line_length", "characters in a line", "form"),
    Metric("words_per_line", "words in a line", "form"),
    Metric("stanza_length", "lines in a stanza", "form"),
    Metric("variety", "different words of the first 50", "words", is_share=True),
    Metric("words_known", "words that the corpus has", "words", is_share=True),
    Metric("lines_copied", "lines that the corpus has", "copying", is_share=True),
)
"""What is measured of words."""
