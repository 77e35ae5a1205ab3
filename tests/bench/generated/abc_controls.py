"""Check that generated tunes satisfy their controls: each control of a representation, and random pairs of them.

    python tests/bench/generated/abc_controls.py [REPRESENTATION...] [--count 100] [--model FILE] [--seed 1]

The bundled model generates. The tunes are read by the reader of all of ABC, which knows nothing of the constraint. A
pair of controls that contradict each other must be rejected before generating, by an error that names both.
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
from composer.formats.abc.reader.bars import bars
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.generation.generate import generate
from composer.generation.request import Generated, GenerationRequest
from composer.music.keys import pitch
from composer.music.scales import parse_range, parse_scale

DANCE_METERS = {
    "reel": ("4/4", "2/2"), "jig": ("6/8",), "hornpipe": ("4/4", "2/4"), "slip jig": ("9/8",), "waltz": ("3/4",),
}  # fmt: skip
"""The meters of some dances; others may be in any meter."""


class Suite(NamedTuple):
    """The values to try for each control, and a function that returns the controls that a piece does not satisfy."""

    values: Mapping[str, Sequence[Any]]
    missing: Callable[[Piece, Mapping[str, Any]], list[str]]


def main() -> None:
    """Print a line for each control, one for pairs, and all violations."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("representations", nargs="*", default=list(SUITES))
    arguments.add_argument("--count", type=int, default=100)
    arguments.add_argument("--model", type=Path)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    for name in given.representations:
        model = load_model(given.model or store.default(name))
        for line in report(model, given.count, given.seed):
            print(line, flush=True)


def report(model: LoadedModel, count: int, seed: int) -> Iterator[str]:
    """Yield a line for each control, and one for pairs of controls."""
    name, rng = model.representation.name, random.Random(seed)
    suite = SUITES[name]
    for control in suite.values:
        yield f"{name} --{control.replace('_', '-')}: " + summary(outcomes(model, singles(suite, control, count)))
    yield f"{name}, pairs: " + summary(outcomes(model, pairs(suite, rng, count)))


def singles(suite: Suite, control: str, count: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Yield each value of one control, and the number of pieces to generate with it."""
    values = suite.values[control][:count]
    for number, value in enumerate(values):
        yield {control: value}, count // len(values) + (number < count % len(values))


def pairs(suite: Suite, rng: random.Random, count: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Yield random pairs of controls, one piece each."""
    for _ in range(count):
        yield {control: rng.choice(suite.values[control]) for control in rng.sample(sorted(suite.values), 2)}, 1


def outcomes(
    model: LoadedModel, requests: Iterable[tuple[Mapping[str, Any], int]], length: int | None = None
) -> Iterator[str]:
    """Yield the outcome of each piece of at most `length` steps: `obeyed`, `refused`, or what is wrong."""
    representation = model.representation
    for number, (controls, count) in enumerate(requests):
        try:
            for piece in generated(model, controls, count, 1000 * number, length):
                missing = SUITES[representation.name].missing(piece, controls)
                yield f"{controls}: not {', '.join(missing)} in {piece.content!r}" if missing else "obeyed"
        except Unsatisfiable as error:
            flags = [f"--{control.replace('_', '-')}" for control in controls]
            named = len(controls) > 1 and all(flag in error.message for flag in flags)
            yield "refused" if named else f"{controls}: {error.message}"


def generated(
    model: LoadedModel, controls: Mapping[str, Any], count: int, seed: int, length: int | None = None
) -> Iterator[Piece]:
    """Yield pieces generated with `controls`."""
    representation, context = model.representation, GenerationContext(length)
    requested = representation.Controls(**controls)
    constraint = representation.constraint(requested, context)
    request = GenerationRequest(length=representation.max_steps(requested, context), count=count, seed=seed)
    steps: dict[int, list[Any]] = {}
    for event in generate(model.sampler, model.spec, request, constraint):
        if isinstance(event, Generated):
            steps.setdefault(event.number, []).extend(event.steps)
    yield from (representation.decode(each) for each in steps.values())


def summary(found: Iterator[str]) -> str:
    """Return how many obeyed and were refused, the time, and all other outcomes."""
    begin = time.perf_counter()
    counts = Counter(found)
    obeyed, refused = counts.pop("obeyed", 0), counts.pop("refused", 0)
    words = f"{obeyed} obeyed, {refused} refused, {sum(counts.values())} wrong, {time.perf_counter() - begin:.0f} s"
    return "\n  ".join([words, *counts])


def missing_in_abc(piece: Piece, controls: Mapping[str, Any]) -> list[str]:
    """Return the controls that a tune does not satisfy, and the reader's diagnostics."""
    tune = parse_tune(split_tunes(f"X:1\n{piece.content}")[0])
    key, time = tune.key, tune.time
    assert key is not None
    assert time is not None
    written = [bar for bar in bars(next(iter(tune.voices.values()))) if bar.sounds]
    part_starts = [True, *(bar.close is not None and bool(bar.close.strong or bar.close.ends) for bar in written)]
    second = [bool(bar.open is not None and bar.open.endings) for bar in written]
    pickups = [
        begins and not ending and bar.ticks < time.bar
        for bar, begins, ending in zip(written, part_starts, second, strict=False)
    ]
    sounds = [sound for bar in written for sound in bar.sounds]
    tones = {tone for sound in sounds if isinstance(sound, Sound) for tone in sound.tones}
    pitches = {pitch(*tone) for tone in tones}
    unique = len(pitches) == len(tones)  # no pitch is spelled in two ways
    rhythm, title = tune.first("R"), tune.first("T").lower()
    scale = controls.get("scale")
    named = None
    if scale is not None:
        tonic = scale.split()[0] in {"C", "D"}
        named = parse_scale("" if scale == "own" else scale, "" if tonic else key.name)
    found = {
        # a tonic alone takes its mode from the other control
        "key": lambda value: value in ((key.name, key.tonic) if "mode" in controls else (key.name,)),
        "mode": lambda value: key.mode == value,
        "meter": lambda value: str(time) == value and value in DANCE_METERS.get(rhythm, (value,)),
        "rhythm": lambda value: (
            rhythm == value
            and str(time) in DANCE_METERS.get(value, (str(time),))
            and not any(re.search(rf"\b{dance}s?\b", title) for dance in DANCE_METERS if dance not in value)
        ),
        "bars": lambda value: len(written) - sum(pickups) == value,
        "range": lambda value: unique and all(each in parse_range(value) for each in pitches),
        "scale": lambda value: unique and all(named is not None and each in named for each in pitches),
    }
    return [control for control, value in controls.items() if not found[control](value)] + [
        str(problem) for problem in tune.diagnostics
    ]


SUITES = {
    "abc": Suite(
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
