"""Give all parts of a tune the same pickup, so that each starts and ends at one position of the bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from composer.formats.abc.dialect.bar_writer import Sounds, TunePart, Unwritable
from composer.formats.abc.elements import Sound

REST_FOR_PICKUP = "rest added for a pickup"
REST_IN_LAST_BAR = "rest added to a short last bar"
LAST_NOTE_SHORTENED = "last note shortened for a pickup"
PICKUP_MOVED_INTO_REPEAT = "pickup before a repeat moved into it"
REST_BEFORE_PICKUP = "rest added before the pickup"
PICKUP_PLAYED_ONCE = "pickup played once"
TIE_LEFT_OUT = "tie across parts removed"
LEADING_NOTE_LEFT_OUT = "lead-in note at the end removed"
"""Changes to the music, as reported to the user."""

INCOMPLETE_BAR = "incomplete bar"
DIFFERENT_PICKUPS = "parts with different pickups"
"""Reasons for rejecting a tune."""


def ticks_of(sounds: Sounds) -> int:
    """Return the duration of a bar's sounds."""
    return sum(sound.ticks for sound in sounds)


def pickup_length(part: TunePart, bar: int) -> int:
    """Return the length of a part's pickup in ticks, 0 if it has none."""
    ticks = ticks_of(part.bars[0])
    alone = len(part.bars) == 1 and not part.endings
    return ticks if ticks < bar and not alone else 0


def merge_pickups(parts: list[TunePart], bar: int, changes: set[str]) -> list[TunePart]:
    """Merge pickups that are parts of their own, as before `|:`, into the part before or after them."""
    found: list[TunePart] = []
    for number, part in enumerate(parts):
        pickup = part.bars[0]
        length = ticks_of(pickup)
        if part.repeat or len(part.bars) > 1 or length >= bar or number == len(parts) - 1:
            found.append(part)
            continue
        following = parts[number + 1]
        if found and not _shares_last_bar(found[-1]) and ticks_of(_ends(found[-1])[-1][-1]) + length == bar:
            end = _ends(found[-1])[-1]
            end[-1] = end[-1] + pickup
        elif pickup_length(following, bar):
            raise Unwritable(DIFFERENT_PICKUPS, pickup[0])
        elif not found and following.repeat and not _repeat_has_room(pickup, following, bar):
            changes.add(REST_BEFORE_PICKUP)
            found.append(TunePart([[_rest(bar - length, pickup[0]), *pickup]]))
        else:
            following.bars.insert(0, pickup)
            if following.repeat:
                changes.add(PICKUP_MOVED_INTO_REPEAT)
    return found


def _repeat_has_room(pickup: Sounds, part: TunePart, bar: int) -> bool:
    """Return whether the repeat leaves room for the pickup at its end, or already has it there."""
    end = _ends(part)[0][-1]
    return ticks_of(end) < bar or _same_sounds(_cut(end, ticks_of(pickup)), pickup)


def unify_pickups(parts: list[TunePart], bar: int, changes: set[str]) -> list[TunePart]:
    """Give all parts the longest of their pickups, and end each where the next starts. Raises Unwritable."""
    parts = _play_first_pickup_once(parts, bar, changes)
    pickup = max(pickup_length(part, bar) for part in parts)
    if pickup and REST_BEFORE_PICKUP in changes:
        # other parts have pickups too, so a rest before the first would be an empty bar
        first = parts.pop(0).bars[0][1:]
        parts[0].bars.insert(0, first)
        changes.discard(REST_BEFORE_PICKUP)
        changes.add(PICKUP_MOVED_INTO_REPEAT)
        pickup = max(pickup_length(part, bar) for part in parts)
    carried: Sounds | None = None
    for number, part in enumerate(parts if not _ends_in_pickup(parts, bar, pickup) else parts[:-1]):
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


def _ends_in_pickup(parts: Sequence[TunePart], bar: int, pickup: int) -> bool:
    """Return whether the last part is as long as the pickup, and completes the last bar of the part before it."""
    *others, last = parts
    alone = not last.repeat and not last.endings and len(last.bars) == 1 and ticks_of(last.bars[0]) == pickup
    return alone and bool(others) and ticks_of(_ends(others[-1])[-1][-1]) == bar - pickup


