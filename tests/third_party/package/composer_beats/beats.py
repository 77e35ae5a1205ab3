"""`beats`: one drum in sixteenths, `x` for a stroke and `.` for a rest; each line is a piece."""

from fractions import Fraction
from pathlib import Path

from composer.api import (
    EncodeError,
    Note,
    Part,
    Piece,
    RejectedPiece,
    Representation,
    Score,
    SequenceSpec,
    StepKind,
    hookimpl,
)

SNARE = 38
SIXTEENTH = Fraction(1, 4)


class Beats(Representation):
    """Three tokens: end, rest and stroke."""

    api, name, summary, version = 1, "beats", "one drum as x and .", 1
    kind, suffixes, formats, native = StepKind.TOKENS, (".txt",), ("text", "midi"), "text"
    length = 64
    symbols = ("", ".", "x")

    def read(self, source):
        for number, line in enumerate(source.text().splitlines(), 1):
            if line and not set(line) <= {".", "x"}:
                yield RejectedPiece("a line has more than x and .", f"{source.label}: line {number}")
            elif line:
                yield Piece(line, source=f"{source.label}: line {number}")

    @property
    def spec(self):
        return SequenceSpec(StepKind.TOKENS, size=len(self.symbols), end=0)

    def prime(self, piece):
        try:
            return [self.symbols.index(symbol) for symbol in piece.content]
        except ValueError:
            raise EncodeError(f"{piece.source} has more than x and .", "write strokes as x, rests as .") from None

    def decode(self, steps):
        return Piece("".join(self.symbols[step] for step in steps))

    def score(self, piece):
        strokes = [place for place, symbol in enumerate(piece.content) if symbol == "x"]
        notes = tuple(Note(place * SIXTEENTH, SNARE, SIXTEENTH) for place in strokes)
        return Score((Part(notes, "drum", percussion=True),)) if notes else None


@hookimpl
def composer_representation():
    return Beats


@hookimpl
def composer_presets():
    return Path(__file__).parent / "presets"


@hookimpl
def composer_pretrained():
    return Path(__file__).parent / "pretrained"
