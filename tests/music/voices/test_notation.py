"""Ties of notes that overlap, and rests."""

from fractions import Fraction

import pytest

from composer.music.voices.notation import Segment, rest_lengths, segments, shown_rests

F = Fraction


def test_notes_one_after_another_are_chords():
    assert [*segments([(0, 2, 60), (0, 2, 64), (2, 3, 62)])] == [Segment(0, 2, (60, 64)), Segment(2, 3, (62,))]


def test_notes_that_overlap_are_tied():
    held = frozenset({60})
    assert [*segments([(0, 3, 60), (1, 2, 64), (3, 4, 62)])] == [
        Segment(0, 1, (60,), frozenset(), held),
        Segment(1, 2, (60, 64), held, held),
        Segment(2, 3, (60,), held),
        Segment(3, 4, (62,)),
    ]


def test_only_the_first_voice_shows_silence_of_a_staff():
    assert shown_rests([[(0, 2)], [(0, 2)]], [0, 0], 0, 4) == [[(2, 4)], []]


def test_voice_that_stops_within_a_note_of_its_neighbor_shows_its_rest():
    assert shown_rests([[(0, 2)], [(0, 3)]], [0, 0], 0, 4) == [[(2, 4)], [(3, 4)]]


def test_voice_in_unison_with_its_neighbor_shows_no_rests():
    """Neither on the staff of both, nor in the middle of the note of another voice of its own."""
    soprano, alto, tenor, bass = [(0, 4)], [(0, 1), (2, 4)], [(0, 1), (1, 2), (2, 4)], [(0, 4)]
    assert shown_rests([soprano, alto, tenor, bass], [0, 0, 1, 1], 0, 4) == [[]] * 4
    assert shown_rests([soprano, alto], [0, 0], 0, 4) == [[], [(1, 2)]]


def test_voices_alone_on_their_staves_show_all_rests():
    assert shown_rests([[(0, 2)], [(1, 3)]], [0, 1], 0, 4) == [[(2, 4)], [(0, 1), (3, 4)]]


@pytest.mark.parametrize(
    ("meter", "start", "end", "lengths"),
    [
        ((4, 1), 0, "7/2", "2 1 1/2"),
        ((4, 1), "1/2", 4, "1/2 1 2"),
        ((4, 1), 1, 4, "1 2"),
        ((4, 1), 0, 4, "4"),
        ((3, 1), 0, 3, "3"),
        ((3, 1), 0, 2, "1 1"),
        ((3, "3/2"), "1/2", 3, "1/2 1/2 3/2"),
        ((3, "3/2"), 0, "5/2", "3/2 1"),
        ((4, 1), "1/3", 2, "2/3 1"),
        ((4, 1), 1, "7/3", "1 1/3"),
        ((4, 1), "1/3", "2/3", "1/3"),
    ],
)
def test_rests_show_the_pulse(meter, start, end, lengths):
    bar, pulse = map(F, meter)
    assert [*rest_lengths(F(start), F(end), bar, pulse)] == [F(each) for each in lengths.split()]
