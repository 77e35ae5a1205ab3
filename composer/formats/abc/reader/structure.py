"""Group a voice's bars into sections, and put these into the order in which they are played."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from composer.formats.abc.elements import Mark, Tune
from composer.formats.abc.reader.bars import Bar
from composer.formats.abc.reader.lexer import Diagnostic

MAX_BARS = 5000
"""A tune that plays longer has a mistake in its repeats."""


@dataclass(slots=True)
class Ending:
    """Bars that are only played in certain passes of a repeat."""

    passes: tuple[int, ...]
    bars: list[Bar] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """Bars that are played `times` times, with endings that follow in some of the passes."""

    bars: list[Bar] = field(default_factory=list)
    times: int = 1
    endings: list[Ending] = field(default_factory=list)
    part: str = ""

    @property
    def sounds(self) -> bool:
        """Whether it has any bars."""
        return bool(self.bars or self.endings)


def sections(found: Sequence[Bar], problems: list[Diagnostic] | None = None, parts: bool = False) -> list[Section]:
    """Return the sections of a voice's bars, and add mismatched repeats and endings to `problems`.

    With `parts`, a part mark starts a section. Otherwise it is only a label that repeats may span, as in a tune whose
    header has no order of parts.
    """
    return _Sections(problems if problems is not None else [], parts).run(found)


class _Sections:
    def __init__(self, problems: list[Diagnostic], parts: bool) -> None:
        self.problems, self.parts = problems, parts
        self.done: list[Section] = []
        self.section, self.opened = Section(), False

    def run(self, found: Sequence[Bar]) -> list[Section]:
        for bar in found:
            self._mark(bar.open, bar.part)
            section = self.section
            (section.endings[-1].bars if section.endings else section.bars).append(bar)
        if found and found[-1].close is not None:
            self._mark(found[-1].close, None)
        if self.opened and self.section.times == 1 and not self.section.endings and found:
            last = found[-1]
            self._problem(last.close or Mark("", last.line, last.column), "repeat without an end", "`|:` has no `:|`")
        self._close()
        return self.done

    def _mark(self, mark: Mark | None, part: str | None) -> None:
        section = self.section
        if mark is not None:
            if section.endings:
                self._after_ending(mark)
            elif mark.endings:
                self._first_ending(mark)
            elif mark.ends:
                self._split()
                self.section.times = mark.ends + 1
                self._close()
            if mark.starts:
                if self.opened and self.section.sounds:
                    self._problem(mark, "repeat without an end", "`|:` has no `:|` before the next `|:`")
                self._close()
                self.opened = True
        if part is not None and self.parts:
            # a part mark between the endings of one repeat is only a label
            if not (mark is not None and mark.endings and self.section.endings):
                self._close()
            self.section.part = part

    def _first_ending(self, mark: Mark) -> None:
        section = self.section
        if mark.ends:
            self._problem(mark, "ending without a first", "second ending without a first one")
            section.endings, section.times = [Ending((1,)), Ending(mark.endings)], 2
        else:
            self._split()
            self.section.endings = [Ending(mark.endings)]

    def _split(self) -> None:
        """Let a repeat without `|:` begin at the latest double bar line: what is before it is a section of its own."""
        section = self.section
        starts = [at for at, bar in enumerate(section.bars) if at and bar.open is not None and bar.open.strong]
        if starts and not self.opened:
            self.done.append(Section(section.bars[: starts[-1]], part=section.part))
            section.bars = section.bars[starts[-1] :]

    def _after_ending(self, mark: Mark) -> None:
        section = self.section
        if mark.endings:
            seen = {number for ending in section.endings for number in ending.passes}
            if 1 in mark.endings:
                self._close()
                self.section.endings = [Ending(mark.endings)]
            elif seen & set(mark.endings):
                self._problem(mark, "ending given twice", "ending with a number that was used before")
                section.endings[-1].passes += mark.endings
            else:
                if not mark.ends:
                    self._problem(mark, "ending without a repeat", "the previous ending is not closed by `:|`")
                section.endings.append(Ending(mark.endings))
        elif mark.ends or (mark.strong and len(section.endings) > 1):
            section.times = mark.ends + 1
            self._close()

    def _close(self) -> None:
        section = self.section
        if section.endings:
            passes = {number for ending in section.endings for number in ending.passes}
            # of a lone first ending, the second pass goes on after it
            section.times = max(passes | ({section.times} if passes == {1} else set()))
            mark = (section.endings[0].bars[0].open if section.endings[0].bars else None) or Mark("", 1, 1)
            missing = min(set(range(1, len(passes) + 2)) - passes)
            if passes == {1}:
                self._problem(mark, "ending without a second", "first ending without a second one")
            elif missing == 1:
                self._problem(mark, "ending without a first", "later ending without a first one")
            elif missing < max(passes):
                self._problem(mark, "missing ending", f"endings up to {max(passes)} without {missing}")
        if section.sounds:
            self.done.append(section)
        self.section, self.opened = Section(), False

    def _problem(self, mark: Mark, kind: str, message: str) -> None:
        self.problems.append(Diagnostic(mark.line, mark.column, kind, message))


def ordered_sections(
    tune: Tune, found: Sequence[Bar], problems: list[Diagnostic] | None = None, parts: bool = False
) -> list[Section]:
    """Return the sections of a voice in the order of the header's `P:` field, or as written if it has none.

    Parts that the tune lacks are left out of the order; without any known part, it is ignored. `problems` and `parts`
    are as in `sections`.
    """
    known = {bar.part for bar in found}
    names = [name for name in expand_order(tune.order) if name in known]
    if not names:
        return sections(found, problems, parts)
    return _in_order(names, sections(found, problems, parts=True))


def _in_order(names: Sequence[str], found: list[Section]) -> list[Section]:
    parts: dict[str, list[Section]] = {}
    name = ""
    for section in found:
        name = section.part or name
        parts.setdefault(name, []).append(section)
    # a mark between the endings of one repeat starts no part, so its name may be missing here
    return parts.get("", []) + [section for letter in names for section in parts.get(letter, [])]


def expand_order(order: str) -> str:
    """Return `A2(BC)2` as `AABCBC`; empty if it is not an order of one-letter parts."""
    order = re.sub(r"[.,\s]", "", order)
    if not re.fullmatch(r"[A-Z0-9()]*", order) or len(order) > 100:
        return ""
    while match := re.search(r"\(([^()]*)\)(\d{0,2})|([A-Z])(\d{1,2})", order):
        repeated = (match[1] or match[3] or "") * int(match[2] or match[4] or 1)
        order = order[: match.start()] + repeated + order[match.end() :]
        if len(order) > 1000:
            return ""
    return order if order.isalpha() else ""


def bars_as_played(found: Sequence[Section]) -> list[Bar]:
    """Return the bars of sections in the order in which they are played, at most MAX_BARS."""
    return list(islice(iter_bars_as_played(found), MAX_BARS))


def iter_bars_as_played(found: Sequence[Section]) -> Iterator[Bar]:
    """Yield the bars in the order in which they are played, with repeats and endings unrolled."""
    for section in found:
        for number in range(1, section.times + 1):
            yield from section.bars
            for ending in section.endings:
                if number in ending.passes:
                    yield from ending.bars
