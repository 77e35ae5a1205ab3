"""One file: problems are found at their line and column; usual ways of writing are not reported."""

from __future__ import annotations

import io
import struct

import mido
import pytest

from composer.api.testing import source
from composer.check.examine import examine

HEADER = "X:1\nT:Planted\nM:6/8\nL:1/8\nK:D\n"


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ((3, 3, 3), ()),
        ((1, 3, 3, 2), ()),
        ((3, 2, 3, 3), ("bar 2 has 2 quarter notes; 3/4 needs 3",)),
        ((3, 4, 3, 3), ("bar 2 has 4 quarter notes; 3/4 needs 3",)),
        ((1, 3, 3.5, 3, 2, 3), ("bar 2 has 3.5 quarter notes; 3/4 needs 3, the first of 2 bars that do not fill",)),
        ((3, 2, 1, 3), ()),
    ],
)
def test_bars_of_musicxml_that_do_not_fill_the_meter(lengths, expected):
    problems = found(musicxml(lengths), "tune.musicxml")
    assert len(problems) == len(expected)
    for problem, words in zip(problems, expected, strict=True):
        assert words in problem.message
        assert (str(problem.severity), problem.kind.startswith("bar too ")) == ("warning", True)


def musicxml(lengths):
    """A part in 3/4: in each bar a note of one of these lengths, in quarter notes. The first may be a pickup."""
    numbers = range(0 if lengths[0] < 3 else 1, len(lengths) + 1)
    bars = "".join(
        f'<measure number="{number}">{ATTRIBUTES if at == 0 else ""}'
        f"<note><pitch><step>C</step><octave>5</octave></pitch><duration>{round(2 * length)}</duration></note>"
        "</measure>"
        for at, (number, length) in enumerate(zip(numbers, lengths, strict=False))
    )
    names = '<part-list><score-part id="P1"><part-name>Flute</part-name></score-part></part-list>'
    return f'<score-partwise version="4.0">{names}<part id="P1">{bars}</part></score-partwise>'


ATTRIBUTES = "<attributes><divisions>2</divisions><time><beats>3</beats><beat-type>4</beat-type></time></attributes>"


def found(content, name="tune.abc"):
    return examine(source(content, name)).problems


def places(content, name="tune.abc"):
    return [(each.line, each.column, each.kind, str(each.severity)) for each in found(content, name)]


