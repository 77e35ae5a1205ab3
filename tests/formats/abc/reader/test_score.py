"""Reading real ABC: how each symbol affects pitches, lengths and the order of bars."""

from __future__ import annotations

from fractions import Fraction

import pytest
from abc_diagnostics import check_tune
from hypothesis import given
from hypothesis import strategies as st

from composer.api import ChordSymbol, Key, Meter, ReadError, Tempo
from composer.formats.abc.dialect.normalize import normalize
from composer.formats.abc.elements import Sound
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.score import ImpossibleLength, read_score, read_tune, score_of

C4, D4, E4, F4, G4, A4, B4, C5 = 60, 62, 64, 65, 67, 69, 71, 72


def notes(body: str, header: str = "M:4/4\nL:1/4\nK:C") -> list[tuple[int, float]]:
    """Return the pitch and length in beats of each note of a tune with this body."""
    score = read_score(f"X:1\n{header}\n{body}\n")
    return [(note.pitch, float(note.duration)) for note in score.parts[0].notes]


def pitches(body: str, header: str = "M:4/4\nL:1/4\nK:C") -> list[int]:
    return [pitch for pitch, _ in notes(body, header)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C D2 E/ F/2 G3/2", [(C4, 1), (D4, 2), (E4, 0.5), (F4, 0.5), (G4, 1.5)]),
        ("C// D3/4", [(C4, 0.25), (D4, 0.75)]),
        ("C, c C' c'", [(48, 1), (C5, 1), (C5, 1), (84, 1)]),
        ("C>D E<F G>>A", [(C4, 1.5), (D4, 0.5), (E4, 0.5), (F4, 1.5), (G4, 1.75), (A4, 0.25)]),
        ("C> \"G\"D", [(C4, 1.5), (D4, 0.5)]),
        ("(3CDE F", [(C4, 2 / 3), (D4, 2 / 3), (E4, 2 / 3), (F4, 1)]),
        ("(3:2:2C2D E", [(C4, 4 / 3), (D4, 2 / 3), (E4, 1)]),
        ("(2CD E", [(C4, 1.5), (D4, 1.5), (E4, 1)]),
        ("[CEG]2 [CC]", [(C4, 2), (E4, 2), (G4, 2), (C4, 1)]),
        ("C-C D-|D2", [(C4, 2), (D4, 3)]),
        ("[CE]-[CE]", [(C4, 2), (E4, 2)]),
        ("[C-E]2 [CE]2", [(C4, 4), (E4, 2), (E4, 2)]),
        ("[C-E] [CE]-|[C^E]", [(C4, 3), (E4, 1), (E4, 1), (F4, 1)]),
        ("[^CE-]2|[CE]2", [(61, 2), (E4, 4), (C4, 2)]),
        ("C-D", [(C4, 1), (D4, 1)]),
        ("{cd}C ~D .E uF !trill!G +fermata+A HB", [(p, 1) for p in (C4, D4, E4, F4, G4, A4, B4)]),
        ("(C D) (E) `F y G", [(p, 1) for p in (C4, D4, E4, F4, G4)]),
        ('"^slowly"C "Am7/B"D', [(C4, 1), (D4, 1)]),
        ("C & E | D", [(C4, 1), (E4, 1), (D4, 1)]),
        ("C % a remark D", [(C4, 1)]),
        ("C [L:1/8] D [r:a remark] E", [(C4, 1), (D4, 0.5), (E4, 0.5)]),
    ],
)  # fmt: skip
def test_lengths_and_marks(body, expected):
    assert notes(body) == [(pitch, pytest.approx(length)) for pitch, length in expected]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C|D:|E", "CDCDE"),
        ("|:C|D:|:E:|", "CDCDEE"),
        ("C::D::E:|", "CCDDEE"),
        ("|:C:||:D:|", "CCDD"),
        ("|:C|1D:|2E|]F", "CDCEF"),
        ("|:C|[1D:|[2E||F", "CDCEF"),
        ("|:C|[1,3D:|[2E:|F", "CDCECDF"),
        ("|:C|[1-2D:|[3E|]", "CDCDCE"),
        ("C:|D:|", "CCDD"),
        ("|:C|D:|\n|:E|F:|", "CDCDEFEF"),
        ("C|D||E:|", "CDEE"),
        ("C|D||E|F||G|A:|", "CDEFGAGA"),
        ("|:C|D||E:|", "CDECDE"),
        ("|:C|[1D:|E", "CDCE"),
        ("C|[1D:|[1E:|F", "CDCEF"),
        ("|:C|[1D:|E|F:|", "CDCEFEF"),
        ("|:C|[1D:||:E|[1F:|G|]", "CDCEFEG"),
        ("[2C|D", "CD"),
        ("|:C|\\\n1 D:|2 E|]", "CDCE"),
        ("|:C||\\\n[1 D:|[2 E|]", "CDCE"),
        ("C||\\\n:D|E:|", "CDEDE"),
        ("C|\\\nD|E:|", "CDECDE"),
    ],
)
def test_repeats_are_unrolled(body, expected):
    assert pitches(body) == pitches(" ".join(expected))


