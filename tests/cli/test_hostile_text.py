"""No command prints control characters of titles, lyrics, names, models, records or options: read byte by byte."""

import re
import sys
from dataclasses import asdict, replace

import pytest
import torch

from composer.checkpoints.file import Checkpoint, Header, load, save
from composer.cli.command import COMMANDS
from composer.cli.console import Console
from composer.cli.train.progress import LiveReporter
from composer.cli.train.status import TrainingStatus
from composer.formats import provenance
from composer.registry import plugins as registry
from composer.system.escaping import escape_bytes
from composer.system.paths import models_folder

HOSTILE = "\x1b]0;owned\x07\x1b[7;5m\x9b2J\x7f\u202e\u2066\u2028\rA[red]:smile:"
"""Sets the title of the window, blinks, clears the screen, reverses the text, overwrites the line."""

COMMAND_LINES = {
    "": ["{hostile}", "--{hostile}"],
    "gen": [
        "gen abc -c {model} --title {hostile} --candidates 1 --length 200",
        "gen abc -c {model} --format midi --title {hostile} --candidates 1 --length 200",
        "gen abc -c {model} --prime {tune} --candidates 1 --length 500",
        "gen text -c {writer} --count 9 --seed 1",
        "gen abc -c {model} --prime-text {hostile}",
        "gen abc -c {model} --candidates 1 --length 200 -o {folder}/{hostile}.abc",
        "gen abc -c {model} --condition {hostile}={hostile}",
        "gen abc -c {model} --key {hostile}",
        "gen abc -c {hostile}",
        "gen abc --{hostile}",
        "gen abc --temp {hostile}",
        "gen {hostile}",
    ],
    "train": [
        "train abc {tune} {wrong} {garbage} --max-updates 1 --set hidden=8 --set layers=1 --name {hostile}",
        "train abc {tune} --max-updates 1 --set hidden=8 --set layers=1 --name {hostile}2 --json",
        "train abc {empty}",
        "train abc {tune} --set {hostile}={hostile}",
        "train abc {tune} -O text={hostile}",
        "train abc {tune} --preset {hostile}",
        "train text {words} --name a/{hostile}",
    ],
    "eval": [
        "eval abc {tune} {wrong} -c {model}",
        "eval abc {tune} -c {model} --json",
        "eval abc {tune} -c {model} --generated 1 --device cpu",
        "eval abc {hostile} -c {model}",
    ],
    "presets": ["presets {hostile}"],
    "check": ["check {tune} {wrong}", "check {wrong} --json", "check {garbage}"],
    "originality": [
        "originality {tune} --corpus {tune}",
        "originality {tune} --corpus {tune} --json",
        "originality {tune} -c {model}",
    ],
    "convert": [
        "convert {tune} --to abc",
        "convert {tune} -o {folder}/{hostile}/ --to midi",
        "convert {garbage} --to midi -o {folder}/new.mid",
        "convert {tune} --to {hostile}",
    ],
    "harmonize": ["harmonize {tune} --style chords -o {folder}/{hostile}.abc", "harmonize {tune} --style {hostile}"],
    "replay": ["replay {generated}", "replay {tune}"],
    "show": [
        "show {tune}",
        "show {tune} --surprise -c {model}",
        "show {generated} --provenance",
        "show {model}",
        "show {words}",
        "show {garbage}",
        "show {hostile}",
    ],
    "plugins": ["plugins", "plugins {hostile}", "plugins check {hostile}", "plugins new {hostile} --kind model"],
    "completions": ["completions {hostile}"],
    "similar": ["similar {tune} --corpus {words}", "similar {hostile}"],
    "map": ["map {tune} -o {folder}/{hostile}.svg", "map {tune} -o {hostile}"],
    "play": ["play {tune} -o {folder}/{hostile}.wav", "play {hostile}", "play {tune} --soundfont {hostile}"],
    "jam": ["jam {hostile}"],
    "open": [
        "open {tune} -o {folder}/{hostile}.html",
        "open {hostile}",
        "open {garbage} {wrong}",
        "open {tune} -o {hostile}",
    ],
    "models": ["models", "models info {hostile}", "models use {hostile}", "models import {garbage}"],
    "config": ["config get {hostile}", "config set {hostile} {hostile}"],
    "help": ["help {hostile}"],
    "version": ["version {hostile}"],
}
"""Command lines that quote what is hostile, by command."""

DATA = ("gen", "convert", "replay", "harmonize")
"""Command lines whose stdout is music or text of the model, which stays as it is in a pipe."""

