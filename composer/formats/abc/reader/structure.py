"""A voice's elements into bars, bars into sections, and sections into the order in which they are played."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from composer.formats.abc.elements import Element, Mark, PartMark, Sound, Tune
from composer.formats.abc.reader.lexer import Diagnostic
from composer.music.keys import Signature, Time

__all__ = ["Bar", "Ending", "Section", "bars", "bars_as_played", "iter_bars_as_played", "ordered_sections", "sections"]

MOST_BARS = 5000
"""A tune that plays longer than this is a mistake in its repeats."""


@dataclass(slots=True)
class Bar:
    """What stands between two bar lines. `close` is the bar line after it; None at the end of the tune without one.

    `part` is the name of the part that begins with this bar, `open` the mark (repeat, ending) before it.
    """

    sounds: list[Sound] = field(default_factory=list)
    open: Mark | None = None
    close: Mark | None = None
    part: str | None = None
    time: Time | None = None
    key: Signature | None = None
    line: int = 0
    column: int = 0

    @property
    def ticks(self) -> int:
        """The time that its sounds take."""
        return sum(sound.ticks for sound in self.sounds)


@dataclass(slots=True)
class Ending:
    """What is played in certain passes of a repeat only."""

    passes: tuple[int, ...]
    bars: list[Bar] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """Bars that are played `times`, and the endings that follow in some of the passes."""

    bars: list[Bar] = field(default_factory=list)
    times: int = 1
    endings: list[Ending] = field(default_factory=list)
    part: str = ""

    @property
    def sounds(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.bars or self.endings)


def bars(elements: Sequence[Element]) -> list[Bar]:
    """The bars of a voice; bar lines with nothing between them become one."""
    found: list[Bar] = []
    bar = Bar()
    for element in elements:
        if isinstance(element, Sound):
            if not bar.sounds:
                bar.line, bar.column = element.line, element.column
            bar.sounds.append(element)
        elif isinstance(element, Mark):
            if bar.sounds:
                bar.close = element
                found.append(bar)
                bar = Bar(open=element)
            else:
                _merge(element, bar, found)
        elif isinstance(element, PartMark):
            if bar.sounds:
                found.append(bar)
                bar = Bar()
            bar.part = element.name
        elif isinstance(element, Time):
            bar.time = element
        else:
            bar.key = element
    if bar.sounds:
        found.append(bar)
    return found


def _merge(mark: Mark, bar: Bar, found: list[Bar]) -> None:
    """A bar line right after another becomes one with it."""
    bar.open = mark if bar.open is None else _merge_marks(bar.open, mark)
    if found:
        found[-1].close = bar.open


def _merge_marks(first: Mark, second: Mark) -> Mark:
    text = first.text + second.text
    return Mark(
        text,
        first.line,
        first.column,
        ends=max(first.ends, second.ends),
        starts=first.starts or second.starts,
        strong=first.strong or second.strong,
        endings=second.endings or first.endings,
    )


def sections(found: Sequence[Bar], problems: list[Diagnostic] | None = None, parts: bool = False) -> list[Section]:
    """The sections of a voice's bars. What does not match is added to `problems`.

    `parts` says whether a part mark begins a section; otherwise `:|` goes back over it, since without an order in the
    header it is but a label.
    """
    return _Sections(problems if problems is not None else [], parts).run(found)


class _Sections:
    def __init__(self, problems: list[Diagnostic], parts: bool) -> None:
        self.problems = problems
        self.parts = parts
        self.done: list[Section] = []
        self.section = Section()
        self.opened = False

    def run(self, found: Sequence[Bar]) -> list[Section]:
        """Go through the bars and the marks between them."""
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
                section.times = mark.ends + 1
                self._close()
            if mark.starts:
                if self.opened and self.section.sounds:
                    self._problem(mark, "repeat without an end", "`|:` has no `:|` before the next `|:`")
                self._close()
                self.opened = True
        if part is not None and self.parts:
            # A part mark between the endings of one repeat is a remark.
            if not (mark is not None and mark.endings and self.section.endings):
                self._close()
            self.section.part = part

    def _first_ending(self, mark: Mark) -> None:
        section = self.section
        if mark.ends:
            self._problem(mark, "ending without a first", "a second ending has no first one before it")
            section.endings, section.times = [Ending((1,)), Ending(mark.endings)], 2
        else:
            section.endings = [Ending(mark.endings)]

    def _after_ending(self, mark: Mark) -> None:
        section = self.section
        if mark.endings:
            seen = {number for ending in section.endings for number in ending.passes}
            if 1 in mark.endings:
                self._close()
                self.section.endings = [Ending(mark.endings)]
            elif seen & set(mark.endings):
                self._problem(mark, "ending given twice", "an ending of this number stands there already")
                section.endings[-1].passes += mark.endings
            else:
                if not mark.ends:
                    self._problem(mark, "ending without a repeat", "the ending before is not closed by `:|`")
                section.endings.append(Ending(mark.endings))
        elif mark.ends or (mark.strong and len(section.endings) > 1):
            self._close()

    def _close(self) -> None:
        section = self.section
        if section.endings:
            section.times = max(number for ending in section.endings for number in ending.passes)
            if len(section.endings) == 1 and section.times == 1:
                mark = section.endings[0].bars[0].open if section.endings[0].bars else None
                self._problem(mark or Mark("", 1, 1), "ending without a second", "a first ending has no second one")
        if section.sounds:
            self.done.append(section)
        self.section, self.opened = Section(), False

    def _problem(self, mark: Mark, kind: str, message: str) -> None:
        self.problems.append(Diagnostic(mark.line, mark.column, kind, message))


def ordered_sections(
    tune: Tune, found: Sequence[Bar], problems: list[Diagnostic] | None = None, parts: bool = False
) -> list[Section]:
    """The sections of a voice in the order that the header's `P:` asks for; as they stand where it asks for none.

    An order that names parts which are not there is not followed. `problems` and `parts` are as in `sections`.
    """
    names = _expand_order(tune.order)
    if not names or not set(names) <= {bar.part for bar in found}:
        return sections(found, problems, parts)
    return _in_order(names, sections(found, problems, parts=True))


def _in_order(names: str, found: list[Section]) -> list[Section]:
    parts: dict[str, list[Section]] = {}
    name = ""
    for section in found:
        name = section.part or name
        parts.setdefault(name, []).append(section)
    # A mark between the endings of one repeat begins no part, and a name that only it has stands for nothing.
    return parts.get("", []) + [section for letter in names for section in parts.get(letter, [])]


def _expand_order(order: str) -> str:
    """`A2(BC)2` as `AABCBC`; empty where it is no order of one-letter parts."""
    order = re.sub(r"[.\s]", "", order)
    if not re.fullmatch(r"[A-Z0-9()]*", order) or len(order) > 100:
        return ""
    while match := re.search(r"\(([^()]*)\)(\d?)|([A-Z])(\d)", order):
        repeated = (match[1] or match[3] or "") * int(match[2] or match[4] or 1)
        order = order[: match.start()] + repeated + order[match.end() :]
        if len(order) > 1000:
            return ""
    return order if order.isalpha() else ""


def bars_as_played(found: Sequence[Section], problems: list[Diagnostic] | None = None) -> list[Bar]:
    """The bars as `iter_bars_as_played`, at most MOST_BARS of them; where there are more, that is added to
    `problems`.
    """
    order = list(islice(iter_bars_as_played(found), MOST_BARS + 1))
    if len(order) > MOST_BARS and problems is not None:
        last = order.pop()
        problems.append(Diagnostic(last.line, last.column, "too long", f"what follows {MOST_BARS} bars is left out"))
    return order[:MOST_BARS]


def iter_bars_as_played(found: Sequence[Section]) -> Iterator[Bar]:
    """The bars in the order in which they are played, repeats and endings played out."""
    for section in found:
        for number in range(1, section.times + 1):
            yield from section.bars
            for ending in section.endings:
                if number in ending.passes:
                    yield from ending.bars
