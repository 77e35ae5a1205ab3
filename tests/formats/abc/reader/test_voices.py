"""Voices of real ABC: their overlays, settings, instruments and drums."""

from __future__ import annotations

import pytest
from abc_reading import HEADER, kinds, read, voices

from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.score import read_score


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("e2 & C D|d4|", [(0, 60, 1), (0, 76, 2), (1, 62, 1), (2, 74, 4)]),
        ("e4|d4 & C2 & G,4|c4|", [(0, 76, 4), (4, 55, 4), (4, 60, 2), (4, 74, 4), (8, 72, 4)]),
        ("e4|d4 && C4|D4|c4|", [(0, 60, 4), (0, 76, 4), (4, 62, 4), (4, 74, 4), (8, 72, 4)]),
        ("e4- & C4-|e4 & C4|", [(0, 60, 8), (0, 76, 8)]),
        ("^c4 & =c4|c4|", [(0, 72, 4), (0, 73, 4), (4, 72, 4)]),
        ("|:e2 & C2:|", [(0, 60, 2), (0, 76, 2), (2, 60, 2), (2, 76, 2)]),
        ("& E4|c4|", [(0, 64, 4), (4, 72, 4)]),
    ],
)
def test_overlays_sound_with_the_voice(body, expected):
    assert [(note.onset, note.pitch, note.duration) for note in read(body).parts[0].notes] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("c4|(&e4|d4 & C4|D4 &)|g4|", [(0, 72), (4, 60), (4, 76), (8, 62), (8, 74), (12, 79)]),
        ("(&e4|f4 & c4|d4 & G4|A4 &)|g4|", [(0, 67), (0, 72), (0, 76), (4, 69), (4, 74), (4, 77), (8, 79)]),
        ("c2(&e2|d4 & E2|D4 &)|g4|", [(0, 72), (2, 64), (2, 76), (4, 62), (4, 74), (8, 79)]),
        ("|:(&e4|d4 & C4|D4 &):|", [(0, 60), (0, 76), (4, 62), (4, 74), (8, 60), (8, 76), (12, 62), (12, 74)]),
        ("(&e4 & C4 &)|g4|", [(0, 60), (0, 76), (4, 79)]),
        ("(&e4|f4 & C4 &)|g4|", [(0, 60), (0, 76), (4, 77), (8, 79)]),
        ("(&^e4|e4 & =e4|^c4 &)|c4|", [(0, 76), (0, 77), (4, 73), (4, 76), (8, 72)]),
        ("(&e4|f4 & C4|D4|g4|", [(0, 60), (0, 76), (4, 62), (4, 77), (8, 79)]),  # never closed
        ("(e4|f4) & (C4|D4|", [(0, 76), (4, 60), (4, 77), (8, 62)]),  # slurs
    ],
)
def test_overlays_of_several_bars(body, expected):
    assert [(note.onset, note.pitch) for note in read(body).parts[0].notes] == expected


def test_ties_inside_overlays_of_several_bars():
    notes = read("(&e4-|e4 & C4-|C4 &)|e4|").parts[0].notes
    assert [(note.onset, note.pitch, note.duration) for note in notes] == [(0, 60, 8), (0, 76, 8), (8, 76, 4)]


def test_notes_of_overlays_that_a_melody_lacks_are_counted():
    normal = normalize(split_tunes(f"{HEADER}c4|(&e4|d4 & C4|[DF]4 &)|g4|\n")[0])
    assert isinstance(normal, NormalizedTune)
    assert normal.losses == {"overlay notes left out": 3}


@pytest.mark.parametrize("space", ["\t", "  ", " \t", "\t\t"])
def test_any_white_space_follows_the_name_of_a_voice(space):
    score = read(f"V:1{space}clef=treble\nC4|\nV:2{space}octave=1\nE4|\n[V:1{space}name=x]D4|\n[V:2{space}] F4|")
    assert voices(score) == ["CD", "ef"]


