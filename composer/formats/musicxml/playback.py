"""The order in which the bars of MusicXML are played, and their notation: for all parts, from the signs of all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple

from composer.api import BarNumber, Notation
from composer.formats.musicxml.elements import Bar, Mark
from composer.music.notation import BarAsRead, bar_numbers, notation_of
from composer.music.playback_order import BarSigns, Jump, missing_signs


class Passage(NamedTuple):
    """A bar, or a part of one between bar lines inside it, by the number of the bar from 0; times in beats."""

    bar: int
    start: Fraction
    end: Fraction


def passages(parts: Sequence[Sequence[Bar]], lengths: Sequence[Fraction]) -> list[Passage]:
    """Return all bars, divided at the bar lines inside them that have signs of repeats."""
    found = []
    for at, length in enumerate(lengths):
        inner = {cut for part in parts if at < len(part) for cut in part[at].divisions if 0 < cut < length}
        places = [Fraction(0), *sorted(inner), length]
        found += [Passage(at, *pair) for pair in pairwise(places)]
    return found


JUMPS = "jumps to a missing sign left out"
UNCLEAR = "directions such as D.C. not understood"


def bar_signs(parts: Sequence[Sequence[Bar]], places: Sequence[Passage]) -> tuple[list[BarSigns], dict[str, int]]:
    """Return the signs of each passage, from all parts together, and the counts of jumps that are left out."""
    marks = _Marks(parts, places)
    endings = marks.endings()
    opens, divides = marks.at("repeat starts"), {at + 1 for at in marks.at("final bar line")}
    times: dict[int, int] = {}
    again = set()
    for at, mark in marks.after("repeat ends"):
        times[at] = max(times.get(at, 0), mark.times)
        again |= {at} if mark.after_jump else set()
    segnos, codas, leaves = marks.segnos(), *marks.codas()
    jumps = marks.jumps(segnos)
    fines = {at for at, _ in marks.after("fine")}
    signs = [
        BarSigns(
            opens=at in opens, times=times.get(at, 1), endings=endings.get(at, frozenset()), divides=at in divides,
            segno=str(at) if at in segnos else "", coda=str(at) if at in codas else "",
            to_coda=str(leaves[at]) if at in leaves else "", fine=at in fines, jump=jumps.get(at),
            after_jump=at in again,
        )
        for at in range(len(places))
    ]  # fmt: skip
    return signs, {JUMPS: len(missing_signs(signs)), UNCLEAR: len(marks.at("unclear") - set(jumps))}


def notation(
    parts: Sequence[Sequence[Bar]],
    places: Sequence[Passage],
    signs: Sequence[BarSigns],
    order: Sequence[int],
    full: Sequence[Fraction],
) -> Notation | None:
    """Return how bars are written that are played in this order; `full` are the lengths of their meters.

    None as `notation_of` says, if a repeat begins or ends inside a bar, or if notes are played in some passes only.
    """
    is_divided = len(places) > len(full)
    if is_divided or any(note.passes for part in parts for bar in part for note in bar.notes):
        return None
    return notation_of([*_bars(parts, places, signs, full)], order)


def numbers_as_played(found: Notation | None) -> tuple[BarNumber, ...]:
    """Return the numbers of bars as played; none if they are 1, 2, 3 ... or unknown."""
    bars = found.bars if found is not None else ()
    return bar_numbers(sorted((onset, bar.number) for bar in bars for onset in bar.onsets))


def _bars(
    parts: Sequence[Sequence[Bar]], places: Sequence[Passage], signs: Sequence[BarSigns], full: Sequence[Fraction]
) -> Iterator[BarAsRead]:
    """Yield the bars, numbered from 1. A short bar at the beginning of a section is a pickup."""
    double = _double_bar_lines(parts, places)
    number, begins = 0, True
    for at, (place, sign) in enumerate(zip(places, signs, strict=True)):
        length = place.end - place.start
        is_pickup = (begins or sign.opens) and length < full[at]
        number += not is_pickup
        yield BarAsRead(sign, length, 0 if is_pickup else number, at in double)
        begins = (sign.times > 1 or at in double) and not (at + 1 < len(signs) and signs[at + 1].endings)


def _double_bar_lines(parts: Sequence[Sequence[Bar]], places: Sequence[Passage]) -> set[int]:
    """Return the passages that a double or final bar line follows in any part."""
    marks = _Marks(parts, places)
    return marks.at("final bar line") | marks.at("double bar line")


_BEFORE = {"repeat starts", "ending starts", "segno", "coda"}
"""Signs that stand before the passage they belong to; others belong to the passage before them."""


class _Marks:
    """All signs, each with the number of its passage, in order and without repetitions in other parts."""

    def __init__(self, parts: Sequence[Sequence[Bar]], places: Sequence[Passage]) -> None:
        self.count = len(places)
        counts = Counter(place.bar for place in places)
        ends = list(accumulate(counts[at] for at in range(len(counts))))
        by_bar = [range(end - counts[at], end) for at, end in enumerate(ends)]
        found: dict[tuple[int, Mark], None] = {}
        for part in parts:
            for at, bar in enumerate(part):
                for mark in bar.marks:
                    found.setdefault((self._place(mark, by_bar[at], places), mark), None)
        self.found: list[tuple[int, Mark]] = sorted(found, key=lambda each: (each[0], each[1].at))

    def _place(self, mark: Mark, within: range, places: Sequence[Passage]) -> int:
        """Return the passage of a mark in the bar that consists of the passages `within`."""
        if mark.kind in _BEFORE:
            if mark.at_end:
                return within[-1] + 1
            after = bisect_right(places, mark.at, within.start, within.stop, key=lambda place: place.start)
            return max(after - 1, within.start)
        if mark.at < 0:
            return within[0] - 1
        if mark.at_end:
            return within[-1]
        return min(bisect_left(places, mark.at, within.start, within.stop, key=lambda place: place.end), within[-1])

    def after(self, kind: str) -> Iterable[tuple[int, Mark]]:
        """Yield the signs of a kind with their passages."""
        return ((at, mark) for at, mark in self.found if mark.kind == kind and 0 <= at < self.count)

    def at(self, kind: str) -> set[int]:
        """Return the passages that have a sign of a kind."""
        return {at for at, _ in self.after(kind)}

    def endings(self) -> dict[int, frozenset[int]]:
        """Return the numbers of the endings that passages are in.

        An ending whose end is not marked lasts to the next repeat sign, or for one bar. One whose beginning is not
        marked is one bar long, and has the numbers below those of the ending that follows.
        """
        starts = {at: mark.numbers for at, mark in self.after("ending starts") if mark.numbers}
        stops, repeats = dict(self.after("ending stops")), self.at("repeat ends")
        found: dict[int, frozenset[int]] = {}
        for start, limit in pairwise([*starts, self.count]):
            inside = range(start, limit)
            end = next((at for at in inside if at in stops), next((at for at in inside if at in repeats), start))
            found.update(dict.fromkeys(range(start, end + 1), starts[start]))
        for at, mark in stops.items():
            if at not in found:
                below = range(1, min(starts.get(at + 1, {1})))
                found.update({at: frozenset(below) or mark.numbers} if below or mark.numbers else {})
        return found

    def segnos(self) -> dict[int, str]:
        """Return the passages with a segno, and its name."""
        return {at: mark.name for at, mark in self.after("segno")}

    def codas(self) -> tuple[dict[int, str], dict[int, int]]:
        """Return the passages with a coda and its name, and the passages after which to leave, with the coda to go to.

        If nothing says `To Coda`, all symbols but the last one are where to leave.
        """
        codas = {at: mark.name for at, mark in self.after("coda")}
        leaves = {at: mark.name for at, mark in self.after("to coda")}
        symbols = dict(self.after("coda sign"))
        end = max(symbols, default=-1)
        no_coda_after = end >= max(codas, default=-1)
        for at, mark in symbols.items():
            if leaves or (at == end and no_coda_after):
                codas.setdefault(min(at + mark.at_end, self.count - 1), mark.name)
        if not leaves:
            rest = (each for each in symbols.items() if each[0] not in codas)
            leaves = {at if mark.at_end else at - 1: mark.name for at, mark in rest if at or mark.at_end}
        return codas, _matched(leaves, codas)

    def jumps(self, segnos: dict[int, str]) -> dict[int, Jump]:
        """Return the jumps after passages, to segnos by passage. A jump without a segno to go to keeps its name."""
        found: dict[int, Jump] = {}
        places = _Places(segnos)
        for at, mark in self.after("jump"):
            to, until = mark.jump
            if to:
                target = places.last(to, at)
                to = to if target is None else str(target)
            before = found.get(at, Jump())
            found[at] = Jump(before.to or to, before.until or until)
        return found


def _matched(leaves: dict[int, str], codas: dict[int, str]) -> dict[int, int]:
    """Return the coda for each place to leave: by name, else in order if there are as many, else the next one."""
    places, in_order = _Places(codas), sorted(codas)
    found = {}
    for number, (at, name) in enumerate(leaves.items()):
        if len(leaves) == len(codas) and name not in places.named:
            found[at] = in_order[number]
        elif (target := places.next(name, at)) is not None:
            found[at] = target
    return found


class _Places:
    """The places of a kind of sign, by name. For a name that no sign has, all count."""

    def __init__(self, names: dict[int, str]) -> None:
        self.all = sorted(names)
        self.named: dict[str, list[int]] = {}
        for at in self.all:
            if names[at]:
                self.named.setdefault(names[at], []).append(at)

    def last(self, name: str, at: int) -> int | None:
        """Return the last place up to `at`, or else the first one."""
        among = self.named.get(name, self.all)
        return among[max(bisect_right(among, at) - 1, 0)] if among else None

    def next(self, name: str, at: int) -> int | None:
        """Return the first place after `at`, or else the last one."""
        among = self.named.get(name, self.all)
        return among[min(bisect_right(among, at), len(among) - 1)] if among else None
