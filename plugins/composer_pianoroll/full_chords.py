"""Thin chords, of fewer than three pitch classes: measure them in the training data, and prefer full ones on beats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from composer.api import Constraint, OptionError, Unsatisfiable
from composer.toolkit.representations.wrapped_constraint import CountingGuard
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.phrase_ends import TRIADS, has_triad
from composer_pianoroll.rules import Rules
from composer_pianoroll.shares import log_weight
from composer_pianoroll.voice_leading import FAULT

FULL, ANY = CHOICES = ("full", "any")
FULL_NOTES = 3
"""Pitch classes of a full chord."""


def thin_weight(choice: str, rules: int, share: float | None, *, has_room: bool) -> float:
    """Return the logarithm of the weight of a thin chord by the `choice` of --chords, empty for the default.

    `share` is that of thin chords on the beats of the training data, None if it is unknown. It counts only by default,
    not if full chords are asked for. `has_room` is whether they are possible. 0 if chords are not weighted.
    """
    if choice == ANY or not has_room or rules < Rules.FULL_CHORDS:
        return 0.0
    if choice == FULL:
        return FAULT
    return log_weight(share) if share is not None else 0.0


def asked_for(choice: str, phrase_ends: str) -> str:
    """Return which of --phrase-ends and --chords, with this `choice`, asks for FULL_NOTES notes; empty if neither."""
    if phrase_ends == TRIADS:
        return "--phrase-ends triads"
    return "--chords full" if choice == FULL else ""


def check_room(choice: str, phrase_ends: str, max_notes: int) -> None:
    """Raise OptionError if chords are asked for that have more than `max_notes`, 0 for any."""
    wanted = asked_for(choice, phrase_ends)
    if wanted and 0 < max_notes < FULL_NOTES:
        raise OptionError(
            f"{wanted} contradicts --max-notes {max_notes}",
            f"use --max-notes {FULL_NOTES} or more",
            flags=(wanted.partition(" ")[0], "--max-notes"),
        )


def has_full_chord(pitches: Iterable[int]) -> bool:
    """Return whether any of `pitches` make a full chord."""
    return len({pitch % 12 for pitch in pitches}) >= FULL_NOTES


def check_most(choice: str, phrase_ends: str, max_onsets: int, max_sustained: int) -> None:
    """Raise Unsatisfiable if chords are asked for that have more notes than may start and be held, 0 for any number."""
    wanted = asked_for(choice, phrase_ends)
    if wanted and max_onsets and max_sustained and max_onsets + max_sustained < FULL_NOTES:
        raise Unsatisfiable(
            f"{wanted} contradicts --max-onsets {max_onsets} and --max-sustained {max_sustained}:"
            f" a chord has {FULL_NOTES} notes",
            f"use --max-sustained {FULL_NOTES - max_onsets} or more",
            flags=(wanted.partition(" ")[0], "--max-onsets", "--max-sustained"),
        )


def check_pitches(choice: str, phrase_ends: str, pitches: Sequence[int], given: Mapping[str, str]) -> None:
    """Raise Unsatisfiable if the allowed `pitches`, ascending, make none of the chords that are asked for.

    `given` are the options that chose the pitches, and their values; an empty value was not given.
    """
    wanted = asked_for(choice, phrase_ends)
    is_possible = has_triad(pitches) if wanted.startswith("--phrase-ends") else has_full_chord(pitches)
    if not wanted or is_possible:
        return
    flag, options = wanted.partition(" ")[0], [option for option, value in given.items() if value]
    others = " and ".join(f"{option} {given[option]}" for option in options) or "the range of the model"
    chord = "triad" if wanted.startswith("--phrase-ends") else f"chord of {FULL_NOTES} different notes"
    message = f"{wanted} contradicts {others}: no {chord} has only such notes"
    raise Unsatisfiable(message, f"leave out {flag}", flags=(flag, *options))


def check_known(choice: str, *, is_known: bool) -> None:
    """Raise Unsatisfiable if full chords are asked for by --chords and it is not known where beats are in a piece."""
    if choice == FULL and not is_known:
        hint = "leave out --chords, or train with -O positions=on"
        raise Unsatisfiable("--chords full needs a model with positions", hint, flags=("--chords",))


def thin_chords(roll: Roll, first: int, beat: int) -> Iterator[bool]:
    """Yield whether the chord on each beat of a piece is thin; beats have `beat` steps, from step `first` on."""
    changes = dict[int, list[tuple[int, int]]]()
    for start, pitch, length in roll.notes:
        changes.setdefault(-((first - start) // beat), []).append((pitch % 12, 1))
        changes.setdefault(-((first - start - length) // beat), []).append((pitch % 12, -1))
    sounding = [0] * 12
    for number in range(-((first - roll.steps) // beat)):
        for pitch_class, change in changes.get(number, ()):
            sounding[pitch_class] += change
        yield sum(map(bool, sounding)) < FULL_NOTES


def is_thin(layout: Layout, frame: Sequence[int], substep: int) -> bool:
    """Return whether a step of a frame has fewer than FULL_NOTES pitch classes."""
    return len({pitch % 12 for pitch in layout.sounding(frame, substep)}) < FULL_NOTES


class FullChordGuard(CountingGuard):
    """The rolls of `inner`, of which thin chords on beats have a weight, whose logarithm is `weight`.

    Beats have `beat` steps, from step `first` on.
    """

    def __init__(self, inner: Constraint, layout: Layout, first: int, beat: int, weight: float) -> None:
        super().__init__(inner)
        self.layout, self.first, self.beat, self.weight = layout, first, beat, weight

    def log_weight(self, state: int, step: tuple[int, ...]) -> float:
        weight, (count, _) = super().log_weight(state, step), self.count_and_memory(state)
        begin = count * self.layout.stack - self.first
        on_beats = range(-begin % self.beat, self.layout.stack, self.beat)
        return weight + self.weight * sum(is_thin(self.layout, step, substep) for substep in on_beats)
