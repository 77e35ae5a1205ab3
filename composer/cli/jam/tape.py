"""What has been played, bar by bar: as messages in time, as a score to draw, and as a recording."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from composer.api import Note, Part, Score, Tempo
from composer.audio.timeline import DRUM_CHANNEL, TimedMessage
from composer.cli.jam.bars import JamBar
from composer.music.tempo_map import DEFAULT_BPM

CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
FINEST = 480
"""Parts of a beat to which the times of a player are rounded."""
KEYBOARD = "Keyboard"


T = TypeVar("T")


class TapedBar(NamedTuple):
    """A bar, and the beat at which it begins."""

    start: Fraction
    bar: JamBar

    @property
    def end(self) -> Fraction:
        return self.start + self.bar.length


class _Anchor(NamedTuple):
    """From a beat and a second on, a tempo."""

    beat: Fraction
    seconds: Fraction
    bpm: float

    @property
    def beat_length(self) -> Fraction:
        """Seconds per beat."""
        return 60 / Fraction(self.bpm)


@dataclass
class Tape:
    """The bars that were played, without gaps but for rests, and the notes of the player, all in beats.

    `end` is the beat at which the next bar begins.
    """

    bars: list[TapedBar] = field(default_factory=list)
    keyboard: list[Note] = field(default_factory=list)
    end: Fraction = Fraction(0)
    _anchors: list[_Anchor] = field(default_factory=lambda: [_Anchor(Fraction(0), Fraction(0), DEFAULT_BPM)])
    _programs: dict[int, int] = field(default_factory=dict)

    @property
    def end_seconds(self) -> float:
        """When the next bar begins."""
        return float(self._seconds(self.end))

    def append(self, bar: JamBar) -> list[TimedMessage]:
        """Put `bar` at the end, and return its messages."""
        self._set_tempo(bar.bpm)
        self.bars.append(TapedBar(self.end, bar))
        messages = list(self._messages(bar, self.end))
        self.end += bar.length
        return messages

    def rest(self, beats: Fraction) -> None:
        """Leave so many beats empty."""
        self.end += beats

    def rest_until(self, seconds: float, bpm: float | None = None) -> None:
        """Leave the time until `seconds` empty, and go on at another tempo, if one is given."""
        beats = (Fraction(seconds) - self._seconds(self.end)) / self._anchors[-1].beat_length
        self.end += max(Fraction(round(beats * FINEST), FINEST), Fraction(0))
        if bpm is not None:
            self._set_tempo(bpm)

    def stop(self, seconds: float) -> None:
        """Remove what was not played by a time, at which the next bar begins."""
        beat = Fraction(round(self.beat(seconds) * FINEST), FINEST)
        while self.bars and self.bars[-1].start >= beat:
            self.bars.pop()
        if self.bars and self.bars[-1].end > beat:
            start, bar = self.bars.pop()
            parts = (replace(part, notes=_shifted(part.notes, Fraction(0), beat - start)) for part in bar.parts)
            self.bars.append(TapedBar(start, replace(bar, parts=tuple(parts), length=beat - start)))
        self.end = min(self.end, beat)

    def beat(self, seconds: float) -> Fraction:
        """Return the beat at a time."""
        time = Fraction(seconds)
        anchor = next((each for each in reversed(self._anchors) if each.seconds <= time), self._anchors[0])
        return anchor.beat + (time - anchor.seconds) / anchor.beat_length

    def bar_at(self, beat: Fraction) -> int:
        """Return the number, from 0, of the last bar that begins at `beat` or before."""
        return max(bisect_right(self.bars, beat, key=lambda each: each.start) - 1, 0)

    def score(self, start: Fraction, coming: Iterable[JamBar] = (), stop: Fraction | None = None) -> Score:
        """Return what was played from beat `start` on, and the bars that are `coming`; notes end at `stop`."""
        bars, end = [each for each in self.bars if each.start >= start], self.end
        for bar in coming:
            bars.append(TapedBar(end, bar))
            end += bar.length
        parts = list(_joined(bars))
        if keyboard := tuple(sorted(note for note in self.keyboard if note.onset >= start)):
            parts.append(Part(keyboard, KEYBOARD))
        meters = _changes((each.start - start, each.bar.meter) for each in bars)
        tempos = _changes((max(each.beat - start, Fraction(0)), each.bpm) for each in self._anchors)
        is_pickup = bool(bars) and bars[0].bar.length < bars[0].bar.meter.bar
        return Score(
            tuple(replace(part, notes=_shifted(part.notes, start, stop)) for part in parts),
            tempos=tuple(Tempo(beat, bpm) for beat, bpm in tempos),
            meters=tuple(meter._replace(onset=beat) for beat, meter in meters),
            pickup=bars[0].bar.length if is_pickup else Fraction(0),
            title=bars[0].bar.title if bars else "",
        )

    def _seconds(self, beat: Fraction) -> Fraction:
        anchor = next((each for each in reversed(self._anchors) if each.beat <= beat), self._anchors[0])
        return anchor.seconds + (beat - anchor.beat) * anchor.beat_length

    def _set_tempo(self, bpm: float) -> None:
        """Let what comes next be at another tempo."""
        if bpm == self._anchors[-1].bpm:
            return
        seconds = self._seconds(self.end)
        while self._anchors and self._anchors[-1].beat >= self.end:
            self._anchors.pop()
        self._anchors.append(_Anchor(self.end, seconds, bpm))

    def _messages(self, bar: JamBar, start: Fraction) -> Iterator[TimedMessage]:
        from mido import Message

        free = 0
        for part in bar.parts:
            channel = DRUM_CHANNEL if part.percussion else CHANNELS[free % len(CHANNELS)]
            free += not part.percussion
            if self._programs.get(channel, 0) != part.program:
                self._programs[channel] = part.program
                change = Message("program_change", channel=channel, program=part.program)
                yield TimedMessage(float(self._seconds(start)), change)
            for note in part.notes:
                for beat, kind, velocity in ((note.onset, "note_on", note.velocity), (note.end, "note_off", 0)):
                    message: Any = Message(kind, channel=channel, note=note.pitch, velocity=velocity)
                    yield TimedMessage(float(self._seconds(start + beat)), message)


def _joined(bars: Sequence[TapedBar]) -> Iterator[Part]:
    """Yield the parts of all bars together, each named after its first one."""
    for at in range(max((len(each.bar.parts) for each in bars), default=0)):
        having = [each for each in bars if at < len(each.bar.parts)]
        notes = (
            note._replace(onset=note.onset + each.start) for each in having for note in each.bar.parts[at].notes
        )  # fmt: skip
        yield replace(having[0].bar.parts[at], notes=tuple(notes))


def _shifted(notes: Iterable[Note], start: Fraction, stop: Fraction | None) -> tuple[Note, ...]:
    """Return the notes that begin before `stop`, which ends them, timed from `start`."""
    kept = (note for note in notes if stop is None or note.onset < stop)
    ends = ((note, note.end if stop is None else min(note.end, stop)) for note in kept)
    return tuple(note._replace(onset=note.onset - start, duration=end - note.onset) for note, end in ends)


def _changes(values: Iterable[tuple[Fraction, T]]) -> list[tuple[Fraction, T]]:
    """Return the values that differ from the one before, each with its beat; of several at one beat, the last."""
    last = dict(values)
    return [next(same) for _, same in groupby(last.items(), key=lambda pair: pair[1])]
