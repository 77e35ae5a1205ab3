"""Representations as a third party would type them; `test_typing.py` checks this file with mypy --strict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from composer.api import (
    Constraint,
    Decoder,
    EncodeError,
    GenerationContext,
    Note,
    Part,
    Piece,
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
from composer.api.fields import option

END = 0


@dataclass(frozen=True, slots=True)
class WordOptions:
    """How words are read."""

    lower: bool = option(False, "convert to lower case")


@dataclass(frozen=True, slots=True)
class WordControls:
    """What words may be."""

    letters: int = option(0, "number of letters", metavar="N")


class Words(Representation[str, WordOptions, WordControls]):
    """Words, letter by letter: all three type parameters."""

    api, name, summary, version = 1, "words", "words, letter by letter", 1
    kind, suffixes, formats, native = StepKind.TOKENS, (".txt",), ("text",), "text"
    labels = ("initial",)
    Options, Controls = WordOptions, WordControls

    def __init__(self, options: WordOptions | None = None) -> None:
        super().__init__(options)
        self.known = ""

    def read(self, source: Source) -> Iterator[Piece[str] | RejectedPiece]:
        for number, word in enumerate(source.text().split(), 1):
            text = word.lower() if self.options.lower else word
            if text.isalpha():
                yield Piece(text, source=f"{source.label}: word {number}", labels={"initial": text[0]})
            else:
                yield RejectedPiece("not a word", source.label, text)

    def fit(self, pieces: Iterable[Piece[str]]) -> None:
        self.known = "".join(sorted({letter for piece in pieces for letter in piece.content}))

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.TOKENS, 1 + len(self.known), END)

    def prime(self, piece: Piece[str]) -> list[int]:
        if not set(piece.content) <= set(self.known):
            raise EncodeError(f"{piece.source} has unknown letters")
        return [1 + self.known.index(letter) for letter in piece.content]

    def decode(self, steps: Iterable[int]) -> Piece[str]:
        return Piece("".join(self.known[step - 1] for step in steps if step != END))

    def decoder(self, number: int = 1) -> Decoder:
        return TextDecoder(lambda step: self.known[step - 1] if step else "", end="\n")

    def state(self) -> dict[str, Any]:
        return {"known": self.known}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.known = state["known"]

    def variants(self, piece: Piece[str]) -> Iterator[Piece[str]]:
        yield Piece(piece.content.title(), labels=piece.labels)

    def constraint(
        self, controls: WordControls | None = None, context: GenerationContext | None = None
    ) -> Constraint | None:
        return Length(controls.letters, len(self.known)) if controls is not None and controls.letters else None

    def max_steps(self, controls: WordControls | None, context: GenerationContext) -> int:
        return 1 + controls.letters if controls is not None and controls.letters else super().max_steps(None, context)

    def control_labels(self, controls: WordControls | None) -> Mapping[str, str]:
        return {}


class Length(Constraint):
    """Words of `letters` letters; the state is the number so far."""

    def __init__(self, letters: int, known: int) -> None:
        self.letters, self.any = letters, (1 << 1 + known) - 2

    def start(self, primer: Sequence[int]) -> int:
        return len(primer)

    def step(self, state: int, step: int) -> int:
        return state + 1

    def allowed(self, state: int) -> int:
        return self.any if state < self.letters else 1 << END

    def complete(self, state: int) -> Sequence[int]:
        return [*[1] * (self.letters - state), END]


Chord = tuple[int, ...]


class Chords(Representation[tuple[Chord, ...]]):
    """Chords as frames: only the content is a parameter."""

    api, name, summary, version = 1, "chords", "chords", 1
    kind, suffixes, formats = StepKind.FRAMES, (".chords",), ("midi",)

    def read(self, source: Source) -> Iterator[Piece[tuple[Chord, ...]] | RejectedPiece]:
        for line in source.lines():
            yield Piece(tuple(tuple(sorted(set(map(int, chord.split("+"))))) for chord in line.split()))

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.FRAMES, 128)

    def prime(self, piece: Piece[tuple[Chord, ...]]) -> list[Chord]:
        return list(piece.content)

    def decode(self, steps: Iterable[Chord]) -> Piece[tuple[Chord, ...]]:
        return Piece(tuple(steps))

    def score(self, piece: Piece[tuple[Chord, ...]]) -> Score | None:
        beat = Fraction(1)
        chords = enumerate(piece.content)
        notes = tuple(Note(at * beat, pitch, beat) for at, chord in chords for pitch in chord)
        return Score((Part(notes),)) if notes else None


class Digits(Representation):
    """Digits, without type parameters."""

    api, name, summary, version = 1, "digits", "digits", 1
    kind, suffixes, formats, native = StepKind.TOKENS, (".txt",), ("text",), "text"

    def read(self, source: Source) -> Iterator[Piece | RejectedPiece]:
        for line in source.lines():
            yield Piece(line)

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.TOKENS, 11, 10)

    def prime(self, piece: Piece) -> list[Step]:
        return [int(digit) for digit in piece.content]

    def decode(self, steps: Iterable[Step]) -> Piece:
        return Piece("".join(str(step) for step in steps if step != 10))


@hookimpl
def composer_representation() -> type[Representation]:
    """Return the representation of this plugin."""
    return Words
