"""The measure of a GPU where there is none: it says that it measured nothing, or shows on the CPU that it works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from composer.system import device
from composer.training import optimizer as optimizers

SCRIPT = Path(__file__).with_name("cuda.py")


def measured(*arguments):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.skipif(device.resolve() == "cuda", reason="there is a device to measure here")
def test_without_a_device_nothing_is_measured():
    (line,) = measured()
    assert line.startswith("nothing was measured: `cuda` cannot be used")


def test_on_the_cpu_the_same_measures_are_taken():
    lines = measured("--device", "cpu", "--rows", "4", "--steps", "5", "--hidden", "8", "--length", "6", "--pairs", "1")
    assert lines[0].startswith("cpu, torch ")
    composed, single, called, learnt, full = lines[1:]
    assert "100.00% of the tokens the same" in single
    assert called.endswith("called as often")
    figures = [re.search(r"([\d,]+) tokens a second", line) for line in (composed, learnt)]
    if obstacle := optimizers.bf16_obstacle("cpu"):
        assert full == f"  in bf16: nothing was measured: {obstacle}"
    else:
        figures.append(re.search(r": ([\d,]+);", full))
    figures.append(re.search(r": ([\d,]+);", single))
    assert all(int(found[1].replace(",", "")) > 0 for found in figures)
