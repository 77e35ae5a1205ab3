"""What a MusicXML file must be before it is read as music: an honest archive, and XML that declares nothing."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from xml.parsers import expat

from composer.api import ReadError

_HINT = "open it in a notation program and export it again as MusicXML"
_ROOTS = ("score-partwise", "score-timewise")


def unpacked(data: bytes, name: str, limit: int) -> bytes:
    """The MusicXML file inside the archive `data`: its first member that is a score, at most `limit` bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            scores = [member for member in archive.infolist() if _is_score(member.filename)]
            if not scores:
                raise ReadError(f"{name} is an archive without MusicXML", _HINT)
            with archive.open(scores[0]) as stream:
                content = stream.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise ReadError(f"{name} is a damaged archive", _HINT) from error
    if len(content) > limit:
        raise ReadError(f"{name} unpacks to more than {limit // 2**20} MB", "split it into smaller files")
    return content


def checked(data: bytes, name: str) -> str:
    """`data` as text, once it is found to be well-formed MusicXML, without a document type's content or entities."""
    gate = _Gate(name)
    try:
        gate.parser.Parse(data, True)
    except expat.ExpatError as error:
        if not gate.entered:
            raise ReadError(f"{name} is neither MusicXML nor kern", "check that its suffix says what it is") from error
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise ReadError(f"{name} is broken at {place}: {expat.ErrorString(error.code)}", _HINT) from error
    except (LookupError, ValueError) as error:
        raise ReadError(f"{name} is in an encoding that is not known", _HINT) from error
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else gate.encoding
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    return re.sub(r"^\s*<\?xml.*?\?>", "", text, count=1, flags=re.DOTALL)


class _Gate:
    """An XML parser that keeps nothing, and stops at what must not pass."""

    def __init__(self, name: str) -> None:
        self.name, self.encoding, self.entered = name, "utf-8", False
        self.parser = expat.ParserCreate()
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._document_type
        self.parser.StartElementHandler = self._element

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        self.encoding = encoding or "utf-8"

    def _document_type(self, root: str, system: str | None, public: str | None, has_content: int) -> None:
        if has_content:
            raise ReadError(f"{self.name} declares a document type of its own, which is not read", _HINT)

    def _element(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.entered and tag not in _ROOTS:
            raise ReadError(f"{self.name} is XML, but not MusicXML: it begins with <{tag[:40]}>", _HINT)
        self.entered = True


def _is_score(filename: str) -> bool:
    return filename.lower().endswith((".xml", ".musicxml")) and not filename.startswith("META-INF")
