"""Form: bars that return, phrases of four, and a close on the tonic."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.analysis.form import Form, form_of
from composer.analysis.written_parts import written_parts
from composer.api import Key, Note, Part, Score, Section
from composer.formats.abc.reader.score import read_score
from composer.music.melody import top_line

C_MAJOR = Key(Fraction(0), 0)
BARS = {
    "a": [60, 64, 67, 64],
    "b": [62, 65, 69, 65],
    "c": [67, 71, 74, 71],
    "d": [65, 62, 60, 60],
    "e": [64, 62, 64, 65],
    "f": [69, 67, 65, 67],
    "g": [71, 72, 74, 67],
    "h": [64, 67, 62, 60],
}


def tune(plan, key=C_MAJOR, end=None):
    """Return a tune with one bar per letter of `plan`, and `end` as its last note if given."""
    pitches = [pitch for letter in plan for pitch in BARS[letter]]
    pitches[-1] = pitches[-1] if end is None else end
    notes = tuple(Note(Fraction(beat), pitch, Fraction(1)) for beat, pitch in enumerate(pitches))
    return Score((Part(notes),), keys=(key,) if key else ())


def test_repeated_phrases_and_final_tonic_score_1():
    found = form_of(tune("abcdabch" * 2))
    assert found == Form(1, 1, 1)
    assert found.value == 1
    assert found.is_flawless


def test_no_repeats():
    found = form_of(tune("abcdefgh"))
    assert (found.returns, found.phrases) == (0, 0)
    assert found.value == pytest.approx(1 / 3)


def test_too_few_or_too_many_repeats():
    assert form_of(tune("abcdabef")).returns == pytest.approx((2 / 8) / 0.5)
    assert form_of(tune("a" * 20)).returns == pytest.approx((1 / 20) / 0.15)


def test_repeat_at_another_phrase_position():
    assert form_of(tune("abcdeabc")).phrases == 0
    assert form_of(tune("abcdabec")).phrases == pytest.approx(2 / 3)


@pytest.mark.parametrize(("end", "figure"), [(60, 1), (72, 1), (64, 0.5), (67, 0.5), (63, 0), (62, 0), (71, 0)])
def test_cadence_by_last_note(end, figure):
    assert form_of(tune("abcd", end=end)).cadence == figure


@pytest.mark.parametrize(
    ("sharps", "mode", "tonic"),
    [(0, "major", 60), (0, "minor", 69), (1, "major", 67), (-3, "minor", 60), (0, "dorian", 62), (1, "mixolydian", 62)],
)
def test_cadence_by_mode(sharps, mode, tonic):
    assert form_of(tune("abcd", Key(Fraction(0), sharps, mode), end=tonic)).cadence == 1
    third = tonic + (3 if mode in ("minor", "dorian") else 4)
    assert form_of(tune("abcd", Key(Fraction(0), sharps, mode), end=third)).cadence == 0.5


@given(st.integers(-12, 12))
def test_estimated_key(shift):
    score = tune("abcdabch", key=None)
    moved = tuple(Note(note.onset, note.pitch + shift, note.duration) for note in score.notes)
    assert form_of(Score((Part(moved),))) == form_of(tune("abcdabch"))


def test_pickup_and_rests_are_no_repeats():
    notes = [Note(Fraction(0), 67, Fraction(1)), *(Note(n.onset + 1, n.pitch, n.duration) for n in tune("abcd").notes)]
    assert form_of(Score((Part(tuple(notes)),), pickup=Fraction(1))).returns == 0
    apart = (Note(Fraction(0), 60, Fraction(1)), Note(Fraction(60), 62, Fraction(1)))
    assert form_of(Score((Part(apart),))).returns == 0


def parts(*plans, times=2, **options):
    """Return a tune with a section for each plan, each played `times` times."""
    sections, start = [], 0
    for plan in plans:
        end = start + 4 * len(plan) * times
        sections.append(Section(Fraction(start), Fraction(end), times))
        start = end
    return replace(tune("".join(plan * times for plan in plans), **options), sections=tuple(sections))


def test_two_parts_that_close_on_the_tonic_are_flawless():
    found = form_of(parts("abcdabch", "efghefbh"))
    assert (found.closes, found.regular, found.length, found.variety) == (1, 1, 1, 1)
    assert found.is_flawless
    assert 0.9 < found.value < 1, "a flawless tune can still be better"


@pytest.mark.parametrize(
    ("plans", "score", "figure"),
    [
        (("abcdabcg", "efghefbh"), "closes", 0.5),
        (("abcdabch", "abcdabch"), "regular", 0.5),
        (("abcdabch", "efgheh"), "regular", 0.5),
        (("abcdabch", "ehehehah"), "variety", 1 - 2 / 16),
        (("abcdabch", "ehehefgh", "abch" * 6), "length", 33 / 40),
    ],
)
def test_faults_lower_the_value(plans, score, figure):
    good, found = form_of(parts("abcdabch", "efghefbh")), form_of(parts(*plans))
    assert getattr(found, score) == pytest.approx(figure)
    assert not found.is_flawless
    assert found.value < good.value


def test_repeats_of_a_part_are_no_loop():
    assert form_of(parts("abcdabch", "efghefbh", times=4)).variety == 1
    assert form_of(tune("abab" + "cdef")).variety == 1
    assert form_of(tune("ababab" + "cd")).variety == 1 - 2 / 8


def test_written_parts_of_a_tune_with_a_pickup_and_endings():
    text = "X:1\nM:2/4\nL:1/8\nK:C\n|:G|cdef|gagf|edcd|[1e2c:|\n[2c3||\n|:G|gage|fdBG|gage|c3:|\n"
    score = read_score(text)
    assert [(section.times, section.written) for section in score.sections] == [(2, 8), (2, 8)]
    first, second = written_parts(score, top_line(score))
    assert (len(first.bars), len(second.bars)) == (4, 4)
    assert (first.last.pitch, second.last.pitch) == (72, 72)
    assert form_of(score).is_flawless


def test_short_pieces_have_no_form():
    assert form_of(Score(())) == Form(0, 0, 0)
    assert form_of(tune("a", end=60)) == Form(0, 0, 1)
    assert form_of(Score((Part((Note(Fraction(0), 61, Fraction(1)),)),))).cadence == 1
