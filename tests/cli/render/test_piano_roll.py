"""The piano roll, mostly in plain characters, which have the same layout as the colored one."""

from fractions import Fraction
from io import StringIO
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo
from composer.cli.render import piano_roll
from composer.cli.render.facts import facts
from composer.cli.render.piano_roll import GUTTER, picture
from composer.cli.render.roll_layout import lay_out
from composer.formats.abc.reader.score import read_score


def run(*pitches, length=Fraction(1, 2), start=0):
    """Return consecutive notes; None is a rest."""
    notes = zip(count(), pitches)
    return tuple(Note(start + at * length, pitch, length) for at, pitch in notes if pitch is not None)


def score(*parts, meter=(4, 4), pickup=0, chords=(), **more):
    symbols = tuple(ChordSymbol(Fraction(at), Fraction(1), text) for at, text in chords)
    meters = (Meter(Fraction(0), *meter),)
    return Score(tuple(Part(notes) for notes in parts), symbols, meters=meters, pickup=Fraction(pickup), **more)


def roll_text(tune, width, **more) -> str:
    return "".join(piano_roll.roll_text(tune, width, **more))


def roll(tune, width) -> str:
    return "".join(text.plain for text in piano_roll.roll(tune, width))


def test_whole_piano_roll():
    tune = score(
        (*run(60, 62, 64, 64, 67, None, 65, 62), *run(60, 64, length=Fraction(2), start=4)),
        chords=[(0, "C"), (2, "G7/B"), (4, "C")], title="Little Tune", keys=(Key(Fraction(0), 0),),
        tempos=(Tempo(Fraction(0), 90.0),),
    )  # fmt: skip
    assert roll_text(tune, 40).splitlines() == [
        "Little Tune",
        "C major · 4/4 · ♩ = 90 · 9 notes",
        "2 bars · C4–G4 · 0:05",
        "",
        "  1  C       G7/B    C",
        "    │    ·   ▀▀  ·   │   ·   ·   ·",
        "    │    ▄▖▄▄·   ▀▀  │   ·   ▄▄▄▄▄▄▄▄",
        "    │  ▄▄·   ·   · ▄▄│   ·   ·   ·",
        " C4 ├▄▄  ·   ·   ·   ▄▄▄▄▄▄▄▄·   ·",
    ]


def test_ascii_has_one_pitch_per_line():
    text = roll_text(score(run(60, 60, 67)), 40, ascii_only=True)
    assert text.isascii()
    assert " C4 |#===#===" in text
    assert len(text.splitlines()) == 3 + 8


def test_two_pitches_of_one_line_at_once():
    """A note ends half a column early if its pitch is struck again."""
    notes = (*run(60, 61, 60, length=Fraction(1)), *run(61, None, 61, length=Fraction(1)))
    assert roll_text(score(notes), 40).splitlines()[-1] == " C4 ├███▙▀▀▀▘████·"


def test_repeated_notes_differ_from_a_long_one():
    repeated = roll_text(score(run(60, 60, 60, 60)), 60)
    long = roll_text(score((Note(Fraction(0), 60, Fraction(1, 2)), Note(Fraction(1, 2), 60, Fraction(3, 2)))), 60)
    assert repeated.count("▖") == 3
    assert long.count("▖") == 1


def test_only_the_pitches_in_use():
    """Each system has its own range, which is named if it has no C."""
    tune = score(run(*[64, 66] * 16, *[76, 77] * 16))
    systems = list(lay_out(tune, 60))
    assert [(system.lowest, system.highest) for system in (systems[0], systems[-1])] == [(64, 66), (76, 77)]
    text = roll_text(tune, 60)
    assert " E4 ├" in text
    assert " E5 ├" in text
    assert " C" not in text


def test_parts_have_their_own_marks_and_names():
    tune, bass = Part(run(72, 74), "Tune"), Part(run(48, 43), "Bass")
    text = roll_text(Score((tune, bass)), 60)
    assert "█▒ Tune  ▓░ Bass" in text
    assert "▓" in text.split("Bass")[1]


def test_percussion_beside_notes_is_skipped():
    drums = Part(run(36), percussion=True)
    assert roll_text(Score((Part(run(60)), drums)), 80) == roll_text(Score((Part(run(60)), Part(()))), 80)


def test_percussion_alone_has_a_row_for_each_sound():
    drums = Score((Part(run(36, 42, 38, 42), percussion=True),))
    text = roll_text(drums, 60)
    assert "4 drum notes" in text
    assert "36 bass drum 1 · 38 acoustic snare · 42 closed hi-hat" in text
    rows = [line for line in text.splitlines() if "█" in line]
    assert [(row.split()[0], row.count("█")) for row in rows] == [("42", 2), ("38", 1), ("36", 1)]
    (system,) = lay_out(drums, 55)
    assert roll(drums, 60).count("▀" * system.columns) == 3


