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
from composer.cli.render.piano_roll import GUTTER, picture, roll, roll_text
from composer.cli.render.roll_layout import lay_out, shortest_common
from composer.music.bars import bars


def run(*pitches, length=Fraction(1, 2), start=0):
    """Return consecutive notes; None is a rest."""
    notes = zip(count(), pitches)
    return tuple(Note(start + at * length, pitch, length) for at, pitch in notes if pitch is not None)


def score(*parts, meter=(4, 4), pickup=0, chords=(), **more):
    symbols = tuple(ChordSymbol(Fraction(at), Fraction(1), text) for at, text in chords)
    meters = (Meter(Fraction(0), *meter),)
    return Score(tuple(Part(notes) for notes in parts), symbols, meters=meters, pickup=Fraction(pickup), **more)


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
        "    ├    ·   █▒  ·   │   ·   ·   ·",
        "    │    ·   ·   ·   │   ·   ·   ·",
        "    ├    ·   ·   █▒  │   ·   ·   ·",
        "    ├    █▒█▒·   ·   │   ·   █▒▒▒▒▒▒▒",
        "    │    ·   ·   ·   │   ·   ·   ·",
        "    ├  █▒·   ·   · █▒│   ·   ·   ·",
        "    │    ·   ·   ·   │   ·   ·   ·",
        " C4 ├█▒  ·   ·   ·   █▒▒▒▒▒▒▒·   ·",
    ]


def test_ascii():
    text = roll_text(score(run(60, 60, 67)), 40, ascii_only=True)
    assert text.isascii()
    assert " C4 |#===#===" in text


def test_repeated_notes_differ_from_a_long_one():
    repeated = roll_text(score(run(60, 60, 60, 60)), 60)
    long = roll_text(score((Note(Fraction(0), 60, Fraction(1, 2)), Note(Fraction(1, 2), 60, Fraction(3, 2)))), 60)
    assert repeated.count("█") == 4
    assert long.count("█") == 2


def test_parts_have_their_own_marks_and_names():
    tune, bass = Part(run(72, 74), "Tune"), Part(run(48, 43), "Bass")
    text = roll_text(Score((tune, bass)), 60)
    assert "█▒ Tune  ▓░ Bass" in text
    assert "▓" in text.split("Bass")[1]


def test_percussion_is_skipped():
    drums = Part(run(36), percussion=True)
    assert "█" not in roll_text(Score((drums,)), 80)
    assert "only percussion" in roll_text(Score((drums,)), 80)
    assert roll_text(Score((Part(run(60)), drums)), 80) == roll_text(Score((Part(run(60)), Part(()))), 80)


def test_pickup_before_the_first_bar_line():
    (system,) = lay_out(score(run(67, 60, 62, 64, 65, 67, 69), meter=(6, 8), pickup=Fraction(1, 2)), 70)
    pickup, first = sorted(system.bars)
    assert (system.bars[pickup], system.bars[first]) == (0, 1)
    assert system.marks[first, 60].onset


def test_systems_have_whole_bars():
    systems = lay_out(score(run(*[60, 64] * 64)), 75)
    assert [sorted(system.bars.values()) for system in systems[:2]] == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert len(systems) == 4


def test_note_across_systems_has_one_onset():
    first, second = lay_out(
        score((*run(*[60] * 31), Note(Fraction(31, 2), 64, Fraction(9, 2)), *run(*[60] * 16, start=20))), 75
    )[:2]
    assert [mark.onset for (_, pitch), mark in sorted(first.marks.items()) if pitch == 64] == [True, False]
    assert not second.marks[0, 64].onset


@pytest.mark.parametrize(
    ("notes", "unit"),
    [
        (run(60, 62, 64, 65, length=Fraction(1)), 1),
        (run(60, 62, 64, 65), Fraction(1, 2)),
        (run(*[60] * 20, length=Fraction(1, 3)), Fraction(1, 3)),
        (run(*[60] * 32, length=Fraction(1, 4)), Fraction(1, 4)),
        (tuple(Note(Fraction(at, 2), 60, Fraction(239, 480)) for at in range(16)), Fraction(1, 2)),
        ((*run(*([60] * 40)), Note(Fraction(20), 60, Fraction(1, 16))), Fraction(1, 2)),
    ],
)
def test_shortest_common_duration(notes, unit):
    assert shortest_common(notes, list(bars(score(notes)))) == unit