def _play_first_pickup_once(parts: list[TunePart], bar: int, changes: set[str]) -> list[TunePart]:
    """If every part ends with a full bar, move the pickup of the first out of its repeat."""
    first, others = parts[0], parts[1:]
    full = all(ticks_of(end[-1]) == bar for part in parts for end in _ends(part))
    if not (first.repeat and pickup_length(first, bar) and full) or any(pickup_length(part, bar) for part in others):
        return parts
    changes.add(PICKUP_PLAYED_ONCE)
    pickup, first.bars = first.bars[0], first.bars[1:]
    return [TunePart([[_rest(bar - ticks_of(pickup), pickup[0]), *pickup]]), *parts]


def _untie(part: TunePart, changes: set[str]) -> None:
    """Remove ties across parts and endings."""
    for bars in [part.bars, *part.endings]:
        if bars[-1][-1].tie:
            bars[-1][-1] = replace(bars[-1][-1], ties=())
            changes.add(TIE_LEFT_OUT)


def _fill_bars(part: TunePart, bar: int) -> None:
    """Raise Unwritable if any but the first and the last bar of a part is incomplete."""
    for ending in part.endings or [[]]:
        for sounds in [*part.bars, *ending][1:-1]:
            if ticks_of(sounds) != bar:
                raise Unwritable(INCOMPLETE_BAR, sounds[0])


def _begin(part: TunePart, bar: int, pickup: int, carried: Sounds | None, changes: set[str]) -> None:
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
        # the short end led back to a full bar; now the second pass has the pickup too
        changes.add(PICKUP_MOVED_INTO_REPEAT)


def _return_to_pickup(part: TunePart, bar: int, pickup: int, following: TunePart | None, changes: set[str]) -> bool:
    """Make a repeat lead back to its pickup; return False if only writing it out would keep the music."""
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


def _finish(part: TunePart, bar: int, pickup: int, following: TunePart | None, changes: set[str]) -> Sounds | None:
    """Make a part end where the next starts; return the next part's pickup if this one contained it."""
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
    if cut and following is not None and not pickup_length(following, bar) and any(sound.tones for sound in cut):
        end[-1] = end[-1][: -len(cut)]
        return cut
    closed = _close_bar(end[-1], wanted, changes)
    if closed is None:
        raise Unwritable(DIFFERENT_PICKUPS, end[-1][-1])
    end[-1] = closed
    return None


def _close_bar(sounds: Sounds, wanted: int, changes: set[str]) -> Sounds | None:
    """Return a part's last bar made `wanted` ticks long by a rest or a shorter last note; None if neither works."""
    over, final = ticks_of(sounds) - wanted, sounds[-1]
    if over == 0:
        return sounds
    if over < 0:
        changes.add(REST_IN_LAST_BAR)
        return [*sounds, _rest(-over, final)]
    if final.ticks > over and not final.group:
        changes.add(LAST_NOTE_SHORTENED)
        return [*sounds[:-1], Sound(final.tones, final.ticks - over, final.line, final.column, final.chord)]
    if not final.tones and final.ticks == over and len(sounds) > 1:
        changes.add(LAST_NOTE_SHORTENED)
        return sounds[:-1]
    return None


def _unroll_repeat(part: TunePart) -> None:
    """Write both passes out; the second one's pickup is in the last bar of the first."""
    first, second = part.endings or ([], [])
    body = part.bars
    part.bars = [*body, *first, *[list(sounds) for sounds in body[1:]], *second]
    part.repeat, part.endings = False, []


def _ends(part: TunePart) -> list[list[Sounds]]:
    return part.endings or [part.bars]


def _shares_last_bar(part: TunePart) -> bool:
    """Return whether the part's last bar is also the end of its repeat."""
    return part.repeat and not part.endings


def _cut(sounds: Sounds, length: int) -> Sounds | None:
    """Return the last sounds of a bar that last exactly `length`; None if none but the first starts there."""
    for count in range(1, len(sounds)):
        ticks = ticks_of(sounds[-count:])
        if ticks >= length:
            return sounds[-count:] if ticks == length and length else None
    return None


def _same_sounds(one: Sounds | None, other: Sequence[Sound]) -> bool:
    return one is not None and [(s.tones, s.ticks) for s in one] == [(s.tones, s.ticks) for s in other]


def _rest(ticks: int, near: Sound) -> Sound:
    return Sound((), ticks, near.line, near.column)
