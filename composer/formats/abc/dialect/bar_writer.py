"""Write bars in the dialect: accidentals, length strings, triplets, broken rhythm, blanks, ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from composer.formats.abc.dialect import tables
from composer.formats.abc.elements import Sound, Tone
from composer.music.keys import Signature, Time, pitch, step_name


class Unwritable(Exception):
    """Something that the dialect cannot write. `reason` is a short phrase; `sound` gives the place.

    Without a line in `sound`, `detail` says what it is. `hint` says how to change it, if that is known.
    """

    def __init__(self, reason: str, sound: Sound, detail: str = "", hint: str = "") -> None:
        super().__init__(reason)
        self.reason, self.sound, self.detail, self.hint = reason, sound, detail, hint


Sounds = list[Sound]
"""The sounds of one bar."""


@dataclass(slots=True)
class TunePart:
    """Bars that are played once or, with `repeat`, twice, with two `endings` or none."""

    bars: list[Sounds]
    repeat: bool = False
    endings: list[list[Sounds]] = field(default_factory=list)


def write_tune(parts: Sequence[TunePart], key: Signature, time: Time, title: str = "", rhythm: str = "") -> str:
    """Return the text of a tune whose parts follow the dialect's rules of bars. Raises Unwritable."""
    unit = tables.unit_of(time)
    title = tables.title_of(title)
    header = [f"T:{title}"] if title else []
    header += [f"R:{rhythm}"] if rhythm else []
    header += [f"M:{time}", f"L:{unit}", f"K:{key.name}"]
    return "\n".join(header) + "\n" + BarWriter(key, time, tables.pair_step(rhythm)).body(parts)


class Accidentals:
    """The accidentals in force in one bar of a key."""

    def __init__(self, key: Signature) -> None:
        self.alters = key.alters
        self.by_letter: dict[int, int] = {}
        self.by_step: dict[int, int] = {}

    def write(self, tone: Tone, *, explicit: bool = False) -> str:
        """Return the next note of the bar with the accidental that it needs, or `explicit` with its own anyway.

        There is at most one sharp or flat.
        """
        step, alter = tone
        letter = step % 7
        known = self.alters[letter]
        # readers disagree on whether an accidental holds in other octaves, so it is written if either would be wrong
        if not explicit and self.by_letter.get(letter, known) == alter == self.by_step.get(step, known):
            return step_name(step)
        self.by_letter[letter] = self.by_step[step] = alter
        return "_=^"[alter + 1] + step_name(step)


