"""One file, examined: what kind of music it holds, what is wrong in it, and a fingerprint of each piece."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from composer.api import ReadError, Source
from composer.check.abc_layout import blank_problems, number_of, number_problems, stray_problems
from composer.check.abc_tunes import tune_problems
from composer.check.fingerprint import Fingerprint, fingerprint
from composer.check.midi_chunks import chunk_problems
from composer.check.problem import Problem
from composer.check.score_sanity import score_problems
from composer.check.text_encoding import decode
from composer.formats import read as score_files
from composer.formats.abc.reader.lexer import TuneText, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import score_of
from composer.formats.midi import reader as midi_reader

__all__ = ["SUFFIXES", "CheckedPiece", "FileReport", "examine"]

SUFFIXES = (*score_files.SUFFIXES, ".rmi", ".txt", ".csv", ".tsv")
"""The suffixes of files that are looked at in a folder."""

_WORDS = (".txt", ".csv", ".tsv")
"""Files that need not hold music: of these, the encoding is examined."""

_OTHERS = tuple(suffix for suffix in SUFFIXES if suffix not in (".abc", *_WORDS))
"""Files that are no tunes in ABC, however broken they are."""


@dataclass(frozen=True, slots=True)
class CheckedPiece:
    """A piece that can be played: its name and title in its file, the line where it begins (0: none), its melody."""

    tune: str
    title: str
    line: int
    fingerprint: Fingerprint | None


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found in one file: `problems` in the order of its lines, and its pieces."""

    problems: tuple[Problem, ...] = ()
    pieces: tuple[CheckedPiece, ...] = ()


def examine(source: Source) -> FileReport:
    """What is wrong in `source`. What it holds decides how it is read, not its suffix.

    Raises ReadError where its bytes cannot be had.
    """
    data = source.bytes()
    if not data.strip():
        return _unreadable("empty file", "the file is empty")
    suffix = score_files.suffix_of(source)
    if suffix == ".mid":
        return _check_midi(data)
    if suffix == ".musicxml":
        return _check_notation(data)
    return _check_text(source, data, tunes=suffix == ".abc")


def _unreadable(kind: str, message: str) -> FileReport:
    return FileReport((Problem(0, 0, kind, message),))


def _check_midi(data: bytes) -> FileReport:
    problems = list(chunk_problems(data))
    try:
        score = midi_reader.read(data, "the file")
    except ReadError as error:
        return FileReport((*problems, _problem_of(error)))
    specimen = CheckedPiece("", score.title, 0, fingerprint(score))
    return FileReport((*problems, *score_problems(score)), (specimen,))


def _check_notation(data: bytes) -> FileReport:
    from composer.formats.musicxml import reader as musicxml_reader

    try:
        score = musicxml_reader.read(data, "the file")
    except ReadError as error:
        return FileReport((_problem_of(error),))
    return FileReport(tuple(score_problems(score)), (CheckedPiece("", score.title, 0, fingerprint(score)),))


def _problem_of(error: ReadError) -> Problem:
    """Why a reader does not read a file; where it knows a line, the problem is there."""
    kind = "no notes" if "has no notes" in error.message else "unreadable"
    return Problem(*_place(error.message), kind, error.message)


_PLACE = re.compile(r"line (\d+), column (\d+)")


def _place(message: str) -> tuple[int, int]:
    found = _PLACE.search(message)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _check_text(source: Source, data: bytes, *, tunes: bool) -> FileReport:
    """What is wrong in the `data` of `source`, in which there are tunes, or whatever its name says."""
    own = source.path.suffix.lower()
    if own in _OTHERS and not tunes:
        return _unreadable("no music", f"there is no music in {source.label}")
    found = decode(data)
    if found is None:
        return _unreadable("unknown format", "the file is neither music nor text")
    if own in _WORDS and not tunes:
        return FileReport(found.problems)
    return _check_tunes(found.text, found.problems)


def _check_tunes(text: str, odd: Sequence[Problem]) -> FileReport:
    tunes = split_tunes(text)
    if not tunes:
        return FileReport((*odd, Problem(1, 1, "no tune", "there is no tune in the file")))
    problems = [*odd, *stray_problems(text, tunes), *number_problems(tunes), *blank_problems(tunes)]
    specimens = []
    for tune in tunes:
        found, specimen = _check_tune(tune)
        problems += found
        if specimen is not None:
            specimens.append(specimen)
    return FileReport(tuple(sorted(_once(problems), key=lambda each: each.place)), tuple(specimens))


def _check_tune(text: TuneText) -> tuple[list[Problem], CheckedPiece | None]:
    """What is wrong in a tune, and its melody. Whatever breaks a reader is the tune's fault."""
    number = number_of(text)
    try:
        tune = parse_tune(text)
        problems = tune_problems(tune)
    except (ReadError, ArithmeticError, ValueError, RecursionError, IndexError, KeyError) as error:
        return [Problem(text.first, 1, "unreadable", f"the tune cannot be read: {error}", tune=number)], None
    try:
        score = score_of(tune)
    except (ReadError, ArithmeticError, ValueError):
        return problems, None
    return problems, CheckedPiece(number, score.title, text.first, fingerprint(score))


_HABITS = frozenset({"unknown field", "no blank line"})
"""What all tunes of a collection may have."""


def _once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """`problems`, what may be a habit of a whole collection being told of the first tune that has it."""
    held = list(problems)
    counts = Counter(each.message for each in held if each.kind in _HABITS)
    told: set[str] = set()
    for each in held:
        if each.kind not in _HABITS:
            yield each
        elif each.message not in told:
            told.add(each.message)
            more = counts[each.message] - 1
            yield replace(each, message=each.message + (f", here and {more:,} more times" if more else ""))
