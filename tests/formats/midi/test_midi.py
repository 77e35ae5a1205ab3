"""Reading and writing MIDI, with files given byte by byte."""

import io
from fractions import Fraction
from itertools import count

import mido
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mido_reference import with_mido

from composer.api import ChordSymbol, Key, Meter, Note, Part, ReadError, Score, Tempo
from composer.formats import WriteSettings, write
from composer.formats.midi import parser as midi_parser
from composer.formats.midi.pedal import sustained
from composer.formats.midi.reader import read_midi
from composer.formats.midi.tracks import in_order
from composer.formats.midi.writer import write_midi
from composer.music import chords


def beats(*values):
    return [Fraction(value) for value in values]


def melody(*pitches, length=Fraction(1)):
    """Consecutive notes."""
    return tuple(Note(at * length, pitch, length) for at, pitch in zip(count(), pitches))


def file(*tracks: bytes, division: int = 96, kind: int = 1) -> bytes:
    """A MIDI file of `tracks`, each the bytes of its events."""
    header = b"MThd" + bytes([0, 0, 0, 6]) + b"".join(n.to_bytes(2, "big") for n in (kind, len(tracks), division))
    return header + b"".join(b"MTrk" + len(track).to_bytes(4, "big") + track for track in tracks)


END = bytes.fromhex("00 ff 2f 00")
QUARTER = bytes.fromhex("00 90 3c 50  60 80 3c 00")
"""Middle C, a quarter note at 96 ticks per beat."""


# Reading


def test_times_are_exact_fractions_of_ticks():
    score = read_midi(file(bytes.fromhex("20 90 3c 50  20 80 3c 00") + END), "third.mid")
    assert score.parts == (Part((Note(Fraction(1, 3), 60, Fraction(1, 3), 80),)),)


def test_title_tempo_meter_and_key():
    conductor = (
        bytes.fromhex("00 ff 03 05") + "Réel".encode()
        + bytes.fromhex("00 ff 51 03 07 a1 20   00 ff 58 04 06 03 18 08   00 ff 59 02 fe 01") + END
    )  # fmt: skip
    score = read_midi(file(conductor, QUARTER + END), "head.mid")
    assert score.title == "Réel"
    assert score.tempos == (Tempo(Fraction(0), 120.0),)
    assert score.meters == (Meter(Fraction(0), 6, 8),)
    assert score.keys == (Key(Fraction(0), -2, "minor"),)


def test_channel_ten_is_percussion():
    score = read_midi(file(QUARTER + END, bytes.fromhex("00 99 24 50  60 89 24 00") + END), "drums.mid")
    assert [part.percussion for part in score.parts] == [False, True]
    assert [note.pitch for note in score.notes] == [60]


def test_riff_is_unwrapped():
    plain = file(QUARTER + END)
    chunk = b"RMID" + b"data" + len(plain).to_bytes(4, "little") + plain
    assert read_midi(b"RIFF" + len(chunk).to_bytes(4, "little") + chunk, "a.rmi") == read_midi(plain, "a.mid")


def test_hanging_and_empty_notes_are_left_out_and_counted():
    hanging = bytes.fromhex("00 90 40 50   00 90 41 50  00 80 41 00   00 90 42 50")
    score = read_midi(file(QUARTER + hanging + END), "hanging.mid")
    assert [note.pitch for note in score.notes] == [60]
    assert score.losses == {"notes without note-off left out": 2, "notes of zero length left out": 1}


@pytest.mark.parametrize(
    ("end", "lost"),
    [
        ("20 ff 2f 00", {"notes without note-off left out": 1}),
        ("", {"notes without note-off left out": 1}),
        ("00 ff 01 03 ff 2f 00", {"notes without note-off left out": 1}),
        ("00 ff 06 01 41  00 ff 2f 00", {"notes without note-off left out": 1}),
        (
            "00 ff 2f 00  00 90 3e 50  20 80 3e 00  00 ff 2f 00",
            {"notes without note-off left out": 1, "bytes after the end of a track left out": 12},
        ),
    ],
    ids=["late", "missing", "inside a text", "after a marker", "before further events"],
)
def test_hanging_notes_with_unusual_track_ends(end, lost):
    score = read_midi(file(QUARTER + bytes.fromhex("00 90 40 50") + bytes.fromhex(end)), "end.mid")
    assert [note.pitch for note in score.notes] == [60]
    assert score.losses == lost


def test_no_losses():
    assert read_midi(file(QUARTER + END), "whole.mid").losses == {}


