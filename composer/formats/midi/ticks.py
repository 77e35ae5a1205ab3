"""Parse and validate a MIDI file in ticks, as arrays; 100 times as fast as a Score, which `reader` makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from composer.api import ReadError
from composer.api.limits import limit_hint, raised
from composer.formats.limits import MAX_BEATS, MAX_NOTES, MAX_SILENCE, check_count
from composer.formats.midi import parser
from composer.formats.midi.pedal import sustained
from composer.formats.midi.tracks import MidiFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HINT = "open it in a music program and export it again as MIDI"


def read(data: bytes, name: str, *, pedal: bool = False) -> MidiFile:
    """Parse and validate; as `reader.read_midi`, but the notes of a track are in no order."""
    file = parser.parse(data, name)
    validate(file, name, pedal=pedal)
    return file


def validate(file: MidiFile, name: str, *, pedal: bool) -> None:
    """Apply the pedal, drop notes of zero length, count losses, and raise ReadError for invalid content."""
    import numpy as np

    for track in file.tracks:
        if pedal and track.pedal and not track.percussion:
            track.notes[:] = sustained(track.notes, track.pedal)
    losses = {"notes without note-off left out": file.hanging, "notes of zero length left out": _drop_empty_notes(file)}
    file.losses = {phrase: count for phrase, count in {**losses, **file.losses}.items() if count}
    notes = file.notes
    if not len(notes):
        raise ReadError(f"{name} has no notes", "every note needs a note-on and, later, a note-off")
    check_count(len(notes), MAX_NOTES, "notes", name)
    start, _, low, _ = np.minimum.reduce(notes).tolist()
    _, end, high, _ = np.maximum.reduce(notes).tolist()
    if start < 0 or np.count_nonzero(notes[:, 1] < notes[:, 0]):
        raise ReadError(f"{name} has notes at impossible times", _HINT)
    # a silence is no longer than the piece, and most pieces are shorter than MAX_SILENCE
    silence = _longest_silence(notes) if end > MAX_SILENCE * file.division else 0
    if silence > raised(MAX_SILENCE) * file.division:
        hint = limit_hint("remove the silence", silence / file.division, MAX_SILENCE)
        raise ReadError(f"{name} is silent for {silence // file.division:,} beats in one place", hint)
    if end > raised(MAX_BEATS) * file.division:
        hint = limit_hint(_HINT, end / file.division, MAX_BEATS)
        raise ReadError(f"{name} is {end // file.division:,} beats long, more than {raised(MAX_BEATS):,}", hint)
    file.span = (low, high, end)


def _drop_empty_notes(file: MidiFile) -> int:
    """Drop the notes of zero length and return how many there were."""
    import numpy as np

    lasting = file.notes[:, 0] != file.notes[:, 1]
    if np.count_nonzero(lasting) == len(lasting):
        return 0
    start, before = 0, len(file.notes)
    file.notes = file.notes[lasting]
    for track in file.tracks:
        count = int(np.count_nonzero(lasting[: len(track.notes)]))
        lasting, track.notes = lasting[len(track.notes) :], file.notes[start : start + count]
        start += count
    return before - len(file.notes)


def _longest_silence(notes: NDArray[Any]) -> int:
    """Return the most ticks in a row, from 0 on, in which none of `notes` (n, 4) sounds."""
    import numpy as np

    order = np.argsort(notes[:, 0])
    sounded = np.maximum.accumulate(np.append(0, notes[order, 1]))
    return int((notes[order, 0] - sounded[:-1]).max())
