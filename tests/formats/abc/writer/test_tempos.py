"""Tempo changes and programs in written ABC, which reads back as it was."""

from __future__ import annotations

from fractions import Fraction

import pytest

from composer.api import Meter, Note, Part, Score, Tempo
from composer.formats.abc.reader.score import read_score
from composer.formats.abc.writer.score import write


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
