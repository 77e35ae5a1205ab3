"""Faults of voice leading, and the weights of the frames that make them."""

import pytest

from composer.api import GenerationContext, OptionError, Piece, Source
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.voice_leading import FAULT, Closing, parallels

MELODY = Piece(Roll.from_notes(12, [GridNote(0, 67, 4), GridNote(4, 69, 4), GridNote(8, 72, 4)]), labels={"key": "C"})


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ((48, 55), (50, 57), 1),
        ((48, 67), (47, 66), 1),
        ((48, 60), (53, 65), 1),
        ((48, 55), (48, 55), 0),
        ((48, 55), (48, 57), 0),
        ((48, 55), (52, 57), 0),
        ((48, 56), (50, 58), 0),
        ((48, 55, 60), (50, 57, 62), 2),
        ((48, 52, 55), (50, 57), 1),
        ((48, 52, 55), (50, 54, 57, 62), 0),
        ((), (48, 55), 0),
        ((48,), (50,), 0),
    ],
)
def test_parallel_fifths_and_octaves(before, after, count):
    assert parallels(before, after) == count


@pytest.mark.parametrize(
    ("key", "pitches", "count"),
    [
        ("C", (48, 55, 64, 72), 0),
        ("C", (52, 55, 60, 72), 1),
        ("C", (48, 57, 64, 72), 1),
        ("C", (48, 55, 60, 72), 1),
        ("C", (48, 55, 63, 72), 2),
        ("C", (), 2),
        ("Am", (45, 52, 60, 69), 0),
        ("Am", (45, 52, 61, 69), 0),
        ("Am", (45, 60, 61, 69), 1),
    ],
)
def test_faults_of_the_last_chord(key, pitches, count):
    assert Closing.of({"key": key}, 0, 72 if key == "C" else 69).faults(pitches) == count


@pytest.mark.parametrize(("labels", "pitch"), [({}, 72), ({"key": "C"}, 71), ({"key": "C"}, 63)])
def test_melodies_that_do_not_close_in_their_key(labels, pitch):
    assert Closing.of(labels, 0, pitch) is None


def test_a_tune_closes_in_its_last_key(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|[K:A]ABcd|A4|]\n")
    (tune,) = Pianoroll().read(Source(path, infill=True))
    assert Closing.of(tune.labels, 0, 69) == Closing(0, 9, (4,))
    assert next(Pianoroll().read(Source(path))).labels == {"meter": "4/4", "key": "C", "mode": "major"}


@pytest.mark.parametrize("stack", [1, 4])
def test_weights_of_frames(stack):
    """The bass follows the melody in fifths; then a chord without its third closes the tune."""
    pianoroll = Pianoroll(PianorollOptions(stack=stack))
    controls = PianorollControls(keep_voices="top", voice_leading=True)
    constraint = pianoroll.constraint(controls, GenerationContext(tune=MELODY))
    basses = [GridNote(0, 60, 4), GridNote(4, 62, 4), GridNote(8, 60, 4)]
    roll = Roll.from_notes(12, [*MELODY.content.notes, *basses])
    state, found = constraint.start(()), {}
    for number, frame in enumerate(pianoroll.prime(Piece(roll))):
        if weight := constraint.log_weight(state, frame):
            found[number] = weight
        state = constraint.step(state, frame)
    assert found == {4 // stack: FAULT, 11 // stack: FAULT}


def test_voice_leading_is_around_a_kept_voice():
    with pytest.raises(OptionError, match="--voice-leading needs --keep-voices"):
        PianorollControls(voice_leading=True)
