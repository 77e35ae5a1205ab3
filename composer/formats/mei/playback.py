"""Signs of playback order in MEI: repeats, endings, jumps, and expansions, which list sections in order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

from composer.formats.mei.xml_tree import XML_ID, tag
from composer.music.direction_words import NAME, Direction, read_direction
from composer.music.playback_order import MAX_BARS, BarSigns, missing_signs, playback_order

_OPENS, _CLOSES = ("rptstart", "rptboth"), ("rptend", "rptboth")
_FUNCTIONS = {"coda": "coda", "segno": "segno", "dalSegno": "D.S.", "daCapo": "D.C.", "fine": "fine"}


class _Bar(NamedTuple):
    measure: Element
    sections: tuple[str, ...]
    """Identifiers of the sections and endings that hold the bar, outermost first."""
    endings: frozenset[int]


JUMPS = "jumps to a missing sign left out"


def bar_order(score: Element) -> tuple[list[int], Counter[str]]:
    """Return the indices of the measures of a score in the order in which they are played, and jumps left out."""
    bars = list(_bars(score, (), frozenset()))
    order = _expanded(score, bars)
    if order is not None:
        return order, Counter()
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
        directions = list(_directions(bar.measure))
        kinds = {each.kind for each in directions}
        signs.append(
            BarSigns(
                opens=bar.measure.get("left") in _OPENS or after_repeat,
                times=2 if closes else 1,
                endings=bar.endings,
                divides=at > 0 and bars[at - 1].measure.get("right") in ("dbl", "rptend"),
                segno=NAME if "segno" in kinds else "",
                coda=NAME if "coda" in kinds else "",
                to_coda=NAME if "to coda" in kinds else "",
                fine="fine" in kinds,
                jump=next((each.jump for each in directions if each.kind == "jump"), None),
            )
        )
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


def _expanded(score: Element, bars: list[_Bar]) -> list[int] | None:
    """Return the order of the first expansion whose sections are known; None without one.

    What comes before and after the sections that it names is played once.
    """
    for expansion in score.iter(tag("expansion")):
        names = [name.removeprefix("#") for name in expansion.get("plist", "").split()]
        places = {name: [at for at, bar in enumerate(bars) if name in bar.sections] for name in names}
        named = {at for found in places.values() for at in found}
        if not names or not all(places.values()):
            continue
        before = range(min(named))
        after = range(max(named) + 1, len(bars))
        return [*before, *(at for name in names for at in places[name]), *after][:MAX_BARS]
    return None
