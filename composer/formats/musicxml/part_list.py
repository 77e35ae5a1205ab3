"""The part list of MusicXML: names of parts, and the programs and channels of their instruments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from composer.formats.musicxml.percussion import DRUM_CHANNEL
from composer.music.instruments import INSTRUMENTS


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument of a part. `program` is 0 to 127; `sound` is the MIDI number of its percussion sound, if any."""

    name: str = ""
    program: int = 0
    percussion: bool = False
    sound: int | None = None


@dataclass(frozen=True, slots=True)
class PartInfo:
    """The name of a part, and its instruments by id, the usual one first."""

    name: str = ""
    instruments: Mapping[str, Instrument] = field(default_factory=dict)

    @property
    def sounds(self) -> set[int]:
        """The percussion sounds of all instruments."""
        return {each.sound for each in self.instruments.values() if each.sound is not None}

    def instrument(self, named: str | None) -> Instrument | None:
        """Return the instrument of a note that names `named`, or nothing; None if it is unknown."""
        if named is None:
            return next(iter(self.instruments.values()), Instrument())
        return self.instruments.get(named)


def read_part_list(root: Element) -> dict[str, PartInfo]:
    """Return the parts by id."""
    return {
        declared.get("id", ""): PartInfo(_part_name(declared), _instruments(declared))
        for declared in root.iterfind("part-list/score-part")
    }


def _part_name(declared: Element) -> str:
    """Return the name of a part; that of its first instrument, which is not shown, only without an element for it."""
    tag = "part-name" if declared.find("part-name") is not None else "score-instrument/instrument-name"
    return _text(declared, tag)


def _instruments(declared: Element) -> dict[str, Instrument]:
    names = {each.get("id", ""): _text(each, "instrument-name") for each in declared.iterfind("score-instrument")}
    played = {each.get("id", ""): each for each in declared.iterfind("midi-instrument")}
    fallback = _part_name(declared)
    keys = [*{**names, **played}] or [""]
    return {key: _instrument(names.get(key, ""), fallback, played.get(key)) for key in keys}


def _instrument(name: str, part_name: str, midi: Element | None) -> Instrument:
    program = _number(midi, "midi-program")
    if program is None:
        program = program_of_name(name) or program_of_name(part_name)
    percussion = _number(midi, "midi-channel") == DRUM_CHANNEL - 1
    return Instrument(name, 0 if percussion else program, percussion, _number(midi, "midi-unpitched"))


def _number(midi: Element | None, tag: str) -> int | None:
    """Return a number from 0 to 127, which MusicXML counts from 1; None if it is missing or invalid."""
    text = "" if midi is None else _text(midi, tag)
    return max(int(text) - 1, 0) if re.fullmatch(r"\d{1,3}", text, re.ASCII) and int(text) <= 128 else None


def _text(element: Element, tag: str) -> str:
    return " ".join((element.findtext(tag) or "").split())


_OTHER_NAMES = {
    "soprano": 52, "alto": 52, "tenor": 52, "voice": 52, "choir": 52, "mezzo soprano": 52, "baritone": 52,
    "violoncello": 42, "double bass": 43, "harp": 46, "guitar": 24, "electric guitar": 27, "bass guitar": 33,
    "organ": 19, "horn": 60, "cor anglais": 69, "soprano saxophone": 64, "alto saxophone": 65, "tenor saxophone": 66,
    "baritone saxophone": 67, "bass clarinet": 71, "strings": 48, "synthesizer": 80,
}  # fmt: skip
"""Usual names of instruments that General MIDI calls otherwise, with their programs."""

_NAMED = {name: program for program, name in enumerate(INSTRUMENTS)} | _OTHER_NAMES
_ADDED = re.compile(r"\bin [a-h]\b( flat| sharp)?|\b[a-h]([b♭]| flat)? (?=\w)|\b(\d+|i{1,3}|iv)\b|[^a-z ]")
"""What names of parts add to those of instruments: keys and numbers."""


def program_of_name(name: str) -> int:
    """Return the General MIDI program of a name such as `Clarinet in Bb` or `Violin II`; 0 for any other name."""
    plain = " ".join(name.lower().replace("♭", "b").replace(".", " ").replace("-", " ").split())
    plain = re.sub(r"\bin ([a-h])b\b", r"in \1 flat", plain)
    return _NAMED.get(plain, _NAMED.get(" ".join(_ADDED.sub(" ", plain).split()), 0))
