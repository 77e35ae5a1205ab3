"""Sections of real tunes, with whatever pickups and bars they have, into parts that follow the dialect's bar rules.

The rules: one pickup for all parts, full bars everywhere else, endings at bar lines. What has to change for that is
what a musician would do at sight, and each change is named, so that it can be counted: a rest where an upbeat is
missing, a last note made shorter to leave room for the upbeat, a rest where a part's last bar is too short.
"""

from __future__ import annotations

from collections.abc import Sequence

from composer.formats.abc.parser import Sound
from composer.formats.abc.spelling import Line, Part, Unwritable
from composer.formats.abc.structure import Section

__all__ = ["mend"]

MOST_PASSES = 4


def mend(sections: Sequence[Section], bar: int) -> tuple[list[Part], tuple[str, ...]]:
    """The parts that `sections` become where a bar has `bar` ticks, and the names of what was changed.

    Raises Unwritable.
    """
    changes: set[str] = set()
    parts = [part for section in sections for part in _parts(section)]
    for part in parts:
        part.bars = _even(part.bars, bar)
        part.endings = [_even(ending, bar) for ending in part.endings]
        if part.endings:
            _fork(part, bar)
    parts = _upbeats(_together(parts, bar), bar, changes)
    pickup = max(_head(part, bar) for part in parts)
    for number, part in enumerate(parts):
        _fit(part, bar, pickup, number == len(parts) - 1, changes)
    return parts, tuple(sorted(changes))


def _ticks(line: Line) -> int:
    return sum(sound.ticks for sound in line)


