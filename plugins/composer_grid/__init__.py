"""The grid representation: a melody as one token per time step, which starts a note, holds it or is a rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import ne
from typing import TYPE_CHECKING, Any

from composer.api import (
    Constraint,
    Decoder,
    EncodeError,
    GenerationContext,
    Part,
    Piece,
    ReadError,
    RejectedPiece,
    Representation,
    Score,
    SequenceSpec,
    Source,
    StepKind,
    TextDecoder,
    hookimpl,
)
from composer.formats.read import MUSIC_SUFFIXES, is_music
from composer.toolkit.representations.bar_plan import MAX_PLANS, BarPlan, WantedPlan, ending_step, fitting_plans
from composer.toolkit.representations.note_controls import in_meter, key_labels, meter_labels, source_tune
from composer.toolkit.representations.positions import PositionCounter, feature_sizes
from composer.toolkit.representations.quantize import GridNote, NotEncodable, to_notes
from composer.toolkit.representations.score_labels import (
    LABELS,
    keys_from_labels,
    labels_of,
    meters_of,
    phrase_labels,
    pickup_of,
    sometimes_unknown,
    transposed,
)
from composer.toolkit.representations.score_parts import (
    TRANSPOSITIONS,
    Music,
    keys_of,
    losses_of,
    notes_of,
    offgrid_mode,
    pitched_parts,
    quantize_parts,
    read,
)
from composer_grid.base_constraint import END, GridConstraint
from composer_grid.controls import GridControls, build_constraint, piece_steps
from composer_grid.loop_guard import LOOPLESS_RULES, without_loops
from composer_grid.melody import check_one_voice, to_c, top_part
from composer_grid.options import WHOLE_NOTES, GridOptions, length_of
from composer_grid.positions import PositionConstraint
from composer_grid.tokens import HOLD, REST, decode_tokens, first_invalid

if TYPE_CHECKING:
    from composer.toolkit.representations.note_arrays import NoteArrays

Tokens = tuple[str, ...]
"""The content of a piece."""

__all__ = ["Grid", "GridControls", "GridOptions"]


class Grid(Representation[Tokens, GridOptions, GridControls]):
    """Melodies as tokens. The content of a piece is a tuple of written tokens: `("55", "_", "r", "60")`.

    The vocabulary is the end symbol (0), `_` (1), `r` (2) and the pitches of the training data, ascending. In a text of
    tokens, each line is a piece. Tokens include neither meter nor key, nor silence after the last note.
    """

    api, name, version, rules = 1, "grid", 1, 2
    summary = "melodies on a rhythmic grid: each step is a pitch, `_` (hold) or `r` (rest)"
    kind = StepKind.TOKENS
    suffixes = (".tokens", *MUSIC_SUFFIXES)
    formats = ("midi", "abc", "musicxml", "tokens")
    native = "tokens"
    labels = LABELS
    Options = GridOptions
    Controls = GridControls

    def __init__(self, options: GridOptions | None = None) -> None:
        super().__init__(options)
        step = length_of(self.options.step)
        self.steps = 1 / (4 * step)
        """Steps per beat."""
        self.length = int(WHOLE_NOTES / step)
        self.positional = self.options.positions
        self._restore(())

    def read(self, source: Source) -> Iterator[Piece[Tokens] | RejectedPiece]:
        if source.path.suffix.lower() == ".tokens" or ((source.typed or source.fragment) and not is_music(source)):
            yield from self._read_tokens(source)
            return
        for name, music in read(source):
            yield music if isinstance(music, RejectedPiece) else self._read(music, name, source.fragment)

    def fit(self, pieces: Iterable[Piece[Tokens]]) -> None:
        symbols, plans = set[str](), Counter[str]()
        for piece in pieces:
            symbols.update(piece.content)
            if not piece.is_variant:
                plans.update(filter(None, [self.plan(piece)]))
        self._restore(sorted(map(int, symbols - {HOLD, REST})), dict(sorted(plans.most_common(MAX_PLANS))))

    def _restore(self, pitches: Iterable[int], plans: Mapping[str, int] | None = None) -> None:
        self.pitches = tuple(pitches)
        self.symbols = ("", HOLD, REST, *map(str, self.pitches))
        self.ids = {symbol: number for number, symbol in enumerate(self.symbols) if symbol}
        self.training_plans = dict(plans or {})
        """How many training pieces have each plan."""
        self._features = feature_sizes(self.training_plans, self.steps) if self.positional else {}

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.TOKENS, len(self.symbols), END, features=self._features)

    def encode_packed(self, piece: Piece[Tokens]) -> bytes:
        try:
            return bytes(map(self.ids.__getitem__, piece.content)) + bytes([END])
        except KeyError:
            self.prime(piece)  # raises EncodeError with the unknown pitches
            raise

    def prime(self, piece: Piece[Tokens]) -> list[int]:
        tokens = piece.content
        unknown = sorted({int(token) for token in tokens if token not in self.ids})
        if unknown:
            raise EncodeError(
                f"{piece.source or 'the melody'} has pitches unknown to the model: " + ", ".join(map(str, unknown)),
                f"transpose it: the model has pitches {self.pitches[0]} to {self.pitches[-1]}"
                if self.pitches
                else None,
            )
        return [self.ids[token] for token in tokens]

    def decode(self, steps: Iterable[int]) -> Piece[Tokens]:
        return Piece(tuple(token for step in steps if (token := self.symbols[step])))

    def decoder(self, number: int = 1) -> Decoder:
        return TextDecoder(lambda step: f"{token} " if (token := self.symbols[step]) else "", end="\n")

    def state(self) -> dict[str, Any]:
        return {"pitches": list(self.pitches), **({"plans": self.training_plans} if self.positional else {})}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._restore(state["pitches"], state.get("plans"))

    def variants(self, piece: Piece[Tokens]) -> Iterator[Piece[Tokens]]:
        """Yield transpositions within the known pitches; none with `transpose=c`."""
        from composer.toolkit.representations.note_arrays import NoteArrays
        from composer_grid.token_arrays import as_tokens

        if self.options.transpose != "none":
            return
        notes = NoteArrays.from_notes(decode_tokens(piece.content))
        known = set(self.pitches or range(128))
        for shift in TRANSPOSITIONS if len(notes.pitches) else ():
            pitches = notes.pitches + shift
            if known.issuperset(pitches.tolist()):
                tokens, labels = as_tokens(notes._replace(pitches=pitches)), transposed(piece.labels, shift)
                yield Piece(tokens, piece.title, f"{piece.source} by {shift:+}", labels)

    def training_view(self, piece: Piece[Tokens]) -> Piece[Tokens]:
        """Return some pieces without their phrases, as in generation these may be unknown."""
        content = " ".join(piece.content).encode()
        return sometimes_unknown(piece, content) if self.positional else piece

    def score(self, piece: Piece[Tokens]) -> Score | None:
        notes = to_notes(decode_tokens(piece.content), self.steps)
        meters, keys, pickup = meters_of(piece.labels), keys_from_labels(piece.labels), pickup_of(piece.labels)
        return Score((Part(notes),), meters=meters, keys=keys, pickup=pickup, title=piece.title)

    def from_score(self, score: Score) -> Piece[Tokens]:
        return self._piece(score, score.title or "the score", is_primer=True)

    def constraint(
        self, controls: GridControls | None = None, context: GenerationContext | None = None
    ) -> Constraint | None:
        if not self.pitches:
            return None
        controls, context = controls or GridControls(), context or GenerationContext()
        plan = self._bar_plan(controls, context)
        if plan is not None and context.tune is None:  # the bars are those of the plan
            labels = {name: value for name, value in context.labels.items() if name not in ("meter", "pickup")}
            controls, context = replace(controls, meter=plan.meter), replace(context, labels=labels | plan.labels)
        if plan is not None and controls.density and not (controls.bars or controls.keep_bars):
            controls = replace(controls, bars=plan.bars or 0, meter=plan.meter)  # so that the density can be kept
        constraint: Constraint = GridConstraint(len(self.symbols))
        if replace(controls, repeat_limit=None) != GridControls():
            most, tune = self.max_steps(controls, context), source_tune(self, controls, context)
            constraint = build_constraint(controls, self.pitches, self.steps, context, tune, most)
        if plan is not None:
            at = PositionCounter.of(plan, self.steps, self._features)
            constraint = PositionConstraint(constraint, plan, self.steps, at)
        if (context.rules or self.rules) < LOOPLESS_RULES:
            return constraint
        form = plan or BarPlan.of((context.tune or context).labels, meter_labels(controls.meter).get("meter", ""))
        return without_loops(constraint, form, self.steps, controls.repeat_limit)

    def plan(self, piece: Piece[Tokens]) -> str | None:
        """Return meter, number of bars, pickup and phrase ends, as in `3/4,16,1,,11 23`, with `positions`."""
        if not self.positional:
            return None
        return str(BarPlan.of(piece.labels).with_bars_of(len(piece.content), self.steps))

    def ending_step(self, plan: str) -> int | None:
        return ending_step(plan, self.steps) if plan else None

    def plan_labels(self, plan: str) -> Mapping[str, str]:
        return BarPlan.parse(plan).labels if plan else {}

    def step_features(self, piece: Piece[Tokens], steps: Sequence[int]) -> Iterable[tuple[int, ...]]:
        plan = BarPlan.parse(self.plan(piece) or "")
        return map(PositionCounter.of(plan, self.steps, self._features).at, range(len(steps)))

    def plans(self, controls: GridControls | None, context: GenerationContext) -> Mapping[str, int]:
        """Return the plans of the training pieces with the given bars, meter and pickup.

        Raises Unsatisfiable if the primer does not fit into the bars.
        """
        plan = self._bar_plan(controls or GridControls(), context)
        if plan is None:
            return {}
        if context.plan is not None or context.tune is not None:
            return {str(plan): 1}
        longest = (context.length or 1 << 31) if plan.bars else self.max_steps(controls, context)
        steps = range(len(context.primer) + 1, longest)
        is_given = bool(context.primer or "meter" in context.labels or (controls and controls.meter))
        wanted = WantedPlan(plan.meter, plan.bars, plan.pickup) if is_given else WantedPlan(bars=plan.bars)
        found = fitting_plans(self.training_plans, wanted, steps, self.steps, BarPlan.with_bars_of)
        for each in found if plan.bars and context.primer else ():
            if planned := self.constraint(controls, replace(context, plan=each)):
                planned.start(context.primer)
        return found

    def _bar_plan(self, controls: GridControls, context: GenerationContext) -> BarPlan | None:
        """Return the plan that the context gives or the controls imply, with `positions`."""
        if not self.positional:
            return None
        if context.plan is not None:
            return BarPlan.parse(context.plan)
        meter = meter_labels(controls.meter).get("meter", "")
        if context.tune is not None:
            plan = self.plan(in_meter(context.tune, controls))
            return BarPlan.parse(plan or "")
        return BarPlan.of(context.labels, meter, controls.bars or None)

    def max_steps(self, controls: GridControls | None, context: GenerationContext) -> int:
        controls = controls or GridControls()
        tune = source_tune(self, controls, context)
        if self.positional and controls.bars and context.tune is None and context.plan is None:
            plans = map(BarPlan.parse, self.plans(controls, context))
            return 1 + max(plan.last_steps(self.steps)[-1] for plan in plans)
        total = piece_steps(controls, self.steps, tune, context.labels)
        return total + 1 if total is not None else super().max_steps(controls, context)

    def control_labels(self, controls: GridControls | None) -> Mapping[str, str]:
        if controls is None:
            return {}
        # with `transpose=c`, every melody has the same key
        key = key_labels(controls.scale, controls.key) if self.options.transpose != "c" else {}
        return {**meter_labels(controls.meter), **key}

    def _read(self, music: Music, name: str, is_primer: bool) -> Piece[Tokens] | RejectedPiece:
        try:
            return self._piece(music, name, is_primer=is_primer)
        except NotEncodable as error:
            return error.as_rejection(name)

    def _read_tokens(self, source: Source) -> Iterator[Piece[Tokens] | RejectedPiece]:
        """Yield the pieces in a text of tokens, one per line; a primer is used as is."""
        from composer.toolkit.representations.note_arrays import NoteArrays
        from composer_grid.token_arrays import as_tokens

        lines = [line.split() for line in source.text().splitlines()]
        if not any(lines):
            raise ReadError(f"{source.label} is empty", "write tokens such as `55 _ _ _ 60 _ r _`")
        for number, tokens in enumerate(lines, 1):
            if not tokens:
                continue
            name, invalid = f"{source.label}: line {number}", first_invalid(tokens)
            if invalid is not None:
                yield RejectedPiece("invalid token", name, f"token {invalid + 1} is '{tokens[invalid]}'")
            elif source.fragment:
                yield Piece(tuple(tokens), source=name)
            elif not (notes := decode_tokens(tokens)):
                yield RejectedPiece("no notes", name)
            else:
                yield Piece(as_tokens(NoteArrays.from_notes(notes)), source=name)

    def _piece(self, music: Music, name: str, *, is_primer: bool) -> Piece[Tokens]:
        """Return the melody of `music`; adapt it to the model if it is a primer. Raises NotEncodable."""
        from composer.toolkit.representations.note_arrays import NoteArrays
        from composer_grid.token_arrays import as_tokens, skyline

        parts = pitched_parts(music)
        if self.options.polyphony == "refuse" and not is_primer:
            check_one_voice(music, parts, self.steps)
        part = top_part(music, parts)
        offgrid = offgrid_mode(self.options.offgrid, is_primer=is_primer)
        quantized, losses, _ = quantize_parts(music, [part], self.steps, offgrid)
        if not len(quantized.starts):
            raise NotEncodable("no notes on the grid")
        melody, melody_losses = skyline(quantized)
        labels = {**labels_of(music), **(phrase_labels(music) if self.positional else {})}
        if self.options.transpose == "c":
            keys = keys_of(music)
            shift = to_c(keys, () if keys else notes_of(music, part))
            labels = transposed(labels, shift)
            melody = melody._replace(pitches=melody.pitches + shift)
        octaves = 0
        if is_primer:
            original = melody.pitches.tolist()
            known = [self._nearest_known(pitch) for pitch in original]
            octaves = sum(map(ne, known, original))
            melody = NoteArrays.from_notes(map(GridNote, melody.starts.tolist(), known, melody.lengths.tolist()))
        if self.options.transpose == "c":
            self._check_pitches(melody)
        counted = losses_of(music, [part], losses, melody_losses, {"notes moved by octaves": octaves})
        return Piece(as_tokens(melody), music.title, name, labels, counted)

    def _check_pitches(self, melody: NoteArrays) -> None:
        """Raise NotEncodable for a pitch outside of MIDI's range."""
        for start, pitch in zip(melody.starts.tolist(), melody.pitches.tolist(), strict=True):
            if not 0 <= pitch < 128:
                raise NotEncodable("pitch out of range", f"{pitch} at beat {float(start / self.steps):g}")

    def _nearest_known(self, pitch: int) -> int:
        """Return the nearest known pitch with the same name; if there is none, `pitch` itself."""
        known = [each for each in self.pitches if (each - pitch) % 12 == 0]
        return min(known, key=lambda each: abs(each - pitch), default=pitch)


@hookimpl
def composer_representation() -> type[Representation]:
    """Return this plugin's representation."""
    return Grid
