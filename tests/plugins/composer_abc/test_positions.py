"""Positions in tunes: counted from the plan of parts, the same in training and generation, and kept when generating."""

import random

import pytest

from composer.api import EncodeError, GenerationContext, OptionError, Piece, Unsatisfiable
from composer.api.testing import check_representation, source
from composer.generation.plans import constraint_of
from composer_abc import Abc, AbcControls, AbcOptions

POSITIONS = AbcOptions(positions=True)
HEADER = "M:4/4\nL:1/8\nK:G\n"
TWO_BARS = f"{HEADER}GABc d2d2|e4 d4|]\n"
ENDINGS = f"{HEADER}|:GABc d2d2|[1e4 d4:|\n[2g8||\n|:g8|g8:|\n"
PICKUP = f"{HEADER}d2|GABc d2d2|e4 d2||\nd2|g8|g6|]\n"
TEXTS = [TWO_BARS, ENDINGS, PICKUP]
TUNES = [f"X:{number}\n{text}\n" for number, text in enumerate(TEXTS, 1)]


def abc(*texts):
    fitted = Abc(POSITIONS)
    fitted.fit([Piece(text, source="a tune") for text in texts])
    return fitted


def features(representation, text):
    """Return each character with its position, bars, part and bars left."""
    piece = Piece(text, source="a tune")
    return list(zip([*text, "end"], representation.step_features(piece, representation.encode(piece)), strict=True))


def test_the_contract_holds():
    check_representation(Abc, [source("".join(TUNES), "tunes.abc")], POSITIONS)


def test_plans_count_the_bars_of_each_part():
    fitted = abc(*TEXTS)
    assert [fitted.plan(Piece(text)) for text in TEXTS] == ["2", "3,2", "2,2"]
    assert fitted.training_plans == {"2": 1, "2,2": 1, "3,2": 1}
    assert fitted.spec.features == {"position": 64, "bar": 4, "part": 4, "left": 4}
    other = Abc(POSITIONS)
    other.restore(fitted.state())
    assert other.spec == fitted.spec


def test_each_character_knows_its_place():
    counted = features(abc(TWO_BARS), TWO_BARS)[len(HEADER) :]
    assert counted[0] == ("G", (0, 0, 1, 2))
    assert counted[2] == ("B", (4, 0, 1, 2)), "when the next token is a note, the last one may still get a length"
    assert counted[5:7] == [("d", (16, 0, 1, 2)), ("2", (16, 0, 1, 2))]
    first_bar = TWO_BARS[len(HEADER) :].index("|")
    assert counted[first_bar + 1] == ("e", (32, 0, 1, 2)), "it might have been the end of the part"
    assert counted[first_bar + 2] == ("4", (0, 1, 1, 1))
    assert counted[-1] == ("end", (0, 0, 2, 0))
    assert features(abc(TWO_BARS), TWO_BARS)[0] == ("M", (0, 0, 0, 0))


def test_a_pickup_and_the_short_last_bar_are_one():
    counted = features(abc(PICKUP), PICKUP)
    bars = [(bar, part, left) for _, (_, bar, part, left) in counted[len(HEADER) :]]
    assert list(dict.fromkeys(bars)) == [(0, 1, 2), (1, 1, 1), (0, 2, 2), (1, 2, 1), (0, 3, 0)]


def test_both_endings_belong_to_their_part():
    counted = features(abc(TEXTS[1]), TEXTS[1])
    bars = [(bar, part, left) for _, (_, bar, part, left) in counted[len(HEADER) :]]
    assert list(dict.fromkeys(bars)) == [
        (0, 1, 3), (1, 1, 2), (2, 1, 1), (0, 2, 2), (1, 2, 1), (0, 3, 0)
    ]  # fmt: skip


@pytest.mark.parametrize("plan", ["1", "2", "4,1,2", "3,3", "1,1,1", "9,8"])
def test_any_tune_of_a_plan_has_it(plan):
    """Random walks never get stuck, whatever the meter, pickup, repeats and endings, and end with the right parts."""
    fitted = abc(*TEXTS, 'R:jig\nM:6/8\nL:1/8\nK:D\n|:A|(3ABc d>e|"D"f6|[df]5:|\n')
    constraint = fitted.constraint(None, GenerationContext(plan=plan))
    for seed in range(6):
        random_, state, steps = random.Random(f"{plan} {seed}"), constraint.start(()), []
        while not steps or steps[-1]:
            mask = constraint.allowed(state)
            allowed = [step for step in range(fitted.spec.size) if mask >> step & 1]
            assert allowed, fitted.decode(steps).content
            steps.append(random_.choice(allowed))
            state = constraint.step(state, steps[-1])
            if len(steps) > 600:
                steps += constraint.complete(state)
        assert fitted.plan(fitted.decode(steps)) == plan


