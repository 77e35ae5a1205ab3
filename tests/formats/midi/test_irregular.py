"""MIDI files that break the standard, or use its rare corners: what is read, what is counted, and what is refused.

A beat has 96 (hex 60) ticks. Notes are (onset, pitch, duration) in beats.
"""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_bytes import END, C, chunk, midi, notes

from composer.api import Key, Meter, ReadError, Tempo
from composer.formats.midi.reader import read_midi
from composer.formats.midi.regular import patterns_work, regular_file
from composer.formats.midi.repair import repair

D = "00 3e 50  60 3e 00"
"""D of one beat, all in running status."""
C_D = [(0, 60, 1), (1, 62, 1)]
INVALID = "tempo, meter or key events without a valid value left out"


# Meta events


@pytest.mark.parametrize(
    ("events", "lost"),
    [
        ("00 ff 51 00", 1),
        ("00 ff 51 02 07 a1", 1),
        ("00 ff 58 00", 1),
        ("00 ff 58 01 03", 1),
        ("00 ff 59 00", 1),
        ("00 ff 59 01 02", 1),
        ("00 ff 51 00  00 ff 58 00  00 ff 59 00", 3),
        ("00 ff 51 03 00 00 00", 1),
        ("00 ff 58 04 00 02 18 08", 1),
        ("00 ff 58 04 04 22 18 08", 1),
        ("00 ff 59 02 09 00", 1),
        ("00 ff 59 02 00 05", 1),
        ("00 ff 01 00  00 ff 03 00  00 ff 00 00  00 ff 20 00  00 ff 54 00  00 ff 7f 00", 0),
    ],
)
def test_meta_events_without_a_valid_value_are_left_out_and_counted(events, lost):
    score = read_midi(midi(events + C + D + END), "a.mid")
    assert (score.tempos, score.meters, score.keys) == ((), (), ())
    assert [(note.onset, note.pitch) for note in score.notes] == [(0, 60), (1, 62)]
    assert score.losses == ({INVALID: lost} if lost else {})


def test_surplus_bytes_of_meta_events_are_ignored():
    events = "00 ff 51 05 0f 42 40 01 02  00 ff 58 06 06 03 18 08 00 00  00 ff 59 03 fe 01 07"
    score = read_midi(midi(events + C + END), "a.mid")
    assert score.tempos == (Tempo(Fraction(0), 60.0),)
    assert score.meters == (Meter(Fraction(0), 6, 8),)
    assert score.keys == (Key(Fraction(0), -2, "minor"),)


def test_a_meter_of_two_bytes_is_read():
    assert read_midi(midi("00 ff 58 02 03 02" + C + END), "a.mid").meters == (Meter(Fraction(0), 3, 4),)


@pytest.mark.parametrize("size", [31, 32, 127, 128, 300])
def test_long_texts_and_unknown_meta_events(size):
    length = bytes([size]) if size < 128 else bytes([0x80 | size >> 7, size & 0x7F])
    content = length.hex() + bytes([0xFF] * size).hex()
    data = midi(f"00 ff 60 {content} {C} 00 ff 7f {content} 00 90 3e 50  60 80 3e 00 {END}")
    assert notes(data) == C_D
    assert (regular_file(data) is not None) == patterns_work()


# Running status and system messages


@pytest.mark.parametrize(
    "between",
    [
        "00 f0 03 7e 00 f7",
        "00 f0 01 f7",
        "00 f0 03 43 12 00  00 f7 02 07 f7",
        "00 f0 81 00" + "00" * 127 + "f7",
        "00 f7 02 f3 01",
        "00 ff 01 01 41",
        "00 ff 51 03 07 a1 20",
        "00 f8",
        "00 fe  00 fe  00 fe",
        "00 fa  00 fc",
        "00 f6",
        "00 f1 40",
        "00 f2 10 20",
        "00 f3 05",
        "00 f0 03 7e 00 f7  00 f8  00 ff 05 02 6c 61",
    ],
)
def test_running_status_goes_on_after_other_events(between):
    assert notes(midi(C + between + D + END)) == C_D


def test_real_time_bytes_count_their_own_time():
    assert notes(midi(f"{C} 30 f8  30 3e 50  60 3e 00 {END}")) == [(0, 60, 1), (2, 62, 1)]


def test_real_time_bytes_within_a_message():
    assert notes(midi(f"00 90 f8 3c fe 50  60 3c f8 00 {D} {END}")) == C_D


def test_data_bytes_above_127_are_read_as_127_and_counted():
    score = read_midi(midi("00 90 3c ff  60 80 3c 00" + END), "a.mid")
    assert [(note.pitch, note.velocity) for note in score.notes] == [(60, 127)]
    assert score.losses == {"data bytes above 127 read as 127": 1}


# Chunks

FOUR = "00 90 3c 50  60 3c 00  00 3e 50  60 3e 00"
OTHER = "00 91 40 50  60 40 00" + END


