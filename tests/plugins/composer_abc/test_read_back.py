"""Tunes that the constraint lets a model generate are read back as the same music, so that they can be infilled."""

import random

import pytest

from composer.api import Piece, RejectedPiece
from composer.api.testing import source
from composer_abc import Abc

CHARACTERS = "\n !#&'(),-./0123456789:<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz|"
"""Those of tunes without chord symbols."""

PICKUP_AND_BAR = """T:Two Notes
M:6/8
L:1/8
K:D
z7/4^g/4|d3 d3/4B/4||
A2|A3 A2B|B3 AGB|A3 B3/4g/4||
A3/4B3/4c/4B/4|A3 A3|B3 A3|G3 G2z|]
"""


@pytest.fixture(scope="module")
def abc():
    fitted = Abc()
    fitted.restore({"characters": CHARACTERS})
    return fitted


def read(representation, text):
    return next(iter(representation.read(source(f"X:1\n{text}", "tune.abc"))))


def generate(representation, constraint, rng, length):
    """Return a melody sampled with random weights, completed after `length` characters.

    Bar lines are frequent, so that short bars and parts are.
    """
    ids, size = representation.ids, len(representation.characters) + 1
    bracket, first, others = ids["["], ids["1"], range(size)
    weights = [rng.expovariate(1) ** rng.choice((0.5, 1, 3)) + 1e-9 for _ in others]
    for character in "|[:":
        weights[ids[character]] *= 3
    steps, state = list[int](), constraint.start(())
    while len(steps) < length:
        allowed = constraint.allowed(state)
        options = [step for step in others if allowed >> step & 1]
        starts_chord = bracket in options and not constraint.allowed(constraint.step(state, bracket)) >> first & 1
        if starts_chord and len(options) > 1:  # alone, it starts a second ending
            options.remove(bracket)
        if steps and steps[-1] == bracket and first in options:
            options = [first]
        step = rng.choices(options, [weights[each] for each in options])[0]
        if step == 0:
            return representation.decode(steps)
        steps.append(step)
        state = constraint.step(state, step)
    return representation.decode([*steps, *constraint.complete(state)])


@pytest.mark.parametrize("seed", range(8))
def test_generated_tunes_are_read_as_the_same_music(abc, seed):
    rng, constraint, found = random.Random(seed), abc.constraint(), 0
    while found < 25:
        tune = generate(abc, constraint, rng, rng.randrange(60, 400))
        again, score = read(abc, tune.content), abc.score(tune)
        if isinstance(again, RejectedPiece) and again.reason == "no notes":  # there are rests only
            assert score is None or not score.notes
            continue
        assert isinstance(again, Piece), f"{again.reason} ({again.detail})\n{tune.content}"
        assert abc.score(again).notes == score.notes, f"{tune.content}\n{again.content}"
        found += 1


def test_a_part_of_a_pickup_and_one_short_bar_is_read_as_it_is_written(abc):
    assert read(abc, PICKUP_AND_BAR).content == PICKUP_AND_BAR
