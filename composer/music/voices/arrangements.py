"""All ways to put notes that start together into free voices, from the highest to the lowest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

_MAX_NOTES = 8
"""Notes for which all arrangements are tried. Of more, the inner ones are left over."""


class Placed(NamedTuple):
    """The notes `first` to `last` as a chord in a voice, which is counted among the free ones."""

    first: int
    last: int
    free: int


Arrangement = tuple[Placed, ...]
"""The notes that are in none of these chords are left over."""


@lru_cache(maxsize=4096)
def arrangements(
    notes: int, free: int, joinable: tuple[bool, ...], unison: tuple[bool, ...]
) -> tuple[Arrangement, ...]:
    """Return the ways to put `notes` notes, in descending order, into `free` voices, in descending order.

    Notes form chords only if there are fewer voices than notes, and only those that are `joinable` with the next one.
    Neighbors in `unison` may also change places. As few notes as possible are left over, or one more.
    """
    if notes <= free:
        return tuple(
            tuple(Placed(note, note, voice) for note, voice in enumerate(order))
            for voices in combinations(range(free), notes)
            for order in _with_swaps(voices, unison)
        )
    numbers = list(range(notes))
    if notes > _MAX_NOTES:
        numbers = [*numbers[: _MAX_NOTES // 2], *numbers[-_MAX_NOTES // 2 :]]
    for left_over in range(len(numbers)):
        if found := [*_chords(numbers, 0, free, joinable, left_over)]:
            return (*found, *_chords(numbers, 0, free, joinable, left_over + 1))
    return ((),)


def _with_swaps(voices: tuple[int, ...], unison: tuple[bool, ...]) -> Iterator[tuple[int, ...]]:
    yield voices
    for at, same in enumerate(unison):
        if same:
            yield (*voices[:at], voices[at + 1], voices[at], *voices[at + 2 :])


def _chords(
    notes: Sequence[int], voice: int, free: int, joinable: tuple[bool, ...], left_over: int
) -> Iterator[Arrangement]:
    """Yield the ways to give all voices from `voice` on a chord of `notes`, of which `left_over` remain."""
    if voice == free:
        if len(notes) == left_over:
            yield ()
        return
    for skipped in range(min(left_over, len(notes)) + 1):
        rest = notes[skipped:]
        for size in range(1, len(rest) + 1):
            if size > 1 and not (rest[size - 1] == rest[size - 2] + 1 and joinable[rest[size - 2]]):
                break
            for others in _chords(rest[size:], voice + 1, free, joinable, left_over - skipped):
                yield (Placed(rest[0], rest[size - 1], voice), *others)
