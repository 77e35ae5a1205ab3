"""The pianoroll representation: polyphonic music as frames, the sets of onsets and holds at each time step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from composer.api import (
    Constraint,
    Decoder,
    GenerationContext,
    Piece,
    RejectedPiece,
    Representation,
    Score,
    SequenceSpec,
    Source,
    StepKind,
    hookimpl,
)
from composer.formats.read import MUSIC_SUFFIXES
from composer.music.scales import parse_range
from composer.toolkit.representations.bar_plan import (
    BarPlan,
    WantedPlan,
    ending_step,
    fitting_plans,
    with_key,
    with_returns,
)
from composer.toolkit.representations.note_controls import in_meter, key_labels, meter_labels, source_tune
from composer.toolkit.representations.positions import PositionCounter, feature_sizes
from composer.toolkit.representations.quantize import NotEncodable
from composer.toolkit.representations.score_labels import (
    FERMATAS,
    LABELS,
    PHRASES,
    fermatas_of,
    keys_from_labels,
    labels_of,
    last_key_labels,
    meters_of,
    phrase_labels,
    pickup_of,
    sometimes_unknown,
    transposed,
)
from composer.toolkit.representations.score_parts import (
    Music,
    losses_of,
    offgrid_mode,
    pitched_parts,
    quantize_parts,
    read,
)
from composer_pianoroll import full_chords
from composer_pianoroll.build_constraint import (
    OUT_OF_RANGE,
    PlannedConstraint,
    build_constraint,
    check_length,
    total_frames,
)
from composer_pianoroll.controls import PianorollControls
from composer_pianoroll.frames import Layout, Roll, RollDecoder
from composer_pianoroll.kept_voice.part import KEPT_VOICE, parts_of, with_rests
from composer_pianoroll.options import PianorollOptions, choose_parts
from composer_pianoroll.parallels import ParallelsGuard, parallels_weight
from composer_pianoroll.phrase_ends import check_known, with_ends
from composer_pianoroll.preferences import check_chords, with_preferences
from composer_pianoroll.returns import NONE, PLAN, ReturnsConstraint, are_wanted, returns_of, sources_of
from composer_pianoroll.rules import LATEST, Rules
from composer_pianoroll.silence import LONGEST, SilenceGuard, with_sound
from composer_pianoroll.texture import with_usual_maximum, with_usual_minimum
from composer_pianoroll.training_state import Measured, training_state

__all__ = ["Pianoroll", "PianorollControls", "PianorollOptions", "Roll"]

BEATS = 64
"""Default length of a generated piece, in beats."""


class Pianoroll(Representation[Roll, PianorollOptions, PianorollControls]):
    """Scores as frames. The content of a piece is a `Roll`: its notes on the grid, and its number of steps.

    With onsets, a note is an `onset` unit in its first step and a `hold` unit in the others; without, it is an `on`
    unit in each, and repeated notes without a gap merge. A note ends when the next of its pitch starts, in any part.
    Percussion is left out.
    """

    api, name, version, rules = 1, "pianoroll", 1, int(LATEST)
    summary = "polyphonic music, as frames of note onsets and held notes"
    kind = StepKind.FRAMES
    suffixes = MUSIC_SUFFIXES
    formats = ("midi", "abc", "musicxml")
    step_name = "frame"
    labels = LABELS
    Options = PianorollOptions
    Controls = PianorollControls

    def __init__(self, options: PianorollOptions | None = None) -> None:
        super().__init__(options)
        chosen = self.options
        in_range = parse_range(chosen.range)
        self.layout = Layout(in_range.low, in_range.high, onsets=chosen.onsets, stack=chosen.stack)
        self.length = -(-BEATS * chosen.steps // chosen.stack)
        self.per_beat = Fraction(chosen.steps, chosen.stack)
        """Frames per beat."""
        self.positional = chosen.positions
        self.restore({})

    def read(self, source: Source) -> Iterator[Piece[Roll] | RejectedPiece]:
        for name, music in read(source, pedal=self.options.pedal):
            piece = music if isinstance(music, RejectedPiece) else self._read(music, name, source.fragment)
            yield _as_tune(piece, music) if source.infill and isinstance(piece, Piece) else piece

    def _read(self, music: Music, name: str, is_primer: bool) -> Piece[Roll] | RejectedPiece:
        try:
            return self._piece(music, name, is_primer=is_primer)
        except NotEncodable as error:
            return error.as_rejection(name)

    def fit(self, pieces: Iterable[Piece[Roll]]) -> None:
        """With `positions`, measure the pieces, but not variants, for plans and default controls."""
        if self.positional:
            own = ((piece.content, self._plan_of(piece)) for piece in pieces if not piece.is_variant)
            self.restore(training_state(self.layout, own, self.per_beat))

    def state(self) -> dict[str, Any]:
        if not self.positional:
            return {}
        returns = {} if self.training_returns is None else {"returns": self.training_returns}
        return {"plans": self.training_plans, **returns, **self.measured.as_state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.measured = Measured.parse(state)
        """What was measured in the training pieces."""
        self.training_plans: dict[str, int] = dict(state.get("plans", {}))
        """How many training pieces have each plan."""
        self.training_returns: dict[str, int] | None = dict(state["returns"]) if "returns" in state else None
        """How many of them have each plan with passages that return; None if it is unknown."""
        self._returning_plans = with_returns(self.training_plans, self.training_returns or {})
        self._features = feature_sizes(self.training_plans, self.per_beat) if self.positional else {}

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.FRAMES, self.layout.size, groups=self.layout.groups, features=self._features)

    def prime(self, piece: Piece[Roll]) -> list[tuple[int, ...]]:
        return list(self.layout.frames(piece.content))

    def encode_packed(self, piece: Piece[Roll]) -> bytes:
        from composer_pianoroll import packing

        return packing.pack_frames(self.layout, piece.content)

    def decode(self, steps: Iterable[tuple[int, ...]]) -> Piece[Roll]:
        decoder = RollDecoder(self.layout)
        notes = [note for step in steps for note in decoder.advance(step)]
        return Piece(Roll.from_notes(decoder.now, [*notes, *decoder.end()]))

    def decoder(self, number: int = 1) -> Decoder:
        return RollDecoder(self.layout, self.options.steps)

    def variants(self, piece: Piece[Roll]) -> Iterator[Piece[Roll]]:
        """Yield transpositions to the other keys within the range."""
        from composer_pianoroll import packing

        for shift, roll in packing.transposed(self.layout, piece.content):
            yield Piece(roll, piece.title, f"{piece.source} by {shift:+}", transposed(piece.labels, shift))

    def training_view(self, piece: Piece[Roll]) -> Piece[Roll]:
        """Return some pieces without their phrases or key, as in generation these may be unknown."""
        if not self.positional:
            return piece
        content, names = piece.content.canonical_bytes(), (FERMATAS, PHRASES, "key")
        return sometimes_unknown(piece, content, names)

    def score(self, piece: Piece[Roll]) -> Score | None:
        parts = parts_of(piece.content.notes, piece.labels, self.options.steps)
        meters, keys, pickup = meters_of(piece.labels), keys_from_labels(piece.labels), pickup_of(piece.labels)
        fermatas = fermatas_of(piece.labels)
        return Score(parts, meters=meters, keys=keys, pickup=pickup, title=piece.title, fermatas=fermatas)

    def from_score(self, score: Score) -> Piece[Roll]:
        return self._piece(score, score.title or "the score", is_primer=True)

    def constraint(
        self, controls: PianorollControls | None = None, context: GenerationContext | None = None
    ) -> Constraint | None:
        controls, context = controls or PianorollControls(), context or GenerationContext()
        tune, steps = source_tune(self, controls, context), self.options.steps
        if not self.positional:
            maximum = self.max_steps(controls, context)
            inner = build_constraint(controls, self.layout, steps, context, tune, maximum)
            return self._without_parallels(inner, controls, context)
        plan = BarPlan.parse(context.plan or next(iter(self.plans(controls, context))))
        length, rules = plan.steps(self.per_beat), context.rules or self.rules
        if tune is None:
            controls = replace(controls, meter=plan.meter)
            controls = with_usual_minimum(controls, self.layout, self.measured.thin_chords, context, rules)
            controls = with_usual_maximum(controls, self.measured.max_notes, context, rules)
        inner = build_constraint(controls, self.layout, steps, context, tune, length, is_planned=True)
        counter = PositionCounter.of(plan.without_returns(), self.per_beat, self._features)
        planned: Constraint = inner
        if tune is None and (sound := with_sound(controls, self.measured.thin_chords, rules)) is not None:
            sounding = build_constraint(sound, self.layout, steps, context, None, length, is_planned=True)
            planned = SilenceGuard(inner, sounding, self.layout, LONGEST * steps)
        planned = PlannedConstraint(planned, counter, length)
        ending = ending_step(str(plan), self.per_beat)
        end = length if ending is None else ending
        planned = with_preferences(
            planned, self.layout, steps, plan, controls, rules, self.measured, is_tune=tune is not None
        )
        sources = sources_of(plan.returns, self.per_beat, end, context.primer, inner.accepts)
        if sources:
            planned = ReturnsConstraint(planned, self.layout, sources)
        return self._without_parallels(planned, controls, context)

    def _plans_to_draw(self, controls: PianorollControls, context: GenerationContext) -> Mapping[str, int]:
        """Return the plans of the training pieces, with their returns if pieces have any.

        Raises Unsatisfiable if returns, phrase ends or full chords are asked for that the model cannot have.
        """
        full_chords.check_known(controls.chords, is_known=self.positional)
        check_known(controls.phrase_ends, is_known="fermata" in self._features)
        rules, is_known = context.rules or self.rules, self.training_returns is not None
        wanted = are_wanted(controls.returns, rules, is_counted=controls.is_counted, is_known=is_known)
        return self._returning_plans if wanted else self.training_plans

    def _without_parallels(
        self, constraint: Constraint, controls: PianorollControls, context: GenerationContext
    ) -> Constraint:
        rules = context.rules or self.rules
        weight = parallels_weight(controls.parallels, rules, self.measured.parallels)
        if not weight or controls.voice_leading:  # which weighs them
            return constraint
        beat = self.options.steps if rules >= Rules.PARALLELS_ON_BEATS else 0
        return ParallelsGuard(constraint, self.layout, beat, weight)

    def plan(self, piece: Piece[Roll]) -> str | None:
        """Return meter, bars, pickup, last bar, phrase ends and key, as in `3/4,16,1,2,,Am`, with `positions`."""
        return str(self._plan_of(piece)) if self.positional else None

    def _plan_of(self, piece: Piece[Roll]) -> BarPlan:
        frames = -(-piece.content.steps // self.layout.stack)
        return BarPlan.of(piece.labels).with_length_of(frames, self.per_beat)._replace(key=piece.labels.get("key", ""))

    def _plan_of_tune(self, tune: Piece[Roll], controls: PianorollControls) -> BarPlan:
        """Return the plan of a tune to infill, with its returns if they are asked for."""
        plan = self._plan_of(in_meter(tune, controls))
        if controls.returns != PLAN:
            return plan
        return plan._replace(returns=returns_of(self.layout, tune.content, plan, self.per_beat))

    def ending_step(self, plan: str) -> int | None:
        return ending_step(plan, self.per_beat) if plan else None

    def plan_labels(self, plan: str) -> Mapping[str, str]:
        return BarPlan.parse(plan).labels if plan else {}

    def step_features(self, piece: Piece[Roll], steps: Sequence[tuple[int, ...]]) -> Iterable[tuple[int, ...]]:
        return map(PositionCounter.of(self._plan_of(piece), self.per_beat, self._features).at, range(len(steps)))

    def plans(self, controls: PianorollControls | None, context: GenerationContext) -> Mapping[str, int]:
        """Return the plans of the training pieces that fit the controls and the primer, in the key of these.

        Raises Unsatisfiable if `--bars` and the primer or `--length` contradict each other, or triads are asked for
        where phrases end, but no plan knows where.
        """
        controls, primer = controls or PianorollControls(), len(context.primer)
        rules = context.rules or self.rules
        if rules >= Rules.ROOM_FOR_CHORDS:
            check_chords(controls, self.layout, is_tune=context.tune is not None)
        if not self.positional:
            self._plans_to_draw(controls, context)  # raises if any of those are asked for
            return {}
        if context.tune is not None:
            plan = {str(self._plan_of_tune(context.tune, controls)): 1}
            return with_ends(plan, controls.phrase_ends, rules, is_tune=True)
        meter = meter_labels(controls.meter).get("meter", "")
        lengths = (BarPlan.parse(plan).steps(self.per_beat) for plan in self.training_plans)
        longest = context.length or (1 << 31 if controls.bars else max(primer + self.length, *lengths, 1))
        form = BarPlan.of(context.labels, meter)
        has_meter = primer or meter or "meter" in context.labels
        pickup = form.pickup if primer else None
        wanted = WantedPlan(form.meter if has_meter else None, controls.bars or None, pickup)
        frames = range(primer + 1, longest + 1)
        key = key_labels(controls.scale, controls.key).get("key", context.labels.get("key", "") if primer else None)
        plans = self._plans_to_draw(controls, context)
        known = with_key(plans, key) if key is not None else plans
        with_phrases = rules >= Rules.ADAPTED_PHRASES
        found = fitting_plans(known, wanted, frames, self.per_beat, BarPlan.with_length_of, with_phrases=with_phrases)
        if controls.bars:
            length = max(BarPlan.parse(plan).steps(self.per_beat) for plan in found)
            check_length(controls, context, length, self.layout, self.options.steps)
        return with_ends(found, controls.phrase_ends, rules, is_tune=False)

    def max_steps(self, controls: PianorollControls | None, context: GenerationContext) -> int:
        controls = controls or PianorollControls()
        tune = source_tune(self, controls, context)
        total = total_frames(controls, self.layout, self.options.steps, tune, context.labels)
        if self.positional and tune is None:
            plans = self.plans(replace(controls, returns=NONE), context)  # as long as those with returns
            return max(BarPlan.parse(plan).steps(self.per_beat) for plan in plans)
        return total if total is not None else super().max_steps(controls, context)

    def estimated_steps(self, controls: PianorollControls | None, context: GenerationContext) -> int | None:
        if self.positional and context.tune is None and not (controls and controls.bars):
            return None
        return super().estimated_steps(controls, context)

    def control_labels(self, controls: PianorollControls | None) -> Mapping[str, str]:
        if controls is None:
            return {}
        kept = {KEPT_VOICE: controls.keep_voices} if controls.keep_voices else {}
        return {**meter_labels(controls.meter), **key_labels(controls.scale, controls.key), **kept}

    def _piece(self, music: Music, name: str, *, is_primer: bool) -> Piece[Roll]:
        """Return the notes of `music` as a piece; a primer may be off the grid. Raises NotEncodable."""
        from composer_pianoroll.packing import without_overlaps

        chosen = choose_parts(pitched_parts(music), self.options.parts)
        offgrid = offgrid_mode(self.options.offgrid, is_primer=is_primer)
        quantized, quantizing_losses, in_range = quantize_parts(
            music, chosen, self.options.steps, offgrid, self.layout.lowest, self.layout.highest
        )
        if not len(quantized.starts):
            raise NotEncodable("no notes on the grid")
        roll, overlap_losses = without_overlaps(quantized, repeats=self.layout.onsets)
        range_losses = {OUT_OF_RANGE: sum(len(part.notes) for part in chosen) - in_range}
        losses = losses_of(music, chosen, quantizing_losses, overlap_losses, range_losses)
        labels = {**labels_of(music), **(phrase_labels(music) if self.positional else {})}
        return Piece(roll, music.title, name, labels, losses)


def _as_tune(piece: Piece[Roll], music: Music | RejectedPiece) -> Piece[Roll]:
    """Return a piece of `music` to infill with the labels that kept voices need: rests, and the key at the end."""
    assert not isinstance(music, RejectedPiece)
    return with_rests(replace(piece, labels={**piece.labels, **last_key_labels(music)}))


@hookimpl
def composer_representation() -> type[Representation]:
    """Return this plugin's representation."""
    return Pianoroll
