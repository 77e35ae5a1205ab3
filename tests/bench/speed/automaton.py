"""Measure the cost of the ABC constraint, and the share of a model's probability that it masks.

    python tests/bench/speed/automaton.py MODEL [FILES, FOLDERS OR corpus:NAME...]

MODEL is a checkpoint of the abc representation. Real tunes that the model's characters can write (by default those
of music21's corpora) are stepped through with an empty cache, then again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from composer.api import Source
from composer.checkpoints.load import load_model
from composer.data.sources import sources
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.reader.lexer import split_tunes
from composer.generation.generate import generate
from composer.generation.request import Generated, GenerationRequest

CORPORA = ("corpus:ryansMammoth", "corpus:oneills1850", "corpus:airdsAirs")
TUNES = 20


def main() -> None:
    """Print the results."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("paths", nargs="*", default=CORPORA)
    given = arguments.parse_args()
    player = load_model(given.model)
    characters = player.representation.state()["characters"]
    time_steps(characters, given.paths)
    for width in (1, 32):
        time_generation(player, width)


def time_steps(characters: str, paths: Sequence[str]) -> None:
    """Print the time per character of real tunes."""
    files = [found for found in sources(paths, (".abc",)) if isinstance(found, Source)]
    normals = (normalize(tune) for file in files for tune in split_tunes(file.text()))
    texts = [
        normal.text for normal in normals if isinstance(normal, NormalizedTune) and set(normal.text) <= set(characters)
    ]
    begin = time.perf_counter()
    automaton = Automaton(characters)
    print(f"built in {1000 * (time.perf_counter() - begin):.1f} ms; {len(texts)} tunes")
    tunes = [[automaton.vocabulary.ids[character] for character in text] for text in texts]
    steps = sum(map(len, tunes))
    for name in ("empty cache", "full cache"):
        begin = time.perf_counter()
        refused = sum(not accepted(automaton, tune) for tune in tunes)
        took = time.perf_counter() - begin
        print(f"{name}: {1e6 * took / steps:.2f} us per character, {refused} tunes rejected")
    begin = time.perf_counter()
    for tune in tunes[::10]:
        automaton._cached.clear()
        accepted(automaton, tune)
    took = time.perf_counter() - begin
    print(f"cache emptied before each tune: {1e6 * took / sum(map(len, tunes[::10])):.2f} us per character")


def accepted(automaton: Automaton, tune: list[int]) -> bool:
    """Return whether the automaton accepts a tune."""
    state = 0
    for step in tune:
        if not automaton.allowed(state) >> step & 1:
            return False
        state = automaton.step(state, step)
    return bool(automaton.allowed(state) & 1)


def time_generation(player, width: int) -> None:
    """Print the time per character with and without the constraint, and the probability that it masks."""
    took = {}
    constraint = player.representation.constraint()
    for name, rules in (("unconstrained", None), ("cold cache", constraint), ("warm cache", constraint)):
        begin = time.perf_counter()
        request = GenerationRequest(length=2000, count=max(TUNES, 4 * width), seed=1, requested_batch_size=width)
        drew = [
            event for event in generate(player.sampler, player.spec, request, rules) if isinstance(event, Generated)
        ]
        masked = [each for event in drew for each in event.masked_prob]
        took[name] = 1e6 * (time.perf_counter() - begin) / len(masked)
        percent = 100 * float(np.mean(masked))
        print(f"batch {width}, {name}: {took[name]:.1f} us per character, {percent:.2f} % masked of {len(masked)}")


if __name__ == "__main__":
    main()
