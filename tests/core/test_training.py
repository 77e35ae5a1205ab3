"""Training: it learns, it ends for a reason, and it goes on exactly where it was, whatever happened."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from composer.api import CheckpointError, OptionError
from composer.core import checkpoint, learner, training
from composer.core.checkpoint import load, read_header
from composer.core.divergence import Diverged
from composer.core.encoding import prepare
from composer.core.events import Finished, Prepared, Saved, Snapshot, Started, Stepped, Stretch, Validated, WentBack
from composer.core.split import Split
from composer.core.training import Run, Settings, saved_header, state_path, train

QUICK = Settings(max_steps=20, epochs=100, batch=4, length=16, validate_every=5, save_every=0, lr=0.01)


@pytest.fixture
def run(letters, tiny, tunes, tmp_path):
    torch.set_num_threads(1)  # more only get into each other's way where so little is to be computed
    data = prepare(letters, [str(tunes)], Split(valid=0.2))
    return Run(tiny, tiny.Config(), letters, data, tmp_path / "out" / "m.safetensors", QUICK)


def events(run, kind=object):
    return [event for event in train(run) if isinstance(event, kind)]


def changed(run, **settings):
    return replace(run, settings=replace(run.settings, **settings))


def weights(run):
    """The latest weights and the optimiser's moments, as they are on the disk."""
    return load(state_path(run.path)).weights


def same(ours, theirs):
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_events_tell_the_story(run):
    every = events(run)
    assert [type(event) for event in every[:3]] == [Prepared, Started, Stepped]
    assert type(every[-1]) is Finished
    started = every[1]
    assert (started.step, started.steps, started.device) == (0, 20, "cpu")
    assert sum(started.pieces) == 60
    assert [event.step for event in every if isinstance(event, Stepped)] == list(range(1, 21))
    assert [event.step for event in every if isinstance(event, Validated)] == [5, 10, 15, 20]
    assert every[-1].reason == "done"
    assert all(json.dumps(event.to_json()) for event in every)


def test_it_learns(run):
    values = [event.value for event in events(changed(run, max_steps=150, validate_every=25), Validated)]
    assert values[-1] < values[0] - 0.1


def test_the_best_checkpoint_is_kept_and_says_how_it_was_made(run):
    every = events(run)
    best = min(event.value for event in every if isinstance(event, Validated))
    assert every[-1].best == best
    record = read_header(run.path).record
    assert record["best"] == best
    assert record["finished"] is True
    assert (record["data"], record["steps"], record["unit"]) == (["tunes"], 20, "bits per step")
    assert record["pieces"]["train"] + record["pieces"]["valid"] == 60
    assert str(run.path.parent) not in run.path.read_bytes().decode("latin-1")
    assert all(array.dtype == np.float16 for array in load(run.path, half=True).weights.values())


def test_what_was_validated_is_what_was_saved(run):
    every = events(run)
    saved = load(run.path)
    network = run.model.network(run.data.spec, run.config).eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in saved.weights.items()})
    total, state = 0.0, None
    for batch in run.validation.windows(0):
        measure, state = network.evaluate(batch, state)
        total += measure.total
    assert total / run.data.parts["valid"].count == pytest.approx(every[-1].best, abs=1e-3)


def test_two_runs_are_the_same(run, tmp_path):
    events(run)
    other = replace(run, path=tmp_path / "other.safetensors")
    events(other)
    assert same(weights(run), weights(other))
    third = replace(changed(run, seed=1), path=tmp_path / "third.safetensors")
    events(third)
    assert not same(weights(run), weights(third))


@pytest.mark.parametrize("stop_at", [1, 7, 10, 19])
def test_resuming_gives_the_weights_of_an_uninterrupted_run(run, tmp_path, stop_at):
    """Dropout, shuffling, the state carried over and Adam's moments all go on as if nothing had happened."""
    events(run)
    other = replace(run, path=tmp_path / "other.safetensors")
    told = []
    stopped = events(replace(other, stop=lambda: told.append(1) or len(told) == stop_at))
    assert stopped[-1].reason == "interrupted"
    assert stopped[-1].step == stop_at
    assert read_header(other.path).record["finished"] is False
    resumed = events(replace(other, resume=True))
    assert next(event for event in resumed if isinstance(event, Started)).step == stop_at
    assert same(weights(run), weights(other))
    assert same(load(run.path).weights, load(other.path).weights)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {path!r}
