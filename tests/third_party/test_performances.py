"""The package composer-performance, installed with pip: performances are checked, trained on and generated."""

import json
from itertools import accumulate

import mido
import pytest

TINY = [
    word
    for each in ("hidden=16", "embedding=8", "layers=1", "seq_length=32", "batch_size=4")
    for word in ("--set", each)
]


@pytest.fixture(scope="module")
def trained(session, performances, tmp_path_factory):
    """The home of a model of performances, trained on variants too by a preset, interrupted and resumed."""
    home = tmp_path_factory.mktemp("performance")
    train = ["train", "performance", performances, "--name", "mine"]
    others = [*train[:3], *TINY, "--set", "window=8", "--max-updates", "4"]
    results = session(
        home,
        [*train, "--preset", "performance-rnn", *TINY, "--seed", "1", "--max-updates", "20"],
        [*train, "--resume", "--max-updates", "30"],
        [*others, "--name", "attn", "--model", "attn-lstm"],
        [*others, "--name", "transformer", "--model", "transformer", "--set", "heads=2"],
    )
    assert results[0].err.startswith(f"{6 * 7 * 5} pieces"), results[0].err
    assert "done after 30 updates" in results[1].err
    return home


def test_performances_pass_the_contract(session, performances):
    files = sorted(performances.glob("*.mid"))
    session(performances, ["plugins", "check", "performance", *files[:3]])


def test_performances_are_generated_and_replayed(session, trained, performances):
    generate = ["gen", "performance", "--checkpoint", "mine", "--length", "200"]
    session(
        trained,
        [*generate, "--seed", "5", "--output", "one.mid"],
        ["replay", "one.mid", "--output", "again.mid"],
        [*generate, "--seed", "5", "--count", "3", "--batch-size", "3", "--output", "%d.mid"],
        ["replay", "2.mid", "--output", "again2.mid"],
        [*generate, "--seed", "1", "--candidates", "3", "--output", "best.mid"],
        [*generate, "--prime", performances / "0.mid", "--duration", "12", "--max-notes", "2", "--output", "long.mid"],
        [*generate, "--seed", "1", "--checkpoint", "attn", "--duration", "4", "--tempo", "60", "--output", "attn.mid"],
        [*generate, "--seed", "1", "--checkpoint", "transformer", "--duration", "2", "--output", "transformer.mid"],
        ["show", "attn.mid"],
    )
    for name, other in (("one", "again"), ("2", "again2")):
        assert (trained / f"{name}.mid").read_bytes() == (trained / f"{other}.mid").read_bytes()
    for name, seconds in (("one", None), ("3", None), ("best", None), ("long", 12), ("attn", 4), ("transformer", 2)):
        check_timing(mido.MidiFile(trained / f"{name}.mid"), seconds)


def check_timing(file, seconds):
    """Every event is at a multiple of 8 ms, every note ends, and the last one at `seconds`."""
    times = list(accumulate(message.time for message in file))
    assert all(abs(125 * time - round(125 * time)) < 1e-6 for time in times)
    assert seconds is None or abs(times[-1] - seconds) < 1e-6
    sounding = set()
    for message in file:
        if message.type == "note_on":
            assert message.note not in sounding
            sounding.add(message.note)
        elif message.type == "note_off":
            sounding.remove(message.note)
    assert not sounding


def test_performances_are_evaluated_and_shown(session, trained, performances):
    likelihood, metrics, figures = session(
        trained,
        ["eval", "performance", performances, "--checkpoint", "mine", "--json"],
        ["eval", "performance", performances, "--checkpoint", "mine", "--generated", "2", "--json"],
        ["show", performances / "1.mid", "--surprise", "--checkpoint", "mine"],
    )
    assert 0 < json.loads(likelihood.out)["value"] < 10
    assert json.loads(metrics.out)
    assert "bits per step, model mine" in figures.out


def test_a_model_of_frames_is_refused(session, tmp_path, performances):
    train = ["train", "performance", performances, "--model", "rnnrbm", "--name", "no"]
    (refused,) = session(tmp_path, train, may_fail=True)
    assert refused.code == 1
    assert "model `rnnrbm` is for frames, but `performance` has tokens" in refused.err
