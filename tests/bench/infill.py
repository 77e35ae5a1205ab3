"""Fill bars 5 to 8 of held-out pieces, and measure how well the bars after them follow.

    python tests/bench/infill.py abc corpus:oneills1850 [--pieces 30] [--particles 1,16,64] [--seeds 1]

Print the log-likelihood of bars 9 to 12, in nats per step, after the generated gap and after the real one; and the
share of gaps that equal bars 1 to 4 or 9 to 12, and of their bars that occur elsewhere in the piece.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from composer.api import GenerationContext, Piece, Step, StepKind, Unsatisfiable
from composer.checkpoints import store
from composer.checkpoints.load import LoadedModel, load_model
from composer.data import corpus
from composer.data.splits import SplitSettings, split_pieces
from composer.generation.batched_loop import prime
from composer.generation.generate import generate
from composer.generation.plans import constraint_of
from composer.generation.request import Generated, GenerationRequest
from composer.music.bars import bars as bars_of_score

GAP, AFTER = range(5, 9), range(9, 13)


class Bars(NamedTuple):
    """The content of the bars from 1 on, and where bars 9 and 13 start, in steps from the end."""

    contents: Sequence[Any]
    after: int
    rest: int


def main() -> None:
    """Print a line for each number of particles, and one for the real gaps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("representation")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--pieces", type=int, default=30)
    parser.add_argument("--particles", default="1,4,16,64")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    model = load_model(store.default(given.representation), given.representation, "cpu")
    held_out = split_pieces(SplitSettings(), corpus.read(model.representation, given.files).pieces).pieces["valid"]
    found = [piece for piece in held_out if usable(model, piece)][: given.pieces]
    report(f"real, {len(found)} pieces", [measure_real(model, piece) for piece in found])
    for count in map(int, given.particles.split(",")):
        begin = time.process_time()
        measured = [measure(model, piece, count, 1 + seed) for piece in found for seed in range(given.seeds)]
        took = (time.process_time() - begin) / len(measured)
        report(f"{count} particles, {took:.2f} s a piece", measured)


def report(name: str, measured: Sequence[tuple[float, bool, float]]) -> None:
    """Print the means of what `measure` returned."""
    nats, equal, shared = (statistics.fmean(each) for each in zip(*measured, strict=True))
    print(f"{name}: {nats:.4f} nats per step after the gap, {equal:.1%} equal, {shared:.1%} of bars occur elsewhere")


def usable(model: LoadedModel, piece: Piece) -> bool:
    """Return whether a piece has 12 bars or more that can be found in its steps."""
    try:
        return len(bars(model, model.representation.prime(piece), piece).contents) >= AFTER.stop - 1
    except (Unsatisfiable, ValueError):
        return False


def bars(model: LoadedModel, steps: Sequence[Step], piece: Piece) -> Bars:
    """Return the bars of `steps`, without an end, by the meter of `piece`. Raises ValueError if irregular."""
    representation: Any = model.representation
    if representation.name == "abc":
        from composer.formats.abc.grammar.infill import bars_of

        text = representation.decode(steps).content
        found = [bar for bar in bars_of(text, representation._plain) if bar.number]
        starts = {bar.number: bar.start for bar in found}
        ends = [len(text) + 1 - starts[number] for number in (AFTER.start, AFTER.stop) if number in starts]
        return Bars([text[bar.start : bar.end] for bar in found], ends[0] if ends else 0, (*ends, 0, 0)[1])
    score = representation.score(piece)
    per_beat = Fraction(len(steps)) / max(score.duration, Fraction(1))
    for guess in (4, 8, 12):  # steps per beat: padded to whole frames
        if abs(per_beat - guess) < 1:
            per_beat = Fraction(guess)
    every = list(bars_of_score(score))
    if any((bar.start * per_beat).denominator > 1 for bar in every):
        raise ValueError
    every = [bar for bar in every if bar.number]
    contents = [tuple(steps[int(bar.start * per_beat) : int(bar.end * per_beat)]) for bar in every]
    total = len(steps) + (model.spec.end is not None)
    starts = [int(bar.start * per_beat) for bar in every]
    if len(starts) < AFTER.start:
        raise ValueError
    return Bars(contents, total - starts[AFTER.start - 1], total - starts[AFTER.stop - 1] if len(starts) > 12 else 0)


def copies(contents: Sequence[Any]) -> tuple[bool, float]:
    """Return whether bars 5 to 8 equal the four before or after them, and which share of them occurs elsewhere."""
    gap, before, after = contents[4:8], contents[:4], contents[8:12]
    elsewhere = set(contents[:4]) | set(contents[8:])
    return gap in (before, after), sum(bar in elsewhere for bar in gap) / len(gap)


def measure_real(model: LoadedModel, piece: Piece) -> tuple[float, bool, float]:
    """Return `measure` of the piece as it is."""
    representation = model.representation
    steps = representation.encode(piece)
    found = bars(model, representation.prime(piece), piece)
    context = GenerationContext(tune=piece)
    constraint = constraint_of(representation, representation.Controls(keep_bars=kept(found)), context)
    request = GenerationRequest(length=len(steps) + 1)
    state = prime(model.sampler, model.spec, request, None)
    assert constraint is not None
    logp = []
    for step in steps:
        array = np.array([step])
        if model.spec.kind is StepKind.FRAMES:
            array = np.zeros((1, model.spec.size), np.uint8)
            array[0, list(step)] = 1
        logp.append(float(model.sampler.log_prob(state, array)[0]))
        state = model.sampler.advance(state, array)
    return mean_after(logp, found), *copies(found.contents)


def kept(found: Bars) -> str:
    """Return the bars to keep."""
    count = len(found.contents)
    return f"1-{GAP.start - 1},{GAP.stop}-{count}"


def mean_after(logp: Sequence[float], found: Bars) -> float:
    """Return the mean log-probability of bars 9 to 12."""
    return statistics.fmean(logp[len(logp) - found.after : len(logp) - found.rest])


def measure(model: LoadedModel, piece: Piece, particles: int, seed: int) -> tuple[float, bool, float]:
    """Fill the gap; return the mean log-probability of the bars after it, and `copies`."""
    representation = model.representation
    found = bars(model, representation.prime(piece), piece)
    controls, context = representation.Controls(keep_bars=kept(found)), GenerationContext(tune=piece)
    constraint = constraint_of(representation, controls, context)
    length = representation.max_steps(controls, context)
    request = GenerationRequest(length=length, seed=seed, particles=particles)
    steps: list[Step] = []
    logp: list[float] = []
    for event in generate(model.sampler, model.spec, request, constraint):
        if isinstance(event, Generated):
            steps += event.steps
            logp += event.logp
    body = steps if model.spec.end is None else steps[:-1]
    return mean_after(logp, found), *copies(bars(model, body, piece).contents)


if __name__ == "__main__":
    main()
