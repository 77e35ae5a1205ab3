"""Group the triplets that the dialect can write, and round other tuplets to sixteenth notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from composer.formats.abc.elements import Sound
from composer.formats.abc.writer.melody import GRID
from composer.music.keys import BEAT

SIXTEENTH = BEAT // 4


class WritableSounds(NamedTuple):
    """Sounds with lengths that the dialect has. `moved` notes were rounded; `lost` ones had no length left."""

    sounds: list[Sound]
    moved: int
    lost: int


def with_writable_tuplets(sounds: Sequence[Sound], bar: int, pickup: int) -> WritableSounds:
    """Return the consecutive `sounds`, from beat 0, with three equal notes on the grid as a triplet.

    A triplet lies within one bar of `bar` ticks; the first bar has `pickup` ticks, if not 0. Any other sound that ends
    off the grid, such as the long and the short note of a swung beat, ends at the nearest sixteenth note instead, so
    that a swung beat becomes a dotted note and a short one.
    """
    written: list[Sound] = []
    moved = lost = groups = index = exact = now = 0
    while index < len(sounds):
        three = sounds[index : index + 3]
        ticks = three[0].ticks
        room = bar - (now - pickup) % bar
        if now == exact and 3 * ticks <= room and _is_triplet(three):
            groups += 1
            written += [replace(each, group=groups) for each in three]
            now = exact = now + 3 * ticks
            index += 3
            continue
        end = exact + ticks
        rounded = end if end % GRID == 0 else (2 * end + SIXTEENTH) // (2 * SIXTEENTH) * SIXTEENTH
        has_notes = bool(three[0].tones)
        if rounded > now:
            written.append(replace(three[0], ticks=rounded - now))
            moved += has_notes and (now, rounded) != (exact, end)
        else:
            lost += has_notes
        now, exact = max(now, rounded), end
        index += 1
    return WritableSounds(written, moved, lost)


def _is_triplet(three: Sequence[Sound]) -> bool:
    """Return whether these are three equal notes off the grid that end on it."""
    ticks = three[0].ticks
    if len(three) < 3 or ticks % GRID == 0 or 3 * ticks % GRID:
        return False
    return all(each.ticks == ticks and each.tones for each in three)
