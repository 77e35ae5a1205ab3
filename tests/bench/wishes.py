"""Whether what is composed has what was wished: for each wish of a representation, and for random pairs of them.

    python tests/bench/wishes.py [REPRESENTATION...] [--count 100] [--model FILE] [--seed 1]

The bundled model composes. What comes out is read by readers that know nothing of the rules it was composed by. A pair
of wishes that clash is to be refused before anything is composed, by a line that names both.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from composer.api import GenerationContext, Piece, Unsatisfiable
from composer.checkpoints import store
from composer.checkpoints.load import LoadedModel, load_model
from composer.formats.abc.elements import Sound
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.structure import bars
from composer.generation.generate import Drew, Request, generate
from composer.music.keys import pitch
from composer.music.scales import parse_range, parse_scale

DANCED = {
    "reel": ("4/4", "2/2"), "jig": ("6/8",), "hornpipe": ("4/4", "2/4"), "slip jig": ("9/8",), "waltz": ("3/4",),
}  # fmt: skip
"""The meters of some dances; of others, any."""


class Wished(NamedTuple):
    """The values to ask for by each wish, and by what piece of music it is found out which wishes it has not."""

    values: Mapping[str, Sequence[Any]]
    missing: Callable[[Piece, Mapping[str, Any]], list[str]]


def main() -> None:
    """Print a line for each wish, one for pairs, and what was not obeyed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("representations", nargs="*", default=list(WISHES))
    arguments.add_argument("--count", type=int, default=100)
    arguments.add_argument("--model", type=Path)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    for name in given.representations:
        player = load_model(given.model or store.bundled(name))
        for line in report(player, given.count, given.seed):
            print(line, flush=True)


def report(player: LoadedModel, count: int, seed: int) -> Iterator[str]:
    """A line for each wish, and for pairs of wishes."""
    name, rng = player.representation.name, random.Random(seed)
    wished = WISHES[name]
    for wish in wished.values:
        yield f"{name} --{wish.replace('_', '-')}: " + told(tried(player, singles(wished, wish, count)))
    yield f"{name}, pairs: " + told(tried(player, pairs(wished, rng, count)))


def singles(wished: Wished, wish: str, count: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    """One wish with each of its values, and how many pieces to compose of it."""
    values = wished.values[wish][:count]
    for number, value in enumerate(values):
        yield {wish: value}, count // len(values) + (number < count % len(values))


def pairs(wished: Wished, rng: random.Random, count: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Random pairs of wishes, one piece of each."""
    for _ in range(count):
        yield {wish: rng.choice(wished.values[wish]) for wish in rng.sample(sorted(wished.values), 2)}, 1


def tried(
    player: LoadedModel, asked: Iterable[tuple[Mapping[str, Any], int]], length: int | None = None
) -> Iterator[str]:
    """For each piece, of at most `length` steps before it ends, what became: `obeyed`, `refused`, or what is wrong."""
    kind = player.representation
    for number, (wishes, count) in enumerate(asked):
        try:
            for piece in composed(player, wishes, count, 1000 * number, length):
                missing = WISHES[kind.name].missing(piece, wishes)
                yield f"{wishes}: not {', '.join(missing)} in {piece.content!r}" if missing else "obeyed"
        except Unsatisfiable as error:
            flags = [f"--{wish.replace('_', '-')}" for wish in wishes]
            named = len(wishes) > 1 and all(flag in error.message for flag in flags)
            yield "refused" if named else f"{wishes}: {error.message}"


def composed(
    player: LoadedModel, wishes: Mapping[str, Any], count: int, seed: int, length: int | None = None
) -> Iterator[Piece]:
    """Pieces that were asked to have `wishes`."""
    kind, given = player.representation, GenerationContext(length)
    asked = kind.Controls(**wishes)
    constraint = kind.constraint(asked, given)
    request = Request(length=kind.max_steps(asked, given), count=count, seed=seed)
    steps: dict[int, list[Any]] = {}
    for event in generate(player.sampler, player.spec, request, constraint):
        if isinstance(event, Drew):
            steps.setdefault(event.number, []).extend(event.steps)
    yield from (kind.decode(each) for each in steps.values())


def told(found: Iterator[str]) -> str:
    """How many obeyed and were refused, in what time, and whatever else became of others."""
    begin = time.perf_counter()
    counts = Counter(found)
    obeyed, refused = counts.pop("obeyed", 0), counts.pop("refused", 0)
    words = f"{obeyed} obeyed, {refused} refused, {sum(counts.values())} wrong, {time.perf_counter() - begin:.0f} s"
    return "\n  ".join([words, *counts])


def missing_in_abc(piece: Piece, wishes: Mapping[str, Any]) -> list[str]:
    """What a tune has not, as the reader of all of ABC finds it."""
    tune = parse_tune(split_tunes(f"X:1\n{piece.content}")[0])
    key, time = tune.key, tune.time
    assert key is not None
    assert time is not None
    measures = [bar for bar in bars(next(iter(tune.voices.values()))) if bar.sounds]
    opening = [True, *(bar.close is not None and bool(bar.close.strong or bar.close.ends) for bar in measures)]
    second = [bool(bar.open is not None and bar.open.endings) for bar in measures]
    pickups = [
        begins and not ending and bar.ticks < time.bar
        for bar, begins, ending in zip(measures, opening, second, strict=False)
    ]
    sounds = [sound for bar in measures for sound in bar.sounds]
    tones = {tone for sound in sounds if isinstance(sound, Sound) for tone in sound.tones}
    pitches = {pitch(*tone) for tone in tones}
    once = len(pitches) == len(tones)  # no pitch is written in two ways
    rhythm, title = tune.first("R"), tune.first("T").lower()
    scale = wishes.get("scale")
    named = None
    if scale is not None:
        tonic = scale.split()[0] in {"C", "D"}
        named = parse_scale("" if scale == "own" else scale, "" if tonic else key.name)
    found = {
        # a tonic alone goes with the mode that is wished
        "key": lambda value: value in ((key.name, key.tonic) if "mode" in wishes else (key.name,)),
        "mode": lambda value: key.mode == value,
        "meter": lambda value: str(time) == value and value in DANCED.get(rhythm, value),
        "rhythm": lambda value: (
            rhythm == value
            and str(time) in DANCED.get(value, str(time))
            and not any(re.search(rf"\b{dance}s?\b", title) for dance in DANCED if dance not in value)
        ),
        "bars": lambda value: len(measures) - sum(pickups) == value,
        "range": lambda value: once and all(each in parse_range(value) for each in pitches),
        "scale": lambda value: once and named is not None and all(each in named for each in pitches),
    }
    return [wish for wish, value in wishes.items() if not found[wish](value)] + [
        str(problem) for problem in tune.diagnostics
    ]


WISHES = {
    "abc": Wished(
        {
            "key": ("G", "Am", "D", "Ddor", "Amix", "Bb", "F#m", "Em", "Eb", "C"),
            "mode": ("major", "minor", "dorian", "mixolydian"),
            "meter": ("6/8", "4/4", "3/4", "2/4", "9/8", "2/2", "12/8"),
            "rhythm": ("reel", "jig", "hornpipe", "slip jig", "waltz", "march"),
            "bars": (1, 2, 3, 5, 8, 12, 16, 17, 24, 32),
            "range": ("D4-B5", "G3-G6", "C4-C5", "60-64", "A4-A4", "F#4-G4", "C#4-C#4"),
            "scale": ("own", "pentatonic", "blues", "dorian", "harmonic minor", "D mixolydian", "C pentatonic"),
        },
        missing_in_abc,
    ),
}


if __name__ == "__main__":
    main()
