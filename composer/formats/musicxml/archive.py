"""Unpack compressed MusicXML (.mxl), a zip archive whose container names the score."""

from __future__ import annotations

import io
import zipfile
import zlib
from xml.parsers import expat

from composer.api import ReadError
from composer.api.limits import limit_hint, raised
from composer.system.archives import open_archive, unpack

_HINT = "open it in a notation program and export it again as MusicXML"
_CONTAINER = "META-INF/container.xml"
_MAX_CONTAINER = 64 * 1024
"""Bytes of the container that are read."""


def is_archive(data: bytes) -> bool:
    """Return whether `data` is a zip archive."""
    return data[:4] == b"PK\x03\x04"


def unpack_archive(data: bytes, name: str, limit: int) -> bytes:
    """Return the score that the container of the archive `data` names, or else the first MusicXML in it.

    Raises ReadError if it is larger than `limit` bytes.
    """
    try:
        with open_archive(io.BytesIO(data), name) as archive:
            member = _score_name(archive)
            if member is None:
                raise ReadError(f"{name} is an archive without MusicXML", _HINT)
            content = unpack(archive, member, raised(limit))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise ReadError(f"{name} is a damaged archive", _HINT) from error
    if len(content) > raised(limit):
        hint = limit_hint("split it into smaller files")
        raise ReadError(f"{name} unpacks to more than {raised(limit) // 2**20:,} MB", hint)
    return content


def _score_name(archive: zipfile.ZipFile) -> str | None:
    members = archive.namelist()
    if _CONTAINER in members:
        container = unpack(archive, _CONTAINER, _MAX_CONTAINER - 1)
        named = [each for each in _root_files(container) if each in members]
        if named:
            return named[0]
    scores = (each for each in members if each.lower().endswith((".xml", ".musicxml")))
    return next((each for each in scores if not each.startswith(("META-INF", "__MACOSX"))), None)


def _root_files(container: bytes) -> list[str]:
    """Return the paths of the MusicXML files that a container lists; empty if it is damaged."""
    found: list[str] = []

    def element(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "rootfile" and "musicxml" in attributes.get("media-type", "musicxml"):
            found.append(attributes.get("full-path", ""))

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    try:
        parser.Parse(container, True)
    except (expat.ExpatError, LookupError, ValueError):
        return []
    return found
