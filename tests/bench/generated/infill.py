"""Fill bars 5 to 8 of real pieces, and measure how well the bars after them follow.

    python tests/bench/generated/infill.py abc [corpus:oneills1850] [--pieces 100] [--particles 1,16] [--seeds 1]
                                     [--results FILE] [--training]

Print a Markdown table with a row for the real gaps and one for each number of particles; 1 fills from left to right.
Its columns are the log-likelihood of bars 9 to 12 in nats per step, its mean difference from the first number of
particles with its standard error over pieces, the share of gaps that equal bars 1 to 4 or 9 to 12, the share of their
bars that occur elsewhere in the piece, and the processor time. Pieces are held out; with --training, pieces that the
model was trained on make up the number. With --results, each piece is saved, and the same command continues.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from composer.analysis.selection import select_pieces
from composer.api import GenerationContext, Piece, Step, StepKind, Unsatisfiable
from composer.checkpoints import store
from composer.checkpoints.file import digest
from composer.checkpoints.load import LoadedModel, load_model
from composer.data import corpus
from composer.generation.generate import generate
from composer.generation.plans import PlannedConstraints, constraint_of
from composer.generation.primed_state import position_features, prime
from composer.generation.request import Generated, GenerationRequest
from composer.music.bars import bars as bars_of_score

GAP, AFTER = range(5, 9), range(9, 13)
DATA = {"abc": "corpus:oneills1850", "grid": "corpus:oneills1850", "pianoroll": "corpus:bach"}
HEADS = ("bars 5 to 8", "pieces", "nats per step after", "difference", "equal", "bars found elsewhere", "s per piece")


class Bars(NamedTuple):
    """The content of the bars from 1 on, and where bars 9 and 13 start, in steps from the end."""

    contents: Sequence[Any]
    after: int
    rest: int


class Filled(NamedTuple):
    """A filled gap: the mean log-probability of the bars after it, what `copies` returns, and processor time."""

    nats: float
    equal: bool
    shared: float
    seconds: float


class Saved:
    """Results by model, piece, particles and seed, saved as lines of JSON if there is a file."""

    def __init__(self, path: Path | None, model: str) -> None:
        self.path, self.model = path, model
        lines = path.read_text("utf-8").splitlines() if path is not None and path.exists() else []
        self.known = {tuple(key): Filled(*values) for key, values in map(json.loads, lines)}

    def get(self, model: LoadedModel, piece: Piece, particles: int, seed: int) -> Filled:
        """Return a result, measured if it is new; 0 particles are the real gap."""
        key = (self.model, piece.source, piece.title, particles, seed)
        if key not in self.known:
            begin = time.process_time()
            found = measure(model, piece, particles, seed) if particles else measure_real(model, piece)
            self.known[key] = Filled(*found, time.process_time() - begin)
            if self.path is not None:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([key, self.known[key]]) + "\n")
        return self.known[key]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("representation", choices=DATA)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--pieces", type=int, default=100)
    parser.add_argument("--particles", default="1,16")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--checkpoint", type=Path, metavar="NAME", help="model name or file")
    parser.add_argument("--results", type=Path, metavar="FILE")
    parser.add_argument("--training", action="store_true")
    given = parser.parse_args()
    path = store.resolve_model(given.checkpoint) if given.checkpoint else store.default(given.representation)
    model = load_model(path, given.representation, "cpu")
    files = given.files or [DATA[given.representation]]
    pieces = list(islice(choose(model, files, given.training), given.pieces))
    saved, base = Saved(given.results, digest(path)), None
    print("|".join(["", *(f" {head} " for head in HEADS), ""]) + "\n" + "|---" * len(HEADS) + "|")
    row("real", [saved.get(model, piece, 0, 0) for piece in pieces], None)
    for count in map(int, given.particles.split(",")):
        filled = [saved.get(model, piece, count, 1 + seed) for piece in pieces for seed in range(given.seeds)]
        row(f"{count} particles" if count > 1 else "left to right", filled, base)
        base = base or filled


def choose(model: LoadedModel, files: Sequence[str], training: bool) -> Iterator[Piece]:
    """Yield the usable pieces that are held out, then, if wanted, those of the training data."""
    pieces = corpus.read(model.representation, files).pieces
    for part in ("valid", "train") if training else ("valid",):
        selected = select_pieces(model.header, model.representation, None, pieces, None, part).pieces
        yield from (piece for piece in selected if usable(model, piece))


def row(name: str, filled: Sequence[Filled], base: Sequence[Filled] | None) -> None:
    """Print a row of the table."""
    nats, equal, shared, seconds = (statistics.fmean(each) for each in zip(*filled, strict=True))
    apart = ""
    if base is not None and len(base) > 1:
        differences = [one.nats - other.nats for one, other in zip(filled, base, strict=True)]
        error = statistics.stdev(differences) / len(differences) ** 0.5
        apart = f"{statistics.fmean(differences):+.4f} ± {error:.4f}"
    cells = (name, len(filled), f"{nats:.4f}", apart, f"{equal:.1%}", f"{shared:.1%}", f"{seconds:.2f}")
    print("|".join(["", *(f" {cell} " for cell in cells), ""]), flush=True)


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
    beginnings = [int(bar.start * per_beat) for bar in every]
    if len(beginnings) < AFTER.start:
        raise ValueError
    rest = total - beginnings[AFTER.stop - 1] if len(beginnings) > 12 else 0
    return Bars(contents, total - beginnings[AFTER.start - 1], rest)


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
    constraint: Any = constraint_of(
        representation, representation.Controls(keep_bars=kept(found)), GenerationContext(tune=piece)
    )
    labels = None
    if isinstance(constraint, PlannedConstraints):
        plan, constraint = constraint.of_seed(0)
        labels = representation.plan_labels(plan)
    state = prime(model.sampler, model.spec, GenerationRequest(length=len(steps) + 1), constraint, labels)
    followed = constraint.start(())
    logp = []
    for number, step in enumerate(steps, 1):
        array = np.array([step])
        if model.spec.kind is StepKind.FRAMES:
            array = np.zeros((1, model.spec.size), np.uint8)
            array[0, list(step)] = 1
        logp.append(float(model.sampler.log_prob(state, array)[0]))
        if number < len(steps):
            followed = constraint.step(followed, step)
            features = np.array([constraint.features(followed)]) if model.spec.features else None
            state = model.sampler.advance(state, array, **position_features(features))
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
