"""Parse MEI into a tree of elements, and refuse what is damaged, malicious or too large, with its place."""

from __future__ import annotations

import re
from collections import Counter
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from composer.api import ReadError
from composer.formats.limits import check_count
from composer.formats.xml_errors import xml_errors_as_read_errors

NAMESPACE = "http://www.music-encoding.org/ns/mei"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
MEI_HINT = "open it in a notation program and export it again as MEI or MusicXML"

MAX_DEPTH = 64
_LIMITS = {"measure": (5000, "bars"), "staffDef": (500, "staff definitions"), "note": (50_000, "notes")}
"""How many elements of a kind are allowed."""
_NUMBERS = {"dots", "num", "numbase", "oct", "meter.count", "meter.unit", "count", "unit", "trans.semi", "trans.diat"}
_NUMBER = re.compile(r"[-+]?\d{1,3}(\+\d{1,3}){0,15}")
"""Allowed values of attributes with numbers, since music21 counts up to them."""


def tag(name: str) -> str:
    """Return the name of MEI's element `name` in a tree."""
    return f"{{{NAMESPACE}}}{name}"


def parse_mei(data: bytes, name: str) -> Element:
    """Return the root of well-formed MEI. Raises ReadError for other XML, damage, and more than the limits."""
    builder = _Builder(name)
    with xml_errors_as_read_errors(name, MEI_HINT):
        builder.parser.Parse(data, True)
    return builder.tree.close()


class _Builder:
    """Builds the tree as expat reports elements, and raises at whatever is not allowed."""

    def __init__(self, name: str) -> None:
        self.name, self.depth = name, 0
        self.tree = TreeBuilder()
        self.counts: Counter[str] = Counter()
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._document_type
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.tree.data

    def _document_type(self, root: str, system: str | None, public: str | None, has_content: int) -> None:
        if has_content:
            raise ReadError(f"{self.name} declares its own document type, which is not supported", MEI_HINT)

    def _start(self, full_name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ReadError(f"{self.name} has elements nested {self.depth} deep, more than {MAX_DEPTH}", MEI_HINT)
        local = full_name.rpartition("}")[2]
        self.counts[local] += 1
        if local in _LIMITS:
            limit, what = _LIMITS[local]
            if self.counts[local] > limit:
                check_count(self.counts[local], limit, what, self.name)
        for key in _NUMBERS & attributes.keys():
            if not _NUMBER.fullmatch(value := "".join(attributes[key].split())):
                self._refuse(f"an impossible {key}: '{value[:20]}'")
        self.tree.start(_qualified(full_name), {_qualified(key): value for key, value in attributes.items()})

    def _end(self, full_name: str) -> None:
        self.depth -= 1
        self.tree.end(_qualified(full_name))

    def _refuse(self, fault: str) -> NoReturn:
        place = f"line {self.parser.CurrentLineNumber}, column {self.parser.CurrentColumnNumber + 1}"
        raise ReadError(f"{self.name} has {fault} at {place}", MEI_HINT)


def _qualified(name: str) -> str:
    return f"{{{name}" if "}" in name else name