import conftest
from composer.core.encoding import prepare
from composer.core.events import Stepped
from composer.core.split import Split
from composer.core.training import Run, Settings, train
letters, tiny = conftest.Letters(), conftest.Tiny()
data = prepare(letters, [{tunes!r}], Split(valid=0.2))
settings = Settings(max_steps=20, epochs=100, batch=4, length=16, validate_every=5, save_every=0, lr=0.01)
for event in train(Run(tiny, tiny.Config(), letters, data, Path({out!r}), settings)):
    if isinstance(event, Stepped) and event.step == 8:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_a_killed_run_goes_on_to_the_same_weights(run, tunes, tmp_path):
    events(run)
    killed = replace(run, path=tmp_path / "killed.safetensors")
    script = KILLED.format(path=[str(Path(__file__).parent), *sys.path], tunes=str(tunes), out=str(killed.path))
    result = subprocess.run([sys.executable, "-c", script], env=os.environ, capture_output=True, check=False)
    assert result.returncode == -signal.SIGKILL, result.stderr
    assert saved_header(killed.path).record["progress"]["step"] == 7
    events(replace(killed, resume=True))
    assert same(weights(run), weights(killed))


def left_at(run, step, remember=0):
    """Train until `step`, and no longer: as if the process were killed. The state as it was at step `remember`."""
    stream, state = train(run), b""
    for event in stream:
        if isinstance(event, Stepped) and event.step == remember:
            state = state_path(run.path).read_bytes()
        if isinstance(event, Stepped) and event.step == step:
            break
    stream.close()
    return state


def test_the_state_is_saved_with_the_first_model_that_is_kept(run):
    left_at(changed(run, save_every=3600), 6)
    assert read_header(run.path).record["step"] == saved_header(run.path).record["progress"]["step"] == 5


def test_what_was_kept_after_the_state_was_saved_is_not_replaced_by_worse(run, tmp_path):
    events(run)
    killed = replace(run, path=tmp_path / "killed.safetensors")
    earlier = left_at(killed, 12, remember=2)
    state_path(killed.path).write_bytes(earlier)
    kept = killed.path.read_bytes()
    assert checkpoint.read_header(killed.path).record["best_step"] == 10
    stream = train(replace(killed, resume=True))
    seen = []
    for event in stream:
        seen.append(event)
        if isinstance(event, Stepped) and event.step == 11:
            break
    assert [(event.step, event.kept) for event in seen if isinstance(event, WentBack)] == [(1, 10)]
    assert not any(event.best for event in seen if isinstance(event, Validated))
    assert killed.path.read_bytes() == kept
    list(stream)
    assert same(load(run.path).weights, load(killed.path).weights)


def test_a_model_of_an_earlier_training_is_replaced(run):
    """It is better, and of the same name, but the user began anew."""
    events(changed(run, max_steps=40))
    left_at(run, 3)
    every = events(replace(run, resume=True))
    assert not [event for event in every if isinstance(event, WentBack)]
    assert next(event for event in every if isinstance(event, Validated)).best
    assert read_header(run.path).record["steps"] == 20


def test_more_epochs_go_on_from_a_finished_run(run):
    per_epoch = run.windows.per_epoch
    events(changed(run, max_steps=0, epochs=1))
    every = events(replace(changed(run, max_steps=0, epochs=3), resume=True))
    started, finished = next(event for event in every if isinstance(event, Started)), every[-1]
    assert (started.step, started.steps, finished.step) == (per_epoch, 3 * per_epoch, 3 * per_epoch)


def test_going_on_with_other_data_or_settings_is_refused(run, letters, tunes):
    events(run)
    with pytest.raises(OptionError, match="`batch` was 4"):
        events(replace(changed(run, batch=8), resume=True))
    with pytest.raises(OptionError, match="the setting `hidden` was 8 when the training of m began"):
        events(replace(run, config=replace(run.config, hidden=9), resume=True))
    (tunes / "0.txt").write_text("abcdefgh " * 5)
    with pytest.raises(CheckpointError, match="other pieces") as caught:
        events(replace(run, data=prepare(letters, [str(tunes)], Split(valid=0.2)), resume=True))
    assert "--from" in caught.value.hint


def test_going_on_with_nothing_is_refused(run):
    with pytest.raises(CheckpointError, match="no training to go on with"):
        events(replace(run, resume=True))


def test_ctrl_c_in_the_middle_of_a_step_leaves_what_was_saved(run, monkeypatch):
    proper, count = learner.Learner.learn, []

    def interrupted(self, batch, lr):
        count.append(1)
        if len(count) == 8:
            raise KeyboardInterrupt
        return proper(self, batch, lr)

    with monkeypatch.context() as patch:
        patch.setattr(learner.Learner, "learn", interrupted)
        assert events(run)[-1].reason == "interrupted"
    assert saved_header(run.path).record["progress"]["step"] == 7
    assert events(replace(run, resume=True))[-1].step == 20


