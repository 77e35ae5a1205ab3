"""How near training comes to what the processor can do, and what the loop costs over the network itself.

    python tests/bench/training.py

A bare step is loss, gradients and optimiser of an lstm of 2 x 256 on one batch that is at hand. It takes three products
forth and back for each weight; their rate is set beside that of a plain product of matrices as large as the layers',
and of two square ones. All are measured in turn, and medians are printed.
"""

import random
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

from composer.api import Piece, SequenceSpec, StepKind
from composer.data.batches import Windows
from composer.data.encoded_split import open_part, write_part
from composer.registry import plugins as registry
from composer.system import malloc
from composer.training import optimizer as optimizers
from composer.training.loop import Settings, TrainingRun
from composer.training.trainer import Trainer

SPEC = SequenceSpec(StepKind.TOKENS, size=90, end=0)


class Numbers:
    """As much of a representation as encoding asks for: pieces of random tokens."""

    spec = SPEC

    def encode(self, piece):
        return piece.content

    def packed(self, piece):
        return None

    def losses(self, piece):
        return {}


def seconds(function):
    """How long a call takes."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def main(pairs=10):
    """Measure and print."""
    malloc.keep_freed_memory()
    generator = random.Random(0)
    tunes = [[generator.randrange(1, 90) for _ in range(generator.randrange(200, 500))] + [0] for _ in range(1000)]
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "train"
        part = open_part(stem, SPEC, write_part(stem, Numbers(), [Piece(tune) for tune in tunes], print))
        data = type("Data", (), {"spec": SPEC, "parts": {"train": part}})
        model = registry.model("lstm")
        learner = Trainer.start(TrainingRun(model, model.Config(), None, data, Path(folder), Settings()))
        windows = Windows(part, SPEC, batch=64, length=128, seed=0)
        learner.network.train()
        bf16 = not optimizers.bf16_obstacle("cpu")
        times = {name: [] for name in ("bare", "whole", *["bf16"] * bf16, "window", "matmul", "square")}
        for number in range(pairs + 1):
            times["window"].append(seconds(partial(windows.window, 0, number)))
            batch = windows.window(0, number)
            times["bare"].append(seconds(partial(bare, learner, batch)))
            times["whole"].append(seconds(partial(whole, learner, windows, number)))
            if bf16:
                times["bf16"].append(seconds(partial(bare, learner, batch, "bf16")))
            times["matmul"].append(seconds(product(8192, 512, 1024)))
            times["square"].append(seconds(product(1024, 1024, 1024)))
    report(learner, batch, {name: statistics.median(each[1:]) for name, each in times.items()}, times)


def report(learner, batch, middle, times):
    """Print what was measured: `middle` are medians of `times`, in seconds."""
    rows, length = batch.targets.shape
    weights = sum(
        each.numel() for name, each in learner.network.named_parameters() if each.dim() == 2 and "embed" not in name
    )
    rate = 6 * rows * length * weights / middle["bare"]
    like, square = 2 * 8192 * 512 * 1024 / middle["matmul"], 2 * 1024**3 / middle["square"]
    ratio = statistics.median(whole / bare for bare, whole in zip(times["bare"][1:], times["whole"][1:], strict=True))
    print(f"{torch.get_num_threads()} threads, lstm 2 x 256, {rows} x {length} tokens, {learner.precision}")
    print(f"bare step {middle['bare'] * 1e3:.0f} ms, {rows * length / middle['bare']:,.0f} tokens a second")
    print(
        f"{rate / 1e9:.0f} GFLOP/s; a product of 8192 x 512 x 1024 {like / 1e9:.0f} (a share of {rate / like:.2f}), "
        f"of 1024 x 1024 x 1024 {square / 1e9:.0f} ({rate / square:.2f}); at least 0.70"
    )
    if "bf16" in middle:
        print(f"bf16 over fp32: {middle['bare'] / middle['bf16']:.2f} times as fast; at least 1.5")
    else:
        print(f"bf16: nothing was measured: {optimizers.bf16_obstacle('cpu')}")
    print(f"window {middle['window'] * 1e3:.2f} ms; the loop's step over a bare one: {ratio:.3f}")


def product(rows, inner, columns):
    """A product of fp32 matrices."""
    return partial(torch.mm, torch.randn(rows, inner), torch.randn(inner, columns), out=torch.empty(rows, columns))


def bare(learner, batch, precision="fp32"):
    """One step of descent without anything around it."""
    with optimizers.autocast(precision, "cpu"):
        loss, _ = learner.network.loss(batch, None)
    loss.objective.backward()
    learner.optimizer.step()
    learner.optimizer.zero_grad()


def whole(learner, windows, number):
    """The same as the training loop does it."""
    float(learner.train_step(windows.window(0, number), 0.001).monitor)


if __name__ == "__main__":
    main()
