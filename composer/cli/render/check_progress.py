"""Check music files one by one, and write fixed copies beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from composer.api import ComposerError, ReadError
from composer.check.collection import FIXED, FileDiagnosis, check_files, fix_file, unfixable
from composer.check.examine import SUFFIXES
from composer.check.fix import FixResult
from composer.cli.console import Console
from composer.cli.output.files import save
from composer.cli.render.check_report import Report, Total
from composer.cli.render.reading_progress import ReadingProgress
from composer.data.sources import sources

__all__ = ["examine"]


def examine(
    files: Sequence[str], report: Report, console: Console, *, errors_only: bool, fix: bool, force: bool
) -> Total:
    """Report the problems of `files`; with `fix` write fixed copies beside them.

    Existing fixed copies are replaced with `force` only. Raises ReadError if there are no files.
    """
    total = Total()
    with ReadingProgress(console) as reading:
        for diagnosis in check_files(sources(files, SUFFIXES)):
            found = diagnosis.without_warnings() if errors_only else diagnosis
            total.add(found)
            if not console.stdout_is_terminal:
                reading.update(total.files, total.pieces)
            report.found(found)
            if fix and found.problems:
                report.fixed(found, *_fix(found, force))
    if not total.files:
        raise ReadError(f"no music files in {' '.join(files)}", f"checked suffixes: {' '.join(SUFFIXES)}")
    report.close(total)
    return total


def _fix(diagnosis: FileDiagnosis, force: bool) -> tuple[Path | None, FixResult]:
    """Write a fixed copy beside a file. Return its path, if any, and what was done."""
    done = fix_file(diagnosis)
    if done.data is None or diagnosis.source is None:
        return None, done
    own = diagnosis.source.path
    path = own.with_name(f"{own.stem}{FIXED}{done.suffix}")
    if path.exists() and not force:
        return None, unfixable(f"{path} already exists; use --force to replace it")
    try:
        save(path, done.data)
    except ComposerError as error:
        return None, unfixable(error.message)
    return path, done
