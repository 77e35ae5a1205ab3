"""Turn a text into a primer in the dialect, and finished tunes into ones that can be continued."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from composer.api import RejectedPiece
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize_tune
from composer.formats.abc.dialect.validator import UNFINISHED, validate
from composer.formats.abc.elements import Tune
from composer.formats.abc.provenance import is_provenance
from composer.formats.abc.reader.bars import Bar
from composer.formats.abc.reader.lexer import TuneText
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.playback import tune_bars
from composer.formats.abc.reader.structure import sections
from composer.formats.unscored import OTHER_FIELDS

__all__ = ["dialect_primer", "normalized_infill", "normalized_primer"]

_FINISHED = (":|", "||", "|]")
_COMPLETE = re.compile(r"\|\]?\s*$")
_FILLED = re.compile(r"(?:z[\d/]*(?: ?z[\d/]*)*)?\|\]\n$")
_PART = re.compile(r"(?:^K:.*|\|\||:\|)\n(?!\[2)", re.MULTILINE)


def without_end(text: str, *, whole: bool) -> str:
    """Return a tune that ends with `|]` without its end, to be continued after its last bar if that is `whole`.

    Otherwise it continues inside that bar, and the rests that fill it are removed.
    """
    return text.removesuffix("|]\n") + "|" if whole else _FILLED.sub("", text)


def dialect_primer(text: str) -> str | None:
    """Return `text`, if needed without its last line end, if a tune of the dialect may start with it; else None."""
    for primer in (text, text.rstrip("\n"), text.rstrip()):
        if all(fault.kind == UNFINISHED for fault in validate(primer)):
            return primer
    return None


def normalized_primer(text: TuneText, source: str) -> NormalizedTune | RejectedPiece | None:
    """Return a primer in any ABC rewritten in the dialect, or a RejectedPiece.

    An open repeat stays open. Returns None if there is not enough of it to be rewritten.
    """
    tune = parse_tune(text)
    found = _bars(tune)
    written = "\n".join(line for line in text.lines if not is_provenance(line)).rstrip()
    whole = bool(found) and bool(_COMPLETE.search(written))
    normal = normalize_tune(tune, source)
    if isinstance(normal, RejectedPiece):
        return normal if whole else None
    normal = replace(normal, losses=_losses(tune, normal))
    if written.endswith(_FINISHED):
        return normal
    if not whole and not found[-1].sounds[-1].tones:
        # the primer's own last rests cannot be distinguished from those that fill its bar
        return None
    primer = without_end(normal.text, whole=whole)
    if _repeat_left_open(found):
        at = max(match.end() for match in _PART.finditer(primer))
        primer = primer[:at] + "|:" * (not primer.startswith("|:", at)) + primer[at:]
    return replace(normal, text=primer)


def normalized_infill(text: TuneText, source: str) -> NormalizedTune | RejectedPiece:
    """Return a whole tune whose bars infilling keeps rewritten in the dialect, or a RejectedPiece."""
    tune = parse_tune(text)
    normal = normalize_tune(tune, source)
    return normal if isinstance(normal, RejectedPiece) else replace(normal, losses=_losses(tune, normal))


def _losses(tune: Tune, normal: NormalizedTune) -> Mapping[str, int]:
    """Count what the dialect leaves out of a primer, also besides its notes: the player wrote it and may miss it."""
    besides = Counter(tune.unscored)
    besides[OTHER_FIELDS.format("R")] -= bool(normal.rhythm and tune.first("R"))
    besides[OTHER_FIELDS.format("C")] += len(tune.composers)
    besides[OTHER_FIELDS.format("Q")] += bool(tune.tempo)
    return {**normal.losses, **+besides}


def _repeat_left_open(found: Sequence[Bar]) -> bool:
    """Return whether the last repeat is not closed, and only one part follows its start."""
    last = sections(found)[-1]
    start = last.bars[0].open if last.bars else None
    divided = any(bar.close is not None and bar.close.strong for bar in last.bars)
    return start is not None and start.starts and last.times == 1 and not (last.endings or divided)


def _bars(tune: Tune) -> list[Bar]:
    """Return the bars of the first voice with notes, the only one that is used."""
    voices = tune_bars(tune).values()
    return next((voice for voice in voices if any(sound.tones for bar in voice for sound in bar.sounds)), [])
