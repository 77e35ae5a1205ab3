"""Phrases from a keyboard."""

from fractions import Fraction

import pytest
from mido import Message
from virtual_midi import KEYS, Input, install_input

from composer.api import ComposerError
from composer.cli.jam.performance import Performance
from composer.cli.jam.phrases import PhraseDetector, PlayedNote, as_score, listening
from composer.music.bars import COMMON_TIME


def play(detector, pitch, start, end):
    detector.hear(start, Message("note_on", note=pitch, velocity=70))
    detector.hear(end, Message("note_off", note=pitch))


def test_a_phrase_ends_after_a_rest():
    detector = PhraseDetector(rest=2.0)
    assert detector.is_empty
    play(detector, 60, 1.0, 1.5)
    detector.hear(1.6, Message("note_on", note=64, velocity=70))
    assert detector.phrase(9.0) == [], "a key is down"
    detector.hear(9.0, Message("note_on", note=64, velocity=0))
    detector.hear(9.1, Message("control_change", control=64, value=127))
    assert detector.phrase(10.9) == []
    assert detector.phrase(11.1) == [PlayedNote(1.0, 1.5, 60, 70), PlayedNote(1.6, 9.0, 64, 70)]
    assert detector.is_empty


def test_a_lost_release_does_not_block_answers():
    detector = PhraseDetector(rest=2.0)
    detector.hear(1.0, Message("note_on", note=48, velocity=70))
    play(detector, 60, 2.0, 3.0)
    assert detector.phrase(10.9) == []
    assert detector.phrase(11.0) == [PlayedNote(1.0, 3.0, 48, 70), PlayedNote(2.0, 3.0, 60, 70)]
    assert detector.is_empty
    detector.hear(12.0, Message("note_on", note=48, velocity=70))
    assert detector.phrase(22.0) == [PlayedNote(12.0, 22.0, 48, 70)], "a long note"


@pytest.mark.parametrize("control", [120, 123])
def test_all_notes_off(control):
    detector = PhraseDetector(rest=2.0)
    detector.hear(1.0, Message("note_on", note=48, velocity=70))
    detector.hear(1.5, Message("control_change", control=control))
    assert detector.phrase(3.4) == []
    assert detector.phrase(3.5) == [PlayedNote(1.0, 1.5, 48, 70)]


def test_a_phrase_is_notated_as_it_was_meant():
    played = [PlayedNote(10.02, 10.44, 60, 70), PlayedNote(10.51, 10.93, 62, 70), PlayedNote(11.0, 11.9, 64, 70)]
    notes = [Performance().note_of(each) for each in played]
    assert [round(float(note.onset), 2) for note in notes] == [20.04, 21.02, 22.0]
    score = as_score(notes, COMMON_TIME, 120.0)
    assert [(note.onset, note.duration, note.pitch) for note in score.notes] == [
        (0, 1, 60),
        (1, 1, 62),
        (2, Fraction(7, 4), 64),
    ]


def test_a_keyboard_is_heard_and_may_vanish(monkeypatch):
    port = Input()
    install_input(monkeypatch, port)
    port.played.append(Message("note_on", note=60))
    heard = []
    with listening("keys", lambda: 3.0) as listener:
        while not heard:
            heard += listener.heard()
        assert heard == [(3.0, Message("note_on", note=60))]
        port.vanishes = True
        listener._thread.join()
        with pytest.raises(ComposerError, match="'keys' failed: device not configured") as caught:
            list(listener.heard())
    assert caught.value.hint == f"ports: '{KEYS}'"
