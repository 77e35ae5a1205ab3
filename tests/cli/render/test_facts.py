"""Facts above a piano roll."""

from fractions import Fraction

from composer.api import Key, Note, Part, Score
from composer.cli.render.facts import facts
from composer.formats.abc.reader.score import read_score


def keys_of(text: str) -> str:
    return next(facts(read_score(f"X:1\nM:4/4\nL:1/4\nK:C\n{text}\n")))


def test_changes_of_key_have_the_bars_that_they_begin_with():
    assert keys_of("CDEF|") == "C major"
    assert keys_of("CDEF|GABc|c4|[K:A]ABcd|e2c2|A4|]") == "C major, A major from bar 4"
    assert keys_of("G|CDEF|[K:Am]ABcd|e2c2|A3|]") == "C major, A minor from bar 2"
    assert keys_of("CDEF|[K:C]GABc|") == "C major"


def test_changes_in_repeats_count_once_and_many_are_counted():
    assert keys_of("|:CDEF|[K:A]ABcd:|") == "C major, A major from bar 2"
    tune = "".join(f"[K:{key}]ABcd|" for key in ("A", "D", "A", "Bb", "F"))
    text = "C major, A major from bar 2, D major from bar 3, A major from bar 4 and 2 more changes"
    assert keys_of(f"CDEF|{tune}") == text


def test_a_change_of_key_after_the_last_note_is_none():
    notes = (Note(Fraction(0), 60, Fraction(4)),)
    assert next(facts(Score((Part(notes),), keys=(Key(Fraction(0), 0), Key(Fraction(4), 3))))) == "C major"
