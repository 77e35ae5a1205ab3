"""Contract test of a file format: it recognizes and reads what it writes, and finds its marks."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from composer.api.file_format import Format
from composer.api.score import Note, Part, RejectedPiece, Score
from composer.api.source import Source
from composer.api.testing.checks import about, expect
from composer.formats import FORMATS, WriteSettings
from composer.registry.extension_checks import checked_extensions
from composer.registry.guard import Owner

MELODY = Score((Part(tuple(Note(Fraction(beat), pitch, Fraction(1)) for beat, pitch in enumerate((60, 62, 64, 67)))),))
"""Four quarter notes."""

MARK = 'composer 1.0 {"seed":5}'

FOREIGN = (b"", b"X:1\nK:C\nCDEF|]\n", b"MThd\0\0\0\6\0\0\0\0\0\x60", b"<?xml version='1.0'?><score-partwise/>")
"""Files that are in no format but a built-in one."""


def check_file_format(given: Format, score: Score = MELODY) -> None:
    """Test a format with a score that it can hold.

    Raises AssertionError, whose message is a sentence that says what is wrong.
    """
    with about(""):
        found, errors = checked_extensions({"format": given}, given.name, Owner(given.name, "under test"))
        expect(not errors, str(next(iter(errors), "")))
        form: Format = found["format"][given.name]
        built_in = FORMATS.get(given.name) == given
        for data in FOREIGN if form.recognize and not built_in else ():
            expect(not (form.recognize and form.recognize(data)), f"it recognizes {data!r}, which is not its own")
        if form.write is not None:
            _check_written(form, form.write(score, WriteSettings()), score)


def _check_written(form: Format, data: bytes, score: Score) -> None:
    assert form.write is not None
    expect(data, "`write` returned no bytes")
    expect(form.write(score, WriteSettings()) == data, "`write` returned other bytes for the same score")
    expect((form.mark is None) == (form.find_marks is None), "`mark` and `find_marks` go together")
    _check_read(form, data, score, "what `write` returned")
    if form.mark is not None and form.find_marks is not None:
        marked = form.mark(data, MARK.encode())
        expect(list(form.find_marks(data)) == [], "`find_marks` finds a mark in a file without one")
        found = list(form.find_marks(marked))
        expect(found == [MARK], f"`mark` wrote {MARK!r}, but `find_marks` found {found}")
        _check_read(form, marked, score, "what `mark` returned")


def _check_read(form: Format, data: bytes, score: Score, what: str) -> None:
    if form.recognize is None or form.read is None:
        return
    expect(form.recognize(data), f"{what} is not recognized")
    pieces = [piece for _, piece in form.read(Source(Path(f"tune{form.suffixes[0]}"), data=data))]
    expect(len(pieces) == 1, f"{what} has {len(pieces)} pieces, not 1")
    if isinstance(pieces[0], RejectedPiece):
        raise AssertionError(f"{what} cannot be read: {pieces[0].reason}")
    read, written = len(pieces[0].notes), len(score.notes)
    expect(read > 0, f"{what} has no notes, but the score has {written}")
