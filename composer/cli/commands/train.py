"""`composer train`: train a model on your own music."""

from typing import TYPE_CHECKING

from composer.cli.options_from import OptionsCommand
from composer.cli.train.options import TrainOptions

if TYPE_CHECKING:
    from composer.cli.console import Console


def train(console: "Console", options: TrainOptions) -> None:
    """Train a model on your own music.

    Training saves the best model so far. Ctrl-C saves and stops; --resume continues. To use several processes or
    machines, run it under torchrun: torchrun --nproc-per-node N -m composer train ...
    """
    from composer.cli.train.run import train_and_report

    console.quiet = options.quiet
    train_and_report(console, options)


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("train", train, TrainOptions, summary)
