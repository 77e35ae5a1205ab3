"""The process that `composer` and `python -m composer` are."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

SELDOM = 200_000
"""How many objects are made before their cycles are looked for: Python's 700 means 50 times while modules load."""


def command() -> NoReturn:
    """Run the program, and end the process with its exit code."""
    gc.set_threshold(SELDOM)
    from composer.cli.app import main

    _leave(main())


def _leave(code: int) -> NoReturn:
    """End the process at once, where nothing needs Python to clear up.

    Taking numpy apart takes as long as fifty tokens. And threads of torch's that wait for processes which are gone make
    Python abort.
    """
    group = sys.modules.get("composer.distributed.group")
    torn = group is not None and group.LEFT_BEHIND
    threading = sys.modules.get("threading")
    busy = threading is not None and threading.active_count() > 1
    watched = sys.gettrace() is not None or sys.getprofile() is not None
    if not torn:
        if busy or watched:
            sys.exit(code)
        import atexit

        atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None where the shell closed it
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1
    os._exit(code)


if __name__ == "__main__":
    command()
