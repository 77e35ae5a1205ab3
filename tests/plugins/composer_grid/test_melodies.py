"""Notes of any music as a melody on the grid: which voice, and which steps."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import EncodeError, Key, Meter, Note, OptionError, Part, Piece, RejectedPiece, Score, Source
from composer.api.testing import source
from composer.formats import write
from composer.formats.midi.reader import read_midi
from composer.toolkit.representations.note_arrays import NoteArrays
from composer.toolkit.representations.quantize import GridNote
from composer_grid import Grid, GridOptions
from composer_grid.token_arrays import skyline


def part(*notes: tuple[float, int, float], **about: object) -> Part:
    return Part(tuple(Note(Fraction(onset), pitch, Fraction(length)) for onset, pitch, length in notes), **about)  # type: ignore[arg-type]


def text(piece: Piece) -> str:
    assert isinstance(piece.content, tuple)
    return " ".join(piece.content)


class TestVoices:
    def test_top_note_of_chords(self):
        piece = Grid(GridOptions("1/4")).from_score(Score((part((0, 60, 2), (0, 64, 1), (1, 67, 1), (2, 62, 1)),)))
        assert text(piece) == "64 67 62"
        assert piece.losses == {"notes below the melody skipped": 1}

    def test_skyline(self):
        notes = [GridNote(2, 55, 4), GridNote(1, 64, 2), GridNote(3, 62, 1), GridNote(0, 60, 4)]
        melody, losses = skyline(NoteArrays.from_notes(notes))
        assert melody.as_notes() == (GridNote(0, 60, 1), GridNote(1, 64, 2), GridNote(3, 62, 1))
        assert losses == {"notes below the melody skipped": 1, "notes cut short by a higher one": 1}

    def test_highest_part_is_the_melody(self):
        score = Score((part((0, 48, 4)), part((0, 72, 1), (1, 74, 1)), part((0, 40, 1), percussion=True)))
        piece = Grid(GridOptions("1/4")).from_score(score)
        assert text(piece) == "72 74"
        assert piece.losses == {"notes of other parts left out": 1, "drum notes left out": 1}

    def test_sparse_parts_are_ignored(self):
        flute = part((0, 72, 1), (1, 74, 1), (4, 76, 1), (5, 77, 1))
        bass = part(*((at, pitch, 1) for at in range(6) for pitch in (48, 52, 55)))
        grid = Grid(GridOptions("1/4"))
        assert text(grid.from_score(Score((part((5, 96, 1)), flute, bass)))) == "72 74 r _ 76 77"
        assert text(grid.from_score(Score((bass, flute)))) == "72 74 r _ 76 77", "rests stay rests"

    @pytest.mark.parametrize(
        ("parts", "place"),
        [
            ((part((0, 60, 1)), part((0, 48, 1))), "2 parts"),
            ((part((0, 60, 2), (1, 62, 1)),), "at beat 1"),
            ((part((0, 60, 1), (2.5, 60, 1), (2.5, 64, 1)),), "at beat 2.5"),
        ],
    )
    def test_polyphony_can_be_rejected(self, parts, place):
        [rejected] = Grid(GridOptions(polyphony="refuse")).read(source(write("midi", Score(parts)), "a.mid"))
        assert rejected == RejectedPiece("more than one voice", "a.mid", place)

    def test_quantizing_does_not_add_voices(self):
        turn = part(*((Fraction(at, 8), 60 + at, Fraction(1, 8)) for at in range(4)), (0.5, 60, 4))
        legato = part((0, 60, 1 + 1 / 32), (1, 62, 1))
        grid = Grid(GridOptions(polyphony="refuse"))
        for voice in (turn, legato):
            [piece] = grid.read(source(write("midi", Score((voice,))), "a.mid"))
            assert isinstance(piece, Piece)


class TestQuantizing:
    def test_notes_off_the_grid_are_rounded_by_default(self):
        triplet = write("midi", Score((part((0, 60, 1), (Fraction(4, 3), 62, 1)),)))
        [rounded] = Grid().read(source(triplet, "a.mid"))
        assert isinstance(rounded, Piece)
        assert text(rounded) == "60 _ _ _ r 62 _ _ _"
        assert rounded.losses == {"notes moved to the grid by up to 1/12 beat": 1}
        [rejected] = Grid(GridOptions(offgrid="refuse")).read(source(triplet, "a.mid"))
        assert isinstance(rejected, RejectedPiece)
        assert (rejected.reason, rejected.source) == ("notes off the grid", "a.mid")
        assert "at beat 1.33" in rejected.detail
        [fine] = Grid(GridOptions("1/12")).read(source(triplet, "a.mid"))
        assert isinstance(fine, Piece)

    def test_grace_notes_do_not_replace_the_melody(self):
        graces = ((0, 72, 1 / 16), (1, 74, 1 / 16))
        score = Score((part(*graces, (1 / 16, 60, 15 / 16), (17 / 16, 62, 15 / 16)),))
        [piece] = Grid().read(source(write("midi", score), "a.mid"))
        assert isinstance(piece, Piece)
        assert text(piece) == "60 _ _ _ 62 _ _ _"
        assert piece.losses == {
            "notes too short for the grid left out": 2,
            "notes moved to the grid by up to 1/12 beat": 2,
        }

    @pytest.mark.parametrize("is_primer", [False, True])
    def test_a_piece_of_notes_shorter_than_a_step_is_rejected(self, is_primer):
        run = Score((part(*((Fraction(at, 8), 60 + at, Fraction(1, 8)) for at in range(16))),))
        [rejected] = Grid().read(Source(Path("a.mid"), "a.mid", data=write("midi", run), fragment=is_primer))
        assert rejected == RejectedPiece(
            "rhythm lost on the grid", "a.mid", "8 of 16 notes would fall on the same step as another"
        )
        [fine] = Grid(GridOptions("1/32")).read(source(write("midi", run), "a.mid"))
        assert isinstance(fine, Piece)

    def test_primer_is_always_quantized(self):
        score = Score((part((0, 60, 1), (Fraction(4, 3), 62, 1)), part((0, 40, 1))))
        piece = Grid(GridOptions(polyphony="refuse", offgrid="refuse")).from_score(score)
        assert piece.losses == {"notes moved to the grid by up to 1/12 beat": 1, "notes of other parts left out": 1}
        grid = Grid(GridOptions(offgrid="refuse"))
        [piece] = grid.read(Source(Path("a.mid"), data=write("midi", score), fragment=True))
        assert isinstance(piece, Piece)

    def test_primer_is_moved_by_octaves(self):
        grid = Grid()
        grid.restore({"pitches": [67, 69, 71, 72, 74, 76, 81]})
        piece = grid.from_score(Score((part((0, 43, 1), (1, 69, 1), (2, 105, 1), (3, 61, 1)),)))
        assert [token for token in text(piece).split() if token != "_"] == ["67", "69", "81", "61"]
        assert piece.losses == {"notes moved by octaves": 2}
        with pytest.raises(EncodeError, match="unknown to the model: 61"):
            grid.prime(piece)

    def test_drums_have_no_melody(self):
        beat = Score((part((0, 38, 1), percussion=True),))
        assert list(Grid().read(source(write("midi", beat), "a.mid"))) == [RejectedPiece("only drums", "a.mid")]
        with pytest.raises(EncodeError, match="only drums") as caught:
            Grid().from_score(beat)
        assert caught.value.hint

    @pytest.mark.parametrize("step", ["0", "1/0", "x", "2", "1/1000", "-1/16"])
    def test_invalid_step(self, step):
        with pytest.raises(OptionError, match=f"invalid value for `step`: '{step}'"):
            GridOptions(step)


random_notes = st.lists(st.tuples(st.integers(0, 64), st.integers(55, 75), st.integers(0, 20)), min_size=1)
parts = st.lists(st.tuples(random_notes, st.booleans()), min_size=1, max_size=3)


@given(
    parts, st.sampled_from(["round", "drop", "refuse"]), st.sampled_from(["none", "c"]), st.booleans(), st.booleans()
)
def test_midi_ticks_give_the_same_piece_as_scores(content, offgrid, transpose, keyed, primer):
    """Eighths of a beat, two per step, so that notes are on and off the grid."""
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
    [piece] = grid.read(Source(Path("a.mid"), "a.mid", data=data, fragment=primer))
    assert piece == grid._read(read_midi(data, "a.mid"), "a.mid", primer)


@given(random_notes)
def test_skyline_is_the_highest_voice(notes):
    notes_on_grid = [GridNote(start, pitch, length + 1) for start, pitch, length in notes]
    melody = skyline(NoteArrays.from_notes(notes_on_grid))[0].as_notes()
    assert all(before.end <= after.start for before, after in pairwise(melody))
    assert melody[0] == (
        min(notes_on_grid)[0],
        max(n.pitch for n in notes_on_grid if n.start == min(notes_on_grid)[0]),
        melody[0].length,
    )
    for note in melody:
        assert note.pitch == max(n.pitch for n in notes_on_grid if n.start == note.start)
