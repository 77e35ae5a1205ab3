"""Check one file: its format, its problems, and a fingerprint of each piece."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from composer.api import ReadError, RejectedPiece, Source
from composer.check.abc_layout import blank_problems, number_of, number_problems, stray_problems
from composer.check.abc_tunes import tune_problems
from composer.check.fingerprint import Fingerprint, fingerprint
from composer.check.midi_chunks import chunk_problems
from composer.check.problem import Problem, merge_repeated
from composer.check.score_sanity import score_problems
from composer.check.text_encoding import decode
from composer.formats import detect
from composer.formats.abc.reader.lexer import TuneText, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import score_of
from composer.formats.read import MUSIC_SUFFIXES, read_scores

SUFFIXES = (*MUSIC_SUFFIXES, ".rmi", ".txt", ".csv", ".tsv")
"""The suffixes of files to check in a folder."""

_TEXT_SUFFIXES = (".txt", ".csv", ".tsv")
"""Files that need not be music; only their encoding is checked."""

_NEVER_ABC_SUFFIXES = tuple(suffix for suffix in SUFFIXES if suffix not in (".abc", *_TEXT_SUFFIXES))
"""Files that are not checked as ABC, however damaged they are."""

_HABITS = frozenset({"unknown field", "no blank line"})
"""Kinds that often occur throughout a collection."""


@dataclass(frozen=True, slots=True)
class CheckedPiece:
    """A playable piece: its name and title, first line (0: none) and fingerprint."""

    tune: str
    title: str
    line: int
    fingerprint: Fingerprint | None


@dataclass(frozen=True, slots=True)
class FileReport:
    """The problems of a file, by line, and its pieces."""

    problems: tuple[Problem, ...] = ()
    pieces: tuple[CheckedPiece, ...] = ()


def examine(source: Source) -> FileReport:
    """Check `source`, by content rather than suffix. Raises ReadError if its bytes cannot be read."""
    data = source.bytes()
    if not data.strip():
        return _unreadable("empty file", "the file is empty")
    found = detect(data)
    if found is None or found.name == "abc":
        return _check_text(source, data, is_abc=found is not None)
    problems = list(chunk_problems(data)) if found.name == "midi" else []
    try:
        ((_, score),) = read_scores(replace(source, name="the file", data=data))
    except ReadError as error:
        return FileReport((*problems, _problem_of(error)))
    assert not isinstance(score, RejectedPiece)
    return FileReport((*problems, *score_problems(score)), (CheckedPiece("", score.title, 0, fingerprint(score)),))


def _unreadable(kind: str, message: str) -> FileReport:
    return FileReport((Problem(0, 0, kind, message),))


_PLACE = re.compile(r"line (\d+), column (\d+)")


def _problem_of(error: ReadError) -> Problem:
    """Convert a reader's error, with its line if the message has one."""
    kind = "no notes" if "has no notes" in error.message else "unreadable"
    place = _PLACE.search(error.message)
    line, column = (int(place[1]), int(place[2])) if place else (0, 0)
    return Problem(line, column, kind, error.message)


def _check_text(source: Source, data: bytes, *, is_abc: bool) -> FileReport:
    """Check a text file, or one that only its suffix calls music."""
    suffix = source.path.suffix.lower()
    if suffix in _NEVER_ABC_SUFFIXES and not is_abc:
        return _unreadable("no music", f"no music in {source.label}")
    found = decode(data)
    if found is None:
        return _unreadable("unknown format", "the file is neither music nor text")
    if suffix in _TEXT_SUFFIXES and not is_abc:
        return FileReport(found.problems)
    return _check_tunes(found.text, found.problems)


def _check_tunes(text: str, encoding_problems: Sequence[Problem]) -> FileReport:
    tunes = split_tunes(text)
    if not tunes:
        return FileReport((*encoding_problems, Problem(1, 1, "no tune", "no tune in this file")))
    problems = [*encoding_problems, *stray_problems(text, tunes), *number_problems(tunes), *blank_problems(tunes)]
    pieces = []
    for tune in tunes:
        found, piece = _check_tune(tune)
        problems += found
        if piece is not None:
            pieces.append(piece)
    merged = merge_repeated(problems, _HABITS, "file")
    return FileReport(tuple(sorted(merged, key=lambda each: each.place)), tuple(pieces))


def _check_tune(text: TuneText) -> tuple[list[Problem], CheckedPiece | None]:
    """Check one tune; if it breaks a reader, that is its problem."""
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
