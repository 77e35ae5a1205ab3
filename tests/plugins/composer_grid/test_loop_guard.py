"""Melodies do not repeat a passage of bars too often in a row."""

import numpy as np
import pytest

from composer.api import GenerationContext, Piece
from composer.api.testing.constraints import check_controls
from composer_grid import Grid, GridControls, GridOptions
from composer_grid.base_constraint import FIRST, GridConstraint
from composer_grid.loop_guard import LoopGuard

A, B, C = FIRST, FIRST + 1, FIRST + 2
HOLD, REST = 1, 2


def allowed(*steps, bar=2, pickup=0, limit=2):
    """Return the pitches that may follow."""
    guard = LoopGuard(GridConstraint(6), bar, pickup, limit)
    mask = guard.allowed(guard.start(steps))
    return [pitch for pitch in (A, B, C) if mask >> pitch & 1]


def test_a_bar_does_not_come_a_third_time():
    assert allowed(A, B, A, B) == [B, C]
    assert allowed(A, B, A, B, limit=3) == [A, B, C]
    assert allowed(A, B, A, B, A, B, limit=3) == [B, C]
    assert allowed(A, B, C, B, A, B) == [A, B, C]


def test_a_passage_of_bars_does_not_come_a_third_time():
    assert allowed(A, B, C, B, A, B, C, B) == [A, B, C], "its first bar may"
    assert allowed(A, B, C, B, A, B, C, B, A, B) == [A, B]


def test_only_onsets_count():
    assert allowed(A, HOLD, A, REST) == [B, C]
    assert allowed(A, HOLD, HOLD, HOLD) == [A, B, C], "another bar"
    assert allowed(REST, HOLD, HOLD, HOLD) == [A, B, C], "silence is no passage"


def test_the_first_onset_is_another_one():
    assert allowed(REST, A, REST, A) == [A, B, C]
    assert allowed(REST, A, REST, A, REST) == [B, C]
    assert allowed(REST, A, REST, A, B) == [A, B, C]


def test_bars_of_thousands_of_steps():
    long = (A, *[HOLD] * 4798, B)
    assert allowed(*long, *long, bar=4800) == [B, C]


def test_hundreds_of_passages():
    passage = (A, A, B, B, C, C, A, B, C, C, B, A, A, C, B, A)
    steps = passage * 1000 + passage[:-2]
    assert allowed(*steps, limit=1000) == [A, C]
    assert allowed(*steps, limit=1001) == [A, B, C]


def test_bars_begin_after_the_pickup():
    assert allowed(C, A, B, A, B, pickup=1) == [B, C]


def test_what_is_left_may_repeat():
    guard = LoopGuard(GridConstraint(6, pitches=1 << A), 1, 0, 2)
    assert guard.allowed(guard.start((A, A))) >> HOLD & 1
    assert not guard.allowed(guard.start((A, A))) >> A & 1


def grid(**options):
    fitted = Grid(GridOptions(step="1/4", **options))
    fitted.fit([Piece(("60", "62", "64", "_") * 4, labels={"meter": "2/4"})])
    return fitted


@pytest.mark.parametrize("positions", [False, True])
@pytest.mark.parametrize("controls", [GridControls(), GridControls(bars=5), GridControls(density="1")])
def test_random_melodies_have_no_loops(positions, controls):
    fitted, rng = grid(positions=positions), np.random.default_rng(1)
    context = GenerationContext(length=13, labels={"meter": "2/4"})
    plan = next(iter(fitted.plans(controls, context)), None)
    constraint = fitted.constraint(controls, GenerationContext(length=13, plan=plan, labels=context.labels))
    assert isinstance(constraint, LoopGuard)
    for _ in range(30):
        state, steps = constraint.start(()), []
        while len(steps) < 10 and not (mask := constraint.allowed(state)) & 1:
            steps.append(int(rng.choice([each for each in range(6) if mask >> each & 1])))
            state = constraint.step(state, steps[-1])
        bars = [
            tuple(each if each >= FIRST else 0 for each in steps[at : at + 2]) for at in range(0, len(steps) - 1, 2)
        ]
        assert not [at for at in range(2, len(bars)) if bars[at] == bars[at - 1] == bars[at - 2] != (0, 0)]


@pytest.mark.parametrize("controls", [GridControls(repeat_limit=1), GridControls(bars=6), GridControls(keep_bars="2")])
def test_the_contract_holds(controls):
    tune = Piece(("60", "_", "62", "_") * 6, labels={"meter": "2/4"})
    assert " steps from " in check_controls(grid(positions=True), [tune], controls)


def test_the_limit_and_the_rules_of_recorded_pieces():
    fitted, primer = grid(), tuple(grid().ids[each] for each in ("60", "62", "60", "62"))
    context = GenerationContext(primer=primer, labels={"meter": "2/4"})
    for controls, expected in ((None, False), (GridControls(repeat_limit=3), True)):
        constraint = fitted.constraint(controls, context)
        assert bool(constraint.allowed(constraint.start(primer)) >> primer[0] & 1) is expected
    old = fitted.constraint(None, GenerationContext(primer=primer, labels={"meter": "2/4"}, rules=1))
    assert isinstance(old, GridConstraint)
