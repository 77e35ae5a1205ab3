"""Files of music examined one by one, and mended beside themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from composer.api import ComposerError, ReadError
from composer.check.collection import FIXED, Diagnosis, diagnoses, treated, untreated
from composer.check.examine import SUFFIXES
from composer.check.fix import FixResult
from composer.cli.console import Console
from composer.cli.output.files import save
from composer.cli.render.check_report import Report, Total
from composer.cli.render.reading_progress import Reading
from composer.data.sources import sources

__all__ = ["examine"]


def examine(
    files: Sequence[str], report: Report, console: Console, *, errors_only: bool, fix: bool, force: bool
) -> Total:
    """Tell the `report` what is wrong in `files`, and with `fix` write what can be mended beside them.

    What was mended before is replaced with `force` only. Raises ReadError where there is no music.
    """
    total = Total()
    with Reading(console) as reading:
        for diagnosis in diagnoses(sources(files, SUFFIXES)):
            found = diagnosis.without_warnings() if errors_only else diagnosis
            total.add(found)
            if not console.stdout_is_terminal:
                reading.tell(total.files, total.pieces)
            report.found(found)
            if fix and found.problems:
                report.mended(found, *_mend(found, force))
    if not total.files:
        raise ReadError(f"there is no music in {' '.join(files)}", f"these are looked at: {' '.join(SUFFIXES)}")
    report.close(total)
    return total


def _mend(diagnosis: Diagnosis, force: bool) -> tuple[Path | None, FixResult]:
    """Write what can be mended of a file beside it; where that went, and what was done."""
    done = treated(diagnosis)
    if done.data is None or diagnosis.source is None:
        return None, done
    own = diagnosis.source.path
    path = own.with_name(f"{own.stem}{FIXED}{done.suffix}")
    if path.exists() and not force:
        return None, untreated(f"{path} exists already; --force replaces it")
    try:
        save(path, done.data)
    except ComposerError as error:
        return None, untreated(error.message)
    return path, done
