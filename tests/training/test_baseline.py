"""The baseline of a training run: a Markov chain of the same training data, which the checkpoint keeps."""

import math
from dataclasses import replace

import numpy as np
import pytest

from composer.checkpoints.baseline import baseline_of
from composer.checkpoints.file import load
from composer.checkpoints.training_melodies import pack_melodies, training_melodies
from composer.data.dataset import prepare
from composer.data.splits import SplitSettings
from composer.formats.abc.reader.score import read_score
from composer.music.contour import MelodyCollector, contour
from composer.training import baseline
from composer.training.baseline import fit_baseline


def test_a_trained_model_keeps_the_counts_of_its_training_data(run, events):
    events(run)
    found = baseline_of(load(run.path))
    assert found.name == "markov order 4"
    assert found.weights["counts"].sum() == run.data.splits["train"].count


def test_fine_tuning_adds_to_the_counts_of_the_origin(run, letters, tmp_path, events):
    events(run)
    (tmp_path / "new.txt").write_text("abcabc bcabca cabcab")
    data = prepare(letters, [str(tmp_path / "new.txt")], SplitSettings(valid=0), fitted=run.data.spec)
    tuned = replace(run, path=tmp_path / "tuned.safetensors", origin=load(run.path), data=data)
    events(tuned)
    both = run.data.splits["train"].count + data.splits["train"].count
    assert baseline_of(load(tuned.path)).weights["counts"].sum() == both


def test_a_resumed_fine_tuning_keeps_what_its_origin_was_trained_on(run, tmp_path, events):
    """A resumed run does not load the origin again."""
    events(run)
    collector = MelodyCollector()
    collector.append("Over the Fence", "tunes.abc", contour(read_score("X:1\nM:4/4\nL:1/4\nK:G\nGABc|dBGG|")))
    origin = load(run.path)
    origin = replace(origin, extra={**origin.extra, **pack_melodies(collector.melodies().to_bytes())})
    tuned = replace(run, path=tmp_path / "tuned.safetensors", origin=origin)
    events(replace(tuned, stop=lambda: True))
    first = load(tuned.path).extra
    events(replace(tuned, resume=True, origin=None))
    last = load(tuned.path).extra
    assert {name: array.tobytes() for name, array in last.items()} == {n: a.tobytes() for n, a in first.items()}
    assert [tune.title for tune in training_melodies(load(tuned.path).extra, "tuned").tunes] == ["Over the Fence"]
    assert baseline_of(load(tuned.path)).weights["counts"].sum() == 2 * run.data.splits["train"].count


def test_counts_that_are_too_large_are_those_of_a_lower_order(run, monkeypatch):
    largest = fit_baseline(run.data)
    monkeypatch.setattr(baseline, "MAX_BYTES", 200)
    smaller = fit_baseline(run.data)
    assert smaller.config["order"] < largest.config["order"]
    assert len(smaller.weights["ngrams"]) < len(largest.weights["ngrams"])


@pytest.mark.parametrize("share", [2, 4])
def test_of_much_data_only_some_windows_are_counted(run, monkeypatch, share):
    count = run.data.splits["train"].count
    monkeypatch.setattr(baseline, "MAX_STEPS", math.ceil(count / share))
    monkeypatch.setattr(baseline, "SEQ_LENGTH", 4)
    monkeypatch.setattr(baseline, "BATCH_SIZE", 2)
    assert 0 < int(np.sum(fit_baseline(run.data).weights["counts"])) <= count // share + 8
