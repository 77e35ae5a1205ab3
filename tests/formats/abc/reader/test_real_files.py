"""What real ABC files have besides notes and bar lines: each kind of thing in several spellings."""

from __future__ import annotations

import time

import pytest
from abc_reading import HEADER, kinds, melody, read, voices

from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import read_score, read_tune


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


def test_many_changes_of_meter_and_key_are_fast():
    start = time.process_time()
    score = read("[M:2/4][K:G]C2|[M:3/4][K:C]C3|\n" * 1500)
    assert (len(score.meters), len(score.keys)) == (3000, 3000)
    assert time.process_time() - start < 1.5, "in proportion to the changes, not to their square"


@pytest.mark.parametrize("key", ["clef=bass", "", "bass", "octave=0 clef=alto"])
def test_keys_may_be_a_clef_alone(key):
    assert melody("CDEF|", f"X:1\nM:4/4\nL:1/4\nK:{key}\n") == "CDEF"
    assert kinds(f"X:1\nM:4/4\nL:1/4\nK:{key}\nCDEF|\n") == []


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