def test_overlapping_chord_symbols_are_skipped():
    heading = roll_text(
        score(run(60, 62, 64, 65), chords=[(0, "Cmaj7/E"), (1, "D"), (Fraction(3, 2), "G")]), 24
    ).splitlines()[-9]
    assert "Cmaj7/E" in heading
    assert "D" not in heading


def test_wide_range_is_set_per_system():
    systems = lay_out(score(run(*[30] * 32, *[100] * 32)), 75)
    assert all(system.highest - system.lowest < 20 for system in systems)


def test_max_systems():
    text = roll_text(score(run(*[60, 64] * 4000)), 80, max_systems=2)
    assert text.count(" C4 ") == 2
    assert text.rstrip().endswith("… 248 more systems, to bar 1000")


@pytest.mark.parametrize("empty", [Score(()), Score((Part(()),), title="Rest")])
def test_silence(empty):
    assert "no notes" in roll_text(empty, 40)
    assert "no notes" in roll(empty, 40).plain


def test_tempo_of_zero_is_ignored():
    assert "0:02" in roll_text(
        score(run(60, 62, 64, 65), tempos=(Tempo(Fraction(0), 60.0), Tempo(Fraction(1), 0.0))), 60
    )


def test_one_note():
    text = roll_text(Score((Part(run(60, length=Fraction(1))),)), 40)
    assert "1 note · 1 bar · C4 · 0:01" in text
    assert text.count("█") == 1


TIMES = st.fractions(0, 200, max_denominator=48)
ANY_NOTES = st.lists(
    st.builds(Note, TIMES, st.integers(0, 127), st.fractions(Fraction(1, 48), 50, max_denominator=48)), max_size=20
)
METERS = st.lists(st.builds(Meter, TIMES, st.integers(1, 15), st.sampled_from([1, 2, 4, 8, 16])), max_size=3)


@settings(max_examples=80, deadline=None)
@given(ANY_NOTES, METERS, st.fractions(0, 4, max_denominator=8), st.integers(1, 200))
def test_any_score_fits_any_width_and_shows_every_onset(notes, meters, pickup, width):
    wild = Score((Part(tuple(notes)),), (ChordSymbol(Fraction(0), Fraction(1), "Am"),), (), tuple(meters), (), pickup)
    assert all(cell_len(line) <= max(width, 16) for line in roll_text(wild, width).splitlines())
    assert all(cell_len(line) <= max(width, 16) for line in roll(wild, width).plain.splitlines())
    marks = [mark for system in lay_out(wild, 60) for mark in system.marks.values()]
    assert bool(notes) == any(mark.onset for mark in marks)


def printed(tune, **terminal) -> str:
    console = Console(file=StringIO(), width=60, legacy_windows=False, **terminal)
    console.print(picture(tune, console), end="")
    return console.file.getvalue()


def test_color_only_if_the_terminal_has_it():
    tune = score(run(60, 64, 67))
    assert printed(tune) == roll_text(tune, 60)
    assert printed(tune, force_terminal=True, color_system="truecolor", no_color=True) == roll_text(tune, 60)
    colored = printed(tune, force_terminal=True, color_system="truecolor")
    assert "\x1b[38;2;255;212;121" in colored
    assert "▀" in colored


def test_two_pitches_per_line_in_color():
    tune = score(run(60, 64, 67))
    lines = roll(tune, 60).plain.rstrip().splitlines()
    (system,) = lay_out(tune, 60 - GUTTER)
    assert len([line for line in lines if "▀" in line]) == (system.highest - system.lowest) // 2 + 1
    assert lines[-1].startswith(" C4▀▀")
