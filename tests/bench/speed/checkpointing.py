"""Memory of one training update over a long sequence, with and without gradient checkpointing.

    python tests/bench/speed/checkpointing.py [--length 5000] [--hidden 512]

Each setting runs in its own process. The baseline is the peak memory of a process with the same network and a short
sequence.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time


def main() -> None:
    """Print the results."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--length", type=int, default=5000)
    arguments.add_argument("--hidden", type=int, default=512)
    arguments.add_argument("--batch-size", type=int, default=16)
    arguments.add_argument("--chunks", type=int, default=0, help="measure this setting, in this process")
    options = arguments.parse_args()
    if options.chunks:
        print(*measure(options.length, options.hidden, options.batch_size, options.chunks))
        return
    base, _ = measure_in_new_process(options, 2, 1)
    print(f"lstm 2 x {options.hidden}, {options.batch_size} rows of {options.length} steps, 90 symbols")
    whole = 0.0
    for chunks in (1, 10, 30, 70):
        memory, seconds = measure_in_new_process(options, options.length, chunks)
        whole = whole or memory - base
        ratio = (memory - base) / whole
        print(f"  {chunks:3} chunks: {memory - base:7,.0f} MB above {base:.0f}, ratio {ratio:.3f}; {seconds:.1f} s")


def measure_in_new_process(options: argparse.Namespace, length: int, chunks: int) -> tuple[float, float]:
    """Return peak memory in MB and seconds of one update, measured in a new process."""
    sizes = [
        "--length",
        str(length),
        "--hidden",
        str(options.hidden),
        "--batch-size",
        str(options.batch_size),
        "--chunks",
        str(chunks),
    ]
    done = subprocess.run([sys.executable, __file__, *sizes], capture_output=True, text=True, check=True)
    memory, seconds = map(float, done.stdout.split())
    return memory, seconds


def measure(length: int, hidden: int, rows: int, chunks: int) -> tuple[float, float]:
    """Return peak memory in MB of this process after one update, and its seconds."""
    import torch

    from composer.api import SequenceSpec, StepKind
    from composer.api.network import Batch
    from composer.registry import plugins as registry

    model = registry.model("lstm")
    network = model.network(SequenceSpec(StepKind.TOKENS, size=90, end=0), model.Config(hidden=hidden))
    network.checkpoint_chunks = chunks
    targets = torch.randint(1, 90, (rows, length))
    reset = torch.zeros(rows, length, dtype=torch.bool)
    begin = time.perf_counter()
    loss, _ = network.loss(Batch(targets.roll(1, 1), targets, torch.ones(rows, length), reset), None)
    loss.objective.backward()
    seconds = time.perf_counter() - begin
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, seconds


if __name__ == "__main__":
    main()
