"""How many threads numpy's matrix products use."""

from __future__ import annotations

import os

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def default_to_one_thread() -> None:
    """Let numpy use one thread unless the user set a number: starting more takes longer than importing numpy.

    It only has an effect before numpy is imported.
    """
    if not any(os.environ.get(name) for name in VARIABLES):
        os.environ[VARIABLES[0]] = "1"
