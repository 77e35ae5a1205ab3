"""Controls on notes that representations share."""

from dataclasses import replace
from fractions import Fraction

import pytest

from composer.api import GenerationContext, Note, OptionError, Part, Piece, Score, Unsatisfiable
from composer.toolkit.representations.note_controls import (
    NoteControls,
    held_note_error,
    in_meter,
    kept_steps,
    ranges_of,
    source_tune,
    total_steps,
)
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, Roll

SIXTEENTHS = Fraction(4)
ROLL = Roll.from_notes(4, [GridNote(0, 61, 4)])


@pytest.mark.parametrize(
    "invalid",
    [{"bars": -1}, {"bars": 2000}, {"meter": "none"}, {"density": "0"}, {"density": "fast"}, {"range": "9-4"},
     {"keep_bars": "9-4"}, {"key": "H"}, {"scale": "D x"}],
)  # fmt: skip
def test_invalid_controls(invalid):
    with pytest.raises(OptionError) as caught:
        NoteControls(**invalid)
    assert caught.value.hint


def test_pitches():
    assert NoteControls().pitches([62, 61, 60]) == (60, 61, 62)
    assert NoteControls(range="C4-E4").pitches(range(48, 85)) == (60, 61, 62, 63, 64)
    assert NoteControls(range="C4-E4", key="C").pitches(range(48, 85)) == (60, 62, 64)
    with pytest.raises(Unsatisfiable, match="--range 61-61"):
        NoteControls(range="61-61", key="C").pitches(range(48, 85))


def test_bars_determine_the_length():
    assert total_steps(NoteControls(), None, {}, SIXTEENTHS) is None
    assert total_steps(NoteControls(bars=3), None, {}, SIXTEENTHS) == 48
    assert total_steps(NoteControls(bars=3, meter="6/8"), None, {}, SIXTEENTHS) == 36
    with pytest.raises(Unsatisfiable, match="--bars 3 contradicts --meter 6/8"):
        total_steps(NoteControls(bars=3, meter="6/8"), None, {}, SIXTEENTHS, together=8)


def test_primer_labels_give_meter_and_pickup():
    primer_labels = {"meter": "3/4", "pickup": "1/2"}
    assert total_steps(NoteControls(bars=2), None, primer_labels, SIXTEENTHS) == 2 + 24
    assert total_steps(NoteControls(bars=2, meter="4/4"), None, primer_labels, SIXTEENTHS) == 2 + 32


def test_infilled_tune_keeps_its_length():
    assert total_steps(NoteControls(keep_bars="1"), 40, {}, SIXTEENTHS) == 40
    with pytest.raises(Unsatisfiable, match="--keep-bars 1 contradicts --bars 4: an infilled tune"):
        total_steps(NoteControls(keep_bars="1", bars=4), 40, {}, SIXTEENTHS)


def test_length_control():
    assert NoteControls(bars=4).length_control == "--bars 4"
    assert NoteControls(keep_bars="2-3").length_control == "--keep-bars 2-3"


def test_meter_of_the_tune_or_the_controls():
    assert in_meter(Piece(()), NoteControls(meter="6/8", keep_bars="1")).labels == {"meter": "6/8"}
    assert in_meter(Piece((), labels={"meter": "2/4"}), NoteControls(keep_bars="1")).labels == {"meter": "2/4"}
    with pytest.raises(Unsatisfiable, match="--keep-bars 1 contradicts --meter 6/8: the tune is in 2/4"):
        in_meter(Piece((), labels={"meter": "2/4"}), NoteControls(meter="6/8", keep_bars="1"))


@pytest.mark.parametrize(("key", "scale"), [("Gm", ""), ("bb", ""), ("Bb", "blues"), ("", "G harmonic minor")])
def test_keys_with_the_notes_of_the_tune(key, scale):
    context = GenerationContext(tune=Piece(ROLL, labels={"key": "Bb", "mode": "major"}))
    assert source_tune(Pianoroll(), NoteControls(key=key, scale=scale, keep_bars="1"), context)


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ({"key": "C"}, "--key C contradicts --keep-bars 1: the tune is in Bb"),
        ({"key": "C", "scale": "blues"}, "--key C contradicts --keep-bars 1: the tune is in Bb"),
        ({"scale": "D dorian"}, "--scale D dorian contradicts --keep-bars 1: the tune is in Bb"),
    ],
)
def test_keys_that_contradict_the_tune(controls, message):
    context = GenerationContext(tune=Piece(ROLL, labels={"key": "Bb", "mode": "major"}))
    with pytest.raises(Unsatisfiable) as error:
        source_tune(Pianoroll(), NoteControls(keep_bars="1", **controls), context)
    assert error.value.message == message
    recorded = replace(context, rules=2)  # before this was checked
    assert source_tune(Pianoroll(), NoteControls(keep_bars="1", **controls), recorded)


def test_a_tune_whose_key_is_unknown_takes_any():
    assert source_tune(Pianoroll(), NoteControls(keep_bars="1", key="C"), GenerationContext(tune=Piece(ROLL)))


def test_steps_of_kept_bars():
    score = Score((Part((Note(Fraction(0), 60, Fraction(16)),)),))
    steps = kept_steps("1,3-4", score, Fraction(1))
    assert steps == [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15]
    assert ranges_of(steps) == [(0, 4), (8, 16)]


@pytest.mark.parametrize(
    ("controls", "words"),
    [
        ({"range": "70-76", "key": "C"}, "--range 70-76"),
        ({"range": "60-76", "key": "C"}, "--key C"),
        ({"scale": "D blues"}, "--scale D blues"),
    ],
)
def test_held_note_error_names_the_control(controls, words):
    error = held_note_error(61, NoteControls(keep_bars="3", **controls))
    assert error.message == f"--keep-bars 3 contradicts {words}: C#4 is held into a kept bar"
