"""Checkpoints with any field of the header, any array or any byte changed: a model, or an error of one line and a hint.

python tests/torture/mutated_checkpoints.py [SEED] [SECONDS] [header|arrays|bytes]
"""

from __future__ import annotations

import json
import random
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from script import start

from composer.api import ComposerError
from composer.checkpoints import tensors
from composer.checkpoints.file import load
from composer.checkpoints.load import load_model
from composer.checkpoints.training_melodies import training_melodies
from composer.cli.render.model_card import card

PRETRAINED = Path(__file__).parents[2] / "composer" / "pretrained"
VALUES: tuple[Any, ...] = (
    None, True, 0, 1, -1, 2**31, 2**63, 2**64, 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"), "", "x", "abc",
    "\ud800", "a\nb", "\0", [], [[]], ["x"], [1, 2], {}, {"x": 1}, {"": {}},
)  # fmt: skip
MEMORY_LIMIT, MAX_SECONDS = 6 << 30, 10
Use = Callable[[Path], object]
"""What is done with a checkpoint."""


class TooLong(BaseException):
    """Raised by the alarm; a BaseException, so that nothing catches it."""


def melodies_in(path: Path) -> object:
    """Return the training melodies of the checkpoint at `path`."""
    return training_melodies(load(path).extra, path.name)


def too_long(number: int, frame: FrameType | None) -> None:
    """End what takes more than MAX_SECONDS of CPU time."""
    raise TooLong


def mutate_value(value: Any, chance: random.Random, depth: int = 0) -> Any:
    """Return JSON with one value, somewhere in it, changed, removed or added."""
    if isinstance(value, dict | list) and value and (depth == 0 or chance.random() < 0.7):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key, kind = chance.choice(keys), chance.random()
        changed = value.copy()
        if kind < 0.1:
            del changed[key]
        elif kind < 0.15:
            if isinstance(changed, dict):
                changed[chance.choice(["x", "kind", "size"])] = chance.choice(VALUES)
            else:
                changed.insert(key, chance.choice(VALUES))
        else:
            changed[key] = mutate_value(value[key], chance, depth + 1)
        return changed
    if isinstance(value, int | float) and chance.random() < 0.5:
        return value * chance.choice([-1, 2, 1000, 0.5]) + chance.choice([0, 1, -1])
    return chance.choice(VALUES)


def mutate_arrays(arrays: dict[str, np.ndarray[Any, Any]], chance: random.Random) -> None:
    """Change one array: its values, shape, type or name."""
    name = chance.choice(list(arrays))
    array = arrays.pop(name)
    kind = chance.choice(["gone", "renamed", "type", "shape", "cut", "values", "nan"])
    if kind == "renamed":
        name = chance.choice(["", "x", name + "x", "extra:" + name, "extra:melodies", "extra:baseline"])
    elif kind == "type":
        array = array.astype(chance.choice(["f4", "f8", "i1", "i8", "u8", "?"]))
    elif kind == "shape":
        array = array.reshape(chance.choice([(-1,), (1, *array.shape), (*array.shape, 1), array.shape[::-1]]))
    elif kind == "cut":
        array = array[: chance.randrange(len(array) + 1)] if array.ndim else array
    elif kind in {"values", "nan"} and array.size:
        array = array.copy()
        flat = array.reshape(-1)
        for _ in range(chance.choice([1, 10, 1000])):
            value = chance.choice([0, 1, 127, 255]) if array.dtype.kind != "f" else chance.choice([0, 1e4, -6e4, 1e-7])
            flat[chance.randrange(array.size)] = np.nan if kind == "nan" and array.dtype.kind == "f" else value
    if kind != "gone":
        arrays[name] = array


def mutate(original: tensors.Tensors, chance: random.Random, kind: str = "") -> bytes:
    """Return the bytes of a changed checkpoint: its header, arrays or bytes, by default any of these.

    If bytes are not changed, the digest fits, so that only the change is wrong.
    """
    arrays, text = dict(original.arrays), original.metadata["composer"]
    kind = kind or chance.choices(["header", "arrays", "bytes"], [60, 25, 15])[0]
    if kind == "header":
        text = json.dumps(mutate_value(json.loads(text), chance))
    elif kind == "arrays":
        mutate_arrays(arrays, chance)
    data = bytearray(tensors.encode(arrays, {"composer": text}))
    if kind == "bytes":
        for _ in range(chance.choice([1, 1, 3])):
            place = chance.randrange(chance.choice([16, 2000, len(data)]))
            data[place] = chance.choice([data[place] ^ 1 << chance.randrange(8), 0, 255, ord("9"), ord("{")])
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
    return bytes(data)


def outcome(path: Path, use: Use) -> str:
    """Return whether the checkpoint is used or rejected. Raises whatever else happens."""
    try:
        use(path)
    except ComposerError as error:
        if "\n" in error.message or not error.message or not error.hint:
            raise ValueError(f"not one line and a hint: {error.message!r}, {error.hint!r}") from error
        return "rejected"
    return "used"


def read_mutations(
    originals: Sequence[tensors.Tensors], kind: str, path: Path, uses: Sequence[Use], seed: int, seconds: float
) -> int:
    """Write changed checkpoints to `path` until the time is over, and put them to all `uses`.

    Return how many gave another error, which are kept.
    """
    chance, end, done, failures = random.Random(seed), time.monotonic() + seconds, 0, 0
    counts: Counter[str] = Counter()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))
    signal.signal(signal.SIGPROF, too_long)
    while time.monotonic() < end:
        data = mutate(chance.choice(originals), chance, kind)
        done += 1
        for use in uses:
            path.write_bytes(data)
            signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
            try:
                counts[f"{use.__name__} {outcome(path, use)}"] += 1
            except (Exception, TooLong) as error:
                failures += 1
                kept = Path(tempfile.gettempdir(), f"checkpoint-{kind}-{seed}-{done}.safetensors")
                kept.write_bytes(data)
                print(f"{kept}, {use.__name__}  BROKEN: {type(error).__name__}: {str(error)[:200]}", flush=True)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    print(", ".join(f"{name}: {count}" for name, count in sorted(counts.items())))
    print(f"{done} changed checkpoints, {failures} broke the promise")
    return failures


def run(seed: int = 0, budget_seconds: float = 600.0, kind: str = "") -> int:
    """Change and read checkpoints until the time is over, and return how many gave another error."""
    originals = [tensors.read(path) for path in sorted(PRETRAINED.glob("*.safetensors"))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.safetensors")
        return read_mutations(originals, kind, path, (load_model, card, melodies_in), seed, budget_seconds)


if __name__ == "__main__":
    start(run)