@pytest.mark.parametrize("symbol", ["D/c", "D7/c", "Dm/c", "Dm7/C", "D/C#"])
def test_chord_with_a_bass_is_no_da_capo(symbol):
    score = read_score(f'X:1\nM:4/4\nL:1/4\nK:C\nCDEF|"{symbol}"GABc|\n')
    assert len(score.notes) == 8
    assert [chord.symbol for chord in score.chords] == [symbol]


def test_order_of_parts():
    body = "P:A\nC|\nP:B\nD:|\n"
    assert pitches(body, "P:AB2A\nM:4/4\nL:1/4\nK:C") == [C4, D4, D4, D4, D4, C4]
    assert pitches(body) == [C4, D4, C4, D4]
    assert pitches(body, "P:AXB\nM:4/4\nL:1/4\nK:C") == [C4, D4, D4]
    assert pitches(body, "P:XY\nM:4/4\nL:1/4\nK:C") == [C4, D4, C4, D4]
    assert pitches("P:A\n|:C|1D:|\nP:B\n[2E||\n", "P:AB\nM:4/4\nL:1/4\nK:C") == [C4, D4, C4, E4]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("G", [66, 72]), ("Am", [65, 72]), ("Ddor", [65, 72]), ("D mixolydian", [66, 72]), ("Eb", [65, 72]),
        ("HP", [66, 73]), ("none", [65, 72]), ("", [65, 72]), ("C#", [66, 73]), ("D =c", [66, 72]),
        ("C exp ^f", [66, 72]),
        ("Em clef=treble", [66, 72]), ("F#m", [66, 73]), ("BMinor", [66, 73]),
    ],
)  # fmt: skip
def test_keys(key, expected):
    assert pitches("F c", f"M:4/4\nL:1/4\nK:{key}") == expected


def test_accidentals_last_until_the_end_of_the_bar_and_through_ties():
    assert pitches("^F F f =F F|F") == [66, 66, 78, 65, 65, 65]
    assert notes("^F-|F F|") == [(66, 2), (65, 1)]
    assert pitches("__B ^^C") == [69, 62]


@pytest.mark.parametrize(
    ("meter", "length"),
    [("4/4", 0.5), ("C", 0.5), ("C|", 0.5), ("6/8", 0.5), ("2/4", 0.25), ("3/8", 0.25), ("none", 0.5), ("2+3/8", 0.25)],
)
def test_unit_length_depends_on_the_meter(meter, length):
    assert notes("C", f"M:{meter}\nK:C") == [(C4, length)]


def test_score_fields():
    score = read_score('X:1\nT:A Name\nM:6/8\nL:1/8\nQ:3/8=60\nK:Dmix\nA|"D"d3 "G7/B"d2 c|"N.C."d3 d2|]\nw: la la\n')
    assert score.title == "A Name"
    assert score.pickup == Fraction(1, 2)
    assert score.meters == (Meter(Fraction(0), 6, 8),)
    assert score.keys == (Key(Fraction(0), 1, "mixolydian"),)
    assert score.tempos == (Tempo(Fraction(0), 90.0),)
    assert score.chords == (
        ChordSymbol(Fraction(1, 2), Fraction(3, 2), "D"),
        ChordSymbol(Fraction(2), Fraction(3, 2), "G7/B"),
    )


def test_changes_of_meter_and_key():
    score = read_score("X:1\nM:4/4\nL:1/4\nK:C\nC4|[M:3/4]F3|\nK:G\nF3|\n")
    assert [(meter.onset, meter.numerator) for meter in score.meters] == [(0, 4), (4, 3)]
    assert [(key.onset, key.sharps) for key in score.keys] == [(0, 0), (7, 1)]
    assert [note.pitch for note in score.notes] == [C4, F4, 66]


