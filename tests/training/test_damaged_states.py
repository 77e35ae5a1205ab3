"""Whatever is in a training state, resuming trains or ends with one line of error; a damaged model is made again."""

import json
from dataclasses import replace

import pytest

from composer.api import CheckpointError, ComposerError
from composer.checkpoints.file import load, load_arrays, read_header, save_arrays
from composer.checkpoints.training_files import state_path
from composer.training.events import ModelLost, Saved
from composer.training.loop import train
from composer.training.resume import check_network


@pytest.fixture
def stopped(run, events):
    """A training that was interrupted at update 7, after one validation, and its state: arrays and header."""
    calls = []
    events(replace(run, stop=lambda: calls.append(1) or len(calls) == 7))
    arrays, text = load_arrays(state_path(run.path))
    return replace(run, resume=True, stop=lambda: True), arrays, json.loads(text)


def resumes(run, arrays, header):
    """Resume from this state and stop at once. Return the error, None if there is none."""
    save_arrays(state_path(run.path), arrays, json.dumps(header))
    try:
        for _ in train(run):
            pass
    except ComposerError as error:
        found = error
    else:
        return None
    assert "\n" not in found.message
    assert found.hint
    return found


@pytest.mark.parametrize("entry", ["progress", "settings", "encoded", "from", "state", "kind"])
def test_each_entry_of_the_record(stopped, entry):
    run, arrays, header = stopped
    for value in (-1, [None], {"a": [1]}):
        header["record"][entry] = value
        assert resumes(run, arrays, header) is not None or (entry == "from" and isinstance(value, dict))


@pytest.mark.parametrize("entry", ["phase", "update"])
def test_each_entry_of_the_progress(stopped, entry):
    run, arrays, header = stopped
    for value in (-1, 10**6, "x"):
        header["record"]["progress"][entry] = value
        assert resumes(run, arrays, header) is not None or (entry, value) == ("update", 10**6)


@pytest.mark.parametrize("owner", ["weights", "optimizer", "state"])
@pytest.mark.parametrize("damage", ["smaller", "more dimensions", "missing"])
def test_arrays_of_another_shape(stopped, owner, damage):
    run, arrays, header = stopped
    name = next(name for name, array in arrays.items() if name.startswith(f"{owner}/") and array.ndim)
    if damage == "missing":
        del arrays[name]
    else:
        arrays[name] = arrays[name][..., :-1] if damage == "smaller" else arrays[name][None]
    assert resumes(run, arrays, header) is not None


def test_a_damaged_model_is_made_again_from_the_state(stopped, events):
    """The best model was that of update 5; the one of update 7 replaces it, although it may be worse."""
    run, *_ = stopped
    data = bytearray(run.path.read_bytes())
    data[-5] ^= 1
    run.path.write_bytes(data)
    found = events(run)
    assert [event.update for event in found if isinstance(event, ModelLost | Saved)] == [7, 7, 8]
    assert load(run.path).weights
    assert read_header(run.path).record["best_update"] == 7


def test_a_state_whose_network_has_more_weights(stopped):
    """It is refused before memory is taken for the network."""
    run, *_ = stopped
    header = read_header(state_path(run.path))
    check_network(run.path, header, run.model, run.config)
    with pytest.raises(CheckpointError, match="the weights in its training state do not fit the model") as caught:
        check_network(run.path, header, run.model, replace(run.config, hidden=10**6))
    assert "use --from" in caught.value.hint
