"""The contracts hold what the documentation shows, and catch what is broken."""

import dataclasses
import inspect
import textwrap

import pytest
import torch

from composer import api
from composer.api import representation as module
from composer.api.testing import check_model, check_representation, source
from composer_lstm import Lstm
from composer_lstm.network import LstmNetwork

SOURCES = [source("one two", "1.txt"), source("three", "2.txt")]


def documented():
    """The class in the docstring of composer.api.representation, as a reader would type it."""
    text = inspect.getdoc(module).split("learn, and steps back into music.")[1]
    code = textwrap.dedent(text[text.index("    class Letters") : text.rindex("A plugin module")])
    names = {name: getattr(api, name) for name in api.__all__}
    exec(code, names)
    return names["Letters"]


def test_the_representation_in_the_documentation_keeps_the_contract():
    check_representation(documented(), SOURCES)


def broken(**methods):
    return type("Broken", (documented(),), methods)


class Numbers:
    """A decoder that gives what is no event."""

    def push(self, step):
        return (step,)

    def finish(self):
        return ()


@pytest.mark.parametrize(
    ("methods", "complaint"),
    [
        ({"api": 99}, "newer interface"),
        ({"encode": lambda self, piece: self.prime(piece)}, "do not end with the end symbol"),
        ({"encode": lambda self, piece: [0, *self.prime(piece), 0]}, "end symbol stands inside"),
        ({"prime": lambda self, piece: [99]}, "is outside"),
        ({"decode": lambda self, steps: api.Piece("other")}, "not the same after encode, decode, encode"),
        ({"restore": lambda self, state: setattr(self, "letters", state["letters"][::-1])}, "encoded otherwise"),
        ({"read": lambda self, source: iter([api.RejectedPiece("no notes", source.name)])}, "no notes"),
        ({"decoder": lambda self, number=1: Numbers()}, "gives text"),
    ],
)
def test_a_broken_representation_is_caught(methods, complaint):
    with pytest.raises(AssertionError, match=complaint):
        check_representation(broken(**methods), SOURCES)


def test_a_decode_that_raises_is_caught():
    def decode(self, steps):
        steps = list(steps)
        return api.Piece("".join(self.letters[step - 1] for step in steps[: steps.index(0)]))

    with pytest.raises(ValueError, match="not in list"):
        check_representation(broken(decode=decode), SOURCES)


class Faulty(Lstm):
    """An lstm with one method of its network replaced."""

    def network(self, spec, config):
        return type("FaultyNetwork", (LstmNetwork,), self.methods)(spec, config)


def forgets(self, inputs, state, reset, conditions):
    return LstmNetwork.forward(self, inputs, self.initial_layer_states(len(inputs)), reset, conditions)


def remembers(self, inputs, state, reset, conditions):
    return LstmNetwork.forward(self, inputs, state, None, conditions)


def shifted(self, inputs, state, reset, conditions):
    logits, state = LstmNetwork.forward(self, inputs, state, reset, conditions)
    return (logits if self.training else logits + torch.arange(logits.shape[-1]) * 0.01), state


@pytest.mark.parametrize(
    ("forward", "complaint"),
    [
        (forgets, "two windows are not one long window"),
        (remembers, "a reset does not forget"),
        (shifted, "the faces differ in probability"),
    ],
)
def test_a_broken_model_is_caught(forward, complaint):
    Faulty.methods = {"forward": forward}
    with pytest.raises(AssertionError, match=complaint):
        check_model(Faulty, hidden=8, embedding=4)


def late(self, state, params, rng, steps):
    rng = dataclasses.replace(rng, first=rng.first + 1)
    return LstmNetwork.run(self, state, params, rng, steps)


def early(self, state, params, rng, steps):
    return LstmNetwork.run(self, state, params, rng, steps)[0], state


@pytest.mark.parametrize(
    ("run", "complaint"),
    [
        (late, "steps are not as drawn step by step in a run"),
        (early, "the state after a run is not the one after its steps"),
    ],
)
def test_a_broken_run_is_caught(run, complaint):
    Faulty.methods = {"run": run}
    with pytest.raises(AssertionError, match=complaint):
        check_model(Faulty, hidden=8, embedding=4)
