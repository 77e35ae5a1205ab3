"""The pianoroll representation: reading, losses, constraints, and frames."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import (
    EncodeError,
    FrameRule,
    Key,
    Limit,
    Meter,
    Note,
    OptionError,
    Part,
    Piece,
    RejectedPiece,
    Score,
    StepKind,
    UnitGroup,
    Unsatisfiable,
)
from composer.api.sampling.filters import apply_frame_rule
from composer.api.testing import check_representation, source
from composer.data.corpus import content_digest
from composer.formats import write
from composer.formats.midi.reader import read_midi
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.frames import Layout


def part(*notes: tuple[float, int, float], **about: object) -> Part:
    return Part(tuple(Note(Fraction(onset), pitch, Fraction(length)) for onset, pitch, length in notes), **about)  # type: ignore[arg-type]


CHORD = part((0, 60, 1), (0, 64, 1), (1, 60, 0.5), (1.5, 67, 2), name="Right hand")
BASS = part((0, 36, 2), (2, 40, 1.5), name="Cello", program=42)
DRUMS = part((0, 38, 1), (1, 38, 1), percussion=True)
SMALL = PianorollOptions(range="60-63", steps=2)


def roll_of(*parts: Part, **options: object) -> Piece:
    return Pianoroll(PianorollOptions(**options)).from_score(Score(parts))  # type: ignore[arg-type]


def content(piece: Piece) -> Roll:
    assert isinstance(piece.content, Roll)
    return piece.content


OPTIONS = [
    PianorollOptions(),
    PianorollOptions(onsets=False),
    PianorollOptions(range="36-67", stack=5),
    PianorollOptions(range="36-67", steps=2, stack=3, onsets=False),
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_contract(options):
    files = [source(write("midi", Score((CHORD, BASS))), "one.mid"), source(write("midi", Score((BASS,))), "two.mid")]
    check_representation(Pianoroll, files, options)


def test_onsets_and_holds():
    pianoroll = Pianoroll(SMALL)
    piece = pianoroll.from_score(Score((part((0, 60, 1), (1, 60, 1), (1, 63, 0.5)),)))
    # units 0 to 3 are onsets of the pitches 60 to 63, units 4 to 7 are holds
    assert pianoroll.encode(piece) == [(0,), (4,), (0, 3), (4,)]
    assert pianoroll.spec.kind is StepKind.FRAMES
    assert pianoroll.spec.groups == (UnitGroup("onset", 0, 4, 60), UnitGroup("hold", 4, 8, 60))


def test_repeated_notes_merge_without_onsets():
    pianoroll = Pianoroll(PianorollOptions(range="60-63", steps=2, onsets=False))
    piece = pianoroll.from_score(Score((part((0, 60, 1), (1, 60, 1)),)))
    assert pianoroll.encode(piece) == [(0,)] * 4
    assert piece.losses == {"notes joined to another of their pitch": 1}


def test_stacked_frames_are_padded():
    pianoroll = Pianoroll(PianorollOptions(range="60-61", steps=2, stack=2))
    piece = pianoroll.from_score(Score((part((0, 60, 1.5)),)))
    assert pianoroll.encode(piece) == [(0, 6), (2,)]
    assert [group.substep for group in pianoroll.spec.groups] == [0, 0, 1, 1]
    assert content(pianoroll.decode([(0, 6), (2,)])).notes == (GridNote(0, 60, 3),)


def test_notes_end_with_the_piece():
    assert content(Pianoroll(SMALL).decode([(0,), (4,)])).notes == (GridNote(0, 60, 2),)


def test_decoder_returns_notes_as_they_end():
    decoder = Pianoroll(SMALL).decoder()
    assert list(decoder.push((0, 1))) == []
    assert list(decoder.push((4,))) == [Note(Fraction(0), 61, Fraction(1, 2))]
    assert list(decoder.finish()) == [Note(Fraction(0), 60, Fraction(1))]


def test_hold_without_onset_starts_a_note():
    assert content(Pianoroll(SMALL).decode([(), (4,), (4,)])).notes == (GridNote(1, 60, 2),)


def test_default_length_is_64_beats():
    assert Pianoroll().length == 256
    assert Pianoroll(PianorollOptions(steps=2, stack=5)).length == 26


class TestLosses:
    def test_drums_are_counted(self):
        piece = roll_of(CHORD, DRUMS)
        assert {note.pitch for note in content(piece).notes} == {60, 64, 67}
        assert piece.losses == {"drum notes left out": 2}

    def test_parts_option(self):
        assert {note.pitch for note in content(roll_of(CHORD, BASS, parts="cello")).notes} == {36, 40}
        piece = roll_of(CHORD, BASS, parts="piano")
        assert {note.pitch for note in content(piece).notes} == {60, 64, 67}
        assert piece.losses == {"notes of other parts left out": 2}
        with pytest.raises(EncodeError, match="no part `harp`"):
            roll_of(CHORD, parts="harp")

    def test_pitches_out_of_range(self):
        piece = roll_of(CHORD, BASS, range="60-127")
        assert piece.losses == {"notes out of range left out": 2}
        with pytest.raises(EncodeError, match="no notes in the range"):
            roll_of(BASS, range="100-108")

    def test_overlapping_notes_of_two_parts(self):
        piece = roll_of(part((0, 60, 2)), part((1, 60, 2)), part((1, 60, 1)))
        assert content(piece).notes == (GridNote(0, 60, 4), GridNote(4, 60, 8))
        assert piece.losses == {
            "notes joined to another of their pitch": 1,
            "notes cut short by the next of their pitch": 1,
        }

    def test_notes_off_the_grid(self):
        triplet = part((0, 60, 1), (Fraction(4, 3), 62, Fraction(1, 3)))
        assert roll_of(triplet).losses == {"notes moved to the grid by up to 1/12 beat": 1}
        assert roll_of(triplet, offgrid="drop").losses == {"notes off the grid left out": 1}
        assert roll_of(triplet, steps=3, offgrid="refuse").losses == {}
        [rejected] = Pianoroll(PianorollOptions(offgrid="refuse")).read(
            source(write("midi", Score((triplet,))), "a.mid")
        )
        assert isinstance(rejected, RejectedPiece)
        assert (rejected.reason, rejected.source) == ("notes off the grid", "a.mid")
        assert "beat 1.33" in rejected.detail

    def test_grace_notes_are_left_out_and_broken_chords_stay(self):
        grace = part((0, 62, 1 / 16), (1 / 16, 64, 15 / 16))
        roll = roll_of(grace)
        assert content(roll).notes == (GridNote(0, 64, 4),)
        assert roll.losses["notes too short for the grid left out"] == 1
        broken = part((0, 60, 1), (1 / 16, 64, 15 / 16), (1 / 8 - 1 / 64, 67, 7 / 8))
        assert {note.pitch for note in content(roll_of(broken)).notes} == {60, 64, 67}
        assert {note.pitch for note in content(roll_of(part((0, 62, 1 / 16)), part((1 / 16, 64, 1)))).notes} == {62, 64}

    def test_a_piece_of_notes_shorter_than_a_step_is_rejected(self):
        run = part(*((Fraction(at, 8), 60 + at, Fraction(1, 8)) for at in range(16)))
        with pytest.raises(EncodeError, match="rhythm lost on the grid: 8 of 16 notes"):
            roll_of(run)
        assert len(content(roll_of(run, steps=8)).notes) == 16

    def test_only_drums(self):
        [rejected] = Pianoroll().read(source(write("midi", Score((DRUMS,))), "beat.mid"))
        assert rejected == RejectedPiece("only drums", "beat.mid")

    def test_file_with_one_silent_tune(self):
        text = "X:1\nM:4/4\nK:C\nCDEF GABc|\n\nX:2\nM:4/4\nK:C\nz8|\n"
        piece, rejected = Pianoroll().read(source(text, "two.abc"))
        assert isinstance(piece, Piece)
        assert isinstance(rejected, RejectedPiece)
        assert rejected.source == "two.abc: tune 2"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"range": "100-20"}, "100-20"),
        ({"range": "-5-20"}, "-5-20"),
        ({"range": "60"}, "60"),
        ({"range": "60-128"}, "60-128"),
        ({"stack": 0}, "invalid value for `stack`: '0'"),
        ({"steps": 0}, "invalid value for `steps`: '0'"),
        ({"steps": 1000}, "invalid value for `steps`: '1000'"),
        ({"parts": " "}, "invalid value for `parts`"),
    ],
)
def test_invalid_options(option, words):
    with pytest.raises(OptionError, match=words) as caught:
        PianorollOptions(**option)
    assert caught.value.hint


def test_variants_stay_in_range():
    pianoroll = Pianoroll(PianorollOptions(range="58-68"))
    piece = pianoroll.from_score(Score((CHORD,)))
    moved = [content(variant).notes[0].pitch - 60 for variant in pianoroll.variants(piece)]
    assert moved == [-2, -1, 1]


class TestConstraint:
    def test_only_sounding_notes_can_be_held(self):
        holds = Pianoroll(SMALL).constraint()
        state = holds.start([(0,), (1, 4)])
        assert holds.allowed(state).must_be_off == 0b1100_0000
        assert holds.allowed(holds.start([])).must_be_off == 0b1111_0000

    def test_no_onset_and_hold_in_one_step(self):
        holds = Pianoroll(SMALL).constraint()
        state = holds.start([(0,)])
        assert holds.allowed(state).project((0, 4)) == (0,)

    def test_stacked_frames(self):
        pianoroll = Pianoroll(PianorollOptions(range="60-61", stack=2))
        holds = pianoroll.constraint()
        # the first step starts 60; the second may hold 60 but not 61
        assert holds.allowed(0).project((0, 6, 7)) == (0, 6)
        assert holds.step(0, (0, 6)) == 0b01

    @given(st.lists(st.frozensets(st.integers(0, 23), max_size=6), max_size=12))
    def test_allowed_frames_are_canonical(self, drawn):
        pianoroll = Pianoroll(PianorollOptions(range="60-63", stack=3))
        holds = pianoroll.constraint()
        state, frames = holds.start(()), []
        for units in drawn:
            rule = holds.allowed(state)
            frame = rule.project(tuple(sorted(unit for unit in units if not rule.must_be_off >> unit & 1)))
            frames.append(frame)
            state = holds.step(state, frame)
        assert pianoroll.encode(pianoroll.decode(frames)) == frames


class TestControls:
    def frame(self, rule, state, units):
        """Apply the rule to `units`."""
        allowed = rule.allowed(state)
        drawn = np.array([unit in units and not allowed.must_be_off >> unit & 1 for unit in range(8)])
        return tuple(np.flatnonzero(apply_frame_rule(drawn, np.arange(8.0), allowed)).tolist())

    def test_range_limits_onsets(self):
        rule = Pianoroll(SMALL).constraint(PianorollControls(range="62-90"))
        assert self.frame(rule, 0, {0, 1, 2, 3}) == (2, 3)
        assert self.frame(rule, 0b0001, {4}) == (4,), "notes of the primer can be held"

    def test_limits(self):
        # units 0 to 3 are onsets, 4 to 7 holds; here, higher units are more likely
        sounding = 0b1111
        constraint = Pianoroll(SMALL).constraint
        assert self.frame(constraint(PianorollControls(max_onsets=1)), sounding, {0, 1, 6}) == (1, 6)
        assert self.frame(constraint(PianorollControls(max_sustained=2)), sounding, {0, 5, 6, 7}) == (0, 6, 7)
        assert self.frame(constraint(PianorollControls(max_notes=2)), sounding, {0, 1, 6, 7}) == (6, 7)

    def test_limits_apply_to_each_step_of_a_frame(self):
        pianoroll = Pianoroll(PianorollOptions(range="60-61", stack=2))
        limits = pianoroll.constraint(PianorollControls(max_onsets=1)).allowed(0).limits
        assert limits == (Limit(0b0000_0011, 1), Limit(0b0011_0000, 1))

    def test_model_without_onsets(self):
        pianoroll = Pianoroll(PianorollOptions(range="60-63", onsets=False))
        rule = pianoroll.constraint(PianorollControls(range="61-63", max_notes=2))
        assert rule.allowed(rule.start([(0, 1)])) == FrameRule(must_be_off=0b0001, limits=(Limit(0b1111, 2),))
        with pytest.raises(Unsatisfiable, match="need a model with onsets"):
            pianoroll.constraint(PianorollControls(max_onsets=2))

    def test_invalid_controls(self):
        with pytest.raises(Unsatisfiable, match="--range 70-90 has none of the model's pitches") as caught:
            Pianoroll(SMALL).constraint(PianorollControls(range="70-90"))
        assert "C4-D#4" in caught.value.hint
        for wrong in ({"max_notes": -1}, {"range": "90-20"}):
            with pytest.raises(OptionError):
                PianorollControls(**wrong)


grids = st.lists(st.builds(GridNote, st.integers(0, 40), st.integers(60, 67), st.integers(1, 9)), min_size=1)


@given(grids, st.booleans(), st.integers(1, 7))
def test_round_trip_through_frames_and_midi(notes, onsets, stack):
    pianoroll = Pianoroll(PianorollOptions(range="60-67", onsets=onsets, stack=stack))
    score = Score((part(*((Fraction(n.start, 4), n.pitch, Fraction(n.length, 4)) for n in notes)),))  # type: ignore[misc]
    piece = pianoroll.from_score(score)
    decoded = pianoroll.decode(pianoroll.encode(piece))
    assert content(decoded).notes == content(piece).notes
    again = pianoroll.from_score(read_midi(write("midi", pianoroll.score(decoded)), "again.mid"))  # type: ignore[arg-type]
    assert again.content == piece.content


def test_groups_cover_all_units():
    layout = Layout(60, 63, stack=2)
    units = [unit for group in layout.groups for unit in range(group.start, group.stop)]
    assert units == list(range(layout.size))


random_notes = st.lists(
    st.tuples(st.integers(0, 96), st.sampled_from([58, 60, 60, 61, 70]), st.integers(0, 40)), min_size=1
)
tracks = st.lists(st.tuples(random_notes, st.sampled_from([0, 3, 42]), st.booleans()), min_size=1, max_size=3)


@given(tracks, st.sampled_from(["round", "drop", "refuse"]), st.booleans(), st.sampled_from(["all", "piano"]))
def test_midi_ticks_give_the_same_piece_as_scores(content, offgrid, onsets, parts):
    """Twelfths of a beat, three per step, so that notes are on and off the grid."""
    music = Score(
        tuple(
            part(*((Fraction(t, 12), p, Fraction(n, 12)) for t, p, n in notes), program=program, percussion=drums)  # type: ignore[misc]
            for notes, program, drums in content
        ),
        meters=(Meter(Fraction(0), 3, 4),),
        keys=(Key(Fraction(0), -1),),
        title="A title",
    )
    data = write("midi", music)
    pianoroll = Pianoroll(PianorollOptions(range="59-90", offgrid=offgrid, onsets=onsets, parts=parts))  # type: ignore[arg-type]
    [piece] = pianoroll.read(source(data, "a.mid"))
    assert piece == pianoroll._read(read_midi(data, "a.mid"), "a.mid", False)


def test_digest_of_a_roll_is_that_of_its_notes():
    piece = roll_of(CHORD, BASS)
    roll = content(piece)
    assert content_digest(piece) == content_digest(Piece((roll.steps, roll.notes)))
