"""Signs of measure repeat: a bar, or a group of bars, sounds like the one before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from composer.api import ReadError
from composer.api.limits import limit_hint, raised
from composer.formats.limits import MAX_NOTES
from composer.formats.musicxml.elements import Bar
from composer.music.time_order import in_time

WITHOUT_SOURCE = "measure repeats with nothing to repeat left out"
BEAT_REPEATS = "beat repeats left out"


@dataclass(slots=True)
class _Sign:
    """A sign in force that copies the bar `distance` bars back; up to the bar `last`, if that is known."""

    distance: int
    first: int
    last: int | None = None


@dataclass(slots=True)
class NoteCount:
    """The number of notes that signs of repeat stand for, in all parts of the file `name`."""

    name: str
    notes: int = 0

    def add(self, notes: int, bar: int) -> None:
        """Count the notes of the bar at index `bar`. Raises ReadError if there are more than MAX_NOTES."""
        self.notes += notes
        if self.notes > raised(MAX_NOTES):
            fault = f"{self.name} has measure repeats of more than {raised(MAX_NOTES):,} notes, up to bar {bar + 1:,}"
            raise ReadError(fault, limit_hint("split it into smaller files", self.notes, MAX_NOTES))


class MeasureRepeats:
    """The signs in force on the staves of a part (0 for all), and the bars read so far."""

    def __init__(self, copied: NoteCount) -> None:
        self.copied = copied
        self.bars: list[Bar] = []
        self.signs: dict[int, _Sign] = {}

    def read_style(self, style: Element, bar: Bar) -> None:
        """Read a `measure-style` element of the bar that is being read."""
        if any(each.get("type") == "start" for each in style.iterfind("beat-repeat")):
            bar.losses[BEAT_REPEATS] += 1
        number = style.get("number", "")
        staff = int(number) if re.fullmatch(r"\d{1,3}", number, re.ASCII) else 0
        here = len(self.bars)
        for sign in style.iterfind("measure-repeat"):
            if sign.get("type") == "start":
                text = (sign.text or "").strip()
                distance = int(text) if re.fullmatch(r"0*[1-9]\d?", text, re.ASCII) else 1
                self.signs[staff] = _Sign(distance, here)
            elif staff in self.signs:
                # the bar with the stop is the first one after the repeats, unless the repeats begin in it
                begun = self.signs[staff]
                begun.last = here + begun.distance - 1 if begun.first == here else here - 1

    def finish(self, bar: Bar) -> Bar:
        """Return the bar that has been read, with the notes that signs of repeat stand for.

        Staves on which the bar has notes of its own keep these. Raises ReadError as `NoteCount.add` does.
        """
        here = len(self.bars)
        for staff, sign in list(self.signs.items()):
            if sign.last is not None and here > sign.last:
                del self.signs[staff]
                continue
            if any(staff in (0, note.line.staff) for note in bar.notes):
                continue
            if sign.distance > here:
                bar.losses[WITHOUT_SOURCE] += 1
                continue
            source = self.bars[here - sign.distance]
            notes = [note for note in source.notes if staff in (0, note.line.staff)]
            self.copied.add(len(notes), here)
            bar.notes += notes
            bar.length = bar.length or source.length
        bar.notes.sort(key=lambda note: in_time(note.onset))
        self.bars.append(bar)
        return bar
