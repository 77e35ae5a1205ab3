"""How many threads multiply: as many as are worth it here and now, which only a measurement can tell.

Two cores hold twice the weights in their caches, and halve what a token takes. But where another program keeps one of
them busy, threads that wait for one another cost a multiple of what they save.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from composer.api import Sampler
from composer.api.sampler import BlockSampler

__all__ = ["GIVEN", "Settled", "one_at_first", "settle"]

GIVEN = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""Variables by which a user says how many threads there shall be, which then there are."""

STEPS, ROUNDS = 3, 3
"""How many steps are timed at a time, and how often."""
STRETCH, SLOWER = 50, 1.5
"""How many steps are watched at a time, and how much slower than with one thread they may be: rules take time too."""
FEW = 200
"""Fewer steps than these are over before a measurement would have paid."""
WORTH = 0.9
"""Less than this share of the quickest time must the slowest take with more threads, or others had better have them."""

T = TypeVar("T")

_SETTERS = ("scipy_openblas_set_num_threads64_", "scipy_openblas_set_num_threads", "openblas_set_num_threads")
_FOLDERS = ("../numpy.libs", ".dylibs")


def one_at_first() -> None:
    """Import numpy, if it was not yet, with one thread: making others takes as long as all the rest of that."""
    if any(os.environ.get(name) for name in GIVEN):
        return
    os.environ[GIVEN[0]] = "1"
    try:
        import numpy  # noqa: F401
    finally:
        del os.environ[GIVEN[0]]


class Settled(NamedTuple):
    """How many `threads` multiply, 0 where that was not for us to say, and the `seconds` of a step with one."""

    threads: int
    seconds: float = 0.0
    use: Callable[[int], Any] = id

    def watched(self, steps: Iterable[T]) -> Iterator[T]:
        """`steps` as they come; where a stretch of them takes longer than with one thread, one makes the rest."""
        spent, waiting = 0.0, iter(steps)
        for number in count(1):
            start = time.perf_counter()
            try:
                step = next(waiting)
            except StopIteration:
                return
            spent += time.perf_counter() - start
            yield step
            if number % STRETCH == 0:
                if spent > STRETCH * self.seconds * SLOWER:
                    self.use(1)
                    break
                spent = 0.0
        yield from waiting


def settle(sampler: Sampler, rows: int, steps: int) -> Settled:
    """Let `sampler` have as many threads as let it play `rows` rows the fastest.

    Only numbers are tried with which it draws the very steps that it draws with one. Where fewer than FEW `steps` will
    be played, where the user said how many threads, where torch plays, or where numpy's products are not made by an
    OpenBLAS of its own, nothing changes.
    """
    asked = any(os.environ.get(name) for name in GIVEN)
    use = None if asked or steps < FEW or isinstance(sampler, BlockSampler) else _setter()
    if use is None:
        return Settled(0)
    use(1)
    chosen, (times, told) = 1, _timed(sampler, rows)
    alone = min(times) / STEPS
    for threads in _more():
        use(threads)
        others, drawn = _timed(sampler, rows)
        if drawn != told or max(others) > min(times) * WORTH:
            break
        chosen, times = threads, others
    use(chosen)
    return Settled(chosen, alone, use)


def _more() -> Iterator[int]:
    """The numbers of threads that there are cores for: 2, 4, 8 and so on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = 2
    while threads <= cores:
        yield threads
        threads *= 2


def _timed(sampler: Sampler, rows: int) -> tuple[list[float], bytes]:
    """The seconds that each round took, and what was drawn in all of them."""
    import numpy as np

    from composer.api.sampling.filters import CounterRNG, SamplingParams

    how, rng, told, times = SamplingParams.for_rows(rows), CounterRNG(range(rows)), [], []
    state = sampler.initial_state([{}] * rows)
    for turn in range(1 + ROUNDS):  # the first of which brings the weights into the caches
        start = time.perf_counter()
        for step in range(turn * STEPS, (turn + 1) * STEPS):
            drawn = sampler.sample(state, how, rng.at_steps(np.full(rows, step)))
            state = sampler.advance(state, drawn.steps)
            told += [drawn.steps.tobytes(), drawn.logp.tobytes()]
        times.append(time.perf_counter() - start)
    return times[1:], b"".join(told)


def _setter() -> Callable[[int], Any] | None:
    """What sets the number of threads of numpy's OpenBLAS."""
    import numpy as np

    for folder in _FOLDERS:
        for library in sorted((Path(np.__file__).parent / folder).glob("*openblas*")):
            try:
                loaded = ctypes.CDLL(str(library))
            except OSError:
                continue
            for name in _SETTERS:
                if hasattr(loaded, name):
                    setter = getattr(loaded, name)
                    setter.argtypes, setter.restype = [ctypes.c_int], None
                    return setter  # type: ignore[no-any-return]
    return None
