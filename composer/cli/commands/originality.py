"""`composer originality`: what of a piece stands in what a model was taught, and where.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

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
        typer.Option(metavar="FILE", help="The model; else the one that composed the file, or your newest of such."),
    ] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Compare with this music, not with a model's. May be given more than once."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that is found as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print what is found, and nothing else.")] = False,
) -> None:
    """Find what of a piece is copied from what a model was taught.

    For each piece, the longest run of its melody that stands in some tune too, in whatever key and note values; with
    the tune's title and source, and the bars in which the run begins, as they are played. Models keep the melodies
    that they were taught for this. Runs of up to some ten notes are common to unrelated tunes.
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
