"""The bundled models and their cards."""

import re
import shlex
from pathlib import Path

import pytest

from composer.api import GenerationContext, Source
from composer.api.sampling.params import SamplingParams
from composer.check.examine import examine
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import store
from composer.checkpoints.default_temperature import default_temperature
from composer.checkpoints.file import read_header
from composer.checkpoints.load import load_model
from composer.generation.generate import generate
from composer.generation.request import Generated, GenerationRequest
from composer.registry import options
from composer.registry import plugins as registry
from composer.registry.options import as_option_value
from composer.training.settings import Settings

PRETRAINED = sorted(store.PRETRAINED.glob("*.safetensors"))
FLAGS = {
    "epochs": "--epochs",
    "max_updates": "--max-updates",
    "batch_size": "--batch-size",
    "lr": "--lr",
    "seed": "--seed",
}


def fenced(card, heading):
    """Return the fenced blocks of the section with that heading."""
    section = re.split(r"^## ", card, flags=re.MULTILINE)
    (own,) = (text for text in section if text.startswith(heading))
    return re.findall(r"^```\w*\n(.*?)^```$", own, re.MULTILINE | re.DOTALL)


def commands(card, heading):
    """Return the commands of that section, split into words."""
    text = "".join(fenced(card, heading)).replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines()]


def non_defaults(kind, values):
    """Return the fields that differ from their defaults, as text."""
    text, default = options.restore(kind, values, "it"), kind()
    return {key: as_option_value(getattr(text, key)) for key in values if getattr(text, key) != getattr(default, key)}


@pytest.mark.parametrize("representation", ["abc", "grid", "pianoroll", "text"])
def test_bundled_model_exists(representation):
    assert store.bundled(representation) in PRETRAINED


@pytest.mark.parametrize("path", PRETRAINED, ids=lambda path: path.stem)
class TestCard:
    @pytest.fixture
    def header(self, path):
        return read_header(path)

    @pytest.fixture
    def card(self, path):
        return path.with_suffix(".md").read_text("utf-8")

    def test_card_belongs_to_the_model(self, path, header, card):
        assert path.stem == header.representation or path.stem not in registry.plugin_names()
        digest = checkpoint_file.digest(path)[:16]
        assert f"SHA-256 `{digest}`" in card, "rebuild the cards with tests/bench/cards"
        default = default_temperature(header.record)
        assert f"| Sampling | temperature {default:g} by default" in card

    def test_training_data(self, header, card):
        pieces = header.record["pieces"]
        assert re.search(
            rf"{pieces['train']:,} for training( in all keys that fit)?, {pieces['valid']:,} held out", card
        )
        for reason, count in header.record["refused"].items():
            assert count < max(header.record["refused"].values()) or f"{reason}: {count:,}" in card
        rows = re.findall(r"^\| (\w+) \| (.+) \|$", card, re.MULTILINE)
        assert {"Representation", "Model", "File", "Data", "Rights", "Pieces", "Likelihood", "Training"} <= dict(
            rows
        ).keys()
        for names in header.spec.conditions.values():
            assert ", ".join(names) in dict(rows)["Conditions"]

    def test_figures_match_the_record(self, header, card):
        record = header.record
        assert record["finished"]
        assert f"{record['reported']:.3f}" in re.search(r"^\| Likelihood \|.*", card, re.MULTILINE)[0]
        assert record["unit"] in card
        training = re.search(r"^\| Training \|.*", card, re.MULTILINE)[0]
        assert f"{record['updates']:,} updates with {record['settings']['batch_size']} x " in training
        assert record["best_update"] == record["updates"] or f"{record['best_update']:,}" in training

    def test_training_commands_set_all_non_defaults(self, path, header, card):
        record, train_commands = header.record, commands(card, "Train it again")
        assert all(command[:3] == ["composer", "train", header.representation] for command in train_commands)
        assert train_commands[-1][-2:] == ["--name", f"my-{path.stem}"]
        assert set(record["data"]) <= set(train_commands[-1])
        assert ("--augment" in train_commands[-1]) == record["augmented"]
        assert ("--from" in train_commands[-1]) == bool(record["from"]) == (len(train_commands) > 1)
        parts = {part for command in train_commands for part in command}
        for key, value in non_defaults(registry.representation(header.representation).Options, header.options).items():
            assert f"{key}={value}" in parts
        for key, value in non_defaults(registry.model(header.model).Config, header.config).items():
            assert f"{key}={value}" in parts
        for key, value in non_defaults(Settings, record["settings"]).items():
            if key in FLAGS:
                assert train_commands[-1][train_commands[-1].index(FLAGS[key]) + 1] == value
            else:
                assert f"{key}={value}" in train_commands[-1]

    def test_evaluation_commands(self, path, header, card):
        likelihood, comparison = commands(card, "Reproduce these figures")
        for command in (likelihood, comparison):
            assert command[:3] == ["composer", "eval", header.representation]
            assert command[command.index("--checkpoint") + 1] == path.stem
        assert set(header.record["data"]) <= set(comparison)
        generated, temp = comparison[comparison.index("--generated") + 1], default_temperature(header.record)
        assert re.search(rf"^{generated} pieces, generated with seed 1 at\s+temperature {temp:g},", card, re.MULTILINE)

    def test_default_temperature(self, header, card):
        temp = header.record.get("default_temp")
        assert (f"| Sampling | temperature {temp} by default" in card) == (temp is not None)
        assert ("--default-temp" in commands(card, "Train it again")[-1]) == (temp is not None)

    def test_five_different_pieces(self, path, card):
        pieces = fenced(card, "Five pieces")
        assert len(set(pieces)) == len(pieces) == 5
        if path.stem in {"abc", "grid"}:
            for piece in pieces:
                assert examine(Source(Path("tune.abc"), data=piece.encode())).problems == ()

    def test_line_lengths_and_paths(self, card):
        text, _, _ = card.partition("## Five pieces")
        assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 120
        assert not re.search(r"(^|[\s`])(/|~/|\.\./)\w", text), "a path on some machine"


@pytest.mark.parametrize("path", PRETRAINED, ids=lambda path: path.stem)
class TestModel:
    def test_size(self, path):
        assert path.stat().st_size <= 10_000_000

    def test_generates_complete_pieces(self, path):
        player = load_model(path)
        plans = player.representation.plans(None, GenerationContext())
        constraint = player.representation.constraint(
            None, GenerationContext(plan=max(plans, key=plans.__getitem__, default=None))
        )
        music = "midi" in player.representation.formats
        count = 8 if music else 4
        request = GenerationRequest(
            length=player.representation.length, count=count, seed=1, sampling=SamplingParams(0.8)
        )
        pieces = {}
        for event in generate(player.sampler, player.spec, request, constraint):
            if isinstance(event, Generated):
                pieces.setdefault(event.number, []).extend(event.steps)
        assert len(pieces) == count
        finished = [steps for steps in pieces.values() if player.spec.end in {steps[-1], None}]
        assert len(finished) >= (7 if music else 2), "poems may be long"
        decoded = [player.representation.decode(steps) for steps in finished]
        scores = [player.representation.score(piece) for piece in decoded]
        assert all(
            len(score.notes) > 8 if music else len(piece.content) > 40
            for piece, score in zip(decoded, scores, strict=True)
        )
        assert len({piece.content for piece in decoded}) == len(decoded)
