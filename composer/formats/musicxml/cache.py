"""Cache of scores that take long to read, as JSON files in the cache folder.

A cache that cannot be read or written is not an error. Entries may be damaged or removed at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from composer.api import (
    BarNumber,
    ChordSymbol,
    Key,
    Meter,
    Notation,
    Note,
    Part,
    Score,
    Tempo,
    TempoUnit,
    VoiceNotation,
    WrittenBar,
)
from composer.system.cache_dir import prune_files
from composer.system.files import read_regular, write_atomic
from composer.system.paths import cache_folder
from composer.system.private_folder import distrust, make_private
from composer.system.warnings import warn_once

MAX_BYTES = 256 * 1024 * 1024
"""Beyond this size in bytes the oldest entries are removed."""

MAX_ENTRY_BYTES = 64 * 1024 * 1024
"""The largest entry that is read: one of a score takes about 20 bytes for each note."""

_FRACTION = re.compile(r"-?\d{1,40}(/\d{1,40})?", re.ASCII)
_T = TypeVar("_T")
_FORMAT = 7
_DIGEST = 16


def through_cache(data: bytes, reader: str, read: Callable[[], Score], *, temporary: bool = False) -> Score:
    """Return the result of `read` for `data`, from the cache if the same version of `reader` has read it before.

    With `temporary`, as in `Source`, only call `read`. Raises what `read` raises; failures are not cached.
    """
    if temporary:
        return read()
    folder = cache_folder() / "scores"
    if (distrusted := distrust(folder)) is not None:
        warn_once(f"ignored the cache, since {distrusted.reason}; {distrusted.hint}")
        return read()
    path = folder / f"{_digest(f'{_FORMAT} {reader}'.encode(), data)}.json"
    score = _load(path)
    if score is None:
        score = read()
        with contextlib.suppress(OSError):
            _save(path, score)
            _prune_once(folder)
    return score


def _load(path: Path) -> Score | None:
    """Load a score; None if it is missing, or is not what `_save` writes."""
    try:
        content = read_regular(path, MAX_ENTRY_BYTES)
        digest, packed = content[: 2 * _DIGEST].decode(), content[2 * _DIGEST :]
        return _score(json.loads(packed)) if digest == _digest(packed) else None
    except Exception:  # whatever is wrong with an entry, it can be made again
        return None


def _save(path: Path, score: Score) -> None:
    packed = json.dumps(_plain(score), separators=(",", ":"), default=str).encode()
    make_private(path.parent)
    write_atomic(path, _digest(packed).encode() + packed, sync=False)


@cache
def _prune_once(folder: Path) -> None:
    """Remove the oldest entries beyond MAX_BYTES, once per process."""
    prune_files(folder, MAX_BYTES)


def _plain(score: Score) -> list[Any]:
    """Convert `score` to lists that JSON can hold, with fractions as strings."""
    parts = [[part.notes, part.name, part.program, part.percussion, part.notation] for part in score.parts]
    signs = [score.chords, score.tempos, score.meters, score.keys]
    facts = [score.pickup, score.title, dict(score.losses), score.fermatas]
    return [parts, *signs, *facts, score.bar_numbers, score.notation, score.tempo_units, score.composers]


def _score(plain: Sequence[Any]) -> Score:
    """Convert back from `_plain`. Raises ValueError, TypeError or AttributeError for anything else."""
    beats = cache(_beats)
    parts, chords, tempos, meters, keys, pickup, title, losses, fermatas, numbers, notation, units, composers = plain
    return Score(
        tuple(
            Part(
                tuple(Note(beats(on), _whole(p), beats(length), _whole(v)) for on, p, length, v in notes),
                _text(name), _whole(program), bool(percussion), None if place is None else _voice(*place),
            ) for notes, name, program, percussion, place in parts
        ),
        tuple(ChordSymbol(beats(onset), beats(duration), _text(symbol)) for onset, duration, symbol in chords),
        tuple(Tempo(beats(onset), _positive(bpm)) for onset, bpm in tempos),
        tuple(Meter(beats(onset), _whole(upper), _whole(lower)) for onset, upper, lower in meters),
        tuple(Key(beats(onset), _whole(sharps), _text(mode)) for onset, sharps, mode in keys),
        beats(pickup),
        _text(title),
        {_text(phrase): _whole(count) for phrase, count in losses.items()},
        fermatas=tuple(map(beats, fermatas)),
        bar_numbers=tuple(BarNumber(beats(onset), _whole(number)) for onset, number in numbers),
        notation=None if notation is None else _notation(*notation),
        tempo_units=tuple(TempoUnit(beats(onset), beats(length)) for onset, length in units),
        composers=tuple(map(_text, composers)),
    )  # fmt: skip


def _notation(bars: Sequence[Any], rhythm: Any) -> Notation:
    written = (
        WrittenBar(
            tuple(map(_beats, onsets)), _beats(length), _whole(number),
            _of_type(opens, bool), _whole(times), tuple(map(_whole, endings)), _of_type(divided, bool),
        )
        for onsets, length, number, opens, times, endings, divided in bars
    )  # fmt: skip
    return Notation(tuple(written), _text(rhythm))


def _voice(staff: Any, brace: Any, clef: Any, hidden: Sequence[Any]) -> VoiceNotation:
    spans = tuple((_beats(start), _beats(end)) for start, end in hidden)
    return VoiceNotation(_whole(staff), _whole(brace), _text(clef), spans)


def _beats(text: str) -> Fraction:
    if not _FRACTION.fullmatch(text):  # the constructor of Fraction counts up to any power of ten
        raise ValueError(f"no fraction: {text[:20]}")
    return Fraction(text)


def _text(value: Any) -> str:
    return _of_type(value, str)


def _whole(value: Any) -> int:
    number = _of_type(value, int)
    if not -(1 << 31) < number < 1 << 31:
        raise ValueError("a number out of range")
    return number


def _positive(value: Any) -> float:
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise ValueError("no tempo")
    number: float = value
    return number


def _of_type(value: Any, kind: type[_T]) -> _T:
    if type(value) is not kind:
        raise ValueError(f"not of type {kind.__name__}")
    return value


def _digest(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
