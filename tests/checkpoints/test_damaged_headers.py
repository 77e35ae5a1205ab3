"""Whatever is in the header of a checkpoint, reading it ends with a model or with one line of error."""

import copy
import json
import re
from contextlib import suppress
from pathlib import Path

import pytest

from composer.api import CheckpointError
from composer.checkpoints import store
from composer.checkpoints.file import load_arrays, read_header, save_arrays
from composer.checkpoints.load import load_model
from composer.checkpoints.record import ModelRecord, SplitData, TrainingRecord
from composer.checkpoints.training_files import state_path
from composer.cli.models.listing import ListedModel
from composer.cli.render.model_card import card

WRONG = (None, True, -1, 10**30, 10**400, 1e308, float("nan"), "", "x", [], [None], {}, {"a": {"b": [1]}})
"""Values for each entry; some fit some of them."""

ROOT = Path(__file__).parents[2]
SMALL = [word for setting in ("hidden=8", "layers=1", "embedding=4") for word in ("--set", setting)]
RECORD = {
    "kind": "model", "finished": True, "reason": "done", "data": ["a.abc"], "digest": "0", "augmented": False,
    "split": {"valid": 0.1, "test": 0.0}, "pieces": {"train": 3, "valid": 1}, "counted": {"train": 300, "valid": 80},
    "usual_length": 90, "refused": {"too long": 1}, "unreadable": 0, "duplicates": 0, "moved": 0, "copies": 0,
    "losses": {"words": 1},
    "training": "1", "phase": 0, "update": 10, "updates": 12, "best": 1.5, "best_update": 5, "reported": 2.1,
    "unit": "bits per step", "history": [[10, 1.5, None]], "seconds": 1.5, "settings": {"seed": 1}, "device": "cpu",
    "processes": 1, "precision": "fp32", "threads": 1, "from": None, "default_temp": 0.9,
}  # fmt: skip


def places(value, above=()):
    """Yield the keys that lead to each entry of JSON data; of lists, to the first item."""
    if above:
        yield above
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*above, key))


def changed(data, place, value):
    """Return a copy with another value at a place, or without it if the value is the ellipsis."""
    data = copy.deepcopy(data)
    above = data
    for key in place[:-1]:
        above = above[key]
    if value is ...:
        del above[place[-1]]
    else:
        above[place[-1]] = value
    return data


@pytest.fixture(scope="module")
def saved(checkpoint):
    """The arrays and the header of the small model, with the record of a training."""
    arrays, text = load_arrays(checkpoint)
    return arrays, {**json.loads(text), "record": RECORD}


@pytest.mark.parametrize("place", list(places(RECORD)), ids=lambda place: ".".join(map(str, place)))
def test_each_entry_of_the_record(saved, tmp_path, place):
    check(saved, tmp_path, ("record", *place))


def test_each_entry_that_is_read_is_declared():
    assert set(ModelRecord.__annotations__) == RECORD.keys()
    declared = ModelRecord.__annotations__ | TrainingRecord.__annotations__ | SplitData.__annotations__
    sources = [path.read_text("utf-8") for path in ROOT.glob("composer/**/*.py")]
    reads = {name for text in sources for name in re.findall(r"""record(?:\[|\.get\()['"](\w+)""", text)}
    assert {"updates", "settings"} <= reads
    assert reads <= declared.keys()


def test_each_entry_that_a_training_writes_is_declared(composer, tunes):
    assert composer("train", "abc", tunes, "--model", "lstm", "--name", "mine", "--max-updates", "2", *SMALL).code == 0
    model = read_header(store.path_for("mine")).record
    assert model.keys() == ModelRecord.__annotations__.keys()
    state = read_header(state_path(store.path_for("mine"))).record
    assert state.keys() <= ModelRecord.__annotations__.keys() | TrainingRecord.__annotations__.keys()


@pytest.mark.parametrize("field", ["spec", "config", "options", "state", "format", "model", "representation_version"])
def test_the_other_fields(saved, tmp_path, field):
    for place in list(places({field: saved[1][field]})):
        check(saved, tmp_path, place)


def listed(path):
    """Return what `composer models` says of a checkpoint."""
    model = ListedModel(path.stem, path, "own", read_header(path))
    return model.quality, *model.notes(), json.dumps(model.to_json())


def check(saved, folder, place):
    arrays, header = saved
    path = folder / "m.safetensors"
    for value in (*WRONG, ...):
        save_arrays(path, arrays, json.dumps(changed(header, place, value)))
        for read in (card, load_model, listed):
            with suppress(CheckpointError):
                read(path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("record", "pieces", "train"), "3"), (("record", "counted"), None), (("record", "seconds"), float("nan")),
        (("record", "data"), "a.abc"), (("record", "settings"), []), (("spec", "size"), 10**30),
        (("spec", "conditions"), {"rhythm": "jig"}),
    ],
)  # fmt: skip
def test_the_entry_is_named(saved, tmp_path, place, value):
    path = tmp_path / "m.safetensors"
    save_arrays(path, saved[0], json.dumps(changed(saved[1], place, value)))
    with pytest.raises(CheckpointError, match=rf"m\.safetensors is damaged: `{'.'.join(place)}") as caught:
        read_header(path)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["\ud800", "a\udfff.abc", "\udc80.abc"])
def test_text_that_no_file_can_have_is_damage(checkpoint, tmp_path, name):
    """The last name has a byte that is not UTF-8, as those of files may."""
    arrays, text = load_arrays(checkpoint)
    header = json.loads(text)
    header["record"]["data"] = [name]
    path = tmp_path / "changed.safetensors"
    save_arrays(path, arrays, json.dumps(header))
    if name.startswith("\udc80"):
        assert read_header(path).record["data"] == [name]
        return
    with pytest.raises(CheckpointError, match="is not a complete checkpoint"):
        read_header(path)
