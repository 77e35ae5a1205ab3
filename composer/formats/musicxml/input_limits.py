"""Check notation files before music21 reads them, which would take hours over malicious or damaged ones:
archives, XML without declarations, and limits on bars, parts, notes, meters, keys and repeats.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from xml.parsers import expat

from composer.api import ReadError

_HINT = "open it in a notation program and export it again as MusicXML"
_ROOT = "score-partwise"

MAX_BARS = 2000
"""Per part. music21 takes a second for the first thousand bars and four for the second."""
MAX_PARTS, MAX_NOTES, MAX_DEPTH = 256, 200_000, 64
MAX_REPEATS = 16
"""Passes of a repeat."""

_CONTENTS = {"beats": (r"\d{1,3}(\+\d{1,3}){0,15}", "meter"), "fifths": (r"[-+]?\d{1,2}", "key")}
"""Elements that music21 counts up to: the allowed content, and a name for messages."""

_ENDINGS = re.compile(r"[1-9]?[0-9]?([ ,]+[1-9][0-9]?){0,9}")


def unpack_archive(data: bytes, name: str, limit: int) -> bytes:
    """Return the first score in the archive `data`. Raises ReadError if it is larger than `limit` bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [each for each in archive.infolist() if each.filename.lower().endswith((".xml", ".musicxml"))]
            scores = [each for each in members if not each.filename.startswith("META-INF")]
            if not scores:
                raise ReadError(f"{name} is an archive without MusicXML", _HINT)
            with archive.open(scores[0]) as stream:
                content = stream.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise ReadError(f"{name} is a damaged archive", _HINT) from error
    if len(content) > limit:
        raise ReadError(f"{name} unpacks to more than {limit // 2**20} MB", "split it into smaller files")
    return content


def check_musicxml(data: bytes, name: str) -> str:
    """Decode well-formed MusicXML without entities or content in its document type. Raises ReadError for others."""
    gate = _LimitChecker(name)
    try:
        gate.parser.Parse(data, True)
    except expat.ExpatError as error:
        if not gate.has_root:
            raise ReadError(f"{name} is not MusicXML", "check that its suffix is right") from error
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise ReadError(f"{name} is invalid XML at {place}: {expat.ErrorString(error.code)}", _HINT) from error
    except (LookupError, ValueError) as error:
        raise ReadError(f"{name} has an unknown encoding", _HINT) from error
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else gate.encoding
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    return re.sub(r"^\s*<\?xml.*?\?>", "", text, count=1, flags=re.DOTALL)


def _check_limit(name: str, what: str, count: int, limit: int) -> None:
    if count > limit:
        raise ReadError(f"{name} has more than {limit:,} {what}", "split it into smaller files")


class _LimitChecker:
    """An XML parser that stores nothing and raises at whatever is not allowed."""

    def __init__(self, name: str) -> None:
        self.name, self.encoding = name, "utf-8"
        self.depth = self.bars = 0
        self.counts: Counter[str] = Counter()
        self.content: list[str] | None = None
        self.parser = expat.ParserCreate()
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._document_type
        self.parser.StartElementHandler = self._element
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    @property
    def has_root(self) -> bool:
        return bool(self.counts)

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        self.encoding = encoding or "utf-8"

    def _document_type(self, root: str, system: str | None, public: str | None, has_content: int) -> None:
        if has_content:
            raise ReadError(f"{self.name} declares its own document type, which is not supported", _HINT)

    def _element(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.has_root and tag == "score-timewise":
            raise ReadError(f"{self.name} is timewise MusicXML, which is not supported", _HINT)
        if not self.has_root and tag != _ROOT:
            raise ReadError(f"{self.name} is XML, but not MusicXML: it begins with <{tag[:40]}>", _HINT)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ReadError(f"{self.name} has elements nested {self.depth} deep, more than {MAX_DEPTH}", _HINT)
        self.counts[tag] += 1
        if tag in _COUNT_LIMITS:
            what, limit = _COUNT_LIMITS[tag]
            _check_limit(self.name, what, self.counts[tag], limit)
        if tag == "part":
            self.counts["measure"] = 0
        elif tag in _CONTENTS:
            self.content = []
        elif tag == "repeat" and (times := attributes.get("times", "2")) not in _REPEAT_COUNTS:
            raise ReadError(f"{self.name} has a repeat played '{times[:20]}' times, not 0 to {MAX_REPEATS}", _HINT)
        elif tag == "ending" and not _ENDINGS.fullmatch(number := attributes.get("number", "").strip()):
            raise ReadError(f"{self.name} has an ending with an impossible number: '{number[:20]}'", _HINT)

    def _characters(self, text: str) -> None:
        if self.content is not None:
            self.content.append(text)

    def _end(self, tag: str) -> None:
        self.depth -= 1
        if tag in _CONTENTS and self.content is not None:
            pattern, what = _CONTENTS[tag]
            if not re.fullmatch(pattern, content := "".join("".join(self.content).split())):
                raise ReadError(f"{self.name} has an impossible {what}: '{content[:20]}'", _HINT)
            self.content = None


_REPEAT_COUNTS = {str(times) for times in range(MAX_REPEATS + 1)}
_COUNT_LIMITS = {"measure": ("bars in a part", MAX_BARS), "part": ("parts", MAX_PARTS), "note": ("notes", MAX_NOTES)}
