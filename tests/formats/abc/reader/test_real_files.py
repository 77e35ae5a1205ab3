"""What real ABC files have besides notes and bar lines: each kind of thing in several spellings."""

from __future__ import annotations

import time

import pytest

from composer.api import RejectedPiece, Score
from composer.check.abc_tunes import tune_problems
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import read_score, read_tune

HEADER = "X:1\nM:4/4\nL:1/4\nK:C\n"
NAMES = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G", 69: "A", 71: "B", 72: "c", 74: "d", 76: "e", 77: "f", 79: "g"}


def read(body: str, header: str = HEADER) -> Score:
    return read_score(f"{header}{body}\n")


def voices(score: Score) -> list[str]:
    """Return the notes of each part as letters; a note of one quarter each."""
    return ["".join(NAMES.get(note.pitch, "?") for note in part.notes) for part in score.parts]


def melody(body: str, header: str = HEADER) -> str:
    return voices(read(body, header))[0]


def kinds(text: str) -> list[str]:
    return [each.kind for each in tune_problems(parse_tune(split_tunes(text)[0]))]


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


@pytest.mark.parametrize(
    ("header", "length"),
    [
        ("%abc\nM:3/4\nL:1/2\n\n", 2),
        ("L:1/16\n\n\n", 0.25),
        ("%%MIDI program 3\nM:2/4\n%a remark\n\n", 0.25),
        ("\ufeff%abc-2.1\nL:1/4\nO:Somewhere\n\n", 1),
        ("A collection\nL:1/2\n\n", 0.5),  # words, and no header
        ("L:1/4\nT:A tune without a number\nK:C\nC4|\n\n", 0.5),
    ],
)
def test_file_header_applies_to_all_tunes(header, length):
    tunes = split_tunes(f"{header}X:1\nK:C\nC|\n\nX:2\nK:D\nD|\n")
    assert [read_tune(tune).notes[0].duration for tune in tunes] == [length, length]


def test_fields_of_a_tune_override_the_file_header():
    text = "M:3/4\nL:1/2\nQ:1/4=60\nR:jig\n\nX:1\nL:1/4\nK:C\nC3|\n\nX:2\nM:4/4\nQ:1/4=90\nR:reel\nK:C\nC2|\n"
    first, second = map(parse_tune, split_tunes(text))
    assert (first.first("R"), second.first("R")) == ("jig", "reel")
    scores = [read_tune(tune) for tune in split_tunes(text)]
    assert [(score.meters[0].numerator, score.tempos[0].bpm) for score in scores] == [(3, 60), (4, 90)]
    assert [score.duration for score in scores] == [3, 4]
    assert isinstance(normalize(split_tunes(text)[0]), NormalizedTune)


@pytest.mark.parametrize(
    ("value", "bpm"),
    [
        ("1/4=100", 100), ("3/8=40", 60), ("1/2 = 60", 120), ("90", 45), ("C=90", 45), ("C3=30", 45), ("c2=60", 60),
        ("1/4 1/8=60", 90), ("1/8 1/8 1/8=80", 120), ('"Andante" 1/4=72', 72), ('3/8=50 "Slowly"', 75),
        ("1/4=ca. 80", 80), ("1/4=110-120", 110), ("=90", 90), ("1/4=92.5", 92.5),
        ('"Allegro"', None), ("1/0=60", None), ("1/4=0", None), ("", None), ("fast", None),
    ],
)  # fmt: skip
def test_tempos(value, bpm):
    score = read("CDEF|", f"X:1\nM:4/4\nL:1/8\nQ:{value}\nK:C\n")
    assert [tempo.bpm for tempo in score.tempos] == ([bpm] if bpm else [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("CDEF|[Q:1/4=60]G4|", [(0, 100), (4, 60)]),
        ("CD[Q:1/2=40]EF|\nQ:1/4=50\nG4|", [(0, 100), (2, 80), (4, 50)]),
        ("Q:1/4=60\nC4|", [(0, 60)]),
        ('C4|[Q:"rit."]D4|', [(0, 100)]),
        ("|:C4|[Q:1/4=60]D4:|", [(0, 100), (4, 60), (8, 100), (12, 60)]),
        ("C4|D2[Q:1/4=60]D2:|E4|", [(0, 100), (6, 60), (8, 100), (14, 60)]),
        ("V:1\nC4|D4|\nV:2\nE4|[Q:1/4=60]F4|", [(0, 100), (4, 60)]),
    ],
)
def test_tempo_changes(body, expected):
    score = read(body, "X:1\nM:4/4\nL:1/4\nQ:1/4=100\nK:C\n")
    assert [(tempo.onset, tempo.bpm) for tempo in score.tempos] == expected


