"""Rewrite signs of measure repeat and tempos as note values in MEI, which converter21 does not read."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from xml.etree.ElementTree import Element

from composer.api import ReadError
from composer.formats.mei.xml_tree import XML_ID, tag

_DISTANCES = {tag("mRpt"): 1, tag("mRpt2"): 2}
MAX_COPIES = 10_000
"""How many elements all signs of measure repeat may add: they take about 2 s, for files of a few kilobytes."""
_REFERENCES = {"startid", "endid", "plist", "corresp", "sameas", "copyof"}


def prepare(root: Element, name: str) -> None:
    """Replace signs of measure repeat by the notes of the bar that they repeat, and give each tempo its `midi.bpm`.

    Tempos of a `<scoreDef>` are moved into the bar after it. Words without a number become directions, since music21
    would make up a number for them. Raises ReadError, with the bar, for repeats of too many notes.
    """
    left = MAX_COPIES
    for score in root.iter(tag("score")):
        left = _fill_repeated_bars(score, name, left)
        _move_tempos(score)
    for element in root.iter(tag("tempo")):
        if (bpm := quarters_per_minute(element)) is not None:
            element.set("midi.bpm", f"{bpm:g}")
        else:
            element.tag = tag("dir")


def quarters_per_minute(element: Element) -> float | None:
    """Return the tempo in the attributes of `<tempo>` or `<scoreDef>`, None if there is none."""
    try:
        names = ("midi.bpm", "midi.mspb", "mm", "mm.unit", "mm.dots")
        bpm, microseconds, number, unit, dots = (float(element.get(name, "0")) for name in names)
    except ValueError:
        return None
    if microseconds > 0 and not bpm:
        bpm = 60_000_000 / microseconds
    if number > 0 and not bpm and 0 <= dots <= 3:
        bpm = number * 4 / (unit if unit >= 1 else 4) * (2 - 0.5**dots)
    return bpm if 1 <= bpm <= 10_000 else None


def _move_tempos(score: Element) -> None:
    bpm: float | None = None
    for element in score.iter():
        if element.tag == tag("scoreDef"):
            bpm = quarters_per_minute(element) or bpm
            for name in ("midi.bpm", "midi.mspb"):
                element.attrib.pop(name, None)
        elif element.tag == tag("measure") and bpm is not None:
            own = [each for each in element.iterfind(tag("tempo")) if each.get("tstamp") in (None, "1", "1.0")]
            if not any(quarters_per_minute(each) for each in own):
                element.append(Element(tag("tempo"), {"tstamp": "1", "midi.bpm": f"{bpm:g}"}))
            bpm = None


def _fill_repeated_bars(score: Element, name: str, left: int) -> int:
    """Replace signs of measure repeat by at most `left` elements, and return how many of these remain."""
    layers: dict[tuple[str, str], list[tuple[Element, int]]] = {}
    for number, measure in enumerate(score.iter(tag("measure")), 1):
        for staff in measure.iterfind(tag("staff")):
            for layer in staff.iterfind(tag("layer")):
                before = layers.setdefault((staff.get("n", ""), layer.get("n", "1")), [])
                filled: list[Element] = []
                for element in layer:
                    distance = _DISTANCES.get(element.tag, 0)
                    if not 0 < distance <= len(before):
                        filled.append(element)
                        continue
                    repeated, size = before[-distance]
                    left -= size
                    if left < 0:
                        place = f"bar {measure.get('n', str(number))[:20]}"
                        fault = f"repeats more than {MAX_COPIES:,} elements by signs of measure repeat, at {place}"
                        raise ReadError(f"{name} {fault}", "split it into smaller files")
                    filled.extend(_copies(repeated))
                layer[:] = filled
                before.append((layer, _size(layer)))
    return left


def _size(layer: Element) -> int:
    """Return the number of elements; 200 characters of text or attributes count as one more."""
    return sum(
        1 + sum(map(len, (each.text or "", each.tail or "", *each.attrib.values()))) // 200 for each in layer.iter()
    )


def _copies(layer: Element) -> Iterator[Element]:
    """Yield copies of the elements of a layer, without identifiers."""
    for element in layer:
        copied = deepcopy(element)
        for each in copied.iter():
            for name in ({XML_ID} | _REFERENCES) & each.attrib.keys():
                del each.attrib[name]
        yield copied
