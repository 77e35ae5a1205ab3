"""`composer originality`: passages copied from the training data."""

from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from composer.cli.console import Console


def originality(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Music: files, folders, globs, zips, or - for stdin.")
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", "-c", metavar="FILE", help="Model name or file. [default: the one that generated the file]"
        ),
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Compare with this music instead. May be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only print the results, warnings and errors.")] = False,
) -> None:
    """Find passages copied from the training data.

    For each piece, prints the longest run of its melody that also occurs in a training tune, in any key and at any
    speed, with the tune's title and source and the bars where the run starts. Unrelated tunes often share runs of up
    to ten notes.
    """
    from composer.cli import inputs
    from composer.cli.render import copied_runs
    from composer.data.sources import sources

    console: Console = context.obj
    console.quiet = quiet
    found = sources(files, sorted(inputs.suffixes()))
    if corpus:
        against = copied_runs.corpus_reference(console, corpus)
    else:
        first = next(found, None)
        against = copied_runs.model_reference(checkpoint, first)
        found = chain([] if first is None else [first], found)
    copied_runs.compare(console, found, against, as_json)
