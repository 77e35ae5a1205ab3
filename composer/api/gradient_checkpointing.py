"""Gradient checkpointing: a window goes through a network in stretches, and less is kept for going back through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from composer.api.errors import OptionError

__all__ = ["GradientCheckpointing"]


class GradientCheckpointing:
    """What a Network knows of it: into how many stretches a window is cut, and whether it may be.

    The loss and its gradients are the same however many there are, and so is what is drawn at random for a whole
    window; dropout inside of one is drawn stretch by stretch.
    """

    no_chunks_reason = ""
    """Why the stretches of a window cannot be computed one by one, where they cannot; it completes a sentence."""

    _chunks = 1

    @property
    def checkpoint_chunks(self) -> int:
        """Into how many stretches a window is cut, of which only the states between them are kept for going back.

        What is inside of them is computed again. Raises OptionError where more than one is set and a network is
        indivisible.
        """
        return self._chunks

    @checkpoint_chunks.setter
    def checkpoint_chunks(self, chunks: int) -> None:
        if chunks > 1 and self.no_chunks_reason:
            raise OptionError(
                f"`checkpoint_chunks` cannot be {chunks} here: {self.no_chunks_reason}",
                "leave it out; a smaller batch or length takes less memory too",
            )
        self._chunks = chunks

    def chunks(self, length: int) -> Sequence[slice]:
        """The stretches of `length` steps, one where no gradient is asked for."""
        chunks = max(1, min(self._chunks, length)) if torch.is_grad_enabled() else 1
        edges = [length * chunk // chunks for chunk in range(chunks + 1)]
        return [slice(start, stop) for start, stop in pairwise(edges)]

    def checkpointed(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What `function` gives; where windows are cut, it is called again to go back, and nothing inside it kept."""
        if self._chunks <= 1 or not torch.is_grad_enabled():
            return function(*arguments)
        return checkpoint(function, *arguments, use_reentrant=False)
