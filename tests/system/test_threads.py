"""Threads: one for each idle core, by what the system says of the cores, the quota and the load."""

import os

import pytest
import torch

from composer.system import threads


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a function that fakes a machine of 8 cores, in which no variable sets the number of threads."""
    for name in {*threads.VARIABLES, *threads.TORCH_VARIABLES}:
        monkeypatch.delenv(name, raising=False)

    def fake(*times, usable=8, quota="max 100000", load=0.0):
        """`times` are the texts of /proc/stat, one for each time it is read; without any, there is no such file."""
        stat, remaining = tmp_path / "stat", list(times)

        def next_time(_):
            stat.write_text(remaining.pop(0))

        if remaining:
            next_time(0)
        (tmp_path / "cpu.max").write_text(quota)
        monkeypatch.setattr(threads, "_CPU_TIMES", stat)
        monkeypatch.setattr(threads, "_CPU_QUOTA", tmp_path / "cpu.max")
        monkeypatch.setattr(threads.time, "sleep", next_time)
        monkeypatch.setattr(os, "cpu_count", lambda: 8)
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(usable)), raising=False)
        monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)

    return fake


def stat(busy, idle):
    return f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3 4\n"


@pytest.mark.parametrize(
    ("busy", "idle", "expected"),
    [(0, 160, 8), (160, 0, 1), (100, 60, 3), (140, 20, 1), (2, 158, 8)],
)
def test_cores_are_watched(machine, busy, idle, expected):
    machine(stat(5000, 7000), stat(5000 + busy, 7000 + idle))
    assert threads.idle_cores() == expected


def test_waiting_for_a_disk_is_idle_but_interrupts_are_not(machine):
    machine("cpu  0 0 0 0 0 0 0 0 0 0\n", "cpu  0 0 0 40 40 40 20 20 0 0\n")
    assert threads.idle_cores() == 4


@pytest.mark.parametrize(("load", "expected"), [(0.0, 8), (2.2, 6), (7.0, 1), (40.0, 1)])
def test_load_average_elsewhere(machine, load, expected):
    machine(load=load)
    assert threads.idle_cores() == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [({"usable": 2}, 2), ({"quota": "300000 100000"}, 3), ({"quota": "50000 100000"}, 1), ({"quota": "nonsense"}, 8)],
)
def test_affinity_and_quota(machine, limits, expected):
    machine(**limits)
    assert threads.usable_cores() == threads.idle_cores() == expected


def test_threads_of_a_training(machine, monkeypatch):
    machine(load=2.0)
    assert threads.training_threads(1_000_000) == 6
    assert threads.training_threads(1_000_000, processes=4) == 1
    assert threads.training_threads(50_000) == 1
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        with monkeypatch.context() as context:
            context.setenv(name, "3")
            assert threads.training_threads(1_000_000) is None


def test_torch_has_its_own_number_afterward():
    before = torch.get_num_threads()
    with threads.torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with threads.torch_threads(None):
        assert torch.get_num_threads() == before
