"""Tempo changes and programs in written ABC, which reads back as it was."""

from __future__ import annotations

import time
from fractions import Fraction
from xml.etree import ElementTree

import pytest

from composer import formats
from composer.api import Meter, Note, Part, Score, Tempo
from composer.formats.abc.reader.score import read_score
from composer.formats.abc.writer.score import write
from composer.formats.musicxml.reader import read_notation


def quarters(count: int, program: int = 0) -> Part:
    return Part(tuple(Note(Fraction(at), 60 + at % 5, Fraction(1)) for at in range(count)), program=program)


def score(*tempos: tuple[float, float], parts: tuple[Part, ...] | None = None) -> Score:
    changes = tuple(Tempo(Fraction(onset), bpm) for onset, bpm in tempos)
    return Score(parts or (quarters(8),), tempos=changes, meters=(Meter(Fraction(0), 4, 4),))


@pytest.mark.parametrize(
    "tempos",
    [
        [(0, 120), (4, 60)],
        [(0, 120), (3, 60.5), (6, 90)],
        [(0, 120), (2.5, 60)],  # inside a note, which is split and tied
        [(0, 120), (4, 60), (4.5, 70), (5, 80)],
    ],
)
def test_tempo_changes_read_back(tempos):
    for parts in (quarters(8),), (quarters(8), quarters(4)):
        given = score(*tempos, parts=parts)
        found = read_score(write(given))
        assert found.tempos == given.tempos
        assert [part.notes for part in found.parts] == [part.notes for part in parts]


@pytest.mark.parametrize("mark", ["3/8=100", "1/2=80", "1/8=240", "1/1=33.5", "1/1=33.333", "3/4=40", "5/8=60"])
def test_the_note_that_a_tempo_counts_is_kept(mark):
    tune = f"X:1\nM:6/8\nL:1/8\nQ:{mark}\nK:C\nCDE FGA|[Q:3/16=121]GFE DCB,|C6|]\n"
    written = write(read_score(tune))
    assert f"\nQ:{mark}\n" in written
    assert "[Q:3/16=121]" in written
    assert read_score(written).tempos == read_score(tune).tempos


def test_many_tempos_are_fast():
    given = read_score("X:1\nL:1/4\nM:4/4\nK:C\n" + "[Q:1/2=60]CE[Q:1/2=70]Gc|\n" * 2500)
    start = time.process_time()
    written = write(given)
    assert time.process_time() - start < 2, "in proportion to the tempos, not to their square"
    assert written.count("Q:1/2=70") == 2500


@pytest.mark.parametrize(
    ("field", "meter", "note", "dots", "number", "again"),
    [
        ("3/8=100", "6/8", "quarter", 1, "100", "3/8=100"),
        ("1/4=150", "6/8", "quarter", 0, "150", "1/4=150"),
        ("1/2=80.5", "4/4", "half", 0, "80.5", "1/2=80.5"),
        ("3/4=40", "3/4", "half", 1, "40", "3/4=40"),
        ("C=240", "4/4", "eighth", 0, "240", "1/8=240"),
        ("240", "4/4", "eighth", 0, "240", "1/8=240"),
        ("1/4 3/8=40", "5/8", "quarter", 0, "100", "1/4=100"),  # no note has five eighths
        ("7/16=60", "7/16", "quarter", 2, "60", "7/16=60"),
    ],
)
def test_the_note_of_a_metronome_mark(field, meter, note, dots, number, again):
    tune = read_score(f"X:1\nM:{meter}\nL:1/8\nQ:{field}\nK:C\nCDE FGA|GFE DCB,|\n")
    data = formats.write("musicxml", tune)
    (mark,) = ElementTree.fromstring(data).iter("metronome")
    assert (mark.findtext("beat-unit"), len(mark.findall("beat-unit-dot"))) == (note, dots)
    assert mark.findtext("per-minute") == number
    read = read_notation(data, "x")
    assert read.tempos == tune.tempos
    assert f"\nQ:{again}\n" in write(read)


def test_a_tempo_where_abc_cannot_split_is_moved_to_the_next_note():
    assert read_score(write(score((0, 120), (3.0123, 60)))).tempos == (Tempo(Fraction(0), 120), Tempo(Fraction(4), 60))


def test_the_header_has_the_tempo_of_the_first_note():
    later = Part((Note(Fraction(4), 60, Fraction(4)),))
    assert "\nQ:1/4=60\n" in write(score((0, 120), (2, 60), parts=(later,)))
    assert read_score(write(score((0.1, 90)))).tempos == (Tempo(Fraction(0), 90),)


def test_music_before_the_first_tempo_has_the_default():
    assert read_score(write(score((1, 90)))).tempos == (Tempo(Fraction(0), 120), Tempo(Fraction(1), 90))


def test_programs_read_back():
    for parts in (quarters(8, 40),), (quarters(8, 40), quarters(4), quarters(4, 73)):
        found = read_score(write(score((0, 120), parts=parts)))
        assert [part.program for part in found.parts] == [part.program for part in parts]