PROBLEMS = {
    "a note too few": (f"{HEADER}ABA ABA|ABA AB|ABA ABA|]\n", 6, 9, "bar too short", "error"),
    "a note too many": (f"{HEADER}ABA ABA|ABA ABA|\nABA ABAB|ABA ABA|]\n", 7, 1, "bar too long", "error"),
    "a last bar without a matching pickup": (f"{HEADER}ABA ABA|ABA AB|]\n", 6, 9, "last bar too short", "warning"),
    "a pickup without a shorter last bar": (f"{HEADER}|:f|ABA ABA|ABA ABA:|\n", 6, 3, "unmatched pickup", "warning"),
    "no bar line at the end of a line": (f"{HEADER}A6|B6\nA6|B6|]\n", 6, 4, "missing bar line", "warning"),
    "a meter that contradicts all bars": (f"{HEADER}{'A4 B4|' * 8}\n", 3, 1, "wrong meter", "error"),
    "an unclosed repeat": (f"{HEADER}|:A6|B6|]\n", 6, 8, "repeat without an end", "error"),
    "a first ending alone": (f"{HEADER}|:A6|[1 B6:|c6|]\n", 6, 5, "ending without a second", "warning"),
    "a second ending alone": (f"{HEADER}A6:|[2 B6|]\n", 6, 3, "ending without a first", "error"),
    "a tie to another pitch": (f"{HEADER}A6-|B6|]\n", 6, 1, "dangling tie", "warning"),
    "a tuplet of one": (f"{HEADER}(1A A5|A6|]\n", 6, 1, "unknown tuplet", "error"),
    "a triplet of two": (f"{HEADER}A6|A4 (3AB|]\n", 6, 11, "incomplete tuplet", "error"),
    "an unknown character": (f"{HEADER}A6|A5?A|]\n", 6, 6, "unknown character", "error"),
    "an unclosed quotation mark": (f'{HEADER}A6|"Am A6|]\n', 6, 4, "unknown character", "error"),
    "an unclosed chord": (f"{HEADER}A6|[AB6|]\n", 6, 4, "unbalanced brackets", "error"),
    "broken rhythm over a bar line": (f"{HEADER}A5B>|A6|]\n", 6, 5, "broken rhythm without a partner", "error"),
    "quoted-printable": (f"{HEADER}A6|B6 |=20\nA6|]\n", 6, 8, "quoted-printable", "error"),
    "a note out of range": (f"{HEADER}A6|A3 c''''3|]\n", 6, 7, "note out of range", "warning"),
    "no key": ("X:1\nM:6/8\nL:1/8\nA6|]\n", 4, 1, "no key", "error"),
    "an unknown key": ("X:1\nM:6/8\nL:1/8\nK:Hm\nA6|]\n", 4, 1, "unknown key", "error"),
    "an unknown meter": ("X:1\nM:6/7\nL:1/8\nK:D\nA6|]\n", 2, 1, "unknown meter", "error"),
    "no number": ("T:Planted\nM:6/8\nL:1/8\nK:D\nA6|]\n", 1, 1, "no number", "error"),
    "an invalid number": ("X: :2\nM:4/4\nL:1/8\nK:D\nA8|]\n", 1, 1, "invalid number", "warning"),
    "a duplicate number": (f"{HEADER}A6|]\n\n{HEADER}B6|]\n", 8, 1, "duplicate number", "warning"),
    "no blank line before a tune": (f"{HEADER}A6|]\nX:2\nM:6/8\nL:1/8\nK:D\nB6|]\n", 7, 1, "no blank line", "warning"),
    "an unknown field": ("X:1\nM:6/8\nL:1/8\nY:AAB\nK:D\nA6|]\n", 4, 1, "unknown field", "warning"),
    "words for a tempo": ("X:1\nM:6/8\nL:1/8\nQ:abc\nK:D\nA6|]\n", 4, 1, "unusual tempo", "warning"),
    "a slow tempo": ("X:1\nM:6/8\nL:1/8\nQ:1/4=5\nK:D\nA6|]\n", 4, 1, "unusual tempo", "warning"),
    "a fast tempo": ("X:1\nM:6/8\nL:1/8\nQ:900\nK:D\nA6|]\n", 4, 1, "unusual tempo", "warning"),
    "silence": (f"{HEADER}z6|z6|]\n", 1, 1, "no notes", "error"),
    "music after a blank line": (f"{HEADER}A6|B6|\n\nABA ABA|B6|]\n", 8, 1, "music outside tunes", "warning"),
    "a tune without a number": (f"{HEADER}A6|]\n\nT:Next\nK:D\nABA ABA|B6|]\n", 8, 1, "tune without a number", "error"),
    "Latin-1": (f"X:1\nT:Caf\xe9\n{HEADER[14:]}A6|]\n".encode("latin-1"), 2, 6, "not UTF-8", "warning"),
    "DOS": (f"X:1\nT:M\xfcller f\xe4hrt\n{HEADER[14:]}A6|]\n".encode("cp850"), 2, 4, "not UTF-8", "warning"),
    "two encodings": (
        "X:1\nT:Café\n".encode() + "C:Béla\nM:6/8\nL:1/8\nK:D\nA6|]\n".encode("cp1252"),
        3, 4, "mixed encodings", "warning",
    ),
    "UTF-16": (f"{HEADER}A6|]\n".encode("utf-16"), 1, 1, "not UTF-8", "warning"),
    "a byte-order mark": (f"{HEADER}A6|]\n".encode("utf-8-sig"), 1, 1, "byte-order mark", "warning"),
    "a control character": (f"{HEADER}A6|]\n\x1a", 7, 1, "control character", "warning"),
    "text decoded wrongly": ("X:1\nT:CafÃ©\nM:6/8\nL:1/8\nK:D\nA6|]\n", 2, 6, "garbled character", "warning"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_found_at_its_place(name):
    content, *expected = PROBLEMS[name]
    assert tuple(expected) in places(content)


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_among_good_tunes(name):
    """The problem has its line in the file, and the tunes around it have none."""
    content, line, column, kind, severity = PROBLEMS[name]
    if not isinstance(content, str) or kind == "no number":
        return
    before = "X:8\nT:Before\nM:6/8\nL:1/8\nK:G\nGAB c3|d3 G3|]\n\n"
    after = "\nX:9\nT:After\nM:6/8\nL:1/8\nK:G\ngfe d3|c3 G3|]\n"
    mixed = places(before + content.removesuffix("\x1a") + content[-1:] * content.endswith("\x1a") + after)
    assert (line + 7, column, kind, severity) in mixed
    assert all(8 <= each[0] < 8 + content.count("\n") + 1 for each in mixed)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("|:f|ABA ABA|ABA ABA:|", "pickup of 1 eighth note, but the last bar is not shortened to match"),
        ("ABA ABA|ABA AB|]", "last bar has 5 eighth notes; 6/8 needs 6, and no pickup completes it"),
        # half a bar does not complete itself, nor another last bar
        ("|:ABA ABA|ABA:|", "last bar has 3 eighth notes; 6/8 needs 6, and no pickup completes it"),
        ("|:ABA ABA|ABA:|:GAB c3|ABA:|", "last bar has 3 eighth notes; 6/8 needs 6, and no pickup completes it"),
        ("|:A|ABA ABA|[1 ABA AB:|[2 ABA|]", "last bar has 3 eighth notes; 6/8 needs 6, and no pickup completes it"),
    ],
)
def test_messages_of_short_first_and_last_bars(body, message):
    assert message in [problem.message for problem in found(f"{HEADER}{body}\n")]


