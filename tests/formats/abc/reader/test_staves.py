"""Voices on the staves that `%%score` names, with their clefs and invisible rests, from ABC to notation."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest

from composer import formats
from composer.api import ChordSymbol, Score, Source, VoiceNotation
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import read_score
from composer.formats.abc.reader.staves import read_clef, read_staves
from composer.formats.abc.writer.score import write
from composer.formats.musicxml.reader import read_notation

GRAND = """X:1
M:4/4
L:1/4
%%score {(1 2) (3 4)}
K:G
V:1 clef=treble
V:2 clef=treble
V:3 clef=bass
V:4 clef=bass
[V:1] GABc|d2 x2|z4|G4|]
[V:2] D2 E2|x4|x4|B,4|]
[V:3] G,2 A,2|D4|x4|D4|]
[V:4] G,,2 z2|z4|x2 D,2|G,,4|]
"""


def musicxml(score: Score) -> ElementTree.Element:
    return ElementTree.fromstring(formats.write("musicxml", score))


def rests(measure: ElementTree.Element) -> list[tuple[str, bool]]:
    """Return the staff of each rest, and whether it is shown."""
    found = [note for note in measure.iter("note") if note.find("rest") is not None]
    return [(note.findtext("staff", "1"), note.get("print-object") != "no") for note in found]


def places(text: str) -> dict[str, tuple[int, int, str]]:
    voices = parse_tune(split_tunes(text)[0]).voices
    parts = read_score(text).parts
    return {name: part.notation[:3] for name, part in zip(voices, parts, strict=True) if part.notation}


@pytest.mark.parametrize(
    ("directive", "staves"),
    [
        ("score {(1 2) (3 4)}", {"1": (1, 1), "2": (1, 1), "3": (2, 1), "4": (2, 1)}),
        ("staves [(S A)|(T B)] {R L}", {"S": (1, 0), "A": (1, 0), "T": (2, 0), "B": (2, 0), "R": (3, 1), "L": (4, 1)}),
        ("score 2 1 % the viola first", {"2": (1, 0), "1": (2, 0)}),
        ("scorefont Times 12", {}),
    ],
)
def test_the_staff_and_brace_of_each_voice(directive: str, staves: dict[str, tuple[int, int]]) -> None:
    assert read_staves(directive) == staves


@pytest.mark.parametrize(
    ("properties", "clef"),
    [
        ("clef=bass", "bass"), ("Am treble-8", "treble-8"), ("F4", "bass"), ("clef=C4", "alto4"), ("alto4", "alto4"),
        ("clef=percussion", "perc"), ('name="Double bass"', ""), ("transpose=-12", ""), ("G", ""),
    ],
)  # fmt: skip
def test_clef_among_other_properties(properties: str, clef: str) -> None:
    assert read_clef(properties) == clef


def test_voices_share_staves_within_a_brace() -> None:
    assert places(GRAND) == {
        "1": (1, 1, "treble"), "2": (1, 1, "treble"), "3": (2, 1, "bass"), "4": (2, 1, "bass"),
    }  # fmt: skip
    root = musicxml(read_score(GRAND))
    (part,) = root.iter("part")
    assert part.findtext("measure/attributes/staves") == "2"
    assert [clef.findtext("sign") for clef in part.iter("clef")] == ["G", "F"]
    first = next(part.iter("measure"))
    found = {
        (note.findtext("staff"), note.findtext("pitch/octave"), note.findtext("stem")) for note in first.iter("note")
    }
    assert found >= {("1", "4", "up"), ("1", "4", "down"), ("2", "3", "up"), ("2", "2", "down")}


def test_invisible_rests_are_not_shown() -> None:
    shown = [rests(measure) for measure in musicxml(read_score(GRAND)).iter("measure")]
    assert shown == [[("2", True)], [("1", False), ("2", True)], [("1", True), ("2", False)], []]


def test_invisible_rests_of_bars_that_are_repeated() -> None:
    score = read_score("X:1\nM:4/4\nL:1/4\nK:C\n|:C4|x2 z2|1 X|:|2 D4|]\n")
    assert score.parts[0].notation == VoiceNotation(1, hidden=((4, 6), (8, 12), (16, 18)))
    root = musicxml(score)
    assert [rests(measure) for measure in root.iter("measure")] == [[], [("1", False), ("1", True)], [("1", False)], []]


def test_an_instrument_of_its_own_has_a_staff_of_its_own() -> None:
    text = GRAND.replace("V:2 clef=treble", "V:2 clef=treble\n%%MIDI program 40")
    score = read_notation(formats.write("musicxml", read_score(text)), "x")
    assert sorted((part.program, len(part.notes)) for part in score.parts) == [(0, 6), (0, 7), (40, 3)]


def test_voices_that_are_not_named_have_staves_below() -> None:
    text = "X:1\nL:1/4\n%%score (B A)\nK:C\nV:C\nC4|\nV:A\nE4|\nV:B\nG4|\n"
    assert places(text) == {"C": (2, 0, ""), "A": (1, 0, ""), "B": (1, 0, "")}
    first, below = musicxml(read_score(text)).iter("part")
    assert [note.findtext("pitch/step") for note in first.iter("note")] == ["E", "G"]
    assert [note.findtext("pitch/step") for note in below.iter("note")] == ["C"]


@pytest.mark.parametrize(
    "clef",
    ["treble", "alto", "tenor", "soprano", "mezzo", "baritone", "bass", "treble-8", "bass3", "treble+15", "bass-15"],
)
def test_each_clef_is_written(clef: str) -> None:
    score = read_score(f"X:1\nL:1/4\nK:C clef={clef}\nC4|\n")
    found = next(musicxml(score).iter("clef"))
    lines = {"treble": "G2", "alto": "C3", "tenor": "C4", "soprano": "C1", "mezzo": "C2", "baritone": "F3"}
    expected = {**lines, "bass": "F4", "treble-8": "G2", "bass3": "F3", "treble+15": "G2", "bass-15": "F4"}[clef]
    assert found.findtext("sign", "") + found.findtext("line", "") == expected
    assert found.findtext("clef-octave-change") == {"treble-8": "-1", "treble+15": "2", "bass-15": "-2"}.get(clef)


@pytest.mark.parametrize("form", ["abc", "musicxml"])
def test_notes_bars_and_chords_do_not_change(form: str) -> None:
    score = read_score(GRAND.replace("GABc", '"G"GAB"D"c'))
    ((_, again),) = formats.FORMATS[form].read(Source(Path("x"), name="x", data=formats.write(form, score)))
    assert again.notes == score.notes
    assert again.chords == (ChordSymbol(Fraction(0), Fraction(3), "G"), ChordSymbol(Fraction(3), Fraction(13), "D"))


def test_abc_is_written_on_the_same_staves() -> None:
    text = write(read_score(GRAND))
    assert "%%score {(1 2) (3 4)}\n" in text
    assert "[V:2] D4 E4|x8|x8|B,8|]" in text
    assert places(text) == places(GRAND)
    assert [part.notation for part in read_score(text).parts] == [part.notation for part in read_score(GRAND).parts]


def test_an_octave_clef_does_not_move_notes_that_are_written_again() -> None:
    score = read_score("X:1\nL:1/4\n%%score 1 2\nK:C\nV:1\nc4|\nV:2 clef=treble-8\nc4|\n")
    assert read_score(write(score)).notes == score.notes


def test_later_changes_are_counted() -> None:
    text = GRAND.replace("[V:1] GABc|", "[V:1] GABc|[K:clef=bass]") + "%%score 1 2 3 4\n"
    (tune,) = split_tunes(text)
    assert parse_tune(tune).unscored == {"changes of clef left out": 1, "changes of staves left out": 1}
