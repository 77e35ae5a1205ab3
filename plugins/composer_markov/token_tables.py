"""Probabilities of tokens from counted sequences, with Witten-Bell smoothing, in numpy.

With n(c, x) the count of token x after the context c, n(c) its sum and d(c) the number of different tokens after c:

    P_j(x | c) = (n(c, x) + d(c) P_(j-1)(x | c')) / (n(c) + d(c))       c' is c without its oldest token

P_(-1) is uniform, and P_j = P_(j-1) for a context that was never counted. So the more often a context was followed by
something new, the less it is trusted (method C of Witten and Bell 1991).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from composer_markov.config import check_vocabulary

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

UNKNOWN = -1
"""The token of a context that is not known."""


class _Level(NamedTuple):
    """The counts of one order: of `sequences` (M,), sorted numbers of a context and a token, and of contexts.

    The sequences of context number i, `contexts[i]`, are those from `first[i]` to `first[i + 1] - 1`.
    """

    sequences: Ints
    counts: Floats
    contexts: Ints
    first: Ints
    total: Floats

    @classmethod
    def counted(cls, sequences: Ints, counts: Ints, size: int) -> _Level:
        """Return the level of these `sequences`, which may occur several times."""
        unique, merged = merge(sequences, counts)
        contexts, first = np.unique(unique // size, return_index=True)
        total = np.add.reduceat(merged, first) if len(first) else merged
        return cls(unique, merged.astype(float), contexts, np.append(first, len(unique)), total.astype(float))

    def find(self, contexts: Ints) -> tuple[Ints, Floats, Floats]:
        """Return the number of each context, its count and how many tokens follow it; the counts are 0 if unknown."""
        if not len(self.contexts):
            nothing = np.zeros(len(contexts))
            return np.zeros(len(contexts), np.int64), nothing, nothing
        index = np.minimum(np.searchsorted(self.contexts, contexts), len(self.contexts) - 1)
        known = self.contexts[index] == contexts
        return index, np.where(known, self.total[index], 0), np.where(known, np.diff(self.first)[index], 0)


class TokenTables:
    """Tables of the orders 0 to `order` for a vocabulary of `size` tokens.

    `ngrams` (N,) are sequences of order + 1 tokens as numbers of base `size`, the oldest token first; `counts` (N,) how
    often each occurs. Contexts (B, order) hold the oldest token first. Raises ValueError for what cannot be counts.
    """

    def __init__(self, size: int, order: int, ngrams: NDArray[Any], counts: NDArray[Any]) -> None:
        check_vocabulary(size, order)
        ngrams, counts = np.asarray(ngrams, np.int64), np.asarray(counts, np.int64)
        if ngrams.ndim != 1 or ngrams.shape != counts.shape:
            raise ValueError("each sequence needs a count")
        if len(ngrams) and not (0 <= ngrams.min() <= ngrams.max() < size ** (order + 1) and counts.min() > 0):
            raise ValueError("a sequence or a count is out of range")
        self.size, self.order = size, order
        self._levels = [_Level.counted(ngrams % size ** (j + 1), counts, size) for j in range(order + 1)]

    def nll(self, contexts: Ints, tokens: Ints) -> Floats:
        """Return the negative log-likelihood (B,) of `tokens` (B,) after `contexts` (B, order), in nats."""
        prob = np.full(len(tokens), 1 / self.size)
        for level, numbers in zip(self._levels, self._numbers(contexts), strict=True):
            _, total, distinct = level.find(numbers)
            wanted = numbers * self.size + tokens
            count = np.zeros(len(tokens))
            if len(level.sequences):
                index = np.minimum(np.searchsorted(level.sequences, wanted), len(level.sequences) - 1)
                count = np.where((level.sequences[index] == wanted) & (numbers != UNKNOWN), level.counts[index], 0)
            seen = total > 0
            prob = np.where(seen, (count + distinct * prob) / np.where(seen, total + distinct, 1), prob)
        return np.asarray(-np.log(prob))

    def log_probs(self, contexts: Ints) -> Floats:
        """Return the log-probability (B, size) of each token after `contexts` (B, order), in nats."""
        prob = np.full((len(contexts), self.size), 1 / self.size)
        for level, numbers in zip(self._levels, self._numbers(contexts), strict=True):
            index, total, distinct = level.find(numbers)
            for row in np.flatnonzero(total):
                begin, end = level.first[index[row]], level.first[index[row] + 1]
                prob[row] *= distinct[row]
                prob[row, level.sequences[begin:end] % self.size] += level.counts[begin:end]
                prob[row] /= total[row] + distinct[row]
        return np.asarray(np.log(prob))

    def _numbers(self, contexts: Ints) -> list[Ints]:
        """Return the numbers (B,) of the contexts of each order, UNKNOWN if one of their tokens is."""
        numbers = [np.zeros(len(contexts), np.int64)]
        for j in range(1, self.order + 1):
            oldest = contexts[:, -j]
            known = (oldest != UNKNOWN) & (numbers[-1] != UNKNOWN)
            numbers.append(np.where(known, oldest * self.size ** (j - 1) + numbers[-1], UNKNOWN))
        return numbers


def merge(sequences: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Return sorted, unique sequences with the sums of their counts."""
    unique, inverse = np.unique(sequences, return_inverse=True)
    merged = np.zeros(len(unique), np.int64)
    np.add.at(merged, inverse, counts)
    return unique, merged


def ngram_numbers(contexts: Ints, tokens: Ints, size: int) -> Ints:
    """Return the numbers (B,) of `contexts` (B, order) followed by `tokens` (B,)."""
    numbers = np.zeros(len(tokens), np.int64)
    for column in (*contexts.T, tokens):
        numbers = numbers * size + column
    return numbers
