"""The doctor's round: every file examined, whatever is in it, and tunes found that stand there more than once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from composer.api import ReadError, Source
from composer.check.examine import CheckedPiece, FileReport, examine
from composer.check.fingerprint import Fingerprint
from composer.check.fix import FixNote, FixResult, fix
from composer.check.problem import Problem, Severity

__all__ = ["FIXED", "Diagnosis", "diagnoses", "treated", "untreated"]

FIXED = ".fixed"
"""What stands before the suffix of a file that was mended."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found in one file; `source` is None where the file cannot even be opened."""

    file: str
    source: Source | None
    problems: tuple[Problem, ...]
    pieces: int

    def without_warnings(self) -> Diagnosis:
        """The same, of its problems the errors alone."""
        return replace(self, problems=tuple(each for each in self.problems if each.severity is Severity.ERROR))


def diagnoses(found: Iterable[Source | ReadError]) -> Iterator[Diagnosis]:
    """What is wrong in each of `found`, in order. No file, however broken, ends the round."""
    known = _Known()
    for source in found:
        if isinstance(source, ReadError):
            yield Diagnosis("", None, (Problem(0, 0, "unreadable", source.message),), 0)
            continue
        examined = _examined(source)
        copies = [copy for specimen in examined.pieces if (copy := known.meet(source.label, specimen))]
        problems = sorted([*examined.problems, *copies], key=lambda each: each.place)
        yield Diagnosis(source.label, source, tuple(problems), len(examined.pieces))


def treated(diagnosis: Diagnosis) -> FixResult:
    """What can be mended in the file of `diagnosis`. No file, however broken, ends the round."""
    source = diagnosis.source
    if source is None or source.data is not None or diagnosis.file.startswith("corpus:"):
        return untreated("it is no file of its own, beside which another could be written")
    try:
        return fix(source, diagnosis.problems)
    except ReadError as error:
        return untreated(error.message)
    except Exception as error:
        return untreated(f"the file breaks its reader: {type(error).__name__}: {error}")


def untreated(why: str) -> FixResult:
    """A file in which nothing could be mended, and why."""
    return FixResult(None, left=(FixNote(0, "", why),))


def _examined(source: Source) -> FileReport:
    try:
        return examine(source)
    except ReadError as error:
        return FileReport((Problem(0, 0, "unreadable", error.message),))
    except Exception as error:  # whatever a strange file does to a reader, the others are looked at
        return FileReport(
            (Problem(0, 0, "unreadable", f"the file breaks its reader: {type(error).__name__}: {error}"),)
        )


@dataclass(frozen=True, slots=True)
class _Met:
    """A piece that was met before, and in which file."""

    file: str
    specimen: CheckedPiece
    fingerprint: Fingerprint


@dataclass(slots=True)
class _Known:
    """The pieces that were met so far: the first of each, by all its notes, and by its melody."""

    wholes: dict[bytes, _Met] = field(default_factory=dict)
    tunes: dict[bytes, _Met] = field(default_factory=dict)
    settings: dict[bytes, _Met] = field(default_factory=dict)
    """Pieces of more than a melody, by that melody."""

    def meet(self, file: str, specimen: CheckedPiece) -> Problem | None:
        """Remember a piece of `file`; the problem that it is there already, where it is."""
        if (print_ := specimen.fingerprint) is None:
            return None
        met = _Met(file, specimen, print_)
        same = self.wholes.setdefault(print_.all_notes, met)
        first = (self.tunes if print_.is_single_line else self.settings).setdefault(print_.melody, met)
        other = (self.settings if print_.is_single_line else self.tunes).get(print_.melody)
        before = same if same is not met else other if first is met else None
        if before is None or _mended(before.file, file):
            return None
        what = "the same tune as" if same is not met else "the same melody as"
        return Problem(
            specimen.line,
            int(specimen.line > 0),
            "duplicate",
            f"{what} {_name(before, file)}{_difference(before.fingerprint, print_)}",
            Severity.WARNING,
            specimen.tune,
            specimen.title,
        )


def _mended(file: str, other: str) -> bool:
    """Whether one of two files was made of the other by mending it."""
    return file != other and file.replace(f"{FIXED}.", ".") == other.replace(f"{FIXED}.", ".")


def _name(met: _Met, file: str) -> str:
    """A piece for the reader of a message about `file`."""
    specimen = met.specimen
    line = f"line {specimen.line}" if specimen.line else ""
    place = line if met.file == file else f"{met.file}:{specimen.line}" if specimen.line else met.file
    return f"{place} (`{specimen.title}`)" if specimen.title else place


def _difference(before: Fingerprint, now: Fingerprint) -> str:
    """How the later of two equal pieces differs from the earlier."""
    semitones = now.first_pitch - before.first_pitch
    moved = f"{abs(semitones)} semitone{'s' * (abs(semitones) != 1)} {'higher' if semitones > 0 else 'lower'}"
    words = [moved] * (semitones != 0) + [f"in note values {now.time_unit / before.time_unit} as long"] * (
        now.time_unit != before.time_unit
    )
    return f", {', '.join(words)}" if words else ""
