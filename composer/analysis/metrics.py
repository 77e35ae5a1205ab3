"""What the pieces of two sides are compared by, in the order in which it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from composer.analysis import statistics
from composer.analysis.form import Content, cadence
from composer.analysis.score_features import BEAT, Outline
from composer.music.melody import TICKS

__all__ = [
    "COPYING",
    "MUSIC",
    "VALIDITY",
    "WORDS",
    "Measure",
    "bars_that_return",
    "ends_long",
    "ends_on_the_tonic",
    "longest_return",
]


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured of each piece: its `name` for programs, what it is called, and among what it stands.

    Of a `share`, 1 is all of it. `of` gives it of a score's outline, where music alone is enough.
    """

    name: str
    words: str
    group: str
    share: bool = False
    of: Callable[[Outline], float | None] | None = None


def bars_that_return(music: Outline) -> float | None:
    """The share of the bars, of those with a note of the melody in them, that have sounded before, note for note."""
    contents = [content for content in music.contents if content]
    return 1 - len(set(contents)) / len(contents) if contents else None


def longest_return(music: Outline) -> float | None:
    """How many bars in a row have sounded before in the same order: 8 where a part of 8 bars is repeated."""
    return _longest(music.contents) if any(music.contents) else None


def ends_on_the_tonic(music: Outline) -> float | None:
    """1 where the melody ends on the tonic of its key, or of what seems to be its key; else 0."""
    return float(cadence(music.score, music.line) == 1) if music.line else None


def ends_long(music: Outline) -> float | None:
    """1 where the melody's last note is longer than its middling one; else 0."""
    if not music.line:
        return None
    onset, pitch = music.line[-1]
    last = [each for each in music.sounds if each.pitch == pitch and abs(each.begin - BEAT * onset) < BEAT / TICKS]
    lengths = [each.end - each.begin for each in music.sounds if each.pitch is not None]
    return float(max(each.end - each.begin for each in last) > median(lengths))


def _intervals(smallest: int, largest: int) -> Callable[[Outline], float | None]:
    return lambda music: statistics.share_of_intervals(music, smallest, largest)


def _longest(contents: Sequence[Content]) -> int:
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


_PITCH, _TOGETHER, _TIME, _FORM = "pitch", "together", "time", "form"

MUSIC = (
    Measure("pitches_used", "pitches", _PITCH, of=statistics.pitches_used),
    Measure("pitch_classes_used", "pitch classes", _PITCH, of=statistics.pitch_classes_used),
    Measure("pitch_range", "range, semitones", _PITCH, of=statistics.pitch_range),
    Measure("pitch_entropy", "entropy of pitches, bits", _PITCH, of=statistics.pitch_entropy),
    Measure("pitch_class_entropy", "entropy of classes, bits", _PITCH, of=statistics.pitch_class_entropy),
    Measure("scale_consistency", "in one scale", _PITCH, share=True, of=statistics.scale_consistency),
    Measure("interval_size", "melodic interval, semitones", _PITCH, of=statistics.interval_size),
    Measure("repeated_notes", "the same note again", _PITCH, True, _intervals(0, 0)),
    Measure("steps", "steps of 1 or 2 semitones", _PITCH, True, _intervals(1, 2)),
    Measure("leaps", "leaps of 5 semitones or more", _PITCH, True, _intervals(5, 127)),
    Measure("polyphony", "pitches that sound together", _TOGETHER, of=statistics.polyphony),
    Measure("polyphony_rate", "time with two or more", _TOGETHER, share=True, of=statistics.polyphony_rate),
    Measure("duration", "length, quarter notes", _TIME, of=statistics.duration),
    Measure("notes_per_beat", "notes to a quarter note", _TIME, of=statistics.notes_per_beat),
    Measure("empty_beat_rate", "silent quarter notes", _TIME, share=True, of=statistics.empty_beat_rate),
    Measure("empty_bar_rate", "silent bars", _TIME, share=True, of=statistics.empty_bar_rate),
    Measure("groove_consistency", "groove kept from bar to bar", _TIME, share=True, of=statistics.groove_consistency),
    Measure("bars_that_return", "bars that return", _FORM, share=True, of=bars_that_return),
    Measure("longest_return", "bars that return in a row", _FORM, of=longest_return),
    Measure("ends_on_the_tonic", "ends on the tonic", _FORM, share=True, of=ends_on_the_tonic),
    Measure("ends_long", "ends on a long note", _FORM, share=True, of=ends_long),
)  # fmt: skip
"""What is measured of a score."""

COPYING = (
    Measure("longest_run", "longest run of notes shared", "copying"),
    Measure("copied", "pieces that share 16 or more", "copying", share=True),
)
"""How much of a melody stands in those that a model was taught."""

VALIDITY = (
    Measure("without_error", "without an error", "validity", share=True),
    Measure("bars_filled", "every bar fills its meter", "validity", share=True),
)
"""What the check of notation finds."""

WORDS = (
    Measure("lines", "lines", "form"),
    Measure("line_length", "characters in a line", "form"),
    Measure("words_per_line", "words in a line", "form"),
    Measure("stanza_length", "lines in a stanza", "form"),
    Measure("variety", "different words of the first 50", "words", share=True),
    Measure("words_known", "words that the corpus has", "words", share=True),
    Measure("lines_copied", "lines that the corpus has", "copying", share=True),
)
"""What is measured of words."""