def test_it_stops_early_when_nothing_gets_better(run):
    stuck = changed(run, lr=1e-12, max_steps=0, patience=3, schedule="constant")
    every = events(stuck)
    validated = [event for event in every if isinstance(event, Validated)]
    assert every[-1].reason == "early"
    assert [event.best for event in validated[-3:]] == [False] * 3
    again = events(replace(stuck, resume=True))
    assert len([event for event in again if isinstance(event, Validated)]) == 3
    assert (again[-1].reason, again[-1].step) == ("early", every[-1].step + 15)


def test_snapshots_are_checkpoints_of_their_step(run):
    every = events(changed(run, snapshots=(0, 7, 20)))
    snapshots = [event for event in every if isinstance(event, Snapshot)]
    assert [event.step for event in snapshots] == [0, 7, 20]
    headers = [read_header(event.path) for event in snapshots]
    assert [header.record["step"] for header in headers] == [0, 7, 20]
    assert {header.record["kind"] for header in headers} == {"snapshot"}
    assert not same(load(snapshots[0].path).weights, load(snapshots[1].path).weights)


def test_without_a_validation_part_the_latest_weights_are_kept(run, letters, tunes):
    every = events(replace(run, data=prepare(letters, [str(tunes)], Split(valid=0))))
    assert not [event for event in every if isinstance(event, Validated)]
    assert every[-1].best is None
    latest = {name.removeprefix("weights/"): a for name, a in weights(run).items() if name.startswith("weights/")}
    assert same({name: a.astype(np.float16) for name, a in latest.items()}, load(run.path, half=True).weights)


def test_fine_tuning_begins_with_the_weights_of_a_checkpoint(run, tmp_path):
    events(run)
    origin = load(run.path)
    tuned = replace(changed(run, snapshots=(0,)), path=tmp_path / "tuned.safetensors", origin=origin)
    (first, *_), last = events(tuned, Snapshot), read_header(tuned.path)
    assert same(load(first.path).weights, origin.weights)
    assert last.record["from"] == {
        "data": ["tunes"],
        "step": read_header(run.path).record["step"],
        "digest": checkpoint.digest(run.path),
    }


def test_a_fine_tuning_can_be_gone_on_with(run, letters, tmp_path):
    """Its representation is still the checkpoint's, though the new pieces alone would give another vocabulary."""
    events(run)
    (tmp_path / "new.txt").write_text("abcabc bcabca cabcab")
    data = prepare(letters, [str(tmp_path / "new.txt")], Split(valid=0), fitted=True)
    tuned = replace(run, path=tmp_path / "tuned.safetensors", origin=load(run.path), data=data)
    events(replace(tuned, stop=lambda: True))
    header, other = saved_header(tuned.path), type(letters)()
    first = training.began(header, other)
    again = prepare(other, first.arguments, first.split, augment=first.augment, fitted=first.fitted)
    gone_on = replace(tuned, resume=True, origin=None, representation=other, data=again)
    assert events(gone_on)[-1].reason == "done"
    assert read_header(tuned.path).record["from"]["data"] == ["tunes"]


def test_fine_tuning_with_another_vocabulary_is_refused(run, letters, tunes):
    events(run)
    (tunes / "new.txt").write_text("xyz " * 3)
    data = prepare(letters, [str(tunes)], Split(valid=0.2))
    with pytest.raises(CheckpointError, match="another vocabulary"):
        events(replace(run, data=data, origin=load(run.path)))


def test_a_loss_that_is_no_number_ends_training_and_keeps_what_there_was(run):
    every = []
    with pytest.raises(Diverged, match=r"diverged at step \d+: the loss is") as caught:
        every.extend(train(changed(run, lr=1e38, clip=0.0, optimiser="sgd", warmup=0)))
    assert "--lr" in caught.value.hint


@pytest.mark.parametrize("valid", [0.2, 0])
def test_a_training_that_is_worse_than_guessing_by_far_is_no_success(run, letters, tunes, valid):
    """Its losses are numbers, however large; and its name is free for another try."""
    data = prepare(letters, [str(tunes)], Split(valid=valid))
    with pytest.raises(Diverged, match=r"diverged at step 5: a step costs .* guessing would cost 2\.2"):
        events(replace(changed(run, lr=1e9), data=data))
    assert not list(run.path.parent.glob("*.safetensors"))


def test_a_model_that_was_kept_stays_when_training_diverges(run):
    events(changed(run, max_steps=5, schedule="constant"))
    before = run.path.read_bytes()
    with pytest.raises(Diverged):
        events(replace(changed(run, lr=1e9, schedule="constant"), resume=True))
    assert run.path.read_bytes() == before
    assert state_path(run.path).is_file()
    with pytest.raises(Diverged):
        events(changed(run, lr=1e9))
    assert run.path.read_bytes() == before


