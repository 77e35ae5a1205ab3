"""Statistics of pieces with values known by hand."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.analysis import statistics as stats
from composer.analysis.metrics import MUSIC, bars_that_return, ends_long, ends_on_the_tonic, longest_return, loops
from composer.analysis.score_features import ScoreFeatures
from composer.api import Meter, Note, Part, Score
from composer.formats.abc.reader.score import read_score

SCALE = "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n"


def score(*notes, meter=(4, 4), percussion=False):
    """Return the features of notes given as (onset, pitch, duration) in beats."""
    made = tuple(Note(Fraction(onset), pitch, Fraction(duration)) for onset, pitch, duration in notes)
    return ScoreFeatures(Score((Part(made, percussion=percussion),), meters=(Meter(Fraction(0), *meter),)))


def features(text):
    """Return the features of an ABC tune."""
    return ScoreFeatures(read_score(text))


def test_pitches():
    music = features(SCALE)
    assert (stats.pitches_used(music), stats.pitch_classes_used(music), stats.pitch_range(music)) == (8, 7, 12)
    assert stats.pitch_entropy(music) == pytest.approx(3)
    assert stats.pitch_class_entropy(music) == pytest.approx(6 / 8 * 3 + 2 / 8 * 2), "C occurs twice"
    assert stats.scale_consistency(music) == 1
    assert stats.scale_consistency(features(SCALE.replace("GABc", "GA^AB"))) == 7 / 8


def test_minor_scale():
    assert stats.scale_consistency(features("X:1\nM:4/4\nL:1/4\nK:Am\nABcd|efga|\n")) == 1


def test_intervals():
    music = features("X:1\nM:4/4\nL:1/4\nK:C\nCCDG|\n")
    assert stats.interval_size(music) == pytest.approx((0 + 2 + 5) / 3)
    assert stats.share_of_intervals(music, 0, 0) == pytest.approx(1 / 3)
    assert stats.share_of_intervals(music, 5) == pytest.approx(1 / 3)


def test_polyphony():
    music = score((0, 60, 2), (1, 64, 2), (4, 67, 1))
    assert stats.polyphony(music) == pytest.approx((1 + 2 + 1 + 1) / 4), "silence does not count"
    assert stats.polyphony_rate(music) == pytest.approx(1 / 5), "silence does"


def test_unison_counts_once():
    assert stats.polyphony(score((0, 60, 2), (0, 60, 1))) == 1


def test_silent_beats_and_bars():
    music = score((0, 60, 1), (Fraction(5, 2), 62, 1), (12, 64, 1))
    assert stats.empty_beat_rate(music) == pytest.approx(9 / 13), "0, 2, 3 and 12 are not"
    assert stats.empty_bar_rate(music) == pytest.approx(2 / 4)


def test_groove_consistency():
    assert stats.groove_consistency(features(SCALE)) == 1
    half = features("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|G2c2|\n")
    assert stats.groove_consistency(half) == pytest.approx(1 - 2 / 96), "2 of 4 times 24 positions differ"
    assert stats.groove_consistency(score((0, 60, 1))) is None


def test_groove_ignores_a_pickup():
    assert stats.groove_consistency(features("X:1\nM:4/4\nL:1/4\nK:C\nG|cdef|gfed|\n")) == 1


def test_drums_sound_but_have_no_pitch():
    drums = score((0, 36, 1), (1, 38, 1), percussion=True)
    assert (stats.pitches_used(drums), stats.polyphony(drums), stats.empty_beat_rate(drums)) == (None, None, 0)


def test_silence_has_no_values():
    assert {metric.name: metric.compute(ScoreFeatures(Score(()))) for metric in MUSIC} == {
        metric.name: None for metric in MUSIC
    }


NOTES = st.lists(
    st.tuples(st.integers(0, 64), st.integers(30, 90), st.integers(1, 12)).map(
        lambda each: (Fraction(each[0], 4), each[1], Fraction(each[2], 4))
    ),
    min_size=1,
    max_size=20,
)


@given(NOTES)
def test_ranges_of_values(notes):
    for metric in MUSIC:
        value = metric.compute(score(*notes))
        assert value is None or (0 <= value <= (1 if metric.is_share else math.inf)), metric.name


@given(NOTES, st.integers(-20, 20))
def test_transposition_changes_nothing(notes, shift):
    moved = [(onset, pitch + shift, duration) for onset, pitch, duration in notes]
    for metric in MUSIC:
        if metric.name not in (
            "ends_on_the_tonic",
            "tonic_in_the_bass",
        ):  # the key is estimated, and ties may break differently
            assert metric.compute(score(*moved)) == pytest.approx(metric.compute(score(*notes))), metric.name


@given(NOTES)
def test_polyphony_equals_counting(notes):
    sounding = [
        len({pitch for onset, pitch, duration in notes if onset <= Fraction(tick, 4) < onset + duration})
        for tick in range(4 * 20)
    ]
    voices = [pitches for pitches in sounding if pitches]
    end = max(onset + duration for onset, _, duration in notes)
    assert stats.polyphony(score(*notes)) == pytest.approx(sum(voices) / len(voices))
    assert stats.polyphony_rate(score(*notes)) == pytest.approx(sum(each > 1 for each in voices) / (4 * float(end)))


TUNE = "X:1\nM:4/4\nL:1/4\nK:G\n|:GABc|d2B2|cBAF|G4:|\n"


class TestForm:
    def test_repeated_part(self):
        assert bars_that_return(features(TUNE)) == pytest.approx(4 / 8)
        assert longest_return(features(TUNE)) == 4
        once = features(TUNE.replace("|:", "").replace(":|", "|"))
        assert (bars_that_return(once), longest_return(once)) == (0, 0)

    def test_repeats_do_not_overlap(self):
        assert longest_return(features("X:1\nM:4/4\nL:1/4\nK:G\nGABc|GABc|GABc|GABc|\n")) == 2

    def test_loops(self):
        assert (loops(features(TUNE)), loops(features(TUNE.replace("|:GABc|", "|:GABc|GABc|GABc|")))) == (0, 1)

    def test_voice_leading_is_measured_in_voices_only(self):
        names = ("clashes", "outer_parallels", "tonic_in_the_bass")
        of = {metric.name: metric.compute for metric in MUSIC if metric.name in names}
        voices = score((0, 48, 2), (0, 64, 1), (1, 67, 1), (2, 60, 2), (2, 76, 1), (3, 71, 1))
        assert {name: compute(voices) for name, compute in of.items()} == {
            "clashes": 0.25, "outer_parallels": 0, "tonic_in_the_bass": 1
        }  # fmt: skip
        assert {compute(features(TUNE)) for compute in of.values()} == {None}

    def test_ending(self):
        assert (ends_on_the_tonic(features(TUNE)), ends_long(features(TUNE))) == (1, 1)
        open_end = features(TUNE.replace("G4:|", "GFED:|"))
        assert (ends_on_the_tonic(open_end), ends_long(open_end)) == (0, 0)