class BarWriter:
    """Writes bars in a key (without explicit accidentals) and a meter, with `>` and `<` every `step` units."""

    def __init__(self, key: Signature, time: Time, step: int) -> None:
        self.key = key
        self.time = time
        self.strings = {ticks: text for text, ticks in tables.lengths(tables.unit_of(time)).items()}
        self.unit = next(ticks for ticks, text in self.strings.items() if not text)
        self.pair_step = step * self.unit
        self.group = tables.beat_group(time)
        self.accidentals = Accidentals(key)

    def body(self, parts: Sequence[TunePart]) -> str:
        """Return the body of a tune, with a line feed after each line."""
        # positions in the first bar count from its start, since a reader does not yet know whether it is a pickup
        self.position = self.filled = 0
        self.pickup = sum(sound.ticks for sound in parts[0].bars[0]) < self.time.bar
        pieces: list[str] = []
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            pieces.append("|:" if part.repeat else "")
            end = "|]" if last else "||"
            if part.endings:
                first_ending, second_ending = part.endings
                pieces += [self._run(part.bars, "|"), "[1", self._run(first_ending, ":|"), "[2"]
                self.position = 0
                pieces.append(self._run(second_ending, end))
            else:
                pieces.append(self._run(part.bars, ":|" if part.repeat else end))
        return "".join(pieces)

    def _run(self, bars: Sequence[Sounds], end: str) -> str:
        """Return bars with a bar line after each; `end` is the last one."""
        pieces = []
        for number, bar in enumerate(bars):
            last = number == len(bars) - 1
            following = bars[number + 1][0] if not last else None
            self.filled += not (self.pickup or self.position)
            pieces.append(self._bar(bar, following))
            pieces.append(end if last else "|")
            if self.pickup:
                self.position, self.pickup = 0, False
            if (last and end != "|") or self.filled == tables.BARS_PER_LINE:
                pieces.append("\n")
                self.filled = 0
        return "".join(pieces)

    def _bar(self, bar: Sounds, following: Sound | None) -> str:
        self.accidentals = Accidentals(self.key)
        pieces: list[str] = []
        index, fresh = 0, True
        while index < len(bar):
            if not fresh and self.position % self.group == 0:
                pieces.append(" ")
            fresh = False
            sound = bar[index]
            after = bar[index + 1] if index + 1 < len(bar) else following
            if symbol := tables.chord_symbol(sound.chord) if sound.chord else "":
                pieces.append(f'"{symbol}"')
            if sound.group and (text := self._triplet(bar, index, following)):
                pieces.append(text)
                taken = 3
            elif text := self._broken(bar, index, following):
                pieces.append(text)
                taken = 2
            else:
                pieces.append(self._single(sound, after))
                taken = 1
            self.position += sum(each.ticks for each in bar[index : index + taken])
            index += taken
        self.position %= self.time.bar
        return "".join(pieces)

    def _triplet(self, bar: Sounds, index: int, following: Sound | None) -> str:
        three = bar[index : index + 3]
        ticks = three[0].ticks
        if len(three) < 3 or any(each.ticks != ticks or each.group != three[0].group for each in three):
            return ""
        length = self.strings.get(ticks * 3 // 2)
        if length is None or ticks * 3 % 2 or not all(each.tones for each in three):
            return ""
        texts = [self._tone(each.tones[-1]) + length for each in three]
        if _tied(three[2], bar[index + 3] if index + 3 < len(bar) else following):
            texts[2] += "-"
        return "(3" + "".join(texts)

    def _broken(self, bar: Sounds, index: int, following: Sound | None) -> str:
        """Return two notes of three to one as `A>B`; empty if these are not such a pair or may not start here."""
        if index + 1 >= len(bar) or self.position % self.pair_step:
            return ""
        first, second = bar[index], bar[index + 1]
        if first.ticks + second.ticks != 2 * self.unit or 2 * abs(first.ticks - second.ticks) != 2 * self.unit:
            return ""
        if len(first.tones) != 1 or len(second.tones) != 1 or _tied(first, second):
            return ""
        if second.chord and tables.chord_symbol(second.chord):
            return ""
        sign = ">" if first.ticks > second.ticks else "<"
        tie = "-" if _tied(second, bar[index + 2] if index + 2 < len(bar) else following) else ""
        return self._tone(first.tones[0]) + sign + self._tone(second.tones[0]) + tie

    def _single(self, sound: Sound, after: Sound | None) -> str:
        ticks = sound.ticks
        tie = "-" if _tied(sound, after) else ""
        length = self.strings.get(ticks)
        if length is not None:
            return self._tones(sound) + length + tie
        if sound.group:
            raise Unwritable("tuplet other than three equal notes", sound)
        pieces, place = [], self.position
        for part in self._split(sound):
            ticks -= part
            pieces.append(self._tones(sound) + self.strings[part] + (("-" if sound.tones else "") if ticks else tie))
            place += part
            if ticks and place % self.group == 0:
                pieces.append(" ")
        return "".join(pieces)

    def _split(self, sound: Sound) -> list[int]:
        """Split a length that has no string into lengths that do, longest first."""
        left, parts = sound.ticks, list[int]()
        while left:
            part = max((ticks for ticks in self.strings if ticks <= left), default=0)
            if not part:
                raise Unwritable("unsupported note length", sound)
            parts.append(part)
            left -= part
        return parts

    def _tones(self, sound: Sound) -> str:
        tones = sound.tones
        if not tones:
            return "z"
        if len(tones) == 1:
            return self._tone(tones[0])
        if len(tones) > tables.MAX_TONES:
            raise Unwritable(f"chord of more than {tables.MAX_TONES} notes", sound)
        return "[" + "".join(self._tone(tone) for tone in tones) + "]"

    def _tone(self, tone: Tone) -> str:
        step, alter = tone
        if not -1 <= alter <= 1:
            step, alter = _respell(step, alter)
        if not tables.LOWEST <= step <= tables.HIGHEST:
            detail = f"{step_name(step)}; the range is {step_name(tables.LOWEST)} to {step_name(tables.HIGHEST)}"
            raise Unwritable("note out of range", Sound((tone,), 0, 0, 0), detail, "transpose it")
        return self.accidentals.write((step, alter))


def _tied(sound: Sound, after: Sound | None) -> bool:
    return sound.tie and after is not None and sound.ties == sound.tones == after.tones


@cache
def _respell(step: int, alter: int) -> Tone:
    """Return the same pitch without a double accidental."""
    midi = pitch(step, alter)
    return next((near, by) for by in (0, 1, -1) for near in range(step - 2, step + 3) if pitch(near, by) == midi)
