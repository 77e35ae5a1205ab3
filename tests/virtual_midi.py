"""A backend for mido whose only output port, `Virtual Synth 1`, notes what arrives and when."""

import time

NAME = "Virtual Synth 1"


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
