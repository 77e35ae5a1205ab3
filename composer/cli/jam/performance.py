"""What is played in a jam, bar by bar: as messages in time, and as a score to draw and to record."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from composer.api import Note, Part, Score, Tempo
from composer.audio.timeline import DRUM_CHANNEL, TimedMessage
from composer.cli.jam.bars import TICKS_PER_BEAT, JamBar
from composer.cli.jam.phrases import PlayedNote
from composer.music.tempo_map import DEFAULT_BPM

CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
KEYBOARD = "Keyboard"


T = TypeVar("T")


class PlayedBar(NamedTuple):
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
class Performance:
    """The bars that are played, without gaps but for rests, and the notes of the player, all in beats.

    It begins at the tempo `bpm`. `end` is the beat at which the next bar begins.
    """

    bpm: float = DEFAULT_BPM
    bars: list[PlayedBar] = field(default_factory=list)
    keyboard: list[Note] = field(default_factory=list)
    end: Fraction = Fraction(0)
    _anchors: list[_Anchor] = field(init=False)
    _programs: dict[int, tuple[Fraction, int]] = field(
        default_factory=lambda: dict.fromkeys(range(16), (Fraction(-1), 0))
    )
    """The program of each channel, and the beat at which it was set; none if that is not known."""

    def __post_init__(self) -> None:
        self._anchors = [_Anchor(Fraction(0), Fraction(0), self.bpm)]

    @property
    def end_seconds(self) -> float:
        """When the next bar begins."""
        return float(self._seconds(self.end))

    def append(self, bar: JamBar) -> list[TimedMessage]:
        """Put `bar` at the end, and return its messages."""
        self._set_tempo(bar.bpm)
        self.bars.append(PlayedBar(self.end, bar))
        messages = list(self._messages(bar, self.end))
        self.end += bar.length
        return messages

    def rest(self, beats: Fraction) -> None:
        """Leave so many beats empty."""
        self.end += beats

    def rest_until(self, seconds: float) -> None:
        """Leave the time until `seconds` empty."""
        self.end = max(self.end, self._tick(seconds))

    def note_of(self, played: PlayedNote) -> Note:
        """Return a note of the player in beats."""
        start = self._tick(played.start)
        duration = max(self._tick(played.end) - start, Fraction(1, TICKS_PER_BEAT))
        return Note(start, played.pitch, duration, played.velocity)

    def hear(self, played: PlayedNote) -> None:
        """Add a note of the player."""
        self.keyboard.append(self.note_of(played))

    def stop(self, seconds: float) -> None:
        """Remove what was not played by a time, at which the next bar begins; its messages are not sent."""
        beat = self._tick(seconds)
        while self.bars and self.bars[-1].start >= beat:
            self.bars.pop()
        if self.bars and self.bars[-1].end > beat:
            start, bar = self.bars.pop()
            parts = (replace(part, notes=_shifted(part.notes, Fraction(0), beat - start)) for part in bar.parts)
            self.bars.append(PlayedBar(start, replace(bar, parts=tuple(parts), length=beat - start)))
        self.end = min(self.end, beat)
        self._programs = {channel: each for channel, each in self._programs.items() if each[0] < beat}

    def forget(self, before: Fraction) -> None:
        """Forget what ended before a beat, so that the memory is bounded."""
        self.bars = [each for each in self.bars if each.end > before]
        self.keyboard = [note for note in self.keyboard if note.end > before]
        while len(self._anchors) > 1 and self._anchors[1].beat <= before:
            del self._anchors[0]

    def beat(self, seconds: float) -> Fraction:
        """Return the beat at a time."""
        time = Fraction(seconds)
        anchor = next((each for each in reversed(self._anchors) if each.seconds <= time), self._anchors[0])
        return anchor.beat + (time - anchor.seconds) / anchor.beat_length

    def bar_at(self, beat: Fraction) -> int:
        """Return the number, from 0, of the last bar that begins at `beat` or before."""
        return max(bisect_right(self.bars, beat, key=lambda each: each.start) - 1, 0)

    def score(
        self,
        start: Fraction,
        coming: Iterable[JamBar] = (),
        stop: Fraction | None = None,
        held: Iterable[PlayedNote] = (),
    ) -> Score:
        """Return what was played from beat `start` on, and the bars that are `coming`; notes end at `stop`.

        `held` are notes of keys that are still down.
        """
        bars, end = [each for each in self.bars if each.start >= start], self.end
        for bar in coming:
            bars.append(PlayedBar(end, bar))
            end += bar.length
        parts = list(_joined(bars))
        keyboard = sorted([*self.keyboard, *map(self.note_of, held)])
        if heard := tuple(note for note in keyboard if note.onset >= start):
            parts.append(Part(heard, KEYBOARD))
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

    def _tick(self, seconds: float) -> Fraction:
        """Return the beat at a time, rounded to ticks."""
        return Fraction(round(self.beat(seconds) * TICKS_PER_BEAT), TICKS_PER_BEAT)

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
            if self._programs.get(channel, (start, None))[1] != part.program:
                self._programs[channel] = start, part.program
                change = Message("program_change", channel=channel, program=part.program)
                yield TimedMessage(float(self._seconds(start)), change)
            for note in part.notes:
                for beat, kind, velocity in ((note.onset, "note_on", note.velocity), (note.end, "note_off", 0)):
                    message: Any = Message(kind, channel=channel, note=note.pitch, velocity=velocity)
                    yield TimedMessage(float(self._seconds(start + beat)), message)


def _joined(bars: Sequence[PlayedBar]) -> Iterator[Part]:
    """Yield the parts of all bars together: those of one instrument, in turn, each named after its first one."""
    first, notes = dict[tuple[bool, int, int], Part](), dict[tuple[bool, int, int], list[Note]]()
    for start, bar in bars:
        seen = Counter[tuple[bool, int]]()
        for part in bar.parts:
            instrument = part.percussion, part.program
            seen[instrument] += 1
            key = (*instrument, seen[instrument])
            first.setdefault(key, part)
            notes.setdefault(key, []).extend(note._replace(onset=note.onset + start) for note in part.notes)
    return (replace(part, notes=tuple(notes[key])) for key, part in first.items())


def _shifted(notes: Iterable[Note], start: Fraction, stop: Fraction | None) -> tuple[Note, ...]:
    """Return the notes that begin before `stop`, which ends them, timed from `start`."""
    kept = (note for note in notes if stop is None or note.onset < stop)
    ends = ((note, note.end if stop is None else min(note.end, stop)) for note in kept)
    return tuple(note._replace(onset=note.onset - start, duration=end - note.onset) for note, end in ends)


def _changes(values: Iterable[tuple[Fraction, T]]) -> list[tuple[Fraction, T]]:
    """Return the values that differ from the one before, each with its beat; of several at one beat, the last."""
    last = dict(values)
    return [next(same) for _, same in groupby(last.items(), key=lambda pair: pair[1])]
