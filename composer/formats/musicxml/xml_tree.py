"""Parse MusicXML into a tree of elements, and refuse what is damaged, malicious or too large, with its place.

Numbers are checked here, where the line is known, so that other modules can convert them without care.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from composer.api import ReadError
from composer.formats.limits import check_count
from composer.formats.musicxml.attributes import CLEF_CHANGES, clef_of_texts
from composer.formats.unscored import OTHER_FIELDS
from composer.formats.xml_errors import xml_errors_as_read_errors

_HINT = "open it in a notation program and export it again as MusicXML"
_ROOTS = ("score-partwise", "score-timewise")

MAX_BARS = 10_000
"""Per part."""
MAX_PARTS, MAX_DEPTH = 256, 64
MAX_WRITTEN_NOTES = 150_000
"""In a file; each takes about 30 microseconds to read, and as much again when it is checked or encoded."""
MAX_REPEATS = 16
"""Passes of a repeat."""

_LIMITS = {
    "measure": (MAX_BARS, "bars in a part"),
    "part": (MAX_PARTS, "parts"),
    "score-part": (MAX_PARTS, "parts"),
    "note": (MAX_WRITTEN_NOTES, "notes"),
}
"""How many elements of a kind are allowed: notes in all, parts in all or in a bar, bars in all or in a part."""
_INSIDE = {"part": "measure", "measure": "part"}
"""The elements in which others are counted anew, if they are at the top."""
_MAX_PART_BARS = 200_000
"""Bars of all parts together."""

_NUMBER = r"[-+]?\d{1,9}(\.\d{1,9})?"
_WHOLE = r"[-+]?\d{1,3}(\.0{1,9})?"
_ALTERATION = rf"({_NUMBER})?"
_CONTENTS = {
    "beats": (r"\d{1,3}(\s*\+\s*\d{1,3}){0,15}", "meter"),
    "beat-type": (r"1|2|4|8|16|32|64|128|256|512|1024", "meter"),
    "fifths": (r"[-+]?\d{1,2}", "key"),
    "divisions": (r"(?=.*[1-9])\d{1,9}(\.\d{1,9})?", "number of divisions"),
    "duration": (r"\d{1,9}(\.\d{1,9})?", "duration"),
    "offset": (_NUMBER, "offset"),
    "step": (r"[A-G]", "note name"),
    "root-step": (r"[A-G]", "note name"),
    "bass-step": (r"[A-G]", "note name"),
    "octave": (r"-?\d{1,2}", "octave"),
    "alter": (_ALTERATION, "alteration"),
    "root-alter": (_ALTERATION, "alteration"),
    "bass-alter": (_ALTERATION, "alteration"),
    "diatonic": (_WHOLE, "transposition"),
    "chromatic": (_NUMBER, "transposition"),
    "octave-change": (_WHOLE, "transposition"),
    "actual-notes": (r"0*[1-9]\d{0,3}", "tuplet"),
    "normal-notes": (r"0*[1-9]\d{0,3}", "tuplet"),
}
"""Elements with numbers: the allowed content, and a name for messages."""

_SKIPPED = {
    "accidental", "appearance", "beam", "defaults", "footnote", "frame", "lyric", "notehead",
    "notehead-text", "ornaments", "articulations", "dynamics", "print", "slur", "stem", "technical", "tuplet",
}  # fmt: skip
"""Elements that say nothing about what sounds when."""

LYRICS = "syllables of lyrics left out"
_CREATORS = ("lyricist", "poet", "translator", "arranger")
"""Types of `creator` that are counted by name, and others as `creator`."""

ENDINGS = re.compile(r"\s*(\d{1,2}\s*\.?(\s*-\s*\d{1,2}\.?)?([\s,&.]+|$)){0,10}", re.ASCII)
"""Numbers of endings such as `1`, `1, 2` and `1-3`; empty for an ending without a number."""
_TIMES = {str(times) for times in range(MAX_REPEATS + 1)}


def parse_musicxml(data: bytes, name: str) -> Element:
    """Return the root of well-formed MusicXML, without elements that say nothing about what sounds.

    Raises ReadError, with the line, for other XML, damage, impossible numbers, and more than the limits.
    """
    builder = _Builder(name)
    with xml_errors_as_read_errors(name, _HINT):
        try:
            builder.parser.Parse(data, True)
        except expat.ExpatError as error:
            if not builder.has_root:
                raise ReadError(f"{name} is not MusicXML", "check that its suffix is right") from error
            raise
    return builder.tree.close()


def count_unscored(data: bytes, name: str) -> Counter[str]:
    """Count what MusicXML that `parse_musicxml` accepts has and a score has no place for, by phrase as in losses."""
    counter = _UnscoredCounter()
    with xml_errors_as_read_errors(name, _HINT):
        counter.parser.Parse(data, True)
    return +counter.found


class _Builder:
    """Builds the tree as expat reports elements, and raises at whatever is not allowed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tree = TreeBuilder()
        self.depth = self.skipping = self.part_bars = 0
        self.counts: Counter[str] = Counter()
        self.content: list[str] | None = None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._document_type
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    @property
    def has_root(self) -> bool:
        return bool(self.counts)

    def _document_type(self, root: str, system: str | None, public: str | None, has_content: int) -> None:
        if has_content:
            raise ReadError(f"{self.name} declares its own document type, which is not supported", _HINT)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.has_root and tag not in _ROOTS:
            raise ReadError(f"{self.name} is XML, but not MusicXML: it begins with <{tag[:40]}>", _HINT)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ReadError(f"{self.name} has elements nested {self.depth} deep, more than {MAX_DEPTH}", _HINT)
        self._count(tag)
        if self.skipping or tag in _SKIPPED:
            self.skipping += 1
            return
        if tag in _CONTENTS:
            self.content = []
        elif tag == "repeat" and (times := attributes.get("times", "2")) not in _TIMES:
            self._refuse(f"a repeat played '{times[:20]}' times, not 0 to {MAX_REPEATS}")
        elif tag == "ending" and not ENDINGS.fullmatch(number := attributes.get("number", "")):
            self._refuse(f"an ending with an impossible number: '{number[:20]}'")
        self.tree.start(tag, attributes)

    def _count(self, tag: str) -> None:
        self.counts[tag] += 1
        if tag in _LIMITS:
            limit, what = _LIMITS[tag]
            if self.counts[tag] > limit:
                check_count(self.counts[tag], limit, what, self.name)
        if tag in _INSIDE:
            self.part_bars += 1
            if self.part_bars > _MAX_PART_BARS:
                check_count(self.part_bars, _MAX_PART_BARS, "bars", self.name)

    def _characters(self, text: str) -> None:
        if self.skipping:
            return
        self.tree.data(text)
        if self.content is not None:
            self.content.append(text)

    def _end(self, tag: str) -> None:
        self.depth -= 1
        if self.depth == 1 and tag in _INSIDE:
            self.counts[_INSIDE[tag]] = 0
        if self.skipping:
            self.skipping -= 1
            return
        if self.content is not None and tag in _CONTENTS:
            pattern, what = _CONTENTS[tag]
            if not re.fullmatch(pattern, content := "".join(self.content).strip(), re.ASCII):
                self._refuse(f"an impossible {what}: '{content[:20]}'")
            self.content = None
        self.tree.end(tag)

    def _refuse(self, fault: str) -> NoReturn:
        place = f"line {self.parser.CurrentLineNumber}, column {self.parser.CurrentColumnNumber + 1}"
        one_line = " ".join(fault.split())
        raise ReadError(f"{self.name} has {one_line} at {place}", _HINT)


