"""The pianoroll representation: music of many voices as frames, each the set of what is struck or held at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from composer.api import (
    ConditionVocabulary,
    Constraint,
    Decoder,
    GenerationContext,
    OptionError,
    Part,
    Piece,
    RejectedPiece,
    Representation,
    Score,
    SequenceSpec,
    Source,
    Step,
    StepKind,
    hookimpl,
)
from composer.formats.read import MUSIC_SUFFIXES
from composer.music.scales import parse_range
from composer.toolkit.representations.note_controls import in_meter, key_labels, meter_labels
from composer.toolkit.representations.quantize import OFFGRID, NotEncodable, to_notes
from composer.toolkit.representations.score_labels import keys_from_labels, labels_of, meters_of, pickup_of, transposed
from composer.toolkit.representations.score_parts import (
    CONDITIONS,
    Music,
    NoteSource,
    losses_of,
    offgrid_mode,
    pitched_parts,
    quantize_parts,
    read,
)
from composer_pianoroll.controls import PianorollControls, SourceRoll, build_constraint, total_frames
from composer_pianoroll.frames import Layout, Roll, RollDecoder

__all__ = ["Pianoroll", "PianorollControls", "PianorollOptions", "Roll"]

BEATS = 64
"""How long a composed piece is where no length is asked for."""
MAX_STEPS_PER_BEAT, MAX_STACK = 96, 64


@dataclass(frozen=True, slots=True)
class PianorollOptions:
    """Which notes are learnt, and how finely."""

    range: str = field(default="21-108", metadata={"help": "lowest and highest pitch, as MIDI numbers"})
    steps: int = field(default=4, metadata={"help": "steps to a quarter note"})
    onsets: bool = field(default=True, metadata={"help": "tell where a note is struck from where it is held"})
    stack: int = field(default=1, metadata={"help": "steps that one frame holds, side by side"})
    offgrid: Literal["round", "drop", "refuse"] = field(
        default="round",
        metadata={"help": "notes between two steps: " + ", ".join(f"`{key}`: {text}" for key, text in OFFGRID.items())},
    )
    parts: str = field(default="all", metadata={"help": "`all`, `piano` (General MIDI programs 0 to 7), or a name"})
    pedal: bool = field(
        default=True, metadata={"help": "let notes sound as long as a MIDI file's sustain pedal is down"}
    )

    conditions: tuple[str, ...] = field(
        default=(),
        metadata={"help": CONDITIONS},
    )

    def __post_init__(self) -> None:
        parse_range(self.range)
        for name, most in (("steps", MAX_STEPS_PER_BEAT), ("stack", MAX_STACK)):
            if not 1 <= getattr(self, name) <= most:
                raise OptionError(f"`{name}` cannot be {getattr(self, name)}", f"give a whole number from 1 to {most}")
        if not self.parts.strip():
            raise OptionError("`parts` names no part", "give all, piano, or a part's name")


class Pianoroll(Representation):
    """Scores as frames. A piece's content is a `Roll`: its notes on the grid, and how many steps it takes.

    With onsets, a note is an `onset` unit in its first step and a `hold` unit in each that follows; without, it is an
    `on` unit in each, and notes repeated without a gap become one. A note of one pitch ends where the next of that
    pitch begins, whichever part it is in. Percussion is left out.
    """

    api, name, version = 1, "pianoroll", 1
    summary = "music of many voices, as frames of notes struck and held"
    kind = StepKind.FRAMES
    suffixes = MUSIC_SUFFIXES
    formats = ("midi", "abc", "musicxml")
    step_name = "frame"
    Options = PianorollOptions
    Controls = PianorollControls

    def __init__(self, options: PianorollOptions | None = None) -> None:
        super().__init__(options)
        chosen: PianorollOptions = self.options
        within = parse_range(chosen.range)
        self.layout = Layout(within.low, within.high, onsets=chosen.onsets, stack=chosen.stack)
        self.conditions: dict[str, tuple[str, ...]] = {}
        self.length = -(-BEATS * chosen.steps // chosen.stack)

    def read(self, source: Source) -> Iterator[Piece | RejectedPiece]:
        for name, music in read(source, pedal=self.options.pedal):
            yield music if isinstance(music, RejectedPiece) else self._read(music, name, source.fragment)

    def _read(self, music: Music, name: str, opening: bool) -> Piece | RejectedPiece:
        try:
            return self._piece(music, name, opening=opening)
        except NotEncodable as error:
            return error.as_rejection(name)

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Learn the values of the conditions; nothing else here is learnt."""
        labels = ConditionVocabulary(self.options.conditions)
        deque(labels.collect(pieces), maxlen=0)
        self.conditions = labels.conditions()

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.FRAMES, self.layout.size, conditions=self.conditions, groups=self.layout.groups)

    def encode(self, piece: Piece) -> list[Step]:
        return list(self.layout.frames(_roll(piece)))

    def encode_packed(self, piece: Piece) -> bytes:
        from composer_pianoroll import packing

        return packing.pack_frames(self.layout, _roll(piece))

    def prime(self, piece: Piece) -> list[Step]:
        return self.encode(piece)

    def decode(self, steps: Iterable[Step]) -> Piece:
        decoder = RollDecoder(self.layout)
        notes = [note for step in steps for note in decoder.take(step)]
        return Piece(Roll.from_notes(decoder.now, [*notes, *decoder.end()]))

    def decoder(self, number: int = 1) -> Decoder:
        return RollDecoder(self.layout, self.options.steps)

    def state(self) -> dict[str, Any]:
        return {"conditions": self.conditions}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.conditions = {name: tuple(values) for name, values in state.get("conditions", {}).items()}

    def variants(self, piece: Piece) -> Iterator[Piece]:
        """The piece in the other keys that stay in the range."""
        from composer_pianoroll import packing

        for shift, roll in packing.transposed(self.layout, _roll(piece)):
            yield Piece(roll, piece.title, f"{piece.source} by {shift:+}", transposed(piece.labels, shift))

    def score(self, piece: Piece) -> Score | None:
        notes = to_notes(_roll(piece).notes, self.options.steps)
        meters, keys, pickup = meters_of(piece.labels), keys_from_labels(piece.labels), pickup_of(piece.labels)
        return Score((Part(notes),), meters=meters, keys=keys, pickup=pickup, title=piece.title)

    def from_score(self, score: Score) -> Piece:
        return self._piece(score, score.title or "the score", opening=True)

    def constraint(self, wishes: Any = None, given: GenerationContext | None = None) -> Constraint | None:
        wishes, given = wishes or PianorollControls(), given or GenerationContext()
        most = self.max_steps(wishes, given)
        return build_constraint(wishes, self.layout, self.options.steps, given, self._source_tune(wishes, given), most)

    def max_steps(self, wishes: Any, given: GenerationContext) -> int:
        wishes = wishes or PianorollControls()
        total = total_frames(wishes, self.layout, self.options.steps, self._source_tune(wishes, given), given.labels)
        return total if total is not None else super().max_steps(wishes, given)

    def control_labels(self, wishes: Any) -> Mapping[str, str]:
        if wishes is None:
            return {}
        return {**meter_labels(wishes.meter), **key_labels(wishes.scale, wishes.key)}

    def _source_tune(self, wishes: PianorollControls, given: GenerationContext) -> SourceRoll | None:
        """What bars are kept of. Raises Unsatisfiable where its meter is another one than is wished."""
        if given.tune is None:
            return None
        score = self.score(in_meter(given.tune, wishes))
        frames = (frame for frame in self.prime(given.tune) if isinstance(frame, tuple))
        return SourceRoll(tuple(frames), score) if score is not None else None

    def _piece(self, music: Music, name: str, *, opening: bool) -> Piece:
        """The notes of `music` that can be had; of an opening, on or off the grid. Raises NotEncodable."""
        from composer_pianoroll.packing import without_overlaps

        chosen = _choose_parts(pitched_parts(music), self.options.parts)
        offgrid = offgrid_mode(self.options.offgrid, opening=opening)
        placed, moving, within = quantize_parts(
            music, chosen, self.options.steps, offgrid, self.layout.lowest, self.layout.highest
        )
        if not len(placed.starts):
            raise NotEncodable("no notes on the grid" if within else "no notes in the range")
        roll, merging = without_overlaps(placed, repeats=self.layout.onsets)
        beyond = {"notes out of range left out": sum(len(part.notes) for part in chosen) - within}
        losses = losses_of(music, chosen, moving, merging, beyond)
        return Piece(roll, music.title, name, labels_of(music), losses)


def _choose_parts(parts: list[NoteSource], which: str) -> list[NoteSource]:
    """The parts that `which` asks for. Raises NotEncodable where there is none."""
    if which == "all":
        return parts
    if which == "piano":
        chosen = [part for part in parts if part.program < 8]
    else:
        chosen = [part for part in parts if part.name.casefold() == which.casefold()]
    if not chosen:
        raise NotEncodable(
            f"no part `{which}`", f"there is {', '.join(part.name or 'one without a name' for part in parts)}"
        )
    return chosen


def _roll(piece: Piece) -> Roll:
    assert isinstance(piece.content, Roll)
    return piece.content


@hookimpl
def composer_representation() -> type[Representation]:
    """The plugin's hook."""
    return Pianoroll
