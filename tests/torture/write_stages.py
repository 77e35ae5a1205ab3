"""A save that is killed, or fails, at each line of the code that writes: the old or the new file, and no leftovers.

python tests/torture/write_stages.py [SEED] [SECONDS]
"""

from __future__ import annotations

import errno
import itertools
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from readers import version
from script import start

from composer.api import CheckpointError
from composer.checkpoints.file import load, save
from composer.system import files

MODULES = ("composer/checkpoints/file.py", "composer/system/files.py", "composer/system/locks.py")
KILLED, FAILED, DONE = "killed", "failed", "done"


def in_child(action: Callable[[], str]) -> str:
    """Return what `action` returns in a forked process, or that it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, action().encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    return answer or KILLED


def save_until(path: Path, number: int, line: int, how: str) -> str:
    """Save version `number`; at the `line`th line of the code that writes, be killed or find the disk full."""
    left = line

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(MODULES):
            return None
        if event == "line":
            left -= 1
            if left == 0 and how == KILLED:
                os.kill(os.getpid(), signal.SIGKILL)
            if left == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
        return trace

    sys.settrace(trace)
    try:
        save(path, version(number))
    except (OSError, CheckpointError):
        return FAILED
    finally:
        sys.settrace(None)
    return DONE


def save_anew(path: Path, number: int) -> str:
    """Save version `number` as a process does that has just started."""
    files._swept.clear()
    save(path, version(number))
    return DONE


def run(seed: int = 0, budget_seconds: float = 600.0) -> int:
    """Stop a save at each line, until the time is over or none is left; return how many broke the promise."""
    end, done, failures = time.monotonic() + budget_seconds, 0, 0
    for how in (KILLED, FAILED):
        for line in itertools.count(1):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "models", "m.safetensors")
                old, new = seed * 2, seed * 2 + 1
                save(path, version(old))
                outcome = in_child(lambda: save_until(path, new, line, how))  # noqa: B023 - it is called at once
                found = load(path).header.record["number"]
                broken = "" if found in (old, new) else f"version {found}"
                if outcome == DONE and found != new:
                    broken = "it reported success, but the old version is there"
                in_child(lambda: save_anew(path, new))  # noqa: B023 - the next run cleans up
                left = [each.name for each in path.parent.iterdir() if each != path]
                broken = broken or (f"left behind: {', '.join(left)}" if left else "")
            if outcome == DONE:
                break
            done, failures = done + 1, failures + bool(broken)
            if broken:
                print(f"{how} at line {line}  BROKEN: {broken}", flush=True)
            if time.monotonic() > end:
                break
    print(f"{done} stages of a write, {failures} broke the promise")
    return failures


if __name__ == "__main__":
    start(run)
