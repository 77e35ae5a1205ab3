"""Whether a MIDI file is regular, and how many note events it has: all notes have note-offs if these are twice as many.

Tracks are given in hexadecimal; END is an end of track.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.formats.midi.reader import read_midi
from composer.formats.midi.regular import patterns_work, regular_file

END = "00 ff 2f 00"
C, RUNNING_D = "00 90 3c 50  60 80 3c 00", "00 90 3e 50  60 3e 00"
LONG = " ".join([C] * 20)
TEMPO, TEXT, PEDAL = "00 ff 51 03 07 a1 20", "00 ff 01 03 c3 a9 21", "00 b0 40 7f"


def midi(*tracks: str) -> bytes:
    chunks = [bytes.fromhex(events) for events in tracks]
    header = b"MThd\0\0\0\6\0\1" + len(tracks).to_bytes(2, "big") + b"\0\x60"
    return header + b"".join(b"MTrk" + len(chunk).to_bytes(4, "big") + chunk for chunk in chunks)


@pytest.mark.skipif(not patterns_work(), reason="before Python 3.11.5, no file is regular")
@pytest.mark.parametrize(
    ("tracks", "count"),
    [
        ([f"{TEMPO} {END}"], 0),
        ([f"{C} {END}"], 2),
        ([f"{RUNNING_D} {RUNNING_D} {END}"], 4),
        ([f"{TEMPO} {TEXT} {C} {TEXT} {C} {END}", f"{LONG} {TEMPO} {LONG} {END}"], 84),
        ([f"{PEDAL} {C} {PEDAL} {PEDAL} {C} {END}"], 4),
        ([f"00 c0 05 {C} 00 e0 00 40 {END}"], 3),
        ([f"{C} 8f 7f 90 3c 50 ff ff 7f 80 3c 00 {END}"], 4),
        ([f"{PEDAL} 00 40 00 {C} {END}"], None),
        ([f"00 b0 7b 00 {C} {END}"], None),
    ],
)
def test_note_events_are_counted(tracks, count):
    found = regular_file(midi(*tracks))
    assert found is not None
    assert found.note_events == count
    assert found.tracks == [bytes.fromhex(track)[:-3] for track in tracks]


@pytest.mark.parametrize(
    "track",
    [
        f"3c 50 {C} {END}",
        f"{TEXT} 00 3c 50 {END}",
        f"{C} {END} 00",
        f"{C}",
        f"{LONG} 00 f8 {END}",
        f"00 90 3c 80 {END}",
    ],
)
def test_irregular_files(track):
    assert regular_file(midi(track)) is None


NOTES = st.lists(st.tuples(st.integers(0, 200), st.integers(60, 63), st.booleans()), min_size=1, max_size=40)


@given(NOTES, st.sampled_from(["", TEXT, PEDAL]), st.booleans())
def test_notes_without_note_off_are_counted_however_the_file_is_read(notes, between, running):
    events, status = "", ""
    for delta, pitch, ends in notes:
        time = f"{0x80 | delta >> 7:02x} {delta & 0x7F:02x}"
        off = f"60 {'' if running else '90'} {40 + pitch:02x} 00"
        events += (
            f"{between} {time} {'' if running and status and not between else '90'} {40 + pitch:02x} 50 {off * ends} "
        )
        status = "90"
    score = read_midi(midi(f"00 91 3c 50 60 81 3c 00 {events} {END}"), "a.mid")
    assert len(score.notes) + score.losses.get("notes without note-off left out", 0) == 1 + len(notes)
