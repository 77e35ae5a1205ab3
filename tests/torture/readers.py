"""Reads of a model that is saved again and again: always one whole version, with its own digest, and never missing.

python tests/torture/readers.py [SEED] [SECONDS]
"""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from script import start

from composer.api import CheckpointError
from composer.checkpoints import store
from composer.checkpoints.file import Checkpoint, Header, digest, load, read_header, save
from composer.checkpoints.load import load_model
from composer.registry import plugins as registry

HIDDEN, EMBEDDING, MIN_LETTERS, VOCABULARIES = 8, 4, 3, 7


def letters(number: int) -> str:
    """Return the alphabet of a version; one after another has a different one."""
    return "abcdefghijklmnopqrstuvwxyz"[: MIN_LETTERS + number % VOCABULARIES]


def version(number: int) -> Checkpoint:
    """Return a small model of text in which everything says `number`, in a file of a size that depends on it."""
    record = {"finished": True, "number": number, "padding": "x" * (number % 977)}
    text = registry.representation("text")()
    text.restore({"characters": letters(number), "conditions": {}})
    config = {"hidden": HIDDEN, "layers": 1, "embedding": EMBEDDING}
    header = Header("text", text.version, {}, text.state(), "lstm", config, text.spec, record=record)
    shapes = {
        "embed.weight": (text.spec.size, EMBEDDING), "lstm.weight_ih_l0": (4 * HIDDEN, EMBEDDING),
        "lstm.weight_hh_l0": (4 * HIDDEN, HIDDEN), "lstm.bias_ih_l0": (4 * HIDDEN,), "lstm.bias_hh_l0": (4 * HIDDEN,),
        "output.weight": (text.spec.size, HIDDEN), "output.bias": (text.spec.size,),
    }  # fmt: skip
    weights = {name: np.full(shape, number, np.float32) for name, shape in shapes.items()}
    return Checkpoint(header, weights, extra={"number": np.full(1000 + 37 * (number % 1009), number, np.int64)})


def save_forever(path: Path, digests: Any, stop: Any) -> None:
    """Save one version after another. The digest of each is known before it can be read."""
    number = 0
    while not stop.is_set():
        beside = path.with_name(f".{number}.new")
        save(beside, version(number))
        digests[number] = digest(beside)
        beside.unlink()
        save(path, version(number))
        number += 1


def read_once(path: Path, how: str, digests: Any) -> str:
    """Read in one way; return what is wrong with what was read, empty if nothing is."""
    if how == "header":
        number = read_header(path).record["number"]
        return "" if number in digests else f"version {number} was never saved"
    if how == "list":
        return "" if [each.name for each in store.user_models()] == ["mine"] else "the model is missing from the list"
    if how == "model":
        model = load_model(path, "text")
        number = model.header.record["number"]
        if model.representation.state()["characters"] != letters(number) or not (model.extra["number"] == number).all():
            return f"the representation or the extra arrays are not those of version {number}"
        return "" if model.digest == digests[number] else f"the digest is not that of version {number}"
    found = load(path)
    number = found.header.record["number"]
    if not all((array == number).all() for array in found.weights.values()):
        return f"the weights are not those of version {number}"
    return "" if found.digest == digests[number] else f"the digest is not that of version {number}"


def run(seed: int = 0, budget_seconds: float = 600.0) -> int:
    """Read until the time is over, and return how many reads broke the promise."""
    rng, done, failures = random.Random(seed), 0, 0
    with tempfile.TemporaryDirectory() as home, multiprocessing.Manager() as manager:
        os.environ["COMPOSER_HOME"] = home
        path, stop, digests = store.path_for("mine"), multiprocessing.Event(), manager.dict()
        saver = multiprocessing.Process(target=save_forever, args=(path, digests, stop))
        saver.start()
        try:
            while not path.exists():
                time.sleep(0.01)
            end = time.monotonic() + budget_seconds
            while time.monotonic() < end:
                how = rng.choice(("model", "model", "whole", "header", "list"))
                try:
                    broken = read_once(path, how, digests)
                except CheckpointError as error:
                    broken = error.message
                done, failures = done + 1, failures + bool(broken)
                if broken:
                    print(f"read {done}, {how}  BROKEN: {broken}", flush=True)
        finally:
            stop.set()
            saver.join()
        saved = len(digests)
    print(f"{saved} versions were saved meanwhile")
    print(f"{done} reads, {failures} broke the promise")
    return failures


if __name__ == "__main__":
    start(run)
