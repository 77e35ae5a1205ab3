"""Composes ahead of the playback, in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Thread

from composer.cli.jam.bars import JamBar

AHEAD = 8
"""Bars that are composed ahead at most."""

Bars = Callable[[], Iterator[JamBar | None]]
"""Returns bars, which are composed as they are asked for; None while the next one is not complete."""


class Improviser:
    """Keeps bars ready to be played.

    `failure` is the error at which the last composing ended, if it did so, and `has_begun` whether it has made a bar.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.has_begun = False
        self._changed, self._stopped, self._epoch = Condition(), False, 0
        self._bars: Bars | None = None
        self._ready = deque[JamBar]()
        self._done = True
        self._thread = Thread(target=self._run, name="composer-jam", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> list[JamBar]:
        """The bars that are composed and not yet taken."""
        with self._changed:
            return list(self._ready)

    @property
    def is_done(self) -> bool:
        """Whether everything has been composed and taken."""
        with self._changed:
            return self._done and not self._ready

    @property
    def can_begin(self) -> bool:
        """Whether enough is ready to begin to play."""
        with self._changed:
            return len(self._ready) > 1 or (self._done and bool(self._ready))

    def compose(self, bars: Bars | None, keep: int = 0) -> None:
        """Compose `bars` after the first `keep` of those that are ready; nothing if None."""
        with self._changed:
            while len(self._ready) > keep:
                self._ready.pop()
            self._bars, self._done, self.failure, self.has_begun = bars, bars is None, None, False
            self._epoch += 1
            self._changed.notify_all()

    def take(self) -> JamBar | None:
        """Return the next bar; None if none is ready."""
        with self._changed:
            bar = self._ready.popleft() if self._ready else None
            self._changed.notify_all()
            return bar

    def stop(self) -> None:
        """End the thread, at most a step later."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        epoch, bars = 0, iter(tuple[JamBar | None]())
        while True:
            with self._changed:
                while not self._stopped and (self._done or len(self._ready) >= AHEAD) and epoch == self._epoch:
                    self._changed.wait()
                if self._stopped:
                    return
                renewed = self._bars if epoch != self._epoch else None
                epoch = self._epoch
            bar, is_over, failure = None, False, None
            try:
                bars = renewed() if renewed is not None else bars
                bar = next(bars)
            except StopIteration:
                is_over = True
            except Exception as error:  # shown by the main thread
                is_over, failure = True, error
            with self._changed:
                if epoch == self._epoch:
                    self._done, self.failure = is_over, failure
                    self.has_begun = self.has_begun or bar is not None
                    self._ready.extend(() if bar is None else (bar,))
