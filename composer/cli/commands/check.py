"""`composer check`: find errors in music files.

The annotations are not strings, since typer would compile each of them twice at every start.
"""

from typing import Annotated

import typer

from composer.api import UsageError
from composer.cli.console import Console


def check(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Files, folders, globs, zips, corpus:NAME (music21), or - for stdin."),
    ],
    fix: Annotated[
        bool, typer.Option("--fix", help="Write a fixed copy beside each file that can be fixed: tune.fixed.abc.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="With --fix: replace existing fixed copies.")] = False,
    errors_only: Annotated[bool, typer.Option("--errors-only", help="Ignore warnings.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only print the problems, without a summary.")] = False,
) -> None:
    """Check music files for errors: ABC, MIDI, MusicXML and kern.

    In ABC, with line and column: bars that do not fill their meter, unmatched repeats, endings and ties, incomplete
    tuplets, unknown characters and fields. In all formats: damaged and silent files, unusual tempos, hanging notes,
    text that is not UTF-8, and duplicate tunes, even in another key.

    An error loses music or plays it wrong; a warning is worth a look. The exit status is 0 if nothing was found, 1 if
    something was, and 2 for usage errors.
    """
    from composer.cli.render import check_report
    from composer.cli.render.check_progress import examine

    console: Console = context.obj
    console.quiet = quiet
    if force and not fix:
        raise UsageError("--force needs --fix", "add --fix, or leave out --force")
    total = examine(
        files, check_report.report(console, as_json), console, errors_only=errors_only, fix=fix, force=force
    )
    console.say(total.summary())
    if total.problems:
        raise typer.Exit(1)
