"""Controllers that end all notes of their channel, or do not."""

from fractions import Fraction

import pytest
from midi_bytes import END, C, midi, notes

from composer.formats.midi.reader import read_midi


@pytest.mark.parametrize("controller", ["78", "7b", "7c", "7d", "7e", "7f"])
def test_mode_messages_end_all_notes_of_their_channel(controller):
    events = f"00 90 3c 50  00 90 40 50  00 91 43 50  60 b0 {controller} 00  60 81 43 00"
    score = read_midi(midi(events + END), "a.mid")
    assert [(note.onset, note.pitch, note.duration) for part in score.parts for note in part.notes] == [
        (0, 60, 1), (0, 64, 1), (0, 67, 2),
    ]  # fmt: skip
    assert score.losses == {}


def test_all_notes_off_in_running_status_ends_a_note_before_its_note_off():
    events = "00 b0 07 64  00 90 3c 50  60 b0 07 50  00 7b 00  60 80 3c 00"
    assert notes(midi(events + END)) == [(0, 60, 1)]


def test_all_notes_off_ends_a_note_struck_twice():
    events = "00 90 3c 50  30 90 3c 50  30 b0 7b 00"
    assert notes(midi(events + END)) == [(0, 60, 1), (Fraction(1, 2), 60, Fraction(1, 2))]


def test_all_notes_off_leaves_other_channels():
    events = "00 90 3c 50  00 91 40 50  00 91 43 50  60 b1 7b 00  60 b1 7b 00  00 80 3c 00"
    assert notes(midi(events + END)) == [(0, 60, 2), (0, 64, 1), (0, 67, 1)]


def test_all_notes_off_after_a_change_of_program():
    assert notes(midi("00 90 3c 50  00 c0 05  60 b0 7b 00  60 80 3c 00" + END)) == [(0, 60, 1)]


def test_all_notes_off_while_nothing_sounds_changes_nothing():
    assert notes(midi(f"00 b0 7b 00 {C} 00 b0 7b 00 {C} {END}")) == [(0, 60, 1), (1, 60, 1)]


def test_reset_all_controllers_ends_no_note():
    assert notes(midi("00 90 3c 50  30 b0 79 00  30 80 3c 00" + END)) == [(0, 60, 1)]
