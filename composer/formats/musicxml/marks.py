"""Signs of playback order in bar lines, directions and `sound` elements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal
from xml.etree.ElementTree import Element

from composer.formats.musicxml.elements import Mark
from composer.music.direction_words import mentions_jump, read_direction
from composer.music.playback_order import Jump

MAX_ENDING = 64

_DOUBLE: dict[str, Literal["final bar line", "double bar line"]] = {
    "light-heavy": "final bar line",
    "light-light": "double bar line",
}
"""Styles of bar lines that end a section."""

BEFORE = Fraction(-1)
"""The place of signs that belong to the end of the bar before."""


def marks_of_bar_line(element: Element, at: Fraction) -> Iterator[Mark]:
    """Yield the signs of a `barline` element at its place in the bar, or at its left or right.

    At the left, what ends something ends the bar before.
    """
    location = element.get("location", "right")
    at, at_end = (Fraction(0), False) if location == "left" else (at, location == "right")
    end = BEFORE if location == "left" else at
    repeat, ending = element.find("repeat"), element.find("ending")
    if ending is not None and ending.get("type") == "start":
        yield Mark("ending starts", at, numbers=ending_numbers(ending), at_end=at_end)
    if repeat is not None:
        if repeat.get("direction") == "forward":
            yield Mark("repeat starts", at, at_end=at_end)
        else:
            again = repeat.get("after-jump") == "yes"
            yield Mark("repeat ends", end, times=int(repeat.get("times", "2")), at_end=at_end, after_jump=again)
    elif (style := (element.findtext("bar-style") or "").strip()) in _DOUBLE:
        yield Mark(_DOUBLE[style], end, at_end=at_end)
    if ending is not None and ending.get("type") in {"stop", "discontinue"}:
        yield Mark("ending stops", end, numbers=ending_numbers(ending), at_end=at_end)
    for tag in ("segno", "coda"):
        if tag in element.attrib or element.find(tag) is not None:
            kind = "segno" if tag == "segno" else "coda" if tag in element.attrib else "coda sign"
            yield Mark(kind, at, element.get(tag, ""), at_end=at_end)  # type: ignore[arg-type]


def ending_numbers(ending: Element) -> frozenset[int]:
    """Return the passes of an ending: of `1, 2` and of `1-3`; empty if it has no number."""
    text = ending.get("number", "").strip() or (ending.text or "")[:40]
    found: set[int] = set()
    for first, last in re.findall(r"(\d{1,2})\s*\.?(?:\s*-\s*(\d{1,2}))?", text):
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found & set(range(1, MAX_ENDING + 1)))


def marks_of_sound(sound: Element, at: Fraction) -> Iterator[Mark]:
    """Yield the signs of a `sound` element."""
    if sound.get("forward-repeat") == "yes":
        yield Mark("repeat starts", at)
    if name := sound.get("segno"):
        yield Mark("segno", at, name)
    if name := sound.get("coda"):
        yield Mark("coda", at, name)
    if name := sound.get("tocoda"):
        yield Mark("to coda", at, name)
    if sound.get("fine", "no") != "no":
        yield Mark("fine", at)
    if sound.get("dacapo") == "yes":
        yield Mark("jump", at)
    elif name := sound.get("dalsegno"):
        yield Mark("jump", at, jump=Jump(name))


def marks_of_direction(direction: Element, at: Fraction) -> Iterator[Mark]:
    """Yield the signs of a `direction` element: those of its `sound`, or else of its words and symbols.

    The words then only say until where a jump goes (`D.S. al Coda`). Words that seem to be a jump, but are not
    understood (`Menuetto D.C. senza replica`), are `unclear`.
    """
    pieces = [
        {"segno": "Segno", "coda": "Coda"}.get(each.tag) or " ".join((each.text or "").split())
        for kind in direction.iterfind("direction-type")
        for each in kind
        if each.tag in {"words", "rehearsal", "segno", "coda"}
    ]
    said = list(_marks_of_words(pieces, at))
    jumps = [mark.jump for mark in said if mark.kind == "jump"]
    sounding = [mark for sound in direction.iterfind("sound") for mark in marks_of_sound(sound, at)]
    for mark in sounding:
        adds = mark.kind == "jump" and jumps
        yield mark._replace(jump=mark.jump._replace(until=jumps[0].until)) if adds else mark
    if not any(mark.kind != "repeat starts" for mark in sounding):
        symbols = {each.tag for each in direction.iterfind("direction-type/*")}
        for mark in said:
            # without a word that says so, the symbol may also be where to leave
            bare = mark.kind == "coda" and "coda" in symbols
            yield mark._replace(kind="coda sign") if bare else mark


def _marks_of_words(pieces: list[str], at: Fraction) -> Iterator[Mark]:
    text = " ".join(pieces)
    whole = read_direction(text)
    found = [whole] if whole is not None else [each for each in map(read_direction, pieces) if each is not None]
    for each in found:
        yield Mark(each.kind, at, jump=each.jump)
    if mentions_jump(text) and not any(each.kind == "jump" for each in found):
        yield Mark("unclear", at)
