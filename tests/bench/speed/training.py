"""Training speed compared with the peak of the processor, and overhead of the training loop.

    python tests/bench/speed/training.py

A bare update is the loss, gradients and optimizer step of an lstm of 2 x 256 on a prepared batch. It takes three
products per weight; their rate is compared with that of a plain product of matrices of the layers' size, and of two
square ones. All are measured in turn; medians are printed.
"""

import os
import random
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

from composer.data.batches import BPTTBatches
from composer.data.dataset import prepare
from composer.data.splits import SplitSettings
from composer.registry import plugins as registry
from composer.system import malloc
from composer.training import optimizer as optimizers
from composer.training.run import TrainingRun
from composer.training.settings import Settings
from composer.training.trainer import Trainer

LETTERS = [*range(0x41, 0x5B), *range(0x61, 0x7B)]


def data_set(folder, texts=1000):
    """Return a representation and a data set of random texts, cached in `folder`."""
    os.environ["COMPOSER_HOME"] = str(folder / "home")
    generator = random.Random(0)
    for number in range(texts):
        letters = generator.choices(LETTERS, k=generator.randrange(200, 500))
        (folder / f"{number}.txt").write_bytes(bytes(letters))
    plugin = registry.representation("text")
    representation = plugin(plugin.Options())
    return representation, prepare(representation, [str(folder)], SplitSettings())


def seconds(function):
    """Return the seconds that a call takes."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def main(pairs=10):
    """Print the results."""
    malloc.keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        representation, data = data_set(Path(folder))
        model = registry.model("lstm")
        output = Path(folder, "model.safetensors")
        trainer = Trainer.start(TrainingRun(model, model.Config(), representation, data, output, Settings()))
        windows = BPTTBatches(data.splits["train"], data.spec, batch_size=64, seq_length=128, seed=0)
        trainer.network.train()
        bf16 = not optimizers.bf16_obstacle("cpu")
        times: dict[str, list[float]] = {
            name: [] for name in ("bare", "whole", *["bf16"] * bf16, "window", "matmul", "square")
        }
        for number in range(pairs + 1):
            times["window"].append(seconds(partial(windows.batch_at, 0, number)))
            batch = windows.batch_at(0, number)
            times["bare"].append(seconds(partial(bare, trainer, batch)))
            times["whole"].append(seconds(partial(whole, trainer, windows, number)))
            if bf16:
                times["bf16"].append(seconds(partial(bare, trainer, batch, "bf16")))
            times["matmul"].append(seconds(product(8192, 512, 1024)))
            times["square"].append(seconds(product(1024, 1024, 1024)))
    report(trainer, batch, {name: statistics.median(each[1:]) for name, each in times.items()}, times)


def report(trainer, batch, medians, times):
    """Print the `medians` of `times`, in seconds."""
    rows, length = batch.targets.shape
    weights = sum(
        each.numel() for name, each in trainer.network.named_parameters() if each.dim() == 2 and "embed" not in name
    )
    rate = 6 * rows * length * weights / medians["bare"]
    same_size, square = 2 * 8192 * 512 * 1024 / medians["matmul"], 2 * 1024**3 / medians["square"]
    ratio = statistics.median(whole / bare for bare, whole in zip(times["bare"][1:], times["whole"][1:], strict=True))
    print(f"{torch.get_num_threads()} threads, lstm 2 x 256, {rows} x {length} tokens, {trainer.precision}")
    print(f"bare update {medians['bare'] * 1e3:.0f} ms, {rows * length / medians['bare']:,.0f} tokens per second")
    print(
        f"{rate / 1e9:.0f} GFLOP/s; a product of 8192 x 512 x 1024 {same_size / 1e9:.0f} ({rate / same_size:.2f}), "
        f"of 1024 x 1024 x 1024 {square / 1e9:.0f} ({rate / square:.2f}); at least 0.70"
    )
    if "bf16" in medians:
        print(f"bf16 over fp32: {medians['bare'] / medians['bf16']:.2f} times as fast; at least 1.5")
    else:
        print(f"bf16 not measured: {optimizers.bf16_obstacle('cpu')}")
    print(f"window {medians['window'] * 1e3:.2f} ms; update in the loop over a bare one: {ratio:.3f}")


def product(rows, inner, columns):
    """Return a product of fp32 matrices, as a function."""
    return partial(torch.mm, torch.randn(rows, inner), torch.randn(inner, columns), out=torch.empty(rows, columns))


def bare(trainer, batch, precision="fp32"):
    """Run one update without the training loop."""
    with optimizers.autocast(precision, "cpu"):
        loss, _ = trainer.network.loss(batch, None)
    loss.objective.backward()
    trainer.optimizer.step()
    trainer.optimizer.zero_grad()


def whole(trainer, windows, number):
    """Run one update as the training loop does."""
    float(trainer.train_step(windows.batch_at(0, number), 0.001).monitor)


if __name__ == "__main__":
    main()
