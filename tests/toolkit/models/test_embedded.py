"""A model of one's own on the base classes of embedded networks: a GRU, with both twins and the contract tests."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from composer.api import Model, PluginError, SequenceSpec, StepKind
from composer.api.testing import check_model
from composer.toolkit.models.embedded_numpy import EmbeddedSampler
from composer.toolkit.models.embedded_torch import EmbeddedNetwork, with_resets


@dataclass(frozen=True)
class GruConfig:
    embedding: int = 12
    hidden: int = 24


class GruNetwork(EmbeddedNetwork):
    def __init__(self, spec, config):
        super().__init__(spec, config.embedding)
        self.gru = nn.GRU(self.input_size, config.hidden, batch_first=True)
        self.output = self.make_output(config.hidden)

    def initial_core_state(self, rows):
        return (torch.zeros(1, rows, self.gru.hidden_size),)

    def core(self, vectors, state, reset):
        def gru(vectors, state):
            outputs, hidden = self.gru(vectors, state[0])
            return outputs, (hidden,)

        return with_resets(gru, vectors, state, reset)


class GruSampler(EmbeddedSampler):
    """r, z, n and h of `torch.nn.GRU`; the input's part of the gates is folded into tables of embeddings."""

    def __init__(self, spec, weights):
        ih, hh, self.b_hh = (weights[f"gru.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_hh"))
        super().__init__(spec, weights, ih.T, weights["gru.bias_ih_l0"])
        self.hh = np.ascontiguousarray(hh.T)

    def initial_core_state(self, rows):
        return [np.zeros((rows, len(self.hh)), np.float32)]

    def core(self, vectors, state):
        (hidden,) = state
        recurrent, size = hidden @ self.hh + self.b_hh, hidden.shape[1]
        gates = 1 / (1 + np.exp(-vectors[:, : 2 * size] - recurrent[:, : 2 * size]))
        reset, update = gates[:, :size], gates[:, size:]
        new = np.tanh(vectors[:, 2 * size :] + reset * recurrent[:, 2 * size :])
        hidden = (1 - update) * new + update * hidden
        return hidden, [hidden]


class PlainGruSampler(GruSampler):
    """The same without folding: the core gets the vectors."""

    def __init__(self, spec, weights):
        super().__init__(spec, weights)
        EmbeddedSampler.__init__(self, spec, weights)
        self.ih, self.b_ih = weights["gru.weight_ih_l0"].T, weights["gru.bias_ih_l0"]

    def core(self, vectors, state):
        return super().core(vectors @ self.ih + self.b_ih, state)


class Gru(Model):
    api, name, summary, accepts, Config = 1, "gru", "a GRU", frozenset(StepKind), GruConfig
    conditional = positional = True
    sampler_class = GruSampler

    def network(self, spec, config):
        return GruNetwork(spec, config)

    def sampler(self, spec, config, weights):
        return self.sampler_class(spec, {name: each.astype(np.float32) for name, each in weights.items()})


class PlainGru(Gru):
    sampler_class = PlainGruSampler


@pytest.mark.parametrize("model", [Gru, PlainGru])
def test_a_gru_passes_the_contract_tests(model):
    check_model(model)


def test_a_sampler_that_ignores_features_fails_the_contract_tests():
    class Deaf(GruSampler):
        def step(self, parts, steps, features=None):
            super().step(parts, steps)

    with pytest.raises(AssertionError, match=r"feature `position` of step 1 has no influence|differ in probability"):
        check_model(type("DeafGru", (Gru,), {"sampler_class": Deaf}))


def test_inputs_are_as_large_as_all_embeddings():
    spec = SequenceSpec(StepKind.TOKENS, 9, 0, {"meter": ("3/4", "4/4")}, features={"position": 8, "left": 4})
    network = GruNetwork(spec, GruConfig())
    assert network.input_size == 12 + 16 + 2 * 16
    assert {"features.0.weight", "features.1.weight", "conditions.0.weight"} < network.state_dict().keys()


@pytest.mark.parametrize("name", ["loss", "sample", "phase", "run", "core", "train"])
def test_a_layer_cannot_have_the_name_of_a_method(name):
    network = GruNetwork(SequenceSpec(StepKind.TOKENS, 5, 0), GruConfig())
    with pytest.raises(PluginError, match=f"GruNetwork has a layer called `{name}`") as caught:
        setattr(network, name, nn.Linear(2, 2))
    assert caught.value.hint == f"rename the layer, such as to `{name}_layer`"
    with pytest.raises(PluginError):
        setattr(network, name, nn.Parameter(torch.zeros(2)))


def narrow(self, vectors, state, reset):
    outputs, state = GruNetwork.core(self, vectors, state, reset)
    return outputs[..., 1:], state


def without_layers(self, vectors, state, reset):
    outputs, state = GruNetwork.core(self, vectors, state, reset)
    return outputs, (state[0][0],)


def without_output(self, spec, config):
    GruNetwork.__init__(self, spec, config)
    del self.output


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (
            {"core": narrow},
            r"shape \(3, 6, 23\) from `core`, but `make_output` was given 24: they must be \(B, T, 24\)",
        ),
        (
            {"core": without_layers},
            r"from `core` whose tensor 0 has the shape \(3, 24\): it must be \(layers, B, \.\.\.\)",
        ),
        (
            {"initial_core_state": lambda self, rows: (torch.zeros(rows, 24),)},
            r"state from `initial_core_state` whose tensor 0 has the shape \(3, 24\): it must be",
        ),
        (
            {"initial_core_state": lambda self, rows: torch.zeros(1, rows, 24)},
            r"a tensor as the state from `initial_core_state`: it must be a tuple of tensors",
        ),
        ({"__init__": without_output}, r"has no layer `output`: set `self.output = self.make_output\(H\)` in its"),
    ],
)
def test_faults_of_a_core_are_named(methods, message):
    network = type("Faulty", (GruNetwork,), methods)(SequenceSpec(StepKind.TOKENS, 5, 0), GruConfig())
    with pytest.raises(PluginError, match=f"Faulty .*{message}"):
        network(torch.zeros(3, 6, dtype=torch.long), network.initial_layer_states(3), None, {})


def test_other_attributes_may_replace_methods():
    network = GruNetwork(SequenceSpec(StepKind.TOKENS, 5, 0), GruConfig())
    network.phase, network.loss = "pretrain", len
    assert (network.phase, network.loss) == ("pretrain", len)
