"""Error of the estimate of log Z of an rnnrbm's frames, and the processor time that it takes.

    composer train pianoroll FILE... --model rnnrbm --output rbm.safetensors
    python tests/bench/speed/annealing.py rbm.safetensors FILE... [--frames 1250] [--seeds 5]

The frames are spread over the pieces. Every tenth of them has its error measured: the root of the mean square of the
errors of log Z, and the error of their mean, which shifts what `composer eval` reports. The truth is exact if the
smaller layer has at most 20 units. Otherwise it is an estimate with 1,000 steps of 256 chains, whose own variance is
subtracted from the mean square. The table has the median, lowest and highest of several seeds. With two layers of 88
and 150 units, it takes about five minutes.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from composer.analysis.hidden_states.run import encode, hidden_states, load
from composer.data.corpus import read
from composer.system import malloc
from composer_rnnrbm.network import LIKELIHOOD_EFFORT, MAX_KNOWN_FRAMES, RnnRbmNetwork
from composer_rnnrbm.partition_function import Effort, by_annealing, by_enumeration, log_partition, most_frequent

MAX_EXACT_UNITS = 20
JUDGED = 10
"""One in how many frames has its error measured."""
REFERENCE = Effort(1000, 256)
COUNTS = (10, 4), (25, 4), (50, 4), (150, 4), (25, 16), (50, 16), (150, 16), (150, 64)
EFFORTS = {"default": LIKELIHOOD_EFFORT, **{f"{steps} x {chains}": Effort(steps, chains) for steps, chains in COUNTS}}
"""Steps x chains per frame. The default finds the number of chains itself."""


class Frames(NamedTuple):
    """RBMs of N frames: `W` (H, V), biases `bv` (N, V) and `bh` (N, H), and the distinct frames `known` (K, V)."""

    W: Tensor
    bv: Tensor
    bh: Tensor
    known: Tensor

    def every(self, step: int) -> Frames:
        """Return every `step`-th of the RBMs."""
        return self._replace(bv=self.bv[::step].contiguous(), bh=self.bh[::step].contiguous())


class Estimate(NamedTuple):
    """Processor time, and errors in nats: root of the mean square over frames, and of the mean, with its sign."""

    seconds: float
    rms: float
    mean: float


@torch.no_grad()
def read_frames(path: Path, files: Sequence[str], count: int) -> Frames:
    """Return at most `count` frames' RBMs of the model at `path`, spread over the pieces in `files`."""
    model = load(path)
    network = model.network
    if not isinstance(network, RnnRbmNetwork):
        raise SystemExit(f"error: {path} is not an rnnrbm\nhint: composer train pianoroll ... --model rnnrbm")
    pieces = [encode(model, piece, labeled=False) for piece in read(model.representation, files).pieces]
    # the units after a frame give the biases of the next
    u = torch.cat([torch.from_numpy(states[:-1]) for _, states in hidden_states(model, pieces)])
    packed = np.concatenate([piece.steps for piece in pieces])
    frames = torch.from_numpy(np.unpackbits(packed, axis=-1, count=model.spec.size)).to(u)
    u = u[torch.linspace(0, len(u) - 1, min(count, len(u))).long()]
    bv, bh = F.linear(u, network.Wuv, network.bv), F.linear(u, network.Wuh, network.bh)
    return Frames(network.W.detach(), bv, bh, most_frequent(frames, MAX_KNOWN_FRAMES))


def reference(frames: Frames) -> tuple[Tensor, Tensor]:
    """Return log Z (N,), exact if possible, and the variance of each."""
    if min(frames.W.shape) <= MAX_EXACT_UNITS:
        exact = by_enumeration(frames.W, frames.bv, frames.bh)
        return exact, torch.zeros_like(exact)
    torch.manual_seed(0)
    single = zip(frames.bv.split(1), frames.bh.split(1), strict=True)  # 256 chains of one frame fit in the cache
    parts = [by_annealing(frames.W, bv, bh, REFERENCE, frames.known) for bv, bh in single]
    log_z, variance = (torch.cat(part) for part in zip(*parts, strict=True))
    return log_z, variance


def measure(effort: Effort, frames: Frames, truth: tuple[Tensor, Tensor], seed: int) -> Estimate:
    """Return the time of log Z (N,) of all frames, and its errors in those whose `truth` is known."""
    torch.manual_seed(seed)
    start = time.process_time()
    log_z, _ = log_partition(frames.W, frames.bv, frames.bh, effort, frames.known)
    seconds = time.process_time() - start
    exact, variance = truth
    errors = log_z[::JUDGED] - exact
    square = float((errors**2).mean() - variance.mean())
    return Estimate(seconds, math.sqrt(max(0.0, square)), float(errors.mean()))


def row(what: str, estimates: Sequence[Estimate]) -> str:
    """Return a row of a Markdown table."""
    cells = (
        f"{statistics.median(part):{form}} ({min(part):{form}} to {max(part):{form}})"
        for part, form in zip(zip(*estimates, strict=True), (".2f", ".3f", "+.3f"), strict=True)
    )
    return f"| {what} | {' | '.join(cells)} |"


@torch.no_grad()
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--frames", type=int, default=1250)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    malloc.keep_freed_memory()
    frames = read_frames(options.model, options.files, options.frames)
    truth = reference(frames.every(JUDGED))
    own = math.sqrt(float(truth[1].mean()))
    print(f"{len(frames.bv)} frames, {len(truth[0])} of them measured; the reference has an error of {own:.3f} nats\n")
    estimates: dict[str, list[Estimate]] = {name: [] for name in EFFORTS}
    for seed in range(options.seeds):  # in turns, because the machine's speed drifts
        for name, effort in EFFORTS.items():
            estimates[name].append(measure(effort, frames, truth, seed))
    print("| steps x chains | CPU seconds | error of a frame, nats | error of the mean, nats |\n|---|---|---|---|")
    for name, found in estimates.items():
        print(row(name, found))


if __name__ == "__main__":
    main()
