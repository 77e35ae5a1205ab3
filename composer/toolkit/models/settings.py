"""Help texts and checks for settings that several models share; imports neither numpy nor torch."""

from __future__ import annotations

from typing import Any

from composer.api.errors import OptionError
from composer.api.fields import invalid_setting
from composer.api.sequence import StepKind

__all__ = [
    "OUTPUT_HELP",
    "POSITION_HELP",
    "TIED_HELP",
    "check_output",
    "check_positive",
    "check_rates",
    "check_tied",
]

OUTPUT_HELP = (
    "`plain`: softmax over tokens, or a sigmoid for each unit of a frame; "
    "`nade`: each unit of a frame depends on the units before it"
)

POSITION_HELP = "embedding size of a position feature, if the representation has them"

TIED_HELP = "tie input and output embeddings; `embedding` is then ignored"
"""Tied weights are due to Press and Wolf (2017)."""


def check_positive(config: Any, *names: str) -> None:
    """Raise OptionError if a named setting of `config` is below 1."""
    for name in names:
        if getattr(config, name) < 1:
            raise invalid_setting(config, name, "use a whole number above 0")


def check_rates(config: Any, *names: str) -> None:
    """Raise OptionError if a named setting of `config`, a number, a tuple or None, is not in [0, 1)."""
    for name in names:
        value = getattr(config, name)
        for rate in value if isinstance(value, tuple) else (value,):
            if rate is not None and not 0 <= rate < 1:
                raise invalid_setting(config, name, "use a number from 0 to below 1")


def check_output(kind: StepKind, output: str) -> None:
    """Raise OptionError if sequences of `kind` cannot be sampled with `output`."""
    if output == "nade" and kind is StepKind.TOKENS:
        raise OptionError(
            "`output=nade` needs a representation of frames, but this one has tokens",
            "leave out --set output, or use a representation of frames such as pianoroll",
        )


def check_tied(kind: StepKind, tied: bool) -> None:
    """Raise OptionError if there is no token embedding to tie."""
    if tied and kind is StepKind.FRAMES:
        raise OptionError(
            "`tied` needs a representation of tokens, but this one has frames",
            "leave out --set tied, or use a representation of tokens such as abc",
        )
