"""Split the notes of a part into as few voices as possible, each in its own register."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, combinations, groupby
from typing import NamedTuple

from composer.api import EncodeError, Note
from composer.music.keys import BEAT

MAX_VOICES = 12
"""abc2midi gives each voice a MIDI channel of its own, of which there are 15."""


OCTAVE = 12


class Event(NamedTuple):
    """Ascending pitches that sound from the tick `start` to the tick `end`."""

    start: int
    end: int
    pitches: tuple[int, ...]

    @property
    def height(self) -> float:
        """The mean of its pitches."""
        return sum(self.pitches) / len(self.pitches)


def voices_of(notes: Iterable[Note]) -> list[list[Event]]:
    """Return `notes` as voices without overlaps, from the highest to the lowest.

    Notes that start and end together are one event, or two if they span more than an octave and another voice is free.
    A doubled note is in two voices. Raises EncodeError if more than MAX_VOICES are needed.
    """
    events = _events(notes)
    registers = _registers(events)
    voices: list[list[Event]] = [[] for _ in registers]
    for begin, beginning in groupby(_split_wide(events, len(voices)), key=lambda event: event.start):
        free = [number for number, voice in enumerate(voices) if not voice or voice[-1].end <= begin]
        together = sorted(beginning, key=lambda event: -event.height)
        chosen = min(combinations(free, len(together)), key=lambda taken: _distance(taken, together, registers))
        for number, event in zip(chosen, together, strict=True):
            voices[number].append(event)
            registers[number] = (registers[number] + event.height) / 2
    return voices


def _split_wide(events: Sequence[Event], max_voices: int) -> list[Event]:
    """Split events wider than an octave at their widest gap, if at most `max_voices` then sound."""
    onsets = sorted({event.start for event in events})
    depths = [0] * len(onsets)

    def sounding(event: Event) -> range:
        return range(bisect_left(onsets, event.start), bisect_left(onsets, event.end))

    for at in chain.from_iterable(map(sounding, events)):
        depths[at] += 1
    divided: list[Event] = []
    for event in events:
        pitches = event.pitches
        if pitches[-1] - pitches[0] > OCTAVE and max(depths[at] for at in sounding(event)) < max_voices:
            for at in sounding(event):
                depths[at] += 1
            gap = max(range(1, len(pitches)), key=lambda at: pitches[at] - pitches[at - 1])
            divided += [event._replace(pitches=pitches[gap:]), event._replace(pitches=pitches[:gap])]
        else:
            divided.append(event)
    return divided


def _distance(taken: Sequence[int], events: Sequence[Event], registers: Sequence[float]) -> float:
    return sum(abs(registers[number] - event.height) for number, event in zip(taken, events, strict=True))


def _events(notes: Iterable[Note]) -> list[Event]:
    together: dict[tuple[int, int, int], list[int]] = {}
    for (begin, end, pitch), copies in sorted(Counter(map(in_ticks, notes)).items()):
        for copy in range(copies):
            together.setdefault((begin, end, copy), []).append(pitch)
    return [Event(begin, end, tuple(pitches)) for (begin, end, _), pitches in sorted(together.items())]


def in_ticks(note: Note) -> tuple[int, int, int]:
    """Return the start and the end of `note` in ticks, and its pitch. Raises EncodeError if ABC has no such times."""
    begin, end = note.onset * BEAT, note.end * BEAT
    if begin.denominator > 1 or end.denominator > 1 or begin < 0 or begin >= end:
        raise EncodeError(
            f"a note of {float(note.duration):g} beats at beat {float(note.onset):g} cannot be written in ABC",
            "quantize the score, or write MIDI",
        )
    return int(begin), int(end), note.pitch


def _registers(events: Sequence[Event]) -> list[float]:
    """Return the mean height of each voice when all of them sound, from the highest to the lowest."""
    moments: list[list[float]] = []
    sounding: list[Event] = []
    for begin, beginning in groupby(events, key=lambda event: event.start):
        sounding = [event for event in sounding if event.end > begin] + list(beginning)
        if len(sounding) > MAX_VOICES:
            raise too_many_voices_error()
        moments.append(sorted((event.height for event in sounding), reverse=True))
    most = max(map(len, moments), default=0)
    full = [heights for heights in moments if len(heights) == most]
    return [sum(heights) / len(full) for heights in zip(*full, strict=True)]


def too_many_voices_error() -> EncodeError:
    """Return the error for a score that needs too many voices."""
    return EncodeError(f"the score needs more than {MAX_VOICES} voices, too many for ABC", "write MIDI or MusicXML")
