"""Training in phases: they follow one another, make room for the next, and are resumed in their middle."""

from dataclasses import replace

import pytest

from composer.api.network import Phase
from composer.checkpoints.file import load, read_header
from composer.training.events import PlannedPhase, Started, Validated


@pytest.fixture
def in_phases(run, monkeypatch):
    """Let the run's network learn in these phases."""
    proper = type(run.model).network

    def change(*phases):
        def network(self, spec, config):
            made = proper(self, spec, config)
            monkeypatch.setattr(type(made), "phases", lambda self: phases, raising=False)
            return made

        monkeypatch.setattr(type(run.model), "network", network)

    return change


def test_a_phase_that_gets_no_better_makes_room_for_the_next(run, in_phases, events, changed):
    in_phases(Phase("pretrain"), Phase())
    stuck = changed(run, lr=1e-12, max_updates=0, patience=3, schedule="constant")
    assert [event.phase for event in events(stuck, Started)] == ["pretrain", "train"]


def test_steps_that_all_go_into_the_first_phase_leave_its_best_model(run, in_phases, events, changed):
    in_phases(Phase("pretrain", 4), Phase())
    whole = 4 * run.train_batches.batches_per_epoch
    every = events(changed(run, max_updates=10))
    (started,) = (event for event in every if isinstance(event, Started))
    assert started.phases == (
        PlannedPhase("pretrain", 10, whole),
        PlannedPhase("train", 0, 100 * run.train_batches.batches_per_epoch),
    )
    assert every[-1].best == min(event.value for event in every if isinstance(event, Validated))
    assert read_header(run.path).record["best"] == every[-1].best
    further = events(replace(changed(run, max_updates=whole + 5), resume=True), Started)
    assert [(event.phase, event.update) for event in further] == [("pretrain", 10), ("train", whole)]


def test_phases_follow_one_another_and_resume_in_the_middle(run, tmp_path, in_phases, events, changed, weights, same):
    in_phases(Phase("pretrain", 1, 0.05), Phase())
    first = run.train_batches.batches_per_epoch
    started = events(changed(run, max_updates=first + 6), Started)
    assert [(event.phase, event.update) for event in started] == [("pretrain", 0), ("train", first)]
    for stop_at in (first - 1, first, first + 2):
        other = replace(changed(run, max_updates=first + 6), path=tmp_path / f"{stop_at}.safetensors")
        told = []
        events(replace(other, stop=lambda told=told, stop_at=stop_at: told.append(1) or len(told) == stop_at))
        events(replace(other, resume=True))
        assert same(weights(run), weights(other))


def test_a_fine_tuning_is_past_the_phases_that_make_a_beginning(
    run, tmp_path, in_phases, events, changed, weights, same
):
    in_phases(Phase("pretrain", 1), Phase())
    events(run)
    tuned = replace(changed(run, max_updates=6), path=tmp_path / "tuned.safetensors", origin=load(run.path))
    assert [(event.phase, event.update) for event in events(tuned, Started)] == [("train", 0)]
    other, told = replace(tuned, path=tmp_path / "other.safetensors"), []
    events(replace(other, stop=lambda: told.append(1) or len(told) == 2))
    assert [event.phase for event in events(replace(other, resume=True), Started)] == ["train"]
    assert same(weights(tuned), weights(other))
