"""Repair the bars and pickups of real tunes to follow the dialect's rules.

The rules: one pickup for all parts, full bars everywhere else, endings at bar lines. The changes are those that a
musician would make at sight (a rest for a missing pickup, a last note shortened to leave room for the pickup, a rest
in a short last bar), and each is reported.
"""

from __future__ import annotations

from collections.abc import Sequence

from composer.formats.abc.dialect.bar_writer import Sounds, TunePart, Unwritable
from composer.formats.abc.dialect.pickups import INCOMPLETE_BAR, merge_pickups, pickup_length, ticks_of, unify_pickups
from composer.formats.abc.reader.structure import Section

MAX_PASSES = 4


def repair_bars(sections: Sequence[Section], bar: int) -> tuple[list[TunePart], tuple[str, ...]]:
    """Return the repaired parts of `sections`, for bars of `bar` ticks, and the names of the changes made.

    Raises Unwritable.
    """
    changes: set[str] = set()
    parts = [part for section in sections for part in _parts(section)]
    short = [part for part in parts if _may_be_pickup_and_bar(part, bar)]
    for part in parts:
        if part not in short:
            _complete_part(part, bar)
    longer = [part for part in parts if part not in short and not _is_short_bar(part, bar)]
    pickup = max((pickup_length(part, bar) for part in longer or short), default=0)
    for part in short:
        if pickup_length(part, bar) != pickup:
            _complete_part(part, bar)
    parts = merge_pickups(_merge_parts(parts, bar), bar, changes)
    return unify_pickups(parts, bar, changes), tuple(sorted(changes))


def _may_be_pickup_and_bar(part: TunePart, bar: int) -> bool:
    """Return whether a part is one full bar, written as two: a pickup with a short bar, or a bar that is cut."""
    return len(part.bars) == 2 and not part.endings and sum(map(ticks_of, part.bars)) == bar


def _is_short_bar(part: TunePart, bar: int) -> bool:
    return len(part.bars) == 1 and not part.endings and ticks_of(part.bars[0]) < bar


def _complete_part(part: TunePart, bar: int) -> None:
    part.bars = _complete_bars(part.bars, bar)
    part.endings = [_complete_bars(ending, bar) for ending in part.endings]
    if part.endings:
        _align_endings(part, bar)


def _parts(section: Section) -> list[TunePart]:
    """Return a section as one part; more than two passes are written out."""
    bars = [bar.sounds for bar in section.bars]
    endings = [(ending.passes, [bar.sounds for bar in ending.bars]) for ending in section.endings]
    endings = [ending for ending in endings if ending[1]]
    if not bars and not endings:
        return []
    if section.times > MAX_PASSES:
        first = (bars or endings[0][1])[0][0]
        raise Unwritable(f"repeat of more than {MAX_PASSES} passes", first)
    if not endings:
        if section.times == 1:
            return [TunePart(piece) for piece in _pieces(section)]
        return [TunePart(_copy(bars), repeat=True) for _ in range(section.times // 2)] + [
            TunePart(_copy(bars)) for _ in range(section.times % 2)
        ]
    if [passes for passes, _ in endings] == [(1,), (2,)] and bars:
        return [TunePart(bars, repeat=True, endings=[ending for _, ending in endings])]
    return [
        TunePart(_copy(bars) + [sounds for passes, ending in endings if number in passes for sounds in _copy(ending)])
        for number in range(1, section.times + 1)
        if bars or any(number in passes for passes, _ in endings)
    ]


def _pieces(section: Section) -> list[list[Sounds]]:
    """Split bars that are played once at double bar lines."""
    pieces: list[list[Sounds]] = [[]]
    for bar in section.bars:
        pieces[-1].append(bar.sounds)
        if bar.close is not None and bar.close.strong and not bar.sounds[-1].tie:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _copy(bars: list[Sounds]) -> list[Sounds]:
    return [list(sounds) for sounds in bars]


def _complete_bars(bars: list[Sounds], bar: int) -> list[Sounds]:
    """Join bars that a part mark or a line end cuts, and split bars that lack a bar line between them."""
    complete: list[Sounds] = []
    index = 0
    while index < len(bars):
        sounds = bars[index]
        index += 1
        while (ticks := ticks_of(sounds)) < bar and index < len(bars) and _completes_bar(ticks, bars, index, bar):
            sounds = sounds + bars[index]
            index += 1
        complete += [sounds] if ticks_of(sounds) <= bar else _split_bars(sounds, bar)
    for sounds in complete[1:-1]:
        if ticks_of(sounds) != bar:
            raise Unwritable(INCOMPLETE_BAR, sounds[0])
    return complete


def _completes_bar(ticks: int, bars: Sequence[Sounds], index: int, bar: int) -> bool:
    """Return whether the short bars from `index` on complete a bar of `ticks`."""
    while index < len(bars) and ticks < bar and ticks_of(bars[index]) < bar:
        ticks += ticks_of(bars[index])
        index += 1
    return ticks == bar


def _split_bars(sounds: Sounds, bar: int) -> list[Sounds]:
    found: list[Sounds] = [[]]
    now = 0
    for sound in sounds:
        if now == bar:
            found.append([])
            now = 0
        found[-1].append(sound)
        now += sound.ticks
        if now > bar:
            raise Unwritable("bar too long", sounds[0])
    if now != bar:
        raise Unwritable("bar too long", sounds[0])
    return found


def _align_endings(part: TunePart, bar: int) -> None:
    """Move a bar in which endings start into the endings."""
    last = part.bars[-1]
    if len(part.bars) > 1 and ticks_of(last) < bar:
        part.bars.pop()
        part.endings = [_complete_bars([last + ending[0], *ending[1:]], bar) for ending in part.endings]
    for ending in part.endings:
        if len(ending) > 1 and ticks_of(ending[0]) != bar:
            raise Unwritable(INCOMPLETE_BAR, ending[0][0])
    if len(part.bars) > 1 and ticks_of(part.bars[-1]) != bar:
        raise Unwritable(INCOMPLETE_BAR, part.bars[-1][0])


def _merge_parts(parts: list[TunePart], bar: int) -> list[TunePart]:
    """Join parts that are played once and share a bar, unless the second starts with the tune's usual pickup."""
    usual = max((pickup_length(part, bar) for part in parts[:1] + [part for part in parts if part.repeat]), default=0)
    joined: list[TunePart] = []
    for part in parts:
        before = joined[-1] if joined else None
        if before is not None and not before.repeat and not part.repeat:
            last, first = ticks_of(before.bars[-1]), ticks_of(part.bars[0])
            alone = len(before.bars) == 1 or len(part.bars) == 1
            if last < bar and last + first == bar and (alone or first != usual):
                before.bars = [*before.bars[:-1], before.bars[-1] + part.bars[0], *part.bars[1:]]
                continue
        joined.append(part)
    return joined
