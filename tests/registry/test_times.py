"""The guard of what a representation says about time."""

from fractions import Fraction

import pytest
from unpitched_plugins import Performance

from composer.api import Note, Part, Piece, PluginError, Score, Tempo
from composer.registry.class_checks import check_class
from composer.registry.guard import Owner, guard_representation

STEPS = [60, 178, 228]


def guarded(**members):
    kind = type("Broken", (Performance,), members)
    return guard_representation(kind, Owner("broken", "composer-broken 1.0"), None)()


def test_times_and_scores_of_a_healthy_representation_pass():
    healthy = guarded()
    assert healthy.times(STEPS) == [0, 0, Fraction(51, 100)]
    assert guarded(times=lambda self, steps: None).times(STEPS) is None
    assert guarded(times=lambda self, steps: [2, 0.5, 1]).times(STEPS) == [2, 0.5, 1]
    assert healthy.score(Piece((60,))).notes == (Note(Fraction(0), 60, Fraction(1, 2)),)


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        ([0, 0], "it returned 2 onsets for 3 steps"),
        (3, "it returned 3, not a list of onsets or None"),
        (["a", "b", "c"], "an onset must be a number from 0, not 'a'"),
        ([0, -1, 2], "an onset must be a number from 0, not -1"),
        ([0, float("nan"), 2], "an onset must be a number from 0, not nan"),
    ],
)
def test_faults_of_times(times, fault):
    with pytest.raises(PluginError, match="failed in times: ") as caught:
        guarded(times=lambda self, steps: times).times(STEPS)
    assert fault in caught.value.message


def test_absolute_time_is_at_120_bpm():
    def score(self, piece):
        return Score((Part((Note(Fraction(0), 60, Fraction(1)),)),), tempos=(Tempo(Fraction(0), 90.0),))

    with pytest.raises(PluginError, match="scores must be at 120 BPM, not 90"):
        guarded(score=score).score(Piece((60,)))
    assert guarded(score=score, absolute_time=False).score(Piece((60,))).tempos[0].bpm == 90


def test_absolute_time_is_true_or_false():
    with pytest.raises(PluginError, match="`absolute_time` of Broken must be of type bool"):
        check_class(type("Broken", (Performance,), {"absolute_time": "yes"}))
