"""Choose a chord for each segment of a melody, by its notes and by which chords follow one another in a key.

The tables are rules of thumb of functional harmony, as textbooks state them, and are not counted from any collection:
the tonic comes most often, then the dominant and the subdominant; roots tend to fall by fifths, and a dominant seldom
goes back to the subdominant. A segment's chord is likely if it has the segment's notes, above all those that are long
or on the beat. The best sequence of chords is found by dynamic programming (Viterbi 1967).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import NamedTuple

from composer.music.keys import MODE_FIFTHS, Signature, has_minor_third, name_of_fifth, pitch_class


class Segment(NamedTuple):
    """A stretch of melody with one chord: the weight of each pitch class, and where it is.

    `ends_section` is set for the last segment before a repeat sign or a double bar line.
    """

    weights: Mapping[int, float]
    starts_bar: bool = True
    key: Signature = Signature()
    ends_section: bool = False


class Degree(NamedTuple):
    """A chord of a key: its root in fifths above the tonic, whether it is minor, and how often it occurs."""

    fifths: int
    minor: bool
    share: float


MAJOR = {
    "I": Degree(0, False, 0.42), "V": Degree(1, False, 0.22), "IV": Degree(-1, False, 0.15),
    "ii": Degree(2, True, 0.10), "II": Degree(2, False, 0.03), "vi": Degree(3, True, 0.06),
    "iii": Degree(4, True, 0.01),
}  # fmt: skip
MINOR = {
    "i": Degree(0, True, 0.42), "V": Degree(1, False, 0.22), "VII": Degree(-2, False, 0.12),
    "iv": Degree(-1, True, 0.12), "VI": Degree(-4, False, 0.06), "III": Degree(-3, False, 0.06),
}  # fmt: skip
DORIAN = {
    "i": Degree(0, True, 0.45), "VII": Degree(-2, False, 0.28), "IV": Degree(-1, False, 0.12),
    "v": Degree(1, True, 0.08), "III": Degree(-3, False, 0.07),
}  # fmt: skip
MIXOLYDIAN = {
    "I": Degree(0, False, 0.46), "VII": Degree(-2, False, 0.28), "IV": Degree(-1, False, 0.14),
    "v": Degree(1, True, 0.06), "ii": Degree(2, True, 0.06),
}  # fmt: skip

WEAK = {
    ("V", "ii"), ("V", "II"), ("V", "IV"), ("V", "iv"), ("ii", "I"), ("I", "iii"), ("V", "iii"), ("ii", "iii"),
    ("VII", "V"),
}  # fmt: skip
"""Progressions that are rarer than their chords' shares say."""
STRONG = {("ii", "V"), ("II", "V"), ("vi", "ii"), ("vi", "II"), ("iii", "vi")}
"""Progressions that are more common: roots that fall by a fifth, but for the cadence, which the shares know."""

WEAK_FACTOR, STRONG_FACTOR, STAY_FACTOR = 0.2, 1.5, 2.0
"""Factors for these, and for the chord of the bar before."""
NEW_WITHIN_BAR = 0.3
"""Factor for another chord within a bar; most bars have one."""
ROOT, THIRD, FIFTH, SEVENTH, OTHER = 0.31, 0.27, 0.24, 0.05, 0.005
"""Likelihood of a melody note that is this part of its chord; those of a dominant have a seventh."""
FINAL_TONIC, OPENING_TONIC, CADENCE = 8.0, 5.0, 3.0
"""Factors for the tonic in the last and first segment, and for a dominant before the end of a section."""


def choose_chords(segments: Sequence[Segment]) -> list[str]:
    """Return a chord symbol for each segment; empty where it has no notes and none came before.

    A segment without notes keeps the chord before it.
    """
    filled = [segment for segment in segments if segment.weights]
    chosen = iter(_best_path(filled))
    found, last = list[str](), ""
    for segment in segments:
        last = next(chosen) if segment.weights else last
        found.append(last)
    return found


def degrees_of(key: Signature) -> Mapping[str, Degree]:
    """Return the chords of a key, by its mode."""
    if key.mode == "dorian":
        return DORIAN
    if key.mode == "mixolydian":
        return MIXOLYDIAN
    return MINOR if has_minor_third(key.mode) else MAJOR


def _best_path(segments: Sequence[Segment]) -> list[str]:
    """Return the most likely symbols of segments that all have notes."""
    scores: dict[str, float] = {}
    back: list[dict[str, str]] = []
    before: Signature | None = None
    cadences = _cadences(segments)
    for number, segment in enumerate(segments):
        degrees, last = degrees_of(segment.key), number == len(segments) - 1
        following, arrows = dict[str, float](), dict[str, str]()
        for name, degree in degrees.items():
            score = _fit(segment, degree) + log(degree.share)
            if degree.fifths == 0:
                score += log(FINAL_TONIC) if last else log(OPENING_TONIC) if number == 0 else 0
            if name == "V" and number in cadences:
                score += log(CADENCE)
            links = {
                other: total + _transition(other, name, segment.starts_bar, segment.key == before)
                for other, total in scores.items()
            }
            arrows[name] = max(links, key=links.__getitem__) if links else ""
            following[name] = score + (links[arrows[name]] if links else 0)
        scores, before = following, segment.key
        back.append(arrows)
    path = [max(scores, key=scores.__getitem__)] if scores else []
    for arrows in reversed(back[1:]):
        path.append(arrows[path[-1]])
    symbols, after = list[str](), ""
    for at, (segment, name) in enumerate(zip(reversed(segments), path, strict=True)):
        after = path[at - 1] if at and path[at - 1] != name else after
        symbols.append(_symbol(segment, name, after))
    return symbols[::-1]


def _cadences(segments: Sequence[Segment]) -> set[int]:
    """Return the numbers of the segments before the last one, and before the last bar, of each section."""
    found, bar = set[int](), 0
    for number, segment in enumerate(segments):
        if segment.starts_bar:
            bar = number
        if segment.ends_section or number == len(segments) - 1:
            found |= {number - 1, bar - 1}
    return found


def _fit(segment: Segment, degree: Degree) -> float:
    """Return the log-likelihood of a segment's notes with a chord; its weights sum to the count of its notes."""
    root = (pitch_class(segment.key.tonic) + 7 * degree.fifths) % 12
    parts = {root: ROOT, (root + (3 if degree.minor else 4)) % 12: THIRD, (root + 7) % 12: FIFTH}
    if degree.fifths == 1:
        parts[(root + 10) % 12] = SEVENTH
    return sum(weight * log(parts.get(pitch, OTHER)) for pitch, weight in segment.weights.items())


def _transition(before: str, after: str, starts_bar: bool, same_key: bool) -> float:
    """Return the logarithm of the factor by which `before` changes the share of the chord `after`."""
    if not same_key:
        return 0.0
    if before == after:
        return log(STAY_FACTOR) if starts_bar else 0.0
    step = before, after
    factor = WEAK_FACTOR if step in WEAK else STRONG_FACTOR if step in STRONG else 1.0
    return log(factor * (1.0 if starts_bar else NEW_WITHIN_BAR))


def _symbol(segment: Segment, name: str, after: str) -> str:
    """Return a chord's symbol in the segment's key; a dominant has a seventh if the other chord `after` is the tonic.

    `after` is empty if no other chord follows.
    """
    degree, key = degrees_of(segment.key)[name], segment.key
    root = name_of_fifth(key.sharps + MODE_FIFTHS[key.mode] + degree.fifths)
    leads = name == "V" and after in degrees_of(key) and degrees_of(key)[after].fifths == 0
    return root + ("m" if degree.minor else "7" if leads else "")
