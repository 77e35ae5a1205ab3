"""Sections of real tunes, with whatever pickups and bars they have, into parts that follow the dialect's bar rules.

The rules: one pickup for all parts, full bars everywhere else, endings at bar lines. What has to change for that is
what a musician would do at sight, and each change is named, so that it can be counted: a rest where an upbeat is
missing, a last note made shorter to leave room for the upbeat, a rest where a part's last bar is too short.
"""

from __future__ import annotations

from collections.abc import Sequence

from composer.formats.abc.dialect.bar_writer import Line, TunePart, Unwritable
from composer.formats.abc.dialect.pickups import merge_pickups, pickup_length, ticks_of, unify_pickups
from composer.formats.abc.reader.structure import Section

__all__ = ["repair_bars"]

MAX_PASSES = 4


def repair_bars(sections: Sequence[Section], bar: int) -> tuple[list[TunePart], tuple[str, ...]]:
    """The parts that `sections` become where a bar has `bar` ticks, and the names of what was changed.

    Raises Unwritable.
    """
    changes: set[str] = set()
    parts = [part for section in sections for part in _parts(section)]
    for part in parts:
        part.bars = _complete_bars(part.bars, bar)
        part.endings = [_complete_bars(ending, bar) for ending in part.endings]
        if part.endings:
            _align_endings(part, bar)
    parts = merge_pickups(_merge_parts(parts, bar), bar, changes)
    return unify_pickups(parts, bar, changes), tuple(sorted(changes))


def _parts(section: Section) -> list[TunePart]:
    """A section of at most two passes is one part; more passes are written out."""
    lines = [bar.sounds for bar in section.bars]
    endings = [(ending.passes, [bar.sounds for bar in ending.bars]) for ending in section.endings]
    endings = [ending for ending in endings if ending[1]]
    if not lines and not endings:
        return []
    if section.times > MAX_PASSES:
        first = (lines or endings[0][1])[0][0]
        raise Unwritable("a repeat of too many passes", first)
    if not endings:
        if section.times == 1:
            return [TunePart(piece) for piece in _pieces(section)]
        return [TunePart(_copy(lines), repeat=True) for _ in range(section.times // 2)] + [
            TunePart(_copy(lines)) for _ in range(section.times % 2)
        ]
    if [passes for passes, _ in endings] == [(1,), (2,)] and lines:
        return [TunePart(lines, repeat=True, endings=[ending for _, ending in endings])]
    return [
        TunePart(_copy(lines) + [line for passes, ending in endings if number in passes for line in _copy(ending)])
        for number in range(1, section.times + 1)
        if lines or any(number in passes for passes, _ in endings)
    ]


def _pieces(section: Section) -> list[list[Line]]:
    """Bars that are played once, parted at double bar lines."""
    pieces: list[list[Line]] = [[]]
    for bar in section.bars:
        pieces[-1].append(bar.sounds)
        if bar.close is not None and bar.close.strong and not bar.sounds[-1].tie:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _copy(lines: list[Line]) -> list[Line]:
    return [list(line) for line in lines]


def _complete_bars(lines: list[Line], bar: int) -> list[Line]:
    """Bars cut by a part mark or the end of a line are put together, and two bars without a bar line taken apart."""
    even: list[Line] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        while (ticks := ticks_of(line)) < bar and index < len(lines) and _completes_bar(ticks, lines, index, bar):
            line = line + lines[index]
            index += 1
        ticks = ticks_of(line)
        if ticks <= bar:
            even.append(line)
        else:
            even += _split_line(line, bar)
    for line in even[1:-1]:
        if ticks_of(line) != bar:
            raise Unwritable("a bar that does not fill its meter", line[0])
    return even


def _completes_bar(ticks: int, lines: Sequence[Line], index: int, bar: int) -> bool:
    """Whether short bars from `index` on make up what a bar of `ticks` lacks."""
    while index < len(lines) and ticks < bar and ticks_of(lines[index]) < bar:
        ticks += ticks_of(lines[index])
        index += 1
    return ticks == bar


def _split_line(line: Line, bar: int) -> list[Line]:
    found: list[Line] = [[]]
    now = 0
    for sound in line:
        if now == bar:
            found.append([])
            now = 0
        found[-1].append(sound)
        now += sound.ticks
        if now > bar:
            raise Unwritable("a bar that is too long", line[0])
    if now != bar:
        raise Unwritable("a bar that is too long", line[0])
    return found


def _align_endings(part: TunePart, bar: int) -> None:
    """Endings that begin inside a bar take the whole bar with them."""
    last = part.bars[-1]
    if len(part.bars) > 1 and ticks_of(last) < bar:
        part.bars.pop()
        part.endings = [_complete_bars([last + ending[0], *ending[1:]], bar) for ending in part.endings]
    for ending in part.endings:
        if len(ending) > 1 and ticks_of(ending[0]) != bar:
            raise Unwritable("a bar that does not fill its meter", ending[0][0])
    if len(part.bars) > 1 and ticks_of(part.bars[-1]) != bar:
        raise Unwritable("a bar that does not fill its meter", part.bars[-1][0])


def _merge_parts(parts: list[TunePart], bar: int) -> list[TunePart]:
    """Parts that are played once and share a bar become one, but for a pickup like that of the tune."""
    usual = max((pickup_length(part, bar) for part in parts[:1] + [part for part in parts if part.repeat]), default=0)
    joined: list[TunePart] = []
    for part in parts:
        before = joined[-1] if joined else None
        if before is not None and not before.repeat and not part.repeat:
            last, first = ticks_of(before.bars[-1]), ticks_of(part.bars[0])
            alone = len(before.bars) == 1 or len(part.bars) == 1
            if last < bar and last + first == bar and (alone or first != usual):
                before.bars = _complete_bars(before.bars + part.bars, bar)
                continue
        joined.append(part)
    return joined
