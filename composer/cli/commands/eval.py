"""`composer eval`: likelihood on held-out music, and generated pieces beside real ones."""

from pathlib import Path
from typing import Annotated

import typer

from composer.api import UsageError
from composer.cli.console import Console


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
            metavar="FILE",
            help="Model name or file. [default: your newest, else the bundled one]",
        ),
    ] = None,
    split: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File that lists which piece is train, valid or test.")
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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only print warnings and errors.")] = False,
) -> None:
    """Evaluate a model on music it was not trained on.

    Prints how well the model predicts each next step, in bits per token or nats per frame, averaged over all pieces:
    lower is better. One bit less means that the model hesitates between half as many choices.

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
        from composer.cli.eval import likelihood as likelihood_report

        likelihood_report.report_likelihood(
            likelihood_report.LikelihoodOptions(rep, path, files, where, split, part, effort, stream, as_json), console
        )
    else:
        from composer.cli.eval import comparison as comparison_report

        seed, temp = 1 if seed is None else seed, 1.0 if temp is None else temp
        comparison_report.report_comparison(
            comparison_report.ComparisonOptions(rep, path, files, generated, seed, temp, split, part, where, as_json),
            console,
        )


def _check(
    part: str | None, effort: int | None, stream: bool, generated: int | None, seed: int | None, temp: float | None
) -> None:
    """Raise UsageError for values and combinations that are not allowed."""
    from composer.data.splits import SPLITS

    if part is not None and part not in SPLITS:
        raise UsageError(f"invalid value for --part: '{part}'", f"choose {', '.join(SPLITS)}")
    if effort is not None and effort < 1:
        raise UsageError(f"invalid value for --effort: {effort}", "use 1 or more")
    for name, asked in (("--effort", effort is not None), ("--stream", stream)):
        if generated is not None and asked:
            raise UsageError(
                f"{name} cannot be combined with --generated, which measures no likelihood",
                f"remove {name} or --generated",
            )
    for name, value in (("--seed", seed), ("--temp", temp)):
        if generated is None and value is not None:
            raise UsageError(f"{name} needs --generated", f"for example: --generated 200 {name} {value}")
