"""The grid representation: one voice on a grid of equal steps, each a note's beginning, its going on, or a rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import ne
from typing import TYPE_CHECKING, Any

from composer.api import (
    ConditionVocabulary,
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
    Step,
    StepKind,
    TextDecoder,
    hookimpl,
)
from composer.formats.read import MUSIC_SUFFIXES, is_music
from composer.toolkit.representations.note_controls import SourceTune, in_meter, key_labels, meter_labels
from composer.toolkit.representations.quantize import SLACK, GridNote, NotEncodable, to_notes
from composer.toolkit.representations.score_labels import keys_from_labels, labels_of, meters_of, pickup_of, transposed
from composer.toolkit.representations.score_parts import (
    TRANSPOSITIONS,
    Music,
    NoteSource,
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
from composer_grid.melody import second_voice, to_c, top_part
from composer_grid.options import WHOLE_NOTES, GridOptions, length_of
from composer_grid.tokens import HOLD, REST, decode_tokens, first_invalid

if TYPE_CHECKING:
    from composer.toolkit.representations.note_arrays import NoteArrays

__all__ = ["Grid", "GridControls", "GridOptions"]


class Grid(Representation):
    """Melodies as tokens. A piece's content is a tuple of tokens as they are written: `("55", "_", "r", "60")`.

    The symbols are the end (0), `_` (1), `r` (2) and the pitches that were learnt, in ascending order. In a text of
    tokens, each line is a piece. Neither meter nor key is in the tokens, nor silence after the last note.
    """

    api, name, version = 1, "grid", 1
    summary = "melodies on a grid: a pitch, `_` to hold it, `r` for a rest"
    kind = StepKind.TOKENS
    suffixes = (".tokens", *MUSIC_SUFFIXES)
    formats = ("midi", "abc", "musicxml", "tokens")
    native = "tokens"
    Options = GridOptions
    Controls = GridControls

    def __init__(self, options: GridOptions | None = None) -> None:
        super().__init__(options)
        step = length_of(self.options.step)
        self.steps = 1 / (4 * step)
        """Steps to a beat."""
        self.length = int(WHOLE_NOTES / step)
        self._restore((), {})

    def read(self, source: Source) -> Iterator[Piece | RejectedPiece]:
        if source.path.suffix.lower() == ".tokens" or (source.fragment and not is_music(source)):
            yield from self._read_tokens(source)
            return
        for name, music in read(source):
            yield music if isinstance(music, RejectedPiece) else self._read(music, name, source.fragment)

    def fit(self, pieces: Iterable[Piece]) -> None:
        labels = ConditionVocabulary(self.options.conditions)
        found: set[str] = set()
        for piece in labels.collect(pieces):
            found.update(_tokens(piece))
        self._restore(sorted(map(int, found - {HOLD, REST})), labels.conditions())

    def _restore(self, pitches: Iterable[int], conditions: Mapping[str, Sequence[str]]) -> None:
        self.pitches = tuple(pitches)
        self.conditions = {name: tuple(values) for name, values in conditions.items()}
        self.symbols = ("", HOLD, REST, *map(str, self.pitches))
        self.ids = {symbol: number for number, symbol in enumerate(self.symbols) if symbol}

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.TOKENS, len(self.symbols), END, self.conditions)

    def encode(self, piece: Piece) -> list[Step]:
        return [*self.prime(piece), END]

    def encode_packed(self, piece: Piece) -> bytes:
        try:
            return bytes(map(self.ids.__getitem__, _tokens(piece))) + bytes([END])
        except KeyError:
            self.prime(piece)  # says what is unknown
            raise

    def prime(self, piece: Piece) -> list[Step]:
        tokens = _tokens(piece)
        unseen = sorted({int(token) for token in tokens if token not in self.ids})
        if unseen:
            raise EncodeError(
                f"{piece.source or 'the melody'} has pitches that were never seen in training: "
                + ", ".join(map(str, unseen)),
                f"the model knows those from {self.pitches[0]} to {self.pitches[-1]}" if self.pitches else None,
            )
        return [self.ids[token] for token in tokens]

    def decode(self, steps: Iterable[Step]) -> Piece:
        return Piece(tuple(token for step in steps if (token := self._token(step))))

    def _token(self, step: Step) -> str:
        return self.symbols[step] if isinstance(step, int) else ""

    def decoder(self, number: int = 1) -> Decoder:
        return TextDecoder(lambda step: f"{token} " if (token := self._token(step)) else "", end="\n")

    def state(self) -> dict[str, Any]:
        return {"pitches": list(self.pitches), "conditions": self.conditions}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._restore(state["pitches"], state.get("conditions", {}))

    def variants(self, piece: Piece) -> Iterator[Piece]:
        """The piece in the other keys, as far as the pitches are known; none where all is brought to C."""
        from composer.toolkit.representations.note_arrays import NoteArrays
        from composer_grid.token_arrays import as_tokens

        if self.options.transpose != "none":
            return
        notes = NoteArrays.from_notes(decode_tokens(_tokens(piece)))
        known = set(self.pitches or range(128))
        for shift in TRANSPOSITIONS if len(notes.pitches) else ():
            pitches = notes.pitches + shift
            if known.issuperset(pitches.tolist()):
                labels = transposed(piece.labels, shift)
                yield Piece(
                    as_tokens(notes._replace(pitches=pitches)), piece.title, f"{piece.source} by {shift:+}", labels
                )

    def score(self, piece: Piece) -> Score | None:
        notes = to_notes(decode_tokens(_tokens(piece)), self.steps)
        meters, keys, pickup = meters_of(piece.labels), keys_from_labels(piece.labels), pickup_of(piece.labels)
        return Score((Part(notes),), meters=meters, keys=keys, pickup=pickup, title=piece.title)

    def from_score(self, score: Score) -> Piece:
        return self._piece(score, score.title or "the score", opening=True)

    def constraint(self, wishes: Any = None, given: GenerationContext | None = None) -> Constraint | None:
        if not self.pitches:
            return None
        wishes, given = wishes or GridControls(), given or GenerationContext()
        if wishes == GridControls():
            return GridConstraint(len(self.symbols))
        most = self.max_steps(wishes, given)
        return build_constraint(wishes, self.pitches, self.steps, given, self._source_tune(wishes, given), most)

    def max_steps(self, wishes: Any, given: GenerationContext) -> int:
        total = piece_steps(wishes or GridControls(), self.steps, self._source_tune(wishes, given), given.labels)
        return total + 1 if total is not None else super().max_steps(wishes, given)

    def control_labels(self, wishes: Any) -> Mapping[str, str]:
        if wishes is None:
            return {}
        # a melody that is brought to C stays there, whichever of its notes are asked for
        key = key_labels(wishes.scale, wishes.key) if self.options.transpose != "c" else {}
        return {**meter_labels(wishes.meter), **key}

    def _source_tune(self, wishes: GridControls, given: GenerationContext) -> SourceTune[int] | None:
        """What bars are kept of. Raises Unsatisfiable where its meter is another one than is wished."""
        if given.tune is None:
            return None
        score = self.score(in_meter(given.tune, wishes))
        steps = (step for step in self.prime(given.tune) if isinstance(step, int))
        return SourceTune(tuple(steps), score) if score is not None else None

    def _read(self, music: Music, name: str, opening: bool) -> Piece | RejectedPiece:
        try:
            return self._piece(music, name, opening=opening)
        except NotEncodable as error:
            return error.as_rejection(name)

    def _read_tokens(self, source: Source) -> Iterator[Piece | RejectedPiece]:
        """The pieces of a text of tokens: one to a line; an opening is taken as it is."""
        from composer.toolkit.representations.note_arrays import NoteArrays
        from composer_grid.token_arrays import as_tokens

        lines = [line.split() for line in source.text().splitlines()]
        if not any(lines):
            raise ReadError(f"{source.label} is empty", "give tokens such as `55 _ _ _ 60 _ r _`")
        for number, tokens in enumerate(lines, 1):
            if not tokens:
                continue
            name, wrong = f"{source.label}: line {number}", first_invalid(tokens)
            if wrong is not None:
                yield RejectedPiece("a token that means nothing", name, f"token {wrong + 1} is `{tokens[wrong]}`")
            elif source.fragment:
                yield Piece(tuple(tokens), source=name)
            elif not (notes := decode_tokens(tokens)):
                yield RejectedPiece("no notes", name)
            else:
                yield Piece(as_tokens(NoteArrays.from_notes(notes)), source=name)

    def _piece(self, music: Music, name: str, *, opening: bool) -> Piece:
        """The melody of `music`; of an opening, what can be had. Raises NotEncodable where there is none."""
        from composer.toolkit.representations.note_arrays import NoteArrays
        from composer_grid.token_arrays import as_tokens, skyline

        parts = pitched_parts(music)
        if self.options.polyphony == "refuse" and not opening:
            self._check_one_voice(music, parts)
        part = top_part(music, parts)
        placed, losses, _ = quantize_parts(
            music, [part], self.steps, offgrid_mode(self.options.offgrid, opening=opening)
        )
        if not len(placed.starts):
            raise NotEncodable("no notes on the grid")
        melody, under = skyline(placed)
        labels = labels_of(music)
        if self.options.transpose == "c":
            keys = keys_of(music)
            shift = to_c(keys, () if keys else notes_of(music, part))
            labels = transposed(labels, shift)
            melody = melody._replace(pitches=melody.pitches + shift)
        octaves = 0
        if opening:
            before = melody.pitches.tolist()
            known = [self._nearest_known(pitch) for pitch in before]
            octaves = sum(map(ne, known, before))
            melody = NoteArrays.from_notes(map(GridNote, melody.starts.tolist(), known, melody.lengths.tolist()))
        if self.options.transpose == "c":
            self._check_pitches(melody)
        counted = losses_of(music, [part], losses, under, {"notes moved by octaves": octaves})
        return Piece(as_tokens(melody), music.title, name, labels, counted)

    def _check_pitches(self, melody: NoteArrays) -> None:
        """Raises NotEncodable where a pitch is none of MIDI's."""
        for start, pitch in zip(melody.starts.tolist(), melody.pitches.tolist(), strict=True):
            if not 0 <= pitch < 128:
                raise NotEncodable("a pitch out of range", f"{pitch} at beat {float(start / self.steps):g}")

    def _nearest_known(self, pitch: int) -> int:
        """The pitch of that name nearest to it that was learnt; itself where there is none."""
        known = [each for each in self.pitches if (each - pitch) % 12 == 0]
        return min(known, key=lambda each: abs(each - pitch), default=pitch)

    def _check_one_voice(self, music: Music, parts: Sequence[NoteSource]) -> None:
        """Raises NotEncodable where `parts` are more than one voice."""
        if len(parts) > 1:
            raise NotEncodable("more than one voice", f"{len(parts)} parts")
        second = second_voice(notes_of(music, parts[0]), 2 * SLACK / self.steps)
        if second is not None:
            raise NotEncodable("more than one voice", f"at beat {float(second.onset):g}")


def _tokens(piece: Piece) -> tuple[str, ...]:
    assert isinstance(piece.content, tuple)
    return piece.content


@hookimpl
def composer_representation() -> type[Representation]:
    """The plugin's hook."""
    return Grid
