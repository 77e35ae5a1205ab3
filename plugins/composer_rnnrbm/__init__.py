"""`rnnrbm`: a recurrent network that sets the biases of one restricted Boltzmann machine (RBM) per frame.

Boulanger-Lewandowski, Bengio and Vincent 2012. `network.py` and `sampler.py` implement the same equations: for training
in torch, for generation in numpy. `partition_function.py` estimates likelihoods.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from composer.api import Model, Sampler, SequenceSpec, StepKind, hookimpl
from composer_rnnrbm.config import RnnRbmConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Network

__all__ = ["RnnRbm", "RnnRbmConfig"]


class RnnRbm(Model):
    """Descriptor of the model."""

    api = 1
    name = "rnnrbm"
    summary = "RNN-RBM: a recurrent network with a restricted Boltzmann machine for each frame"
    accepts = frozenset({StepKind.FRAMES})
    Config = RnnRbmConfig

    def network(self, spec: SequenceSpec, config: RnnRbmConfig) -> Network:
        from composer_rnnrbm.network import RnnRbmNetwork

        return RnnRbmNetwork(spec, config)

    def sampler(self, spec: SequenceSpec, config: RnnRbmConfig, weights: Mapping[str, NDArray[Any]]) -> Sampler:
        from composer_rnnrbm.sampler import RnnRbmSampler

        return RnnRbmSampler(spec, config, weights)


@hookimpl
def composer_model() -> type[Model]:
    """Return this plugin's model."""
    return RnnRbm