def test_plans_follow_bars_and_primer():
    fitted = abc(*TEXTS)
    plans, begun = fitted.plans, GenerationContext(primer=tuple(fitted.prime(Piece(PICKUP[: PICKUP.index("||") + 3]))))
    assert plans(None, GenerationContext()) == {"2": 1, "2,2": 1, "3,2": 1}
    assert plans(AbcControls(bars=5), GenerationContext()) == {"3,2": 1}
    assert plans(AbcControls(bars=20), GenerationContext()) == {"8,8,4": 1}
    assert plans(None, begun) == {"2": 1, "2,2": 1}
    assert {constraint_of(fitted, None, begun).of_seed(seed)[0] for seed in range(9)} == {"2,2"}, "nothing ends with ||"
    assert plans(AbcControls(bars=7), begun) == {"2,5": 1}
    longer = GenerationContext(primer=tuple(fitted.prime(Piece(f"{HEADER}g8|g8|g8|g8|\ng8|g8|g8|g8|\ng"))))
    assert plans(None, longer) == {"9": 1}, "no training piece is as long"


def test_a_complete_primer_has_its_own_plan():
    fitted = abc(TWO_BARS, f"{HEADER}g8|g8|g8|g8||\ng8|g8|g8|g8|]\n")
    complete = fitted.prime(Piece(f"{HEADER}g8|g8|g8|]"))
    context = GenerationContext(primer=tuple(complete))
    assert fitted.plans(None, context) == fitted.plans(AbcControls(bars=3), context) == {"3": 1}
    _, constraint = constraint_of(fitted, None, context).of_seed(1)
    state = constraint.start(complete)
    assert fitted.decode(constraint.complete(state)).content == "\n"
    with pytest.raises(Unsatisfiable, match="--bars 7 contradicts the primer"):
        constraint_of(fitted, AbcControls(bars=7), context).of_seed(1)


def test_a_length_without_room_for_a_tune_is_refused():
    fitted = abc(*TEXTS)
    with pytest.raises(Unsatisfiable, match="--length 79 is too short for a tune, which needs at least 80"):
        constraint_of(fitted, None, GenerationContext(length=79))
    assert constraint_of(fitted, None, GenerationContext(length=80))
    assert constraint_of(fitted, None, GenerationContext(length=5, rules=2)), "replayed"


def test_plans_have_room_in_the_length():
    fitted = abc(TWO_BARS, f"{HEADER}g8|g8|g8|g8|\ng8|g8|g8|g8||\ng8|g8|g8|g8|\ng8|g8|g8|g8|]\n")
    primer = tuple(fitted.prime(Piece(f"{HEADER}g8|g8|g")))

    def plans(length, rules=0, primer=()):
        return [*fitted.plans(None, GenerationContext(length=length, primer=primer, rules=rules))]

    assert plans(205) == plans(80, rules=2) == ["2", "8,8"]
    assert plans(204) == ["2"]
    assert plans(len(primer) + 139, primer=primer) == ["8"], "no training piece is as short"
    assert plans(len(primer) + 19, primer=primer) == ["3"]
    assert plans(len(primer) + 140, primer=primer) == ["8,8"]


def test_bars_are_kept_with_a_plan_for_them():
    fitted = abc(*TEXTS)
    constraint = fitted.constraint(AbcControls(bars=20, key="G"), GenerationContext())
    tune = fitted.decode(constraint.complete(constraint.start(())))
    assert fitted.plan(tune) == "8,8,4"


def test_an_infill_counts_by_its_tune():
    fitted = abc(*TEXTS)
    context = GenerationContext(tune=Piece(PICKUP))
    constraint = fitted.constraint(AbcControls(keep_bars="1"), context)
    state = constraint.start(())
    for step in fitted.prime(Piece(HEADER)):
        state = constraint.step(state, step)
    assert constraint.features(state) == (0, 0, 1, 2)
    assert fitted.plans(AbcControls(keep_bars="1"), context) == {"2,2": 1}


def test_a_primer_that_breaks_the_plan_is_refused():
    fitted = abc(*TEXTS)
    with pytest.raises(Unsatisfiable):
        fitted.constraint(None, GenerationContext(primer=tuple(fitted.prime(Piece(PICKUP))), plan="3,2")).start(
            fitted.prime(Piece(PICKUP))
        )


def test_what_is_not_in_the_dialect_has_no_positions():
    fitted = abc(*TEXTS)
    with pytest.raises(EncodeError, match="breaks the rules of the dialect"):
        fitted.plan(Piece("|||", source="x"))
    with pytest.raises(OptionError, match="cannot be combined"):
        AbcOptions(text="raw", positions=True)
