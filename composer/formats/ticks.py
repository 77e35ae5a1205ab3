"""MIDI files in ticks, as arrays: read, held by the pedal, and found to be music.

Reading one takes a hundredth of the time that its notes as a Score take; `composer.formats.midi` makes that of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from composer.api import ReadError
from composer.formats import smf
from composer.formats.pedal import sustained

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_NOTES = 500_000
MAX_BEATS = 100_000
"""A piece may be this long: 14 hours at 120 beats a minute."""
MAX_SILENCE = 4096
"""And nothing in it may stay silent for more beats than this."""

_HINT = "open it in a music program and export it again as MIDI"


def recognised(data: bytes) -> bool:
    """True where `data` begins as MIDI does."""
    return data[:4] in {b"MThd", b"RIFF"}


def read(data: bytes, name: str, *, pedal: bool = False) -> smf.MidiFile:
    """The MIDI file in `data`, as `composer.formats.midi.read` reads it, but that no track's notes are in order."""
    file = smf.parse(data, name)
    settle(file, name, pedal=pedal)
    return file


def settle(file: smf.MidiFile, name: str, *, pedal: bool) -> None:
    """Let the pedal hold notes, leave out and count those without length, and validate what is left."""
    for track in file.tracks:
        if pedal and track.pedal and not track.percussion:
            track.notes = sustained(track.notes, track.pedal)
    short = 0
    for track in file.tracks:
        if not track.notes[:, 2].all():
            lasting = track.notes[track.notes[:, 2] != 0]
            short += len(track.notes) - len(lasting)
            track.notes = lasting
    losses = {"notes left out that are never ended": file.hanging, "notes without length left out": short}
    file.losses = {phrase: count for phrase, count in losses.items() if count}
    validate(file, name)


def validate(file: smf.MidiFile, name: str) -> None:
    """Raise ReadError, naming the file, where its content is no music, whichever parser read it."""
    import numpy as np

    if not file.parts:
        raise ReadError(f"{name} has no notes", "every note needs a note-on and, later, a note-off")
    notes = np.concatenate([track.notes for track in file.parts])
    if len(notes) > MAX_NOTES:
        raise ReadError(f"{name} has {len(notes):,} notes, more than {MAX_NOTES:,}", "split it into smaller files")
    if any(microseconds <= 0 for _, microseconds in file.tempos):
        raise ReadError(f"{name} has a tempo of 0", _HINT)
    start, pitch, duration, velocity = np.minimum.reduce(notes).tolist()
    _, high, _, loud = np.maximum.reduce(notes).tolist()
    if start < 0 or duration < 0:
        raise ReadError(f"{name} has notes at impossible times", _HINT)
    if pitch < 0 or high > 127 or velocity < 1 or loud > 127:
        raise ReadError(f"{name} has notes of impossible pitch or velocity", _HINT)
    length = int((notes[:, 0] + notes[:, 2]).max())
    # no silence is longer than the whole piece, and most pieces are shorter than the longest silence
    silence = _silence(notes) if length > MAX_SILENCE * file.division else 0
    if silence > MAX_SILENCE * file.division:
        raise ReadError(f"{name} is silent for {silence // file.division:,} beats in one place", "remove the silence")
    if length > MAX_BEATS * file.division:
        raise ReadError(f"{name} is {length // file.division:,} beats long, more than {MAX_BEATS:,}", _HINT)


def ascending(notes: NDArray[Any]) -> NDArray[Any]:
    """The rows of `notes` (n, 4) in ascending order."""
    import numpy as np

    return notes[np.lexsort(notes.T[::-1])]


def _silence(notes: NDArray[Any]) -> int:
    """The ticks of the longest time in which none of `notes` (n, 4) sounds, from the beginning on."""
    import numpy as np

    order = np.argsort(notes[:, 0])
    sounded = np.maximum.accumulate(np.append(0, (notes[:, 0] + notes[:, 2])[order]))
    return int((notes[order, 0] - sounded[:-1]).max())
