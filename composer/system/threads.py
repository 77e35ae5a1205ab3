"""How many threads numpy's and torch's matrix products use: one for each core that is idle."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
TORCH_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables by which the user, or torchrun, sets the number of torch's threads."""

SAMPLE_SECONDS = 0.2
"""How long the cores are watched; the system counts in hundredths of a second."""

MAX_SINGLE_THREAD_PARAMETERS = 100_000
"""Networks up to this size are trained by one thread: with 78,000 parameters, two take as long, and results then never
depend on other processes."""

_CPU_TIMES, _CPU_QUOTA = Path("/proc/stat"), Path("/sys/fs/cgroup/cpu.max")


def default_to_one_thread() -> None:
    """Let numpy use one thread unless the user set a number: starting more takes longer than importing numpy.

    It only has an effect before numpy is imported.
    """
    if not _is_set(VARIABLES):
        os.environ[VARIABLES[0]] = "1"


def training_threads(parameters: int, processes: int = 1) -> int | None:
    """Return how many threads torch should use to train a network of this size; None if the user set a number.

    The idle cores are shared by the `processes` that train together on this machine. More threads than idle cores make
    each update wait for the slowest: with two threads on two busy cores, it took five times as long as with one.
    """
    if _is_set(TORCH_VARIABLES):
        return None
    return 1 if parameters <= MAX_SINGLE_THREAD_PARAMETERS else max(1, idle_cores() // processes)


def idle_cores() -> int:
    """Return how many of the cores that this process may use are idle, at least 1.

    Linux: watched for SAMPLE_SECONDS. Elsewhere by the load average of the last minute; Windows has none, so all count.
    """
    before, cores = _cpu_times(), os.cpu_count() or 1
    if before is not None:
        time.sleep(SAMPLE_SECONDS)
        after = _cpu_times() or before
        idle, total = (late - early for late, early in zip(after, before, strict=True))
        unused = cores * idle / total if total else 0.0
    else:
        unused = cores - _load()
    return max(1, min(round(unused), usable_cores()))


def usable_cores() -> int:
    """Return how many cores this process may use by its affinity and, in a container, its quota."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _CPU_QUOTA.read_text("utf-8").split()
        return max(1, min(affinity, int(quota) // int(period)))
    except (OSError, ValueError):  # no such file, or no quota: `max 100000`
        return affinity


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Let torch use `count` threads within the context; None leaves its number as it is."""
    if count is None:
        yield
        return
    import torch

    with _changed(torch.get_num_threads, torch.set_num_threads, count):
        yield


@contextmanager
def limited_threads() -> Iterator[None]:
    """Let torch and numpy use one thread for each idle core within the context, unless the user set a number."""
    if _is_set({*VARIABLES, *TORCH_VARIABLES}):
        yield
        return
    count = idle_cores()
    with torch_threads(count), numpy_threads(count):
        yield


@contextmanager
def numpy_threads(count: int) -> Iterator[None]:
    """Let numpy use `count` threads within the context, if its matrix products are those of OpenBLAS."""
    library = _openblas()
    if library is None:
        yield
        return
    with _changed(library.get, library.set, count):
        yield


@contextmanager
def _changed(get: Callable[[], int], put: Callable[[int], object], count: int) -> Iterator[None]:
    """Put `count` in place of a number within the context."""
    before = get()
    put(count)
    try:
        yield
    finally:
        put(before)


class _OpenBLAS(NamedTuple):
    """Functions of the library that comes with numpy."""

    get: Callable[[], int]
    set: Callable[[int], object]


def _openblas() -> _OpenBLAS | None:
    """Return the functions of numpy's OpenBLAS; None if numpy has another library."""
    import numpy

    package = Path(numpy.__file__).parent
    for path in [*package.parent.glob("numpy.libs/*openblas*"), *package.glob(".dylibs/*openblas*")]:
        library = ctypes.CDLL(str(path))  # numpy has loaded it, so this is the same one
        for prefix in ("scipy_openblas", "openblas"):
            for suffix in ("64_", ""):
                get, set_ = (getattr(library, f"{prefix}_{verb}_num_threads{suffix}", None) for verb in ("get", "set"))
                if get is not None and set_ is not None:
                    return _OpenBLAS(get, set_)
    return None


def _is_set(variables: Iterable[str]) -> bool:
    return any(os.environ.get(name) for name in variables)


def _cpu_times() -> tuple[int, int] | None:
    """Return how long all cores together have been idle and, idle or not, running; None if the system does not say."""
    try:
        line = _CPU_TIMES.read_text("utf-8").partition("\n")[0]
    except OSError:
        return None
    times = [int(each) for each in line.split()[1:9]]  # times of guests, which follow, are part of the first
    return times[3] + times[4], sum(times)


def _load() -> float:
    """Return how many processes wanted to run, on average, in the last minute; 0 if the system does not say."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0
