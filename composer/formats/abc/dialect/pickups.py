"""One pickup for a whole tune: parts that begin anywhere in the bar are made to begin and end at one place in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from composer.formats.abc.dialect.bar_writer import Line, TunePart, Unwritable
from composer.formats.abc.elements import Sound

__all__ = ["merge_pickups", "pickup_length", "ticks_of", "unify_pickups"]

REST_FOR_PICKUP = "a rest for an upbeat"
REST_IN_LAST_BAR = "a rest in a short last bar"
LAST_NOTE_SHORTENED = "a last note made shorter for an upbeat"
PICKUP_MOVED_INTO_REPEAT = "an upbeat before a repeat moved into it"
REST_BEFORE_PICKUP = "a rest before the upbeat"
PICKUP_PLAYED_ONCE = "an upbeat played once"
TIE_LEFT_OUT = "a tie over a part mark left out"
LEADING_NOTE_LEFT_OUT = "a leading note left out at the end"
"""What may change the music, as it is named to the user."""


def ticks_of(line: Line) -> int:
    """The time that the sounds of a bar take."""
    return sum(sound.ticks for sound in line)


def pickup_length(part: TunePart, bar: int) -> int:
    """The length of a part's pickup, 0 for none."""
    ticks = ticks_of(part.bars[0])
    alone = len(part.bars) == 1 and not part.endings
    return ticks if ticks < bar and not alone else 0


def merge_pickups(parts: list[TunePart], bar: int, changes: set[str]) -> list[TunePart]:
    """Upbeats that stand alone between bar lines, as before `|:`, go into the part before or after them."""
    found: list[TunePart] = []
    for number, part in enumerate(parts):
        upbeat = part.bars[0]
        length = ticks_of(upbeat)
        if part.repeat or len(part.bars) > 1 or length >= bar or number == len(parts) - 1:
            found.append(part)
            continue
        following = parts[number + 1]
        if found and not _shares_last_bar(found[-1]) and ticks_of(_ends(found[-1])[-1][-1]) + length == bar:
            end = _ends(found[-1])[-1]
            end[-1] = end[-1] + upbeat
        elif pickup_length(following, bar):
            raise Unwritable("parts that begin at different places in the bar", upbeat[0])
        elif not found and following.repeat and not _repeat_has_room(upbeat, following, bar):
            changes.add(REST_BEFORE_PICKUP)
            found.append(TunePart([[_rest(bar - length, upbeat[0]), *upbeat]]))
        else:
            following.bars.insert(0, upbeat)
            if following.repeat:
                changes.add(PICKUP_MOVED_INTO_REPEAT)
    return found


def _repeat_has_room(pickup: Line, part: TunePart, bar: int) -> bool:
    """Whether the repeat `part` leaves room for the upbeat where it goes back, or has it there."""
    end = _ends(part)[0][-1]
    return ticks_of(end) < bar or _same_sounds(_cut(end, ticks_of(pickup)), pickup)


def unify_pickups(parts: list[TunePart], bar: int, changes: set[str]) -> list[TunePart]:
    """The parts with the longest of their pickups, each ending where the next begins. Raises Unwritable."""
    parts = _play_first_pickup_once(parts, bar, changes)
    pickup = max(pickup_length(part, bar) for part in parts)
    if pickup and REST_BEFORE_PICKUP in changes:
        # Other parts have pickups too, so that a rest before the first would be an empty bar.
        upbeat = parts.pop(0).bars[0][1:]
        parts[0].bars.insert(0, upbeat)
        changes.discard(REST_BEFORE_PICKUP)
        changes.add(PICKUP_MOVED_INTO_REPEAT)
        pickup = max(pickup_length(part, bar) for part in parts)
    carried: Line | None = None
    for number, part in enumerate(parts):
        following = parts[number + 1] if number + 1 < len(parts) else None
        own = pickup_length(part, bar)
        _begin(part, bar, pickup, carried, changes)
        if part.repeat:
            full = ticks_of(_ends(part)[0][-1]) == bar
            if not _return_to_pickup(part, bar, pickup, following, changes):
                _unroll_repeat(part)
            if own and full:
                changes.add(PICKUP_PLAYED_ONCE)
        carried = _finish(part, bar, pickup, following, changes)
        _untie(part, changes)
        _fill_bars(part, bar)
    return parts


def _play_first_pickup_once(parts: list[TunePart], bar: int, changes: set[str]) -> list[TunePart]:
    """Where every part ends with a full bar, the upbeat of the first is played once, before it."""
    first, others = parts[0], parts[1:]
    full = all(ticks_of(end[-1]) == bar for part in parts for end in _ends(part))
    if not (first.repeat and pickup_length(first, bar) and full) or any(pickup_length(part, bar) for part in others):
        return parts
    changes.add(PICKUP_PLAYED_ONCE)
    upbeat, first.bars = first.bars[0], first.bars[1:]
    return [TunePart([[_rest(bar - ticks_of(upbeat), upbeat[0]), *upbeat]]), *parts]


