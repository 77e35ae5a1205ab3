"""Gradient checkpointing: process a window in chunks and recompute activations, to save memory in training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from composer.api.errors import OptionError

__all__ = ["GradientCheckpointing"]


class GradientCheckpointing:
    """Mix-in of Network that splits a window into chunks.

    The number of chunks changes neither the loss nor its gradients, nor random numbers drawn for a whole window;
    dropout within it is drawn chunk by chunk.
    """

    no_chunks_reason = ""
    """Why windows cannot be split, if they cannot; completes an error message."""

    _chunks = 1

    @property
    def checkpoint_chunks(self) -> int:
        """Number of chunks of a window; only the states between them are stored for the backward pass.

        Setting more than one raises OptionError if the network has a `no_chunks_reason`.
        """
        return self._chunks

    @checkpoint_chunks.setter
    def checkpoint_chunks(self, chunks: int) -> None:
        if chunks > 1 and self.no_chunks_reason:
            raise OptionError(
                f"cannot use `checkpoint_chunks={chunks}`: {self.no_chunks_reason}",
                "leave it out; a smaller batch_size or seq_length also saves memory",
            )
        self._chunks = chunks

    def chunks(self, length: int) -> Sequence[slice]:
        """Return the chunks of `length` steps: just one if gradients are disabled."""
        chunks = max(1, min(self._chunks, length)) if torch.is_grad_enabled() else 1
        edges = [length * chunk // chunks for chunk in range(chunks + 1)]
        return [slice(start, stop) for start, stop in pairwise(edges)]

    def checkpointed(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function`; with several chunks, recompute it in the backward pass instead of storing activations."""
        if self._chunks <= 1 or not torch.is_grad_enabled():
            return function(*arguments)
        return checkpoint(function, *arguments, use_reentrant=False)
