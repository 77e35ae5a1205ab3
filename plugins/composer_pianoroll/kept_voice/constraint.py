"""Keep one voice of a roll, such as its melody, while the others are generated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise, starmap
from typing import NamedTuple

from composer.api import FrameRule, OptionError, Unsatisfiable
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll.base_constraint import NoteLimits
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.timed_constraint import TimedRollConstraint
from composer_pianoroll.voice_leading import FAULT, Closing, parallels, pitches_of

TOP, BASS = "top", "bass"
MAX_VOICES = 20


class FixedUnits(NamedTuple):
    """The units of a frame that are off and on, as bits."""

    off: int
    on: int


class VoiceConstraint(TimedRollConstraint):
    """Rolls with a fixed voice: `voice` has the fixed units of each frame that is not fixed as a whole.

    With `voice_leading`, its faults lower the weight; `closing` is the last chord, if it is known. `resting` is
    the constraint for frames without a note of the voice, if it differs.
    """

    def __init__(
        self,
        layout: Layout,
        pitches: int,
        note_limits: NoteLimits,
        kept: Mapping[int, tuple[int, ...]],
        voice: Sequence[FixedUnits],
        *,
        voice_leading: bool = False,
        closing: Closing | None = None,
        resting: TimedRollConstraint | None = None,
    ) -> None:
        super().__init__(layout, pitches, note_limits, kept=kept)
        self.voice, self.voice_leading, self.closing, self.resting = voice, voice_leading, closing, resting

    def allowed(self, state: int) -> FrameRule:
        frame = self._unpack_state(state)[1]
        is_resting = self.resting is not None and not (frame < len(self.voice) and self.voice[frame].on)
        rule = self.resting.allowed(state) if is_resting and self.resting is not None else super().allowed(state)
        if frame in self.kept or frame >= len(self.voice):
            return rule
        off, on = self.voice[frame]
        return replace(rule, must_be_off=(rule.must_be_off | off) & ~on, must_be_on=rule.must_be_on & ~off | on)

    def log_weight(self, state: int, step: tuple[int, ...]) -> float:
        sounding, frame, _ = self._unpack_state(state)
        closing = self.closing if self.closing is not None and self.closing.frame == frame else None
        # most frames only hold the chord before
        if not self.voice_leading or (closing is None and not self._starts_notes(step)):
            return 0.0
        chords = [tuple(pitches_of(bits, self.layout.lowest)) for bits in (sounding, *self.chords(step))]
        faults = sum(starmap(parallels, pairwise(chords))) if self.layout.onsets else 0
        return FAULT * (faults + (closing.faults(chords[-1]) if closing is not None else 0))

    def _starts_notes(self, step: tuple[int, ...]) -> bool:
        width, size = self.layout.pitch_count, self.layout.units_per_step
        return any(unit % size < width for unit in step)


def check_voice(text: str) -> None:
    """Raise OptionError if `text` is not `top`, `bass` or the number of a voice."""
    number = int(text) if re.fullmatch(r"[0-9]{1,3}", text) else 0
    if text not in (TOP, BASS) and not 1 <= number <= MAX_VOICES:
        hint = f"use top, bass, or a number from 1, the highest voice, to {MAX_VOICES}"
        raise OptionError(f"invalid value for --keep-voices: '{text}'", hint)


def voice_of(roll: Roll, which: str) -> list[GridNote]:
    """Return the notes of a voice, one at a time: `top`, `bass`, or a number from 1, the highest.

    A note belongs to it if it is the highest, lowest or N-th highest that sounds when it starts. It ends when the next
    note of the voice starts. Raises Unsatisfiable if there is none.
    """
    notes, voice = roll.notes, list[GridNote]()
    for note in notes_of_voice(notes, which):
        if voice and voice[-1].start + voice[-1].length > note.start:
            voice[-1] = voice[-1]._replace(length=note.start - voice[-1].start)
        voice.append(note)
    if not voice:
        most = most_sounding(notes)
        sound = "notes sound" if most > 1 else "note sounds"
        raise Unsatisfiable(
            f"the tune has no voice {which}: at most {most} {sound} at once",
            f"use --keep-voices {most}",
            flags=("--keep-voices",),
        )
    return voice


def notes_of_voice(notes: Iterable[GridNote], which: str) -> Iterator[GridNote]:
    """Yield the notes of a voice, whole, of `notes` by their starts."""
    place = {TOP: 0, BASS: -1}.get(which)
    place, sounding = int(which) - 1 if place is None else place, list[GridNote]()
    for start, starting in groupby(notes, key=lambda note: note.start):
        sounding = [*(note for note in sounding if note.start + note.length > start), *starting]
        ranked = sorted(sounding, key=lambda note: -note.pitch)
        if place < len(ranked) and ranked[place].start == start:
            yield ranked[place]


def fixed_units(layout: Layout, steps: int, voice: Sequence[GridNote], which: str) -> list[FixedUnits]:
    """Return the fixed units of each frame of a roll of `steps` steps that has this `voice`.

    Nothing is above a top voice or below a bass, whose last note counts while it rests. No other voice may hold its
    notes on.
    """
    frames = list(layout.frames(Roll.from_notes(steps, voice)))
    every, width, bound = (1 << layout.pitch_count) - 1, layout.pitch_count, voice[0].pitch
    off, previous = [0] * len(frames), 0
    at = 0
    for step in range(len(frames) * layout.stack):
        while at < len(voice) and voice[at].start <= step:
            bound, at = voice[at].pitch, at + 1
        frame, place = divmod(step, layout.stack)
        low = place * layout.units_per_step
        units = {unit - low for unit in frames[frame] if low <= unit < low + layout.units_per_step}
        pitches = sum({1 << unit % width for unit in units})
        level = bound - layout.lowest
        outside = {TOP: every & ~((2 << level) - 1), BASS: (1 << level) - 1}.get(which, 0)
        onsets, holds = outside | pitches, outside | pitches | previous
        off[frame] |= (onsets | holds << width if layout.onsets else outside | previous & ~pitches) << low
        previous = pitches
    on = [sum(1 << unit for unit in frame) for frame in frames]
    return [FixedUnits(bits & ~forced, forced) for bits, forced in zip(off, on, strict=True)]


def alone(layout: Layout, units: FixedUnits) -> FixedUnits:
    """Return the fixed units of a frame with nothing but the voice."""
    return FixedUnits((1 << layout.size) - 1 & ~units.on, units.on)


def most_sounding(notes: Iterable[GridNote]) -> int:
    """Return how many notes sound at once at most."""
    changes = sorted(change for note in notes for change in ((note.start, 1), (note.start + note.length, -1)))
    most = sounding = 0
    for _, change in changes:
        sounding += change
        most = max(most, sounding)
    return most