@pytest.mark.parametrize(
    "body",
    [
        "f|ABA ABA|ABA ABA|ABA AB|]",
        "|:f|ABA ABA|ABA AB:||:f|ABA ABA|ABA AB:|",
        "ABA ABA|[1 ABA ABA:|[2 ABA AB||\n|:f|ABA ABA|ABA AB:|",
        "|:ABA ABA|ABA||ABA|ABA ABA:|",
        "|:ABA ABA|[1 B6:|[2 B6|:ABA ABA|c6:|",
        'ABA ABA|A6 "segno"[|]|]',
        '|:ABA ABA|A6 "segno"[|]:|',
        "|]ABA ABA|A6|]",
        "P:P\nf|\nP:A\nABA ABA|ABA ABA:|",
        "af|\nM:4/4\nABcd efga|\nM:6/8\nABA A:|",
        "A3-A3-|A6|(3ABc d2 e2|A>B c<d A2|",
        '"Am"A6|{c}B6|!trill!c6|(ABc) .d.e.f|[FAd]6|',
        "A6|\nw: a song\nB6|]\nW: and more",
        "[M:none]ABAA|AAA|",
        "ABA A2B cBA G3\nABA c3 d3 G3\nABA c3 d3 G6 ABA A2B cBA G3 c2d\nABA c3 d3 G6 ABA A2B cBA G3 |]",
    ],
)
def test_usual_notation_is_not_reported(body):
    assert places(f"{HEADER}{body}\n") == []


@pytest.mark.parametrize(
    "header", ["Q:160", "Q:1/2=160", "Q:1/8=400", 'Q:"Slow"', 'Q:3/8=60 "Slow"', "N::a second setting", "U:T=!trill!"]
)
def test_usual_headers_are_not_reported(header):
    assert places(f"X:1\nM:6/8\nL:1/8\n{header}\nK:D\nA6|]\n") == []


def test_text_between_tunes_is_not_music():
    text = f"A collection | of tunes | by ear\n\n{HEADER}A6|]\n\nA dance: a bad cab | a fed egg.\n"
    assert places(text) == []


def test_a_habit_is_reported_once():
    field = "X:{}\nM:6/8\nL:1/8\nY:AAB\nK:D\nA6-|B6-|c6-|d6|]\n\n"
    fields, ties = (
        [each for each in found("".join(map(field.format, range(1, 9)))) if each.kind == kind]
        for kind in ("unknown field", "dangling tie")
    )
    assert ["7 more in this file" in each.message for each in fields] == [True]
    assert [each.tune for each in ties] == list("12345678")
    assert "2 more in this tune" in ties[0].message


def test_missing_blank_lines_are_reported_once():
    tunes = "".join(f"X:{number}\nM:6/8\nL:1/8\nK:D\nA6|]\n" for number in range(1, 9))
    (problem,) = found(tunes)
    assert (problem.line, problem.kind) == (6, "no blank line")
    assert "6 more in this file" in problem.message


@pytest.mark.parametrize("content", [bytes(range(1, 256)), bytes(256), b"nothing but words\n"])
@pytest.mark.parametrize("name", ["junk.mid", "junk.musicxml", "junk.krn"])
def test_other_data_with_a_music_suffix(content, name):
    (problem,) = found(content, name)
    assert problem.kind == "no music"
    assert problem.message.startswith("no music in this file: it is damaged, or it is not ")


def test_a_problem_names_its_tune():
    (problem,) = found("X:12\nT:The Hare\nM:6/8\nL:1/8\nK:D\nA6|A5?A|]\n")
    assert (problem.tune, problem.title) == ("12", "The Hare")


def midi(*tracks, division=96, kind=1):
    header = struct.pack(">4sIHHH", b"MThd", 6, kind, len(tracks), division)
    tracks = [track + b"\x00\xff\x2f\x00" for track in tracks]
    return header + b"".join(struct.pack(">4sI", b"MTrk", len(track)) + track for track in tracks)


