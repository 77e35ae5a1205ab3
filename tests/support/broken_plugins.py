"""A healthy plugin of each kind, ways to break it, and what every error of a plugin looks like."""

import numpy as np
from small_plugins import Letters, Tiny

from composer.api import Constraint
from composer.api.sampling.filters import Draw, draw_tokens

NAMED = "plugin `broken` (composer-broken 1.0)"


class Words(Letters):
    """A healthy representation."""

    name = "broken"


class Small(Tiny):
    """A healthy model, which plays through its network."""

    name, conditional = "broken", True


class TableSampler:
    """A healthy sampler in numpy: every letter is as likely as every other."""

    def __init__(self, size):
        self.size = size

    def initial_state(self, conditions):
        return np.zeros((len(conditions), self.size))

    def advance(self, state, steps, active=None):
        return state

    def sample(self, state, params, rng):
        return draw_tokens(state, params, rng)

    def gather_rows(self, state, rows, fresh=None):
        return np.zeros((len(rows), self.size))

    def log_prob(self, state, steps):
        return np.full(len(steps), -np.log(self.size))


class AnyLetters(Constraint):
    """A healthy constraint that allows everything."""

    def __init__(self, size):
        self.size = size

    def start(self, primer):
        return 0

    def step(self, state, step):
        return state

    def allowed(self, state):
        return 2**self.size - 1

    def complete(self, state):
        return [0]


def raises(error):
    def method(self, *arguments, **named):
        raise error

    return method


def gives(value):
    def method(self, *arguments, **named):
        return value

    return method


def with_sampler(**methods):
    """Return the members of a model whose sampler has other methods."""
    kind = type("Sampler", (TableSampler,), methods)
    return {"sampler": lambda self, spec, config, weights: kind(spec.size)}


def with_constraint(**methods):
    """Return the members of a representation whose constraint has other methods."""
    kind = type("Rule", (AnyLetters,), methods)
    return {"constraint": lambda self, controls=None, context=None: kind(self.spec.size)}


def with_network(**methods):
    """Return the members of a model whose network has other methods."""

    def network(self, spec, config):
        made = Tiny.network(self, spec, config)
        made.__class__ = type("Net", (type(made),), methods)
        return made

    return {"network": network}


def draws(**parts):
    """Return a `sample` that changes parts of a healthy draw."""

    def sample(self, state, params, rng):
        drawn = draw_tokens(state, params, rng)
        return Draw(**{name: parts.get(name, getattr(drawn, name)) for name in ("steps", "logp", "masked_prob")})

    return sample


def broken(parent, members):
    return type("Broken", (parent,), members)


def names_the_plugin(result, reason):
    errors = [line for line in result.err.splitlines() if not line.startswith(("warning: the piece", "hint: "))]
    assert result.code in {1, 2}, result.err
    assert len(errors) == 1, result.err
    assert reason in errors[0]
    assert "broken" in errors[0]
    assert result.out == ""
