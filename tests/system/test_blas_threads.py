"""As many threads as are worth it, which never change what is composed."""

import numpy as np
import pytest

from composer.api.sampling.filters import Draw
from composer.system import blas_threads


class Timed:
    """A sampler that takes `seconds[threads]` a step, of a clock of its own, and draws `draws[threads]`."""

    def __init__(self, monkeypatch, seconds, draws=None):
        self.seconds, self.draws, self.now, self.threads = seconds, draws or {}, 0.0, 0
        self.used = []
        for name in blas_threads.GIVEN:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(blas_threads, "_setter", lambda: self.use)
        monkeypatch.setattr(blas_threads.os, "sched_getaffinity", lambda _: set(range(max(seconds))), raising=False)
        monkeypatch.setattr(blas_threads.time, "perf_counter", lambda: self.now)

    def use(self, number):
        self.threads = number
        self.used.append(number)

    def initial_state(self, conditions):
        return len(conditions)

    def advance(self, state, steps):
        return state

    def sample(self, state, params, rng):
        self.now += self.seconds[self.threads]
        drawn = np.full(state, self.draws.get(self.threads, 7))
        return Draw(drawn, np.zeros(state), np.zeros(state))

    def gather_rows(self, state, rows, fresh=None):
        return state


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({1: 1.0}, 1),
        ({1: 1.0, 2: 0.5}, 2),
        ({1: 1.0, 2: 0.95}, 1),
        ({1: 1.0, 2: 0.5, 4: 0.3, 8: 0.6}, 4),
        ({1: 1.0, 2: 5.0, 4: 0.3}, 1),
    ],
)
def test_more_threads_must_be_worth_it(monkeypatch, seconds, chosen):
    sampler = Timed(monkeypatch, seconds)
    assert blas_threads.settle(sampler, 3, 2000).threads == chosen
    assert sampler.threads == chosen


def test_threads_that_change_what_is_drawn_are_not_taken(monkeypatch):
    sampler = Timed(monkeypatch, {1: 1.0, 2: 0.1}, draws={2: 8})
    assert blas_threads.settle(sampler, 1, 2000).threads == 1


def test_a_user_who_said_how_many_is_not_asked_again(monkeypatch):
    sampler = Timed(monkeypatch, {1: 1.0, 2: 0.1})
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    assert blas_threads.settle(sampler, 1, 2000).threads == 0
    assert sampler.used == []


def test_a_short_piece_is_not_worth_a_measurement(monkeypatch):
    sampler = Timed(monkeypatch, {1: 1.0, 2: 0.1})
    assert blas_threads.settle(sampler, 1, 20).threads == 0


@pytest.mark.parametrize(("busy", "threads_then"), [(False, 2), (True, 1)])
def test_threads_that_wait_for_one_another_are_given_up(monkeypatch, busy, threads_then):
    sampler = Timed(monkeypatch, {1: 1.0, 2: 0.5})
    settled = blas_threads.settle(sampler, 1, 2000)
    assert sampler.threads == 2
    if busy:
        sampler.seconds[2] = 5.0

    def steps():
        for number in range(500):
            sampler.sample(1, None, None)
            yield number

    assert list(settled.watched(steps())) == list(range(500))
    assert sampler.threads == threads_then


def test_numpys_own_library_is_found():
    library = str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"])
    setter = blas_threads._setter()
    assert (setter is not None) == library.startswith("scipy-openblas")
