"""The constraints that enforce the controls of the pianoroll representation and the length of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from composer.api import Constraint, GenerationContext, Unsatisfiable
from composer.music.scales import pitch_name
from composer.toolkit.representations.density import OnsetBudget, parse_ramp
from composer.toolkit.representations.note_controls import (
    SourceTune,
    held_note_error,
    kept_steps,
    ranges_of,
    total_steps,
)
from composer.toolkit.representations.positions import CountingConstraint, PositionCounter
from composer_pianoroll.base_constraint import NoteLimits, RollConstraint
from composer_pianoroll.controls import PianorollControls, min_notes_error, parse_count
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.kept_voice.constraint import VoiceConstraint, alone, fixed_units, voice_of
from composer_pianoroll.rules import LATEST, Rules
from composer_pianoroll.timed_constraint import TimedRollConstraint
from composer_pianoroll.voice_leading import Closing

OUT_OF_RANGE = "notes out of range left out"

SourceRoll = SourceTune[tuple[int, ...]]
"""A tune to infill whose steps are frames, as active units."""


class PlannedConstraint(CountingConstraint):
    """Rolls that `inner` accepts, of exactly `length` frames."""

    def __init__(self, inner: Constraint, counter: PositionCounter, length: int) -> None:
        super().__init__(inner, counter)
        self.length = length

    def start(self, primer: Sequence[tuple[int, ...]]) -> int:
        if len(primer) >= self.length:
            raise Unsatisfiable(
                f"the primer has {len(primer)} frames and does not fit into the {self.length} frames of the piece",
                "use more --bars, or a shorter primer",
                flags=("--bars",),
            )
        return super().start(primer)

    def ends(self, state: int) -> bool:
        return self.parts(state)[1] >= self.length


def build_constraint(
    controls: PianorollControls,
    layout: Layout,
    per_beat: int,
    context: GenerationContext,
    tune: SourceRoll | None,
    length: int,
    *,
    is_planned: bool = False,
) -> RollConstraint:
    """Return the constraint for rolls of up to `length` frames, exactly so many if the piece `is_planned`.

    Raises Unsatisfiable.
    """
    if not layout.onsets and (controls.max_onsets or controls.max_sustained or controls.density):
        message = "--max-onsets, --max-sustained and --density need a model with onsets"
        given = (("--density", controls.density), ("--max-onsets", controls.max_onsets))
        flag = next((flag for flag, value in given if value), "--max-sustained")
        raise Unsatisfiable(message, "use --max-notes instead", flags=(flag,))
    allowed = controls.pitches(range(layout.lowest, layout.highest + 1))
    pitches = sum(1 << pitch - layout.lowest for pitch in allowed)
    if controls.fewest_notes > len(allowed):
        raise min_notes_error(
            controls.fewest_notes,
            f"the {len(allowed)} pitches that are allowed",
            len(allowed),
            "--range",
            "--scale",
            "--key",
        )
    limits = _note_limits(controls, layout, len(allowed))
    limits = limits._replace(in_order=(context.rules or LATEST) < Rules.ANY_PITCHES_WITHIN_LIMITS)
    if not (controls.bars or controls.density or tune or is_planned):
        return RollConstraint(layout, pitches, limits)
    if controls.bars or tune:
        check_length(controls, context, length, layout, per_beat)
    kept = _fixed_frames(controls, layout, per_beat, tune) if tune is not None and controls.keep_bars else {}
    last = length - 1 if controls.bars or (is_planned and tune is None) else None
    constraint = TimedRollConstraint(layout, pitches, limits, last, kept=kept)
    if tune is not None:
        _check_held(controls, constraint, tune)
    if tune is not None and controls.keep_voices:
        return _with_voice(controls, constraint, context)
    if not controls.density:
        return constraint
    budget = _budget(controls, constraint, per_beat, length)
    return TimedRollConstraint(layout, pitches, limits, constraint.last, budget, kept)


def total_frames(
    controls: PianorollControls, layout: Layout, per_beat: int, tune: SourceRoll | None, labels: Mapping[str, str]
) -> int | None:
    """Return the length of a piece in frames, or None if it is open. Raises Unsatisfiable."""
    kept = len(tune.steps) * layout.stack if tune is not None else None
    steps = total_steps(controls, kept, labels, Fraction(per_beat), layout.stack)
    return steps // layout.stack if steps is not None else None


def check_length(
    controls: PianorollControls, context: GenerationContext, length: int, layout: Layout, per_beat: int
) -> None:
    """Raise Unsatisfiable if --length is too short, or the primer too long."""
    if context.length is not None and context.length < length:
        raise Unsatisfiable(
            f"--length {context.length} is too short for {controls.length_control}, which needs {length} frames",
            f"leave out --length, or use --length {length}",
            flags=("--length", controls.length_control.partition(" ")[0]),
        )
    if (bars := controls.bars) and (primer := len(context.primer)) >= length:
        longer = total_frames(replace(controls, bars=2 * bars), layout, per_beat, None, context.labels) or 0
        hint = f"use --bars {bars * (2 + (primer - length) // max(longer - length, 1))}, or a shorter primer"
        raise Unsatisfiable(f"the primer is longer than --bars {bars}", hint, flags=("--bars",))


def _note_limits(controls: PianorollControls, layout: Layout, pitches: int) -> NoteLimits:
    """Return the limits of `controls`, with `pitches` allowed. Raises Unsatisfiable."""
    onsets, sustained = (parse_count(getattr(controls, name), f"--{name}") for name in ("onsets", "sustained"))
    limits = NoteLimits(
        controls.max_notes, controls.max_onsets or onsets[1], controls.max_sustained or sustained[1],
        controls.fewest_notes, onsets[0], sustained[0],
    )  # fmt: skip
    given = (("--onsets", controls.onsets), ("--sustained", controls.sustained))
    exact_flags = [flag for flag, text in given if text]
    exact = " and ".join(exact_flags)
    if not exact:
        return limits
    if not layout.onsets or layout.stack > 1:
        reason = "one step per frame" if layout.onsets else "onsets"
        raise Unsatisfiable(f"{exact} needs a model with {reason}", f"leave out {exact}", flags=exact_flags[:1])
    for flag, value in (
        ("--density", controls.density),
        ("--keep-bars", controls.keep_bars),
        ("--keep-voices", controls.keep_voices),
    ):
        if value:
            raise Unsatisfiable(
                f"{exact} cannot be combined with {flag}", f"leave out {flag}", flags=(*exact_flags, flag)
            )
    fewest = limits.min_onsets + limits.min_sustained
    if limits.max_notes and fewest > limits.max_notes:
        raise Unsatisfiable(
            f"{exact} contradicts --max-notes {limits.max_notes}: at least {fewest} notes sound at once",
            f"use --max-notes {fewest} or more",
            flags=(*exact_flags, "--max-notes"),
        )
    if fewest > pitches:
        raise Unsatisfiable(
            f"{exact} needs {fewest} pitches, and only {pitches} are allowed",
            "use fewer notes, or a wider --range",
            flags=(*exact_flags, "--range", "--scale", "--key"),
        )
    return limits


def _budget(controls: PianorollControls, constraint: TimedRollConstraint, per_beat: int, length: int) -> OnsetBudget:
    density, maximum = parse_ramp(controls.density, "--density"), constraint.max_onsets_per_step * per_beat
    if density.highest > maximum:
        if constraint.note_limits.max_onsets == constraint.max_onsets_per_step:
            other = f"--max-onsets {controls.max_onsets}"
        elif constraint.note_limits.max_notes == constraint.max_onsets_per_step:
            other = f"--max-notes {controls.max_notes}"
        elif controls.range:
            other = f"--range {controls.range}"
        else:
            other = f"--scale {controls.scale}" if controls.scale else "the model"
        raise Unsatisfiable(
            f"--density {controls.density} contradicts {other}: at most {maximum} notes can start per beat",
            f"use --density {maximum} or less",
            flags=("--density", other.partition(" ")[0]),
        )
    stack = constraint.layout.stack
    uncounted = [(first * stack, last * stack) for first, last in ranges_of(sorted(constraint.kept))]
    return OnsetBudget(density, Fraction(per_beat), length * stack, uncounted, spare=int(constraint.last is not None))


def _with_voice(
    controls: PianorollControls, constraint: TimedRollConstraint, context: GenerationContext
) -> VoiceConstraint:
    """Return `constraint` with the voice to keep. Raises Unsatisfiable."""
    assert context.tune is not None
    roll, layout = context.tune.content, constraint.layout
    assert isinstance(roll, Roll)
    if controls.density:
        raise Unsatisfiable(
            "--keep-voices and --density cannot be used together",
            "leave out --density",
            flags=("--keep-voices", "--density"),
        )
    if count := context.tune.losses.get(OUT_OF_RANGE, 0):
        low, high = pitch_name(layout.lowest), pitch_name(layout.highest)
        notes = f"{count} note{'s' if count > 1 else ''}"
        raise Unsatisfiable(f"{notes} of the tune cannot be kept: the model's range is {low} to {high}", "transpose it")
    voice = voice_of(roll, controls.keep_voices)
    units = fixed_units(layout, roll.steps, voice, controls.keep_voices)
    last = voice[-1]
    closing = Closing.of(context.tune.labels, (last.start + last.length - 1) // layout.stack, last.pitch)
    limits, resting = constraint.note_limits, None
    if (context.rules or LATEST) >= Rules.RESTING_VOICE:
        if limits.max_notes == 1:  # the voice is that note, also while it rests
            limits, units = limits._replace(min_notes=0), [alone(layout, each) for each in units]
        else:
            resting = _while_resting(constraint)
    return VoiceConstraint(
        layout, constraint.pitches, limits, constraint.kept, units,
        voice_leading=controls.voice_leading, closing=closing if controls.voice_leading else None, resting=resting,
    )  # fmt: skip


def _while_resting(constraint: TimedRollConstraint) -> TimedRollConstraint:
    """Return the constraint for frames in which a kept voice rests: it counts as one of two or more notes at once."""
    limits = constraint.note_limits
    most, fewest = limits.max_notes and limits.max_notes - 1, max(limits.min_notes - 1, 0)
    limits = limits._replace(max_notes=most, min_notes=fewest)
    return TimedRollConstraint(constraint.layout, constraint.pitches, limits, kept=constraint.kept)


def _fixed_frames(
    controls: PianorollControls, layout: Layout, per_beat: int, tune: SourceRoll
) -> dict[int, tuple[int, ...]]:
    """Return the fixed frames of the kept bars. Raises Unsatisfiable if bars are not whole frames."""
    steps = kept_steps(controls.keep_bars, tune.score, Fraction(per_beat))
    ranges = ranges_of(steps)
    if any(first % layout.stack or last % layout.stack for first, last in ranges):
        raise Unsatisfiable(
            f"this model does not support --keep-bars {controls.keep_bars}: its frames of {layout.stack} steps"
            " do not match the bars",
            "use another model",
            flags=("--keep-bars",),
        )
    frames = sorted({step // layout.stack for step in steps})
    return {number: tune.steps[number] for number in frames if number < len(tune.steps)}


def _check_held(controls: PianorollControls, constraint: TimedRollConstraint, tune: SourceRoll) -> None:
    """Raise Unsatisfiable if notes held into kept bars cannot start before them."""
    layout, limits = constraint.layout, constraint.note_limits
    own, sounding, free = 0, 0, 0
    for number, frame in enumerate(tune.steps):
        if held := constraint.held_into.get(number, 0):
            if outside := held & ~constraint.pitches:
                raise held_note_error(layout.lowest + (outside & -outside).bit_length() - 1, controls)
            count, startable = held.bit_count(), constraint.max_onsets_per_step
            sustained = limits.max_sustained
            others = {
                f"--max-notes {limits.max_notes}": limits.max_notes and count > limits.max_notes,
                f"--max-sustained {sustained}": sustained and count - startable > sustained,
                f"--max-onsets {limits.max_onsets}": count - startable * free > (held & sounding).bit_count(),
            }
            for other in (other for other, conflicts in others.items() if conflicts):
                raise Unsatisfiable(
                    f"--keep-bars {controls.keep_bars} contradicts {other}: {count} notes are held into a kept bar",
                    "keep the bar before it too, or leave out one of them",
                    flags=("--keep-bars", other.partition(" ")[0]),
                )
        own = constraint.after(own, frame)
        sounding, free = (own, 0) if number in constraint.kept else (sounding, free + 1)
