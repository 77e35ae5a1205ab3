"""Measure how long plugins take to import, and which heavy libraries they import too early."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

from composer.registry.entry_points import EntryPoint

HEAVY = ("torch", "numpy", "music21", "rich")
"""Libraries that every command would wait for if a plugin imported them when it is loaded."""

SLOW_SECONDS = 0.1

TIME_LIMIT = 60.0
"""Seconds after which an import is given up."""

_PROGRAM = """
import contextlib, json, sys, time
import composer.api, composer.registry.plugins
from composer.registry.entry_points import EntryPoint
before, start = set(sys.modules), time.process_time()
with contextlib.redirect_stdout(sys.stderr):
    EntryPoint("", sys.argv[1], "").load()
seconds = time.process_time() - start
print(json.dumps([seconds, [name for name in sys.argv[2:] if name in set(sys.modules) - before]]))
"""


class ImportReport(NamedTuple):
    """How importing a plugin went: `seconds`, HEAVY libraries that it imported, or the `error`."""

    seconds: float
    heavy: tuple[str, ...] = ()
    error: str = ""

    @property
    def problem(self) -> str:
        """What is wrong, in one line; empty if nothing is."""
        if self.error:
            return self.error
        problems = [f"imports {' and '.join(self.heavy)} when it is loaded"] if self.heavy else []
        problems += [f"takes {self.seconds:.1f} s to import"] if self.seconds > SLOW_SECONDS else []
        return "; ".join(problems)


def check_import(plugin: EntryPoint) -> ImportReport:
    """Import a plugin in a new process, since this one may have imported its libraries already."""
    command = [sys.executable, "-c", _PROGRAM, plugin.value, *HEAVY]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False, env=environment)
    except subprocess.TimeoutExpired:
        return ImportReport(TIME_LIMIT, error=f"takes more than {TIME_LIMIT:.0f} s to import")
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return ImportReport(0.0, error=f"does not import: {last}")
    seconds, heavy = json.loads(lines[-1])
    return ImportReport(seconds, tuple(heavy))
