"""MIDI files: bytes -> tracks in ticks -> Score, and back."""


def is_midi(data: bytes) -> bool:
    """Return whether `data` begins as MIDI does, bare or in RIFF."""
    return data[:4] in {b"MThd", b"RIFF"}
