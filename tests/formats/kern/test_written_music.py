"""Passages of written music played in another order: ties, what is dropped, and the time that it takes."""

import time
from contextlib import contextmanager
from fractions import Fraction

from composer.api import Key, Meter, Note, Tempo
from composer.formats.kern.written_music import Passage, Staff, WrittenMusic, WrittenNote, join_ties, passages, play


@contextmanager
def within(seconds):
    """Generous for a busy machine, since time that grows with the square would be more than a minute."""
    begin = time.process_time()
    yield
    assert time.process_time() - begin < seconds


def beats(count):
    return [Fraction(at) for at in range(count)]


def test_dropped_notes_count_as_often_as_they_are_played():
    dropped = [(Fraction(0), "grace notes left out"), (Fraction(1), "drum notes left out")]
    late = [(Fraction(2), "grace notes left out")]
    music = WrittenMusic([Staff([], dropped=dropped), Staff([], dropped=late)])
    played = [Passage(Fraction(0), Fraction(1)), Passage(Fraction(0), Fraction(2))]
    assert play(music, played).losses == {"grace notes left out": 3, "drum notes left out": 1}


def test_silent_bars_at_the_end_count():
    staff = Staff([WrittenNote(Fraction(0), 60, Fraction(4))])
    music = WrittenMusic([staff], bar_starts=beats(12)[::4], end=Fraction(12))
    assert play(music, [Passage(Fraction(0), Fraction(12))]).losses == {"silent bars at the end left out": 2}
    assert not play(music, [Passage(Fraction(0), Fraction(4))]).losses


def test_thousands_of_repeats_with_grace_notes_take_little_time():
    starts = beats(2000)
    dropped = [(at, "grace notes left out") for at in starts for _ in range(20)]
    played = passages(starts, Fraction(2000), [at for at in range(2000) for _ in range(2)])
    with within(5):
        assert play(WrittenMusic([Staff([], dropped=dropped)]), played).losses == {"grace notes left out": 80_000}


def test_a_tie_joins_notes_of_one_voice_first():
    first = [WrittenNote(Fraction(0), 60, Fraction(1), voice, tied_after=True) for voice in "ab"]
    then = [WrittenNote(Fraction(1), 60, Fraction(length), voice, tied_before=True) for voice, length in ("b2", "c3")]
    assert join_ties([*first, *then]) == [Note(Fraction(0), 60, Fraction(4)), Note(Fraction(0), 60, Fraction(3))]


def test_thousands_of_ties_that_lead_nowhere_take_little_time():
    notes = [WrittenNote(at, 60, Fraction(1, 2), tied_before=True, tied_after=True) for at in beats(10_000)]
    with within(5):
        assert len(join_ties(notes)) == 10_000


def test_signs_before_the_first_ones_come_back_after_a_jump():
    at = Fraction(2)
    music = WrittenMusic(tempos=[Tempo(at, 60)], meters=[Meter(at, 3, 4)], keys=[Key(at, 2)])
    score = play(music, passages([Fraction(0), at], Fraction(5), [0, 1, 0, 1]))
    assert score.tempos == (Tempo(2, 60), Tempo(5, 120), Tempo(7, 60))
    assert score.meters == (Meter(2, 3, 4), Meter(5, 4, 4), Meter(7, 3, 4))
    assert score.keys == (Key(2, 2), Key(5, 0), Key(7, 2))
