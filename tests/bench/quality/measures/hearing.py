"""Other measures of a model: tunes from snapshots of its training, and its likelihood after a given opening."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from generated.tunes import faults

from composer.analysis.selection import select_pieces
from composer.check.abc_tunes import diagnostics
from composer.checkpoints.load import load_model
from composer.checkpoints.training_files import snapshot_path
from composer.data import corpus
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune

from .measuring import run

TUNES = 50
OPENING, LONGEST = 100, 1000
"""Range of characters of a text that are measured."""


def story(checkpoint: Path, steps: Sequence[int]) -> list[dict[str, Any]]:
    """Return counts of valid tunes for each snapshot; missing snapshots are skipped."""
    paths = {step: snapshot_path(checkpoint, step) for step in steps}
    return [{"step": step, **_count_valid(path)} for step, path in paths.items() if path.exists()]


def _count_valid(path: Path) -> dict[str, Any]:
    """Return how many tunes of a model parse and have no errors; None for abc2midi if it is not installed."""
    asked = ("--count", str(TUNES), "--seed", "1", "--quiet", "--length", "1000", "--batch-size", str(TUNES))
    text = run(("gen", "abc", "--checkpoint", str(path), *asked))
    tunes = re.findall(r"^X:\d+\n.*?(?=^X:|\Z)", text, re.MULTILINE | re.DOTALL)
    keyed = [tune for tune in tunes if re.search(r"^K:", tune, re.MULTILINE)]
    found = [faults(tune) for tune in keyed] if shutil.which("abc2midi") else None
    parsed = [[parse_tune(each) for each in split_tunes(tune)] for tune in keyed]
    return {
        "tunes": len(tunes),
        "parse": sum(not any(each.diagnostics for each in tune) for tune in parsed),
        "ours": sum(not any(map(diagnostics, tune)) for tune in parsed),
        "no error": None if found is None else sum(not errors for errors, _ in found),
        "abc2midi": None if found is None else sum(not any(both) for both in found),
    }


def after_opening(checkpoint: Path, files: Sequence[str]) -> float:
    """Return bits per character of the held-out texts after their opening."""
    opened = load_model(checkpoint, "text")
    read = corpus.read(opened.representation, files)
    total = count = 0.0
    for piece in select_pieces(opened.header, opened.representation, None, read.pieces, None, "valid").pieces:
        state = opened.sampler.initial_state([{k: v for k, v in piece.labels.items() if k in opened.spec.conditions}])
        for at, step in enumerate(opened.representation.encode(piece)[:LONGEST]):
            if at >= OPENING:
                total -= float(opened.sampler.log_prob(state, np.array([step]))[0]) / math.log(2)
                count += 1
            state = opened.sampler.advance(state, np.array([step]))
    return total / count
