"""Read many sources in order: in this process at first, in worker processes once that has taken three seconds.

Who reads a source does not change its results. MIDI is mostly read before a worker would have started; notation takes
100 ms a file. Workers are spawned on every system and hold nothing but the representation. Each writes what it reads
to a file of plain data, so that pieces that are read ahead take no memory. Only what this process sends to a worker,
through a pipe, is pickled.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from composer.api import ReadError, Representation, Source
from composer.data.piece_format import from_line, to_line
from composer.data.source_reading import ReadResult, read_source
from composer.system.escaping import EscapedStream

if TYPE_CHECKING:
    from pebble import ProcessFuture, ProcessPool

SECONDS_BEFORE_WORKERS = 3.0

MAX_WORKERS = 8
"""Each takes about 150 MB when it reads notation."""

READ_AHEAD = 4
"""Maximum number of sources per worker that are opened before their turn."""

MIN_TIME_LIMIT, MIN_BYTES_PER_SECOND = 300.0, 20_000
"""A worker that takes more than 300 seconds for a source is stopped, unless it has been faster than this: a reader that
hangs must not stop everything, but a large orchestral score may take a minute."""


def read_sources(representation: Representation, sources: Iterable[Source | ReadError]) -> Generator[ReadResult]:
    """Yield the results of each source, in order. Close the generator to stop its processes."""
    remaining = iter(sources)
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS_BEFORE_WORKERS:
        source = next(remaining, None)
        if source is None:
            return
        yield from read_source(representation, source)
    for source in remaining:
        yield from _read_in_workers(representation, chain([source], remaining))


class _Task(NamedTuple):
    """A source that a worker reads into `file`; without a `future`, this process reads it."""

    source: Source | ReadError
    file: Path
    future: ProcessFuture[None] | None


def _read_in_workers(representation: Representation, sources: Iterator[Source | ReadError]) -> Iterator[ReadResult]:
    try:
        pickled = pickle.dumps(representation)
    except Exception:  # pickling runs the code of a plugin's attributes
        for source in sources:
            yield from read_source(representation, source)
        return
    count = min(_available_cores(), MAX_WORKERS)
    with tempfile.TemporaryDirectory(prefix="composer-") as folder, _started_pool(count) as pool:
        submitted = (_submit(pool, pickled, source, Path(folder, str(number))) for number, source in enumerate(sources))
        tasks = deque(islice(submitted, READ_AHEAD * count))
        while tasks:
            yield from _results(representation, tasks.popleft(), pool)
            tasks.extend(islice(submitted, 1))


@contextmanager
def _started_pool(workers: int) -> Iterator[ProcessPool]:
    """Start worker processes that ignore Ctrl-C from the beginning, and stop them at the end whatever they do."""
    from pebble import ProcessPool

    pool = ProcessPool(workers, context=multiprocessing.get_context("spawn"))
    try:
        with _interrupts_ignored(), suppress(RuntimeError):  # processes may be limited
            _ = pool.active  # starts it
        yield pool
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def _submit(pool: ProcessPool, pickled: bytes, source: Source | ReadError, file: Path) -> _Task:
    if isinstance(source, Source):
        with suppress(RuntimeError):  # no process could be started
            return _Task(source, file, pool.schedule(_read_into, (pickled, source, file), timeout=_time_limit(source)))
    return _Task(source, file, None)


def _results(representation: Representation, task: _Task, pool: ProcessPool) -> Iterator[ReadResult]:
    """Yield what the worker has read; then why it stopped, or, if it could not write the rest, the rest read here."""
    error = _failure(task.source, task.future, pool) if task.future is not None else None
    count = 0
    for result in _stored_results(task.file):
        yield result
        if result.last:
            return
        count += 1
    if error is not None:
        yield ReadResult(error=error)
    else:
        yield from islice(read_source(representation, task.source), count, None)


def _failure(source: Source | ReadError, future: ProcessFuture[None], pool: ProcessPool) -> ReadError | None:
    """Wait for a worker. Return an error if it died or was too slow; None if it finished or could not write a piece."""
    from concurrent.futures import wait

    from pebble import ProcessExpired

    assert isinstance(source, Source)
    while not wait([future], 1.0).done and pool.active:  # a pool that breaks forgets the task it has just been given
        pass
    try:
        future.result(0)
    except ProcessExpired as expired:
        return ReadError(f"{source.label}: the process that read it ended with code {expired.exitcode}")
    except TimeoutError:
        if future.done():
            return ReadError(f"{source.label}: reading took longer than {_time_limit(source):,.0f} seconds")
    except Exception:  # a piece that is not data, a full disk, or workers that cannot start
        pass
    return None


def _stored_results(file: Path) -> Iterator[ReadResult]:
    """Yield the complete results in `file`, and remove it."""
    with suppress(Exception), file.open("rb") as stored:  # ends with an incomplete one if a worker died
        while True:
            yield _result(from_line(stored.readline()))
    file.unlink(missing_ok=True)


def _read_into(pickled: bytes, source: Source, path: Path) -> None:
    """In a worker: read `source` into a file of results. What the plugin prints goes to stderr, escaped."""
    stderr = EscapedStream(sys.stderr)
    with (
        redirect_stdout(stderr),
        redirect_stderr(stderr),
        path.open("wb", buffering=0) as file,
    ):  # what was read before the process ends is kept
        for result in read_source(_unpickle(pickled), source):
            error = None if result.error is None else (result.error.message, result.error.hint)
            file.write(to_line((result.items, error, result.last)))


def _result(stored: Any) -> ReadResult:
    """Return a result from its items, its error as a message and a hint, and whether it is the last."""
    items, error, last = stored
    return ReadResult(items, None if error is None else ReadError(*error), last)


_unpickle = lru_cache(1)(pickle.loads)


def _time_limit(source: Source) -> float:
    """Return the number of seconds that a worker may read `source`."""
    try:
        return max(MIN_TIME_LIMIT, source.size() / MIN_BYTES_PER_SECOND)
    except ReadError:
        return MIN_TIME_LIMIT


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C in this process, and forever in those that it starts meanwhile."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
