"""The grid representation: melodies as tokens, from any format and back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import (
    EncodeError,
    Key,
    Note,
    Part,
    Piece,
    ReadError,
    RejectedPiece,
    Score,
    Source,
)
from composer.api.testing import check_representation, source
from composer.formats import write
from composer.formats.midi.reader import read_midi
from composer.toolkit.representations.note_arrays import NoteArrays
from composer.toolkit.representations.quantize import GridNote
from composer_grid import Grid, GridOptions
from composer_grid.token_arrays import as_tokens
from composer_grid.tokens import decode_tokens

TUNES = """X:1
T:Up and Down
M:4/4
L:1/8
K:G
GABc d2 z2|d2 c2 G4|]

X:2
T:A Step
M:3/4
L:1/8
K:Am
A2 c2 e2|a3 z A2|]
"""


def part(*notes: tuple[float, int, float], **about: object) -> Part:
    return Part(tuple(Note(Fraction(onset), pitch, Fraction(length)) for onset, pitch, length in notes), **about)  # type: ignore[arg-type]


def text(piece: Piece) -> str:
    assert isinstance(piece.content, tuple)
    return " ".join(piece.content)


def primer(content: str) -> Source:
    return Source(Path("--prime-text"), name="--prime-text", data=content.encode(), fragment=True)


def fitted(tunes: str = TUNES, **options: object) -> Grid:
    grid = Grid(GridOptions(**options))  # type: ignore[arg-type]
    grid.fit(piece for piece in grid.read(source(tunes, "two.abc")) if isinstance(piece, Piece))
    return grid


@pytest.mark.parametrize("options", [GridOptions(), GridOptions("1/8", transpose="c"), GridOptions("1/32")], ids=str)
def test_contract(options):
    check_representation(Grid, [source(TUNES, "two.abc"), source("60 _ r 62\n64 _ _ 60", "more.tokens")], options)


def test_tune_is_read_as_tokens():
    first, second = Grid(GridOptions("1/8")).read(source(TUNES, "two.abc"))
    assert first == Piece(
        ("67", "69", "71", "72", "74", "_", "r", "_", "74", "_", "72", "_", "67", "_", "_", "_"),
        "Up and Down",
        "two.abc: tune 1",
        {"meter": "4/4", "key": "G", "mode": "major"},
    )
    assert text(second) == "69 _ 72 _ 76 _ 81 _ _ r 69 _"


def test_last_note_keeps_its_length():
    grid = fitted("X:1\nM:4/4\nL:1/16\nK:C\nC D4|]\n")
    [*_, last] = decode_tokens(grid.decode([*grid.prime(Piece(("60", "62", "_", "_", "_"))), 0]).content)
    assert last == GridNote(1, 62, 4)


def test_vocabulary():
    grid = fitted()
    assert grid.symbols == ("", "_", "r", "67", "69", "71", "72", "74", "76", "81")
    assert (grid.spec.size, grid.spec.end) == (10, 0)
    with pytest.raises(EncodeError, match="unknown to the model: 60, 61"):
        grid.encode(Piece(("61", "60")))


class TestTokens:
    def test_one_piece_per_line(self):
        one, two = Grid().read(source("60 _ 62 r _\n\n_ 64\n", "a.tokens"))
        assert text(one) == "60 _ 62", "final rests are dropped"
        assert text(two) == "r 64", "a hold at the start is a rest"
        assert two.source == "a.tokens: line 3"

    def test_invalid_tokens(self):
        items = list(Grid().read(source("60 _\n60 H 62\n128\nr _\n", "a.tokens")))
        assert [item for item in items if isinstance(item, RejectedPiece)] == [
            RejectedPiece("invalid token", "a.tokens: line 2", "token 2 is 'H'"),
            RejectedPiece("invalid token", "a.tokens: line 3", "token 1 is '128'"),
            RejectedPiece("no notes", "a.tokens: line 4"),
        ]
        with pytest.raises(ReadError, match="is empty"):
            list(Grid().read(source("\n \n", "a.tokens")))

    def test_primer_is_used_as_is(self):
        [piece] = Grid().read(primer("67 _ r _"))
        assert isinstance(piece, Piece)
        assert text(piece) == "67 _ r _"

    def test_streamed_tokens_can_be_read(self):
        grid = fitted()
        written = ""
        for number, piece in enumerate(grid.read(source(TUNES, "two.abc")), 1):
            decoder = grid.decoder(number)
            events = [event for step in grid.encode(piece) for event in decoder.push(step)]  # type: ignore[arg-type]
            written += "".join(map(str, [*events, *decoder.finish()]))
        again = list(grid.read(source(written, "again.tokens")))
        assert [p.content for p in again] == [p.content for p in grid.read(source(TUNES, "two.abc"))]  # type: ignore[union-attr]


class TestTranspositions:
    def test_transpose_by_the_key(self):
        first, second = Grid(GridOptions("1/8", transpose="c")).read(source(TUNES, "two.abc"))
        assert text(first).split()[:4] == ["72", "74", "76", "77"]
        assert text(second).startswith("69 _ 72 _ 76")
        assert first.labels == {"meter": "4/4", "key": "C", "mode": "major"}

    def test_pitch_out_of_range(self):
        high = Score((part((0, 120, 1), (1, 127, 1)),), keys=(Key(Fraction(0), 1),))
        assert list(Grid(GridOptions(transpose="c")).read(source(write("midi", high), "a.mid"))) == [
            RejectedPiece("pitch out of range", "a.mid", "132 at beat 1")
        ]

    @pytest.mark.parametrize("shift", range(12))
    def test_transpose_by_the_notes(self, shift):
        scale = [note + shift for note in (60, 62, 64, 65, 67, 69, 71, 60)]
        grid = Grid(GridOptions("1/4", transpose="c"))
        piece = grid.from_score(Score((part(*((at, pitch, 1) for at, pitch in enumerate(scale))),)))
        assert {int(token) % 12 for token in text(piece).split()} == {0, 2, 4, 5, 7, 9, 11}

    def test_minor_goes_to_a_minor(self):
        minor = Score((part((0, 62, 1), (1, 65, 1), (2, 61, 1), (3, 62, 1)),), keys=(Key(Fraction(0), -1, "minor"),))
        assert text(Grid(GridOptions("1/4", transpose="c")).from_score(minor)).split()[0] == "57"

    def test_variants_stay_within_known_pitches(self):
        grid = Grid()
        piece = Piece(("60", "64"))
        assert len(list(grid.variants(piece))) == 11
        grid.fit([piece, Piece(("62", "66"))])
        assert [variant.content for variant in grid.variants(piece)] == [("62", "66")]
        assert not list(Grid(GridOptions(transpose="c")).variants(piece))


class TestConstraint:
    @given(st.lists(st.integers(0, 99), max_size=60))
    def test_random_walks_are_canonical(self, choices):
        """A completed random walk is unchanged by decoding and encoding, apart from final rests."""
        grid = fitted()
        constraint = grid.constraint()
        assert constraint is not None
        state, steps = constraint.start(()), []
        for choice in choices:
            mask = constraint.allowed(state)
            allowed = [step for step in range(1, grid.spec.size) if mask >> step & 1]  # type: ignore[operator]
            steps.append(allowed[choice % len(allowed)])
            state = constraint.step(state, steps[-1])
        steps += list(constraint.complete(state))
        assert steps[-1] == 0
        notes = decode_tokens(text(grid.decode(steps)).split())
        assert notes
        assert steps[: notes[-1].end] == grid.encode(Piece(as_tokens(NoteArrays.from_notes(notes))))[:-1]

    def test_every_piece_is_accepted(self):
        grid = fitted()
        constraint = grid.constraint()
        assert constraint is not None
        for piece in grid.read(source(TUNES, "two.abc")):
            state = constraint.start(())
            for step in grid.encode(piece):  # type: ignore[arg-type]
                assert constraint.allowed(state) >> step & 1  # type: ignore[operator]
                state = constraint.step(state, step)

    def test_first_symbols(self):
        constraint = fitted().constraint()
        assert constraint is not None
        assert constraint.allowed(constraint.start(())) == 0b11_1111_1100
        assert constraint.allowed(constraint.start([2])) == 0b11_1111_1010


melodies = st.lists(st.tuples(st.integers(0, 5), st.integers(40, 90), st.integers(1, 20)), min_size=1)


@settings(max_examples=30)
@given(melodies, st.sampled_from(["midi", "abc", "musicxml"]))
def test_written_files_read_back(steps, name):
    notes: list[GridNote] = []
    for gap, pitch, length in steps[: 12 if name == "musicxml" else None]:
        notes.append(GridNote((notes[-1].end if notes else 0) + gap, pitch, length))
    piece, grid = Piece(as_tokens(NoteArrays.from_notes(notes))), Grid()
    score = grid.score(piece)
    assert score is not None
    [again] = grid.read(source(write(name, score), f"again.{name}"))
    assert again.content == piece.content  # type: ignore[union-attr]


def test_leading_rest_of_midi():
    score = Score((part((1, 60, 1)),))
    assert text(Grid(GridOptions("1/4")).from_score(read_midi(write("midi", score), "a"))) == "r 60"
