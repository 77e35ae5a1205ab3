"""Read MusicXML, packed (mxl) or not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from xml.etree.ElementTree import Element

from composer.api import ReadError, Score, Source
from composer.api.limits import limit_hint
from composer.formats.limits import check_size, exceeded_limit
from composer.formats.musicxml.archive import is_archive, unpack_archive
from composer.formats.musicxml.cache import through_cache
from composer.formats.musicxml.elements import Bar
from composer.formats.musicxml.library import MARK_FIELD
from composer.formats.musicxml.measure_repeats import NoteCount
from composer.formats.musicxml.part_list import PartInfo, read_part_list
from composer.formats.musicxml.part_reader import read_part
from composer.formats.musicxml.score import Voice, build_score, voices_by_staff
from composer.formats.musicxml.xml_tree import count_unscored, parse_musicxml

MAX_BYTES = 32 * 1024 * 1024
"""The largest file, packed or unpacked."""

VERSION = 14
"""Part of the cache key; increase it whenever the same bytes give another score."""

_HINT = "open it in a notation program and export it again as MusicXML"
_MARK = re.compile(re.escape(MARK_FIELD) + rb"([^<]*)<")


def read_pieces(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score]]:
    """Yield the name and score of the file. Raises ReadError as `read_notation` does, and for a piece beyond limits."""
    score = read_notation(source.bytes(), source.label, temporary=source.temporary)
    if fault := exceeded_limit(score):
        raise ReadError(f"{source.label} {fault}", limit_hint("shorten it, or split it into smaller files"))
    yield source.label, score


def unscored(source: Source) -> Iterator[Mapping[str, int]]:
    """Yield how often the piece in `source`, which can be read, has what a score has no place for, such as lyrics."""
    yield count_unscored(_unpacked(source.bytes(), source.label), source.label)


def find_marks(data: bytes) -> Iterator[str]:
    """Yield what `writer.mark` inserted."""
    from xml.sax.saxutils import unescape

    for match in _MARK.finditer(data):
        yield unescape(match[1].decode("ascii", "replace"), {"&quot;": '"', "&apos;": "'"})


def read_notation(data: bytes, name: str, *, temporary: bool = False) -> Score:
    """Return the score in MusicXML, packed (mxl) or not, with repeats played out and ties joined.

    Scores read before come from the cache, unless the data is `temporary`. Raises ReadError, naming the file, also for
    input that is refused for safety: entity declarations, document types with content, and archives that unpack to more
    than MAX_BYTES.
    """
    check_size(data, name, MAX_BYTES)
    if not data.strip():
        raise ReadError(f"{name} is empty", _HINT)
    return through_cache(data, f"MusicXML {VERSION}", lambda: _read(data, name), temporary=temporary)


def read_voices(data: bytes, name: str) -> list[list[Voice]]:
    """Return the voices of each staff, which a score does not tell apart.

    Raises ReadError as `read_notation` does.
    """
    check_size(data, name, MAX_BYTES)
    return voices_by_staff(_bars(parse_musicxml(_unpacked(data, name), name), name))


def _unpacked(data: bytes, name: str) -> bytes:
    return unpack_archive(data, name, MAX_BYTES) if is_archive(data) else data


def _read(data: bytes, name: str) -> Score:
    score = read_musicxml(_unpacked(data, name), name)
    if not score.is_audible:
        raise ReadError(f"{name} has no notes", "choose a file with music in it")
    return score


def read_musicxml(data: bytes, name: str) -> Score:
    """Return the score in unpacked MusicXML; it may be silent. Raises ReadError as `parse_musicxml` does."""
    root = parse_musicxml(data, name)
    return replace(build_score(_bars(root, name), _title(root)), composers=tuple(_composers(root)))


def _bars(root: Element, name: str) -> list[list[Bar]]:
    """Return the bars of each part."""
    declared = read_part_list(root)
    copied = NoteCount(name)
    return [read_part(measures, declared.get(part, PartInfo()), copied) for part, measures in _parts(root).items()]


def _parts(root: Element) -> dict[str, list[Element]]:
    """Return the elements that hold the bars of each part, by its id, whether the file is sorted by part or by bar."""
    found: defaultdict[str, list[Element]] = defaultdict(list)
    if root.tag == "score-partwise":
        for part in root.iterfind("part"):
            found[part.get("id", "")] += part.iterfind("measure")
        return found
    for number, measure in enumerate(root.iterfind("measure")):
        for part in measure.iterfind("part"):
            bars = found[part.get("id", "")]
            bars += (Element("measure") for _ in range(number - len(bars)))
            bars.append(part)
    return found


def _composers(root: Element) -> Iterator[str]:
    for creator in root.iterfind("identification/creator[@type='composer']"):
        if name := " ".join("".join(creator.itertext()).split()):
            yield name


def _title(root: Element) -> str:
    places = ("work/work-title", "movement-title", "credit[credit-type='title']/credit-words")
    titles = (" ".join((root.findtext(place) or "").split()) for place in places)
    return next((title for title in titles if title), "")
