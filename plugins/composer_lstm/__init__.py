"""`lstm`: stacked LSTM layers, for tokens and frames.

Hochreiter and Schmidhuber 1997, with forget gates (Gers, Schmidhuber and Cummins 2000). `network.py` and `sampler.py`
implement the same equations: for training in torch, for generation in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from composer.api import Model, Sampler, SequenceSpec, StepKind, hookimpl
from composer.toolkit.models.settings import check_output, check_tied
from composer_lstm.config import LstmConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from composer.api.network import Network

__all__ = ["Lstm", "LstmConfig"]


class Lstm(Model):
    """Descriptor of the model."""

    api = 1
    name = "lstm"
    summary = "stacked LSTM layers, with a softmax over tokens, or sigmoids or a NADE over the units of a frame"
    accepts = frozenset({StepKind.TOKENS, StepKind.FRAMES})
    conditional = positional = True
    Config = LstmConfig

    def check(self, kind: StepKind, config: LstmConfig) -> None:
        check_output(kind, config.output)
        check_tied(kind, config.tied)

    def network(self, spec: SequenceSpec, config: LstmConfig) -> Network:
        from composer_lstm.network import LstmNetwork

        return LstmNetwork(spec, config)

    def sampler(self, spec: SequenceSpec, config: LstmConfig, weights: Mapping[str, NDArray[Any]]) -> Sampler:
        from composer_lstm.sampler import LstmSampler

        return LstmSampler(spec, config, weights)


@hookimpl
def composer_model() -> type[Model]:
    """Return this plugin's model."""
    return Lstm
