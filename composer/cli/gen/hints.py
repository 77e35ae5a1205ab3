"""What to ask for instead where pieces were not to be had, by how they were drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from composer.generation.generate import Request

__all__ = ["COPY_LESS", "sound_more"]

COPY_LESS = "give a higher --max-copy or --temp"

COLD = 0.7
"""A temperature below which pieces are repetitive rather than wild."""

STRICT: Mapping[str, tuple[float, float]] = {"top_k": (1, 5), "top_p": (0.0, 0.5), "min_p": (0.2, 1.0)}
"""From where to where a filter leaves so few steps that a piece that rests goes on resting."""


def sound_more(request: Request) -> str:
    """What gives notes to pieces that have none: more to draw from where that is little, else what is less wild."""
    warmest = request.temperature
    if not isinstance(warmest, int | float):
        warmest = max(warmest.first, warmest.last)
    if warmest == 0 or request.top_k == 1:
        return f"give a higher {'--temp' if warmest == 0 else '--top-k'}; as it is, every --seed gives the same piece"
    strict = [_flag(name) for name, (low, high) in STRICT.items() if low <= getattr(request, name) <= high]
    if strict:
        return f"try another --seed, or a looser {' and '.join(strict)}"
    return f"try another --seed, or a {'higher' if warmest < COLD else 'lower'} --temp"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
