"""What a player may ask of a roll, and the automaton of the rolls that have all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from composer.api import Constraint, GenerationContext, OptionError, Unsatisfiable
from composer.toolkit.representations.density import OnsetBudget, parse_ramp
from composer.toolkit.representations.note_controls import (
    NoteControls,
    SourceTune,
    held_note_error,
    kept_steps,
    ranges_of,
    total_steps,
)
from composer_pianoroll.base_constraint import NoteLimits, RollConstraint
from composer_pianoroll.frames import Layout
from composer_pianoroll.timed_constraint import TimedRollConstraint

SourceRoll = SourceTune[tuple[int, ...]]
"""A tune whose steps are frames, as their active units."""


@dataclass(frozen=True)
class PianorollControls(NoteControls):
    """What a player may ask of a roll."""

    max_notes: int = field(default=0, metadata={"help": "The most voices at once: notes that sound at a time."})
    max_onsets: int = field(default=0, metadata={"help": "The most notes that are struck at a time."})
    max_sustained: int = field(default=0, metadata={"help": "The most notes that go on at a time."})

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_notes", "max_onsets", "max_sustained"):
            if getattr(self, name) < 0:
                flag = f"--{name.replace('_', '-')}"
                raise OptionError(f"{flag} cannot be {getattr(self, name)}", "give a number of notes, or 0 for any")


def build_constraint(
    wishes: PianorollControls,
    layout: Layout,
    per_beat: int,
    given: GenerationContext,
    tune: SourceRoll | None,
    length: int,
) -> Constraint:
    """The automaton of the rolls, of `length` frames at most, that obey. Raises Unsatisfiable."""
    if not layout.onsets and (wishes.max_onsets or wishes.max_sustained or wishes.density):
        raise Unsatisfiable(
            "this model does not tell notes that are struck from notes that go on", "ask for --max-notes"
        )
    allowed = wishes.pitches(range(layout.lowest, layout.highest + 1))
    pitches = sum(1 << pitch - layout.lowest for pitch in allowed)
    most = NoteLimits(wishes.max_notes, wishes.max_onsets, wishes.max_sustained)
    if not (wishes.bars or wishes.density or tune):
        return RollConstraint(layout, pitches, most)
    _check_length(wishes, given, length)
    kept = _kept(wishes, layout, per_beat, tune) if tune is not None else {}
    rule = TimedRollConstraint(layout, pitches, most, length - 1 if wishes.bars else None, kept=kept)
    if tune is not None:
        _check_held(wishes, rule, tune)
    if not wishes.density:
        return rule
    budget = _budget(wishes, rule, per_beat, length)
    return TimedRollConstraint(layout, pitches, most, rule.last, budget, kept)


def total_frames(
    wishes: PianorollControls, layout: Layout, per_beat: int, tune: SourceRoll | None, opening: Mapping[str, str]
) -> int | None:
    """How many frames a piece has that begins with a tune or an opening, where that is settled.

    Raises Unsatisfiable.
    """
    kept = len(tune.steps) * layout.stack if tune is not None else None
    steps = total_steps(wishes, kept, opening, Fraction(per_beat), layout.stack)
    return steps // layout.stack if steps is not None else None


def _check_length(wishes: PianorollControls, given: GenerationContext, length: int) -> None:
    """Raise Unsatisfiable where the length, or the opening, is not that of the bars."""
    wished = wishes.length_control
    if given.length is not None and given.length < length:
        raise Unsatisfiable(
            f"{wished} and --length {given.length} clash: the piece takes {length} frames", "leave out --length"
        )
    if wishes.bars and len(given.primer) >= length:
        raise Unsatisfiable(
            f"{wished} and --prime clash: the opening takes {len(given.primer)} frames, and the piece {length}",
            "ask for more --bars, or give a shorter opening",
        )


def _budget(wishes: PianorollControls, rule: TimedRollConstraint, per_beat: int, length: int) -> OnsetBudget:
    density, most = parse_ramp(wishes.density, "--density"), rule.max_onsets_per_step * per_beat
    if density.highest > most:
        if rule.note_limits.max_onsets == rule.max_onsets_per_step:
            other = f"--max-onsets {wishes.max_onsets}"
        elif rule.note_limits.max_notes == rule.max_onsets_per_step:
            other = f"--max-notes {wishes.max_notes}"
        elif wishes.range:
            other = f"--range {wishes.range}"
        else:
            other = f"--scale {wishes.scale}" if wishes.scale else "the model"
        raise Unsatisfiable(
            f"--density {wishes.density} and {other} clash: there are {rule.max_onsets_per_step} notes at a time to be"
            f" struck, {per_beat} times a beat",
            f"ask for at most {most} notes a beat",
        )
    stack = rule.layout.stack
    apart = [(first * stack, last * stack) for first, last in ranges_of(sorted(rule.kept))]
    return OnsetBudget(density, Fraction(per_beat), length * stack, apart, spare=int(rule.last is not None))


def _kept(wishes: PianorollControls, layout: Layout, per_beat: int, tune: SourceRoll) -> dict[int, tuple[int, ...]]:
    """The frames that are given. Raises Unsatisfiable where frames are not whole bars."""
    steps = kept_steps(wishes.keep_bars, tune.score, Fraction(per_beat))
    stretched = ranges_of(steps)
    if any(first % layout.stack or last % layout.stack for first, last in stretched):
        raise Unsatisfiable(
            f"--keep-bars {wishes.keep_bars} and the model clash: a frame of it holds {layout.stack} steps, and bars"
            " begin or end within one",
            "use another model",
        )
    frames = sorted({step // layout.stack for step in steps})
    return {number: tune.steps[number] for number in frames if number < len(tune.steps)}


def _check_held(wishes: PianorollControls, rule: TimedRollConstraint, tune: SourceRoll) -> None:
    """Raise Unsatisfiable where what is held into bars that stay cannot be struck before them."""
    layout, most = rule.layout, rule.note_limits
    own, sounding, free = 0, 0, 0
    for number, frame in enumerate(tune.steps):
        if held := rule.held_into.get(number, 0):
            if outside := held & ~rule.pitches:
                pitch = layout.lowest + (outside & -outside).bit_length() - 1
                raise held_note_error(pitch, wishes)
            count = held.bit_count()
            others = {
                f"--max-notes {most.max_notes}": most.max_notes and count > most.max_notes,
                f"--max-sustained {most.max_sustained}": most.max_sustained
                and count - rule.max_onsets_per_step > most.max_sustained,
                f"--max-onsets {most.max_onsets}": count - rule.max_onsets_per_step * free
                > (held & sounding).bit_count(),
            }
            for other in (other for other, clashes in others.items() if clashes):
                raise Unsatisfiable(
                    f"--keep-bars {wishes.keep_bars} and {other} clash: {count} notes are held into the bars that stay",
                    "keep the bar before them too, or leave out one of the two",
                )
        own = rule.after(own, frame)
        sounding, free = (own, 0) if number in rule.kept else (sounding, free + 1)
