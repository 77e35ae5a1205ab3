"""Playback order of bars with repeats, numbered endings, jumps (D.C., D.S., coda, fine) and orders of parts.

A reader describes the signs of each bar and plays the bars whose indices come back. At each jump it restores the meter,
key and tempo, which are those of the bar as written. All parts of a score follow one order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Literal, NamedTuple

MAX_BARS = 10_000
"""Longer orders come from mistakes, such as repeats of repeats."""


class Jump(NamedTuple):
    """A jump back after a bar: to the segno `to`, or to the beginning (D.C.) if that is empty.

    `until` is `fine` or `coda` if the sign says so. It is then ignored in a piece without that sign.
    """

    to: str = ""
    until: Literal["", "fine", "coda"] = ""


class BarSigns(NamedTuple):
    """The signs of a bar.

    `opens` is True if a repeat begins before the bar. `divides` is True after a double bar line, to which a repeat
    without a beginning goes back. `times` is how often the repeat that ends after the bar is played, 1 for none;
    with `after_jump`, also after a jump. `endings` are the passes that the bar is played in; empty for all.

    `segno` and `coda` name the places before the bar that jumps lead to. `to_coda` names the coda that follows the bar
    after a jump. After a jump, the music ends with a bar with `fine`.

    `part` is the name of the part that begins with the bar.
    """

    opens: bool = False
    times: int = 1
    endings: frozenset[int] = frozenset()
    divides: bool = False
    segno: str = ""
    coda: str = ""
    to_coda: str = ""
    fine: bool = False
    jump: Jump | None = None
    part: str = ""
    after_jump: bool = False


PLAIN = BarSigns()


def playback_order(bars: Sequence[BarSigns], parts: Sequence[str] = (), limit: int = MAX_BARS) -> list[int]:
    """Return the indices of `bars` in the order in which they are played, at most `limit`.

    A repeat without a beginning goes back to the latest double bar line or end of a repeat. After a jump, repeats
    without `after_jump` are not played again, and of their endings the last one is played; after the coda sign, all
    repeats count again.

    With `parts`, the parts are played in that order, each with its repeats, after the bars before the first part.
    Jumps are then ignored, and so are names that no bar has. If no name is known, the order is ignored.
    """
    known = {bar.part for bar in bars}
    named = [name for name in parts if name in known]
    order = _in_parts(bars, named) if named else _Player(bars).play()
    return list(islice(order, limit))


def missing_signs(bars: Sequence[BarSigns]) -> dict[int, str]:
    """Return the bars whose jump is ignored, and the sign that it names and the bars lack: `segno`, `fine`, `coda`."""
    segnos, codas = {bar.segno for bar in bars}, {bar.coda for bar in bars if bar.coda}
    ends = {"": True, "fine": any(bar.fine for bar in bars), "coda": any(bar.to_coda in codas for bar in bars)}
    found: dict[int, str] = {}
    for at, bar in enumerate(bars):
        if bar.jump is not None and bar.jump.to and bar.jump.to not in segnos:
            found[at] = "segno"
        elif bar.jump is not None and not ends[bar.jump.until]:
            found[at] = bar.jump.until
    return found


def part_starts(bars: Sequence[BarSigns]) -> list[int]:
    """Return the bars that parts begin with: those with names, without names inside endings if there are others."""
    named = [at for at, bar in enumerate(bars) if bar.part]
    return [at for at in named if not _inside_endings(bars, at)] or named


def _in_parts(bars: Sequence[BarSigns], names: Sequence[str]) -> Iterator[int]:
    starts = part_starts(bars)
    passages: dict[str, list[range]] = {}
    for begin, end in zip(starts, [*starts[1:], len(bars)], strict=True):
        passages.setdefault(bars[begin].part, []).append(range(begin, end))
    for passage in (range(starts[0]), *(each for name in names for each in passages.get(name, []))):
        own = [bars[at]._replace(jump=None) for at in passage]
        yield from (passage.start + at for at in _Player(own).play())


def _inside_endings(bars: Sequence[BarSigns], at: int) -> bool:
    """Return whether the bar is in a second or later ending, where the name of a part is only a label."""
    return at > 0 and bool(bars[at].endings and bars[at - 1].endings) and 1 not in bars[at].endings


class _Endings(NamedTuple):
    """A group of endings that stand next to one another: the first and last pass, and whether one is `after_jump`."""

    first: int
    last: int
    after_jump: bool


def _endings(bars: Sequence[BarSigns]) -> dict[int, _Endings]:
    """Return the group of endings that each bar in an ending belongs to."""
    found: dict[int, _Endings] = {}
    for inside, indices in groupby(range(len(bars)), key=lambda at: bool(bars[at].endings)):
        if inside:
            group = list(indices)
            passes = {number for at in group for number in bars[at].endings}
            together = _Endings(min(passes), max(passes), any(bars[at].after_jump for at in group))
            found.update(dict.fromkeys(group, together))
    return found


class _Player:
    """Follows the signs. `start` is where the repeat begins that `number` is the pass of."""

    def __init__(self, bars: Sequence[BarSigns]) -> None:
        self.bars = bars
        self.at = self.start = 0
        self.number = 1
        self.opened = False
        self.jump: Jump | None = None
        """The jump that was taken last; None before the first one and after a coda sign."""
        self.taken: set[int] = set()
        self.segnos = {bar.segno: at for at, bar in reversed([*enumerate(bars)]) if bar.segno}
        self.codas = {bar.coda: at for at, bar in enumerate(bars) if bar.coda}
        self.endings, self.missing = _endings(bars), missing_signs(bars)

    def play(self) -> Iterator[int]:
        while self.at < len(self.bars):
            bar = self.bars[self.at]
            if not self._enters(bar):
                self.at += 1
                continue
            yield self.at
            if self._repeats(bar):
                self.at, self.number = self.start, self.number + 1
            elif self.jump is not None and bar.fine and self.jump.until != "coda":
                return
            elif (target := self._target(bar)) is not None:
                self.at = self.start = target
                self.number, self.opened = 1, False
            else:
                self.at += 1

    def _enters(self, bar: BarSigns) -> bool:
        """Return whether the bar at `at` is played in this pass; begin a repeat where one begins."""
        at = self.at
        group = self.endings.get(at)
        if group is not None and self.jump is not None and not group.after_jump:
            return group.last in bar.endings
        ended = at > self.start and bool(self.bars[at - 1].endings) and not bar.endings
        if bar.opens or ended or (bar.divides and not self.opened and not bar.endings):
            if at != self.start:
                self.start, self.number = at, 1
            self.opened = bar.opens
        # of endings that begin with the second, that one stands in for the first
        return group is None or max(self.number, group.first) in bar.endings

    def _repeats(self, bar: BarSigns) -> bool:
        """Return whether the repeat that ends with the bar at `at`, if any, is played again."""
        if bar.times < 2:
            return False
        at = self.at
        total = max(bar.times, self.endings[at].last) if bar.endings else bar.times
        if self.number < total and (self.jump is None or bar.after_jump):
            return True
        if not (at + 1 < len(self.bars) and self.bars[at + 1].endings):
            self.start, self.number, self.opened = at + 1, 1, False
        return False

    def _target(self, bar: BarSigns) -> int | None:
        """Return where to go on after the bar at `at`; None for the next bar."""
        if self.jump is not None and bar.to_coda and self.jump.until != "fine":
            target = self.codas.get(bar.to_coda)
            if target is not None and target > self.at:
                self.jump = None
                return target
        jump = bar.jump
        if jump is None or self.at in self.taken or self.at in self.missing:
            return None
        self.taken.add(self.at)
        self.jump = jump
        return self.segnos[jump.to] if jump.to else 0
