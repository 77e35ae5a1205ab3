"""`composer eval`: how well a model knows music that it was not taught, and how like it what it composes is.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

from pathlib import Path
from typing import Annotated

import typer

from composer.api import UsageError
from composer.cli.console import Console


def eval(  # noqa: A001 - the command's name
    context: typer.Context,
    rep: Annotated[str, typer.Argument(metavar="REP", help="What the model composes, such as abc.")],
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, folders, globs, zips, or corpus:NAME of music21.")
    ],
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The model; else your newest, else the bundled one.")
    ] = None,
    split: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A list of which piece is train, valid or test.")
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(metavar="PART", help="Only this part, of the list or as the model's own training split them."),
    ] = None,
    effort: Annotated[
        int | None,
        typer.Option(metavar="N", help="Where there is no exact figure, how much work an estimate may be; else 1."),
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Measure the pieces as one text: each is met after the one before.")
    ] = False,
    generated: Annotated[
        int | None,
        typer.Option(metavar="N", help="Compose N pieces, and set what can be measured of them beside these."),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="With --generated: another seed; else 1.")] = None,
    temp: Annotated[float | None, typer.Option(metavar="T", help="With --generated: the temperature; else 1.")] = None,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda or mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
) -> None:
    """Measure how well a model knows music that it was not taught.

    The less each step costs, in bits per token or nats per frame, the better: each piece is met afresh, and all steps
    are pooled.

    With --generated, the model composes instead, as `composer gen` does, and a table sets its pieces beside these:
    pitches, rhythm and form, what they copy, and whether they are valid; each as its mean and standard deviation on
    both sides, and how many of the corpus's deviations apart the means are.
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
    """Raise UsageError for what cannot be meant."""
    from composer.data.splits import PARTS

    if part is not None and part not in PARTS:
        raise UsageError(f"there is no part `{part}`", f"choose {', '.join(PARTS)}")
    if effort is not None and effort < 1:
        raise UsageError(f"--effort cannot be {effort}", "give 1 or more")
    for name, asked in (("--effort", effort is not None), ("--stream", stream)):
        if generated is not None and asked:
            raise UsageError(
                f"{name} is for what steps cost, which --generated does not tell", "leave out one of the two"
            )
    for name, value in (("--seed", seed), ("--temp", temp)):
        if generated is None and value is not None:
            raise UsageError(f"{name} is for pieces that are composed", "say how many with --generated")
