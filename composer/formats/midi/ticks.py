"""MIDI files in ticks, as arrays: read, held by the pedal, and found to be music.

Reading one takes a hundredth of the time that its notes as a Score take; `reader` makes that of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from composer.api import ReadError
from composer.formats.midi import parser as midi_parser
from composer.formats.midi.pedal import sustained
from composer.formats.midi.tracks import MidiFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_NOTES = 500_000
MAX_BEATS = 100_000
"""A piece may be this long: 14 hours at 120 beats a minute."""
MAX_SILENCE = 4096
"""And nothing in it may stay silent for more beats than this."""

_HINT = "open it in a music program and export it again as MIDI"


def is_midi(data: bytes) -> bool:
    """True where `data` begins as MIDI does."""
    return data[:4] in {b"MThd", b"RIFF"}


def read(data: bytes, name: str, *, pedal: bool = False) -> MidiFile:
    """The MIDI file in `data`, as `reader.read` reads it, but that no track's notes are in order."""
    file = midi_parser.parse(data, name)
    finish(file, name, pedal=pedal)
    return file


def finish(file: MidiFile, name: str, *, pedal: bool) -> None:
    """Let the pedal hold notes, leave out and count those without length, and validate what is left."""
    for track in file.tracks:
        if pedal and track.pedal and not track.percussion:
            track.notes[:] = sustained(track.notes, track.pedal)
    losses = {
        "notes left out that are never ended": file.hanging,
        "notes without length left out": _drop_empty_notes(file),
    }
    file.losses = {phrase: count for phrase, count in losses.items() if count}
    validate(file, name)


def _drop_empty_notes(file: MidiFile) -> int:
    """Leave out the notes without length, and count them."""
    import numpy as np

    lasting = file.notes[:, 0] != file.notes[:, 1]
    if np.count_nonzero(lasting) == len(lasting):
        return 0
    at = 0
    kept = file.notes[lasting]
    for track in file.tracks:
        here = int(np.count_nonzero(lasting[: len(track.notes)]))
        lasting, track.notes, at = lasting[len(track.notes) :], kept[at : at + here], at + here
    file.notes, left_out = kept, len(file.notes) - len(kept)
    return left_out


def validate(file: MidiFile, name: str) -> None:
    """Raise ReadError, naming the file, where its content is no music, whichever parser read it."""
    import numpy as np

    notes = file.notes
    if not len(notes):
        raise ReadError(f"{name} has no notes", "every note needs a note-on and, later, a note-off")
    if len(notes) > MAX_NOTES:
        raise ReadError(f"{name} has {len(notes):,} notes, more than {MAX_NOTES:,}", "split it into smaller files")
    if any(microseconds <= 0 for _, microseconds in file.tempos):
        raise ReadError(f"{name} has a tempo of 0", _HINT)
    start, _, pitch, velocity = np.minimum.reduce(notes).tolist()
    _, end, high, loud = np.maximum.reduce(notes).tolist()
    if start < 0 or np.count_nonzero(notes[:, 1] < notes[:, 0]):
        raise ReadError(f"{name} has notes at impossible times", _HINT)
    if pitch < 0 or high > 127 or velocity < 1 or loud > 127:
        raise ReadError(f"{name} has notes of impossible pitch or velocity", _HINT)
    # no silence is longer than the whole piece, and most pieces are shorter than the longest silence
    silence = _longest_silence(notes) if end > MAX_SILENCE * file.division else 0
    if silence > MAX_SILENCE * file.division:
        raise ReadError(f"{name} is silent for {silence // file.division:,} beats in one place", "remove the silence")
    if end > MAX_BEATS * file.division:
        raise ReadError(f"{name} is {end // file.division:,} beats long, more than {MAX_BEATS:,}", _HINT)
    file.span = (pitch, high, end)


def in_order(notes: NDArray[Any]) -> NDArray[Any]:
    """The rows of `notes` (n, 4) in the order of scores: by start, pitch, end and velocity."""
    import numpy as np

    starts, ends, pitches, velocities = notes.T
    return notes[np.lexsort((velocities, ends, pitches, starts))]


def _longest_silence(notes: NDArray[Any]) -> int:
    """The ticks of the longest time in which none of `notes` (n, 4) sounds, from the beginning on."""
    import numpy as np

    order = np.argsort(notes[:, 0])
    sounded = np.maximum.accumulate(np.append(0, notes[order, 1]))
    return int((notes[order, 0] - sounded[:-1]).max())
