"""MIDI files from their bytes in hexadecimal, and their notes. A beat has 96 (hex 60) ticks."""

from fractions import Fraction

from composer.formats.midi.reader import read_midi

END = "00 ff 2f 00"
C = "00 90 3c 50  60 3c 00"
"""Middle C of one beat; the note-off is a note-on of velocity 0 in running status."""


def chunk(events: str, length: int | None = None) -> bytes:
    content = bytes.fromhex(events)
    return b"MTrk" + (len(content) if length is None else length).to_bytes(4, "big") + content


def midi(*tracks: str | bytes, kind: int = 1, count: int | None = None, division: int = 96) -> bytes:
    """A file of `tracks`, each the events in hexadecimal or a whole chunk, whose header announces `count`."""
    numbers = (kind, len(tracks) if count is None else count, division)
    header = b"MThd\0\0\0\6" + b"".join(number.to_bytes(2, "big") for number in numbers)
    return header + b"".join(track if isinstance(track, bytes) else chunk(track) for track in tracks)


def notes(data: bytes) -> list[tuple[Fraction, int, Fraction]]:
    """Return the onset, pitch and duration of each note, in beats."""
    score = read_midi(data, "a.mid")
    return sorted((note.onset, note.pitch, note.duration) for part in score.parts for note in part.notes)
