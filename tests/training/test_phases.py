"""Training in phases, and resuming in the middle of one."""

from dataclasses import replace

import pytest

from composer.api.network import Phase
from composer.checkpoints.file import load, read_header
from composer.training.events import PlannedPhase, Started, Validated


@pytest.fixture
def in_phases(run, monkeypatch):
    """Give the run's network these phases."""
    proper = type(run.model).network

    def change(*phases):
        def network(self, spec, config):
            made = proper(self, spec, config)
            monkeypatch.setattr(type(made), "phases", lambda self: phases, raising=False)
            return made

        monkeypatch.setattr(type(run.model), "network", network)

    return change


def test_a_phase_without_improvement_ends_early(run, in_phases, events, changed):
    in_phases(Phase("pretrain"), Phase())
    stuck = changed(run, lr=1e-12, max_updates=0, patience=3, schedule="constant")
    assert [event.phase for event in events(stuck, Started)] == ["pretrain", "train"]


def test_updates_that_do_not_reach_the_second_phase(run, in_phases, events, changed):
    in_phases(Phase("pretrain", 4), Phase())
    whole = 4 * run.train_batches.batches_per_epoch
    found = events(changed(run, max_updates=10))
    (started,) = (event for event in found if isinstance(event, Started))
    assert started.phases == (
        PlannedPhase("pretrain", 10, whole),
        PlannedPhase("train", 0, 100 * run.train_batches.batches_per_epoch),
    )
    assert found[-1].best == min(event.value for event in found if isinstance(event, Validated))
    assert read_header(run.path).record["best"] == found[-1].best
    further = events(replace(changed(run, max_updates=whole + 5), resume=True), Started)
    assert [(event.phase, event.update) for event in further] == [("pretrain", 10), ("train", whole)]


def test_resuming_in_the_middle_of_a_phase(run, tmp_path, in_phases, events, changed, weights, same):
    in_phases(Phase("pretrain", 1, 0.05), Phase())
    first = run.train_batches.batches_per_epoch
    started = events(changed(run, max_updates=first + 6), Started)
    assert [(event.phase, event.update) for event in started] == [("pretrain", 0), ("train", first)]
    for stop_at in (first - 1, first, first + 2):
        other = replace(changed(run, max_updates=first + 6), path=tmp_path / f"{stop_at}.safetensors")
        calls = []
        events(replace(other, stop=lambda calls=calls, stop_at=stop_at: calls.append(1) or len(calls) == stop_at))
        events(replace(other, resume=True))
        assert same(weights(run), weights(other))


def test_fine_tuning_has_only_the_last_phase(run, tmp_path, in_phases, events, changed, weights, same):
    in_phases(Phase("pretrain", 1), Phase())
    events(run)
    tuned = replace(changed(run, max_updates=6), path=tmp_path / "tuned.safetensors", origin=load(run.path))
    assert [(event.phase, event.update) for event in events(tuned, Started)] == [("train", 0)]
    other, calls = replace(tuned, path=tmp_path / "other.safetensors"), []
    events(replace(other, stop=lambda: calls.append(1) or len(calls) == 2))
    assert [event.phase for event in events(replace(other, resume=True), Started)] == ["train"]
    assert same(weights(tuned), weights(other))
