"""Hints for pieces that were rejected, from how they were sampled."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from composer.api.fields import name_on_command_line
from composer.api.sampling.params import SamplingParams

COPY_HINT = "use a higher --max-copy or --temp"

LOW_TEMPERATURE = 0.7
"""Below this temperature, pieces are repetitive rather than wild."""

STRICT_RANGES: Mapping[str, tuple[float, float]] = {"top_k": (1, 5), "top_p": (0.0, 0.5), "min_p": (0.2, 1.0)}
"""Ranges of filters that leave so few steps that rests lead to more rests."""


def hint_for_silence(params: SamplingParams) -> str:
    """Return how to get notes after pieces without any: looser filters, or another temperature."""
    highest = params.highest_temperature
    if params.is_greedy:
        flag = "--temp" if highest == 0 else "--top-k"
        return f"try a higher {flag}; with this one every --seed gives the same piece"
    strict = [
        name_on_command_line(field)
        for field in dataclasses.fields(params)
        if field.name in STRICT_RANGES
        and STRICT_RANGES[field.name][0] <= getattr(params, field.name) <= STRICT_RANGES[field.name][1]
    ]
    if strict:
        return f"try another --seed, or a looser {' and '.join(strict)}"
    return f"try another --seed, or a {'higher' if highest < LOW_TEMPERATURE else 'lower'} --temp"
