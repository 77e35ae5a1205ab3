"""What the training loop costs over the network itself: loss, gradients and optimiser on one batch that is at hand.

    python tests/bench/training.py

Pairs are measured side by side, and the median of their ratios is printed, with the cost of making a window.
"""

import random
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

from composer.api import Kind, Piece, SequenceSpec
from composer.core import registry
from composer.core.arrays import open_part, write_part
from composer.core.batches import Windows
from composer.core.learner import Learner
from composer.core.training import Run, Settings

SPEC = SequenceSpec(Kind.TOKENS, size=90, end=0)


class Numbers:
    """As much of a representation as encoding asks for: pieces of random tokens."""

    spec = SPEC

    def encode(self, piece):
        return piece.content


def seconds(function):
    """How long a call takes."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def main(pairs=10):
    """Measure and print."""
    generator = random.Random(0)
    tunes = [[generator.randrange(1, 90) for _ in range(generator.randrange(200, 500))] + [0] for _ in range(1000)]
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "train"
        part = open_part(stem, SPEC, write_part(stem, Numbers(), [Piece(tune) for tune in tunes], print))
        data = type("Data", (), {"spec": SPEC, "parts": {"train": part}})
        model = registry.model("lstm")
        learner = Learner.begin(Run(model, model.Config(), None, data, Path(folder), Settings()))
        windows = Windows(part, SPEC, batch=64, length=128, seed=0)
        learner.network.train()
        both, making = [], []
        for number in range(pairs + 1):
            making.append(seconds(partial(windows.window, 0, number)))
            batch = windows.window(0, number)
            both.append((seconds(partial(bare, learner, batch)), seconds(partial(whole, learner, windows, number))))
    rows, length = batch.targets.shape
    ratio = statistics.median(whole / bare for bare, whole in both[1:])
    step = statistics.median(bare for bare, _ in both[1:])
    print(f"{torch.get_num_threads()} threads, lstm 2 x 256, {rows} x {length} tokens, {learner.precision}")
    print(f"bare step {step * 1e3:.0f} ms, {rows * length / step:.0f} tokens a second")
    print(f"window {statistics.median(making) * 1e3:.2f} ms; the loop's step over a bare one: {ratio:.3f}")


def bare(learner, batch):
    """One step of descent without anything around it."""
    loss, learner.stream = learner.network.loss(batch, learner.stream)
    loss.objective.backward()
    learner.optimiser.step()
    learner.optimiser.zero_grad()


def whole(learner, windows, number):
    """The same as the training loop does it."""
    float(learner.learn(windows.window(0, number), 0.001))


if __name__ == "__main__":
    main()
