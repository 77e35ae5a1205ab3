"""Check many files, whatever they contain, and find duplicate tunes among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from composer.api import ReadError, Source
from composer.api.limits import VARIABLE
from composer.api.problem import Check
from composer.check.examine import CheckedPiece, FileReport, examine
from composer.check.fingerprint import Fingerprint, Shape
from composer.check.fix import FixNote, FixResult, fix
from composer.check.problem import Problem, Severity

FIXED = ".fixed"
"""Inserted before the suffix of a fixed file."""


@dataclass(frozen=True, slots=True)
class FileDiagnosis:
    """The problems of one file; `source` is None if it cannot be opened."""

    file: str
    source: Source | None
    problems: tuple[Problem, ...]
    pieces: int

    def without_warnings(self) -> FileDiagnosis:
        return replace(self, problems=tuple(each for each in self.problems if each.severity is Severity.ERROR))


def check_files(found: Iterable[Source | ReadError], checks: Sequence[Check] = ()) -> Iterator[FileDiagnosis]:
    """Yield the problems of each file, in order, also those that `checks` of plugins find.

    No file, however damaged, ends the run.
    """
    known = _Known()
    for source in found:
        if isinstance(source, ReadError):
            yield FileDiagnosis("", None, (Problem(0, 0, "unreadable", _message(source)),), 0)
            continue
        report = _examine(source, checks)
        duplicates = [problem for piece in report.pieces if (problem := known.add(source.label, piece))]
        problems = sorted([*report.problems, *duplicates], key=lambda each: each.place)
        yield FileDiagnosis(source.label, source, tuple(problems), len(report.pieces))


def fix_file(diagnosis: FileDiagnosis) -> FixResult:
    """Fix what can be fixed in a file. No file, however damaged, ends the run."""
    source = diagnosis.source
    if source is None or source.data is not None or diagnosis.file.startswith("corpus:"):
        return unfixable("not a file on disk, so no fixed copy was written")
    try:
        return fix(source, diagnosis.problems)
    except ReadError as error:
        return unfixable(error.message)
    except Exception as error:
        return unfixable(_crash(error))


def unfixable(reason: str) -> FixResult:
    """Return the result for a file in which nothing can be fixed."""
    return FixResult(None, left=(FixNote(0, "", reason),))


def _examine(source: Source, checks: Sequence[Check]) -> FileReport:
    try:
        return examine(source, checks)
    except ReadError as error:
        message = _message(error)
    except Exception as error:  # whatever a strange file does to a reader, check the others
        message = _crash(error)
    return FileReport((Problem(0, 0, "unreadable", message),))


def _message(error: ReadError) -> str:
    """Return what is wrong, and the hint if it says how to raise a limit."""
    return f"{error.message}; {error.hint}" if VARIABLE in (error.hint or "") else error.message


def _crash(error: Exception) -> str:
    return f"the reader failed with {type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A piece found earlier, and its file."""

    file: str
    piece: CheckedPiece
    fingerprint: Fingerprint


@dataclass(slots=True)
class _Known:
    """The first piece with each fingerprint: of all notes, of a single line, and of a line among other parts."""

    pieces: dict[bytes, _Earlier] = field(default_factory=dict)
    tunes: dict[bytes, _Earlier] = field(default_factory=dict)
    arrangements: dict[bytes, _Earlier] = field(default_factory=dict)

    def add(self, file: str, piece: CheckedPiece) -> Problem | None:
        """Add a piece of `file`; return a problem if it is a duplicate."""
        if (own := piece.fingerprint) is None:
            return None
        entry = _Earlier(file, piece, own)
        same = self.pieces.setdefault(own.all_notes.digest, entry)
        first = (self.tunes if own.is_single_line else self.arrangements).setdefault(own.melody.digest, entry)
        other = (self.arrangements if own.is_single_line else self.tunes).get(own.melody.digest)
        before = same if same is not entry else other if first is entry else None
        if before is None or _is_fixed_copy(before.file, file):
            return None
        if same is not entry:
            what, difference = "tune", _difference(before.fingerprint.all_notes, own.all_notes)
        else:
            what, difference = "melody", _difference(before.fingerprint.melody, own.melody)
        message = f"same {what} as {_name(before, file)}{difference}"
        column = int(piece.line > 0)
        return Problem(piece.line, column, "duplicate", message, Severity.WARNING, piece.tune, piece.title)


def _is_fixed_copy(file: str, other: str) -> bool:
    return file != other and file.replace(f"{FIXED}.", ".") == other.replace(f"{FIXED}.", ".")


def _name(earlier: _Earlier, file: str) -> str:
    """Name a piece in a message about `file`."""
    piece = earlier.piece
    line = f"line {piece.line}" if piece.line else ""
    place = line if earlier.file == file else f"{earlier.file}:{piece.line}" if piece.line else earlier.file
    return f"{place} (`{piece.title}`)" if piece.title else place


_TIMES = {Fraction(2): "twice", Fraction(1, 2): "half"}


def _difference(before: Shape, now: Shape) -> str:
    semitones, factor = now.first_pitch - before.first_pitch, now.time_unit / before.time_unit
    words = []
    if semitones:
        words.append(f"{abs(semitones)} semitone{'s' * (abs(semitones) != 1)} {'higher' if semitones > 0 else 'lower'}")
    if factor != 1:
        words.append(f"in note values {_TIMES.get(factor, f'{factor} times')} as long")
    return "".join(f", {each}" for each in words)
