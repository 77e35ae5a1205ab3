"""Frames as one value for each pitch."""

import torch

from composer.api import SequenceSpec, StepKind, UnitGroup
from composer_attn_lstm.network import PitchInput
from composer_attn_lstm.pitch_input import pitch_values

SPEC = SequenceSpec(StepKind.FRAMES, size=6, groups=(UnitGroup("onset", 0, 3, 60), UnitGroup("hold", 3, 6, 60)))


def test_a_struck_note_is_one_and_a_held_one_half():
    assert pitch_values(SPEC).tolist() == [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.5, 0.0, 0.0],
        [0.0, 0.5, 0.0],
        [0.0, 0.0, 0.5],
    ]


def test_groups_meet_where_their_pitches_do():
    spec = SequenceSpec(StepKind.FRAMES, size=4, groups=(UnitGroup("onset", 0, 2, 60), UnitGroup("hold", 2, 4, 61)))
    assert pitch_values(spec).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0.5, 0], [0, 0, 0.5]]


def test_stacked_steps_have_inputs_of_their_own():
    groups = (UnitGroup("on", 0, 2, 60, substep=0), UnitGroup("on", 2, 4, 60, substep=1))
    assert pitch_values(SequenceSpec(StepKind.FRAMES, size=4, groups=groups)).tolist() == torch.eye(4).tolist()


def test_units_of_no_group_come_in_as_they_are():
    assert pitch_values(SequenceSpec(StepKind.FRAMES, size=2)).tolist() == [[1, 0], [0, 1]]


def test_jitter_blurs_values_in_training_alone():
    frames = torch.tensor([1.0, 0, 0, 0, 1, 0]).expand(50, 40, 6)  # the lowest pitch struck, the next held
    pitches = PitchInput(SPEC, jitter=True)
    low, high = pitches(frames).amin((0, 1)), pitches(frames).amax((0, 1))
    for pitch, (least, most) in enumerate([(0.8, 1.0), (0.4, 0.6), (0.0, 0.1)]):
        spread = (most - least) / 10
        assert least <= low[pitch] < least + spread
        assert most - spread < high[pitch] <= most
    assert pitches.eval()(frames)[0, 0].tolist() == [1.0, 0.5, 0.0]
    assert PitchInput(SPEC, jitter=False)(frames)[0, 0].tolist() == [1.0, 0.5, 0.0]
