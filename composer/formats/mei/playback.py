"""Signs of playback order in MEI: repeats, endings, jumps, and expansions, which list sections in order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple
from xml.etree.ElementTree import Element

from composer.formats.mei.xml_tree import XML_ID, tag
from composer.music.direction_words import Direction, read_direction, with_directions
from composer.music.playback_order import MAX_BARS, BarSigns, missing_signs, playback_order

_OPENS, _CLOSES = ("rptstart", "rptboth"), ("rptend", "rptboth")
_FUNCTIONS = {"coda": "coda", "segno": "segno", "dalSegno": "D.S.", "daCapo": "D.C.", "fine": "fine"}


class _Bar(NamedTuple):
    measure: Element
    sections: tuple[str, ...]
    """Identifiers of the sections and endings that hold the bar, outermost first."""
    endings: frozenset[int]


JUMPS = "jumps to a missing sign left out"
TOO_MANY_BARS = f"bars after the first {MAX_BARS:,} left out"


def bar_order(score: Element) -> tuple[list[int], Counter[str]]:
    """Return the indices of the measures of a score in the order in which they are played, and what is left out."""
    bars = list(_bars(score, (), frozenset()))
    expanded = _expanded(score, bars)
    if expanded is not None:
        return expanded
    signs = _signs(bars)
    missing = len(missing_signs(signs))
    return playback_order(signs), Counter({JUMPS: missing} if missing else {})


def _signs(bars: list[_Bar]) -> list[BarSigns]:
    signs: list[BarSigns] = []
    for at, bar in enumerate(bars):
        right = bar.measure.get("right", "")
        left_of_next = bars[at + 1].measure.get("left", "") if at + 1 < len(bars) else ""
        closes = right in _CLOSES or left_of_next in ("rptend", "rptboth")
        after_repeat = at > 0 and bars[at - 1].measure.get("right") == "rptboth"
        own = BarSigns(
            opens=bar.measure.get("left") in _OPENS or after_repeat,
            times=2 if closes else 1,
            endings=bar.endings,
            divides=at > 0 and bars[at - 1].measure.get("right") in ("dbl", "rptend"),
        )
        signs.append(with_directions(own, _directions(bar.measure)))
    return signs


def _bars(parent: Element, sections: tuple[str, ...], endings: frozenset[int]) -> Iterator[_Bar]:
    for element in parent:
        if element.tag == tag("measure"):
            yield _Bar(element, sections, endings)
        elif element.tag in (tag("section"), tag("ending")):
            numbers = _numbers(element.get("n", "")) if element.tag == tag("ending") else endings
            yield from _bars(element, (*sections, element.get(XML_ID, "")), numbers)


def _numbers(text: str) -> frozenset[int]:
    """Return the passes of an ending such as `1`, `1, 2` or `1-3`."""
    passes: set[int] = set()
    for first, last in re.findall(r"(\d{1,2})(?:\s*-\s*(\d{1,2}))?", text):
        passes.update(range(int(first), int(last or first) + 1))
    return frozenset(passes)


def _directions(measure: Element) -> Iterator[Direction]:
    for element in measure:
        text = "".join(element.itertext())
        if element.tag == tag("repeatMark"):
            text = text.strip() or _FUNCTIONS.get(element.get("func", ""), "")
        elif element.tag not in (tag("dir"), tag("tempo")):
            continue
        if direction := read_direction(" ".join(text.split())):
            yield direction


def _expanded(score: Element, bars: list[_Bar]) -> tuple[list[int], Counter[str]] | None:
    """Return the order of the first expansion whose sections are known, at most `MAX_BARS`, and the count of the rest.

    Return None without such an expansion. Bars before and after the sections that it names are played once.
    """
    places: dict[str, list[int]] = {}
    for at, bar in enumerate(bars):
        for name in set(bar.sections):
            places.setdefault(name, []).append(at)
    for expansion in score.iter(tag("expansion")):
        names = [name.removeprefix("#") for name in expansion.get("plist", "").split()]
        if not names or not all(name in places for name in names):
            continue
        before = range(min(places[name][0] for name in names))
        after = range(max(places[name][-1] for name in names) + 1, len(bars))
        length = len(before) + sum(len(places[name]) for name in names) + len(after)
        order = chain(before, chain.from_iterable(places[name] for name in names), after)
        return list(islice(order, MAX_BARS)), +Counter({TOO_MANY_BARS: length - MAX_BARS})
    return None
