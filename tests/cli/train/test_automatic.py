"""Settings that `composer train` chooses by the size of the data if the user gives none."""

import pytest

from composer.checkpoints import store
from composer.checkpoints.file import read_header
from composer.registry import plugins as registry
from composer.training.settings import Settings


@pytest.fixture
def trained(composer, tunes):
    """Train for one update; return the header of the model and the messages."""

    def run(*arguments, representation="abc"):
        done = composer("train", representation, tunes, "--max-updates", "1", "--name", "mine", "--force", *arguments)
        assert done.code == 0, done.err
        return read_header(store.path_for("mine")), done.err

    return run


def picked(messages):
    """Return the settings that the messages say were chosen; none if no line says so."""
    line = next((line for line in messages.splitlines() if line.startswith("settings that suit the data: ")), "")
    return dict(pair.split("=") for pair in line.split() if "=" in pair)


def test_settings_are_chosen_and_shown(trained):
    header, messages = trained()
    shown = picked(messages)
    assert "(all: composer show mine)" in messages
    assert (header.model, header.options["positions"]) == ("attn-lstm", True)
    assert shown["model"] == "attn-lstm"
    assert shown["dropout"] == "0.5"
    assert header.config["dropout"] == [0.5]
    assert header.record["settings"]["batch_size"] == int(shown["batch_size"]) < Settings().batch_size


def test_frames_get_a_nade(trained):
    header, messages = trained(representation="pianoroll")
    assert header.config["output"] == "nade"
    assert picked(messages)["model"] == header.model


def test_flags_win(trained):
    header, messages = trained("--batch-size", "3", "--lr", "0.5", "--epochs", "7", "-O", "positions=off")
    settings, shown = header.record["settings"], picked(messages)
    assert (settings["batch_size"], settings["lr"], settings["epochs"]) == (3, 0.5, 7)
    assert shown["batch_size"] == "3"
    assert not header.options["positions"]
    assert header.config["dropout"] == [0.5]


@pytest.mark.parametrize(
    ("arguments", "model"),
    [(("--set", "hidden=8"), "lstm"), (("--model", "lstm"), "lstm"), (("--preset", "charrnn-abc"), "lstm")],
)
def test_nothing_is_chosen_beside_the_users_settings(trained, arguments, model):
    header, messages = trained(*arguments)
    assert header.model == model
    assert not picked(messages)
    assert not header.options.get("positions")


def test_options_that_rule_positions_out(trained):
    header, _ = trained("-O", "text=raw")
    assert header.model == "attn-lstm"
    assert not header.spec.features


def test_resuming_and_fine_tuning_keep_the_settings(composer, trained, tunes):
    before, _ = trained()
    resumed = composer("train", "abc", "--name", "mine", "--resume", "--max-updates", "2")
    assert resumed.code == 0, resumed.err
    tuned = composer("train", "abc", tunes, "--from", "mine", "--name", "tuned", "--max-updates", "1")
    assert tuned.code == 0, tuned.err
    for name in ("mine", "tuned"):
        header = read_header(store.path_for(name))
        assert (header.config, header.options) == (before.config, before.options)
    assert not picked(resumed.err + tuned.err)


@pytest.mark.parametrize(
    ("suggestion", "words"),
    [({"hiden": 3}, "suggests an unknown setting 'hiden'"), (["hidden"], "failed in suggest")],
)
def test_a_wrong_suggestion_names_the_model(composer, tunes, monkeypatch, suggestion, words):
    from composer.registry.guard import Owner, guard_model

    class Eager(type(registry.model("lstm"))):
        def suggest(self, spec, size):
            return suggestion

    guarded = guard_model(Eager, Owner("eager", "eager 1.0"))
    monkeypatch.setattr(registry, "model", lambda name: guarded())
    composer("train", "abc", tunes, "--model", "eager").failed(words)