NOTE = b"\x00\x90\x3c\x50\x60\x80\x3c\x00"


def written(*messages):
    """A file of mido's messages and a final middle C."""
    file = mido.MidiFile(ticks_per_beat=96)
    end = [mido.Message("note_on", note=60, velocity=80), mido.Message("note_off", note=60, time=96)]
    file.tracks.append(mido.MidiTrack([*messages, *end]))
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


MIDI_PROBLEMS = {
    "empty": (b" \n", "empty file", "error"),
    "truncated": (midi(NOTE)[:-6], "truncated file", "error"),
    "a track missing": (midi(NOTE)[:10] + b"\0\2" + midi(NOTE)[12:], "missing tracks", "error"),
    "an empty track": (midi(NOTE, b"", NOTE), "empty track", "warning"),
    "silent": (midi(b"\x00\xc0\x00"), "no notes", "error"),
    "a hanging note": (midi(NOTE + b"\x00\x90\x40\x50"), "hanging note", "error"),
    "a note of zero length": (midi(b"\x00\x90\x40\x50\x00\x80\x40\x00" + NOTE), "zero-length note", "warning"),
    "a tempo of 0": (midi(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE), "invalid event", "warning"),
    "too slow": (written(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(10))), "unusual tempo", "warning"),
    "too fast": (written(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(400))), "unusual tempo", "warning"),
    "an overlong note": (midi(b"\x00\x90\x40\x50\x83\x84\x00\x80\x40\x00" + NOTE), "overlong note", "warning"),
    "a very high note": (written(mido.Message("note_on", note=127), mido.Message("note_off", note=127, time=9)),
                        "note out of range", "warning"),
    "no initial tempo": (
        written(
            mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=96),
            mido.MetaMessage("set_tempo", tempo=600_000), mido.MetaMessage("set_tempo", tempo=500_000, time=96),
        ),
        "no initial tempo", "warning",
    ),
    "unknown SMPTE time": (midi(NOTE, division=0xE028), "unreadable", "error"),
    "a clock message": (midi(b"\x00\xf8" + NOTE), "system message", "warning"),
    "a long tempo": (midi(b"\x00\xff\x51\x04\x07\xa1\x20\x00" + NOTE), "surplus bytes", "warning"),
    "a wrong length": (midi(NOTE)[:21] + b"\x20" + midi(NOTE)[22:], "wrong track length", "warning"),
    "more tracks than announced": (midi(NOTE)[:11] + b"\0" + midi(NOTE)[12:], "wrong number of tracks", "warning"),
    "no end of track": (midi(NOTE)[:21] + b"\x08" + midi(NOTE)[22:30], "missing end of track", "warning"),
    "bytes after the end": (midi(NOTE + b"\x00\xff\x2f\x00" + NOTE), "bytes after the end", "warning"),
    "bytes after the tracks": (midi(NOTE) + bytes(5), "bytes outside of chunks", "warning"),
    "data bytes above 127": (midi(NOTE[:3] + b"\xf0" + NOTE[4:]), "invalid data byte", "error"),
}  # fmt: skip


@pytest.mark.parametrize("name", MIDI_PROBLEMS)
def test_problems_of_midi_files(name):
    data, kind, severity = MIDI_PROBLEMS[name]
    assert (0, 0, kind, severity) in places(data, "tune.mid")


def test_a_good_midi_file():
    assert places(midi(b"", NOTE), "tune.mid") == []
    drums = midi(NOTE + b"\x00\x99\x05\x50\x60\x89\x05\x00")
    assert places(drums, "tune.mid") == []


def test_musicxml_and_kern():
    assert (1, 49, "unreadable", "error") in places('<?xml version="1.0"?><score-partwise><part-list>', "a.musicxml")
    assert places("**kern\n*clefG2\n4c\n4d\n*-\n", "a.krn") == []
    assert places("**kern\t**kern\n4c\t4d\n4e\n*-\t*-\n", "a.krn") == [(3, 0, "unreadable", "error")]


def test_notes_of_kern_that_were_not_read():
    # music21 skips bars in `!!ignore`
    (problem,) = found("**kern\n*M1/4\n4c\n!!ignore\n=2\n4d\n!!Xignore\n=3\n4e\n==\n*-\n", "a.krn")
    assert (problem.kind, problem.message) == ("notes not read", "1 note in the spines that was not read")


def test_text_files_need_no_music():
    assert places("Row, row,\nrow your boat\n", "song.txt") == []
    assert places("caf\xe9\n".encode("latin-1"), "song.txt") == [(1, 4, "not UTF-8", "warning")]
    assert places(b"\x00\x01\x02" * 9, "song.txt") == [(0, 0, "unknown format", "error")]
