"""Count what a written score lacks of the original, by phrase, as in `Score.losses`."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import TypeVar

from composer.api import Key, Notation, Note, Score, Section, Tempo
from composer.music.bars import SILENT_BARS, count_silent_bars, notated_end
from composer.music.voices.staves import staff_groups

INAUDIBLE = Fraction(1, 96)
"""The beats by which a note may move without being counted."""
TEMPO_TOLERANCE = 0.005
"""The relative difference between tempos that count as the same: MIDI stores whole microseconds."""

BAR_LINES_MOVED = "bar lines moved, since bars do not fill the meter"

VOICES_LOST = "voices on shared staves written as chords or in other voices"


def lost_notes(before: Score, after: Score) -> Counter[str]:
    """Count the notes that `after` lacks or has elsewhere, and missing chord symbols, instruments and velocities."""
    losses, now = Counter[str](), _by_sound(after)
    for sound, notes in _by_sound(before).items():
        for note, match in _matched(notes, now.get(sound, ())):
            if match is None:
                losses["notes left out"] += 1
            elif max(abs(match.onset - note.onset), abs(match.end - note.end)) > INAUDIBLE:
                losses["notes moved or changed in length"] += 1
            elif match.velocity != note.velocity:
                losses["velocities left out"] += 1
    if len({note.velocity for part in before.parts for note in part.notes}) == 1:
        del losses["velocities left out"]
    verb = "written as notes" if _count_notes(after) > _count_notes(before) else "left out"
    losses[f"chord symbols {verb}"] += max(len(before.chords) - len(after.chords), 0)
    losses["instruments left out"] += (_programs(before) - _programs(after)).total()
    return +losses


def lost_signs(before: Score, after: Score) -> Counter[str]:
    """Count the tempos, meters and keys that are not in force in `after`, and other signs that it lacks.

    Its bar lines and repeats count if both scores say how they are written, and silent bars at its end if it says so.
    """
    losses = Counter[str]()
    losses["titles left out"] += bool(before.title.strip()) and not after.title.strip()
    losses["composers left out"] += max(len(before.composers) - len(after.composers), 0)
    losses["pickups left out"] += bool(before.pickup) and after.pickup != before.pickup
    losses["fermatas left out"] += len({*before.fermatas} - {*after.fermatas})
    losses["meters left out"] += len(_meters(before) - _meters(after))
    losses["tempos left out"] += _not_in_force(before, before.tempos, after.tempos, _same_tempo)
    keys = _not_in_force(before, before.keys, after.keys, lambda one, other: one.sharps == other.sharps)
    modes = _not_in_force(before, before.keys, after.keys, lambda one, other: one[1:] == other[1:])
    losses["keys left out"] += keys
    losses["modes left out"] += modes - keys
    if notated_end(after) < notated_end(before):
        losses[SILENT_BARS] += max(count_silent_bars(before) - count_silent_bars(after), 0)
    if after.notation is not None:
        losses["repeats written out"] += max(_repeats(before) - _repeats(after), 0)
    if before.notation is not None and after.notation is not None:
        # a bar of two halves around a repeat may lose a bar line, but gets no new one
        new = _bar_lines(after.notation) - _bar_lines(before.notation) if before.meters else set()
        losses[BAR_LINES_MOVED] += len(new)
    return +losses


_Sound = tuple[bool, int]
"""Whether a note is percussion, and its pitch."""


def _by_sound(score: Score) -> dict[_Sound, list[Note]]:
    found: dict[_Sound, list[Note]] = defaultdict(list)
    for part in score.parts:
        for note in part.notes:
            found[part.percussion, note.pitch].append(note)
    return found


def _matched(before: Sequence[Note], after: Sequence[Note]) -> Iterator[tuple[Note, Note | None]]:
    """Yield each note of one sound with the same note afterwards, failing that the next that is left; None for none."""
    places: dict[tuple[Fraction, Fraction], list[Note]] = defaultdict(list)
    for note in after:
        places[note.onset, note.duration].append(note)
    moved: list[Note] = []
    for note in before:
        if same := places[note.onset, note.duration]:
            yield note, same.pop()
        else:
            moved.append(note)
    left = sorted(note for notes in places.values() for note in notes)
    yield from zip_longest(sorted(moved), left[: len(moved)])


def _count_notes(score: Score) -> int:
    return sum(len(part.notes) for part in score.parts)


def _programs(score: Score) -> Counter[int]:
    """Count the staves of each program, except pianos, which are the default."""
    parts = [part for part in score.parts if part.notes and part.program and not part.percussion]
    return Counter(staff[0].program for group in staff_groups(parts) for staff in group)


def _meters(score: Score) -> set[tuple[Fraction, int, int]]:
    """Return the meters that change something, by onset."""
    found, current = set(), (0, 0)
    for onset, *meter in sorted(score.meters):
        if tuple(meter) != current:
            current = (meter[0], meter[1])
            found.add((onset, *current))
    return found


def _repeats(score: Score) -> int:
    """Return how many repeats are written, even if `P:AAB` in ABC, for example, says how often they are played."""
    if score.notation is not None:
        return sum(bar.times > 1 for bar in score.notation.bars)
    return len({_content(score, section) for section in score.sections if section.times > 1})


def _content(score: Score, section: Section) -> frozenset[tuple[Fraction, int, Fraction]]:
    """Return the onsets in a section, pitches and durations of its notes; a part that is played again has the same."""
    notes = (note for part in score.parts for note in part.notes if section.onset <= note.onset < section.end)
    return frozenset((note.onset - section.onset, note.pitch, note.duration) for note in notes)


def _bar_lines(notation: Notation) -> set[Fraction]:
    """Return the beats at which bars begin, as played."""
    return {onset for bar in notation.bars for onset in bar.onsets}


_Sign = TypeVar("_Sign", Tempo, Key)


def _not_in_force(
    score: Score, before: Sequence[_Sign], after: Sequence[_Sign], same: Callable[[_Sign, _Sign], bool]
) -> int:
    """Count the signs of `before` that hold for some notes of `score` where `after` has no sign that is the same."""
    before, after = sorted(before), sorted(after)
    starts, new_starts = [sign.onset for sign in before], [sign.onset for sign in after]
    missing = set()
    for onset in {note.onset for part in score.parts for note in part.notes} if before else ():
        old, new = bisect_right(starts, onset) - 1, bisect_right(new_starts, onset) - 1
        if old >= 0 and (new < 0 or not same(before[old], after[new])):
            missing.add(old)
    return len(missing)


def _same_tempo(one: Tempo, other: Tempo) -> bool:
    return abs(one.bpm - other.bpm) <= TEMPO_TOLERANCE * max(one.bpm, other.bpm)
