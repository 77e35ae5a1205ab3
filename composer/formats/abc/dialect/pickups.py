"""One pickup for a whole tune: parts that begin anywhere in the bar are made to begin and end at one place in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from composer.formats.abc.dialect.bar_writer import Line, Part, Unwritable
from composer.formats.abc.elements import Sound

__all__ = ["fit", "head", "ticks_of", "upbeats"]

REST = "a rest for an upbeat"
FILLED = "a rest in a short last bar"
SHORTER = "a last note made shorter for an upbeat"
MOVED = "an upbeat before a repeat moved into it"
BEFORE = "a rest before the upbeat"
ONCE = "an upbeat played once"
UNTIED = "a tie over a part mark left out"
LEADING = "a leading note left out at the end"
"""What may change the music, as it is named to the user."""


def ticks_of(line: Line) -> int:
    """The time that the sounds of a bar take."""
    return sum(sound.ticks for sound in line)


def head(part: Part, bar: int) -> int:
    """The length of a part's pickup, 0 for none."""
    ticks = ticks_of(part.bars[0])
    alone = len(part.bars) == 1 and not part.endings
    return ticks if ticks < bar and not alone else 0


def upbeats(parts: list[Part], bar: int, changes: set[str]) -> list[Part]:
    """Upbeats that stand alone between bar lines, as before `|:`, go into the part before or after them."""
    found: list[Part] = []
    for number, part in enumerate(parts):
        upbeat = part.bars[0]
        length = ticks_of(upbeat)
        if part.repeat or len(part.bars) > 1 or length >= bar or number == len(parts) - 1:
            found.append(part)
            continue
        following = parts[number + 1]
        if found and not _shared(found[-1]) and ticks_of(_ends(found[-1])[-1][-1]) + length == bar:
            end = _ends(found[-1])[-1]
            end[-1] = end[-1] + upbeat
        elif head(following, bar):
            raise Unwritable("parts that begin at different places in the bar", upbeat[0])
        elif not found and following.repeat and not _leads_back(upbeat, following, bar):
            changes.add(BEFORE)
            found.append(Part([[_rest(bar - length, upbeat[0]), *upbeat]]))
        else:
            following.bars.insert(0, upbeat)
            if following.repeat:
                changes.add(MOVED)
    return found


def _leads_back(upbeat: Line, part: Part, bar: int) -> bool:
    """Whether the repeat `part` leaves room for the upbeat where it goes back, or has it there."""
    end = _ends(part)[0][-1]
    return ticks_of(end) < bar or _same(_cut(end, ticks_of(upbeat)), upbeat)


def fit(parts: list[Part], bar: int, changes: set[str]) -> list[Part]:
    """The parts with the longest of their pickups, each ending where the next begins. Raises Unwritable."""
    parts = _once(parts, bar, changes)
    pickup = max(head(part, bar) for part in parts)
    if pickup and BEFORE in changes:
        # Other parts have pickups too, so that a rest before the first would be an empty bar.
        upbeat = parts.pop(0).bars[0][1:]
        parts[0].bars.insert(0, upbeat)
        changes.discard(BEFORE)
        changes.add(MOVED)
        pickup = max(head(part, bar) for part in parts)
    carried: Line | None = None
    for number, part in enumerate(parts):
        following = parts[number + 1] if number + 1 < len(parts) else None
        own = head(part, bar)
        _begin(part, bar, pickup, carried, changes)
        if part.repeat:
            full = ticks_of(_ends(part)[0][-1]) == bar
            if not _returns(part, bar, pickup, following, changes):
                _unroll(part)
            if own and full:
                changes.add(ONCE)
        carried = _finish(part, bar, pickup, following, changes)
        _untie(part, changes)
        _filled(part, bar)
    return parts


def _once(parts: list[Part], bar: int, changes: set[str]) -> list[Part]:
    """Where every part ends with a full bar, the upbeat of the first is played once, before it."""
    first, others = parts[0], parts[1:]
    full = all(ticks_of(end[-1]) == bar for part in parts for end in _ends(part))
    if not (first.repeat and head(first, bar) and full) or any(head(part, bar) for part in others):
        return parts
    changes.add(ONCE)
    upbeat, first.bars = first.bars[0], first.bars[1:]
    return [Part([[_rest(bar - ticks_of(upbeat), upbeat[0]), *upbeat]]), *parts]


def _untie(part: Part, changes: set[str]) -> None:
    """No tie goes over a part mark or into an ending."""
    for lines in [part.bars, *part.endings]:
        if lines[-1][-1].tie:
            lines[-1][-1] = replace(lines[-1][-1], ties=())
            changes.add(UNTIED)