def test_drums_only():
    score = read_midi(file(bytes.fromhex("00 99 24 50  60 89 24 00") + END), "drums.mid")
    assert [part.percussion for part in score.parts] == [True]
    assert score.notes == ()


# The sustain pedal: controller 64, down from 64 on. A beat has 96 (hex 60) ticks.

DOWN, UP = "b0 40 7f", "b0 40 00"
SUSTAINED = {
    "until the pedal goes up": (f"00 {DOWN}  00 90 3c 50  60 80 3c 00  60 {UP}  60 90 3e 50  60 80 3e 00", [2, 1]),
    "not when it went up before": (f"00 {DOWN}  00 90 3c 50  30 {UP}  30 80 3c 00", [1]),
    "not when it goes down afterward": (f"00 90 3c 50  60 80 3c 00  01 {DOWN}  60 {UP}", [1]),
    "when it goes down in the same tick": (f"00 90 3c 50  60 80 3c 00  00 {DOWN}  60 {UP}", [2]),
    "until the pitch is struck again": (
        f"00 {DOWN}  00 90 3c 50  30 80 3c 00  30 90 3c 50  60 {UP}  60 80 3c 00", [1, 2]
    ),
    "to the end, where it never goes up": (f"00 {DOWN}  00 90 3c 50  60 80 3c 00  00 90 3e 50  60 80 3e 00", [2, 1]),
    "through a half-pedal, as down": ("00 b0 40 40  00 90 3c 50  60 80 3c 00  60 b0 40 3f", [2]),
    "over a change of the pedal in one tick": (
        f"00 {DOWN}  00 90 3c 50  30 80 3c 00  30 {UP}  00 {DOWN}  00 90 3e 50  30 80 3e 00  30 {UP}", [1, 1]
    ),
    "another channel's pedal is not one's own": ("00 b1 40 7f  00 90 3c 50  60 80 3c 00  60 b1 40 00", [1]),
    "also before a change of program": (f"00 {DOWN}  00 c0 05  00 90 3c 50  60 80 3c 00  60 {UP}", [2]),
}  # fmt: skip


@pytest.mark.parametrize("case", SUSTAINED)
def test_the_pedal_extends_notes(case):
    events, durations = SUSTAINED[case]
    data = file(bytes.fromhex(events) + END)
    assert [note.duration for note in read_midi(data, "pedal.mid", pedal=True).notes] == durations


def test_the_pedal_is_off_by_default_and_for_drums():
    data = file(bytes.fromhex(f"00 {DOWN}  00 90 3c 50  60 80 3c 00  60 {UP}") + END)
    assert [note.duration for note in read_midi(data, "pedal.mid").notes] == [1]
    drums = file(bytes.fromhex("00 b9 40 7f  00 99 24 50  60 89 24 00  60 b9 40 00") + END)
    assert read_midi(drums, "drums.mid", pedal=True) == read_midi(drums, "drums.mid")


@st.composite
def tracks(draw):
    """Events of one track: overlapping, hanging and empty notes, pedals and program changes."""
    events = [
        st.tuples(st.just(0x90), st.sampled_from([60, 62]), st.sampled_from([0, 80])),
        st.tuples(st.just(0x80), st.sampled_from([60, 62]), st.just(0)),
        st.tuples(st.just(0xB0), st.just(64), st.sampled_from([0, 127])),
        st.tuples(st.just(0xC0), st.sampled_from([0, 5, 6])),
    ]
    taken = draw(st.lists(st.tuples(st.sampled_from([0, 0, 1, 30]), st.integers(0, 1), st.one_of(events)), max_size=30))
    return b"".join(bytes([gap, status | channel, *rest]) for gap, channel, (status, *rest) in taken) + END


@settings(max_examples=80)
@given(st.lists(tracks(), min_size=1, max_size=2), st.booleans())
def test_both_parsers_read_the_same(content, pedal):
    data = file(*content)
    found = []
    for parsed in (midi_parser.parse(data, "a.mid"), with_mido(data)):
        notes = [(in_order(track.notes), track.pedal) for track in parsed.parts]
        rows = [sustained(each, moves) if pedal else each for each, moves in notes]
        programs = [track.program for track in parsed.parts]
        found.append((parsed.hanging, sorted(zip(programs, (each.tolist() for each in rows), strict=True))))
    assert found[0] == found[1]