def _parts(section: Section) -> list[Part]:
    """A section of at most two passes is one part; more passes are written out."""
    lines = [bar.sounds for bar in section.bars]
    endings = [(ending.passes, [bar.sounds for bar in ending.bars]) for ending in section.endings]
    endings = [ending for ending in endings if ending[1]]
    if section.times > MOST_PASSES:
        first = (lines or endings[0][1])[0][0]
        raise Unwritable("a repeat of too many passes", first)
    if not endings:
        if section.times == 1:
            return [Part(lines)]
        return [Part(_copy(lines), repeat=True) for _ in range(section.times // 2)] + [Part(_copy(lines))] * (
            section.times % 2
        )
    if [passes for passes, _ in endings] == [(1,), (2,)] and lines:
        return [Part(lines, repeat=True, endings=[ending for _, ending in endings])]
    return [
        Part(_copy(lines) + [line for passes, ending in endings if number in passes for line in _copy(ending)])
        for number in range(1, section.times + 1)
        if lines or any(number in passes for passes, _ in endings)
    ]


def _copy(lines: list[Line]) -> list[Line]:
    return [list(line) for line in lines]


def _rest(ticks: int, near: Sound) -> Sound:
    return Sound((), ticks, near.line, near.column)


def _even(lines: list[Line], bar: int) -> list[Line]:
    """Bars cut by a part mark or the end of a line are put together, and two bars without a bar line taken apart."""
    even: list[Line] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        while (ticks := _ticks(line)) < bar and index < len(lines) and even_sum(ticks, lines, index, bar):
            line = line + lines[index]
            index += 1
        ticks = _ticks(line)
        if ticks <= bar:
            even.append(line)
        else:
            even += _apart(line, bar)
    for line in even[1:-1]:
        if _ticks(line) != bar:
            raise Unwritable("a bar that does not fill its meter", line[0])
    return even


def even_sum(ticks: int, lines: Sequence[Line], index: int, bar: int) -> bool:
    """Whether short bars from `index` on make up what a bar of `ticks` lacks."""
    while index < len(lines) and ticks < bar and _ticks(lines[index]) < bar:
        ticks += _ticks(lines[index])
        index += 1
    return ticks == bar


def _apart(line: Line, bar: int) -> list[Line]:
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


def _fork(part: Part, bar: int) -> None:
    """Endings that begin inside a bar take the whole bar with them."""
    last = part.bars[-1]
    if len(part.bars) > 1 and _ticks(last) < bar:
        part.bars.pop()
        part.endings = [_even([last + ending[0], *ending[1:]], bar) for ending in part.endings]
    for ending in part.endings:
        if len(ending) > 1 and _ticks(ending[0]) != bar:
            raise Unwritable("a bar that does not fill its meter", ending[0][0])
    if len(part.bars) > 1 and _ticks(part.bars[-1]) != bar:
        raise Unwritable("a bar that does not fill its meter", part.bars[-1][0])


def _together(parts: list[Part], bar: int) -> list[Part]:
    """Parts that are played once and share a bar become one."""
    joined: list[Part] = []
    for part in parts:
        before = joined[-1] if joined else None
        if before is not None and not before.repeat and not part.repeat:
            tail, head = _ticks(before.bars[-1]), _ticks(part.bars[0])
            if tail < bar and tail + head == bar and len(before.bars) > 1:
                before.bars = _even(before.bars + part.bars, bar)
                continue
        joined.append(part)
    return joined


def _upbeats(parts: list[Part], bar: int, changes: set[str]) -> list[Part]:
    """An upbeat that stands before `|:` goes into the repeat where that leaves the music as it is."""
    found: list[Part] = []
    for number, part in enumerate(parts):
        alone = not part.repeat and len(part.bars) == 1 and _ticks(part.bars[0]) < bar
        if not alone or number == len(parts) - 1:
            found.append(part)
            continue
        upbeat, following = part.bars[0], parts[number + 1]
        if not following.repeat:
            following.bars = _even([upbeat, *following.bars], bar)
        elif not _inside(upbeat, following, parts[number + 2 :], bar, changes):
            if found:
                raise Unwritable("parts that begin at different places in the bar", upbeat[0])
            changes.add("a rest before the upbeat")
            found.append(Part([[_rest(bar - _ticks(upbeat), upbeat[0]), *upbeat]]))
    return found


def _inside(upbeat: Line, part: Part, others: Sequence[Part], bar: int, changes: set[str]) -> bool:
    """Move `upbeat` into the repeat `part` and out of its ends, where they hold it or leave room; false if not."""
    length = _ticks(upbeat)
    if _head(part, bar):
        return False
    ends = part.endings or [part.bars]
    full = [_ticks(end[-1]) == bar for end in ends]
    room = [_ticks(end[-1]) == bar - length for end in ends]
    if all(room):
        changes.add("an upbeat before a repeat moved into it")
    elif full[0] and part.endings and _same(_ending(ends[0][-1], length), upbeat):
        carried = _ending(ends[1][-1], length) if full[1] and others else None
        if full[1] and others and (carried is None or not _carry(carried, others, bar, changes)):
            return False
        ends[0][-1] = ends[0][-1][: -len(upbeat)]
        if carried is not None:
            ends[1][-1] = ends[1][-1][: -len(carried)]
    else:
        return False
    part.bars.insert(0, upbeat)
    return True


def _carry(upbeat: Line, others: Sequence[Part], bar: int, changes: set[str]) -> bool:
    part = others[0]
    if not part.repeat:
        if _head(part, bar):
            return False
        part.bars.insert(0, upbeat)
        return True
    return _inside(upbeat, part, others[1:], bar, changes)


def _ending(line: Line, length: int) -> Line | None:
    """The last sounds of a bar that take exactly `length`; None where no sound begins there."""
    for count in range(1, len(line)):
        ticks = _ticks(line[-count:])
        if ticks >= length:
            return line[-count:] if ticks == length else None
    return None


def _same(one: Line | None, other: Line) -> bool:
    return one is not None and [(s.tones, s.ticks) for s in one] == [(s.tones, s.ticks) for s in other]


def _head(part: Part, bar: int) -> int:
    """The length of a part's pickup, 0 for none."""
    ticks = _ticks(part.bars[0])
    alone = len(part.bars) == 1 and not part.endings
    return ticks if ticks < bar and not alone else 0


def _fit(part: Part, bar: int, pickup: int, last: bool, changes: set[str]) -> None:
    """Give the part the tune's pickup and let each of its ends leave room for it."""
    head = _head(part, bar)
    if head < pickup:
        first = part.bars[0][0]
        if head:
            part.bars[0] = [_rest(pickup - head, first), *part.bars[0]]
        else:
            part.bars.insert(0, [_rest(pickup, first)])
        changes.add("a rest for an upbeat")
    ends = part.endings or [part.bars]
    for number, end in enumerate(ends):
        closing = last and number == len(ends) - 1 and (not part.repeat or bool(part.endings))
        end[-1] = _closed(end[-1], bar, bar - pickup, closing, changes)


def _closed(line: Line, bar: int, wanted: int, closing: bool, changes: set[str]) -> Line:
    """The last bar of a part, made `wanted` long; the last of a tune may be full."""
    ticks = _ticks(line)
    final = line[-1]
    if ticks == wanted or (closing and ticks == bar):
        return line
    if ticks < wanted:
        changes.add("a rest in a short last bar")
        return [*line, _rest(wanted - ticks, final)]
    over = ticks - wanted
    if final.ticks > over and not final.group:
        changes.add("a last note made shorter for an upbeat")
        return [*line[:-1], Sound(final.tones, final.ticks - over, final.line, final.column, final.chord)]
    if not final.tones and final.ticks == over and len(line) > 1:
        changes.add("a last rest left out for an upbeat")
        return line[:-1]
    raise Unwritable("parts that begin at different places in the bar", final)