def _filled(part: Part, bar: int) -> None:
    """Only the first and the last bar of a part may be short. Raises Unwritable."""
    for ending in part.endings or [[]]:
        for line in [*part.bars, *ending][1:-1]:
            if ticks_of(line) != bar:
                raise Unwritable("a bar that does not fill its meter", line[0])


def _begin(part: Part, bar: int, pickup: int, carried: Line | None, changes: set[str]) -> None:
    own = head(part, bar)
    if own == pickup:
        return
    first = part.bars[0][0]
    if own:
        part.bars[0] = [_rest(pickup - own, first), *part.bars[0]]
    else:
        part.bars.insert(0, list(carried or [_rest(pickup, first)]))
    if not carried:
        changes.add(REST)
    elif part.repeat and ticks_of(_ends(part)[0][-1]) < bar:
        # The end was short and went back to a full bar; now the second pass has the upbeat too.
        changes.add(MOVED)


def _returns(part: Part, bar: int, pickup: int, following: Part | None, changes: set[str]) -> bool:
    """Let a repeat go back to its pickup; false where only writing it out keeps the music."""
    end = _ends(part)[0]
    ticks, wanted = ticks_of(end[-1]), bar - pickup
    cut = _cut(end[-1], ticks - wanted) if ticks > wanted else None
    if cut is not None and _same(cut, part.bars[0]):
        end[-1] = end[-1][: -len(cut)]
        if not part.endings and (following is None or head(following, bar)):
            changes.add(LEADING)
        return True
    closed = _closed(end[-1], wanted, changes)
    if closed is None:
        return False
    end[-1] = closed
    return True


def _finish(part: Part, bar: int, pickup: int, following: Part | None, changes: set[str]) -> Line | None:
    """Let a part end where the next begins; what it holds of the next one's pickup is given back."""
    end = _ends(part)[-1]
    ticks, wanted = ticks_of(end[-1]), bar - pickup
    if ticks == wanted:
        return None
    if following is None and not _shared(part):
        if ticks < bar:
            end[-1] = [*end[-1], _rest((wanted if ticks < wanted else bar) - ticks, end[-1][-1])]
            changes.add(FILLED)
        return None
    cut = _cut(end[-1], pickup) if ticks == bar else None
    if cut is not None and following is not None and not head(following, bar) and any(sound.tones for sound in cut):
        end[-1] = end[-1][: -len(cut)]
        return cut
    closed = _closed(end[-1], wanted, changes)
    if closed is None:
        raise Unwritable("parts that begin at different places in the bar", end[-1][-1])
    end[-1] = closed
    return None


def _closed(line: Line, wanted: int, changes: set[str]) -> Line | None:
    """The last bar of a part made `wanted` long by a rest or a shorter last note; None where neither does."""
    over, final = ticks_of(line) - wanted, line[-1]
    if over == 0:
        return line
    if over < 0:
        changes.add(FILLED)
        return [*line, _rest(-over, final)]
    if final.ticks > over and not final.group:
        changes.add(SHORTER)
        return [*line[:-1], Sound(final.tones, final.ticks - over, final.line, final.column, final.chord)]
    if not final.tones and final.ticks == over and len(line) > 1:
        changes.add(SHORTER)
        return line[:-1]
    return None


def _unroll(part: Part) -> None:
    """Write both passes out; the second has its pickup in the last bar of the first."""
    first, second = part.endings or ([], [])
    body = part.bars
    part.bars = [*body, *first, *[list(line) for line in body[1:]], *second]
    part.repeat, part.endings = False, []


def _ends(part: Part) -> list[list[Line]]:
    return part.endings or [part.bars]


def _shared(part: Part) -> bool:
    """Whether the part's last bar is also the one from which it goes back."""
    return part.repeat and not part.endings


def _cut(line: Line, length: int) -> Line | None:
    """The last sounds of a bar that take exactly `length`; None where no sound but the first begins there."""
    for count in range(1, len(line)):
        ticks = ticks_of(line[-count:])
        if ticks >= length:
            return line[-count:] if ticks == length and length else None
    return None


def _same(one: Line | None, other: Sequence[Sound]) -> bool:
    return one is not None and [(s.tones, s.ticks) for s in one] == [(s.tones, s.ticks) for s in other]


def _rest(ticks: int, near: Sound) -> Sound:
    return Sound((), ticks, near.line, near.column)
