"""`attn-lstm`: LSTM layers with windowed self-attention, for tokens and frames.

An LSTM has a state of fixed size; attention gives it access to its outputs of the last `window` steps (Bahdanau, Cho
and Bengio 2015; Vaswani et al. 2017). It is causal, and never reaches beyond the start of the piece. `network.py` and
`sampler.py` implement the same equations: for training in torch, for generation in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from composer.api import DataSize, Model, Sampler, SequenceSpec, StepKind, hookimpl
from composer.toolkit.models.settings import check_output, check_tied
from composer_attn_lstm.config import AttnLstmConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Network

__all__ = ["AttnLstm", "AttnLstmConfig"]


class AttnLstm(Model):
    """Descriptor of the model."""

    api = 1
    name = "attn-lstm"
    summary = "LSTM layers with windowed self-attention over their earlier outputs"
    accepts = frozenset({StepKind.TOKENS, StepKind.FRAMES})
    conditional = positional = True
    Config = AttnLstmConfig

    def check(self, kind: StepKind, config: AttnLstmConfig) -> None:
        check_output(kind, config.output)
        check_tied(kind, config.tied)

    def suggest(self, spec: SequenceSpec, size: DataSize) -> Mapping[str, Any]:
        from composer_attn_lstm.suggestion import suggested_settings

        return suggested_settings(spec.kind, size)

    def network(self, spec: SequenceSpec, config: AttnLstmConfig) -> Network:
        from composer_attn_lstm.network import AttnLstmNetwork

        return AttnLstmNetwork(spec, config)

    def sampler(self, spec: SequenceSpec, config: AttnLstmConfig, weights: Mapping[str, NDArray[Any]]) -> Sampler:
        from composer_attn_lstm.sampler import AttnLstmSampler

        return AttnLstmSampler(spec, config, weights)


@hookimpl
def composer_model() -> type[Model]:
    """Return this plugin's model."""
    return AttnLstm
