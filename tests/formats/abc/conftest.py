"""The rules for tunes that have what is wished, and a walk through them."""

import pytest

from composer.formats.abc.grammar.build import ConstraintBuilder
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.bar_ranges import parse_bar_ranges
from composer_abc import AbcControls

CHARACTERS = "\n !\"#&'(),-./0123456789:<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz|"


@pytest.fixture(scope="session")
def characters():
    """All that a tune may be spelt with; 0 is the end, and the first of these is step 1."""
    return CHARACTERS


@pytest.fixture(scope="session")
def asked():
    """`asked({"bars": 8})`: the automaton of the tunes that have it, of which one may be given in part."""

    def automaton(wishes, characters=CHARACTERS, primer="", tune="", kept="1"):
        steps = [1 + characters.index(each) for each in primer]
        asking = ConstraintBuilder(Vocabulary(characters), steps, tune, parse_bar_ranges(kept))
        return asking.build(AbcControls(**wishes).tune_controls())

    return automaton


@pytest.fixture(scope="session")
def walk():
    """A tune drawn with random weights, completed after `length` steps."""

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
