"""`composer presets`, and training with one."""

import pytest

from composer.checkpoints.file import read_header
from composer.checkpoints.load import load_model
from composer.training import presets

QUICK = ("--max-updates", "1", "--name", "mine", "--set", "hidden=4", "--set", "embedding=4")


def test_list_and_print(composer):
    listed = composer("presets").out
    for preset in presets.all_presets():
        assert f"{preset.name} " in listed
        assert preset.summary in listed
    assert composer("presets", "--names").out.split() == presets.preset_names()
    assert composer("presets", "charrnn-abc").out == presets.preset("charrnn-abc").text


def test_list_fits_the_terminal(composer):
    shown = composer("presets", terminal=True, COLUMNS="60").out
    assert max(map(len, shown.splitlines())) <= 60
    assert len(composer("presets", COLUMNS="60").out.splitlines()) == len(presets.preset_names())
    words = " ".join(shown.split())
    assert all(preset.summary in words for preset in presets.all_presets())


def test_flags_override_a_preset(composer, tunes, home):
    done = composer("train", "abc", tunes, "--preset", "charrnn-abc", "--lr", "0.01", *QUICK)
    assert done.code == 0, done.err
    header = read_header(home / "models" / "mine.safetensors")
    assert header.options["text"] == "raw"
    assert (header.config["layers"], header.config["hidden"]) == (2, 4)
    settings = header.record["settings"]
    assert (settings["batch_size"], settings["schedule"], settings["lr"]) == (50, "exponential", 0.01)


def test_representation_options_override_a_preset(composer, tunes, home):
    assert composer("train", "abc", tunes, "--preset", "charrnn-abc", "-O", "text=dialect", *QUICK).code == 0
    assert read_header(home / "models" / "mine.safetensors").options["text"] == "dialect"


@pytest.mark.parametrize("preset", list(presets.all_presets()), ids=lambda preset: preset.name)
def test_every_preset_trains_and_generates(composer, tunes, home, tmp_path, preset):
    """One update with the preset's own settings, then a piece from the numpy sampler."""
    data = tunes
    if preset.representation == "text":
        data = tmp_path / "songs.csv"
        data.write_text("artist,lyric\n" + "Ann,Why is the sky so blue?\nBen,Why not?\n" * 9)
    asked = ("--preset", preset.name, "--max-updates", "1", "--name", "mine")
    labels = ("-O", "labels=artist") if preset.requires else ()
    done = composer("train", preset.representation, data, *asked, *labels)
    assert done.code == 0, done.err
    player = load_model(home / "models" / "mine.safetensors", preset.representation)
    assert not hasattr(player.sampler, "parameters"), "a torch module"
    done = composer(
        "gen", preset.representation, "--checkpoint", "mine", "--seed", "1", "--length", "30", "--temp", "2"
    )
    assert done.data, done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("abc", "--preset", "charnn-abc"), ("unknown preset 'charnn-abc'", "`charrnn-abc`")),
        (("abc", "--preset", "lyrics"), ("is for `text`, not `abc`", "composer train text")),
        (("abc", "--preset", "charrnn-abc", "--resume"), ("--preset cannot be combined with --resume",)),
    ],
)
def test_usage_errors(composer, tunes, arguments, words):
    composer("train", *arguments, tunes).failed(*words, code=2)


def test_unknown_option_in_a_preset(composer, tunes, tmp_path, monkeypatch):
    text = presets.preset("charrnn-abc").text.replace('text = "raw" ', 'spelling = "raw" ')
    (tmp_path / "odd.toml").write_text(text)
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    composer("train", "abc", tunes, "--preset", "odd").failed("has no option 'spelling'", code=2)


def test_replacing_the_model_of_a_preset_is_a_warning(composer, tunes, home):
    done = composer("train", "pianoroll", tunes, "--preset", "rnnrbm", "--model", "lstm", *QUICK)
    assert done.code == 0, done.err
    assert "warning: --model lstm replaces the preset's `rnnrbm`" in done.err


def test_preset_that_needs_labels(composer, tmp_path, home):
    rows = "Ann,Why is the sky so blue?,pop\nBen,Why not?,folk\n" * 9
    (tmp_path / "songs.csv").write_text(f"artist,lyric,genre\n{rows}")
    asked = ("train", "text", tmp_path / "songs.csv", "--preset", "lyrics-by-artist", *QUICK, "-O", "column=lyric")
    composer(*asked, "-O", "label=none").failed("needs pieces with the label `artist`", "-O labels=artist")
    composer(*asked, "--conditions", "genre").failed("has the condition artist", "add artist", code=2)
    assert composer(*asked, "-O", "labels=artist,genre", "--name", "singers").code == 0
    assert list(read_header(home / "models" / "singers.safetensors").spec.conditions) == ["artist"]


@pytest.mark.parametrize(
    "text",
    ["no toml at all", 'summary = "it"', "[unknown]\nx = 1", "[split]\nvalid = 2.0", 'options = "none"', "\0\xff"],
)
def test_damaged_preset(composer, tunes, tmp_path, monkeypatch, text):
    whole = presets.preset("charrnn-abc").text
    (tmp_path / "odd.toml").write_bytes((text if text[0] != "[" else f"{whole}\n{text}").encode("latin-1"))
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    done = composer("train", "abc", tunes, "--preset", "odd")
    assert done.err.splitlines()[0].startswith("error: "), done.err
    assert "internal error" not in done.err
    assert "odd.toml" in done.err or "leave no training data" in done.err


@pytest.mark.parametrize("command", ["presets", "plugins", "models"])
def test_lists_have_no_command_of_their_own(composer, command):
    composer(command, "list").failed("'list'", f"composer {command}", code=2)
