"""`composer check`: find errors in music files.

The annotations are not strings, since typer would compile each of them twice at every start.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import ComposerError, ReadError, UsageError
from composer.cli.console import Console

if TYPE_CHECKING:
    from composer.check.collection import FileDiagnosis
    from composer.check.fix import FixResult


def check(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="Files, folders, globs, zip archives, corpus:NAME from music21, or - for stdin."
        ),
    ],
    fix: Annotated[
        bool, typer.Option("--fix", help="Write a fixed copy beside each file that can be fixed: tune.fixed.abc.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing fixed copies.")] = False,
    errors_only: Annotated[bool, typer.Option("--errors-only", help="Ignore warnings.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the problems, not the summary.")] = False,
) -> None:
    """Check music files for errors: ABC, MIDI, MusicXML, MEI and kern.

    Finds damaged and silent files, unusual tempos, hanging notes, text that is not UTF-8, and duplicate tunes, even in
    another key. In ABC, it also gives the line and column of bars of the wrong length, unmatched repeats,
    endings and ties, incomplete tuplets, and unknown characters and fields. In MusicXML, MEI and kern, it gives the
    first bar of the wrong length. Plugins add formats and checks.

    An error means that music is lost or played incorrectly. A warning may be a false alarm. The exit status is 0 if
    there are no problems, 1 if there are, and 2 for usage errors.
    """
    from composer.check.collection import check_files
    from composer.check.examine import suffixes
    from composer.cli.render.check_report import Total, make_report
    from composer.cli.render.reading_progress import ReadingProgress
    from composer.data.sources import sources
    from composer.registry import plugins as registry

    console: Console = context.obj
    console.quiet = quiet
    if force and not fix:
        raise UsageError("--force needs --fix", "add --fix, or leave out --force")
    report, total = make_report(console, as_json), Total()
    checks = [each.value for each in registry.extensions("check").values()]
    with ReadingProgress(console) as reading:
        for diagnosis in check_files(sources(files, suffixes()), checks):
            found = diagnosis.without_warnings() if errors_only else diagnosis
            total.add(found)
            reading.update_checked(total.files, total.pieces)
            if found.problems and console.stdout_is_terminal:
                reading.clear()
            report.found(found)
            if fix and found.problems:
                report.fixed(found, *_write_fixed(found, force))
    if not total.files:
        raise ReadError(f"no music files in {' '.join(files)}", f"checked suffixes: {' '.join(suffixes())}")
    report.close(total)
    console.say(total.summary())
    if total.problems:
        raise typer.Exit(1)


def _write_fixed(diagnosis: "FileDiagnosis", force: bool) -> "tuple[Path | None, FixResult]":
    """Write a fixed copy beside a file. Return its path, if any, and what was done."""
    from composer.check.collection import FIXED, fix_file, unfixable
    from composer.cli.output.files import save

    result = fix_file(diagnosis)
    if result.data is None or diagnosis.source is None:
        return None, result
    own = diagnosis.source.path
    if own.stem.endswith(FIXED):
        return None, unfixable("it is a fixed copy, which is not fixed again; rename it first")
    path = own.with_name(f"{own.stem}{FIXED}{result.suffix}")
    if path.exists() and not force:
        return None, unfixable(f"{path} already exists; overwrite it with --force")
    try:
        save(path, result.data, replace=force)
    except ComposerError as error:
        return None, unfixable(error.message)
    return path, result
