"""What a GPU does: tokens a second composed without rules, many steps at a time and one by one, and learnt from.

    python tests/bench/cuda.py [--device cuda:1] [--rows 8192] [--hidden 256]

Both sides of each ratio are measured in turn, and medians are printed. Aimed at: 20 million tokens a second composed by
an lstm of 2 x 256 in one process, on a GPU of the class of an H200. Where there is no GPU that can be used, it says so
and measures nothing; with `--device cpu` it shows that it works.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from composer.api import DeviceError, SequenceSpec, StepKind
from composer.api.sampling.filters import CounterRNG, SamplingParams
from composer.system import device as devices

SPEC = SequenceSpec(StepKind.TOKENS, size=90, end=0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rows", type=int, default=8192, help="pieces side by side")
    parser.add_argument("--steps", type=int, default=64, help="steps of a block")
    parser.add_argument("--hidden", type=int, default=256, help="cells of each of two layers")
    parser.add_argument("--length", type=int, default=128, help="steps of a window that is learnt from")
    parser.add_argument("--pairs", type=int, default=7)
    given = parser.parse_args(arguments)
    try:
        device = devices.resolve(given.device)
    except DeviceError as error:
        print(f"nothing was measured: {error.message}")
        return
    network = made(given.hidden, device)
    print(f"{about(device)}; lstm 2 x {given.hidden}, {SPEC.size} symbols")
    composing(network, given.rows, given.steps, given.pairs)
    for batch in (64, 1024) if given.rows > 64 else (given.rows,):
        learning(given.hidden, device, batch, given.length, given.pairs)


def about(device: str) -> str:
    """The device and what else a figure depends on."""
    import torch

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    faster = [
        name
        for name, way in (("cudnn", torch.backends.cudnn), ("matmul", torch.backends.cuda.matmul))
        if way.allow_tf32
    ]
    return f"{name}, torch {torch.__version__}, TF32 in {' and '.join(faster) or 'nothing'}"


def made(hidden: int, device: str):
    """An lstm with random weights."""
    import torch

    from composer_lstm import Lstm, LstmConfig

    torch.manual_seed(0)
    return devices.move_network(Lstm().network(SPEC, LstmConfig(hidden=hidden)), device)


def composing(network, rows: int, steps: int, pairs: int) -> None:
    """Many steps at a time over one by one, and whether they are the same."""
    network.eval()
    how, rng = SamplingParams.for_rows(rows), CounterRNG(range(rows)).stream_from(np.zeros(rows, int))
    begun = network.initial_state([{}] * rows)

    def at_once():
        return network.run(begun, how, rng, steps)[0].steps

    def one_by_one():
        state, drawn = begun, []
        for step in range(steps):
            drawn.append(network.sample(state, how, rng.at_step(step)).steps)
            state = network.advance(state, drawn[-1])
        return np.stack(drawn, 1)

    same = float((at_once() == one_by_one()).mean())
    many, single = in_turn(at_once, one_by_one, pairs)
    count, graph = rows * steps, network.device_loop.no_graph_reason or "recorded as a graph"
    print(f"composed, {rows} side by side, {steps} steps at a time: {count / many:,.0f} tokens a second")
    print(f"  one by one: {count / single:,.0f}; ratio {single / many:.1f}; {same:.2%} of the tokens the same")
    print(f"  a step is {graph if network.device.type == 'cuda' else 'called as often'}")


def learning(hidden: int, device: str, batch: int, length: int, pairs: int) -> None:
    """Steps of descent in bf16 over fp32; in fp32 alone where bf16 does not run."""
    import torch

    from composer.api.network import Batch
    from composer.training import optimizer as optimizers

    network, settings = made(hidden, device).train(), optimizers.Settings()
    optimiser = optimizers.make_optimizer(settings, network.parameters(), device)
    tokens = torch.randint(1, SPEC.size, (batch, length + 1), device=device)
    reset = torch.zeros(batch, length, dtype=torch.bool, device=device)
    window = Batch(tokens[:, :-1], tokens[:, 1:], torch.ones(batch, length, device=device), reset)

    def descend(precision: str) -> Callable[[], object]:
        def step():
            with optimizers.autocast(precision, device):
                loss = network.loss(window, None)[0]
            loss.objective.backward()
            optimizers.clip_gradients(settings, list(network.parameters()))
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            return float(loss.monitor)  # waits for the device

        return step

    rate = batch * length
    if obstacle := optimizers.bf16_obstacle(device):
        fp32, _ = in_turn(descend("fp32"), descend("fp32"), pairs)
        print(f"learnt from, {batch} x {length} tokens: {rate / fp32:,.0f} tokens a second in fp32")
        print(f"  in bf16: nothing was measured: {obstacle}")
        return
    bf16, fp32 = in_turn(descend("bf16"), descend("fp32"), pairs)
    print(f"learnt from, {batch} x {length} tokens: {rate / bf16:,.0f} tokens a second in bf16")
    print(f"  in fp32: {rate / fp32:,.0f}; ratio {fp32 / bf16:.2f}")


def in_turn(one: Callable[[], object], other: Callable[[], object], pairs: int) -> tuple[float, float]:
    """Median seconds of both, after a warm-up of each."""
    one(), other()
    times = [(seconds(one), seconds(other)) for _ in range(pairs)]
    return statistics.median(first for first, _ in times), statistics.median(second for _, second in times)


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
