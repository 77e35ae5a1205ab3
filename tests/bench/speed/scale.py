"""Cost of generation and training by parameters, batch size and processes.

    python tests/bench/speed/scale.py [--seconds 4] [--hidden 64 128 256 512 1024]

Print the tables of SCALE.md. Networks have random weights, which take as long as trained ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from composer.api import SequenceSpec, StepKind
from composer.api.network import Batch
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.system import malloc
from composer_lstm import Lstm, LstmConfig

SPEC = SequenceSpec(StepKind.TOKENS, size=90, end=0)
ROWS, LENGTH = 64, 128


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=4, help="how long to measure each figure")
    arguments.add_argument("--hidden", type=int, nargs="*", default=[64, 128, 256, 512, 1024])
    given = arguments.parse_args()
    malloc.keep_freed_memory()
    print(f"{torch.get_num_threads()} threads of {os.cpu_count()} cores, torch {torch.__version__}\n")
    parameters(given.hidden, given.seconds)
    widths(given.seconds)
    processes()


def parameters(sizes: list[int], seconds: float) -> None:
    """Print the speed of training and generation for two layers of each size."""
    print("| cells | parameters | training, tokens/s | x parameters, GFLOP/s | generating one piece, tokens/s |")
    print("|---|---|---|---|---|")
    for hidden in sizes:
        config = LstmConfig(hidden=hidden)
        network = Lstm().network(SPEC, config)
        count = sum(each.numel() for each in network.parameters())
        learns = ROWS * LENGTH / median(learning(network), seconds)
        plays = 50 / median(playing(network, config, 1, 50), seconds)
        print(f"| 2 x {hidden} | {count:,} | {learns:,.0f} | {6 * count * learns / 1e9:.0f} | {plays:,.0f} |")
    print()


def widths(seconds: float) -> None:
    """Print the speed of the sampler by batch size, 2 x 256."""
    print("| batch size | tokens/s | speedup |\n|---|---|---|")
    config, one = LstmConfig(), 0.0
    network = Lstm().network(SPEC, config)
    for width in (1, 4, 16, 64, 256):
        rate = 20 * width / median(playing(network, config, width, 20), seconds)
        one = one or rate
        print(f"| {width} | {rate:,.0f} | {rate / one:.1f} |")
    print()


def processes() -> None:
    """Print the speed of training in one and two processes, each with one thread, on random text."""
    print("| processes | tokens/s | speedup |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "text.txt")
        generator = np.random.default_rng(0)
        text.write_text("\n\n\n".join("".join(map(chr, generator.integers(97, 123, 300))) for _ in range(2000)))
        one = 0.0
        for world in (1, 2):
            rate = trained(text, Path(folder), world)
            one = one or rate
            print(f"| {world} | {rate:,.0f} | {rate / one:.2f} |")


def trained(text: Path, home: Path, world: int) -> float:
    """Return the tokens per second of `composer train` with `world` processes, over its last updates."""
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(world)] if world > 1 else []
    command = [sys.executable, *launcher, "-m", "composer", "train", "text", str(text), "--model", "lstm"]
    asked = [*command, "--max-updates", "40", "--json", "--force", "--name", f"scale-{world}"]
    done = subprocess.run(
        asked,
        env={**os.environ, "COMPOSER_HOME": str(home), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    rates = [
        float(line.partition('"rate": ')[2].rstrip("}\n")) for line in done.stdout.splitlines() if '"rate"' in line
    ]
    return rates[-1]


def learning(network):
    """Return a function that makes an update with a fixed batch."""
    targets = torch.randint(1, SPEC.size, (ROWS, LENGTH))
    reset = torch.zeros(ROWS, LENGTH, dtype=torch.bool)
    batch = Batch(targets.roll(1, 1), targets, torch.ones(ROWS, LENGTH), reset)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)

    def step():
        network.loss(batch, None)[0].objective.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def playing(network, config, width, steps):
    """Return a function that generates `steps` steps of `width` pieces."""
    weights = {name: tensor.detach().numpy().copy() for name, tensor in network.state_dict().items()}
    sampler, params, rng = (
        Lstm().sampler(SPEC, config, weights),
        BatchSamplingParams.for_rows(width),
        CounterRNG(range(width)),
    )

    def play():
        state = sampler.initial_state([{}] * width)
        for step in range(steps):
            drawn = sampler.sample(state, params, rng.at_steps(np.full(width, step)))
            state = sampler.advance(state, drawn.steps)

    return play


def median(work, seconds: float) -> float:
    """Return the median time of a call, over as many as fit into `seconds`, at least three."""
    work()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


if __name__ == "__main__":
    main()
