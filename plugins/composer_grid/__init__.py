"""The grid representation: one voice on a grid of equal steps, each a note's beginning, its going on, or a rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from operator import ne
from typing import Any, Literal

from composer.api import (
    Constraint,
    Decoder,
    EncodeError,
    Kind,
    Labels,
    OptionError,
    Part,
    Piece,
    ReadError,
    Refused,
    Representation,
    Score,
    SequenceSpec,
    Source,
    Step,
    TextDecoder,
    hookimpl,
)
from composer.formats import scores
from composer.formats.gridded import CONDITIONS, TRANSPOSITIONS, Voice, losses_of, offgrid_of, sounding_parts
from composer.formats.labels import labels_of, meters_of, transposed
from composer.formats.quantise import OFFGRID, SLACK, Unfit, quantise, sounding
from composer_grid.melody import second_voice, skyline, to_c, top_part
from composer_grid.rule import END, Canonical
from composer_grid.tokens import HOLD, REST, heard, misspelled, spelled

__all__ = ["Grid", "GridOptions"]

WHOLE_NOTES = 64
"""How long a composed piece may be where no length is asked for."""
FINEST = 128


@dataclass(frozen=True, slots=True)
class GridOptions:
    """Which voice is learnt, and how finely."""

    step: str = field(default="1/16", metadata={"help": "the length of a step, as a part of a whole note"})
    transpose: Literal["none", "c"] = field(
        default="none", metadata={"help": "`c`: bring every piece to C major or A minor"}
    )
    polyphony: Literal["top", "refuse"] = field(
        default="top", metadata={"help": "music of several voices: `top`: its top voice; `refuse`: leave out the piece"}
    )
    offgrid: Literal["refuse", "round", "drop"] = field(
        default="refuse",
        metadata={"help": "notes between two steps: " + ", ".join(f"`{key}`: {text}" for key, text in OFFGRID.items())},
    )

    conditions: tuple[str, ...] = field(
        default=(),
        metadata={"help": CONDITIONS},
    )

    def __post_init__(self) -> None:
        length_of(self.step)


def length_of(step: str) -> Fraction:
    """The length of a step such as `1/16`, in whole notes. Raises OptionError."""
    parts = re.fullmatch(r"(\d{1,3})(?:/(\d{1,3}))?", step.strip())
    length = Fraction(int(parts[1]), int(parts[2] or 1) or FINEST**2) if parts else Fraction(0)
    if not Fraction(1, FINEST) <= length <= 1:
        raise OptionError(f"a step cannot be `{step}`", f"give a part of a whole note from 1 to 1/{FINEST}, as 1/16")
    return length


class Grid(Representation):
    """Melodies as tokens. A piece's content is a tuple of tokens as they are written: `("55", "_", "r", "60")`.

    The symbols are the end (0), `_` (1), `r` (2) and the pitches that were learnt, in ascending order. In a text of
    tokens, each line is a piece. Neither meter nor key is in the tokens, nor silence after the last note.
    """

    api, name, version = 1, "grid", 1
    summary = "melodies on a grid: a pitch, `_` to hold it, `r` for a rest"
    kind = Kind.TOKENS
    suffixes = (".tokens", *scores.SUFFIXES)
    formats = ("midi", "abc", "musicxml", "tokens")
    native = "tokens"
    Options = GridOptions

    def __init__(self, options: GridOptions | None = None) -> None:
        super().__init__(options)
        step = length_of(self.options.step)
        self.steps = 1 / (4 * step)
        """Steps to a beat."""
        self.length = int(WHOLE_NOTES / step)
        self._restore((), {})

    def read(self, source: Source) -> Iterator[Piece | Refused]:
        if source.path.suffix.lower() == ".tokens" or (source.fragment and not scores.known(source)):
            yield from self._written(source)
            return
        for name, score in scores.read(source):
            yield score if isinstance(score, Refused) else self._read(score, name, source.fragment)

    def fit(self, pieces: Iterable[Piece]) -> None:
        labels = Labels(self.options.conditions)
        found = {token for piece in labels.of(pieces) for token in _tokens(piece)} - {HOLD, REST}
        self._restore(sorted(map(int, found)), labels.conditions())

    def _restore(self, pitches: Iterable[int], conditions: Mapping[str, Sequence[str]]) -> None:
        self.pitches = tuple(pitches)
        self.conditions = {name: tuple(values) for name, values in conditions.items()}
        self.symbols = ("", HOLD, REST, *map(str, self.pitches))
        self.ids = {symbol: number for number, symbol in enumerate(self.symbols) if symbol}

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(Kind.TOKENS, len(self.symbols), END, self.conditions)

    def encode(self, piece: Piece) -> list[Step]:
        return [*self.prime(piece), END]

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
        notes = heard(_tokens(piece))
        for shift in TRANSPOSITIONS if notes and self.options.transpose == "none" else ():
            moved = [note._replace(pitch=note.pitch + shift) for note in notes]
            if all(note.pitch in self.pitches or (not self.pitches and 0 <= note.pitch < 128) for note in moved):
                labels = transposed(piece.labels, shift)
                yield Piece(spelled(moved), piece.title, f"{piece.source} by {shift:+}", labels)

    def score(self, piece: Piece) -> Score | None:
        notes = sounding(heard(_tokens(piece)), self.steps)
        return Score((Part(notes),), meters=meters_of(piece.labels), title=piece.title)

    def from_score(self, score: Score) -> Piece:
        return self._piece(score, score.title or "the score", opening=True)

    def constraint(self, wishes: Any = None) -> Constraint | None:
        return Canonical(len(self.symbols)) if self.pitches else None

    def _read(self, score: Score, name: str, opening: bool) -> Piece | Refused:
        try:
            return self._piece(score, name, opening=opening)
        except Unfit as error:
            return error.refused(name)

    def _written(self, source: Source) -> Iterator[Piece | Refused]:
        """The pieces of a text of tokens: one to a line; an opening is taken as it is."""
        lines = [line.split() for line in source.text().splitlines()]
        if not any(lines):
            raise ReadError(f"{source.label} is empty", "give tokens such as `55 _ _ _ 60 _ r _`")
        for number, tokens in enumerate(lines, 1):
            if not tokens:
                continue
            name, wrong = f"{source.label}: line {number}", misspelled(tokens)
            if wrong is not None:
                yield Refused("a token that means nothing", name, f"token {wrong + 1} is `{tokens[wrong]}`")
            elif source.fragment:
                yield Piece(tuple(tokens), source=name)
            elif not (notes := heard(tokens)):
                yield Refused("no notes", name)
            else:
                yield Piece(spelled(notes), source=name)

    def _piece(self, score: Score, name: str, *, opening: bool) -> Piece:
        """The melody of `score`; of an opening, what can be had. Raises Unfit where there is none."""
        parts = sounding_parts(score)
        if self.options.polyphony == "refuse" and not opening:
            self._refuse_voices(parts)
        part = top_part(parts)
        placed, losses = quantise(part.notes, self.steps, offgrid_of(self.options.offgrid, opening=opening))
        if not placed:
            raise Unfit("no notes on the grid")
        melody, under = skyline(placed)
        labels = labels_of(score)
        if self.options.transpose == "c":
            shift = to_c(score, part.notes)
            labels = transposed(labels, shift)
            melody = [note._replace(pitch=note.pitch + shift) for note in melody]
        moved = [note._replace(pitch=self._known(note.pitch)) for note in melody] if opening else melody
        octaves = {"notes moved by octaves": sum(map(ne, moved, melody))}
        melody = moved
        for note in melody:
            if not 0 <= note.pitch < 128:
                raise Unfit("a pitch out of range", f"{note.pitch} at beat {float(note.start / self.steps):g}")
        return Piece(spelled(melody), score.title, name, labels, losses_of(score, [part], losses, under, octaves))

    def _known(self, pitch: int) -> int:
        """The pitch of that name nearest to it that was learnt; itself where there is none."""
        known = [each for each in self.pitches if (each - pitch) % 12 == 0]
        return min(known, key=lambda each: abs(each - pitch), default=pitch)

    def _refuse_voices(self, parts: Sequence[Voice]) -> None:
        """Raises Unfit where `parts` are more than one voice."""
        if len(parts) > 1:
            raise Unfit("more than one voice", f"{len(parts)} parts")
        second = second_voice(parts[0].notes, 2 * SLACK / self.steps)
        if second is not None:
            raise Unfit("more than one voice", f"at beat {float(second.onset):g}")


def _tokens(piece: Piece) -> tuple[str, ...]:
    assert isinstance(piece.content, tuple)
    return piece.content


@hookimpl
def composer_representation() -> type[Representation]:
    """The plugin's hook."""
    return Grid
