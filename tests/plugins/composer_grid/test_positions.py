"""Positions in grids: counted from the plan, the same in training and generation, and kept when generating."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import EncodeError, GenerationContext, Meter, Note, Part, Piece, Score, Unsatisfiable
from composer.api.testing import check_representation, source
from composer_grid import Grid, GridControls, GridOptions

POSITIONS = GridOptions(positions=True)
SOURCES = [source("60 _ _ _ 62 _ 64 _ r _ 60 _ _ _ _ _ 67 _\n", "1.tokens"), source("r 62 _ _ 60\n67", "2.tokens")]


def tune(steps, **labels):
    return Piece(("60", *["_"] * (steps - 1)), source=f"a tune of {steps} steps", labels=labels)


def grid(*pieces, **options):
    fitted = Grid(GridOptions(positions=True, **options))
    fitted.fit(pieces)
    return fitted


def features(representation, piece):
    """Return the position, the bar and the bars left of each step."""
    return list(representation.step_features(piece, representation.encode(piece)))


def test_the_contract_holds():
    check_representation(Grid, SOURCES, POSITIONS)


def test_steps_count_in_bars_of_the_meter():
    piece = tune(18, meter="2/4")
    counted = features(grid(piece), piece)
    assert grid(piece).spec.features == {"position": 8, "bar": 5, "left": 4}
    assert [position for position, _, _ in counted] == [*range(8), *range(8), 0, 1, 2]
    assert [bar for _, bar, _ in counted] == [1] * 8 + [2] * 8 + [3] * 3
    assert [left for _, _, left in counted] == [2] * 8 + [1] * 8 + [0] * 3


def test_a_pickup_is_bar_0_and_counts_to_the_end_of_its_bar():
    piece = tune(6, meter="3/8", pickup="1/2")
    counted = features(grid(piece), piece)
    assert counted == [(4, 0, 1), (5, 0, 1), (0, 1, 0), (1, 1, 0), (2, 1, 0), (3, 1, 0), (4, 1, 0)]


def test_the_ends_of_phrases_are_counted_down():
    """By phrase marks, which say more than fermatas."""
    piece = tune(16, meter="2/4", phrases="1 3", fermatas="3")
    fitted = grid(piece)
    assert fitted.training_plans == {"2/4,2,,,1 3": 1}
    assert [phrase for *_, phrase in features(fitted, piece)[::4]] == [2, 1, 2, 1, 18]
    assert {phrase for *_, phrase in features(fitted, tune(16, meter="2/4"))} == {0}, "unknown"


def test_marks_of_a_score_are_labels_that_some_training_pieces_lack():
    notes = tuple(Note(Fraction(at), 60 + at, Fraction(1)) for at in range(8))
    marks = {"phrase_ends": (Fraction(3),), "fermatas": (Fraction(7),)}
    piece = grid().from_score(Score((Part(notes),), meters=(Meter(Fraction(0), 2, 4),), **marks))
    assert piece.labels == {"meter": "2/4", "phrases": "3", "fermatas": "7"}
    views = [grid().training_view(replace(piece, content=(str(pitch), "_"))) for pitch in range(40, 100)]
    assert {str(view.labels) for view in views} == {str({"meter": "2/4"}), str(dict(piece.labels))}
    assert 0.2 < sum(len(view.labels) == 1 for view in views) / len(views) < 0.45
    assert Grid().training_view(piece) is piece


def test_without_a_meter_bars_are_in_common_time():
    assert grid(tune(40)).training_plans == {"4/4,3": 1}


def test_without_the_option_nothing_changes():
    plain = Grid()
    plain.fit([tune(40)])
    assert (plain.spec.features, plain.plan(tune(40)), plain.plans(None, GenerationContext())) == ({}, None, {})
    assert "plans" not in plain.state()


def test_plans_survive_a_checkpoint():
    fitted, other = grid(tune(40), tune(40), tune(12, meter="3/4")), Grid(POSITIONS)
    other.restore(fitted.state())
    assert other.training_plans == {"3/4,1": 1, "4/4,3": 2}
    assert other.spec == fitted.spec


@given(st.integers(0, 10**6), st.sampled_from(["4/4,2", "3/4,3", "3/4,2,1", "3/8,1"]))
def test_pieces_end_in_the_last_bar_of_their_plan(seed, plan):
    fitted = grid(tune(32), tune(36, meter="3/4"), tune(28, meter="3/4", pickup="1"), tune(6, meter="3/8"))
    constraint = fitted.constraint(None, GenerationContext(plan=plan))
    random, state, steps = np.random.default_rng(seed), constraint.start(()), []
    while not steps or steps[-1]:
        ending = constraint.complete(state)
        mask = constraint.allowed(state)
        assert mask >> ending[0] & 1, "an ending begins with an allowed symbol"
        steps.append(int(random.choice([symbol for symbol in range(fitted.spec.size) if mask >> symbol & 1])))
        state = constraint.step(state, steps[-1])
    meter, _, pickup = (plan + ",0").split(",")[:3]
    piece = Piece(fitted.decode(steps).content, labels={"meter": meter, "pickup": pickup})
    assert fitted.plan(piece) == plan
    assert fitted.score(piece).notes


def test_a_density_is_kept_over_the_bars_of_the_plan():
    fitted = grid(tune(32))
    constraint = fitted.constraint(GridControls(density="1"), GenerationContext(plan="4/4,2"))
    steps = constraint.complete(constraint.start(()))
    assert len(steps) == 33
    assert 7 <= sum(step > 2 for step in steps) <= 9


def test_plans_follow_the_controls():
    fitted = grid(tune(32), tune(32), tune(24, meter="3/4"))
    plans = fitted.plans
    assert plans(None, GenerationContext()) == {"4/4,2": 2, "3/4,2": 1}
    assert plans(GridControls(meter="3/4"), GenerationContext()) == {"3/4,2": 1}
    assert plans(GridControls(bars=5), GenerationContext()) == {"4/4,5": 2, "3/4,5": 1}
    assert plans(GridControls(bars=5, meter="6/8"), GenerationContext()) == {"6/8,5": 3}
    assert plans(GridControls(meter="2/4"), GenerationContext()) == {"2/4,2": 3}, "the bars of pieces in other meters"
    assert plans(None, GenerationContext(length=20)) == {"4/4,2": 2, "3/4,2": 1}, "shorter than any training piece"
    assert fitted.plan_labels("3/4,2,1") == {"meter": "3/4", "pickup": "1"}


@pytest.mark.parametrize("bars", [2, 5])
def test_bars_are_in_the_meter_and_after_the_pickup_of_the_training_pieces(bars):
    fitted, controls = grid(tune(28, meter="3/4", pickup="1")), GridControls(bars=bars)
    assert fitted.plans(controls, GenerationContext()) == {f"3/4,{bars},1": 1}
    constraint = fitted.constraint(controls, GenerationContext(plan=f"3/4,{bars},1"))
    assert len(constraint.complete(constraint.start(()))) == 4 + 12 * bars + 1
    assert fitted.max_steps(controls, GenerationContext()) == 4 + 12 * bars + 1


def test_a_primer_leaves_only_longer_plans():
    fitted = grid(tune(32), tune(64), tune(96))
    context = GenerationContext(primer=tuple(fitted.prime(tune(40))))
    assert fitted.plans(None, context) == {"4/4,4": 1, "4/4,6": 1}
    with pytest.raises(Unsatisfiable, match="40 steps and does not fit into 2 bars"):
        fitted.constraint(None, GenerationContext(plan="4/4,2")).start(context.primer)
    with pytest.raises(Unsatisfiable, match="40 steps and does not fit into the 32 steps of --bars"):
        fitted.plans(GridControls(bars=2), context)


def test_an_infill_keeps_the_plan_of_its_tune():
    fitted, piece = grid(tune(32), tune(24, meter="3/4")), tune(24, meter="3/4")
    context = GenerationContext(tune=piece)
    assert fitted.plans(GridControls(keep_bars="1"), context) == {"3/4,2": 1}
    constraint = fitted.constraint(GridControls(keep_bars="1"), context)
    assert constraint.features(constraint.start(())) == (0, 1, 1)


def test_a_piece_that_the_constraint_rejects_has_no_features():
    fitted = grid(tune(32))
    with pytest.raises(EncodeError, match="step 2 violates the constraint of `grid`"):
        list(super(Grid, fitted).step_features(tune(32), [2, 2, 0]))