OURS = re.compile(r"\x1b\[(?!7;5m)[\d;]*[mK]|\x1b\[\d*A|\x1b\[2K|\x1b\[\?25[hl]|\r(?!A)")
"""What the program itself sends to a terminal: colors, and what draws a line again."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def text_model():
    """An untrained model whose vocabulary is hostile."""
    representation = registry.representation("text")()
    representation.restore({"characters": "".join(sorted(set(HOSTILE)))})
    model = registry.model("lstm")
    config = model.Config(hidden=8, layers=1)
    torch.manual_seed(1)
    weights = {name: tensor.numpy() for name, tensor in model.network(representation.spec, config).state_dict().items()}
    header = Header(
        "text", representation.version, {}, representation.state(), "lstm", asdict(config), representation.spec
    )
    return Checkpoint(header, weights)


@pytest.fixture(scope="module")
def hostile_files(checkpoint, tmp_path_factory):
    """Files whose names and contents are hostile, and a model whose card, record and vocabulary are."""
    folder = tmp_path_factory.mktemp("hostile")
    files = {name: folder / f"{name}{HOSTILE}.abc" for name in ("tune", "wrong", "garbage", "generated")}
    files["words"] = folder / f"words{HOSTILE}.txt"
    files |= {name: folder / f"{name}{HOSTILE}" for name in ("folder", "empty")}
    tune = f'X:1\nT:T{HOSTILE}\nM:4/4\nL:1/8\nK:G\n"{HOSTILE}"GABc dedB|GABc dedB|GABc dedB|GABc dedB|\nw:{HOSTILE}\n'
    files["tune"].write_text(tune, newline="")
    files["wrong"].write_text(tune.replace("GABc", f"G{HOSTILE}").replace("M:4/4", f"M:{HOSTILE}"), newline="")
    files["garbage"].write_text(f"{HOSTILE}", newline="")
    files["words"].write_text(f"some {HOSTILE} words\n", newline="")
    files["empty"].mkdir()
    facts = {"representation": "abc", "model": HOSTILE, "device": "cpu", "format": "abc", "seed": 1, "batch_size": 1}
    made_by = provenance.Provenance("1.0", {**facts, "plugins": {HOSTILE: HOSTILE}})
    files["generated"].write_bytes(provenance.mark("abc", b"X:1\nK:C\nGABc|\n", made_by))
    files["model"] = folder / f"model{HOSTILE}.safetensors"
    saved = load(checkpoint, half=True)
    record = {
        "data": [HOSTILE], "pieces": {"train": 1, HOSTILE: 1}, "update": 1, "seconds": 1.0, "device": HOSTILE,
        "precision": HOSTILE, "reason": HOSTILE, "settings": {HOSTILE: HOSTILE}, "reported": 1.0, "unit": HOSTILE,
    }  # fmt: skip
    header = replace(saved.header, record=record, program=HOSTILE)
    save(files["model"], Checkpoint(header, saved.weights))
    files["model"].with_suffix(".md").write_text(f"{HOSTILE}\n", newline="")
    files["writer"] = folder / "writer.safetensors"
    save(files["writer"], text_model())
    return {**files, "hostile": HOSTILE}


@pytest.fixture
def files(hostile_files):
    """The same, and the model among the user's own, under its name."""
    models_folder().mkdir(parents=True)
    for file in (hostile_files["model"], hostile_files["model"].with_suffix(".md")):
        (models_folder() / file.name).write_bytes(file.read_bytes())
    return hostile_files


def test_all_commands_are_tried():
    assert COMMAND_LINES.keys() - {""} == COMMANDS.keys()


@pytest.mark.parametrize("line", [line for lines in COMMAND_LINES.values() for line in lines])
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_no_control_characters(composer, files, line, terminal):
    done = composer(*(word.format(**files) for word in line.split()), terminal=terminal)
    is_data = line.startswith(DATA) and not terminal
    printed = done.err if is_data else done.err + done.out
    assert not CONTROL.findall(OURS.sub("", printed) if terminal else printed)
    assert "internal error" not in done.err
    assert is_data or re.search(r"owned|\\(x1b|x9b|u202e)", printed), "the line quotes nothing hostile"


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_music_in_a_pipe_stays_as_it_is(composer, files, terminal):
    line = ("gen", "text", "-c", files["writer"], "--count", "9", "--seed", "1")
    raw, shown = composer(*line).data, composer(*line, terminal=terminal).data
    assert CONTROL.search(raw.decode())
    assert shown == (escape_bytes(raw) if terminal else raw)


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_what_plugins_print_and_raise(composer, monkeypatch, terminal):
    def broken(name):
        print(HOSTILE)
        sys.stderr.write(HOSTILE)
        sys.stdout.buffer.write(HOSTILE.encode())
        raise ZeroDivisionError(HOSTILE)

    monkeypatch.setattr("composer.registry.plugins.representation", broken)
    done = composer("gen", "abc", "--debug", terminal=terminal)
    assert done.err.count(r"\x1b]0;owned\x07") == 5  # the traceback ends with the error as well
    assert not CONTROL.findall(OURS.sub("", done.err) if terminal else done.err)


def test_what_libraries_print_during_training(stream):
    errors = stream(terminal=True)
    console = Console(stream(), stream(), errors, {"TERM": "xterm", "COLORTERM": "truecolor"})
    with LiveReporter(console, TrainingStatus()) as reporter:
        print(HOSTILE, file=sys.stderr)
        reporter.print_text(HOSTILE)
    printed = errors.data.decode()
    assert printed.count(r"\x1b]0;owned\x07") == 2
    assert not CONTROL.findall(OURS.sub("", printed))


def test_environment(composer, monkeypatch):
    monkeypatch.setenv("COMPOSER_DEVICE", HOSTILE)
    done = composer("gen", "abc", COMPOSER_DEVICE=HOSTILE)
    assert r"\x1b]0;owned" in done.err
    assert not CONTROL.findall(done.err)
