"""The pianoroll representation: polyphonic music as frames, the sets of onsets and holds at each time step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from composer.api import (
    Constraint,
    Decoder,
    GenerationContext,
    Part,
    Piece,
    RejectedPiece,
    Representation,
    Score,
    SequenceSpec,
    Source,
    StepKind,
    hookimpl,
)
from composer.api.fields import invalid_setting, option
from composer.formats.read import MUSIC_SUFFIXES
from composer.music.scales import parse_range
from composer.toolkit.representations.note_controls import in_meter, key_labels, meter_labels
from composer.toolkit.representations.quantize import OFFGRID_HELP, NotEncodable, to_notes
from composer.toolkit.representations.score_labels import (
    LABELS,
    keys_from_labels,
    labels_of,
    meters_of,
    pickup_of,
    transposed,
)
from composer.toolkit.representations.score_parts import (
    Music,
    NoteSource,
    losses_of,
    offgrid_mode,
    pitched_parts,
    quantize_parts,
    read,
)
from composer_pianoroll.controls import OUT_OF_RANGE, PianorollControls, SourceRoll, build_constraint, total_frames
from composer_pianoroll.frames import Layout, Roll, RollDecoder

__all__ = ["Pianoroll", "PianorollControls", "PianorollOptions", "Roll"]

BEATS = 64
"""Default length of a generated piece, in beats."""
MAX_STEPS_PER_BEAT, MAX_STACK = 96, 64


@dataclass(frozen=True, slots=True)
class PianorollOptions:
    """Which notes to use, and how to quantize them."""

    range: str = option("21-108", "lowest and highest pitch, as MIDI numbers", metavar="LOW-HIGH")
    steps: int = option(4, "steps per quarter note")
    onsets: bool = option(True, "distinguish onsets from held notes")
    stack: int = option(1, "time steps per frame")
    offgrid: Literal["round", "refuse", "drop"] = option("round", OFFGRID_HELP)
    parts: str = option("all", "parts to use: `all`, `piano` (General MIDI programs 0 to 7), or the name of a part")
    pedal: bool = option(True, "apply the sustain pedal of MIDI files")

    def __post_init__(self) -> None:
        parse_range(self.range)
        for name, maximum in (("steps", MAX_STEPS_PER_BEAT), ("stack", MAX_STACK)):
            if not 1 <= getattr(self, name) <= maximum:
                raise invalid_setting(self, name, f"use a whole number from 1 to {maximum}", "-O")
        if not self.parts.strip():
            raise invalid_setting(self, "parts", "use all, piano, or the name of a part", "-O")


class Pianoroll(Representation[Roll, PianorollOptions, PianorollControls]):
    """Scores as frames. The content of a piece is a `Roll`: its notes on the grid, and its number of steps.

    With onsets, a note is an `onset` unit in its first step and a `hold` unit in the others; without, it is an `on`
    unit in each, and repeated notes without a gap merge. A note ends when the next of its pitch starts, in any part.
    Percussion is left out.
    """

    api, name, version = 1, "pianoroll", 1
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

    def read(self, source: Source) -> Iterator[Piece[Roll] | RejectedPiece]:
        for name, music in read(source, pedal=self.options.pedal):
            yield music if isinstance(music, RejectedPiece) else self._read(music, name, source.fragment)

    def _read(self, music: Music, name: str, is_primer: bool) -> Piece[Roll] | RejectedPiece:
        try:
            return self._piece(music, name, is_primer=is_primer)
        except NotEncodable as error:
            return error.as_rejection(name)

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.FRAMES, self.layout.size, groups=self.layout.groups)

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

    def score(self, piece: Piece[Roll]) -> Score | None:
        notes = to_notes(piece.content.notes, self.options.steps)
        meters, keys, pickup = meters_of(piece.labels), keys_from_labels(piece.labels), pickup_of(piece.labels)
        return Score((Part(notes),), meters=meters, keys=keys, pickup=pickup, title=piece.title)

    def from_score(self, score: Score) -> Piece[Roll]:
        return self._piece(score, score.title or "the score", is_primer=True)

    def constraint(
        self, controls: PianorollControls | None = None, context: GenerationContext | None = None
    ) -> Constraint | None:
        controls, context = controls or PianorollControls(), context or GenerationContext()
        tune, maximum = self._source_tune(controls, context), self.max_steps(controls, context)
        return build_constraint(controls, self.layout, self.options.steps, context, tune, maximum)

    def max_steps(self, controls: PianorollControls | None, context: GenerationContext) -> int:
        controls = controls or PianorollControls()
        tune = self._source_tune(controls, context)
        total = total_frames(controls, self.layout, self.options.steps, tune, context.labels)
        return total if total is not None else super().max_steps(controls, context)

    def control_labels(self, controls: PianorollControls | None) -> Mapping[str, str]:
        if controls is None:
            return {}
        return {**meter_labels(controls.meter), **key_labels(controls.scale, controls.key)}

    def _source_tune(self, controls: PianorollControls, context: GenerationContext) -> SourceRoll | None:
        """Return the tune to infill. Raises Unsatisfiable if its meter is not that of the controls."""
        if context.tune is None:
            return None
        score = self.score(in_meter(context.tune, controls))
        return SourceRoll(tuple(self.prime(context.tune)), score) if score is not None else None

    def _piece(self, music: Music, name: str, *, is_primer: bool) -> Piece[Roll]:
        """Return the notes of `music` as a piece; a primer may be off the grid. Raises NotEncodable."""
        from composer_pianoroll.packing import without_overlaps

        chosen = _choose_parts(pitched_parts(music), self.options.parts)
        offgrid = offgrid_mode(self.options.offgrid, is_primer=is_primer)
        quantized, quantizing_losses, in_range = quantize_parts(
            music, chosen, self.options.steps, offgrid, self.layout.lowest, self.layout.highest
        )
        if not len(quantized.starts):
            raise NotEncodable("no notes on the grid" if in_range else "no notes in the range")
        roll, overlap_losses = without_overlaps(quantized, repeats=self.layout.onsets)
        range_losses = {OUT_OF_RANGE: sum(len(part.notes) for part in chosen) - in_range}
        losses = losses_of(music, chosen, quantizing_losses, overlap_losses, range_losses)
        return Piece(roll, music.title, name, labels_of(music), losses)


def _choose_parts(parts: list[NoteSource], which: str) -> list[NoteSource]:
    """Return the parts that `which` selects. Raises NotEncodable if there is none."""
    if which == "all":
        return parts
    if which == "piano":
        chosen = [part for part in parts if part.program < 8]
    else:
        chosen = [part for part in parts if part.name.casefold() == which.casefold()]
    if not chosen:
        names = ", ".join(part.name or "an unnamed part" for part in parts)
        raise NotEncodable(f"no part `{which}`", f"the parts are {names}")
    return chosen


@hookimpl
def composer_representation() -> type[Representation]:
    """Return this plugin's representation."""
    return Pianoroll
