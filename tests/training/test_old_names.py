"""Checkpoints and training states with the setting names of earlier versions load and resume."""

import json
from dataclasses import replace

import pytest

from composer.checkpoints.file import load, load_arrays, read_header, save_arrays
from composer.checkpoints.store import PRETRAINED
from composer.checkpoints.training_files import state_path
from composer.registry import options
from composer.training.events import Started
from composer.training.settings import Settings

RECORD = {"update": "step", "updates": "steps", "best_update": "best_step", "state": "stream"}
SETTINGS = {
    "batch_size": "batch", "seq_length": "length", "max_updates": "max_steps", "optimizer": "optimiser",
    "max_grad_norm": "clip", "ema": "average", "contiguous": "stream",
}  # fmt: skip
PROGRESS = {
    "phase_updates": "done", "update": "step", "best_update": "best_step", "validations_since_best": "stale",
    "max_rows": "rows",
}  # fmt: skip
ARRAYS = {"optimizer": "optimiser", "ema": "average", "state": "stream"}


def with_old_names(values, names):
    return {names.get(name, name): value for name, value in values.items()}


def write_old_names(path):
    """Rewrite a checkpoint or training state as the first version would have written it."""
    arrays, text = load_arrays(path)
    header = json.loads(text)
    record = with_old_names(header["record"], RECORD)
    record["settings"] = with_old_names(record["settings"], SETTINGS)
    if "progress" in record:
        record["progress"] = with_old_names(record["progress"], PROGRESS)
    renamed = {"/".join([ARRAYS.get(first, first), *rest]): array for (first, *rest), array in split(arrays)}
    assert set(record["settings"]) & set(SETTINGS) == set()
    save_arrays(path, renamed, json.dumps({**header, "record": record}))


def split(arrays):
    return ((name.split("/"), array) for name, array in arrays.items())


@pytest.mark.parametrize("contiguous", [False, True])
def test_an_old_training_state_resumes_to_the_same_weights(run, tmp_path, changed, events, weights, same, contiguous):
    run = changed(run, ema=0.9, optimizer="adamw", max_grad_norm=0.5, contiguous=contiguous)
    events(run)
    other, asked = replace(run, path=tmp_path / "other.safetensors"), []
    events(replace(other, stop=lambda: asked.append(1) or len(asked) == 7))
    write_old_names(state_path(other.path))
    write_old_names(other.path)
    names = load_arrays(state_path(other.path))[0]
    assert {name.partition("/")[0] for name in names} == {"weights", "optimiser", "average", "stream"}
    started = next(event for event in events(replace(other, resume=True)) if isinstance(event, Started))
    assert started.update == 7
    assert same(weights(run), weights(other))
    assert same(load(run.path).weights, load(other.path).weights)


def test_an_old_checkpoint_has_the_record_of_a_new_one(run, changed, events):
    events(changed(run, max_grad_norm=0.5))
    new = read_header(run.path)
    write_old_names(run.path)
    assert read_header(run.path) == new
    assert new.record["settings"]["max_grad_norm"] == 0.5


@pytest.mark.parametrize(
    ("name", "batch_size", "seq_length"),
    [("abc", 32, 256), ("grid", 16, 256), ("pianoroll", 8, 256), ("text", 32, 192)],
)
def test_the_settings_of_bundled_models_are_read(name, batch_size, seq_length):
    record = read_header(PRETRAINED / f"{name}.safetensors").record
    settings = options.restore(Settings, record["settings"], "training")
    assert (settings.batch_size, settings.seq_length) == (batch_size, seq_length)
    assert record["updates"] >= record["best_update"] > 0