FAR = bytes.fromhex("84 e2 ad 00")  # 10,000,000 ticks
BROKEN = {
    "empty": (b"", "is empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(64), "is not a MIDI file"),
    "RIFF of another kind": (
        b"RIFF\x40\0\0\0WAVEfmt " + bytes(64),
        "is a WAV recording; music cannot be read",
    ),
    "RIFF without MIDI": (b"RIFF\x40\0\0\0AVI LIST" + bytes(64), "is not a MIDI file"),
    "a header alone": (file(), "has no notes"),
    "no notes": (file(END), "has no notes"),
    "only hanging notes": (file(bytes.fromhex("00 90 3c 50") + END), "has no notes"),
    "division 0": (file(QUARTER + END, division=0), "0 ticks per beat"),
    "format 2": (file(QUARTER + END, QUARTER + END, kind=2), "format 2"),
    "truncated RIFF": (b"RIFF\x40\0\0\0RMIDdata\x30\0\0\0" + file(QUARTER + END)[:20], "is a damaged"),
    "too many tracks": (file(QUARTER + END, *[b""] * 2000), "has more than 1,024 tracks"),
    "ten million ticks of silence": (file(QUARTER + FAR + QUARTER[1:] + END), "is silent for 104,166 beats"),
    "a note of ten million ticks": (file(bytes.fromhex("00 90 3c 50") + FAR + bytes.fromhex("80 3c 00") + END), "long"),
    "truncated": (file(QUARTER + END)[:-7], "is a damaged MIDI file"),
    "noise after the header": (file(QUARTER + END)[:14] + bytes(range(200)), "is a damaged MIDI file"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_errors_name_the_file_the_fault_and_a_hint(fault):
    data, message = BROKEN[fault]
    with pytest.raises(ReadError) as caught:
        read_midi(data, "jig.mid")
    assert caught.value.message.startswith("jig.mid ")
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


WHOLE = write_midi(
    Score(
        (Part(melody(60, 62, 64, 65)), Part(melody(48, 43), "Bass", 32)),
        (ChordSymbol(Fraction(0), Fraction(4), "G7"),),
        (Tempo(Fraction(0), 100),), (Meter(Fraction(0), 4, 4),), (Key(Fraction(0), 1),), title="Whole",
    ),
    WriteSettings(),
)  # fmt: skip


@settings(max_examples=60)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 40), st.binary(max_size=8))
def test_damaged_bytes_give_a_score_or_an_error(at, cut, patch):
    try:
        notes = read_midi(WHOLE[:at] + patch + WHOLE[at + cut :], "damaged.mid").notes
    except ReadError:
        return
    assert all(note.duration > 0 and 0 <= note.pitch <= 127 for note in notes)


# Writing

UNITS = st.sampled_from([Fraction(1, 4), Fraction(1, 24), Fraction(1, 70), Fraction(1, 999), Fraction(1, 30_011)])
"""Units of time that some MIDI division expresses in whole ticks."""
NOTES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 127), st.integers(1, 60), st.integers(1, 127)), min_size=1, max_size=12
)
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)


@st.composite
def parts(draw, unit):
    """A part without overlapping notes of one pitch."""
    free: dict[int, Fraction] = {}
    notes = []
    for gap, pitch, length, velocity in draw(NOTES):
        onset = free.get(pitch, Fraction(0)) + gap * unit
        notes.append(Note(onset, pitch, length * unit, velocity))
        free[pitch] = notes[-1].end
    return Part(tuple(sorted(notes)), draw(NAMES), draw(st.integers(0, 127)), draw(st.booleans()))


@settings(max_examples=40)
@given(UNITS.flatmap(lambda unit: st.lists(parts(unit), min_size=1, max_size=3)))
@example([Part((Note(Fraction(1, 3), 60, Fraction(1, 7)), Note(Fraction(3, 5), 60, Fraction(1, 8))))])
def test_notes_survive_a_round_trip(written):
    assert read_midi(write_midi(Score(tuple(written)), WriteSettings()), "again.mid").parts == tuple(written)


def test_tempos_meters_and_keys_survive_a_round_trip():
    score = Score(
        (Part(melody(60, 62, 64), "Tune", 73),),
        tempos=(Tempo(Fraction(0), 120.0), Tempo(Fraction(2), 60.0)),
        meters=(Meter(Fraction(0), 3, 4), Meter(Fraction(7, 2), 6, 8)),
        keys=(Key(Fraction(0), -3, "minor"), Key(Fraction(2), 2, "major")),
        pickup=Fraction(1, 2),
        title="L’été",
    )
    assert read_midi(write_midi(score, WriteSettings()), "again.mid") == score


