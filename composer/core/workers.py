"""Worker processes that read sources side by side, each one source at a time.

They are started afresh rather than forked, on every system, so that they hold nothing but the representation. A worker
that dies costs the source that it was reading, and is replaced.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, cast

from composer.api import ReadError, Representation, Source
from composer.core import reading
from composer.core.reading import Outcome

MOST = 8
"""No more workers than this, since each takes some 150 MB where it reads notation."""

AHEAD = 4
"""For each worker, so many sources may be read ahead of the first that is not: what is held stays small."""


def outcomes(representation: Representation, found: Iterator[Source | ReadError]) -> Generator[Outcome]:
    """The outcome of each source of `found`, in order; read in this process where there can be no workers."""
    count = min(_cores(), MOST)
    try:
        packed = pickle.dumps(representation)
    except Exception:  # pickling runs whatever code the representation's attributes bring
        count = 1
    if count < 2:
        yield from (reading.outcome(representation, source) for source in found)
        return
    pool = _Pool(representation, packed)
    try:
        pool.start(count)
        yield from pool.outcomes(found)
    finally:
        pool.stop()


@dataclass(slots=True, eq=False)
class _Task:
    """A source to read, and its outcome once that is known."""

    source: Source
    outcome: Outcome | None = None


class _Worker:
    """One process and the pipe to it. It first says that it is ready, and then answers each source with an outcome."""

    def __init__(self, packed: bytes) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, far = context.Pipe()
        self.process = context.Process(target=_work, args=(far, packed), daemon=True)
        self.ready, self.task = False, cast("_Task | None", None)
        _start_deaf(self.process)
        far.close()

    def give(self, task: _Task) -> None:
        """Let it read."""
        self.task = task
        with suppress(OSError):  # a worker that has died is heard of when its answer is waited for
            self.pipe.send(task.source)

    def stop(self) -> None:
        """End it, whatever it does."""
        self.process.terminate()
        self.process.join()
        self.pipe.close()


class _Pool:
    """Some workers, and the sources that none of them has been given yet."""

    def __init__(self, representation: Representation, packed: bytes) -> None:
        self.representation, self.packed = representation, packed
        self.unread: deque[_Task] = deque()
        self.workers: list[_Worker] = []
        self.most_ahead = AHEAD

    def start(self, count: int) -> None:
        """Start `count` workers."""
        self.most_ahead = AHEAD * count
        for _ in range(count):
            self.workers.append(_Worker(self.packed))

    def outcomes(self, found: Iterator[Source | ReadError]) -> Generator[Outcome]:
        """The outcome of each source of `found`, in order."""
        window: deque[_Task | Outcome] = deque()
        while True:
            for source in islice(found, self.most_ahead - len(window)):
                if isinstance(source, ReadError):
                    window.append(Outcome(error=source))
                else:
                    self.unread.append(_Task(source))
                    window.append(self.unread[-1])
            if not window:
                return
            first = window[0] if isinstance(window[0], Outcome) else window[0].outcome
            if first is None:
                self.go_on()
            else:
                window.popleft()
                yield first

    def go_on(self) -> None:
        """Let the workers that are free read on, and wait for one of them to answer; without workers, read here."""
        if not self.workers:
            self.read_here(self.unread.popleft())
            return
        for worker in self.workers:
            if worker.ready and worker.task is None and self.unread:
                worker.give(self.unread.popleft())
        answering = wait([worker.pipe for worker in self.workers])
        for worker in [worker for worker in self.workers if worker.pipe in answering]:
            self.hear(worker)

    def hear(self, worker: _Worker) -> None:
        """Take what `worker` says, or that it has died. One that dies before it was ready is not replaced."""
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            self.workers.remove(worker)
            worker.stop()
            if worker.task is not None:
                label, code = worker.task.source.label, worker.process.exitcode
                worker.task.outcome = Outcome(error=ReadError(f"{label} ended the process that read it (code {code})"))
            if worker.ready:
                self.workers.append(_Worker(self.packed))
            return
        task, worker.task, worker.ready = worker.task, None, True
        if task is not None and answer is None:
            self.read_here(task)
        elif task is not None:
            task.outcome = answer

    def read_here(self, task: _Task) -> None:
        """Read in this process."""
        task.outcome = reading.outcome(self.representation, task.source)

    def stop(self) -> None:
        """End all workers."""
        for worker in self.workers:
            worker.stop()
        self.workers.clear()


def _work(pipe: Connection[Any, Any], packed: bytes) -> None:
    """What a worker does until the pipe is closed: sources in, outcomes out, None for one that cannot be sent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    representation: Representation = pickle.loads(packed)
    pipe.send(None)
    with suppress(EOFError):
        while True:
            outcome = reading.outcome(representation, pipe.recv())
            try:
                answer = pickle.dumps(outcome)
            except Exception:  # pieces may hold anything
                answer = pickle.dumps(None)
            pipe.send_bytes(answer)


def _start_deaf(process: BaseProcess) -> None:
    """Start `process` so that Ctrl-C is heard by this process alone, from the first moment on."""
    if threading.current_thread() is not threading.main_thread():
        process.start()
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)


def _cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