class _UnscoredCounter:
    """Counts syllables, changes of clef, and the creators and rights that have a text, as expat reports elements."""

    def __init__(self) -> None:
        self.found = Counter[str]()
        self._open: list[str] = []
        self._phrase = ""
        self._text = ""
        self._part = self._staff = ""
        self._clef: dict[str, str] = {}
        self._clefs: dict[tuple[str, str], str] = {}
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._open.append(tag)
        if tag == "part":
            self._part = attributes.get("id", "")
        elif tag == "clef":
            self._staff, self._clef = attributes.get("number", "1"), {}
        if self._open[-2:-1] == ["clef"]:
            self._text = ""
            self.parser.CharacterDataHandler = self._characters
        elif phrase := self._phrase_of(tag, attributes):
            self._phrase, self._text = phrase, ""
            self.parser.CharacterDataHandler = self._characters  # only here, since most text is of no interest

    def _phrase_of(self, tag: str, attributes: dict[str, str]) -> str:
        inside = self._open[-2] if len(self._open) > 1 else ""
        if (inside, tag) == ("lyric", "text"):
            return LYRICS
        if (inside, tag) == ("identification", "rights"):
            return OTHER_FIELDS.format("rights")
        kind = attributes.get("type", "")
        if (inside, tag) != ("identification", "creator") or kind == "composer":
            return ""
        return OTHER_FIELDS.format(kind if kind in _CREATORS else "creator")

    def _characters(self, text: str) -> None:
        self._text += text

    def _end(self, tag: str) -> None:
        self._open.pop()
        if self._open[-1:] == ["clef"]:
            self._clef[tag] = self._text
            self.parser.CharacterDataHandler = None
        elif tag == "clef":
            self._count_clef()
        elif self._phrase:
            self.found[self._phrase] += bool(self._text.strip())
            self._phrase = ""
            self.parser.CharacterDataHandler = None

    def _count_clef(self) -> None:
        place = self._part, self._staff
        sign, line, octaves = (self._clef.get(tag, "") for tag in ("sign", "line", "clef-octave-change"))
        clef = clef_of_texts(sign, line, octaves)
        self.found[CLEF_CHANGES] += clef != self._clefs.get(place, clef)
        self._clefs[place] = clef
