"""Constraints on tunes, and random walks through them."""

import pytest

from composer.formats.abc.grammar.build import ConstraintBuilder
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.bar_ranges import parse_bar_ranges
from composer_abc import AbcControls

CHARACTERS = "\n !\"#&'(),-./0123456789:<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz|"


@pytest.fixture(scope="session")
def characters():
    """The characters of tunes, whose token ids start at 1; 0 is the end."""
    return CHARACTERS


@pytest.fixture(scope="session")
def constrain():
    """`constrain({"bars": 8})` returns the constraint for these controls, with a `primer` or on a `tune` to infill."""

    def build(controls, characters=CHARACTERS, primer="", tune="", keep_bars="1"):
        steps = [1 + characters.index(each) for each in primer]
        builder = ConstraintBuilder(Vocabulary(characters), steps, tune, parse_bar_ranges(keep_bars))
        return builder.build(AbcControls(**controls).tune_controls())

    return build


@pytest.fixture(scope="session")
def walk():
    """`walk(constraint, rng, length)` returns a tune sampled with random weights, completed after `length` steps."""

    def draw(automaton, rng, length, characters=CHARACTERS):
        def text_of(steps):
            return "".join(characters[step - 1] for step in steps if step)

        weights = [rng.expovariate(1) ** rng.choice((0.5, 1, 3)) + 1e-9 for _ in range(len(characters) + 1)]
        steps, state = [], automaton.start([])
        while len(steps) < length and 0 not in steps:
            mask = automaton.allowed(state)
            assert mask, text_of(steps)
            options = [step for step in range(len(weights)) if mask >> step & 1]
            steps += rng.choices(options, [weights[step] for step in options])
            state = automaton.step(state, steps[-1])
        if 0 not in steps:
            steps += automaton.complete(state)
        return text_of(steps)

    return draw
