"""Rewrite what converter21 does not read in MEI: signs that repeat a bar, and tempos given as note values."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from xml.etree.ElementTree import Element

from composer.formats.mei.xml_tree import XML_ID, tag

_DISTANCES = {tag("mRpt"): 1, tag("mRpt2"): 2}
_REFERENCES = {"startid", "endid", "plist", "corresp", "sameas", "copyof"}


def prepare(root: Element) -> None:
    """Replace signs of measure repeats by the notes that they stand for, and give each tempo its `midi.bpm`.

    Tempos of a `<scoreDef>` are moved into the bar after it. Words without a number become directions, since music21
    would make up a number for them.
    """
    for score in root.iter(tag("score")):
        _fill_repeated_bars(score)
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


def _fill_repeated_bars(score: Element) -> None:
    layers: dict[tuple[str, str], list[Element]] = {}
    for measure in score.iter(tag("measure")):
        for staff in measure.iterfind(tag("staff")):
            for layer in staff.iterfind(tag("layer")):
                place = staff.get("n", ""), layer.get("n", "1")
                before = layers.setdefault(place, [])
                for sign in [each for each in layer if each.tag in _DISTANCES]:
                    distance = _DISTANCES[sign.tag]
                    if len(before) >= distance:
                        at = list(layer).index(sign)
                        layer.remove(sign)
                        layer[at:at] = _copies(before[-distance])
                before.append(layer)


def _copies(layer: Element) -> Iterator[Element]:
    """Yield copies of the elements of a layer, without identifiers."""
    for element in layer:
        copied = deepcopy(element)
        for each in copied.iter():
            for name in ({XML_ID} | _REFERENCES) & each.attrib.keys():
                del each.attrib[name]
        yield copied
