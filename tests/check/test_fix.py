"""Fixed files have no problems, correct tunes stay unchanged, and what cannot be fixed is listed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api.testing import source
from composer.check.examine import examine
from composer.check.fix import fix
from composer.formats.abc.reader.score import read_score

HEADER = "X:1\nT:Planted\nC:Anon\nM:6/8\nL:1/8\nK:D\n"
GOOD = "X:7\nT:Good ~ as it is\nM:6/8\nL:1/8\nK:D\n{g}ABA  ~c3 | (def) g3 |]\n"


def fixed(content, name="tune.abc"):
    given = source(content, name)
    return fix(given, examine(given).problems)


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ("|:f|ABA ABA|ABA ABA:|", "pickup played once"),
        ("|:ABA ABA|ABA AB:|", "rest added to a short last bar"),
        ("A6|B6\nA6|B6|]", "rewritten"),
        ("A6|B6|!c6|]", "removed old line breaks"),
        ("A6|B?6|]", "removed unknown characters"),
        ("A6-|B6|]", "removed dangling ties"),
        ("A6|B6 |=20\nA6|=3DB6|]", "decoded quoted-printable"),
        ("|:A6|B6|]", "rewritten"),
    ],
)
def test_a_tune_is_fixed(body, change):
    done = fixed(f"{HEADER}{body}\n\n{GOOD}")
    text = done.data.decode()
    assert examine(source(text, "tune.fixed.abc")).problems == ()
    assert text.startswith("X:1\nT:Planted\nC:Anon\n")
    assert text.endswith(f"\n{GOOD}")
    assert change in done.changes[0].message
    assert (done.changes[0].line, done.changes[0].tune, done.left) == (1, "1", ())


def test_the_melody_is_unchanged():
    done = fixed(f"{HEADER}A6|B6\nc6|d6|]\n")
    pitches = [note.pitch for note in read_score(done.data.decode()).notes]
    assert pitches == [69, 71, 73, 74]


def test_fields_and_numbers_are_fixed():
    done = fixed(f"T:No number\nM:6/8\nK:D\nA6|]\n\n{GOOD}\n{GOOD}")
    text = done.data.decode()
    assert [line for line in text.split("\n") if line.startswith("X:")] == ["X:7", "X:8"]
    done = fixed("X:1\nM:6/8\nL:1/8\nY:AAB\nK:D\nA6|]\n")
    assert "% Y:AAB" in done.data.decode()


def test_tunes_are_separated():
    done = fixed(f"{HEADER}A6|]\n{GOOD}X:9\nM:6/8\nL:1/8\nK:D\nA6-|B6|]\n")
    separated = f"{HEADER}A6|]\n\n{GOOD}\nX:9\nM:6/8\nL:1/8\nK:D\nA6|B6|]\n"
    assert done.data.decode() == separated
    assert [(note.line, note.tune) for note in done.changes] == [(8, "7"), (14, "9")]
    assert "a blank line" in done.changes[0].message
    assert "removed dangling ties" in done.changes[1].message


def test_other_data_is_left_alone():
    done = fixed(bytes(range(1, 256)), "junk.mid")
    assert (done.data, [note.message for note in done.left]) == (
        None,
        ["no music in this file: it is damaged, or it is not MIDI"],
    )


def test_omissions_are_listed():
    done = fixed(f"{HEADER}|:ABA ~ABA|{{c}}ABA AB:|\nw: la la\n")
    assert "without its grace notes, decorations and words" in done.changes[0].message


def test_an_encoding_is_fixed():
    done = fixed(GOOD.replace("Good", "Café").encode("latin-1"))
    assert done.data.decode() == GOOD.replace("Good", "Café")
    done = fixed(GOOD.replace("Good", "CafÃ©\x07"))
    assert done.data.decode() == GOOD.replace("Good", "Café")


def test_ambiguous_problems_are_left_and_listed():
    done = fixed(f"{HEADER}ABA ABA|ABA AB|ABA ABA|]\n")
    assert done.data is None
    assert done.left[0].line == 1
    assert "incomplete bar" in done.left[0].message
    done = fixed(f"{HEADER}ABA ABA|A?BA AB|ABA ABA|]\n")
    assert "A?BA" not in done.data.decode()
    assert len(done.changes) == len(done.left) == 1


def test_music_between_tunes_is_left_and_listed():
    done = fixed(f"{GOOD}\nABA ABA|ABA ABA|]\n")
    assert done.data is None
    assert "blank line" in done.left[0].message


def test_damaged_midi_is_rewritten(midi_with_a_hanging_note):
    done = fixed(midi_with_a_hanging_note, "tune.mid")
    assert done.suffix == ".mid"
    assert examine(source(done.data, "tune.fixed.mid")).problems == ()
    assert "without note-off" in done.changes[0].message


@pytest.fixture
def midi_with_a_hanging_note():
    track = b"\x00\x90\x3c\x50\x60\x80\x3c\x00\x00\x90\x40\x50\x00\xff\x2f\x00"
    return b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk" + len(track).to_bytes(4, "big") + track


def test_other_files_cannot_be_fixed():
    done = fixed('<?xml version="1.0"?><score-partwise><part-list>', "a.musicxml")
    assert done.data is None
    assert "invalid XML at line 1" in done.left[0].message
    assert fixed(b"MThd", "a.mid").data is None


@settings(max_examples=80)
@given(st.text("|:[](3ABcdz2>-\"'/^,1 \n!?K=X~", max_size=60))
def test_any_text_is_examined_and_not_made_worse(body):
    content = f"{HEADER}{body}\n"
    found = examine(source(content, "tune.abc")).problems
    assert all(1 <= each.line <= content.count("\n") + 1 and each.column >= 1 for each in found)
    done = fixed(content)
    if done.data is not None:
        assert len(examine(source(done.data, "tune.fixed.abc")).problems) <= len(found)