def test_weights_that_are_no_numbers_are_a_divergence(run, monkeypatch):
    proper = learner.Learner.learn

    def infinite(self, batch, lr):
        step = proper(self, batch, lr)
        with torch.no_grad():
            self.network.output.bias.fill_(float("inf") if self.at.step == 3 else 0)
        return step

    monkeypatch.setattr(learner.Learner, "learn", infinite)
    with pytest.raises(Diverged, match="diverged at step 3: its weights are no numbers"):
        events(run)


def test_a_full_disk_keeps_the_earlier_checkpoint(run, monkeypatch):
    stream = train(run)
    for event in stream:
        if isinstance(event, Saved):
            break
    before = run.path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        list(stream)
    assert run.path.read_bytes() == before
    assert sorted(path.name for path in run.path.parent.iterdir()) == ["m.safetensors", "m.training.safetensors"]


def test_a_new_training_forgets_the_state_of_an_old_one(run):
    events(run)
    stream = train(run)
    next(event for event in stream if isinstance(event, Started))
    assert saved_header(run.path).record["progress"]["step"] == 0


def test_bf16_learns_too(run):
    every = events(changed(run, precision="bf16", max_steps=5))
    assert next(event for event in every if isinstance(event, Started)).precision == "bf16"
    assert every[-1].step == 5


def test_the_state_says_what_the_training_began_with(run, tunes, letters, monkeypatch):
    """So that going on takes no more than the model's name, from whatever folder."""
    monkeypatch.chdir(tunes.parent)
    split = Split(valid_files=("tunes/0.txt",))
    events(replace(run, data=prepare(letters, ["tunes"], split, augment=True)))
    monkeypatch.chdir("/")
    header = saved_header(run.path)
    first = training.began(header, letters)
    again = prepare(letters, first.arguments, first.split, augment=first.augment, fitted=first.fitted)
    assert again.cached
    assert again.encoded == header.record["encoded"]
    assert read_header(run.path).record["data"] == ["tunes"]
    assert read_header(run.path).record["split"]["valid"] == ["0.txt"]


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


def test_a_phase_that_gets_no_better_makes_room_for_the_next(run, in_phases):
    from composer.api.network import Phase

    in_phases(Phase("pretrain"), Phase())
    stuck = changed(run, lr=1e-12, max_steps=0, patience=3, schedule="constant")
    assert [event.phase for event in events(stuck, Started)] == ["pretrain", "train"]


def test_steps_that_all_go_into_the_first_phase_leave_its_best_model(run, in_phases):
    from composer.api.network import Phase

    in_phases(Phase("pretrain", 4), Phase())
    whole = 4 * run.windows.per_epoch
    every = events(changed(run, max_steps=10))
    (started,) = (event for event in every if isinstance(event, Started))
    assert started.phases == (Stretch("pretrain", 10, whole), Stretch("train", 0, 100 * run.windows.per_epoch))
    assert every[-1].best == min(event.value for event in every if isinstance(event, Validated))
    assert read_header(run.path).record["best"] == every[-1].best
    further = events(replace(changed(run, max_steps=whole + 5), resume=True), Started)
    assert [(event.phase, event.step) for event in further] == [("pretrain", 10), ("train", whole)]


def test_phases_follow_one_another_and_resume_in_the_middle(run, tmp_path, in_phases):
    from composer.api.network import Phase

    in_phases(Phase("pretrain", 1, 0.05), Phase())
    first = run.windows.per_epoch
    started = events(changed(run, max_steps=first + 6), Started)
    assert [(event.phase, event.step) for event in started] == [("pretrain", 0), ("train", first)]
    for stop_at in (first - 1, first, first + 2):
        other = replace(changed(run, max_steps=first + 6), path=tmp_path / f"{stop_at}.safetensors")
        told = []
        events(replace(other, stop=lambda told=told, stop_at=stop_at: told.append(1) or len(told) == stop_at))
        events(replace(other, resume=True))
        assert same(weights(run), weights(other))


def test_opening_an_origin_of_another_representation_is_refused(run):
    events(run)
    with pytest.raises(CheckpointError, match="composes `letters`, not `abc`"):
        training.open_origin(run.path, "abc")


def test_the_checkpoint_of_a_fine_tuning_is_plain(run):
    """What is saved can be read without this program's classes: plain JSON and arrays."""
    events(run)
    arrays, text = checkpoint.load_arrays(run.path)
    assert json.loads(text)["representation"] == "letters"
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
