"""Whatever is in the header of a checkpoint, reading it ends with a model or with one line of error."""

import copy
import json
from contextlib import suppress

import pytest

from composer.api import CheckpointError
from composer.checkpoints.file import load_arrays, read_header, save_arrays
from composer.checkpoints.load import load_model
from composer.cli.render.model_card import card

WRONG = (None, True, -1, 10**30, 10**400, 1e308, float("nan"), "", "x", [], [None], {}, {"a": {"b": [1]}})
"""Values for each entry; some fit some of them."""

RECORD = {
    "kind": "model", "finished": True, "reason": "done", "data": ["a.abc"], "digest": "0", "augmented": False,
    "split": {"valid": 0.1, "test": 0.0}, "pieces": {"train": 3, "valid": 1}, "counted": {"train": 300, "valid": 80},
    "usual_length": 90, "refused": {"too long": 1}, "unreadable": 0, "duplicates": 0, "losses": {"words": 1},
    "training": "1", "phase": 0, "update": 10, "best": 1.5, "best_update": 5, "reported": 2.1, "unit": "bits per step",
    "seconds": 1.5, "settings": {"seed": 1}, "device": "cpu", "processes": 1, "precision": "fp32", "threads": 1,
    "from": None, "default_temp": 0.9,
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


@pytest.mark.parametrize("field", ["spec", "config", "options", "state", "format", "model", "representation_version"])
def test_the_other_fields(saved, tmp_path, field):
    for place in list(places({field: saved[1][field]})):
        check(saved, tmp_path, place)


def check(saved, folder, place):
    arrays, header = saved
    path = folder / "m.safetensors"
    for value in (*WRONG, ...):
        save_arrays(path, arrays, json.dumps(changed(header, place, value)))
        for read in (card, load_model):
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
