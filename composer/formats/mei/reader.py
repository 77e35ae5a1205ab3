"""Read MEI with converter21 and music21."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from importlib import metadata
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from composer.api import ReadError, RejectedPiece, Score, Source
from composer.api.limits import limit_hint
from composer.formats.kern.library import converter21, rejected_score
from composer.formats.kern.stream_score import written_music
from composer.formats.kern.written_music import MAX_PLAYED_NOTES, WrittenMusic, count_notes, passages, play
from composer.formats.limits import check_count, check_size, exceeded_limit
from composer.formats.mei.playback import bar_order
from composer.formats.mei.preparation import prepare
from composer.formats.mei.xml_tree import MEI_HINT, parse_mei, tag
from composer.formats.musicxml.cache import through_cache

MAX_BYTES = 32 * 1024 * 1024
"""The largest file."""

VERSION = 5
"""Part of the cache key; increase it whenever the same bytes give another score."""

_SKIPPED = re.compile(r"unprocessed <\{[^}]*\}(\w+)> element")
_SILENT = {"repeatMark", "sb", "pb", "fing", "caesura", "breath"}
"""Elements that music21 skips and that are read here, or that do not sound."""


def read_pieces(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score | RejectedPiece]]:
    """Yield the name and score of each score in the file, with repeats played out and ties joined.

    Scores read before come from the cache. Raises ReadError; of several scores, one that cannot be read is rejected.
    """
    data, name = source.bytes(), source.label
    check_size(data, name, MAX_BYTES)
    root = parse_mei(data, name)
    elements = list(root.iter(tag("score")))
    if not elements:
        raise ReadError(f"{name} has no score", "choose an MEI file with a <score> element")
    prepare(root, name)
    parsed = cache(lambda: _parsed(root, name, len(elements)))
    for number, element in enumerate(elements):
        label = name if len(elements) == 1 else f"{name}: score {number + 1}"
        read = partial(_read, element, number, parsed, label)
        try:
            yield label, through_cache(data, f"{_reader()}, score {number + 1}", read, temporary=source.temporary)
        except ReadError as error:
            if len(elements) == 1:
                raise
            yield label, rejected_score(error, label)


@cache
def _reader() -> str:
    versions = " ".join(metadata.version(name) for name in ("converter21", "music21"))
    return f"mei {VERSION}, converter21 and music21 {versions}"


def _read(element: Element, number: int, parsed: Callable[[], tuple[list[Any], Counter[str]]], name: str) -> Score:
    """Return the score of a `<score>`, which is the one with this `number` of all that are `parsed`."""
    streams, losses = parsed()
    music = written_music(streams[number])
    score = _played(element, music, losses + music.losses, name)
    if not score.is_audible:
        raise ReadError(f"{name} has no notes", "choose a file with music in it")
    if fault := exceeded_limit(score):
        raise ReadError(f"{name} {fault}", limit_hint("shorten it, or split it into smaller files"))
    return score


def _played(element: Element, music: WrittenMusic, losses: Counter[str], name: str) -> Score:
    written = sum(1 for _ in element.iter(tag("note")))
    read = sum(len(staff.notes) + len(staff.dropped) for staff in music.staves)
    if written > read:
        losses["notes in the file that were not read"] += written - read
    order, left_out = bar_order(element)
    losses.update(left_out)
    starts = list(music.bar_starts)
    if order and max(order) >= len(starts):
        losses["playback orders left out"] += 1
        order = list(range(len(starts)))
    played = passages(starts, music.end, order)
    count = sum(count_notes(staff.notes, played) for staff in music.staves)
    check_count(count, MAX_PLAYED_NOTES, "notes with its repeats written out", name, "correct its repeats")
    return play(replace(music, losses=losses), played)


def _parsed(root: Element, name: str, count: int) -> tuple[list[Any], Counter[str]]:
    """Return the music21 streams of all scores, and what converter21 skipped; any exception becomes a ReadError."""
    from composer.formats.musicxml.library import music21

    remarks = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(remarks):
            warnings.simplefilter("ignore")
            stream = converter21().MEIConverter().parseData(ElementTree.tostring(root, encoding="unicode"))
    except Exception as error:  # music21's own errors are worth showing, those of Python are not
        known = isinstance(error, music21().exceptions21.Music21Exception)
        reason = f": {' '.join(str(error).split())[:100]}" if known else ""
        raise ReadError(f"{name} cannot be read by converter21{reason}", MEI_HINT) from error
    skipped = Counter(_SKIPPED.findall(remarks.getvalue()))
    losses = Counter(
        {f"<{each}> elements of MEI left out": count for each, count in skipped.items() if each not in _SILENT}
    )
    streams = list(stream.scores) if isinstance(stream, music21().stream.Opus) else [stream]
    if len(streams) != count:
        raise ReadError(f"{name} has {count} scores, but converter21 reads {len(streams)}", MEI_HINT)
    return streams, losses
