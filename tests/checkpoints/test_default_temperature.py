"""The default temperature of a model: set, recorded in provenance, and overridden by --temp."""

import shutil

import pytest

from composer.api import CheckpointError
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import store
from composer.checkpoints.default_temperature import default_temperature, set_default_temperature
from composer.formats.abc.provenance import is_provenance


@pytest.fixture
def calm(checkpoint, tmp_path):
    """A model with the default temperature 0.5."""
    path = tmp_path / "calm.safetensors"
    shutil.copy(checkpoint, path)
    set_default_temperature(path, 0.5)
    return path


@pytest.fixture
def generated(composer, tmp_path):
    """Generate a tune to a file."""

    def run(model, *arguments):
        path = tmp_path / "tune.abc"
        common = ("--seed", "1", "--length", "80", "--candidates", "1", "--output", path, "--force")
        result = composer("gen", "abc", "--checkpoint", model, *common, *arguments)
        assert result.code == 0, result.err
        return path

    return run


def music(path):
    return [line for line in path.read_text().splitlines() if not is_provenance(line)]


def test_only_the_record_changes(checkpoint, calm):
    before, after = (checkpoint_file.load(path, half=True) for path in (checkpoint, calm))
    assert after.header.record == {**before.header.record, "default_temp": 0.5}
    assert after.header.to_json().replace('"record":{"default_temp":0.5}', '"record":{}') == before.header.to_json()
    assert {name: (array.dtype, array.tobytes()) for name, array in after.weights.items()} == {
        name: (array.dtype, array.tobytes()) for name, array in before.weights.items()
    }


def test_pieces_are_sampled_at_it_unless_temp_is_given(checkpoint, calm, generated):
    at_half, at_one = (music(generated(checkpoint, "--temp", temp)) for temp in ("0.5", "1"))
    assert at_half != at_one
    assert music(generated(checkpoint)) == at_one
    assert music(generated(calm)) == at_half
    assert music(generated(calm, "--temp", "1")) == at_one


@pytest.mark.parametrize("temp", [(), ("--temp", "1")])
def test_pieces_are_reproduced_at_the_recorded_temperature(calm, generated, composer, temp):
    path = generated(calm, *temp)
    assert ('"temperature":0.5' in path.read_text()) == (not temp)
    set_default_temperature(calm, 0.9)
    done = composer("replay", path, "--check", "--checkpoint", calm)
    assert done.code == 0, done.err
    assert "reproduced exactly" in done.err


def test_harmonize_uses_it(composer, tmp_path):
    calm = tmp_path / "calm.safetensors"
    shutil.copy(store.bundled("pianoroll"), calm)
    set_default_temperature(calm, 0.25)
    melody = tmp_path / "melody.abc"
    melody.write_text("X:1\nM:4/4\nL:1/4\nK:G\nGABG|\n")
    done = composer("harmonize", melody, "--seed", "1", "--particles", "1", "--checkpoint", calm, "--format", "abc")
    assert done.code == 0, done.err
    assert '"temperature":0.25' in done.out


def test_eval_compares_pieces_at_it(composer, calm, tunes):
    command = ("eval", "abc", tunes, "--checkpoint", calm, "--generated", "2")
    assert "(seed 1, temperature 0.5)" in composer(*command).out
    assert "(seed 1, temperature 1)" in composer(*command, "--temp", "1").out


def test_the_card_says_it(composer, checkpoint, calm):
    assert "temperature 0.5 by default" in composer("show", calm).out
    assert "temperature 1 by default" in composer("show", checkpoint).out


@pytest.mark.parametrize("value", ["hot", -1, float("nan"), True, [1]])
def test_an_invalid_one_is_an_error(composer, calm, value):
    checkpoint_file.save(calm, checkpoint_file.load(calm, half=True).with_record(default_temp=value))
    composer("gen", "abc", "--checkpoint", calm).failed("invalid default temperature")
    with pytest.raises(CheckpointError):
        default_temperature({"default_temp": value})


def test_an_invalid_one_is_not_set(calm):
    before = calm.read_bytes()
    with pytest.raises(CheckpointError):
        set_default_temperature(calm, -0.1)
    assert calm.read_bytes() == before


def test_an_invalid_one_is_named_in_one_line():
    with pytest.raises(CheckpointError) as caught:
        default_temperature({"default_temp": "a\nb"})
    assert caught.value.message == r"the checkpoint has an invalid default temperature: 'a\nb'"
