"""Cache of scores that take long to read, as JSON files in the cache folder.

A cache that cannot be read or written is not an error. Entries may be damaged or removed at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo
from composer.system.cache_dir import evict
from composer.system.files import write_atomic
from composer.system.paths import cache_folder

MAX_BYTES = 256 * 1024 * 1024
"""Beyond this size in bytes the oldest entries are removed."""

_FORMAT = 3
_DIGEST = 16


def through_cache(data: bytes, reader: str, read: Callable[[], Score], *, temporary: bool = False) -> Score:
    """Return the result of `read` for `data`, from the cache if the same version of `reader` has read it before.

    With `temporary`, as in `Source`, only call `read`. Raises what `read` raises; failures are not cached.
    """
    if temporary:
        return read()
    folder = cache_folder() / "scores"
    path = folder / f"{_digest(f'{_FORMAT} {reader}'.encode(), data)}.json"
    score = _load(path)
    if score is None:
        score = read()
        with contextlib.suppress(OSError):
            _save(path, score)
            _prune_once(folder)
    return score


def _load(path: Path) -> Score | None:
    """Load a score; None if it is missing or damaged."""
    try:
        content = path.read_bytes()
        digest, packed = content[: 2 * _DIGEST].decode(), content[2 * _DIGEST :]
        return _score(json.loads(packed)) if digest == _digest(packed) else None
    except (OSError, ValueError):
        return None


def _save(path: Path, score: Score) -> None:
    packed = json.dumps(_plain(score), separators=(",", ":"), default=str).encode()
    write_atomic(path, _digest(packed).encode() + packed, sync=False)


@cache
def _prune_once(folder: Path) -> None:
    """Remove the oldest entries beyond MAX_BYTES, once per process."""
    prune(folder, MAX_BYTES)


def prune(folder: Path, max_bytes: int) -> None:
    """Remove the oldest files of `folder` until at most `max_bytes` are left."""
    entries = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process may be removing it too
            status = path.stat()
            entries.append((status.st_mtime, status.st_size, path))
    evict(entries, max_bytes)


def _plain(score: Score) -> list[Any]:
    """Convert `score` to lists that JSON can hold, with fractions as strings."""
    parts = [[part.notes, part.name, part.program, part.percussion] for part in score.parts]
    signs = [score.chords, score.tempos, score.meters, score.keys]
    return [parts, *signs, score.pickup, score.title, dict(score.losses), score.fermatas]


def _score(plain: Sequence[Any]) -> Score:
    """Convert back from `_plain`."""
    beats = cache(Fraction)
    parts, chords, tempos, meters, keys, pickup, title, losses, fermatas = plain
    return Score(
        tuple(
            Part(tuple(Note(beats(on), p, beats(length), v) for on, p, length, v in notes), *f) for notes, *f in parts
        ),
        tuple(ChordSymbol(beats(onset), beats(duration), symbol) for onset, duration, symbol in chords),
        tuple(Tempo(beats(onset), bpm) for onset, bpm in tempos),
        tuple(Meter(beats(onset), *fraction) for onset, *fraction in meters),
        tuple(Key(beats(onset), *key) for onset, *key in keys),
        beats(pickup),
        title,
        losses,
        fermatas=tuple(map(beats, fermatas)),
    )


def _digest(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