def _untie(part: TunePart, changes: set[str]) -> None:
    """No tie goes over a part mark or into an ending."""
    for lines in [part.bars, *part.endings]:
        if lines[-1][-1].tie:
            lines[-1][-1] = replace(lines[-1][-1], ties=())
            changes.add(TIE_LEFT_OUT)


def _fill_bars(part: TunePart, bar: int) -> None:
    """Only the first and the last bar of a part may be short. Raises Unwritable."""
    for ending in part.endings or [[]]:
        for line in [*part.bars, *ending][1:-1]:
            if ticks_of(line) != bar:
                raise Unwritable("a bar that does not fill its meter", line[0])


def _begin(part: TunePart, bar: int, pickup: int, carried: Line | None, changes: set[str]) -> None:
    own = pickup_length(part, bar)
    if own == pickup:
        return
    first = part.bars[0][0]
    if own:
        part.bars[0] = [_rest(pickup - own, first), *part.bars[0]]
    else:
        part.bars.insert(0, list(carried or [_rest(pickup, first)]))
    if not carried:
        changes.add(REST_FOR_PICKUP)
    elif part.repeat and ticks_of(_ends(part)[0][-1]) < bar:
        # The end was short and went back to a full bar; now the second pass has the upbeat too.
        changes.add(PICKUP_MOVED_INTO_REPEAT)


def _return_to_pickup(part: TunePart, bar: int, pickup: int, following: TunePart | None, changes: set[str]) -> bool:
    """Let a repeat go back to its pickup; false where only writing it out keeps the music."""
    end = _ends(part)[0]
    ticks, wanted = ticks_of(end[-1]), bar - pickup
    cut = _cut(end[-1], ticks - wanted) if ticks > wanted else None
    if cut is not None and _same_sounds(cut, part.bars[0]):
        end[-1] = end[-1][: -len(cut)]
        if not part.endings and (following is None or pickup_length(following, bar)):
            changes.add(LEADING_NOTE_LEFT_OUT)
        return True
    closed = _close_bar(end[-1], wanted, changes)
    if closed is None:
        return False
    end[-1] = closed
    return True


def _finish(part: TunePart, bar: int, pickup: int, following: TunePart | None, changes: set[str]) -> Line | None:
    """Let a part end where the next begins; what it holds of the next one's pickup is given back."""
    end = _ends(part)[-1]
    ticks, wanted = ticks_of(end[-1]), bar - pickup
    if ticks == wanted:
        return None
    if following is None and not _shares_last_bar(part):
        if ticks < bar:
            end[-1] = [*end[-1], _rest((wanted if ticks < wanted else bar) - ticks, end[-1][-1])]
            changes.add(REST_IN_LAST_BAR)
        return None
    cut = _cut(end[-1], pickup) if ticks == bar else None
    if (
        cut is not None
        and following is not None
        and not pickup_length(following, bar)
        and any(sound.tones for sound in cut)
    ):
        end[-1] = end[-1][: -len(cut)]
        return cut
    closed = _close_bar(end[-1], wanted, changes)
    if closed is None:
        raise Unwritable("parts that begin at different places in the bar", end[-1][-1])
    end[-1] = closed
    return None


def _close_bar(line: Line, wanted: int, changes: set[str]) -> Line | None:
    """The last bar of a part made `wanted` long by a rest or a shorter last note; None where neither does."""
    over, final = ticks_of(line) - wanted, line[-1]
    if over == 0:
        return line
    if over < 0:
        changes.add(REST_IN_LAST_BAR)
        return [*line, _rest(-over, final)]
    if final.ticks > over and not final.group:
        changes.add(LAST_NOTE_SHORTENED)
        return [*line[:-1], Sound(final.tones, final.ticks - over, final.line, final.column, final.chord)]
    if not final.tones and final.ticks == over and len(line) > 1:
        changes.add(LAST_NOTE_SHORTENED)
        return line[:-1]
    return None


def _unroll_repeat(part: TunePart) -> None:
    """Write both passes out; the second has its pickup in the last bar of the first."""
    first, second = part.endings or ([], [])
    body = part.bars
    part.bars = [*body, *first, *[list(line) for line in body[1:]], *second]
    part.repeat, part.endings = False, []


def _ends(part: TunePart) -> list[list[Line]]:
    return part.endings or [part.bars]


def _shares_last_bar(part: TunePart) -> bool:
    """Whether the part's last bar is also the one from which it goes back."""
    return part.repeat and not part.endings


def _cut(line: Line, length: int) -> Line | None:
    """The last sounds of a bar that take exactly `length`; None where no sound but the first begins there."""
    for count in range(1, len(line)):
        ticks = ticks_of(line[-count:])
        if ticks >= length:
            return line[-count:] if ticks == length and length else None
    return None


def _same_sounds(one: Line | None, other: Sequence[Sound]) -> bool:
    return one is not None and [(s.tones, s.ticks) for s in one] == [(s.tones, s.ticks) for s in other]


def _rest(ticks: int, near: Sound) -> Sound:
    return Sound((), ticks, near.line, near.column)
