"""Separating notes into voices by voice leading."""

from fractions import Fraction
from itertools import pairwise

import pytest

from composer.api import Note
from composer.music.voices.arrangements import arrangements
from composer.music.voices.separation import ranked, separate

F = Fraction


def notes(*voices):
    """Notes of the voices, each given as pitches and lengths in beats, with 0 as the pitch of a rest."""
    found = []
    for voice in voices:
        now = F(0)
        for pitch, beats in voice:
            if pitch:
                found.append(Note(now, pitch, F(beats)))
            now += F(beats)
    return found


def separated(found, voices):
    """The pitches of each voice, with chords from the top."""
    return [
        [tuple(found[number].pitch for number in chord) for chord in line] for line in separate(ranked(found), voices)
    ]


def single(*pitches):
    return [(pitch,) for pitch in pitches]


SOPRANO, ALTO = [(72, 1), (74, 1), (76, 2)], [(67, 1), (67, 1), (67, 2)]
TENOR, BASS = [(64, 1), (62, 1), (60, 2)], [(48, 1), (47, 1), (48, 2)]


def test_voices_of_a_chorale():
    assert separated(notes(SOPRANO, ALTO, TENOR, BASS), 4) == [
        single(72, 74, 76),
        single(67, 67, 67),
        single(64, 62, 60),
        single(48, 47, 48),
    ]


def test_voice_that_moves_on_below_a_held_one_keeps_its_place():
    lines = separated(notes([(72, 4)], [(67, 1), (69, 1), (67, 2)], TENOR, BASS), 4)
    assert lines[:2] == [single(72), single(67, 69, 67)]


def test_voice_pauses_for_the_whole_phrase():
    """Without the alto in the middle, the other three go on where they are."""
    pausing = [(67, 1), (65, 1), (0, 4), (67, 1)]
    lines = separated(
        notes(
            [(72, 1), (72, 1), (74, 1), (72, 1), (71, 1), (72, 1), (72, 1)],
            pausing,
            [(60, 1), (60, 1), (62, 1), (60, 1), (59, 1), (60, 1), (60, 1)],
            [(48, 1), (53, 1), (50, 1), (52, 1), (55, 1), (48, 1), (48, 1)],
        ),
        4,
    )
    assert lines[1] == single(67, 65, 67)
    assert [len(line) for line in lines] == [7, 3, 7, 7]


def test_the_melody_is_in_the_highest_voice_and_the_bass_in_the_lowest():
    """Where a note of a chord is missing, as in a unison, an inner voice is silent."""
    lines = separated(notes([(74, 1), (67, 3)], [(67, 1), (0, 3)], [(62, 1), (62, 3)], [(47, 1), (55, 3)]), 4)
    assert lines == [single(74, 67), single(67), single(62, 62), single(47, 55)]


def test_unison_of_two_notes_is_in_two_voices():
    found = notes([(67, 1), (65, 1), (67, 1)], [(64, 1), (65, 2)])
    assert separated(found, 2) == [single(67, 65, 67), single(64, 65)]


def test_further_notes_form_chords_that_leave_the_melody_alone():
    found = notes(SOPRANO, ALTO, TENOR, BASS, [(60, 1), (59, 1), (36, 2)])
    assert separated(found, 4)[0] == single(72, 74, 76)
    assert separated(found, 4)[3][-1] == (48, 36)


def test_note_without_a_free_voice_is_left_out():
    found = [*notes([(72, 2)], [(60, 2)]), Note(F(1), 64, F(2))]
    assert separated(found, 2) == [single(72), single(60)]


def test_no_notes():
    assert separated([], 2) == [[], []]


@pytest.mark.parametrize("free", range(1, 5))
@pytest.mark.parametrize("count", range(1, 12))
def test_arrangements_are_in_order_and_fill_the_voices(count, free):
    found = arrangements(count, free, (True,) * (count - 1), (False,) * (count - 1))
    assert found
    for way in found:
        assert [placed.free for placed in way] == sorted({placed.free for placed in way})
        assert all(high.last < low.first for high, low in pairwise(way))
        assert count < free or len(way) == min(free, count)
        if count <= free:
            assert sum(placed.last - placed.first + 1 for placed in way) == count


def test_notes_that_cannot_form_chords_are_left_over():
    assert {len(way) for way in arrangements(6, 2, (False,) * 5, (False,) * 5)} == {2}
    assert arrangements(3, 0, (True,) * 2, (False,) * 2) == ((),)