def test_chord_symbols_alone_are_drawn_as_they_sound():
    chords = [ChordSymbol(Fraction(4 * bar), Fraction(4), symbol) for bar, symbol in enumerate(("C", "Am", "Fine"))]
    (system,) = lay_out(Score((), tuple(chords)), 60)
    assert sorted({pitch for column, pitch in system.marks if column == 0}) == [36, 48, 52, 55]
    text = roll_text(Score((), tuple(chords)), 60)
    assert "3 chords · 3 bars · 0:06" in text
    assert "C" in text.splitlines()[2]


def test_wide_range_is_set_per_system():
    systems = lay_out(score(run(*[30] * 32, *[100] * 32)), 75)
    assert all(system.highest - system.lowest < 20 for system in systems)


def test_max_systems():
    text = roll_text(score(run(*[60, 64] * 4000)), 80, max_systems=2)
    assert text.count(" C4 ") == 2
    assert text.rstrip().endswith("… 992 more bars, to bar 1000")


def test_the_rest_of_a_long_bar_is_named():
    text = roll_text(score(run(*[60, 64] * 64), meter=(64, 4)), 40, max_systems=1)
    assert text.rstrip().endswith("… the rest of the last bar")


def test_systems_are_laid_out_as_they_are_drawn():
    """The first systems of a piece cost the same however long it is: the beats of its end are never looked at."""

    class Late(Fraction):
        def __sub__(self, other):
            raise AssertionError("an onset far behind the first systems was laid out")

    notes = run(*[60, 64] * 2000)
    late = Note(Late(900), 60, Fraction(1))
    systems = lay_out(score((*notes, late)), 60)
    assert [next(systems).start for _ in range(3)] == [0, 8, 16]
    with pytest.raises(AssertionError, match="far behind"):
        list(systems)


@pytest.mark.parametrize("empty", [Score(()), Score((Part(()),), title="Rest")])
def test_silence(empty):
    assert "no notes" in roll_text(empty, 40)
    assert "no notes" in roll(empty, 40)


def test_tempo_of_zero_is_ignored():
    assert "0:02" in roll_text(
        score(run(60, 62, 64, 65), tempos=(Tempo(Fraction(0), 60.0), Tempo(Fraction(1), 0.0))), 60
    )


def test_silent_bars_at_the_end_are_shown():
    tune = read_score("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|c4|z4|z4|\n")
    assert "4 bars" in [*facts(tune)]
    assert [number for system in lay_out(tune, 80) for number in system.bars.values()] == [1, 2, 3, 4]


def test_one_note():
    text = roll_text(Score((Part(run(60, length=Fraction(1))),)), 40)
    assert "1 note · 1 bar · C4 · 0:01" in text
    assert text.count("▄") == 4


TIMES = st.fractions(0, 200, max_denominator=48)
ANY_NOTES = st.lists(
    st.builds(Note, TIMES, st.integers(0, 127), st.fractions(Fraction(1, 48), 50, max_denominator=48)), max_size=20
)
METERS = st.lists(st.builds(Meter, TIMES, st.integers(1, 15), st.sampled_from([1, 2, 4, 8, 16])), max_size=3)


@settings(max_examples=30)
@given(ANY_NOTES, st.booleans(), st.booleans(), METERS, st.fractions(0, 4, max_denominator=8), st.integers(1, 200))
def test_any_score_fits_any_width_and_shows_every_onset(notes, percussion, chord, meters, pickup, width):
    part = Part(tuple(notes), percussion=percussion)
    symbol = ChordSymbol(Fraction(0), Fraction(1), "Am" if chord else "Fine")
    wild = Score((part,), (symbol,), (), tuple(meters), (), pickup)
    assert all(cell_len(line) <= max(width, 16) for line in roll_text(wild, width).splitlines())
    assert all(cell_len(line) <= max(width, 16) for line in roll(wild, width).splitlines())
    marks = [mark for system in lay_out(wild, 60) for mark in system.marks.values()]
    assert (bool(notes) or chord) == any(mark.onset for mark in marks)


def printed(tune, **terminal) -> str:
    console = Console(file=StringIO(), width=60, legacy_windows=False, **terminal)
    for text in picture(tune, console):
        console.print(text, end="")
    return console.file.getvalue()


def test_color_only_if_the_terminal_has_it():
    tune = score(run(60, 64, 67))
    assert printed(tune) == roll_text(tune, 60)
    assert printed(tune, force_terminal=True, color_system="truecolor", no_color=True) == roll_text(tune, 60)
    colored = printed(tune, force_terminal=True, color_system="truecolor")
    assert "\x1b[38;" in colored, "in as many colors as its styles were first printed in, as rich keeps that"
    assert "▀" in colored


def test_two_pitches_per_line_in_color():
    tune = score(run(60, 64, 67))
    lines = roll(tune, 60).rstrip().splitlines()
    (system,) = lay_out(tune, 60 - GUTTER)
    assert len([line for line in lines if "▀" in line]) == (system.highest - system.lowest) // 2 + 1
    assert lines[-1].startswith(" C4▀▀")
