"""A jam: bars in time, keys, and answers, with a clock that the test moves."""

from fractions import Fraction
from pathlib import Path
from threading import Event

import pytest
from mido import Message
from virtual_midi import NAME, Output, sounding

from composer.api import ComposerError, Note, Part, Source, Unsatisfiable
from composer.cli.console import Console
from composer.cli.jam.bars import JamBar
from composer.cli.jam.session import Jam
from composer.cli.jam.tunes import Settings
from composer.cli.jam.view import JamView
from composer.cli.play.session import Quit
from composer.formats.read import read_scores
from composer.music.bars import COMMON_TIME
from composer.playback.port_player import LivePlayer


class Player(LivePlayer):
    """A player whose time the test sets; it sends nothing by itself."""

    position = 0.0


class Tunes:
    """Composes bars of one pitch: 60, raised by the temperature and the density that they are composed with."""

    has_density = True

    def __init__(self):
        self.phrases, self.positions = [], []

    def endless(self, settings, position=None):
        self.positions.append(position)
        if settings.density == "8":
            raise Unsatisfiable("too dense", "use less")
        pitch = 60 + round(100 * (settings.temperature - 1)) + 24 * bool(settings.density)
        number = position or 0
        while True:
            yield None
            number += 1
            yield self.bar(pitch, number)

    def answer(self, phrase, settings):
        self.phrases.append(phrase)
        if len(phrase.notes) == 1:
            raise ComposerError("too short", "play more")
        for number in range(2):
            yield self.bar(40, number)

    def bar(self, pitch, number):
        part = Part((Note(Fraction(0), pitch, Fraction(1)),))
        return JamBar((part,), Fraction(4), COMMON_TIME, starts=number == 1, position=number)


class Keyboard:
    """What a listener hears."""

    def __init__(self):
        self.messages = []

    def heard(self):
        while self.messages:
            yield self.messages.pop(0)

    def play(self, pitch, start, end):
        self.messages.append((start, Message("note_on", note=pitch)))
        self.messages.append((end, Message("note_off", note=pitch)))


@pytest.fixture
def jam(stream, tmp_path, monkeypatch):
    """Start a jam, and end it when the test is over."""
    monkeypatch.chdir(tmp_path)
    jams = []

    def start(listener=None):
        console = Console(stream(), stream(), stream(), {"TERM": "xterm", "COLUMNS": "80"})
        jams.append(Jam(console, Tunes(), Settings(1.0), Player(Output(), NAME), COMMON_TIME, 120.0, listener))
        return jams[-1]

    yield start
    for each in jams:
        each.end()


def until(jam, seconds):
    """Let time pass up to `seconds`; the model is never late."""
    while jam._player.position < seconds:
        while len(jam._improviser.ready) < 8 and not (jam._improviser._done or jam._improviser.failure):
            pass
        jam.advance()
        jam._player.position += 0.05


def played(jam):
    return [note.pitch for each in jam.performance.bars for part in each.bar.parts for note in part.notes]


def test_bars_are_handed_over_shortly_before_they_sound(jam):
    session = jam()
    until(session, 8.0)
    assert [float(each.start) for each in session.performance.bars] == [0.8 + 4 * number for number in range(4)]
    assert len(session._player._waiting) == 8
    assert session.waits == 0
    assert session.status()[0] == "0:08  playing  temp 1.00  density free  key +0"


def test_the_music_waits_for_the_model(jam, monkeypatch):
    session = jam()
    until(session, 2.0)
    monkeypatch.setattr(session._improviser, "take", lambda: None)
    session._player.position = 4.0
    session.advance()
    assert session.waits
    assert session.performance.end_seconds >= 4.1


def test_the_temperature_changes_soon(jam):
    session = jam()
    until(session, 3.0)
    session.press("\033[A\033OA")
    until(session, 10.0)
    heard = played(session)
    assert heard[0] == 60
    assert heard[-1] == 70
    at = heard.index(70)
    assert session._tunes.positions == [None, at], "composing went on after the bars that were kept"
    assert session.performance.bars[at].start <= session.performance.beat(3.0) + 8
    session.press("\033[B")
    until(session, 14.0)
    assert played(session)[-1] == 65


def test_the_density_begins_a_new_piece(jam):
    session = jam()
    until(session, 3.0)
    session.press("\033[C")
    assert "density 0.5" in session.status()[0]
    until(session, 9.0)
    assert played(session)[-1] == 84
    assert session._tunes.positions == [None, None]
    session.press("\033[C" * 7)
    session._feed()  # bars of before are played, before it turns out
    until(session, 12.0)
    assert "density 0.5" in session.status()[0]
    assert "too dense" in session.status()[0], "the model cannot do it"
    assert played(session)[-1] == 84


def test_the_key_changes_with_the_next_bar(jam):
    session = jam()
    until(session, 3.0)
    before = len(session.performance.bars)
    session.press("++-+")
    assert [note.pitch for note in session.coming[0].parts[0].notes] == [62]
    until(session, 6.0)
    assert played(session)[before - 1 : before + 1] == [60, 62]


