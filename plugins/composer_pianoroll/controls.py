"""Controls of the pianoroll representation, and the constraint that enforces them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from composer.api import GenerationContext, OptionError, Unsatisfiable
from composer.api.fields import at_least_one, check_choices, choice, option
from composer.music.scales import pitch_name
from composer.toolkit.representations.density import OnsetBudget, parse_ramp
from composer.toolkit.representations.note_controls import (
    NoteControls,
    SourceTune,
    held_note_error,
    kept_steps,
    ranges_of,
    total_steps,
)
from composer_pianoroll import full_chords, parallels, phrase_ends, returns
from composer_pianoroll.base_constraint import NoteLimits, RollConstraint
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.kept_voice import VoiceConstraint, check_voice, fixed_units, voice_of
from composer_pianoroll.timed_constraint import TimedRollConstraint
from composer_pianoroll.voice_leading import Closing

MAX_COUNT = 128
OUT_OF_RANGE = "notes out of range left out"

SourceRoll = SourceTune[tuple[int, ...]]
"""A tune to infill whose steps are frames, as active units."""


@dataclass(frozen=True)
class PianorollControls(NoteControls):
    """Controls on polyphonic music."""

    max_notes: int = option(
        0,
        "Maximum number of notes sounding at once. [default: that of the training data, without --keep-bars, "
        "--keep-voices and --density]",
        metavar="N",
        parse=at_least_one("--max-notes"),
    )
    min_notes: int = option(0, "Minimum number of notes sounding at any time; 0 = silence is allowed.", metavar="N")
    max_onsets: int = option(
        0, "Maximum number of notes starting at once. [default: no limit]", metavar="N",
        parse=at_least_one("--max-onsets"),
    )  # fmt: skip
    max_sustained: int = option(
        0, "Maximum number of notes held over at once. [default: no limit]", metavar="N",
        parse=at_least_one("--max-sustained"),
    )  # fmt: skip
    keep_voices: str = option(
        "",
        "Keep a voice of --prime and generate the others: top, bass, or N for the Nth highest note at each moment. "
        "--range, --key and --scale apply only to new notes.",
        metavar="VOICE",
        choices=("top", "bass"),
    )
    voice_leading: bool = option(
        False,
        "With --keep-voices, instead of --parallels: prefer particles without parallel fifths and octaves, and a close "
        "on the tonic chord.",
    )

    onsets: str = option("", "Number of notes starting at once, such as 2 or 1-2.", metavar="N")
    sustained: str = option(
        "", "Number of notes held over at once, such as 3 or 2-3; all of them if fewer are sounding.", metavar="N"
    )

    parallels: str = choice(
        parallels.CHOICES,
        "Avoid or allow parallel fifths and octaves between the outer voices. "
        "[default: avoid if the training data does]",
    )
    phrase_ends: str = choice(
        phrase_ends.CHOICES,
        "`triads` prefers whole major and minor triads in root position where phrases end and, without --keep-bars and "
        "--keep-voices, dominants before them and bass intervals as in the training data; `any` takes any chord. "
        "[default: triads if most phrases of the training data end so]",
    )
    chords: str = choice(
        full_chords.CHOICES,
        "`full` prefers chords of at least three different notes on beats; `any` takes any chord. "
        "[default: full if most chords of the training data are; any with --keep-bars and --keep-voices]",
    )
    returns: str = choice(
        returns.CHOICES,
        "`plan` copies earlier passages where those of a training piece (with --keep-voices: of the tune) return; "
        "`none` generates every bar. [default: plan; none with --keep-bars, --keep-voices, --onsets, --sustained and "
        "--density]",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("onsets", "sustained"):
            if parse_count(getattr(self, name), f"--{name}")[1] and getattr(self, f"max_{name}"):
                flag = f"--max-{name}"
                raise OptionError(f"--{name} and {flag} cannot be used together", f"leave out {flag}")
            if getattr(self, name) and self.min_notes:
                raise OptionError(f"--{name} and --min-notes cannot be used together", "leave out --min-notes")
        for name in ("max_notes", "min_notes", "max_onsets", "max_sustained"):
            if (value := getattr(self, name)) < 0:
                flag = f"--{name.replace('_', '-')}"
                raise OptionError(f"invalid value for {flag}: '{value}'", f"use 1 or more, or leave out {flag}")
        self._check_min_notes()
        if self.keep_voices:
            check_voice(self.keep_voices)
        elif self.voice_leading:
            raise OptionError("--voice-leading needs --keep-voices", "add --keep-voices top")
        check_choices(self)
        self._check_parallels()
        if self.returns == returns.PLAN:
            self._check_without("--returns plan", ("keep_bars", *returns.COUNTED))
        if self.chords == full_chords.FULL:
            self._check_without("--chords full", returns.COUNTED)
        full_chords.check_room(self.chords, self.phrase_ends, self.max_notes)

    def _check_parallels(self) -> None:
        if self.parallels and self.voice_leading:
            hint = "leave out --parallels: --voice-leading prefers voices without parallels by itself"
            raise OptionError("--parallels and --voice-leading cannot be used together", hint)

    def _check_without(self, wanted: str, names: Sequence[str]) -> None:
        """Raise OptionError if one of the controls `names`, which rule out the control `wanted`, is given."""
        for name in names:
            if getattr(self, name):
                message = f"{wanted} and --{name.replace('_', '-')} cannot be used together"
                raise OptionError(message, f"leave out {wanted.partition(' ')[0]}")

    @property
    def is_counted(self) -> bool:
        """Whether numbers of notes are given that copied frames may not have."""
        return any(getattr(self, name) for name in returns.COUNTED)

    @property
    def kept_control(self) -> str:
        return super().kept_control or (f"--keep-voices {self.keep_voices}" if self.keep_voices else "")

    def _check_min_notes(self) -> None:
        """Raise OptionError if other limits allow fewer notes."""
        if self.max_notes and self.min_notes > self.max_notes:
            raise _contradiction(self.min_notes, f"--max-notes {self.max_notes}", self.max_notes)
        onsets, held = self.max_onsets, self.max_sustained
        if onsets and held and self.min_notes > onsets + held:
            raise _contradiction(self.min_notes, f"--max-onsets {onsets} and --max-sustained {held}", onsets + held)


def parse_count(text: str, flag: str) -> tuple[int, int]:
    """Parse `2` or `1-2` notes: the fewest and the most; (0, 0) if empty. Raises OptionError."""
    if not text:
        return 0, 0
    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text.strip())
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not (low <= high and 1 <= high <= MAX_COUNT):
        raise OptionError(
            f"invalid value for {flag}: '{text}'", f"use a number, or the fewest and the most: {flag} 1-2"
        )
    return low, high


def _note_limits(controls: PianorollControls, layout: Layout, pitches: int) -> NoteLimits:
    """Return the limits of `controls`, with `pitches` allowed. Raises Unsatisfiable."""
    onsets, sustained = (parse_count(getattr(controls, name), f"--{name}") for name in ("onsets", "sustained"))
    limits = NoteLimits(
        controls.max_notes, controls.max_onsets or onsets[1], controls.max_sustained or sustained[1],
        controls.min_notes, onsets[0], sustained[0],
    )  # fmt: skip
    exact = " and ".join(
        flag for flag, text in (("--onsets", controls.onsets), ("--sustained", controls.sustained)) if text
    )
    if not exact:
        return limits
    if not layout.onsets or layout.stack > 1:
        reason = "one step per frame" if layout.onsets else "onsets"
        raise Unsatisfiable(f"{exact} needs a model with {reason}", f"leave out {exact}")
    for flag, value in (
        ("--density", controls.density),
        ("--keep-bars", controls.keep_bars),
        ("--keep-voices", controls.keep_voices),
    ):
        if value:
            raise Unsatisfiable(f"{exact} cannot be combined with {flag}", f"leave out {flag}")
    fewest = limits.min_onsets + limits.min_sustained
    if limits.max_notes and fewest > limits.max_notes:
        raise Unsatisfiable(
            f"{exact} contradicts --max-notes {limits.max_notes}: at least {fewest} notes sound at once",
            f"use --max-notes {fewest} or more",
        )
    if fewest > pitches:
        raise Unsatisfiable(
            f"{exact} needs {fewest} pitches, and only {pitches} are allowed", "use fewer notes, or a wider --range"
        )
    return limits


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
        raise Unsatisfiable(message, "use --max-notes instead")
    allowed = controls.pitches(range(layout.lowest, layout.highest + 1))
    pitches = sum(1 << pitch - layout.lowest for pitch in allowed)
    if controls.min_notes > len(allowed):
        raise _contradiction(controls.min_notes, f"the {len(allowed)} pitches that are allowed", len(allowed))
    limits = _note_limits(controls, layout, len(allowed))
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


def _contradiction(minimum: int, other: str, maximum: int) -> OptionError:
    return OptionError(f"--min-notes {minimum} contradicts {other}", f"use --min-notes {maximum} or less")


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
        )
    if (bars := controls.bars) and (primer := len(context.primer)) >= length:
        longer = total_frames(replace(controls, bars=2 * bars), layout, per_beat, None, context.labels) or 0
        hint = f"use --bars {bars * (2 + (primer - length) // max(longer - length, 1))}, or a shorter primer"
        raise Unsatisfiable(f"the primer is longer than --bars {bars}", hint)


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
        raise Unsatisfiable("--keep-voices and --density cannot be used together", "leave out --density")
    if count := context.tune.losses.get(OUT_OF_RANGE, 0):
        low, high = pitch_name(layout.lowest), pitch_name(layout.highest)
        notes = f"{count} note{'s' if count > 1 else ''}"
        raise Unsatisfiable(f"{notes} of the tune cannot be kept: the model's range is {low} to {high}", "transpose it")
    voice = voice_of(roll, controls.keep_voices)
    units = fixed_units(layout, roll.steps, voice, controls.keep_voices)
    last = voice[-1]
    closing = Closing.of(context.tune.labels, (last.start + last.length - 1) // layout.stack, last.pitch)
    return VoiceConstraint(
        layout, constraint.pitches, constraint.note_limits, constraint.kept, units,
        voice_leading=controls.voice_leading, closing=closing if controls.voice_leading else None,
    )  # fmt: skip


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
                )
        own = constraint.after(own, frame)
        sounding, free = (own, 0) if number in constraint.kept else (sounding, free + 1)
