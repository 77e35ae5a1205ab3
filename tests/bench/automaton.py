"""What the rules of the dialect cost, and how much of a model's probability they refuse.

    python tests/bench/automaton.py MODEL [FILES OF TUNES...]

MODEL is a checkpoint of the abc representation. The files' tunes (without files: those of music21's corpora that the
model's characters can write) are stepped through, first with nothing remembered, then again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from abc_corpora import corpora, text_of

from composer.checkpoints.load import load_model
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.reader.lexer import split_tunes
from composer.generation.generate import Drew, Request, generate

TUNES = 20


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("paths", nargs="*", type=Path)
    given = arguments.parse_args()
    player = load_model(given.model)
    characters = player.representation.state()["characters"]
    stepped(characters, given.paths)
    for width in (1, 32):
        composed(player, width)


def stepped(characters: str, paths: list[Path]) -> None:
    """Microseconds a character, over real tunes."""
    files = [file for found in corpora(paths).values() for file in found]
    normals = (normalize(tune) for file in files for tune in split_tunes(text_of(file)))
    texts = [
        normal.text for normal in normals if isinstance(normal, NormalizedTune) and set(normal.text) <= set(characters)
    ]
    begin = time.perf_counter()
    automaton = Automaton(characters)
    print(f"built in {1000 * (time.perf_counter() - begin):.1f} ms; {len(texts)} tunes")
    tunes = [[automaton.vocabulary.ids[character] for character in text] for text in texts]
    steps = sum(map(len, tunes))
    for name in ("first time", "again"):
        begin = time.perf_counter()
        refused = sum(not accepted(automaton, tune) for tune in tunes)
        took = time.perf_counter() - begin
        print(f"{name}: {1e6 * took / steps:.2f} us a character, {refused} tunes refused")
    begin = time.perf_counter()
    for tune in tunes[::10]:
        automaton._cached.clear()
        accepted(automaton, tune)
    took = time.perf_counter() - begin
    print(f"nothing remembered of other tunes: {1e6 * took / sum(map(len, tunes[::10])):.2f} us a character")


def accepted(automaton: Automaton, tune: list[int]) -> bool:
    """Whether the automaton takes a tune."""
    state = 0
    for step in tune:
        if not automaton.allowed(state) >> step & 1:
            return False
        state = automaton.step(state, step)
    return bool(automaton.allowed(state) & 1)


def composed(player, width: int) -> None:
    """The time a character with and without the rules, and what they refuse."""
    took = {}
    constraint = player.representation.constraint()
    for name, rules in (("free", None), ("ruled, cold", constraint), ("ruled, warm", constraint)):
        begin = time.perf_counter()
        request = Request(length=2000, count=max(TUNES, 4 * width), seed=1, width=width)
        drew = [event for event in generate(player.sampler, player.spec, request, rules) if isinstance(event, Drew)]
        drawn = [refused for event in drew for refused in event.masked_prob]
        took[name] = 1e6 * (time.perf_counter() - begin) / len(drawn)
        refused = 100 * float(np.mean(drawn))
        print(
            f"width {width}, {name}: {took[name]:.1f} us a character, {refused:.2f} % refused, {len(drawn)} characters"
        )


if __name__ == "__main__":
    main()
