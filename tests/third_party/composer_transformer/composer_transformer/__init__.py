"""`transformer`: a causal transformer with windowed self-attention and rotary positions, for tokens and frames.

Vaswani et al. 2017, with the normalization before each block (Xiong et al. 2020), rotary positions (Su et al. 2021) and
a cache of the last steps (Dai et al. 2019). `network.py` and `sampler.py` implement the same equations: for training in
torch, for generation in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from composer.api import Model, Sampler, SequenceSpec, StepKind, hookimpl
from composer.toolkit.models.settings import check_output, check_tied
from composer_transformer.config import TransformerConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Network

__all__ = ["Transformer", "TransformerConfig"]


class Transformer(Model):
    """Descriptor of the model."""

    api = 1
    name = "transformer"
    summary = "transformer with windowed self-attention and rotary positions"
    accepts = frozenset({StepKind.TOKENS, StepKind.FRAMES})
    conditional = positional = True
    Config = TransformerConfig

    def check(self, kind: StepKind, config: TransformerConfig) -> None:
        check_output(kind, config.output)
        check_tied(kind, config.tied)

    def network(self, spec: SequenceSpec, config: TransformerConfig) -> Network:
        from composer_transformer.network import TransformerNetwork

        return TransformerNetwork(spec, config)

    def sampler(self, spec: SequenceSpec, config: TransformerConfig, weights: Mapping[str, NDArray[Any]]) -> Sampler:
        from composer_transformer.sampler import TransformerSampler

        return TransformerSampler(spec, config, weights)


@hookimpl
def composer_model() -> type[Model]:
    """Return this plugin's model."""
    return Transformer
