"""The GPU benchmark without a GPU: it measures nothing, or runs on the CPU."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from composer.system import device
from composer.training import optimizer as optimizers

SCRIPT = Path(__file__).with_name("cuda.py")


def run_benchmark(*arguments):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.skipif(device.resolve() == "cuda", reason="needs a machine without CUDA")
def test_nothing_is_measured_without_cuda():
    (line,) = run_benchmark()
    assert line.startswith("not measured: `cuda` cannot be used")


def test_benchmark_runs_on_the_cpu():
    lines = run_benchmark(
        "--device", "cpu", "--rows", "4", "--steps", "5", "--hidden", "8", "--length", "6", "--pairs", "1"
    )
    assert lines[0].startswith("cpu, torch ")
    blocks, single, called, training, full = lines[1:]
    assert "100.00% identical tokens" in single
    assert called.endswith("called directly")
    figures = [re.search(r"([\d,]+) tokens per second", line) for line in (blocks, training)]
    if obstacle := optimizers.bf16_obstacle("cpu"):
        assert full == f"  bf16 not measured: {obstacle}"
    else:
        figures.append(re.search(r": ([\d,]+);", full))
    figures.append(re.search(r": ([\d,]+);", single))
    assert all(int(match[1].replace(",", "")) > 0 for match in figures)
