"""Lengthen the notes of a score, each by a random factor, as music that is made of short notes may need."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from composer.api import OptionError, Part, Score

MAX_FACTOR = 100


def parse_factors(text: str) -> tuple[int, int]:
    """Parse `3-5` or `2`: the lowest and highest factor. Raises OptionError."""
    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text.strip())
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= low <= high <= MAX_FACTOR:
        hint = f"use a factor, or the lowest and the highest, from 1 to {MAX_FACTOR}, such as --lengthen 3-5"
        raise OptionError(f"invalid value for --lengthen: '{text}'", hint)
    return low, high


def lengthened(score: Score, factors: tuple[int, int]) -> Score:
    """Return `score` with each note longer by a random whole factor, up to the next note of its pitch in the part.

    The factors are a function of the notes, so that the result is reproducible.
    """
    parts = tuple(_lengthened_part(part, factors) for part in score.parts)
    return replace(score, parts=parts, notation=None)  # a repeat is no longer the same


def _lengthened_part(part: Part, factors: tuple[int, int]) -> Part:
    random = Random(" ".join(f"{note.onset},{note.pitch}" for note in part.notes))
    longer = [note._replace(duration=note.duration * random.randint(*factors)) for note in part.notes]
    following: dict[int, int] = {}
    for index in sorted(range(len(longer)), key=lambda each: longer[each].onset, reverse=True):
        note, own = longer[index], part.notes[index]
        later = following.get(note.pitch)
        if later is not None and longer[later].onset > note.onset:
            end = max(own.end, longer[later].onset)
            longer[index] = note._replace(duration=min(note.end, end) - note.onset)
        following[note.pitch] = index
    return replace(part, notes=tuple(longer))
