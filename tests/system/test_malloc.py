"""Freed memory stays in the process."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from composer.system.malloc import keep_freed_memory
kept = sys.argv[1] == "kept" and keep_freed_memory()
def touched():
    np.ones(8 << 20)
touched()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    touched()
print(int(kept), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(params):
    done = subprocess.run([sys.executable, "-c", FAULTS, params], capture_output=True, text=True, check=True)
    return map(int, done.stdout.split())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a parameter of glibc")
def test_freed_memory_is_reused():
    has_mallopt, kept = faults("kept")
    if not has_mallopt:
        pytest.skip("this C library has no mallopt")
    _, fresh = faults("not")
    assert kept < fresh / 4
