"""Check one file: its format, its problems, and a fingerprint of each piece."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from composer.api import ComposerError, ReadError, RejectedPiece, Source
from composer.api.problem import Check
from composer.check.abc_layout import blank_problems, number_of, number_problems, stray_problems
from composer.check.abc_tunes import tune_problems
from composer.check.fingerprint import Fingerprint, fingerprint
from composer.check.midi_chunks import chunk_problems
from composer.check.plugin_checks import plugin_problems
from composer.check.problem import Problem, merge_repeated
from composer.check.score_sanity import score_problems
from composer.check.text_encoding import decode
from composer.formats import detect
from composer.formats.abc.reader.lexer import TuneText, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import score_of
from composer.formats.read import MUSIC_SUFFIXES, music_suffixes, not_as_named, read_scores

_TEXT_SUFFIXES = (".txt", ".csv", ".tsv")
"""Files that need not be music; only their encoding is checked."""

_NEVER_ABC_SUFFIXES = tuple(suffix for suffix in MUSIC_SUFFIXES if suffix != ".abc")
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


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of files to check in a folder."""
    return (*music_suffixes(), *_TEXT_SUFFIXES)


def examine(source: Source, checks: Sequence[Check] = ()) -> FileReport:
    """Check `source`, by content rather than suffix, with additional `checks` of plugins.

    Raises ReadError if its bytes cannot be read.
    """
    data = source.bytes()
    if not data.strip():
        return _unreadable("empty file", "the file is empty")
    found = detect(data)
    if found is None or found.name == "abc":
        report = _check_text(source, data, checks, is_abc=found is not None)
    else:
        report = _check_scores(source, data, checks, is_midi=found.name == "midi")
    more = plugin_problems(checks, "data", data)
    return replace(report, problems=tuple(sorted([*report.problems, *more], key=lambda each: each.place)))


def _check_scores(source: Source, data: bytes, checks: Sequence[Check], *, is_midi: bool) -> FileReport:
    """Check a file whose format has no lines."""
    problems, pieces = list(chunk_problems(data)) if is_midi else [], list[CheckedPiece]()
    try:
        scores = list(read_scores(replace(source, name="the file", data=data)))
    except ComposerError as error:
        return FileReport((*problems, _problem_of(error)))
    for number, (_, score) in enumerate(scores, 1):
        tune = str(number) if len(scores) > 1 else ""
        if isinstance(score, RejectedPiece):
            problems.append(Problem(0, 0, "unreadable", f"piece {number}: {score.reason}", tune=tune))
            continue
        for each in (*score_problems(score), *plugin_problems(checks, "score", score)):
            problems.append(replace(each, tune=tune, message=f"piece {tune}: {each.message}") if tune else each)
        pieces.append(CheckedPiece(tune, score.title, 0, fingerprint(score)))
    return FileReport(tuple(problems), tuple(pieces))


def _unreadable(kind: str, message: str) -> FileReport:
    return FileReport((Problem(0, 0, kind, message),))


_PLACE = re.compile(r"line (\d+)(?:, column (\d+))?")


def _problem_of(error: ComposerError) -> Problem:
    """Convert a reader's error, with its line if the message has one."""
    kind = "no notes" if "has no notes" in error.message else "unreadable"
    place = _PLACE.search(error.message)
    line, column = (int(place[1]), int(place[2] or 0)) if place else (0, 0)
    return Problem(line, column, kind, error.message)


def _check_text(source: Source, data: bytes, checks: Sequence[Check], *, is_abc: bool) -> FileReport:
    """Check a text file, or one that only its suffix calls music."""
    suffix = source.path.suffix.lower()
    if suffix in _NEVER_ABC_SUFFIXES and not is_abc:
        wrong = not_as_named(source)
        return _unreadable("no music", f"no music in this file{f': {wrong}' if wrong else ''}")
    found = decode(data)
    if found is None:
        return _unreadable("unknown format", "the file is neither music nor text")
    if suffix in _TEXT_SUFFIXES and not is_abc:
        return FileReport(found.problems)
    return _check_tunes(found.text, found.problems, checks)


def _check_tunes(text: str, encoding_problems: Sequence[Problem], checks: Sequence[Check]) -> FileReport:
    tunes = split_tunes(text)
    if not tunes:
        return FileReport((*encoding_problems, Problem(1, 1, "no tune", "no tune in this file")))
    problems = [*encoding_problems, *stray_problems(text, tunes), *number_problems(tunes), *blank_problems(tunes)]
    pieces = []
    for tune in tunes:
        found, piece = _check_tune(tune, checks)
        problems += found
        if piece is not None:
            pieces.append(piece)
    merged = merge_repeated(problems, _HABITS, "file")
    return FileReport(tuple(sorted(merged, key=lambda each: each.place)), tuple(pieces))


def _check_tune(text: TuneText, checks: Sequence[Check]) -> tuple[list[Problem], CheckedPiece | None]:
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
    for each in plugin_problems(checks, "score", score):
        line, column, title = each.line or text.first, each.column or 1, tune.first("T")
        problems.append(replace(each, line=line, column=column, tune=number, title=title))
    return problems, CheckedPiece(number, score.title, text.first, fingerprint(score))
