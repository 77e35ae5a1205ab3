"""Contract tests accept the documented example and catch broken plugins."""

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


def documented_class():
    """Return the class in the docstring of composer.api.representation."""
    text = inspect.getdoc(module)
    code = textwrap.dedent(text[text.index("    class Letters") : text.rindex("A plugin module")])
    names = {name: getattr(api, name) for name in api.__all__}
    exec(code, names)
    return names["Letters"]


def test_documented_representation_passes():
    check_representation(documented_class(), SOURCES)


def broken_class(**methods):
    return type("Broken", (documented_class(),), methods)


class Numbers:
    """A decoder whose events have the wrong type."""

    def push(self, step):
        return (step,)

    def finish(self):
        return ()


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"api": 99}, "newer interface version"),
        ({"encode": lambda self, piece: self.prime(piece)}, "do not end with the end symbol"),
        ({"encode": lambda self, piece: [0, *self.prime(piece), 0]}, "end symbol before the end"),
        ({"prime": lambda self, piece: [99]}, "is not from 0"),
        ({"decode": lambda self, steps: api.Piece("other")}, "changed by encode, decode, encode"),
        ({"restore": lambda self, state: setattr(self, "letters", state["letters"][::-1])}, "changes its encoding"),
        ({"read": lambda self, source: iter([api.RejectedPiece("no notes", source.name)])}, "no notes"),
        ({"decoder": lambda self, number=1: Numbers()}, "must return text"),
    ],
)
def test_broken_representations_fail(methods, message):
    with pytest.raises(AssertionError, match=message):
        check_representation(broken_class(**methods), SOURCES)


def test_decode_must_not_raise():
    def decode(self, steps):
        steps = list(steps)
        return api.Piece("".join(self.letters[step - 1] for step in steps[: steps.index(0)]))

    with pytest.raises(ValueError, match="not in list"):
        check_representation(broken_class(decode=decode), SOURCES)


class Faulty(Lstm):
    """An LSTM with some methods of its network replaced."""

    def network(self, spec, config):
        return type("FaultyNetwork", (LstmNetwork,), self.methods)(spec, config)


def without_state(self, inputs, state, reset, conditions):
    return LstmNetwork.forward(self, inputs, self.initial_layer_states(len(inputs)), reset, conditions)


def without_resets(self, inputs, state, reset, conditions):
    return LstmNetwork.forward(self, inputs, state, None, conditions)


def biased_in_evaluation(self, inputs, state, reset, conditions):
    logits, state = LstmNetwork.forward(self, inputs, state, reset, conditions)
    return (logits if self.training else logits + torch.arange(logits.shape[-1]) * 0.01), state


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (without_state, "differs from that of one long window"),
        (without_resets, "a reset does not clear the state"),
        (biased_in_evaluation, "network and sampler differ in probability"),
    ],
)
def test_broken_models_fail(forward, message):
    Faulty.methods = {"forward": forward}
    with pytest.raises(AssertionError, match=message):
        check_model(Faulty, hidden=8, embedding=4)


def run_one_step_late(self, state, params, rng, steps):
    rng = dataclasses.replace(rng, first=rng.first + 1)
    return LstmNetwork.run(self, state, params, rng, steps)


def run_without_state(self, state, params, rng, steps):
    return LstmNetwork.run(self, state, params, rng, steps)[0], state


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (run_one_step_late, "`run` returned other steps than step-by-step sampling"),
        (run_without_state, "the state after `run` differs from the state after its steps"),
    ],
)
def test_broken_block_samplers_fail(run, message):
    Faulty.methods = {"run": run}
    with pytest.raises(AssertionError, match=message):
        check_model(Faulty, hidden=8, embedding=4)
