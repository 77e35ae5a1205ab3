"""`markov`: a Markov chain of any order, trained by counting, for tokens and frames.

Lower orders smooth higher ones (Witten and Bell 1991). Order 0 knows only how frequent each token or unit is.
`network.py` counts and evaluates; `sampler.py` generates. Both look up probabilities in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from composer.api import Model, Sampler, SequenceSpec, StepKind, hookimpl
from composer_markov.config import MarkovConfig, check_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Network

__all__ = ["Markov", "MarkovConfig"]


class Markov(Model):
    """Descriptor of the model."""

    api = 1
    name = "markov"
    summary = "Markov chain of any order, trained by counting: a baseline for the other models"
    accepts = frozenset({StepKind.TOKENS, StepKind.FRAMES})
    Config = MarkovConfig

    def check(self, kind: StepKind, config: MarkovConfig) -> None:
        check_order(kind, config)

    def network(self, spec: SequenceSpec, config: MarkovConfig) -> Network:
        from composer_markov.network import make_network

        return make_network(spec, config)

    def sampler(self, spec: SequenceSpec, config: MarkovConfig, weights: Mapping[str, NDArray[Any]]) -> Sampler:
        from composer_markov.sampler import MarkovSampler

        return MarkovSampler(spec, config, weights)


@hookimpl
def composer_model() -> type[Model]:
    """Return this plugin's model."""
    return Markov
