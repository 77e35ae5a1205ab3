"""Gradient checkpointing: the memory that one training step over a long window takes, with it and without.

    python tests/bench/checkpointing.py [--length 5000] [--hidden 512]

Each side runs in a process of its own, whose peak memory is compared with that of a process that builds the network
and goes through one short window.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--length", type=int, default=5000)
    arguments.add_argument("--hidden", type=int, default=512)
    arguments.add_argument("--batch-size", type=int, default=16)
    arguments.add_argument("--chunks", type=int, default=0, help="measure this side, in this process")
    given = arguments.parse_args()
    if given.chunks:
        print(*one(given.length, given.hidden, given.batch, given.chunks))
        return
    base, _ = side(given, 2, 1)
    print(f"lstm of 2 x {given.hidden}, {given.batch} rows of {given.length} steps, 90 symbols")
    whole = 0.0
    for chunks in (1, 10, 30, 70):
        memory, seconds = side(given, given.length, chunks)
        whole = whole or memory - base
        share = (memory - base) / whole
        print(
            f"  {chunks:3} chunks: {memory - base:7,.0f} MB over {base:.0f}, {share:.3f} of all; {seconds:.1f} s a step"
        )


def side(given: argparse.Namespace, length: int, chunks: int) -> tuple[float, float]:
    """Peak memory in MB, and seconds, of one step in a process of its own."""
    sizes = [
        "--length",
        str(length),
        "--hidden",
        str(given.hidden),
        "--batch-size",
        str(given.batch),
        "--chunks",
        str(chunks),
    ]
    done = subprocess.run([sys.executable, __file__, *sizes], capture_output=True, text=True, check=True)
    memory, seconds = map(float, done.stdout.split())
    return memory, seconds


def one(length: int, hidden: int, rows: int, chunks: int) -> tuple[float, float]:
    """Peak memory in MB of this process after one step, and its seconds."""
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
