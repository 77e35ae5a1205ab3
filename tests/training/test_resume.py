"""Resuming is exact after interruptions, kills and full epochs."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace

import pytest
import torch

from composer.api import CheckpointError, OptionError
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.file import load, read_header
from composer.checkpoints.training_files import state_path
from composer.data.dataset import prepare
from composer.data.splits import SplitSettings
from composer.system import threads
from composer.training import optimizer, resume
from composer.training import trainer as trainer_module
from composer.training.events import RolledBack, Started, Updated, Validated
from composer.training.loop import train
from composer.training.resume import saved_header
from composer_lstm import Lstm


@pytest.mark.parametrize("stop_at", [1, 7, 10, 19])
def test_resuming_gives_the_weights_of_an_uninterrupted_run(run, tmp_path, stop_at, events, weights, same):
    """Dropout, shuffling, the network's state and Adam's moments continue exactly."""
    events(run)
    other = replace(run, path=tmp_path / "other.safetensors")
    calls = []
    stopped = events(replace(other, stop=lambda: calls.append(1) or len(calls) == stop_at))
    assert stopped[-1].reason == "interrupted"
    assert stopped[-1].update == stop_at
    assert read_header(other.path).record["finished"] is False
    resumed = events(replace(other, resume=True))
    assert next(event for event in resumed if isinstance(event, Started)).update == stop_at
    assert same(weights(run), weights(other))
    assert same(load(run.path).weights, load(other.path).weights)


@pytest.mark.skipif(bool(optimizer.bf16_obstacle("cpu")), reason="this processor does not train in bf16")
def test_resuming_in_bf16_and_then_on_a_machine_without_it(run, tmp_path, events, changed, weights, same, monkeypatch):
    """LSTMs take no bf16 state outside of bf16, unlike other layers."""
    lstm = Lstm()
    run = replace(changed(run, precision="auto", max_updates=10), model=lstm, config=lstm.Config(hidden=8, layers=1))
    monkeypatch.setattr(trainer_module, "choose_precision", lambda *_: "bf16")
    events(run)
    other = replace(run, path=tmp_path / "other.safetensors")
    calls = []
    events(replace(other, stop=lambda: calls.append(1) or len(calls) == 5))
    monkeypatch.undo()
    resumed = events(replace(other, resume=True))
    assert next(event for event in resumed if isinstance(event, Started)).precision == "bf16"
    assert same(weights(run), weights(other))
    monkeypatch.setattr(optimizer, "bf16_obstacle", lambda _: "could not create a primitive descriptor")
    resumed = events(replace(changed(other, max_updates=12), resume=True))
    assert next(event for event in resumed if isinstance(event, Started)).precision == "fp32"


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {path!r}
import small_plugins
from composer.data.dataset import prepare
from composer.training.events import Updated
from composer.data.splits import SplitSettings
from composer.training.loop import train
from composer.training.run import TrainingRun
from composer.training.settings import Settings
letters, tiny = small_plugins.Letters(), small_plugins.Tiny()
data = prepare(letters, [{tunes!r}], SplitSettings(valid=0.2))
settings = Settings(
    max_updates=20, epochs=100, batch_size=4, seq_length=16, validate_every=5, save_every=0, lr=0.01, precision="fp32"
)
for event in train(TrainingRun(tiny, tiny.Config(), letters, data, Path({out!r}), settings)):
    if isinstance(event, Updated) and event.update == 8:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_resuming_a_killed_run(run, tunes, tmp_path, events, weights, same):
    events(run)
    killed = replace(run, path=tmp_path / "killed.safetensors")
    script = KILLED.format(path=sys.path, tunes=str(tunes), out=str(killed.path))
    result = subprocess.run([sys.executable, "-c", script], env=os.environ, capture_output=True, check=False)
    assert result.returncode == -signal.SIGKILL, result.stderr
    assert saved_header(killed.path).record["progress"]["update"] == 7
    events(replace(killed, resume=True))
    assert same(weights(run), weights(killed))


def left_at(run, step, remember=0):
    """Train until `step`, as if the process were killed then, with the state of step `remember`."""
    stream, state = train(run), b""
    for event in stream:
        if isinstance(event, Updated) and event.update == remember:
            state = state_path(run.path).read_bytes()
        if isinstance(event, Updated) and event.update == step:
            break
    stream.close()
    return state


def test_the_state_is_saved_with_the_first_model(run, changed):
    left_at(changed(run, save_every=3600), 6)
    assert read_header(run.path).record["update"] == saved_header(run.path).record["progress"]["update"] == 5


def test_a_model_newer_than_the_state_is_not_replaced_by_a_worse_one(run, tmp_path, events, same):
    events(run)
    killed = replace(run, path=tmp_path / "killed.safetensors")
    earlier = left_at(killed, 12, remember=2)
    state_path(killed.path).write_bytes(earlier)
    kept = killed.path.read_bytes()
    assert checkpoint_file.read_header(killed.path).record["best_update"] == 10
    stream = train(replace(killed, resume=True))
    seen = []
    for event in stream:
        seen.append(event)
        if isinstance(event, Updated) and event.update == 11:
            break
    assert [(event.update, event.best_update) for event in seen if isinstance(event, RolledBack)] == [(1, 10)]
    assert not any(event.best for event in seen if isinstance(event, Validated))
    assert killed.path.read_bytes() == kept
    list(stream)
    assert same(load(run.path).weights, load(killed.path).weights)


def test_a_model_of_another_training_is_replaced(run, events, changed):
    """It is better and has the same name, but the user started again."""
    events(changed(run, max_updates=40))
    left_at(run, 3)
    found = events(replace(run, resume=True))
    assert not [event for event in found if isinstance(event, RolledBack)]
    assert next(event for event in found if isinstance(event, Validated)).best
    assert read_header(run.path).record["updates"] == 20


def test_resuming_a_finished_run_with_more_epochs(run, events, changed):
    per_epoch = run.train_batches.batches_per_epoch
    events(changed(run, max_updates=0, epochs=1))
    found = events(replace(changed(run, max_updates=0, epochs=3), resume=True))
    started, finished = next(event for event in found if isinstance(event, Started)), found[-1]
    assert (started.update, started.updates, finished.update) == (per_epoch, 3 * per_epoch, 3 * per_epoch)


def test_other_data_or_fixed_settings_are_errors(run, letters, tunes, events, changed):
    events(run)
    with pytest.raises(OptionError, match="'m' was trained with batch_size=4"):
        events(replace(changed(run, batch_size=8), resume=True))
    with pytest.raises(OptionError, match="was trained with hidden=8, which cannot be changed"):
        events(replace(run, config=replace(run.config, hidden=9), resume=True))
    (tunes / "0.txt").write_text("abcdefgh " * 5)
    with pytest.raises(CheckpointError, match="different pieces") as caught:
        events(replace(run, data=prepare(letters, [str(tunes)], SplitSettings(valid=0.2)), resume=True))
    assert "--from" in caught.value.hint


@dataclass(frozen=True)
class Later:
    """The settings of `Tiny` in a version with more of them."""

    hidden: int = 8
    dropout: float | None = None
    wide: bool = False
    sizes: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Spelling:
    """The options of `Letters` in a version with some."""

    case: bool = False


def test_a_setting_that_did_not_exist_has_its_default(run, events, changed):
    events(changed(run, max_updates=3))
    run.representation.options = Spelling()
    again = replace(run, config=Later(), resume=True)
    assert events(again)[-1].update == 20
    for settings, was in (({"dropout": 0.4}, "none"), ({"wide": True}, "off"), ({"sizes": (1, 3)}, "1,2")):
        (key,) = settings
        with pytest.raises(OptionError, match=f"'m' was trained with {key}={was}") as caught:
            events(replace(again, config=Later(**settings)))
        assert caught.value.hint == f"leave it out or use --set {key}={was}"
    run.representation.options = Spelling(case=True)
    with pytest.raises(OptionError, match="trained with case=off") as caught:
        events(again)
    assert caught.value.hint == "leave it out or use -O case=off"


def test_resuming_without_a_state_is_an_error(run, events):
    with pytest.raises(CheckpointError, match="has no training state to resume from"):
        events(replace(run, resume=True))


def test_ctrl_c_during_an_update_keeps_the_saved_state(run, monkeypatch, events):
    proper, count = trainer_module.Trainer.train_step, []

    def interrupted(self, batch, lr):
        count.append(1)
        if len(count) == 8:
            raise KeyboardInterrupt
        return proper(self, batch, lr)

    with monkeypatch.context() as patch:
        patch.setattr(trainer_module.Trainer, "train_step", interrupted)
        assert events(run)[-1].reason == "interrupted"
    assert saved_header(run.path).record["progress"]["update"] == 7
    assert events(replace(run, resume=True))[-1].update == 20


def test_the_state_has_the_arguments_of_the_training(run, tunes, letters, monkeypatch, events):
    """Resuming needs only the model's name, in any folder."""
    monkeypatch.chdir(tunes.parent)
    split = SplitSettings(valid_files=("tunes/0.txt",))
    events(replace(run, data=prepare(letters, ["tunes"], split, augment=True)))
    monkeypatch.chdir("/")
    header = saved_header(run.path)
    first = resume.original_arguments(header, letters)
    again = prepare(letters, first.arguments, first.split, augment=first.augment, fitted=first.fitted)
    assert again.cached
    assert again.encoded_digest == header.record["encoded"]
    assert read_header(run.path).record["data"] == ["tunes"]
    assert read_header(run.path).record["split"]["valid"] == ["0.txt"]


def test_resuming_uses_as_many_threads_as_before(run, events, monkeypatch):
    """Another number of threads adds in another order, which rounds differently."""
    for name in threads.TORCH_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "MAX_SINGLE_THREAD_PARAMETERS", 0)
    monkeypatch.setattr(threads, "usable_cores", lambda: 2)
    monkeypatch.setattr(threads, "idle_cores", lambda: 2)
    seen = []

    def stops_after(updates):
        return replace(
            run, resume=bool(seen), stop=lambda: seen.append(torch.get_num_threads()) or len(seen) == updates
        )

    events(stops_after(3))
    assert saved_header(run.path).record["threads"] == 2
    assert torch.get_num_threads() == 1
    monkeypatch.setattr(threads, "idle_cores", lambda: 1)
    started = events(stops_after(5), Started)
    assert started[0].threads == 2
    assert seen == [2] * 5
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert events(stops_after(6), Started)[0].threads is None
