"""Put pieces together as one HTML document: styles, scripts, sheet music and the notes to play."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from composer.api import ComposerError, Score
from composer.formats.control_characters import cleaned, without_control_characters
from composer.pictures.page.tune_data import tune_data
from composer.pictures.roll import RollPiece
from composer.pictures.sheet import ROLL_HINT, Engraving, engrave_for_screen

MAX_PIECES, MAX_NOTES = 60, 200_000
"""Maximum size of a page, which browsers still open in a moment."""

MAX_ENGRAVED = 10_000
"""Maximum notes in all sheet music of a page: each takes a millisecond to engrave, and a kilobyte and a half."""
TOO_LONG = f"a page has room for the sheet music of {MAX_ENGRAVED:,} notes"

LAYOUTS = ("wide", "narrow")
"""Layouts of the sheet music, of which the page shows the one that fits."""
_WIDTHS, _WIDTHS_SIDE_BY_SIDE = (2100, 900), (1250, 850)
"""Widths of the layouts in tenths of a millimeter, for a single piece and for several side by side."""

_ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = ("timing.js", "synth.js", "roll.js", "sheet.js", "player.js", "main.js")


class Page(NamedTuple):
    """An HTML document, and the titles of pieces that it has no sheet music of, by the reason."""

    document: bytes
    not_engraved: Mapping[str, Sequence[str]]


def draw_page(pieces: Sequence[RollPiece], title: str, progress: Callable[[int], object]) -> Page:
    """Return the pieces, which are audible, as a page that needs no other file and no network.

    `progress` is called with the number of pieces that are done. Raises ComposerError for more than MAX_PIECES pieces
    or MAX_NOTES notes.
    """
    _check_size(pieces)
    widths = _WIDTHS_SIDE_BY_SIDE if len(pieces) > 1 else _WIDTHS
    data: list[dict[str, Any]] = []
    articles: list[str] = []
    not_engraved = defaultdict[str, list[str]](list)
    room = MAX_ENGRAVED
    progress(0)
    for number, piece in enumerate(pieces):
        score = without_control_characters(piece.score)
        name = score.title or cleaned(piece.name)
        sheets, problem = _engraved(score, widths, 1 + number * len(widths), room)
        if problem:
            not_engraved[problem].append(name)
        else:
            room -= _count_notes(score)
        data.append(tune_data(score, name) | {"sheets": {layout: [*sheet.notes] for layout, sheet in sheets.items()}})
        texts = {"title": html.escape(name), "facts": html.escape(piece.facts)}
        articles.append(_template("tune.html").substitute(texts, sheet=_sheet(sheets, problem)))
        progress(number + 1)
    return Page(_document(cleaned(title), articles, data), not_engraved)


def _document(title: str, articles: Sequence[str], data: Sequence[Mapping[str, Any]]) -> bytes:
    script = "\n".join(["", '"use strict";', *(_asset(name) for name in _SCRIPTS)])
    fields = {
        "policy": _policy(script),
        "title": html.escape(title),
        "style": _asset("style.css"),
        "layout": "several" if len(articles) > 1 else "single",
        "tunes": "\n".join(articles),
        "music": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),  # which could end the element
        "script": script,
    }
    return _template("page.html").substitute(fields).encode(errors="replace")  # the name of a file may be no text


def _check_size(pieces: Sequence[RollPiece]) -> None:
    if len(pieces) > MAX_PIECES:
        message = f"more than {MAX_PIECES} pieces are too many for one page"
        raise ComposerError(message, "name fewer files, or show fewer pieces of each: --limit 1")
    count = sum(_count_notes(piece.score) for piece in pieces)
    if count > MAX_NOTES:
        message = f"{count:,} notes are too many for one page (at most {MAX_NOTES:,})"
        raise ComposerError(message, "show fewer pieces: --limit 1, or --tune 1 for the first alone")


def _count_notes(score: Score) -> int:
    return sum(len(part.notes) for part in score.parts)


def _engraved(score: Score, widths: Sequence[int], seed: int, room: int) -> tuple[Mapping[str, Engraving], str]:
    """Return the layouts of the sheet music of a piece, and why there are none; `room` is for as many notes."""
    if _count_notes(score) > room:
        return {}, TOO_LONG
    try:
        engraved = engrave_for_screen(score, widths, seed)
    except ComposerError as error:
        return {}, error.message if error.hint in {None, ROLL_HINT} else f"{error.message}: {error.hint}"
    return dict(zip(LAYOUTS, engraved, strict=True)), ""


def _sheet(sheets: Mapping[str, Engraving], problem: str) -> str:
    if problem:
        return f'<p class="missing">No sheet music: {html.escape(problem)}</p>'
    layouts = "\n".join(f'<div class="{layout}">{sheet.svg}</div>' for layout, sheet in sheets.items())
    return f'<div class="sheet">\n{layouts}\n</div>'


def _policy(script: str) -> str:
    """Return a content security policy: no network, and no script but this one, whatever a title may hold."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _template(name: str) -> Template:
    return Template(_asset(name))


@cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text("utf-8")