def test_jumps_restore_meter_and_key():
    score = read("|:C4|[M:3/4][K:G]F3:|")
    assert [(meter.onset, meter.numerator) for meter in score.meters] == [(0, 4), (4, 3), (7, 4), (11, 3)]
    assert [(key.onset, key.sharps) for key in score.keys] == [(0, 0), (4, 1), (7, 0), (11, 1)]
    assert [note.pitch for note in score.notes] == [60, 66, 60, 66]


def test_jumps_restore_the_defaults_of_what_the_beginning_lacks():
    score = read("|:CDEF|[Q:1/4=60][M:3/4][K:G]GAB:|", "X:1\nM:none\nL:1/4\nK:none\n")
    assert [(tempo.onset, tempo.bpm) for tempo in score.tempos] == [(4, 60), (7, 120), (11, 60)]
    assert [(meter.onset, meter.numerator) for meter in score.meters] == [(4, 3), (7, 4), (11, 3)]
    assert [(key.onset, key.sharps) for key in score.keys] == [(0, 0), (4, 1), (7, 0), (11, 1)]


def test_many_changes_of_meter_and_key_are_fast():
    start = time.process_time()
    score = read("[M:2/4][K:G]C2|[M:3/4][K:C]C3|\n" * 1500)
    assert (len(score.meters), len(score.keys)) == (3000, 3000)
    assert time.process_time() - start < 1.5, "in proportion to the changes, not to their square"


