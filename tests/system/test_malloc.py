"""Memory that is freed and asked for again comes without the system's help."""

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
def test_what_was_freed_is_used_again():
    told, kept = faults("kept")
    if not told:
        pytest.skip("this C library cannot be told")
    _, fresh = faults("not")
    assert kept < fresh / 4
