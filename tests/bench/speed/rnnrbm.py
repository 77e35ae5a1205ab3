"""Speed of rnnrbm training and generation, compared with a plain torch loop.

    python tests/bench/speed/rnnrbm.py [--pairs 7]

The loop implements the published algorithm literally: for each frame the biases, then k times `torch.bernoulli` for
hidden and visible units, then the next recurrent state. Both use the published sizes: 88 units, 150 hidden, 100
recurrent, CD-15, 25 Gibbs steps per frame, batches of 100 frames.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from pairs import HEADER, measure
from torch.nn import functional as F

from composer.api import SequenceSpec, StepKind
from composer.api.network import Batch
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer_rnnrbm import RnnRbm, RnnRbmConfig
from composer_rnnrbm.rbm import free_energy, gibbs

SPEC, CONFIG = SequenceSpec(StepKind.FRAMES, size=88), RnnRbmConfig(hidden=150, recurrent=100, k=15, gibbs=25)
GENERATED, REPEATED = 200, 5


def chain(network, v, bv, bh, k):
    """Run `k` Gibbs steps from `v` with torch.bernoulli."""
    for _ in range(k):
        h = torch.bernoulli(torch.sigmoid(F.linear(v, network.W) + bh))
        v = torch.bernoulli(torch.sigmoid(h @ network.W + bv))
    return v


def contrastive_divergence(network, rows, length):
    """Sample v* for `rows` pieces of `length` frames: all at once, and frame by frame."""
    frames = (torch.rand(rows, length, SPEC.size) < 0.05).float()
    bv, bh = network.bv.expand(rows, length, -1).contiguous(), network.bh.expand(rows, length, -1).contiguous()

    def composer_side():
        for _ in range(REPEATED):
            gibbs(frames.flatten(0, 1), network.W, bv.flatten(0, 1), bh.flatten(0, 1), CONFIG.k)

    @torch.no_grad()
    def plain_loop():
        for _ in range(REPEATED):
            for t in range(length):
                chain(network, frames[:, t], bv[:, t], bh[:, t], CONFIG.k)

    return composer_side, plain_loop


def training_update(network, rows, length):
    """Loss and gradients of one batch."""
    frames = (torch.rand(rows, length, SPEC.size) < 0.05).float()
    reset = torch.zeros(rows, length, dtype=torch.bool)
    reset[:, 0] = True
    inputs = torch.cat([torch.zeros_like(frames[:, :1]), frames[:, :-1]], 1)
    batch = Batch(inputs, frames, torch.ones(rows, length), reset)

    def composer_side():
        network.loss(batch, None)[0].objective.backward()

    def plain_loop():
        u, total = network.u0.expand(rows, -1), torch.zeros(())
        for v in frames.unbind(1):
            bv, bh = F.linear(u, network.Wuv, network.bv), F.linear(u, network.Wuh, network.bh)
            with torch.no_grad():
                reached = chain(network, v, bv, bh, CONFIG.k)
            total = total + (free_energy(v, network.W, bv, bh) - free_energy(reached, network.W, bv, bh)).sum()
            u = torch.tanh(F.linear(v, network.Wvu, network.bu) + F.linear(u, network.Wuu))
        (total / (rows * length)).backward()

    return composer_side, plain_loop


def generation(network):
    """Generate `GENERATED` frames."""
    weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    sampler, params, rng = RnnRbm().sampler(SPEC, CONFIG, weights), BatchSamplingParams.for_rows(1), CounterRNG([1])

    def composer_side():
        state = sampler.initial_state([{}])
        for step in range(GENERATED):
            state = sampler.advance(state, sampler.sample(state, params, rng.at_steps(np.array([step]))).steps)

    @torch.no_grad()
    def plain_loop():
        u, v = network.u0[None], torch.zeros(1, SPEC.size)
        for _ in range(GENERATED):
            bv, bh = F.linear(u, network.Wuv, network.bv), F.linear(u, network.Wuh, network.bh)
            v = chain(network, v, bv, bh, CONFIG.gibbs)
            u = torch.tanh(F.linear(v, network.Wvu, network.bu) + F.linear(u, network.Wuu))

    return composer_side, plain_loop


def main() -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    pairs = parser.parse_args().pairs
    torch.manual_seed(0)
    network = RnnRbm().network(SPEC, CONFIG)
    print(HEADER)
    for rows, length in ((1, 100), (16, 100)):
        shape = f"{rows} x {length} frames"
        ours, plain = contrastive_divergence(network, rows, length)
        what = f"CD-15 of {shape}, {REPEATED} times, over a loop of time steps"
        print(measure(ours, plain, pairs).row(what, "0.083" if rows == 1 else ""))
        ours, plain = training_update(network, rows, length)
        print(measure(ours, plain, pairs).row(f"rnnrbm, loss and gradients of {shape}, over a loop of time steps"))
    ours, plain = generation(network)
    print(measure(ours, plain, pairs).row(f"{GENERATED} frames, batch 1, over 25 Gibbs steps in torch", "0.35"))


if __name__ == "__main__":
    main()