def test_voices_are_parts():
    score = read_score("X:1\nM:4/4\nL:1/4\nK:C\nV:1\nC D|\nV:2\nE,2|\nV:1\nE F|\n[V:2] F,2|\n")
    assert [[note.pitch for note in part.notes] for part in score.parts] == [[C4, D4, E4, F4], [52, 53]]
    assert [part.name for part in score.parts] == ["", ""]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ('V:1 clef=treble name="Flute 1"', "Flute 1"),
        ("V:1 nm=Fl\\`ute snm=x", "Flùte"),
        (r'V:1 name="Flute\nin C"', "Flute in C"),
        ('V:1 name="Flute"\n[V:1 clef=bass]', "Flute"),
        ("V:Flute subname=no nickname=no", ""),
    ],
)
def test_the_name_of_a_voice_is_that_of_its_part(field, name):
    assert [part.name for part in read_score(f"X:1\nL:1/4\nK:C\n{field}\nC4|\n").parts] == [name]


def test_a_later_name_is_a_change_of_instrument():
    score = read_score('X:1\nL:1/4\nK:C\nV:1 name="Flute"\nC4|\n[V:1 name="Piccolo"] D4|\n')
    assert [part.name for part in score.parts] == ["Flute"]
    assert score.losses == {"changes of instrument left out": 1}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("V:1\n[L:1/8]C D|\nV:2\nE F|", [[(C4, 0.5), (D4, 0.5)], [(E4, 1), (F4, 1)]]),
        ("V:1\nK:G\nF4|\nV:2\nF4|", [[(66, 4)], [(F4, 4)]]),
        ("V:1\nC4|[M:3/4]Z|\nV:2\nC4|D4|", [[(C4, 4)], [(C4, 4), (D4, 4)]]),
        ("V:1\nM:6/8\nF|[V:2](5CDEFG|[V:1](5CDEFG|", [[(F4, 1), *[(p, 0.6) for p in (C4, D4, E4, F4, G4)]], None]),
    ],
)
def test_fields_in_a_voice_apply_to_that_voice(body, expected):
    score = read_score(f"X:1\nM:4/4\nL:1/4\nK:C\n{body}\n")
    for part, wanted in zip(score.parts, expected, strict=True):
        assert wanted is None or [(note.pitch, float(note.duration)) for note in part.notes] == wanted


def test_change_of_meter_applies_to_following_bar_rests():
    score = read_score("X:1\nM:4/4\nL:1/4\nK:C\nC4|\nM:3/4\nZ|D3|\n")
    assert [(note.pitch, note.onset) for note in score.notes] == [(C4, 0), (D4, 7)]


def test_voices_may_have_their_own_meters():
    assert check_tune(split_tunes("X:1\nM:4/4\nL:1/4\nK:C\nV:1\nM:3/4\nC3|C3|\nV:2\nC4|C4|\n")[0]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("K:C octave=-1\nC", [48]),
        ("K:C transpose=2\nC F ^F", [62, 67, 68]),
        ("V:1 octave=-1\nK:C\nV:1\nC", [48]),
        ("V:1 transpose=-2 clef=treble\nK:C\nV:1\nC", [58]),
        ("K:C\n[V:1 octave=1]C", [72]),
        ("K:C\nC [V:1 octave=1] C", [60, 72]),
        ("K:C treble-8\nC", [48]),
        ('K:C clef="treble+15"\nC', [84]),
        ("K:C bass\nC", [60]),
        ("K:G mix treble8\nC", [60]),
        ('V:bass nm="treble-8"\nK:C\n[V:bass]C', [60]),
        ("K:C treble-8 octave=1\nC", [72]),
        ("K:C octave=-1\nV:1 clef=treble\nC", [60]),
        ("K:C octave=-1\nC|\nK:G\nF", [48, 54]),
        ("K:C octave=-1 transpose=2\nC", [50]),
        ("K:C\n%%MIDI transpose 12\nC", [72]),
        ("K:C\nC|\n%%MIDI transpose 12\nC", [60, 72]),
        ("K:C\n%%MIDI transpose 12\n%%MIDI rtranspose 2\nC", [74]),
        ("K:C\nC [I:MIDI transpose -12] C", [60, 48]),
        ("K:C transpose=2\n^F- | F F", [68, 67]),
    ],
)  # fmt: skip
def test_octaves_and_transpositions_apply(text, expected):
    assert [note.pitch for note in read_score(f"X:1\nL:1/4\n{text}\n").notes] == expected


