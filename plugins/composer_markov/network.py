"""Markov network: counts instead of weights, and no gradient.

In training, `loss` predicts a window by the windows before it, and then counts it. Contexts and probabilities are
computed in numpy, on the host; to generate, the network calls the numpy sampler.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from composer.api import SequenceSpec, StepKind
from composer.api.network import Batch, Loss, Measurement, Network, Phase
from composer.api.sampling.filters import BatchSamplingParams, Bools, Draw, Floats, Ints, StepRNG, frame_log_prob
from composer_markov.config import MarkovConfig, check_vocabulary
from composer_markov.frame_tables import UNKNOWN, FrameTables, context_numbers
from composer_markov.sampler import MarkovSampler, history_before_piece
from composer_markov.token_tables import TokenTables, merge, ngram_numbers

PENDING_SHARE = 0.1
"""New counts are added to the tables once they are this share of all, since that means to sort all sequences."""


def make_network(spec: SequenceSpec, config: MarkovConfig) -> MarkovNetwork:
    """Return a network that has counted nothing yet. Raises OptionError if its order is too high."""
    return (TokenNetwork if spec.kind is StepKind.TOKENS else FrameNetwork)(spec, config)


class MarkovNetwork(Network):
    """Counts in the integer buffers `counts` and, for tokens, `ngrams`, which grow while it counts."""

    def __init__(self, spec: SequenceSpec, config: MarkovConfig) -> None:
        super().__init__()
        self.spec, self.config = spec, config
        self._before_piece = history_before_piece(spec, config.order)
        self._sampler: MarkovSampler | None = None

    @abstractmethod
    def count(self, contexts: NDArray[Any], targets: NDArray[Any]) -> None:
        """Count `targets` (N,) or (N, V) after `contexts` (N, order) or (N, order, V)."""

    @abstractmethod
    def nll(self, contexts: NDArray[Any], targets: NDArray[Any]) -> Floats:
        """Return the negative log-likelihood (N,) of `targets` in nats."""

    def phases(self) -> Sequence[Phase]:
        return (Phase(epochs=1, gradient=False),)

    def loss(self, batch: Batch, state: Any) -> tuple[Loss, Any]:
        contexts, targets, counted, after = self._windows(batch, state)
        nats = self.nll(contexts, targets)[counted]
        if self.training:
            known = counted & (contexts != UNKNOWN).reshape(len(contexts), -1).all(1)
            self.count(contexts[known], targets[known])
            self._sampler = None
        mean = torch.tensor(float(nats.mean()) if len(nats) else 0.0, device=self.device)
        return Loss(mean, mean), after

    def evaluate(self, batch: Batch, state: Any) -> tuple[Measurement, Any]:
        contexts, targets, counted, after = self._windows(batch, state)
        return Measurement(float(self.nll(contexts, targets)[counted].sum()), float(counted.sum())), after

    def _windows(self, batch: Batch, state: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_], torch.Tensor]:
        """Return contexts, targets and whether they count, for all N steps of a batch, and the state after it.

        The state is the last steps of each row, UNKNOWN before the first window of a row that begins within a piece.
        """
        before = self._before_piece
        inputs, targets = (each.cpu().numpy().astype(before.dtype) for each in (batch.inputs, batch.targets))
        rows, length = inputs.shape[:2]
        history = np.full((rows, *before.shape), UNKNOWN, before.dtype) if state is None else state.cpu().numpy()
        steps = np.concatenate([history, inputs], axis=1)
        reset = np.where(batch.reset.cpu().numpy(), np.arange(length), -length - len(before))
        since_reset = np.arange(length) - np.maximum.accumulate(reset, axis=1)
        columns = []
        for place in range(len(before)):
            lag = len(before) - 1 - place
            column = steps[:, place + 1 : place + 1 + length]
            in_piece = (since_reset >= lag).reshape(rows, length, *[1] * (column.ndim - 2))
            columns.append(np.where(in_piece, column, before[place]))
        contexts = np.stack(columns, axis=2)
        counted = batch.weight.cpu().numpy().reshape(-1) > 0
        after = torch.from_numpy(np.ascontiguousarray(contexts[:, -1])).to(self.device)
        flat = contexts.reshape(rows * length, *before.shape)[:, len(before) - self.config.order :]
        return flat, targets.reshape(rows * length, *targets.shape[2:]), counted, after

    @property
    def device(self) -> torch.device:
        return next(self.buffers()).device

    @property
    def sampler(self) -> MarkovSampler:
        """The sampler with the counts so far."""
        if self._sampler is None:
            weights = {name: array.cpu().numpy() for name, array in self.state_dict().items()}
            self._sampler = MarkovSampler(self.spec, self.config, weights)
        return self._sampler

    def initial_state(self, conditions: Sequence[Mapping[str, str]], features: Ints | None = None) -> Any:
        return self.sampler.initial_state(conditions)

    def advance(
        self, state: Any, steps: NDArray[Any], active: Bools | None = None, features: Ints | None = None
    ) -> Any:
        return self.sampler.advance(state, steps, active)

    def sample(self, state: Any, params: BatchSamplingParams, rng: StepRNG) -> Draw:
        return self.sampler.sample(state, params, rng)

    def gather_rows(self, state: Any, rows: Ints, fresh: Any = None) -> Any:
        return self.sampler.gather_rows(state, rows, fresh)

    def log_prob(self, state: Any, steps: NDArray[Any]) -> Floats:
        return self.sampler.log_prob(state, steps)


class TokenNetwork(MarkovNetwork):
    """Sequences of order + 1 tokens, `ngrams` (N,), and their `counts` (N,)."""

    ngrams: torch.Tensor
    counts: torch.Tensor

    def __init__(self, spec: SequenceSpec, config: MarkovConfig) -> None:
        super().__init__(spec, config)
        check_vocabulary(spec.size, config.order)
        self.register_buffer("ngrams", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("counts", torch.zeros(0, dtype=torch.int32))
        self._pending: list[NDArray[np.int64]] = []
        self._tables: TokenTables | None = None

    def count(self, contexts: NDArray[Any], targets: NDArray[Any]) -> None:
        self._pending.append(ngram_numbers(contexts, targets, self.spec.size))
        if sum(map(len, self._pending)) >= PENDING_SHARE * float(self.counts.sum()):
            self._add_pending()

    def nll(self, contexts: NDArray[Any], targets: NDArray[Any]) -> Floats:
        if not self.training:
            self._add_pending()
        if self._tables is None:
            arrays = (self.ngrams.cpu().numpy(), self.counts.cpu().numpy())
            self._tables = TokenTables(self.spec.size, self.config.order, *arrays)
        return self._tables.nll(contexts, targets)

    def _add_pending(self) -> None:
        if not self._pending:
            return
        new = np.concatenate(self._pending)
        sequences = np.concatenate([self.ngrams.cpu().numpy(), new])
        counts = np.concatenate([self.counts.cpu().numpy(), np.ones(len(new), np.int64)])
        ngrams, merged = merge(sequences, counts)
        device, self._tables, self._pending = self.device, None, []
        self.ngrams = torch.from_numpy(ngrams).to(device)
        self.counts = torch.from_numpy(merged.astype(np.int32)).to(device)

    def _save_to_state_dict(self, *args: Any, **named: Any) -> None:
        self._add_pending()
        super()._save_to_state_dict(*args, **named)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        """Load counts of any number of sequences."""
        for name in ("ngrams", "counts"):
            if prefix + name in state_dict:
                own = getattr(self, name)
                setattr(self, name, torch.zeros(state_dict[prefix + name].shape, dtype=own.dtype, device=own.device))
        self._pending, self._tables, self._sampler = [], None, None
        super()._load_from_state_dict(state_dict, prefix, *args)


class FrameNetwork(MarkovNetwork):
    """`counts` (V, 2^order, 2): how often each unit was off and on after each of its contexts."""

    counts: torch.Tensor

    def __init__(self, spec: SequenceSpec, config: MarkovConfig) -> None:
        super().__init__(spec, config)
        self.register_buffer("counts", torch.zeros(spec.size, 2**config.order, 2, dtype=torch.int32))

    def count(self, contexts: NDArray[Any], targets: NDArray[Any]) -> None:
        size, order = self.spec.size, self.config.order
        numbers = 2 * context_numbers(contexts, order) + targets
        numbers += np.arange(size) * 2 ** (order + 1)
        counts = np.bincount(numbers.ravel(), minlength=size * 2 ** (order + 1)).reshape(size, -1, 2)
        self.counts += torch.from_numpy(counts).to(self.counts)

    def nll(self, contexts: NDArray[Any], targets: NDArray[Any]) -> Floats:
        tables = FrameTables(self.spec.size, self.config.order, self.counts.cpu().numpy())
        return -frame_log_prob(tables.logits(contexts), targets)

    def _load_from_state_dict(self, *args: Any) -> None:
        self._sampler = None
        super()._load_from_state_dict(*args)