def test_space_pauses_and_q_quits(jam):
    session = jam()
    session._player._clock.start()
    session.press(" ")
    assert session._player.is_paused
    assert "paused" in session.status()[0]
    session.press(" ")
    assert not session._player.is_paused
    session.press("\033OQ\033[3~")  # F2 and Delete
    with pytest.raises(Quit):
        session.press("xq")


def test_what_is_recorded_is_saved_at_the_end_too(jam, tmp_path):
    session = jam()
    until(session, 3.0)
    session.press("r")
    assert "recording jam-1.mid" in session.status()[0]
    until(session, 6.0)
    session.press("r")
    assert "wrote jam-1.mid" in session.status()[0]
    session.press("r")
    until(session, 9.0)
    session.end()
    assert session.saved == ["jam-1.mid", "jam-2.mid"]
    assert (tmp_path / "jam-2.mid").read_bytes().startswith(b"MThd")


def test_phrases_are_answered_at_the_next_bar_line(jam):
    keyboard = Keyboard()
    session = jam(keyboard)
    until(session, 3.0)
    assert "listening" in session.status()[0]
    for at, pitch in enumerate((60, 62, 64)):
        keyboard.play(pitch, 3.0 + at / 2, 3.4 + at / 2)
    until(session, 5.5)
    assert "hearing you" in session.status()[0]
    until(session, 12.0)
    (phrase,) = session._tunes.phrases
    assert [(note.onset, note.pitch) for note in phrase.notes] == [(0, 60), (1, 62), (2, 64)]
    assert played(session) == [40, 40]
    first = next(each for each in session.performance.bars if each.bar.parts)
    assert first.start == session.performance.bars[0].end + 4, "after a bar of rest"


def test_playing_on_ends_the_answer(jam):
    keyboard = Keyboard()
    session = jam(keyboard)
    for at, pitch in enumerate((60, 62, 64)):
        keyboard.play(pitch, 0.1 + at / 2, 0.5 + at / 2)
    until(session, 6.3)
    assert 40 in played(session)
    session._player._down.add((0, 40))
    keyboard.messages.append((6.3, Message("note_on", note=72)))
    session.advance()
    assert not session._player._waiting
    assert sounding(session._player._port.messages) == set()
    assert "hearing you" in session.status()[0]
    assert session.performance.end == Fraction(63, 5), "the rest was not played"


def test_a_phrase_that_cannot_be_answered_is_no_end(jam):
    keyboard = Keyboard()
    session = jam(keyboard)
    keyboard.play(60, 0.1, 0.5)
    until(session, 4.0)
    while "too short" not in session.status()[0]:
        session.advance()
    assert "cannot answer: too short" in session._console.stderr.data.decode()


def recorded(path):
    """The notes of a recording with their times in seconds at 120 BPM."""
    (_, score), *_ = read_scores(Source(Path(path)))
    return [(float(note.onset) / 2, note.pitch, float(note.duration) / 2) for note in score.notes]


def test_recording_takes_no_notes_from_a_phrase(jam):
    keyboard = Keyboard()
    session = jam(keyboard)
    until(session, 1.0)
    session.press("r")
    keyboard.play(60, 1.25, 1.5)
    keyboard.messages.append((1.5, Message("note_on", note=64)))
    until(session, 2.0)
    session.press("r")
    assert recorded("jam-1.mid") == [(0.25, 60, 0.25), (0.5, 64, pytest.approx(0.5, abs=0.06))], "one key is down"
    session.press("r")
    keyboard.messages.append((2.5, Message("note_off", note=64)))
    keyboard.play(67, 2.5, 2.75)
    until(session, 9.0)
    (phrase,) = session._tunes.phrases
    assert [note.pitch for note in phrase.notes] == [60, 64, 67], "all of it is answered"
    session.press("r")
    assert [pitch for _, pitch, _ in recorded("jam-2.mid")] == [60, 64, 67, 40, 40], "from the first bar of the phrase"


def test_memory_is_bounded_but_a_recording_keeps_all(jam, monkeypatch):
    monkeypatch.setattr("composer.cli.jam.session.KEPT_BARS", 2)
    session = jam()
    until(session, 12.0)
    assert len(session.performance.bars) <= 4
    assert session.performance.bars[-1].bar.position == 6
    session.press("r")
    until(session, 24.0)
    session.press("r")
    assert len(recorded("jam-1.mid")) == 7
    session.advance()
    assert len(session.performance.bars) == 2
    assert session.performance.beat(24.0) == 48


def test_the_end_does_not_wait_for_a_bar(jam):
    session = jam()
    composing = Event()

    def silent(settings, position=None):
        while True:
            composing.set()
            yield None

    session._tunes.endless = silent
    session._recompose(new_piece=True)
    composing.wait()
    session.end()
    assert not session._improviser._thread.is_alive()


def test_the_roll_shows_what_is_played_and_what_comes(jam):
    session = jam()
    view = JamView(session._console)
    until(session, 3.0)
    view.draw(session.performance, session.coming, session.beat, *session.status())
    shown = session._console.stderr.data.decode()
    assert "C4" in shown
    assert "10 bars" in shown
    assert "0:03  playing" in shown
    assert "q: quit" in shown