@pytest.mark.parametrize(
    ("channel", "percussion"),
    [
        ("%%MIDI channel 10", True), ("[I:MIDI channel 10]", True), ("I:MIDI=channel 10", True),
        ("%%MIDI channel 9", False), ("[K:clef=perc]", True), ("[V:1 clef=percussion]", True), ("[V:1 perc]", True),
        ('[V:1 name="perc"]', False), ("[V:1 clef=perc][V:1 clef=treble]", False),
    ],
)  # fmt: skip
def test_percussion(channel, percussion):
    assert [part.percussion for part in read(f"V:1\n{channel}\nCDEF|").parts] == [percussion]


@pytest.mark.parametrize(
    ("directives", "drums"),
    [
        ("%%MIDI drummap g 42\n%%MIDI drummap _a 38", [42, 38, 77]),
        ("I:MIDI drummap _a 38\n%%percmap f 36", [79, 38, 36]),
        ("%%MIDI drummap ^g 42\n%%MIDI drummap a 38", [79, 42, 77]),  # G sharp sounds like A flat
        ("%%MIDI drummap g 420\n%%percmap f snare\n%%MIDI drummap h 3", [79, 80, 77]),
        ("%%MIDI drummap G, 35\n%%MIDI drummap g' 36", [79, 80, 77]),
    ],
)
def test_drums_of_written_notes(directives, drums):
    score = read(f"[V:1]g_af|\n[V:2]%\n%%MIDI channel 10\n{directives}\ng_af|", HEADER.replace("4/4", "3/4"))
    assert [[note.pitch for note in part.notes] for part in score.parts] == [[79, 80, 77], drums]


@pytest.mark.parametrize(
    ("header", "body", "pitches"),
    [
        ("V:* octave=-1\nV:1\nV:2\n", "V:1\nC4|\nV:2\nE4|", [[48], [52]]),
        ("V:1\nV:* clef=bass-8\nV:2\n", "V:1\nC4|\nV:2\nE4|", [[48], [52]]),
        ("V:* octave=-1\nV:2 octave=1\n", "V:1\nC4|\nV:2\nE4|", [[48], [76]]),
        ("", "V:1\nC4|\nV:2\nE4|\nV:* octave=1\nV:1\nC4|\nV:2\nE4|", [[60, 72], [64, 76]]),
        ("", "V:1\nF4|\nV:2\nF4|\nV:*\nK:D\nV:1\nF4|\nV:2\nF4|", [[65, 66], [65, 66]]),
        ("", "V:1\nC4|\nV:2\nE4|\n[V:*]\nL:1/8\nV:1\nC8|\nV:2\nE8|", [[60, 60], [64, 64]]),
    ],
)
def test_settings_of_all_voices(header, body, pitches):
    score = read(body, f"X:1\nM:4/4\nL:1/4\n{header}K:C\n")
    assert [[note.pitch for note in part.notes] for part in score.parts] == pitches
    assert {note.duration for part in score.parts for note in part.notes} == {4}


def test_music_for_all_voices_is_reported():
    text = f"{HEADER}V:1\nC4|D4|\nV:2\nE4|\nV:*\nG4|\n"
    assert voices(read_score(text)) == ["CD", "EG"]
    assert kinds(text) == ["music after `V:*`"]


@pytest.mark.parametrize(
    ("directives", "programs"),
    [
        ("%%MIDI program 40\n", [40, 40]),
        ("V:1\n%%MIDI program 40\nV:2\n%%MIDI program 73\n", [40, 73]),
        ("V:2\n%%MIDI program 3 73\n", [0, 73]),
        ("V:1\nI:MIDI program 12\n", [12, 0]),
        ("V:1\n%%MIDI voice instrument=25\n", [24, 0]),
        ("%%MIDI program 200\n", [0, 0]),
    ],
)
def test_programs(directives, programs):
    score = read(f"{directives}[V:1]C4|\n[V:2]E4|")
    assert [part.program for part in sorted(score.parts, key=lambda part: part.name)] == programs


def test_programs_in_the_header_belong_to_the_voice_above():
    score = read("[V:1]C4|\n[V:2]E4|", "X:1\n%%MIDI program 5\nV:1\nV:2\n%%MIDI program 7\nL:1/4\nK:C\n")
    assert [part.program for part in score.parts] == [5, 7]


def test_later_changes_of_program_are_counted():
    score = read("%%MIDI program 40\nC4|\n%%MIDI program 41\nD4|")
    assert (score.parts[0].program, score.losses) == (40, {"changes of instrument left out": 1})