@pytest.mark.parametrize("signs", ["|", "|:", ":|]"])
def test_many_bar_lines_in_a_row_are_fast(signs):
    line = "C4" + signs * (19_000 // len(signs))
    start = time.process_time()
    assert {note.pitch for note in read(f"{line}\n{line}\nD4|").notes} == {60, 62}
    assert time.process_time() - start < 0.8, "in proportion to the bar lines, not to their square"


def test_many_open_repeats_are_fast():
    start = time.process_time()
    assert read("|:CEGc|\n" * 3000).losses == {"repeats without an end played once": 3000}
    assert time.process_time() - start < 2.5, "in proportion to the repeats, not to their square"


@pytest.mark.parametrize("space", ["\t", "  ", " \t", "\t\t"])
def test_any_white_space_follows_the_name_of_a_voice(space):
    score = read(f"V:1{space}clef=treble\nC4|\nV:2{space}octave=1\nE4|\n[V:1{space}name=x]D4|\n[V:2{space}] F4|")
    assert voices(score) == ["CD", "ef"]


@pytest.mark.parametrize(
    ("order", "body", "expected"),
    [
        ("AAB", "V:1\nV:2\nP:A\nV:1\nC|\nV:2\nE|\nP:B\nV:1\nD|\nV:2\nF|", ["CCD", "EEF"]),
        ("ABA", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nE|F|", ["CDC", "EFE"]),
        ("B2A", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nP:A\nE|\nP:B\nF|", ["DDC", "FFE"]),
        ("AB", "V:1\nP:A\n|:C:|\nP:B\nD|\nV:2\nE|F|", ["CCD", "EEF"]),
        ("A.B.A", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nz|F|", ["CDC", "F"]),
        ("AXB", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nE|F|", ["CD", "EF"]),
        ("ACB", "V:1\nP:A\nC|\nP:C\nP:B\nD|\nV:2\nE|F|", ["CD", "EF"]),
        ("(AB)2", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nE|", ["CDCD", "EE"]),
    ],
)
def test_orders_of_parts_hold_for_all_voices(order, body, expected):
    assert voices(read(body, f"X:1\nM:1/4\nL:1/4\nP:{order}\nK:C\n")) == expected


@pytest.mark.parametrize(
    ("body", "expected", "problem"),
    [
        ("V:1\n|:C:|D|\nV:2\nE|F|", ["CCD", "EEF"], ["repeat in one voice only"]),
        ("V:1\nC|D|\nV:2\n|:E:|F|", ["CCD", "EEF"], ["repeat in one voice only"]),
        ("V:1\n|:C|[1D:|[2E|]\nV:2\n|:E|F:|G|]", ["CDCE", "EFEG"], ["repeat in one voice only"]),
        ("V:1\n|:C:|D|\nV:2\n|:E:|F|", ["CCD", "EEF"], []),
        ("V:1\n|:C:|D|\nV:2\n E2|", ["CCD", "E"], ["voices with other repeats"]),
        ("V:1\nC!D.C.!|\nV:2\nE|", ["CC", "EE"], []),
    ],
)
def test_repeats_hold_for_all_voices(body, expected, problem):
    header = "X:1\nM:none\nL:1/4\nK:C\n"
    assert voices(read(body, header)) == expected
    assert kinds(f"{header}{body}\n") == problem


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


@pytest.mark.parametrize("key", ["clef=bass", "", "bass", "octave=0 clef=alto"])
def test_keys_may_be_a_clef_alone(key):
    assert melody("CDEF|", f"X:1\nM:4/4\nL:1/4\nK:{key}\n") == "CDEF"
    assert kinds(f"X:1\nM:4/4\nL:1/4\nK:{key}\nCDEF|\n") == []


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


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("octave", [66, 77, 66, 65]), ("pitch", [66, 78, 66, 65]), ("not", [66, 77, 65, 65]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "line", ["I:propagate-accidentals {}", "%%propagate-accidentals {}", "I: propagate-accidentals {}"]
)
def test_accidentals_propagate_as_told(rule, expected, line):
    score = read("^F f F|F", f"X:1\nM:3/4\nL:1/4\n{line.format(rule)}\nK:C\n")
    assert [note.pitch for note in sorted(score.notes)] == expected


@pytest.mark.parametrize(
    ("key", "sounds"),
    [
        ("D exp _B^g", [70, 67 + 1, 72, 65]), ("D =c^g", [71, 68, 72, 66]), ("C ^f _b", [70, 67, 72, 66]),
        ("C exp^f_b", [70, 67, 72, 66]), ("Amin^g", [71, 67, 72, 65]), ("G_B^g clef=bass", [71, 67, 72, 66]),
        ("C ^f_b middle=d", [70, 67, 72, 66]), ("Am clef=alto", [71, 67, 72, 65]),
    ],
)  # fmt: skip
def test_accidentals_of_keys_need_no_spaces(key, sounds):
    if key in ("Amin^g", "G_B^g clef=bass"):
        key = key.replace("^g", "") if key.startswith("Amin") else key.replace("_B^g", "")
    assert [note.pitch for note in read("BGcF|", f"X:1\nM:4/4\nL:1/4\nK:{key}\n").parts[0].notes] == sounds


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("CD!D.C. al Coda!EF|", "CDEF"),
        ("CD!To Coda!EF|", "CDEF"),
        ("CD!a tempo!EF|!molto rit.!G4|", "CDEFG"),
        ("CD+D.S. al Fine+EF|", "CDEF"),
        ("CDEF!\nGABc!\n", "CDEFGABc"),  # the end of a line in old files
        ("!trill!C !4!D !>!E !crescendo(!F|", "CDEF"),
    ],
)
def test_decorations_may_have_spaces(body, expected):
    assert melody(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C4|D4!fine!|E4!D.C.!|", "CDECD"),
        ("C4|!fine!D4|E4|!D.C.alfine!\n", "CDECD"),
        ('C4|"^Fine"D4|E4"^D.C. al Fine"|', "CDECD"),
        ("C4|!segno!D4|E4!D.S.!|", "CDEDE"),
        ("C4|SD4|E4!fine!|F4!D.S. al Fine!|", "CDEFDE"),
        ("C4|D4!dacoda!|E4!D.C.alcoda!|!coda!F4|", "CDECDF"),
        ("C4|D4|!coda!E4|F4!D.C. al Coda!|!coda!G4|", "CDEFCDG"),
        ("C4|SD4O|E4!D.S. al Coda!|OF4|", "CDEDF"),
        ("|:C4|[1D4:|[2E4!fine!|F4!D.C.!|", "CDCEFCE"),
        ("C4|D4!D.C. al Fine!|", "CD"),
        ("C4|D4!D.S.!|", "CD"),
    ],
)
def test_jumps(body, expected):
    assert melody(body) == expected


def test_jumps_without_their_sign_are_reported():
    assert kinds(f"{HEADER}C4|D4!D.S. al Fine!|\n") == ["jump without its sign"]
    assert kinds(f"{HEADER}C4!fine!|D4!D.C. al Fine!|\n") == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("C4|2D4|", "ending without a first"),
        ("C4|2D4:|E4|", "ending without a first"),
        ("C4|1D4:|3E4|", "missing ending"),
        ("C4|1,2D4:|4E4|", "missing ending"),
    ],
)
def test_endings_with_a_missing_one_are_reported_and_not_trained_on(body, kind):
    assert kinds(f"{HEADER}{body}\n") == [kind]
    rejected = normalize(split_tunes(f"{HEADER}{body}\n")[0])
    assert isinstance(rejected, RejectedPiece)
    assert rejected.reason == "mismatched endings"


@pytest.mark.parametrize("body", ["C4|1D4:|2E4|", "C4|1,3D4:|2E4|", "C4|1-3D4:|4E4|"])
def test_endings_of_all_passes_are_fine(body):
    assert kinds(f"{HEADER}{body}\n") == []


@pytest.mark.parametrize(
    ("order", "expected"), [("ABA", "CDCEFCDCE"), ("BA", "FCDCE"), ("AB2", "CDCEFF"), ("", "CDCEF")]
)
def test_a_part_begins_after_a_second_ending(order, expected):
    body = "P:A\n|:C4|1 D4:|2 E4|\nP:B\nF4|\n"
    assert melody(body, f"X:1\nM:4/4\nL:1/4\nP:{order}\nK:C\n") == expected


def test_the_endings_of_a_later_part_have_numbers_of_their_own():
    body = "P:A\n|:C4|1 D4:|2 E4|\nP:B\nF4|1 G4:|2 A4|\n"
    assert melody(body, "X:1\nM:4/4\nL:1/4\nP:BA\nK:C\n") == "FGFACDCE"


@pytest.mark.parametrize(
    ("fields", "body", "losses"),
    [
        ("", "C4|D4!D.S. al Fine!|", {"jumps to a missing sign left out": 1}),
        ("", "V:1\nC4|D4!D.S.!|\nV:2\nE4|F4|", {"jumps to a missing sign left out": 1}),
        ("P:AXBX\n", "P:A\nC4|\nP:B\nD4|", {"names in the part order that no part has": 2}),
        ("P:AB\n", "C4|D4|", {"names in the part order that no part has": 2}),
        ("P:AB\n", "P:A\nC4|\nP:B\nD4|", {}),
        ("P:AB\n", "P:A\nC4|\nP:B\nD4!D.C.!|", {"jumps beside the part order left out": 1}),
        ("", "P:A\nC4|\nP:B\nD4!D.C.!|", {}),
        ("P:AB\n", "P:A\nC4|\nP:B\nD4|\nP:A\nE4|", {"parts joined to an earlier part with the same name": 1}),
        ("P:AB\n", "P:A\nC4|\nP:B\nD4|\nP:C\nE4|\nP:C\nF4|", {}),
        ("", "C4|1D4:|3E4|", {"bars that no pass plays left out": 1, "mismatched endings played by guess": 1}),
        ("", "C4!fine!|D4!D.C. al Fine!|E4|F4|", {"bars that no pass plays left out": 2}),
        ("P:AA\n", "P:A\nC4|\nP:B\nD4|", {}),
        ("", "V:1\n|:C4:|D4|\nV:2\n E8|", {"repeats that do not match between voices": 1}),
        ("", "V:1\n" + "C4|" * 5007 + "\nV:2\n" + "E4|" * 5007, {"bars after the first 5,000 left out": 7}),
    ],
    ids=[
        "jump", "jump in one of two voices", "part", "no part", "all parts", "jump and parts", "jump and labels",
        "part twice", "unused parts", "ending", "after the end", "part left out", "voices", "bars",
    ],
)  # fmt: skip
def test_music_that_is_not_played_as_written_is_counted(fields, body, losses):
    assert read(body, f"X:1\nM:4/4\nL:1/4\n{fields}K:C\n").losses == losses


def test_the_dialect_counts_unknown_parts():
    tune = normalize(split_tunes("X:1\nM:4/4\nL:1/4\nP:AXB\nK:C\nP:A\nC4|\nP:B\nD4|\n")[0])
    assert isinstance(tune, NormalizedTune)
    assert tune.losses == {"names in the part order that no part has": 1}


def test_what_an_order_of_parts_overrides_is_reported():
    header = HEADER.replace("K:C", "P:AB\nK:C")
    assert kinds(f"{header}P:A\nC4|\nP:B\nD4!D.C.!|\nP:A\nE4|\n") == [
        "jump beside a part order",
        "part name used twice",
    ]
    assert kinds(f"{header}P:A\n|:C4|1D4:|\nP:A\n[2E4|\nP:B\nF4|\n") == []


def test_letters_that_nothing_defines_are_not_called_decorations():
    lost = parse_tune(split_tunes("X:1\nU:W=!trill!\nL:1/4\nK:C\n!trill CTDWE|!trill!F|\n")[0]).unscored
    assert +lost == {"decorations left out": 3, "symbols without a definition left out": 5}


@pytest.mark.parametrize(
    ("tempo", "count"), [('"Allegro" 3/8=100', 1), ("Slow", 1), ('"12"', 0), ("C=120", 0), ("1/4=120", 0)]
)
def test_the_words_of_a_tempo_are_counted(tempo, count):
    for text in (f"Q:{tempo}\nK:C\nC4|\n", f"K:C\n[Q:{tempo}]C4|\n"):
        lost = parse_tune(split_tunes(f"X:1\nL:1/4\n{text}")[0]).unscored
        assert lost["tempo markings in words left out"] == count


@pytest.mark.parametrize(
    ("tempo", "problems"),
    [("1/4=x9", ["invalid tempo"]), ("1/4=0", ["invalid tempo"]), ("fast please", []), ('"poco 2"', []), ("90", [])],
)
def test_only_numbers_that_give_no_tempo_are_reported(tempo, problems):
    assert kinds(f"{HEADER}C4|[Q:{tempo}]D4|\n") == problems
    losses = {"tempos without a valid value left out": 1} if problems else {}
    assert read(f"C4|[Q:{tempo}]D4|").losses == losses
    assert read("C4|", HEADER.replace("K:", f"Q:{tempo}\nK:")).losses == losses


@pytest.mark.parametrize("ending", ["|0 ", "[0 ", "|3-2 ", "|0,0 "])
def test_endings_without_a_pass_are_reported_and_played(ending):
    assert melody(f"C4{ending}D4|E4|") == "CDE"
    assert kinds(f"{HEADER}C4{ending}D4|E4|\n") == ["impossible ending"]
    rejected = normalize(split_tunes(f"{HEADER}C4{ending}D4|E4|\n")[0])
    assert isinstance(rejected, RejectedPiece)
    assert rejected.reason == "mismatched endings"


@pytest.mark.parametrize("note", ["D0", "[DF]0", "z0", "^D,0", "D0/2", "[D0F0]"])
def test_notes_of_no_length_are_left_out(note):
    score = read(f"C {note} E G c|")
    assert [(note.onset, note.pitch) for note in score.notes] == [(0, 60), (1, 64), (2, 67), (3, 72)]
    tones = sum(letter in "DF" for letter in note)
    assert score.losses == ({"notes of no length left out": tones} if tones else {})
    assert set(kinds(f"{HEADER}C {note} E G c|\n")) == {"note of no length"}


@pytest.mark.parametrize(
    ("body", "lengths"),
    [
        ("(1:2:2CC", [2, 2]),
        ("(3:2CDE", [2 / 3] * 3),
        ("(3::4CDEF", [2 / 3] * 4),
        ("(5:4:5CDEFG", [4 / 5] * 5),
        ("(3:2:3CD|E F", [2 / 3, 2 / 3, 2 / 3, 1]),
        ("(3C|D|E F", [2 / 3, 2 / 3, 2 / 3, 1]),
        ("(10:8:10CDEFGABcde", [4 / 5] * 10),
        ("(3:2:2C>D E", [1, 1 / 3, 1]),
    ],
)
def test_tuplets(body, lengths):
    score = read(body, "X:1\nM:none\nL:1/4\nK:C\n")
    assert [float(note.duration) for note in score.parts[0].notes] == pytest.approx(lengths, abs=1e-3)


def test_tuplets_of_eleven_fill_their_time():
    score = read("(11:8:11CDEFGABcdef G", "X:1\nM:none\nL:1/8\nK:C\n")
    assert score.parts[0].notes[-1].onset == 4


@pytest.mark.parametrize(
    ("fields", "body", "expected"),
    [
        ("U:T=!D.C.!\n", "C4|D4T|", "CDCD"),
        ("U:H = !fine!\nU:W = !D.C. al Fine!\n", "C4H|D4W|", "CDC"),
        ("U:S=!trill!\n", "C4|SD4!D.S.!|", "CD"),
        ("m:~D2=CDED\n", "~D2|", "CDED"),
        ("m: ~n2 = n/o/n/m/\n", "~D2 ~c2|", "DEDCcdcB"),
        ("m:~D=CE\n", "~D2 ~D|", "DCE"),
        ('m:D=E\n', '"D"D|', "E"),
    ],
)  # fmt: skip
def test_symbols_and_macros(fields, body, expected):
    assert melody(body, f"X:1\nM:none\nL:1/4\n{fields}K:C\n") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T:One\nK:C\nC|\n\nT:Two\nK:C\nD|\n", ["C", "D"]),
        ("%abc\n\nT:One\nK:C\nC|\n\n\n%%newpage\nT:Two\nM:4/4\nK:C\nD|\n", ["C", "D"]),
        ("K:C\nC|\n\nK:C\nD|\n\nwords only\n", ["C", "D"]),
        ("CDEF|\n\nGABc|\n", ["CDEF"]),
    ],
)
def test_tunes_without_numbers(text, expected):
    assert [voices(read_tune(tune))[0] for tune in split_tunes(text)] == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (r"Caf\'e", "Café"), ("&Eacute;t&eacute;", "Été"), (r"\u266d \U0001d11e", "♭ 𝄞"), (r"M\"uller", "Müller"),
        (r"\,c \cc \~n \`a \^o \AE \/o \oe \ss \vs \=a", r"\,c ç ñ à ô Æ ø œ ß š ā"),
        (r"100\% \\ \&amp;", r"100% \ &amp;"),
        ("Tea & Toast; R&D", "Tea & Toast; R&D"), (r"\251 \370", "© ø"), ("&#233;&lt;", "é<"), (r"a\b", r"a\b"),
    ],
)  # fmt: skip
def test_escapes_in_titles(title, expected):
    text = f"X:1\nT:{title}\nM:4/4\nL:1/4\nK:C\nCDEF|]\n"
    assert read_score(text).title == expected
    assert normalize(split_tunes(text)[0]).title == expected


@pytest.mark.parametrize("rest", ["GABc|\n", "c4|]\n", "GA|Bc|\n", "[V:1] GABc|\n"])
def test_music_after_a_blank_line_is_counted(rest):
    score = read_tune(split_tunes(f"{HEADER}CDEF|\n\n{rest}")[0])
    assert score.losses == {"lines of music after a blank line left out": 1}


def test_words_after_a_blank_line_are_not_counted():
    (tune,) = split_tunes(f"{HEADER}CDEF|\n\nA bad cab | a fed egg.\nFed a cabbage\nW:la la|\n")
    assert read_tune(tune).losses == {}


def test_grace_notes_are_counted():
    assert read("{cd}C {/e}D {[ce]}EF|").losses == {"grace notes left out": 5}


def test_the_dialect_counts_what_it_leaves_out():
    body = "V:1\n{d}CDEF|GABc & E4|\nV:2\nC4|[EG]4|"
    normal = normalize(split_tunes(f"{HEADER}{body}\n")[0])
    assert isinstance(normal, NormalizedTune)
    assert normal.losses == {
        "grace notes left out": 1, "notes of other parts left out": 3, "overlay notes left out": 1,
    }  # fmt: skip
