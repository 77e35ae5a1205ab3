"""The grid representation: melodies as tokens, from any music, and back."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import (
    EncodeError,
    Key,
    Meter,
    Note,
    OptionError,
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
from composer_grid.token_arrays import as_tokens, skyline
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


def opening(content: str) -> Source:
    return Source(Path("--prime-text"), name="--prime-text", data=content.encode(), fragment=True)


def fitted(tunes: str = TUNES, **options: object) -> Grid:
    grid = Grid(GridOptions(**options))  # type: ignore[arg-type]
    grid.fit(piece for piece in grid.read(source(tunes, "two.abc")) if isinstance(piece, Piece))
    return grid


@pytest.mark.parametrize("options", [GridOptions(), GridOptions("1/8", transpose="c"), GridOptions("1/32")], ids=str)
def test_contract(options):
    check_representation(Grid, [source(TUNES, "two.abc"), source("60 _ r 62\n64 _ _ 60", "more.tokens")], options)


def test_a_tune_is_read_step_by_step():
    first, second = Grid(GridOptions("1/8")).read(source(TUNES, "two.abc"))
    assert first == Piece(
        ("67", "69", "71", "72", "74", "_", "r", "_", "74", "_", "72", "_", "67", "_", "_", "_"),
        "Up and Down",
        "two.abc: tune 1",
        {"meter": "4/4", "key": "G", "mode": "major"},
    )
    assert text(second) == "69 _ 72 _ 76 _ 81 _ _ r 69 _"


def test_the_last_note_is_kept_as_long_as_it_is():
    grid = fitted("X:1\nM:4/4\nL:1/16\nK:C\nC D4|]\n")
    [*_, last] = decode_tokens(grid.decode([*grid.prime(Piece(("60", "62", "_", "_", "_"))), 0]).content)
    assert last == GridNote(1, 62, 4)


def test_symbols_are_the_end_the_hold_the_rest_and_the_pitches_learnt():
    grid = fitted()
    assert grid.symbols == ("", "_", "r", "67", "69", "71", "72", "74", "76", "81")
    assert (grid.spec.size, grid.spec.end) == (10, 0)
    with pytest.raises(EncodeError, match=r"never seen in training: 60, 61"):
        grid.encode(Piece(("61", "60")))


class TestTokens:
    def test_a_text_of_them_holds_a_piece_a_line(self):
        one, two = Grid().read(source("60 _ 62 r _\n\n_ 64\n", "a.tokens"))
        assert text(one) == "60 _ 62", "silence at the end is no part of a piece"
        assert text(two) == "r 64", "what goes on from nothing is a rest"
        assert two.source == "a.tokens: line 3"

    def test_what_means_nothing_is_named(self):
        items = list(Grid().read(source("60 _\n60 H 62\n128\nr _\n", "a.tokens")))
        assert [item for item in items if isinstance(item, RejectedPiece)] == [
            RejectedPiece("a token that means nothing", "a.tokens: line 2", "token 2 is `H`"),
            RejectedPiece("a token that means nothing", "a.tokens: line 3", "token 1 is `128`"),
            RejectedPiece("no notes", "a.tokens: line 4"),
        ]
        with pytest.raises(ReadError, match="is empty"):
            list(Grid().read(source("\n \n", "a.tokens")))

    def test_an_opening_is_taken_as_it_is(self):
        [piece] = Grid().read(opening("67 _ r _"))
        assert isinstance(piece, Piece)
        assert text(piece) == "67 _ r _"

    def test_what_is_streamed_can_be_read_again(self):
        grid = fitted()
        written = ""
        for number, piece in enumerate(grid.read(source(TUNES, "two.abc")), 1):
            decoder = grid.decoder(number)
            events = [event for step in grid.encode(piece) for event in decoder.push(step)]  # type: ignore[arg-type]
            written += "".join(map(str, [*events, *decoder.finish()]))
        again = list(grid.read(source(written, "again.tokens")))
        assert [p.content for p in again] == [p.content for p in grid.read(source(TUNES, "two.abc"))]  # type: ignore[union-attr]


class TestVoices:
    def test_the_top_of_a_chord_and_what_is_left_out(self):
        piece = Grid(GridOptions("1/4")).from_score(Score((part((0, 60, 2), (0, 64, 1), (1, 67, 1), (2, 62, 1)),)))
        assert text(piece) == "64 67 62"
        assert piece.losses == {"notes under the melody left out": 1}

    def test_a_higher_note_cuts_a_lower_one_and_a_lower_one_is_left_out(self):
        notes = [GridNote(2, 55, 4), GridNote(1, 64, 2), GridNote(3, 62, 1), GridNote(0, 60, 4)]
        line, losses = skyline(NoteArrays.from_notes(notes))
        assert line.as_notes() == (GridNote(0, 60, 1), GridNote(1, 64, 2), GridNote(3, 62, 1))
        assert losses == {"notes under the melody left out": 1, "notes cut short by a higher one": 1}

    def test_the_highest_part_is_the_melody(self):
        score = Score((part((0, 48, 4)), part((0, 72, 1), (1, 74, 1)), part((0, 40, 1), percussion=True)))
        piece = Grid(GridOptions("1/4")).from_score(score)
        assert text(piece) == "72 74"
        assert piece.losses == {"notes of other parts left out": 1, "drum notes left out": 1}

    def test_a_part_that_hardly_plays_is_no_melody(self):
        flute = part((0, 72, 1), (1, 74, 1), (4, 76, 1), (5, 77, 1))
        bass = part(*((at, pitch, 1) for at in range(6) for pitch in (48, 52, 55)))
        grid = Grid(GridOptions("1/4"))
        assert text(grid.from_score(Score((part((5, 96, 1)), flute, bass)))) == "72 74 r _ 76 77"
        assert text(grid.from_score(Score((bass, flute)))) == "72 74 r _ 76 77", "rests do not let the bass in"

    @pytest.mark.parametrize(
        ("parts", "place"),
        [
            ((part((0, 60, 1)), part((0, 48, 1))), "2 parts"),
            ((part((0, 60, 2), (1, 62, 1)),), "at beat 1"),
            ((part((0, 60, 1), (2.5, 60, 1), (2.5, 64, 1)),), "at beat 2.5"),
        ],
    )
    def test_several_voices_may_be_refused(self, parts, place):
        [refused] = Grid(GridOptions(polyphony="refuse")).read(source(write("midi", Score(parts)), "a.mid"))
        assert refused == RejectedPiece("more than one voice", "a.mid", place)

    def test_a_voice_that_is_moved_to_the_grid_is_still_one(self):
        fast = part(*((Fraction(at, 8), 60 + at, Fraction(1, 8)) for at in range(6)))
        legato = part((0, 60, 1 + 1 / 32), (1, 62, 1))
        grid = Grid(GridOptions(polyphony="refuse", offgrid="round"))
        for voice in (fast, legato):
            [piece] = grid.read(source(write("midi", Score((voice,))), "a.mid"))
            assert isinstance(piece, Piece)


class TestTheGrid:
    def test_notes_between_two_steps_are_refused_by_default(self):
        triplet = write("midi", Score((part((0, 60, 1), (Fraction(4, 3), 62, 1)),)))
        [refused] = Grid().read(source(triplet, "a.mid"))
        assert isinstance(refused, RejectedPiece)
        assert (refused.reason, refused.source) == ("notes off the grid", "a.mid")
        assert "at beat 1.33" in refused.detail
        [moved] = Grid(GridOptions(offgrid="round")).read(source(triplet, "a.mid"))
        assert isinstance(moved, Piece)
        assert moved.losses == {"notes moved to the grid": 1}
        [fine] = Grid(GridOptions("1/12")).read(source(triplet, "a.mid"))
        assert isinstance(fine, Piece)

    def test_an_opening_is_moved_to_the_grid_all_the_same(self):
        score = Score((part((0, 60, 1), (Fraction(4, 3), 62, 1)), part((0, 40, 1))))
        piece = Grid(GridOptions(polyphony="refuse")).from_score(score)
        assert piece.losses == {"notes moved to the grid": 1, "notes of other parts left out": 1}
        [piece] = Grid().read(Source(Path("a.mid"), data=write("midi", score), fragment=True))
        assert isinstance(piece, Piece)

    def test_an_opening_is_moved_by_octaves_to_where_the_model_composes(self):
        grid = fitted()
        piece = grid.from_score(Score((part((0, 43, 1), (1, 69, 1), (2, 105, 1), (3, 61, 1)),)))
        assert [token for token in text(piece).split() if token != "_"] == ["67", "69", "81", "61"]
        assert piece.losses == {"notes moved by octaves": 2}
        with pytest.raises(EncodeError, match="never seen in training: 61"):
            grid.prime(piece)

    def test_drums_are_no_melody(self):
        beat = Score((part((0, 38, 1), percussion=True),))
        assert list(Grid().read(source(write("midi", beat), "a.mid"))) == [RejectedPiece("only drums", "a.mid")]
        with pytest.raises(EncodeError, match="only drums") as caught:
            Grid().from_score(beat)
        assert caught.value.hint

    @pytest.mark.parametrize("step", ["0", "1/0", "x", "2", "1/1000", "-1/16"])
    def test_a_step_that_makes_no_sense(self, step):
        with pytest.raises(OptionError, match=f"a step cannot be `{step}`"):
            GridOptions(step)


class TestTranspositions:
    def test_to_c_major_and_a_minor_by_the_key_that_is_given(self):
        first, second = Grid(GridOptions("1/8", transpose="c")).read(source(TUNES, "two.abc"))
        assert text(first).split()[:4] == ["72", "74", "76", "77"]
        assert text(second).startswith("69 _ 72 _ 76")
        assert first.labels == {"meter": "4/4", "key": "C", "mode": "major"}

    def test_a_pitch_that_would_leave_the_range_is_refused_with_its_place(self):
        high = Score((part((0, 120, 1), (1, 127, 1)),), keys=(Key(Fraction(0), 1),))
        assert list(Grid(GridOptions(transpose="c")).read(source(write("midi", high), "a.mid"))) == [
            RejectedPiece("a pitch out of range", "a.mid", "132 at beat 1")
        ]

    @pytest.mark.parametrize("shift", range(12))
    def test_by_the_notes_where_no_key_is_given(self, shift):
        scale = [note + shift for note in (60, 62, 64, 65, 67, 69, 71, 60)]
        grid = Grid(GridOptions("1/4", transpose="c"))
        piece = grid.from_score(Score((part(*((at, pitch, 1) for at, pitch in enumerate(scale))),)))
        assert {int(token) % 12 for token in text(piece).split()} == {0, 2, 4, 5, 7, 9, 11}

    def test_a_minor_piece_goes_to_a_minor(self):
        minor = Score((part((0, 62, 1), (1, 65, 1), (2, 61, 1), (3, 62, 1)),), keys=(Key(Fraction(0), -1, "minor"),))
        assert text(Grid(GridOptions("1/4", transpose="c")).from_score(minor)).split()[0] == "57"

    def test_variants_are_as_many_keys_as_pitches_are_known_for(self):
        grid = Grid()
        piece = Piece(("60", "64"))
        assert len(list(grid.variants(piece))) == 11
        grid.fit([piece, Piece(("62", "66"))])
        assert [variant.content for variant in grid.variants(piece)] == [("62", "66")]
        assert not list(Grid(GridOptions(transpose="c")).variants(piece))


class TestTheRule:
    @given(st.lists(st.integers(0, 99), max_size=60))
    def test_whatever_it_allows_is_written_as_a_melody_is(self, choices):
        """Any walk, ended as it says, is decoded, and encoded as it was but for silence at the end."""
        grid = fitted()
        rule = grid.constraint()
        assert rule is not None
        state, steps = rule.start(()), []
        for choice in choices:
            mask = rule.allowed(state)
            allowed = [step for step in range(1, grid.spec.size) if mask >> step & 1]  # type: ignore[operator]
            steps.append(allowed[choice % len(allowed)])
            state = rule.step(state, steps[-1])
        steps += list(rule.complete(state))
        assert steps[-1] == 0
        notes = decode_tokens(text(grid.decode(steps)).split())
        assert notes
        assert steps[: notes[-1].end] == grid.encode(Piece(as_tokens(NoteArrays.from_notes(notes))))[:-1]

    def test_it_accepts_every_piece(self):
        grid = fitted()
        rule = grid.constraint()
        assert rule is not None
        for piece in grid.read(source(TUNES, "two.abc")):
            state = rule.start(())
            for step in grid.encode(piece):  # type: ignore[arg-type]
                assert rule.allowed(state) >> step & 1  # type: ignore[operator]
                state = rule.step(state, step)

    def test_nothing_begins_with_a_hold_or_ends_in_silence(self):
        rule = fitted().constraint()
        assert rule is not None
        assert rule.allowed(rule.start(())) == 0b11_1111_1100
        assert rule.allowed(rule.start([2])) == 0b11_1111_1010


melodies = st.lists(st.tuples(st.integers(0, 5), st.integers(40, 90), st.integers(1, 20)), min_size=1)


@settings(deadline=None, max_examples=60)
@given(melodies, st.sampled_from(["midi", "abc", "musicxml"]))
def test_what_is_written_reads_back_note_for_note(steps, name):
    notes: list[GridNote] = []
    for gap, pitch, length in steps[: 12 if name == "musicxml" else None]:
        notes.append(GridNote((notes[-1].end if notes else 0) + gap, pitch, length))
    piece, grid = Piece(as_tokens(NoteArrays.from_notes(notes))), Grid()
    score = grid.score(piece)
    assert score is not None
    [again] = grid.read(source(write(name, score), f"again.{name}"))
    assert again.content == piece.content  # type: ignore[union-attr]


def test_a_midi_file_keeps_its_leading_rest():
    score = Score((part((1, 60, 1)),))
    assert text(Grid(GridOptions("1/4")).from_score(read_midi(write("midi", score), "a"))) == "r 60"


strokes = st.lists(st.tuples(st.integers(0, 64), st.integers(55, 75), st.integers(0, 20)), min_size=1)
parts = st.lists(st.tuples(strokes, st.booleans()), min_size=1, max_size=3)


@given(
    parts, st.sampled_from(["round", "drop", "refuse"]), st.sampled_from(["none", "c"]), st.booleans(), st.booleans()
)
def test_midi_is_read_as_the_score_that_it_is(content, offgrid, transpose, keyed, opening):
    """Eighths of a beat, two to a step, so that notes stand on the grid and off it."""
    music = Score(
        tuple(
            part(*((Fraction(t, 8), p, Fraction(n, 8)) for t, p, n in notes), percussion=drums)  # type: ignore[misc]
            for notes, drums in content
        ),
        meters=(Meter(Fraction(0), 3, 4),),
        keys=(Key(Fraction(0), -1),) if keyed else (),
        title="A title",
    )
    data = write("midi", music)
    grid = Grid(GridOptions(offgrid=offgrid, transpose=transpose))  # type: ignore[arg-type]
    grid.restore({"pitches": [60, 62, 67, 71]})
    [found] = grid.read(Source(Path("a.mid"), "a.mid", data=data, fragment=opening))
    assert found == grid._read(read_midi(data, "a.mid"), "a.mid", opening)


@given(strokes)
def test_the_melody_is_one_voice_and_its_highest(notes):
    placed = [GridNote(start, pitch, length + 1) for start, pitch, length in notes]
    line = skyline(NoteArrays.from_notes(placed))[0].as_notes()
    assert all(before.end <= after.start for before, after in pairwise(line))
    assert line[0] == (min(placed)[0], max(n.pitch for n in placed if n.start == min(placed)[0]), line[0].length)
    for note in line:
        assert note.pitch == max(n.pitch for n in placed if n.start == note.start)