@pytest.mark.parametrize(
    ("semitones", "key", "names"), [(1, -5, "Db"), (2, 2, "D"), (6, 6, "F#"), (-1, 5, "B"), (11, 5, "B"), (-12, 0, "C")]
)
def test_transposition_applies_to_key_and_chords(semitones, key, names):
    score = read_score(f'X:1\nL:1/4\nK:C transpose={semitones}\n"C"C4|\n')
    assert [each.sharps for each in score.keys] == [key]
    assert [chord.symbol for chord in score.chords] == [names]
    assert score.notes[0].pitch == 60 + semitones


def test_rests():
    score = read_score("X:1\nM:4/4\nL:1/4\nK:C\nC z x2|Z2|D4|\n")
    assert [(note.pitch, note.onset) for note in score.notes] == [(C4, 0), (D4, 12)]


def test_split_tunes():
    text = "a remark\nX:1\nK:C\nC|\n\nfree text C D E\n\nX: 5\nK:C\nD|\nX:9\nK:C\nE|\n"
    tunes = split_tunes(text)
    assert [tune.first for tune in tunes] == [2, 8, 11]
    assert [read_tune(tune).notes[0].pitch for tune in tunes] == [C4, D4, E4]
    assert split_tunes("% only\n\n") == []


def test_endless_tunes_are_cut_with_a_diagnostic():
    problems = []
    long = split_tunes(f"X:1\nP:{'A9' * 9}(A9)9\nL:1/4\nK:C\nP:A\n|:{99 * 'C|'}C:|\n")[0]
    assert len(read_tune(long, problems).notes) == 5000
    assert [each.kind for each in problems] == ["too long"]
    assert "too long" in [each.kind for each in check_tune(long)]


def test_diagnostics_have_line_and_column():
    problems = []
    read_tune(split_tunes("\nX:1\nL:1/4\nK:C\nC ? D|(3CD|\nE>|\n")[0], problems)
    assert [(each.line, each.column, each.kind) for each in problems] == [
        (5, 3, "unknown character"),
        (5, 11, "tuplet across a bar line"),
        (6, 3, "broken rhythm without a partner"),
    ]


@pytest.mark.parametrize("text", ["", "% only\n", "X:1\nK:C\n", "X:1\nK:C\nz4|x|\n", "X:1\nT:no tune at all\n"])
def test_tunes_without_notes_are_errors(text):
    with pytest.raises(ReadError):
        read_score(text)


@given(st.text(alphabet="CDEgab_^='/,1234 |:[]()<>-{}\"!+&\\%zxZy~.KLMPVwX\n", max_size=60))
def test_reader_survives_any_text(body):
    for tune in split_tunes(f"X:1\nK:C\n{body}"):
        parsed = parse_tune(tune)
        check_tune(tune)
        normalize(tune)
        try:
            assert score_of(parsed).notes
        except ImpossibleLength:
            pass
        except ReadError:
            assert not any(isinstance(each, Sound) and each.tones for voice in parsed.voices.values() for each in voice)


def test_blocks_of_text_are_skipped():
    text = (
        "X:1\nM:4/4\nL:1/4\n%%begintext\nAlle meine Entchen\n%%endtext\nK:C\nCDEF|\n%%begintext\nGGG\n%%endtext\nG4|]\n"
    )
    assert [note.pitch for note in read_score(text).notes] == [60, 62, 64, 65, 67]


def test_only_line_feeds_end_lines():
    text = "X:1\nT:Wait\x85 abc dee\nM:4/4\nL:1/4\nK:C\nCDEF|]\n"
    assert len(read_score(text).notes) == 4


def test_text_before_the_key_is_skipped():
    text = "X:1\nH:A long story\nabout a cabbage\nM:4/4\nL:1/4\nK:C\nCDEF|]\n"
    assert len(read_score(text).notes) == 4
    assert [problem.kind for problem in parse_tune(split_tunes(text)[0]).diagnostics] == ["text in the header"]


def test_blocks_of_text_may_contain_blank_lines_and_tune_numbers():
    text = "X:1\nK:C\n%%begintext\n\nX:2\nGGG\n%%endtext\nCD|\n\nX:3\nK:C\n%%begintext\nE|\n"
    assert [[note.pitch for note in read_tune(tune).notes] for tune in split_tunes(text)] == [[C4, D4], [E4]]
