"""The package composer-transformer, installed with pip, with representations of others."""

import json

import pytest
from safetensors.numpy import load_file
from third_party.environments import in_two_processes

SMALL = [
    word
    for each in ("hidden=16", "heads=2", "layers=2", "window=24", "embedding=8", "seq_length=32", "batch_size=4")
    for word in ("--set", each)
]
SUFFIXES = {"abc": ".abc", "grid": ".mid", "pianoroll": ".mid", "text": ".txt"}
"""Every built-in representation, and the suffix of what it writes."""


@pytest.fixture(scope="module")
def transformers(session, tmp_path_factory):
    """The home of a transformer for each representation; `parts` is as `own-grid`, but was interrupted and resumed."""
    home = tmp_path_factory.mktemp("transformers")
    for number in range(8):
        bars = f"{'GABcdefg'[number]}2AB c2{'dcBA'[number % 4]}2|" * 3 + f"G{1 + number % 7}A{7 - number % 7}:|"
        (home / f"{number}.abc").write_text(f"X:{number}\nM:4/4\nL:1/8\nK:G\n|:{bars}\n")
        (home / f"{number}.txt").write_text(f"row {number} boats\n{'merrily, ' * number}\n" * 3)
    options = ["--model", "transformer", *SMALL, "--set", "schedule=constant", "--max-updates"]
    results = session(
        home,
        *(["train", kind, home, "--name", f"own-{kind}", *options, 8] for kind in SUFFIXES),
        ["train", "grid", home, "--name", "parts", *options, 5],
        ["train", "grid", "--name", "parts", "--resume", "--max-updates", 8],
        ["show", "3.abc", "--surprise", "--checkpoint", "own-abc"],
        ["eval", "pianoroll", home, "--checkpoint", "own-pianoroll", "--json"],
    )
    assert 0 < json.loads(results[-1].out)["value"] < 100
    return home


def test_resuming_a_transformer_gives_the_same_weights(transformers):
    whole, parts = (load_file(transformers / "models" / f"{name}.safetensors") for name in ("own-grid", "parts"))
    assert whole.keys() == parts.keys()
    assert all((whole[name] == parts[name]).all() for name in whole)


def test_transformers_generate_the_same_in_a_batch_and_in_a_replay(session, transformers):
    commands, same = [], []
    for kind, suffix in SUFFIXES.items():
        generate = ["gen", kind, "--checkpoint", f"own-{kind}", "--length", 60, "--seed"]
        batch, plain = ["--count", 4, "--batch-size", 4], ["--no-provenance", "--output"]
        commands += [
            [*generate, 1, *batch, *plain, f"{kind}-%d{suffix}"], [*generate, 3, *plain, f"{kind}-alone{suffix}"],
        ]  # fmt: skip
        same.append((f"{kind}-3{suffix}", f"{kind}-alone{suffix}"))
        if kind != "text":
            tune, again = f"{kind}{suffix}", f"{kind}-again{suffix}"
            commands += [[*generate, 1, "--output", tune], ["replay", tune, "--output", again], ["show", tune]]
            same.append((tune, again))
    session(transformers, *commands)
    for one, other in same:
        assert (transformers / one).read_bytes() == (transformers / other).read_bytes(), (one, other)


def test_two_packages_train_in_two_processes(python, session, performances, tmp_path):
    train = ["train", "performance", performances, "--model", "transformer", *SMALL, "--name", "both"]
    assert "done after 3 updates" in in_two_processes(python, tmp_path, *train, "--max-updates", 3).stderr
    session(tmp_path, ["gen", "performance", "--checkpoint", "both", "--length", 60, "--output", "both.mid"])
