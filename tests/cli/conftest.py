"""The program in a process of its own, and on a pseudo terminal."""

import io
import os
import subprocess
import sys
from contextlib import suppress
from threading import Thread

import pytest

from composer.cli.console import Console


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


def drain(user):
    """Read what the program shows, so that it does not wait for a reader."""
    with suppress(OSError):
        while os.read(user, 4096):
            pass


@pytest.fixture
def terminal(monkeypatch):
    """A pseudo terminal: what a user types into, and a console on it."""
    import pty  # which Windows lacks

    user, program = pty.openpty()
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
    streams = [io.TextIOWrapper(os.fdopen(os.dup(program), mode), "utf-8", write_through=True) for mode in ("rb", "wb")]
    Thread(target=drain, args=(user,), daemon=True).start()
    yield user, Console(streams[0], streams[1], streams[1], {"TERM": "xterm-256color"}), program
    for each in streams:
        each.close()
    os.close(program)
    os.close(user)
