"""`composer check`: what is wrong in files of music, and where.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

from typing import Annotated

import typer

from composer.api import UsageError
from composer.cli.console import Console


def check(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Files, folders, globs, zips, corpus:NAME of music21, or - for stdin."),
    ],
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended, beside the file: tune.fixed.abc.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="With --fix: replace files that were mended before.")] = False,
    errors_only: Annotated[bool, typer.Option("--errors-only", help="Pass over warnings.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that is found as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print what is found, and nothing else.")] = False,
) -> None:
    """Find what is wrong in files of music: ABC, MIDI, MusicXML, kern.

    In ABC, by line and column: bars that do not fill their meter, repeats, endings and ties that lead nowhere, broken
    tuplets, unknown characters and fields. In all formats: damaged and silent files, odd tempos, notes that hang,
    texts that are not UTF-8, and tunes that stand there twice, be it in another key.

    An error is music that is lost or plays wrong; a warning is worth a look. The exit status is 0 where nothing was
    found, 1 where something was, and 2 for a command line that cannot be meant.
    """
    from composer.cli.render import check_report
    from composer.cli.render.check_progress import examine

    console: Console = context.obj
    console.quiet = quiet
    if force and not fix:
        raise UsageError("--force is for --fix", "leave it out, or add --fix")
    total = examine(
        files, check_report.report(console, as_json), console, errors_only=errors_only, fix=fix, force=force
    )
    console.say(total.summary())
    if total.problems:
        raise typer.Exit(1)
