"""Settings that several models have, for their descriptors: neither numpy nor torch."""

from __future__ import annotations

from composer.api.errors import OptionError
from composer.api.sequence import StepKind

__all__ = ["OUTPUTS", "TIED_HELP", "check_output", "check_tied"]

OUTPUTS = {
    "plain": "a softmax over tokens, a sigmoid for each unit of a frame",
    "nade": "the units of a frame one after the other, each given those before it",
}
"""What a network's last layer may be."""

TIED_HELP = "tokens leave by the table that they enter by, as wide as the last layer, whatever `embedding` says"
"""What tied weights are (Press and Wolf 2017)."""


def check_output(kind: StepKind, output: str) -> None:
    """Raise OptionError where sequences of `kind` cannot be composed by `output`."""
    if output == "nade" and kind is StepKind.TOKENS:
        raise OptionError(
            "`output=nade` is for the units of frames, and here a step is one token",
            "leave out --set output, or take a representation of frames",
        )


def check_tied(kind: StepKind, tied: bool) -> None:
    """Raise OptionError where there is no table to tie the output to."""
    if tied and kind is StepKind.FRAMES:
        raise OptionError(
            "`tied` is for the table of tokens, and frames have none", "leave out --set tied, or take tokens"
        )