@pytest.mark.parametrize("length", [0, 1, 5, 18, 200, 0xFFFFFFFF])
@pytest.mark.parametrize("position", ["first", "last"])
def test_a_wrong_track_length(length, position):
    wrong, right = chunk(FOUR + END, length), chunk(OTHER)
    data = midi(wrong, right) if position == "first" else midi(right, wrong)
    assert notes(data) == [(0, 60, 1), (0, 64, 1), (1, 62, 1)]


def test_a_track_length_that_includes_the_next_track():
    following = chunk(OTHER)
    first = chunk(FOUR + END)
    data = midi(chunk(FOUR + END, len(first) - 8 + len(following)), following)
    assert notes(data) == [(0, 60, 1), (0, 64, 1), (1, 62, 1)]


@pytest.mark.parametrize("count", [0, 1, 3, 65_535])
def test_a_wrong_number_of_tracks(count):
    assert notes(midi(FOUR + END, OTHER, count=count)) == [(0, 60, 1), (0, 64, 1), (1, 62, 1)]


@pytest.mark.parametrize("kind", [0, 1])
def test_the_format_does_not_change_how_many_tracks_are_read(kind):
    assert notes(midi(FOUR + END, OTHER, kind=kind)) == [(0, 60, 1), (0, 64, 1), (1, 62, 1)]


@pytest.mark.parametrize("count", [1, 0])
def test_format_2_with_one_track(count):
    assert notes(midi(FOUR + END, kind=2, count=count)) == C_D


def test_a_track_without_an_end_before_another():
    assert notes(midi(FOUR, OTHER)) == [(0, 60, 1), (0, 64, 1), (1, 62, 1)]


@pytest.mark.parametrize("between", [b"XFIH\0\0\0\2ab", b"\0" * 7, b"\r\n", b"junk"])
def test_other_chunks_and_bytes_between_and_after_tracks(between):
    first, second = chunk(FOUR + END), chunk(OTHER)
    header = midi(count=2)
    expected = [(0, 60, 1), (0, 64, 1), (1, 62, 1)]
    assert notes(header + first + between + second) == expected
    assert notes(header + first + second + between) == expected


def test_a_longer_header():
    data = midi(FOUR + END)
    assert notes(data[:7] + b"\x08" + data[8:14] + b"\0\0" + data[14:]) == C_D


def test_bytes_after_the_end_of_a_track_are_counted():
    score = read_midi(midi(f"{FOUR} {END} 00 90 40 50  60 40 00"), "a.mid")
    assert score.losses == {"bytes after the end of a track left out": 7}
    assert len(score.notes) == 2


def test_too_many_notes_are_refused_at_once(monkeypatch):
    monkeypatch.setattr("composer.formats.midi.repair.MAX_NOTES", 2)
    assert notes(midi(f"00 f8 {C} {D} {END}")) == C_D
    damaged_at_the_end = midi(f"00 f8 {C} {D} 00 3c 50 ff")
    with pytest.raises(ReadError, match=r"a.mid has more than 2 notes"):
        read_midi(damaged_at_the_end, "a.mid")


def test_large_files_are_not_repaired(monkeypatch):
    irregular = midi(f"00 f8 {C} {D} {END}")
    monkeypatch.setattr("composer.formats.midi.parser.MAX_REPAIRED", len(irregular))
    assert notes(irregular) == C_D
    monkeypatch.setattr("composer.formats.midi.parser.MAX_REPAIRED", len(irregular) - 1)
    with pytest.raises(ReadError, match=r"a.mid is an irregular MIDI file of more than .* MB, too large to repair"):
        read_midi(irregular, "a.mid")


# SMPTE time


@pytest.mark.parametrize(
    ("division", "ticks"),
    [(0xE728, 1000), (0xE850, 24 * 80), (0xE250, 30 * 80), (0xE764, 2500), (0xE801, 24), (0xE705, 125)],
)
def test_smpte_time_is_in_beats_of_half_a_second(division, ticks):
    second = (0x8000 | (ticks >> 7) << 8 | ticks & 0x7F).to_bytes(2, "big") if ticks > 127 else bytes([ticks])
    data = midi(f"00 90 3c 50 {second.hex()} 3c 00 {second.hex()} 3e 50 {second.hex()} 3e 00 {END}", division=division)
    assert notes(data) == [(0, 60, 2), (4, 62, 2)]


def test_smpte_time_follows_the_tempos():
    """25 frames of 40 ticks: 1000 ticks a second; 60 BPM, and 240 BPM from the second second on."""
    tempos = "00 ff 51 03 0f 42 40  87 68 ff 51 03 03 d0 90" + END
    data = midi(tempos, f"00 90 3c 50  8f 50 3c 00 {END}", division=0xE728)
    score = read_midi(data, "a.mid")
    assert score.tempos == (Tempo(Fraction(0), 60.0), Tempo(Fraction(1), 240.0))
    assert [note.duration for note in score.notes] == [1 + 4]


