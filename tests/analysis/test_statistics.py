"""What is measured of a piece, on pieces for which it can be said by hand."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.analysis import statistics as measured
from composer.analysis.metrics import MUSIC, bars_that_return, ends_long, ends_on_the_tonic, longest_return
from composer.analysis.score_features import ScoreFeatures
from composer.api import Meter, Note, Part, Score
from composer.formats.abc.reader.score import read_score

SCALE = "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n"


def score(*notes, meter=(4, 4), percussion=False):
    """Notes as (onset, pitch, duration) in beats."""
    made = tuple(Note(Fraction(onset), pitch, Fraction(duration)) for onset, pitch, duration in notes)
    return ScoreFeatures(Score((Part(made, percussion=percussion),), meters=(Meter(Fraction(0), *meter),)))


def heard(text):
    """A tune in ABC."""
    return ScoreFeatures(read_score(text))


def test_pitches():
    music = heard(SCALE)
    assert (measured.pitches_used(music), measured.pitch_classes_used(music), measured.pitch_range(music)) == (8, 7, 12)
    assert measured.pitch_entropy(music) == pytest.approx(3)
    assert measured.pitch_class_entropy(music) == pytest.approx(6 / 8 * 3 + 2 / 8 * 2), "C is there twice"
    assert measured.scale_consistency(music) == 1
    assert measured.scale_consistency(heard(SCALE.replace("GABc", "GA^AB"))) == 7 / 8


def test_a_minor_scale_is_one_of_the_scales():
    assert measured.scale_consistency(heard("X:1\nM:4/4\nL:1/4\nK:Am\nABcd|efga|\n")) == 1


def test_intervals_of_the_melody():
    music = heard("X:1\nM:4/4\nL:1/4\nK:C\nCCDG|\n")
    assert measured.interval_size(music) == pytest.approx((0 + 2 + 5) / 3)
    assert measured.share_of_intervals(music, 0, 0) == pytest.approx(1 / 3)
    assert measured.share_of_intervals(music, 5) == pytest.approx(1 / 3)


def test_pitches_that_sound_together():
    music = score((0, 60, 2), (1, 64, 2), (4, 67, 1))
    assert measured.polyphony(music) == pytest.approx((1 + 2 + 1 + 1) / 4), "silence does not count"
    assert measured.polyphony_rate(music) == pytest.approx(1 / 5), "silence does"


def test_a_pitch_that_two_voices_hold_is_one():
    assert measured.polyphony(score((0, 60, 2), (0, 60, 1))) == 1


def test_silent_beats_and_bars():
    music = score((0, 60, 1), (Fraction(5, 2), 62, 1), (12, 64, 1))
    assert measured.empty_beat_rate(music) == pytest.approx(9 / 13), "0, 2, 3 and 12 are not"
    assert measured.empty_bar_rate(music) == pytest.approx(2 / 4)


def test_a_groove_that_is_kept_and_one_that_is_not():
    assert measured.groove_consistency(heard(SCALE)) == 1
    half = heard("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|G2c2|\n")
    assert measured.groove_consistency(half) == pytest.approx(1 - 2 / 96), "2 of 4 times 24 places differ"
    assert measured.groove_consistency(score((0, 60, 1))) is None


def test_an_upbeat_is_no_bar_of_the_groove():
    assert measured.groove_consistency(heard("X:1\nM:4/4\nL:1/4\nK:C\nG|cdef|gfed|\n")) == 1


def test_drums_sound_but_have_no_pitch():
    drums = score((0, 36, 1), (1, 38, 1), percussion=True)
    assert (measured.pitches_used(drums), measured.polyphony(drums), measured.empty_beat_rate(drums)) == (None, None, 0)


def test_nothing_is_said_of_silence():
    assert {measure.name: measure.compute(ScoreFeatures(Score(()))) for measure in MUSIC} == {
        measure.name: None for measure in MUSIC
    }


NOTES = st.lists(
    st.tuples(st.integers(0, 64), st.integers(30, 90), st.integers(1, 12)).map(
        lambda each: (Fraction(each[0], 4), each[1], Fraction(each[2], 4))
    ),
    min_size=1,
    max_size=20,
)


@given(NOTES)
def test_shares_are_shares_and_what_can_be_said_is_finite(notes):
    for measure in MUSIC:
        value = measure.compute(score(*notes))
        assert value is None or (0 <= value <= (1 if measure.is_share else math.inf)), measure.name


@given(NOTES, st.integers(-20, 20))
def test_in_another_key_a_piece_is_as_it_was(notes, shift):
    there = [(onset, pitch + shift, duration) for onset, pitch, duration in notes]
    for measure in MUSIC:
        if measure.name != "ends_on_the_tonic":  # heard where no key is named, and ties may be heard otherwise
            assert measure.compute(score(*there)) == pytest.approx(measure.compute(score(*notes))), measure.name


@given(NOTES)
def test_polyphony_is_what_counting_every_quarter_of_a_beat_gives(notes):
    sounding = [
        len({pitch for onset, pitch, duration in notes if onset <= Fraction(tick, 4) < onset + duration})
        for tick in range(4 * 20)
    ]
    heard = [pitches for pitches in sounding if pitches]
    end = max(onset + duration for onset, _, duration in notes)
    assert measured.polyphony(score(*notes)) == pytest.approx(sum(heard) / len(heard))
    assert measured.polyphony_rate(score(*notes)) == pytest.approx(sum(each > 1 for each in heard) / (4 * float(end)))


TUNE = "X:1\nM:4/4\nL:1/4\nK:G\n|:GABc|d2B2|cBAF|G4:|\n"


class TestForm:
    def test_a_part_that_is_repeated_returns(self):
        assert bars_that_return(heard(TUNE)) == pytest.approx(4 / 8)
        assert longest_return(heard(TUNE)) == 4
        once = heard(TUNE.replace("|:", "").replace(":|", "|"))
        assert (bars_that_return(once), longest_return(once)) == (0, 0)

    def test_a_bar_that_goes_on_and_on_returns_without_overlapping_itself(self):
        assert longest_return(heard("X:1\nM:4/4\nL:1/4\nK:G\nGABc|GABc|GABc|GABc|\n")) == 2

    def test_a_close(self):
        assert (ends_on_the_tonic(heard(TUNE)), ends_long(heard(TUNE))) == (1, 1)
        open_end = heard(TUNE.replace("G4:|", "GFED:|"))
        assert (ends_on_the_tonic(open_end), ends_long(open_end)) == (0, 0)
