"""Worker processes that read sources side by side, each one source at a time.

They are started afresh rather than forked, on every system, so that they hold nothing but the representation. A worker
that dies costs what it had not read of its source, and is replaced. One that is far ahead has to wait.
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
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, cast

from composer.api import ReadError, Representation, Source
from composer.data import source_reader
from composer.data.source_reader import Outcome

MOST = 8
"""No more workers than this, since each takes some 150 MB where it reads notation."""

AHEAD = 4
"""For each worker, so many sources may be read ahead of the first that is not: what is held stays small."""

SHEETS_AHEAD = 8
"""Of a source that is read ahead, so many outcomes are held."""


def outcomes(representation: Representation, found: Iterator[Source | ReadError]) -> Generator[Outcome]:
    """The outcomes of each source of `found`, in order; read in this process where there can be no workers."""
    count = min(_cores(), MOST)
    try:
        packed = pickle.dumps(representation)
    except Exception:  # pickling runs whatever code the representation's attributes bring
        count = 1
    if count < 2:
        for source in found:
            yield from source_reader.read(representation, source)
        return
    pool = _Pool(representation, packed)
    try:
        pool.start(count)
        yield from pool.outcomes(found)
    finally:
        pool.stop()


@dataclass(slots=True, eq=False)
class _Task:
    """A source, the outcomes that a worker has `read` of it and how many they were, and the `rest` if we read it."""

    source: Source
    read: deque[Outcome] = field(default_factory=deque)
    count: int = 0
    rest: Iterator[Outcome] | None = None

    def add(self, outcome: Outcome) -> None:
        """A worker has read on."""
        self.read.append(outcome)
        self.count += 1


class _Worker:
    """One process and the pipe to it. It first says that it is ready, and then answers each source with outcomes."""

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
        """The outcomes of each source of `found`, in order."""
        window: deque[_Task | ReadError] = deque()
        while True:
            for source in islice(found, self.most_ahead - len(window)):
                if isinstance(source, ReadError):
                    window.append(source)
                else:
                    self.unread.append(_Task(source))
                    window.append(self.unread[-1])
            if not window:
                return
            yield from self.all_of(window.popleft())

    def all_of(self, first: _Task | ReadError) -> Iterator[Outcome]:
        """The outcomes of the source whose turn it is."""
        if isinstance(first, ReadError):
            yield Outcome(error=first)
            return
        while True:
            while first.read:
                outcome = first.read.popleft()
                yield outcome
                if outcome.last:
                    return
            if first.rest is not None:
                yield from first.rest
                return
            self.go_on()

    def go_on(self) -> None:
        """Let the workers that are free read on, and wait for one of them to answer; without workers, read here."""
        if not self.workers:
            self.read_here(self.unread.popleft())
            return
        for worker in self.workers:
            if worker.ready and worker.task is None and self.unread:
                worker.give(self.unread.popleft())
        heard = [worker for worker in self.workers if worker.task is None or len(worker.task.read) < SHEETS_AHEAD]
        answering = wait([worker.pipe for worker in heard])
        for worker in [worker for worker in heard if worker.pipe in answering]:
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
                worker.task.add(Outcome(error=ReadError(f"{label} ended the process that read it (code {code})")))
            if worker.ready:
                self.workers.append(_Worker(self.packed))
            return
        task, worker.ready = worker.task, True
        if task is not None and answer is not None:
            task.add(answer)
        elif task is not None:
            self.read_here(task)
        if answer is None or answer.last:
            worker.task = None

    def read_here(self, task: _Task) -> None:
        """Let what a worker has not read of a source be read in this process, when its turn comes."""
        task.rest = islice(source_reader.read(self.representation, task.source), task.count, None)

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
            for outcome in source_reader.read(representation, pipe.recv()):
                try:
                    answer = pickle.dumps(outcome)
                except Exception:  # pieces may hold anything
                    pipe.send(None)
                    break
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
