"""`composer eval`: likelihood of held-out music, or generated pieces compared with real ones.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import UsageError
from composer.cli.console import Console
from composer.cli.render.text import count_noun

if TYPE_CHECKING:
    from composer.analysis.likelihood import Evaluation


def eval(  # noqa: A001 - the command's name
    context: typer.Context,
    rep: Annotated[str, typer.Argument(metavar="REP", help="Representation, such as abc.")],
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, folders, globs, zips, or music21's corpus:NAME.")
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            "-c",
            metavar="NAME",
            help="Model name or file. [default: your newest, else the bundled one]",
        ),
    ] = None,
    split: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File that assigns each piece to train, valid or test.")
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(metavar="PART", help="Only this part of the split: train, valid or test."),
    ] = None,
    effort: Annotated[
        int | None,
        typer.Option(metavar="N", help="Work for estimated likelihoods (AIS), in multiples of the default."),
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Measure all pieces as one continuous text.")] = False,
    generated: Annotated[
        int | None,
        typer.Option(metavar="N", help="Generate N pieces and compare their statistics with these files."),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Random seed for --generated. [default: 1]")] = None,
    temp: Annotated[
        float | None, typer.Option(metavar="T", help="Sampling temperature for --generated. [default: 1]")
    ] = None,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="Device: auto, cpu, cuda or mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only print the results, warnings and errors.")] = False,
) -> None:
    """Evaluate a model on music it was not trained on.

    Prints how well the model predicts each character, token or frame: in bits per token, or nats per frame (1 nat is
    1.44 bits). Lower is better; at 1 bit, guessing the next token is like tossing a coin, and each further bit
    doubles the choices.

    With --generated, the model generates pieces instead, and a table compares them with these files: pitch, rhythm,
    form, copying and validity, each as mean and standard deviation, and how many standard deviations apart they are.
    """
    from composer.checkpoints import store
    from composer.registry import plugins as registry
    from composer.system import device as devices

    console: Console = context.obj
    console.quiet = quiet
    _check(part, effort, stream, generated, seed, temp)
    registry.representation(rep)
    where = devices.resolve(device)
    if reason := devices.unused_cuda_warning(device):
        console.warn(reason)
    path = store.resolve_model(checkpoint) if checkpoint else store.default(rep)
    if generated is None:
        _report_likelihood(console, rep, path, files, where, split, part, effort, stream, as_json)
        return
    from composer.cli.render.comparison_table import ComparisonOptions, report_comparison

    seed, temp = 1 if seed is None else seed, 1.0 if temp is None else temp
    options = ComparisonOptions(rep, path, files, generated, seed, temp, split, part, where, as_json)
    report_comparison(options, console)


def _check(
    part: str | None, effort: int | None, stream: bool, generated: int | None, seed: int | None, temp: float | None
) -> None:
    """Raise UsageError for values and combinations that are not allowed."""
    from composer.data.splits import SPLITS

    if part is not None and part not in SPLITS:
        raise UsageError(f"invalid value for --part: '{part}'", f"choose {', '.join(SPLITS)}")
    if effort is not None and effort < 1:
        raise UsageError(f"invalid value for --effort: {effort}", "use 1 or more")
    for name, is_given in (("--effort", effort is not None), ("--stream", stream)):
        if generated is not None and is_given:
            raise UsageError(
                f"{name} cannot be combined with --generated, which measures no likelihood",
                f"remove {name} or --generated",
            )
    for name, value in (("--seed", seed), ("--temp", temp)):
        if generated is None and value is not None:
            raise UsageError(f"{name} needs --generated", f"for example: --generated 200 {name} {value}")


def _report_likelihood(
    console: Console,
    representation: str,
    path: Path,
    files: Sequence[str],
    device: str,
    listing: Path | None,
    part: str | None,
    effort: int | None,
    stream: bool,
    as_json: bool,
) -> None:
    """Print the likelihood per step. Raises ComposerError."""
    from composer.analysis.likelihood import evaluate
    from composer.checkpoints.load import open_checkpoint
    from composer.cli.render.reading_progress import ReadingProgress, report_skipped

    model = open_checkpoint(path, representation, "eval {} FILES... --checkpoint")
    name = path.stem
    if stream and not model.checkpoint.header.record.get("settings", {}).get("contiguous", False):
        console.warn(f"{name} was trained on separate pieces; --stream makes its likelihood look worse")
    with ReadingProgress(console) as reading:
        result = evaluate(
            model,
            files,
            device=device,
            listing=listing,
            split=part,
            effort=effort,
            stream=stream,
            reading_progress=reading.update,
            progress=reading.update_measured,
        )
    report_skipped(console, result)
    if as_json:
        console.write(json.dumps({"checkpoint": name, "representation": representation, **result.to_json()}) + "\n")
    else:
        console.write(_line(name, result, model.representation.step_name) + "\n")


def _line(name: str, result: "Evaluation", step: str) -> str:
    error = f" ± {Decimal(f'{result.stderr:.2g}'):f}" if result.stderr else ""
    over = f"{count_noun(result.pieces, 'piece')}, {count_noun(result.steps, step)}"
    return f"{name}: {result.value:.3f}{error} {result.unit}, over {over}{', as one text' if result.stream else ''}"
