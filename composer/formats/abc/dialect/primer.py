"""Tunes to go on from: how far a text is one of the dialect, and a finished tune without its ending."""

from __future__ import annotations

import re
from collections.abc import Sequence

from composer.api import RejectedPiece
from composer.formats.abc.dialect.normalize import normalize_tune
from composer.formats.abc.dialect.validator import UNFINISHED, validate
from composer.formats.abc.elements import Tune
from composer.formats.abc.reader.lexer import TuneText
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.structure import Bar, bars, sections

__all__ = ["dialect_primer", "normalized_primer", "without_end"]

_FINISHED = (":|", "||", "|]")
_COMPLETE = re.compile(r"\|\]?\s*$")
_FILLED = re.compile(r"(?:z[\d/]*(?: ?z[\d/]*)*)?\|\]\n$")
_PART = re.compile(r"(?:^K:.*|\|\||:\|)\n(?!\[2)", re.MULTILINE)


def without_end(text: str, *, whole: bool) -> str:
    """A tune of the dialect that ends with `|]`, so that it goes on: after a `whole` last bar with `|`, else inside it.

    Then the rests go too that fill the bar.
    """
    return text.removesuffix("|]\n") + "|" if whole else _FILLED.sub("", text)


def dialect_primer(text: str) -> str | None:
    """`text` as far as a tune of the dialect begins so: itself, or without the end of its last line. None where it does
    not.
    """  # fmt: skip
    for begun in (text, text.rstrip("\n"), text.rstrip()):
        if all(fault.kind == UNFINISHED for fault in validate(begun)):
            return begun
    return None


def normalized_primer(text: TuneText, source: str) -> tuple[str, str] | RejectedPiece | None:
    """An opening in other ABC, in the dialect, with its title; a RejectedPiece where it makes no sense.

    A repeat that is left open stays open. None where there is not enough of it to be rewritten.
    """
    tune = parse_tune(text)
    found = _bars(tune)
    whole = bool(found) and bool(_COMPLETE.search(text.text))
    normal = normalize_tune(tune, source)
    if isinstance(normal, RejectedPiece):
        return normal if whole else None
    if text.text.rstrip().endswith(_FINISHED):
        return normal.text, normal.title
    if not whole and not found[-1].sounds[-1].tones:
        # Which rests are the opening's own, and which fill its bar, cannot be told any more.
        return None
    begun = without_end(normal.text, whole=whole)
    if _repeat_left_open(found):
        at = max(match.end() for match in _PART.finditer(begun))
        begun = begun[:at] + "|:" * (not begun.startswith("|:", at)) + begun[at:]
    return begun, normal.title


def _repeat_left_open(found: Sequence[Bar]) -> bool:
    """Whether the last repeat that opens is not closed, and what follows it is one part."""
    last = sections(found)[-1]
    opened = last.bars[0].open if last.bars else None
    parted = any(bar.close is not None and bar.close.strong for bar in last.bars)
    return opened is not None and opened.starts and last.times == 1 and not (last.endings or parted)


def _bars(tune: Tune) -> list[Bar]:
    """Those of the first voice with notes, which is the one that is taken."""
    voices = (bars(elements) for elements in tune.voices.values())
    return next((voice for voice in voices if any(sound.tones for bar in voice for sound in bar.sounds)), [])