def test_drop_frame_time_is_a_little_slower():
    (note,) = read_midi(midi("00 90 3c 50  1e 3c 00" + END, division=0xE301), "a.mid").notes
    assert abs(note.duration - 2 * Fraction(1001, 1000)) < Fraction(1, 480)


# Text


@pytest.mark.parametrize(
    ("title", "encoding"),
    [
        ("春の歌", "cp932"),
        ("残酷な天使のテーゼ", "cp932"),
        ("さくら", "euc-jp"),
        ("月亮代表我的心", "gb18030"),
        ("고향의 봄", "cp949"),
        ("Подмосковные вечера", "cp1251"),
        ("Für Elise", "cp1252"),
        ("Réel", "latin-1"),
        ("Mañana", "utf-8"),
    ],
)
def test_titles_and_names_of_tracks_in_other_encodings(title, encoding):
    raw = title.encode(encoding)
    name = f"00 ff 03 {len(raw):02x} {raw.hex()}"
    score = read_midi(midi(name + END, name + C + END, f"00 ff 03 02 4f 6b {OTHER}"), "a.mid")
    assert score.title == title
    assert [part.name for part in score.parts] == [title, "Ok"]


# Damage


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (midi(C + END)[:30], "it ends within track 1, at offset 30"),
        (midi(chunk(C + END, 100))[:-4], "it ends within track 1, at offset 29"),
        (midi("00 3c 50" + END), "data byte 60 without a status byte in track 1, at offset 22"),
        (midi(C + "00 ff 01 7f 41"), "a meta event of 127 bytes, beyond the end of the file, in track 1, at offset 29"),
        (midi(C + "00 ff 90 00" + END), "unknown meta event 144 in track 1, at offset 29"),
        (midi(C + "ff ff ff ff 7f 3e 50" + END), "a number of more than 4 bytes in track 1, at offset 29"),
        (midi(C + "00 f0 7f 00", OTHER), "an event that extends past the end in track 1, at offset 29"),
        (midi(C + END, C + "00"), "it ends within track 2, at offset 49"),
        (midi(C + END, kind=7), "unknown format 7, at offset 8"),
        (midi(C + END, division=0xE000 | 40), "unknown SMPTE time E028, at offset 12"),
        (midi() + b"noise", "no track, at offset 14"),
        (midi(*["ff ff ff 7f 90 3c 50" * 7 + END]), "an event later than 1,610,612,736 ticks in track 1, at offset 64"),
    ],
)
def test_damaged_files_are_refused_with_the_offset(data, message):
    with pytest.raises(ReadError) as caught:
        read_midi(data, "a.mid")
    assert caught.value.message == f"a.mid is a damaged MIDI file: {message}"
    assert caught.value.hint


def test_the_offset_counts_from_the_beginning_of_a_riff_file():
    content = midi("00 3c 50" + END)
    data = b"RIFF" + (len(content) + 12).to_bytes(4, "little") + b"RMIDdata" + len(content).to_bytes(4, "little")
    with pytest.raises(ReadError, match=r"at offset 42$"):
        read_midi(data + content, "a.rmi")


# A regular file is read the same way whether it is repaired or not.

EVENTS = st.one_of(
    st.tuples(st.sampled_from([0x90, 0x91]), st.sampled_from([60, 62]), st.sampled_from([0, 80])).map(bytes),
    st.tuples(st.sampled_from([0x80, 0x81]), st.sampled_from([60, 62]), st.just(0)).map(bytes),
    st.tuples(st.just(0xB0), st.sampled_from([7, 64, 120, 121, 123]), st.integers(0, 127)).map(bytes),
    st.tuples(st.just(0xC1), st.integers(0, 127)).map(bytes),
    st.sampled_from([b"\xe0\0\x40", b"\xd0\x10", b"\xff\x01\x01a", b"\xff\x51\x03\x07\xa1\x20", b"\xf0\x02\x01\xf7"]),
    st.tuples(st.sampled_from([60, 62]), st.sampled_from([0, 80])).map(lambda two: b"\x90\x3c\x50\x10" + bytes(two)),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 200), EVENTS), max_size=25))
def test_repairing_changes_nothing_that_is_right(events):
    content = b"\0\x90\x3c\x50\x60\x3c\0\0\xb0\x07\x40\0\x90\x3c\x50\x60\x3c\0"
    for delta, event in events:
        content += (bytes([0x80 | delta >> 7, delta & 0x7F]) if delta > 127 else bytes([delta])) + event
    data = midi((content + bytes.fromhex(END)).hex())
    repaired = repair(data, "a.mid")
    found = read_midi(data, "a.mid")
    again = read_midi(repaired.data, "a.mid")
    assert found == again
