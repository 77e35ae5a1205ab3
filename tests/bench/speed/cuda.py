"""GPU throughput in tokens per second: generation in blocks and step by step, and training.

    python tests/bench/speed/cuda.py [--device cuda:1] [--rows 8192] [--hidden 256]

Both sides of each ratio are measured in turn; medians are printed. Target: generate 20 million tokens per second with
an lstm of 2 x 256 in one process, on a GPU such as an H200. Measures nothing without a usable GPU; `--device cpu` is
for testing.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from composer.api import DeviceError, SequenceSpec, StepKind
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.system import device as devices

SPEC = SequenceSpec(StepKind.TOKENS, size=90, end=0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rows", type=int, default=8192, help="batch size for generation")
    parser.add_argument("--steps", type=int, default=64, help="steps per block")
    parser.add_argument("--hidden", type=int, default=256, help="cells in each of two layers")
    parser.add_argument("--length", type=int, default=128, help="training sequence length")
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args(arguments)
    try:
        device = devices.resolve(options.device)
    except DeviceError as error:
        print(f"not measured: {error.message}")
        return
    network = make_lstm(options.hidden, device)
    print(f"{describe_device(device)}; lstm 2 x {options.hidden}, {SPEC.size} symbols")
    measure_generation(network, options.rows, options.steps, options.pairs)
    for batch in (64, 1024) if options.rows > 64 else (options.rows,):
        measure_training(options.hidden, device, batch, options.length, options.pairs)


def describe_device(device: str) -> str:
    """Return the device and settings that results depend on."""
    import torch

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    faster = [
        name
        for name, way in (("cudnn", torch.backends.cudnn), ("matmul", torch.backends.cuda.matmul))
        if way.allow_tf32
    ]
    return f"{name}, torch {torch.__version__}, TF32 in {' and '.join(faster) or 'nothing'}"


def make_lstm(hidden: int, device: str):
    """Return an lstm with random weights."""
    import torch

    from composer_lstm import Lstm, LstmConfig

    torch.manual_seed(0)
    return devices.move_network(Lstm().network(SPEC, LstmConfig(hidden=hidden)), device)


def measure_generation(network, rows: int, steps: int, pairs: int) -> None:
    """Compare generation in blocks with single steps, in speed and output."""
    network.eval()
    params, rng = BatchSamplingParams.for_rows(rows), CounterRNG(range(rows)).stream_from(np.zeros(rows, int))
    initial = network.initial_state([{}] * rows)

    def in_blocks():
        return network.run(initial, params, rng, steps)[0].steps

    def step_by_step():
        state, steps_drawn = initial, []
        for step in range(steps):
            steps_drawn.append(network.sample(state, params, rng.at_step(step)).steps)
            state = network.advance(state, steps_drawn[-1])
        return np.stack(steps_drawn, 1)

    same = float((in_blocks() == step_by_step()).mean())
    many, single = in_turn(in_blocks, step_by_step, pairs)
    count, graph = rows * steps, network.device_loop.no_graph_reason or "captured as a graph"
    print(f"generation, batch size {rows}, blocks of {steps} steps: {count / many:,.0f} tokens per second")
    print(f"  step by step: {count / single:,.0f}; ratio {single / many:.1f}; {same:.2%} identical tokens")
    print(f"  each step is {graph if network.device.type == 'cuda' else 'called directly'}")


def measure_training(hidden: int, device: str, batch: int, length: int, pairs: int) -> None:
    """Compare training updates in bf16 and fp32; only fp32 if bf16 does not run."""
    import torch

    from composer.api.network import Batch
    from composer.training import optimizer as optimizers

    network, settings = make_lstm(hidden, device).train(), optimizers.Settings()
    optimizer = optimizers.make_optimizer(settings, network.parameters(), device)
    tokens = torch.randint(1, SPEC.size, (batch, length + 1), device=device)
    reset = torch.zeros(batch, length, dtype=torch.bool, device=device)
    window = Batch(tokens[:, :-1], tokens[:, 1:], torch.ones(batch, length, device=device), reset)

    def update(precision: str) -> Callable[[], object]:
        def step():
            with optimizers.autocast(precision, device):
                loss = network.loss(window, None)[0]
            loss.objective.backward()
            optimizers.clip_gradients(settings, list(network.parameters()))
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            return float(loss.monitor)  # synchronizes with the device

        return step

    rate = batch * length
    if obstacle := optimizers.bf16_obstacle(device):
        fp32, _ = in_turn(update("fp32"), update("fp32"), pairs)
        print(f"training, {batch} x {length} tokens: {rate / fp32:,.0f} tokens per second in fp32")
        print(f"  bf16 not measured: {obstacle}")
        return
    bf16, fp32 = in_turn(update("bf16"), update("fp32"), pairs)
    print(f"training, {batch} x {length} tokens: {rate / bf16:,.0f} tokens per second in bf16")
    print(f"  in fp32: {rate / fp32:,.0f}; ratio {fp32 / bf16:.2f}")


def in_turn(one: Callable[[], object], other: Callable[[], object], pairs: int) -> tuple[float, float]:
    """Return the median seconds of both, after a warm-up of each."""
    one(), other()
    times = [(seconds(one), seconds(other)) for _ in range(pairs)]
    return statistics.median(first for first, _ in times), statistics.median(second for _, second in times)


def seconds(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
