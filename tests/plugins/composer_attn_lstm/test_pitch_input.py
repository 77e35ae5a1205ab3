"""Frames as one value per pitch."""

import torch

from composer.api import SequenceSpec, StepKind, UnitGroup
from composer_attn_lstm.pitch_input import pitch_values
from composer_attn_lstm.published_layers import PitchInput

SPEC = SequenceSpec(StepKind.FRAMES, size=6, groups=(UnitGroup("onset", 0, 3, 60), UnitGroup("hold", 3, 6, 60)))


def test_onsets_are_one_and_holds_one_half():
    assert pitch_values(SPEC).tolist() == [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.5, 0.0, 0.0],
        [0.0, 0.5, 0.0],
        [0.0, 0.0, 0.5],
    ]


def test_groups_share_the_inputs_of_common_pitches():
    spec = SequenceSpec(StepKind.FRAMES, size=4, groups=(UnitGroup("onset", 0, 2, 60), UnitGroup("hold", 2, 4, 61)))
    assert pitch_values(spec).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0.5, 0], [0, 0, 0.5]]


def test_stacked_steps_have_separate_inputs():
    groups = (UnitGroup("on", 0, 2, 60, substep=0), UnitGroup("on", 2, 4, 60, substep=1))
    assert pitch_values(SequenceSpec(StepKind.FRAMES, size=4, groups=groups)).tolist() == torch.eye(4).tolist()


def test_units_without_group_have_their_own_inputs():
    assert pitch_values(SequenceSpec(StepKind.FRAMES, size=2)).tolist() == [[1, 0], [0, 1]]


def test_jitter_applies_in_training_only():
    frames = torch.tensor([1.0, 0, 0, 0, 1, 0]).expand(50, 40, 6)  # an onset of the lowest pitch, a hold of the next
    pitches = PitchInput(SPEC, jitter=True)
    low, high = pitches(frames).amin((0, 1)), pitches(frames).amax((0, 1))
    for pitch, (low_limit, high_limit) in enumerate([(0.8, 1.0), (0.4, 0.6), (0.0, 0.1)]):
        spread = (high_limit - low_limit) / 10
        assert low_limit <= low[pitch] < low_limit + spread
        assert high_limit - spread < high[pitch] <= high_limit
    assert pitches.eval()(frames)[0, 0].tolist() == [1.0, 0.5, 0.0]
    assert PitchInput(SPEC, jitter=False)(frames)[0, 0].tolist() == [1.0, 0.5, 0.0]
