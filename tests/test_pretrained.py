"""The models that come with the program: small, playable, and as their cards say."""

import re
import shlex
from pathlib import Path

import pytest

from composer.api import Source
from composer.check.examine import examine
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import store
from composer.checkpoints.file import read_header
from composer.checkpoints.load import load_model
from composer.cli.render.text import as_option_value
from composer.generation.generate import Drew, Request, generate
from composer.registry import options
from composer.registry import plugins as registry
from composer.training.optimizer import Settings

PRETRAINED = sorted(store.PRETRAINED.glob("*.safetensors"))
FLAGS = {
    "epochs": "--epochs",
    "max_updates": "--max-updates",
    "batch_size": "--batch-size",
    "lr": "--lr",
    "seed": "--seed",
}


def fenced(card, heading):
    """The fenced blocks of the section of that heading."""
    section = re.split(r"^## ", card, flags=re.MULTILINE)
    (own,) = (text for text in section if text.startswith(heading))
    return re.findall(r"^```\w*\n(.*?)^```$", own, re.MULTILINE | re.DOTALL)


def commands(card, heading):
    """The commands of that section, each as its parts."""
    text = "".join(fenced(card, heading)).replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines()]


def changed(kind, values):
    """The fields that are not as they are by default, in words."""
    told, default = options.restore(kind, values, "it"), kind()
    return {key: as_option_value(getattr(told, key)) for key in values if getattr(told, key) != getattr(default, key)}


@pytest.mark.parametrize("representation", ["abc", "grid", "pianoroll", "text"])
def test_there_is_a_model(representation):
    assert store.bundled(representation) in PRETRAINED


@pytest.mark.parametrize("path", PRETRAINED, ids=lambda path: path.stem)
class TestCard:
    @pytest.fixture
    def header(self, path):
        return read_header(path)

    @pytest.fixture
    def card(self, path):
        return path.with_suffix(".md").read_text("utf-8")

    def test_it_is_that_of_this_model(self, path, header, card):
        assert header.representation == path.stem
        digest = checkpoint_file.digest(path)[:16]
        assert f"SHA-256 `{digest}`" in card, "write the cards anew: tests/bench/cards.py"

    def test_it_tells_what_the_model_was_taught(self, header, card):
        pieces = header.record["pieces"]
        assert f"{pieces['train']:,} were learnt from" in card
        assert f"{pieces['valid']:,} were held back" in card
        for reason, count in header.record["refused"].items():
            assert count < max(header.record["refused"].values()) or f"{reason} {count:,}" in card
        rows = re.findall(r"^\| (\w+) \| (.+) \|$", card, re.MULTILINE)
        assert {"Composes", "Model", "File", "Data", "Terms", "Pieces", "Quality", "Training"} <= dict(rows).keys()
        for names in header.spec.conditions.values():
            assert ", ".join(names) in dict(rows)["Conditions"]

    def test_its_figures_are_those_of_the_record(self, header, card):
        record = header.record
        assert record["finished"]
        assert f"{record['reported']:.3f}" in re.search(r"^\| Quality \|.*", card, re.MULTILINE)[0]
        assert record["unit"] in card
        training = re.search(r"^\| Training \|.*", card, re.MULTILINE)[0]
        assert f"{record['updates']:,} steps of {record['settings']['batch_size']} rows" in training
        assert record["best_update"] == record["updates"] or f"{record['best_update']:,}" in training

    def test_the_commands_that_make_it_again_name_all_that_is_no_default(self, header, card):
        record, made = header.record, commands(card, "To make it again")
        assert all(command[:3] == ["composer", "train", header.representation] for command in made)
        assert made[-1][-2:] == ["--name", header.representation]
        assert set(record["data"]) <= set(made[-1])
        assert ("--augment" in made[-1]) == record["augmented"]
        assert ("--from" in made[-1]) == bool(record["from"]) == (len(made) > 1)
        parts = {part for command in made for part in command}
        for key, value in changed(registry.representation(header.representation).Options, header.options).items():
            assert f"{key}={value}" in parts
        for key, value in changed(registry.model(header.model).Config, header.config).items():
            assert f"{key}={value}" in parts
        for key, value in changed(Settings, record["settings"]).items():
            if key in FLAGS:
                assert made[-1][made[-1].index(FLAGS[key]) + 1] == value
            else:
                assert f"{key}={value}" in made[-1]

    def test_the_commands_that_give_its_figures_again(self, header, card):
        costs, beside = commands(card, "To get these figures again")
        for command in (costs, beside):
            assert command[:3] == ["composer", "eval", header.representation]
            assert command[command.index("--checkpoint") + 1] == header.representation
        assert set(header.record["data"]) <= set(beside)
        composed = beside[beside.index("--generated") + 1]
        assert re.search(rf"^{composed} pieces, composed with seed 1 at\s+temperature 1,", card, re.MULTILINE)

    def test_it_has_five_pieces_that_differ(self, path, card):
        pieces = fenced(card, "Five pieces, unselected")
        assert len(set(pieces)) == len(pieces) == 5
        if path.stem in {"abc", "grid"}:
            for piece in pieces:
                assert examine(Source(Path("tune.abc"), data=piece.encode())).problems == ()

    def test_it_is_a_good_read_and_names_no_place(self, card):
        told, _, _ = card.partition("## Five pieces")
        assert max(len(line) for line in told.splitlines() if not line.startswith("|")) <= 120
        assert not re.search(r"(^|[\s`])(/|~/|\.\./)\w", told), "a folder of somebody's machine"


@pytest.mark.parametrize("path", PRETRAINED, ids=lambda path: path.stem)
class TestModel:
    def test_it_is_small(self, path):
        assert path.stat().st_size <= 10_000_000

    def test_it_composes_pieces_that_come_to_an_end_and_are_something(self, path):
        player = load_model(path)
        constraint = player.representation.constraint()
        request = Request(length=player.representation.length, count=8, seed=1, temperature=0.8)
        pieces = {}
        for event in generate(player.sampler, player.spec, request, constraint):
            if isinstance(event, Drew):
                pieces.setdefault(event.number, []).extend(event.steps)
        assert len(pieces) == 8
        ended = [steps for steps in pieces.values() if player.spec.end in {steps[-1], None}]
        assert len(ended) >= (7 if "midi" in player.representation.formats else 4), "a poem may be long"
        found = [player.representation.decode(steps) for steps in ended]
        scores = [player.representation.score(piece) for piece in found]
        music = "midi" in player.representation.formats
        assert all(
            len(score.notes) > 8 if music else len(piece.content) > 40
            for piece, score in zip(found, scores, strict=True)
        )
        assert len({piece.content for piece in found}) == len(found)