@pytest.mark.parametrize("tempos", [(), (Tempo(Fraction(1), 60.0),)])
@pytest.mark.parametrize("meters", [(), (Meter(Fraction(2), 3, 4),)])
def test_what_midi_assumes_is_written(tempos, meters):
    data = write_midi(Score((Part(melody(60, 62, 64)),), tempos=tempos, meters=meters), WriteSettings())
    again = read_midi(data, "again.mid")
    assert again.tempos == (Tempo(Fraction(0), 120.0), *tempos)
    assert again.meters == (Meter(Fraction(0), 4, 4), *meters)
    assert not again.keys


def test_a_meter_without_sign_is_left_out():
    onsets = (Fraction(0), Fraction(3), Fraction(6), Fraction(9))
    meters = [Meter(onset, *sign) for onset, sign in zip(onsets, [(3, 4), (300, 4), (5, 6), (2, 8)], strict=True)]
    again = read_midi(write_midi(Score((Part(melody(60)),), meters=tuple(meters)), WriteSettings()), "again.mid")
    assert again.meters == (meters[0], meters[3])


def test_settings_override_the_score():
    score = Score((Part(melody(60), program=5),), tempos=(Tempo(Fraction(0), 90), Tempo(Fraction(1), 30)))
    again = read_midi(write_midi(score, WriteSettings(tempo=150, instrument=73, velocity=33)), "again.mid")
    assert again.tempos == (Tempo(Fraction(0), 150.0),)
    assert again.parts[0].program == 73
    assert again.notes[0].velocity == 33


def test_chord_symbols_play_softly_on_their_own_channel():
    symbols = (ChordSymbol(Fraction(0), Fraction(2), "Am"), ChordSymbol(Fraction(2), Fraction(2), "Fine"))
    data = write_midi(Score((Part(melody(69, 71)),), symbols), WriteSettings(velocity=100))
    tune, accompaniment = read_midi(data, "chords.mid").parts
    assert accompaniment.name == "Chords"
    assert [note.pitch for note in accompaniment.notes] == list(chords.pitches("Am"))
    assert {(note.onset, note.duration) for note in accompaniment.notes} == {(Fraction(0), Fraction(2))}
    assert max(note.velocity for note in accompaniment.notes) < min(note.velocity for note in tune.notes)
    channels = [{m.channel for m in t if not m.is_meta} for t in mido.MidiFile(file=io.BytesIO(data)).tracks[1:]]
    assert channels == [{0}, {15}]


def test_a_repeated_pitch_ends_the_note_before():
    notes = (Note(Fraction(0), 60, Fraction(4)), Note(Fraction(1), 60, Fraction(1)))
    again = read_midi(write_midi(Score((Part(notes),)), WriteSettings()), "again.mid")
    assert [(note.onset, note.duration) for note in again.notes] == [(0, 1), (1, 1)]


def test_every_note_has_a_note_off():
    notes = tuple(Note(Fraction(at, 7), 60 + at % 3, Fraction(9, 11)) for at in range(40))
    messages = [
        m for t in mido.MidiFile(file=io.BytesIO(write_midi(Score((Part(notes),)), WriteSettings()))).tracks for m in t
    ]
    ons = [m.note for m in messages if m.type == "note_on"]
    offs = [m.note for m in messages if m.type == "note_off"]
    assert len(ons) == 40
    assert sorted(ons) == sorted(offs)


def test_times_too_fine_for_ticks_are_rounded():
    fine = tuple(
        Note(Fraction(at) + Fraction(1, prime), 60, Fraction(1, 30011)) for at, prime in enumerate((7, 11, 13, 17))
    )
    again = read_midi(write("midi", Score((Part(fine),))), "again.mid")
    assert len(again.notes) == 4
    assert all(abs(a.onset - b.onset) < Fraction(1, 10_000) for a, b in zip(again.notes, fine, strict=True))


def test_a_silent_score_and_more_parts_than_channels_are_written():
    assert write("midi", Score(())).startswith(b"MThd")
    crowd = Score(tuple(Part(melody(40 + at), program=at) for at in range(20)))
    assert read_midi(write("midi", crowd), "crowd.mid").parts == crowd.parts


def test_a_huge_file_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(midi_parser, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(midi_parser, "regular_file", None)
    with pytest.raises(ReadError, match=r"^huge\.mid is larger than 1 MB") as caught:
        midi_parser.parse(b"MThd" + bytes(1 << 20), "huge.mid")
    assert "COMPOSER_LIMITS=2" in caught.value.hint
