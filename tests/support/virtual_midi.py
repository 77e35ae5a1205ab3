"""A backend for mido: the output port `Virtual Synth 1` notes what arrives and when, `Virtual Keys 1` is played."""

import time
from fractions import Fraction

NAME = "Virtual Synth 1"
KEYS = "Virtual Keys 1"


class Output:
    """The port; it `vanishes` after so many messages."""

    def __init__(self, vanishes=None):
        self.received, self.vanishes, self.closed = [], vanishes, False

    def send(self, message):
        if self.vanishes is not None and len(self.received) >= self.vanishes:
            raise OSError("device not configured")
        self.received.append((time.perf_counter(), message))

    @property
    def messages(self):
        return [message for _, message in self.received]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closed = True


class Input:
    """The port of a keyboard; messages are `played` on it, and it `vanishes` when its time has come."""

    def __init__(self):
        self.played, self.vanishes = [], False

    def iter_pending(self):
        if self.vanishes:
            raise OSError("device not configured")
        while self.played:
            yield self.played.pop(0)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def install_input(monkeypatch, port):
    """Let mido find the keyboard `port`."""
    import mido

    monkeypatch.setattr(mido, "get_input_names", lambda: [KEYS], raising=False)
    monkeypatch.setattr(mido, "open_input", lambda name: port, raising=False)


def install(monkeypatch, port, names=(NAME,)):
    """Let mido find `port` under each of `names`."""
    import mido

    monkeypatch.setattr(mido, "get_output_names", lambda: list(names), raising=False)
    monkeypatch.setattr(mido, "open_output", lambda name: port, raising=False)


def sounding(messages):
    """The keys that are down after `messages`."""
    down = set()
    for message in messages:
        if message.type == "note_on" and message.velocity:
            down.add((message.channel, message.note))
        elif message.type in {"note_on", "note_off"}:
            down.discard((message.channel, message.note))
    return down


def twelve_notes():
    """The timeline of a MIDI file with twelve short notes, which takes 0.3 seconds."""
    from composer.api import Note, Part, Score
    from composer.audio.timeline import Timeline
    from composer.formats import WriteSettings
    from composer.formats.midi.writer import write_midi

    notes = tuple(Note(Fraction(number, 20), 60 + number, Fraction(1, 20)) for number in range(12))
    return Timeline.of(write_midi(Score((Part(notes),)), WriteSettings()), "a.mid")


def finish(player):
    """Play to the end. Raises what the player raises."""
    while not player.is_finished:
        player.check()
        time.sleep(0.001)
    player.check()
    player.stop()
