"""Sheet music: a score as SVG pages, engraved by Verovio from our MusicXML."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any, NamedTuple
from xml.etree import ElementTree

from composer import formats
from composer.api import ComposerError, Score
from composer.formats.control_characters import cleaned
from composer.music.as_written import as_written
from composer.music.bars import Bar, bars
from composer.music.voices.staves import name_of, staff_groups
from composer.pictures.extra import library

PURPOSE = "sheet music"
PAGE_WIDTH, PAGE_HEIGHT, ENDLESS = 2100, 2970, 60000
"""Sizes in tenths of a millimeter: an A4 page, and a page that is as long as the music."""
MAX_BARS = 1000
"""Maximum bars of one piece; engraving takes a second for some hundreds."""
ROLL_HINT = "draw a piano roll instead: --picture roll"
_NUMBER_MARGIN = 15
"""Room for the numbers of bars on the left of a staff."""

_LOWEST_TREBLE = 57
"""Parts whose mean pitch is lower than this have a bass clef."""
_BEFORE_CLEF = {"footnote", "level", "divisions", "key", "time", "staves", "part-symbol", "instruments"}

_TEXT_SIGNS = {
    0xECA3: "𝅗𝅥", 0xE1D3: "𝅗𝅥", 0xECA5: "♩", 0xE1D5: "♩", 0xECA7: "♪", 0xE1D7: "♪",
    0xECB7: ".", 0xE1E7: ".", 0xE260: "♭", 0xED60: "♭", 0xE261: "♮", 0xED61: "♮",
    0xE262: "♯", 0xED62: "♯", 0xEA64: "♭", 0xEA65: "♮", 0xEA66: "♯", 0xE870: "°", 0xE871: "ø", 0xE872: "+", 0xE873: "Δ",
}  # fmt: skip
"""Music signs within text, which only music fonts have, as characters of usual fonts."""
_SIGNS = re.compile("<tspan([^>]*)>([\ue000-\uf8ff][\ue000-\uf8ff ]*)</tspan>")
_SIGN_FONTS = "DejaVu Sans, sans-serif"
_MUSIC_FONTS = "(?:Bravura|Gootville|Leipzig|Leland|Petaluma)"


def engrave(score: Score, *, paged: bool) -> list[str]:
    """Return `score` as SVG documents: pages of A4, or without `paged` one as long as the music.

    It is as written, with repeats and endings, if the notation of the score is known, else as played. Raises
    ComposerError without Verovio, for more than MAX_BARS bars, and if the score cannot be written as MusicXML.
    """
    height = PAGE_HEIGHT if paged else ENDLESS
    toolkit = _load(_notation(score), {"pageHeight": height, "adjustPageHeight": not paged, "xmlIdSeed": 1})
    return [*_pages(toolkit)]


class Engraving(NamedTuple):
    """Sheet music as SVG elements without title, and its notes: id, and the beats at which they begin and end.

    A note that is repeated is there once for each time that it is played.
    """

    svg: str
    notes: Sequence[tuple[str, float, float]]


def engrave_for_screen(score: Score, widths: Sequence[int], seed: int) -> list[Engraving]:
    """Return `score` in layouts of these widths, in tenths of a millimeter, that a page scales to its own size.

    Their ids are unique in a page if all seeds are: the first layout has `seed`, the next one `seed` + 1. Raises
    ComposerError as `engrave` does.
    """
    notation = _notation(score)
    margins = {f"pageMargin{side}": 0 for side in ("Right", "Top", "Bottom")} | {"pageMarginLeft": _NUMBER_MARGIN}
    layout = {"pageHeight": ENDLESS, "adjustPageHeight": True, "header": "none", **margins}
    svg = {"svgViewBox": True, "svgRemoveXlink": True, "svgFormatRaw": True}
    engravings = []
    for number, width in enumerate(widths):
        toolkit = _load(notation, {**layout, **svg, "pageWidth": width, "xmlIdSeed": seed + number})
        spans = _as_played(_spans(toolkit.renderToTimemap({})), score)
        engravings.append(Engraving("".join(_pages(toolkit)), [*spans]))
    return engravings


Span = tuple[str, float, float]


def _as_played(spans: Iterable[Span], score: Score) -> Iterator[Span]:
    """Yield notes with beats as written for each time that they are played, if the score is engraved as written."""
    written = as_written(score)
    if written is None or score.notation is None:
        yield from spans
        return
    starts = [float(bar.start) for bar in written.bars]
    for note, start, end in spans:
        at = max(bisect_right(starts, start + 0.001) - 1, 0)
        for onset in score.notation.bars[at].onsets:
            shift = float(onset) - starts[at]
            yield note, round(start + shift, 4), round(end + shift, 4)


def _spans(timemap: Sequence[Mapping[str, Any]]) -> Iterator[Span]:
    """Yield the ids of notes with the beats at which they begin and end."""
    began: dict[str, float] = {}
    for event in timemap:
        beat = round(event["qstamp"], 4)
        yield from ((note, began.pop(note), beat) for note in event.get("off", ()) if note in began)
        began.update(dict.fromkeys(event.get("on", ()), beat))


def _notation(score: Score) -> str:
    """Return `score` as MusicXML for Verovio. Raises ComposerError without Verovio, and as `engrave` does."""
    library("verovio", PURPOSE)
    from composer.music.bars import count_bars

    if (count := count_bars(score)) > MAX_BARS:
        message = f"{count:,} bars are too many for sheet music (at most {MAX_BARS:,})"
        raise ComposerError(message, ROLL_HINT)
    return _prepared(score)


def _load(notation: str, options: Mapping[str, Any]) -> Any:
    """Return a Verovio toolkit that has laid out MusicXML with these options. Raises ComposerError."""
    verovio = library("verovio", PURPOSE)
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    usual = {"pageWidth": PAGE_WIDTH, "scale": 50, "footer": "none", "smuflTextFont": "none", "expandNever": True}
    toolkit.setOptions({**usual, **options})
    if not toolkit.loadData(notation):
        raise ComposerError("this piece cannot be engraved", ROLL_HINT)
    return toolkit


def _prepared(score: Score) -> str:
    """Return `score` as MusicXML with a clef for each part and only names that the score has."""
    if not score.parts or not any(part.notes for part in score.parts):
        score = replace(score, parts=score.parts[:1])
    groups = staff_groups(score.parts)
    names = ["" if name == score.title else name for name in map(name_of, groups)] if len(groups) > 1 else []
    root = ElementTree.fromstring(formats.write("musicxml", score, formats.WriteSettings(by_hand=True)))
    pitches = [[note.pitch for staff in group for part in staff for note in part.notes] for group in groups] or [[]]
    for part, own in zip(root.iter("part"), pitches, strict=False):
        if (attributes := next(part.iter("attributes"), None)) is not None and attributes.find("clef") is None:
            _add_clef(attributes, own)
    for number, part in enumerate(root.iter("score-part")):
        for tag in ("part-abbreviation", "part-name"):
            if (field := part.find(tag)) is not None:
                field.text = names[number] if tag == "part-name" and number < len(names) else ""
    if as_written(score) is None:
        _number_bars(root, [*bars(score)])
    if score.notation is not None and score.notation.rhythm:
        _add_rhythm(root, score.notation.rhythm)
    _remove_naturals(root)
    return ElementTree.tostring(root, encoding="unicode")


def _number_bars(root: Any, layout: Sequence[Bar]) -> None:
    """Number the bars as `composer show` does, where those that are repeated have the same numbers again."""
    for part in root.iter("part"):
        for measure, bar in zip(part.iter("measure"), layout, strict=False):
            measure.set("number", str(bar.written))


def _add_rhythm(root: Any, rhythm: str) -> None:
    """Add a word such as `Jig` above the first bar."""
    direction = ElementTree.Element("direction", placement="above")
    words = ElementTree.SubElement(ElementTree.SubElement(direction, "direction-type"), "words")
    words.text = cleaned(rhythm[0].upper() + rhythm[1:])
    words.set("font-weight", "bold")
    measure = next(root.iter("measure"))
    music = (at for at, child in enumerate(measure) if child.tag not in {"print", "attributes", "barline"})
    measure.insert(next(music, len(measure)), direction)


def _remove_naturals(root: Any) -> None:
    """Remove alterations of 0 from the letters of chord symbols, where Verovio writes a natural: `F♮` for `F`."""
    for letter in [*root.iter("root"), *root.iter("bass")]:
        for alter in [each for each in letter if each.tag.endswith("-alter") and float(each.text or 0) == 0]:
            letter.remove(alter)


def _add_clef(attributes: Any, pitches: Sequence[int]) -> None:
    sign, line = ("F", "4") if pitches and mean(pitches) < _LOWEST_TREBLE else ("G", "2")
    clef = ElementTree.Element("clef")
    for tag, text in (("sign", sign), ("line", line)):
        ElementTree.SubElement(clef, tag).text = text
    place = sum(child.tag in _BEFORE_CLEF for child in attributes)
    attributes.insert(place, clef)


def _pages(toolkit: Any) -> Iterator[str]:
    return (_plain_text(toolkit.renderToSVG(page + 1)) for page in range(toolkit.getPageCount()))


def _plain_text(svg: str) -> str:
    """Return an SVG page whose text needs no music font."""
    return _SIGNS.sub(_as_plain_sign, re.sub(rf' font-family="{_MUSIC_FONTS}"', "", svg))


def _as_plain_sign(found: re.Match[str]) -> str:
    """Return a music sign as usual characters, which are larger than those of music fonts.

    The first font of the list is named because Cairo looks for a character in that one only.
    """
    attributes = re.sub(r'font-size="(\d+)px"', lambda size: f'font-size="{int(size[1]) * 0.6:g}px"', found[1])
    text = "".join(_TEXT_SIGNS.get(ord(sign), "") for sign in found[2])
    return f'<tspan{attributes} font-family="{_SIGN_FONTS}">{text}</tspan>'
