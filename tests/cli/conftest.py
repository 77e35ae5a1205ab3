"""The program in a process of its own."""

import subprocess
import sys

import pytest


@pytest.fixture
def process():
    """Run `composer` to its end in a process of its own, or start it with `wait=False`."""

    def run(*arguments, wait=True, **settings):
        command = [sys.executable, "-m", "composer", *map(str, arguments)]
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
        if wait:
            return subprocess.run(command, check=False, **settings)
        return subprocess.Popen(command, **settings)

    return run
