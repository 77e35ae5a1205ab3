"""Settings that suit the size of the data."""

import itertools

import pytest

from composer.api import DataSize, SequenceSpec, StepKind
from composer.registry import plugins as registry
from composer.training.settings import Settings

KINDS = (StepKind.TOKENS, StepKind.FRAMES)
SIZES = [10**exponent * factor for exponent in range(2, 9) for factor in (1, 3)]


def suggested(kind, steps, pieces=100, held_out=10, variants=1):
    model = registry.model("attn-lstm")
    return model.suggest(
        SequenceSpec(kind, 88, 0 if kind is StepKind.TOKENS else None),
        DataSize(pieces, steps, variants * steps, held_out),
    )


def updates(found, steps):
    """Return the updates of the whole training."""
    return found["epochs"] * max(8, steps / (found["batch_size"] * found["seq_length"]))


@pytest.mark.parametrize("kind", KINDS)
def test_settings_of_any_size_are_valid(kind):
    model = registry.model("attn-lstm")
    for steps, pieces in itertools.product([0, 1, *SIZES], [0, 1, 10**5]):
        found = suggested(kind, steps, pieces)
        of_model = {name: value for name, value in found.items() if name in model.Config.__dataclass_fields__}
        config = model.Config(**of_model)
        model.check(kind, config)
        settings = Settings(**{name: value for name, value in found.items() if name not in of_model})
        assert config.hidden % config.heads == 0
        assert config.window <= settings.seq_length


@pytest.mark.parametrize("kind", KINDS)
def test_less_data_gets_more_dropout_and_smaller_batches_and_networks(kind):
    every = [suggested(kind, steps) for steps in SIZES]
    for smaller, larger in itertools.pairwise(every):
        assert smaller["dropout"] >= larger["dropout"]
        assert smaller["input_dropout"] >= larger["input_dropout"]
        assert smaller["batch_size"] <= larger["batch_size"]
        assert smaller["hidden"] <= larger["hidden"]


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_enough_updates(kind):
    for steps in SIZES:
        found = suggested(kind, steps)
        assert updates(found, steps) >= 1000
        assert updates(found, steps) < 3000 or found["epochs"] <= 11


@pytest.mark.parametrize("kind", KINDS)
def test_variants_count_as_updates_but_not_as_data(kind):
    plain, varied = suggested(kind, 14_000), suggested(kind, 14_000, variants=12)
    assert varied["dropout"] == plain["dropout"]
    assert varied["batch_size"] == plain["batch_size"]
    assert 5 * varied["epochs"] < plain["epochs"]


def test_without_validation_training_ends_before_it_has_memorized_all():
    assert suggested(StepKind.FRAMES, 2_000, pieces=5, held_out=0)["epochs"] == 40
    assert suggested(StepKind.FRAMES, 2_000, pieces=20, held_out=2)["epochs"] > 40


def test_frames_are_sampled_by_a_nade():
    assert suggested(StepKind.FRAMES, 14_000)["output"] == "nade"
    assert "output" not in suggested(StepKind.TOKENS, 14_000)


def test_settings_that_were_measured():
    """Those of the JSB Chorales, and of the tunes in ABC that the bundled model was trained on."""
    chorales = suggested(StepKind.FRAMES, 14_000, pieces=229, variants=12)
    assert (chorales["hidden"], chorales["window"], chorales["dropout"]) == (320, 96, (0.5,))
    assert (chorales["batch_size"], chorales["lr"], chorales["nade_units"]) == (16, 0.004, 160)
    tunes = suggested(StepKind.TOKENS, 825_000, pieces=3_534)
    assert (tunes["hidden"], tunes["window"], tunes["dropout"], tunes["epochs"]) == (320, 256, (0.25,), 16)
    assert (tunes["batch_size"], tunes["seq_length"], tunes["lr"]) == (32, 256, 0.005)
