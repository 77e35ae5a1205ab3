"""`gen` with a model that knows its positions: plans, controls, replay, ranking and several pieces."""

import dataclasses
import re

import pytest
import torch

from composer.api.testing import source
from composer.checkpoints.file import Checkpoint, Header, save
from composer.formats.abc.provenance import is_provenance
from composer.registry import plugins as registry

MELODIES = "60 _ _ _ 62 _ _ _ " * 4 + "\n" + "67 _ 65 _ " * 12 + "\n" + "64 _ _ _ r _ 62 _ " * 8 + "\n"
TUNES = "X:1\nM:3/4\nL:1/8\nK:G\n|:G2A2B2|c6:|\n|:d6|c6|B6|G6:|\n\nX:2\nM:4/4\nL:1/8\nK:D\nd4 e4|f8|]\n"


MODELS = [("grid", MELODIES, "m.tokens"), ("abc", TUNES, "t.abc"), ("pianoroll", TUNES, "t.abc")]


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: model[0])
def planned(request, tmp_path_factory):
    """A representation with positions, and an untrained model for it, which only the plan holds together."""
    name, text, file = request.param
    kind = registry.representation(name)
    representation = kind(kind.Options(positions=True))
    representation.fit(list(representation.read(source(text, file))))
    model = registry.model("lstm")
    config = dataclasses.replace(model.Config(), hidden=12, layers=1, embedding=8, position=4)
    torch.manual_seed(1)
    network = model.network(representation.spec, config)
    weights = {key: tensor.numpy().astype("float16") for key, tensor in network.state_dict().items()}
    options, settings = dataclasses.asdict(representation.options), dataclasses.asdict(config)
    header = Header(name, 1, options, representation.state(), "lstm", settings, representation.spec)
    path = tmp_path_factory.mktemp("planned") / "planned.safetensors"
    save(path, Checkpoint(header, weights))
    return representation, path


def plan_of(representation, path):
    """Return the plan of a generated file: bars by part, or the meter and the number of bars."""
    text = path.read_text()
    if representation.name == "abc":
        (piece,) = representation.read(source(text, path.name))
        return representation.plan(piece)
    voices = len({*re.findall(r"V:(\w+)", text)}) or 1
    return re.search("^M:(.*)", text, re.MULTILINE)[1], text.count("|") // voices


def test_each_piece_keeps_to_a_plan_and_is_reproduced(composer, planned, tmp_path):
    representation, path = planned
    gen = ("gen", representation.name, "-c", path, "--seed", "3", "--no-provenance", "-q")
    assert composer(*gen, "-n", "6", "-o", tmp_path / "%d.abc").code == 0
    found = {plan_of(representation, each) for each in tmp_path.glob("*.abc")}
    plans = representation.training_plans
    pairs = {(plan.split(",")[0], int(plan.split(",")[1])) for plan in plans if "/" in plan}
    wanted = set(plans) if representation.name == "abc" else pairs
    assert len(found) > 1
    assert found <= wanted
    alone = ("gen", representation.name, "-c", path, "--seed", "6", "-q", "-o", tmp_path / "alone.abc")
    assert composer(*alone, "--batch-size", "6").code == 0
    assert composer("replay", tmp_path / "alone.abc", "--checkpoint", path).err.endswith("reproduced exactly\n")
    music = [line for line in (tmp_path / "alone.abc").read_text().splitlines() if not is_provenance(line)]
    assert music == (tmp_path / "4.abc").read_text().splitlines()


def test_bars_decide_the_plan(composer, planned, tmp_path):
    representation, path = planned
    gen = ("gen", representation.name, "-c", path, "--seed", "1", "-q", "--bars", "6", "-o", tmp_path / "a.abc")
    assert composer(*gen).code == 0
    assert (
        plan_of(representation, tmp_path / "a.abc")
        == {"abc": "2,4", "grid": ("4/4", 6), "pianoroll": ("3/4", 6)}[representation.name]
    )
    assert composer("replay", tmp_path / "a.abc", "--checkpoint", path).err.endswith("reproduced exactly\n")


def test_candidates_are_ranked_by_likelihood(composer, planned, tmp_path):
    representation, path = planned
    result = composer(
        "gen", representation.name, "-c", path, "--seed", "1", "--candidates", "3", "-o", tmp_path / "a.abc",
        "--rank-by", "likelihood",
    )  # fmt: skip
    assert result.code == 0
    assert "best 1 of 3 by likelihood" in result.err


def test_unconstrained_is_refused(composer, planned):
    representation, path = planned
    result = composer("gen", representation.name, "-c", path, "--unconstrained")
    assert "--unconstrained does not work with this model" in result.err


def test_a_model_without_positions_is_refused_before_any_file_is_read(composer, monkeypatch):
    monkeypatch.setattr(type(registry.model("lstm")), "positional", False)
    result = composer("train", "grid", "nowhere.mid", "-O", "positions=on", "--model", "lstm")
    assert result.code != 0
    assert "model `lstm` takes no position features, but `grid` has them" in result.err


@pytest.mark.parametrize("planned", MODELS[2:], ids=["pianoroll"], indirect=True)
def test_passages_return_unless_they_are_not_wanted(composer, planned, tmp_path):
    representation, path = planned
    gen = ("gen", "pianoroll", "-c", path, "--bars", "12", "--seed", "1", "-n", "3", "-q", "-o")

    def frames(name):
        (piece,) = representation.read(source((tmp_path / name).read_bytes(), name))
        return representation.prime(piece)

    assert composer(*gen, tmp_path / "%d.mid").code == 0
    assert composer(*gen, tmp_path / "free%d.mid", "--returns", "none").code == 0
    for number in range(1, 4):
        passages = [frames(f"{number}.mid")[first : first + 24] for first in (0, 24)]
        assert passages[0] == passages[1], "the first two bars, again as bars 3 and 4"
        again = [frames(f"{number}.mid")[first : first + 24] for first in (48, 96)]
        assert again[0] == again[1], "bars 5 and 6 as bars 9 and 10, but not the last two"
        free = frames(f"free{number}.mid")
        assert free[:24] != free[24:48]
    for name in ("2.mid", "free2.mid"):
        assert composer("replay", tmp_path / name, "--checkpoint", path).err.endswith("reproduced exactly\n")
