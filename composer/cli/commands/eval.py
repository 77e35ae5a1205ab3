"""`composer eval`: likelihood of held-out music, or generated pieces compared with real ones."""

import shlex
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import UsageError
from composer.api.errors import suggest
from composer.api.fields import check_ranges, invalid_value, option
from composer.cli.options_from import OptionsCommand
from composer.cli.render.text import count_noun

if TYPE_CHECKING:
    from composer.analysis.likelihood import Evaluation
    from composer.cli.console import Console


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """Options of `composer eval`. Raises UsageError, OptionError."""

    representation: str = option(help="Representation, such as abc.", argument="REP")
    files: tuple[str, ...] = option(
        help="Files, folders, globs, zip archives, or corpus:NAME from music21.", argument="FILE...", repeated=True
    )
    checkpoint: Path | None = option(
        None,
        "Model name or file. [default: the one set by `composer models use`, else the bundled one]",
        "-c",
        metavar="NAME",
    )
    split: Path | None = option(None, "File that assigns each piece to train, valid or test.", metavar="FILE")
    part: str | None = option(None, "Use only this part of the split: train, valid or test.", metavar="PART")
    effort: int | None = option(
        None, "Multiply the default effort of estimated likelihoods, such as those of rnnrbm, by N.",
        metavar="N", minimum=1, maximum=2**63, hint="use 1 or more",
    )  # fmt: skip
    stream: bool = option(False, "Evaluate all pieces as one sequence.")
    generated: int | None = option(
        None, "Generate N pieces and compare their statistics with those of FILE.",
        metavar="N", minimum=1, maximum=10_000, hint="use 1 to 10,000; a few hundred are enough",
    )  # fmt: skip
    seed: int | None = option(
        None, "Random seed for --generated. [default: 1]",
        metavar="N", minimum=0, maximum=2**63 - 1, hint="use a whole number from 0 to 9223372036854775807",
    )  # fmt: skip
    temperature: float | None = option(
        None, "Sampling temperature for --generated. [default: the model's, else 1]", "--temp",
        metavar="T", minimum=0, maximum=1e6, hint="use 0 to 1,000,000; 1 samples from the model unchanged",
    )  # fmt: skip
    device: str = option("auto", "Device: auto, cpu, cuda or mps.", metavar="DEVICE")
    as_json: bool = option(False, "Print JSON.", "--json")
    quiet: bool = option(False, "Print only results, warnings and errors.", "-q")

    def __post_init__(self) -> None:
        from composer.data.splits import SPLITS

        if self.part is not None and self.part not in SPLITS:
            raise invalid_value("--part", self.part, suggest(self.part, SPLITS))
        for name, is_given in (("--effort", self.effort is not None), ("--stream", self.stream)):
            if self.generated is not None and is_given:
                raise UsageError(
                    f"{name} cannot be combined with --generated, which does not measure likelihood",
                    f"remove {name} or --generated",
                    flags=(name, "--generated"),
                )
        for name, value in (("--seed", self.seed), ("--temp", self.temperature)):
            if self.generated is None and value is not None:
                command = f"composer eval {self.representation} {shlex.join(self.files)}"
                raise UsageError(
                    f"{name} needs --generated", f"{command} --generated 200 {name} {value:g}", flags=(name,)
                )
        check_ranges(self)


def eval(console: "Console", options: EvalOptions) -> None:  # noqa: A001 - the command's name
    """Evaluate a model on music it was not trained on.

    Prints how well the model predicts each token or frame, in bits per token or nats per frame (1 nat is 1.44 bits).
    Lower is better. 1 bit is a coin toss; each additional bit doubles the number of equally likely choices.
    A second line gives the result of a baseline on the same pieces: a Markov chain trained on the same data.
    A warning counts the pieces that are copies of training pieces, as these are predicted too well.

    With --generated, the model generates pieces instead, and a table compares them with these files. It shows the mean
    and standard deviation of each metric of pitch, rhythm, form, copying and validity, and how far apart the two means
    are, in standard deviations of the pieces in the files.
    """
    from composer.checkpoints import store
    from composer.registry import plugins as registry
    from composer.system import device as devices

    console.quiet = options.quiet
    registry.representation(options.representation)
    device = devices.resolve(options.device)
    if reason := devices.unused_cuda_warning(options.device):
        console.warn(reason)
    given = options.checkpoint
    path = store.resolve_model(given) if given else store.default(options.representation)
    from composer.cli.inputs import hint_other_representation
    from composer.data.corpus import NoMatchingFiles

    try:
        if options.generated is None:
            _report_likelihood(console, options, path, device)
        else:
            _report_comparison(console, options, path, device)
    except NoMatchingFiles as error:
        raise hint_other_representation(error, "composer eval", options.files) from error


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("eval", eval, EvalOptions, summary)


def _report_comparison(console: "Console", options: EvalOptions, path: Path, device: str) -> None:
    """Compare generated pieces with the files. Raises ComposerError."""
    from composer.cli.render.comparison_table import ComparisonOptions, report_comparison

    assert options.generated is not None
    seed = 1 if options.seed is None else options.seed
    compared = ComparisonOptions(
        options.representation, path, options.files, options.generated, seed, options.temperature, options.split,
        options.part, device, options.as_json,
    )  # fmt: skip
    report_comparison(compared, console)


def _report_likelihood(console: "Console", options: EvalOptions, path: Path, device: str) -> None:
    """Print the likelihood per step. Raises ComposerError."""
    from composer.analysis.likelihood import evaluate
    from composer.checkpoints.load import open_checkpoint
    from composer.cli.render.reading_progress import ReadingProgress, report_skipped

    representation, name = options.representation, path.stem
    model = open_checkpoint(path, representation, f"eval {{}} {shlex.join(options.files)} --checkpoint")
    if options.stream and not model.checkpoint.header.record.get("settings", {}).get("contiguous", False):
        console.warn(f"{name} was trained on separate pieces; --stream makes its likelihood look worse")
    with ReadingProgress(console) as reading:
        result = evaluate(
            model, options.files, device=device, listing=options.split, split=options.part, effort=options.effort,
            stream=options.stream, reading_progress=reading.update, progress=reading.update_measured,
        )  # fmt: skip
    report_skipped(console, result)
    for note in result.notes:
        console.warn(note)
    if options.as_json:
        console.write_json({"checkpoint": name, "representation": representation, **result.to_json()})
    else:
        console.write(_line(name, result, model.representation.step_name) + "\n")
        if result.baseline is not None:
            console.write(f"{result.baseline_name}: {result.baseline:.3f} {result.unit}\n")


def _line(name: str, result: "Evaluation", step: str) -> str:
    error = f" ± {Decimal(f'{result.stderr:.2g}'):f}" if result.stderr else ""
    over = f"{count_noun(result.pieces, 'piece')}, {count_noun(result.steps, step)}"
    return f"{name}: {result.value:.3f}{error} {result.unit} ({over}{', as one sequence' if result.stream else ''})"
