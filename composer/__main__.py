"""The process that `composer` and `python -m composer` are."""

# No `from __future__`, and no typing: they take time to import, in which Ctrl-C would print a traceback.

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

SELDOM = 200_000
"""How many objects are made before their cycles are looked for: Python's 700 means 50 times while modules load."""


def command() -> "NoReturn":
    """Run the program, and end the process with its exit code. No signal prints a traceback from here on."""
    try:
        from composer.cli import interrupts

        interrupts.end_silently()
        gc.set_threshold(SELDOM)
        from composer.cli.app import main

        try:
            interrupts.raise_first(several="LOCAL_RANK" in os.environ)
            code = main()
        except KeyboardInterrupt:
            code = interrupts.exit_code()
        interrupts.exit_at_once(code)
        _leave(code)
    except KeyboardInterrupt:  # before or after the lines that could report it
        os._exit(_exit_code())


def _exit_code() -> int:
    """Return the exit code after a signal; 130 if it came before the module that remembers signals was imported."""
    found = getattr(sys.modules.get("composer.cli.interrupts"), "exit_code", None)
    return 128 + 2 if found is None else int(found())


def _leave(code: int) -> "NoReturn":
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
