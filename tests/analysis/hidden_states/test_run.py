"""Hidden states over pieces: the same however they are batched, and none for models without them."""

import numpy as np
import pytest

from composer.analysis.hidden_states import run
from composer.analysis.hidden_states.run import encode, hidden_states, load
from composer.api import Source, Unsupported
from composer.checkpoints.load import open_checkpoint
from composer.checkpoints.store import bundled


@pytest.fixture
def model(checkpoint):
    """The small model of tunes."""
    return load(checkpoint)


@pytest.fixture
def encoded(model, tune_file):
    """The four tunes, encoded."""
    return [encode(model, piece, labeled=True) for piece in model.representation.read(Source(tune_file))]


def test_pieces_side_by_side_and_in_windows_are_as_alone(model, encoded, monkeypatch):
    together = dict(hidden_states(model, encoded))
    assert [len(together[number]) for number in range(4)] == [len(piece.steps) for piece in encoded]
    monkeypatch.setattr(run, "WINDOW", 7)
    for number, piece in enumerate(encoded):
        [(_, alone)] = hidden_states(model, [piece])
        assert alone == pytest.approx(together[number], abs=1e-5)


def test_states_are_those_after_each_step(model, encoded):
    [(_, states)] = hidden_states(model, encoded[:1])
    changed = encoded[0].steps.copy()
    changed[10] = changed[10] % 5 + 1
    [(_, other)] = hidden_states(model, [encoded[0]._replace(steps=changed)])
    same = np.isclose(states, other, atol=1e-6).all(axis=1)
    assert same[:10].all()
    assert not same[10]


def test_progress_counts_all_steps(model, encoded):
    counts = []
    list(hidden_states(model, encoded, counts.append))
    assert counts[-1] == sum(len(piece.steps) for piece in encoded)


def test_model_of_frames(tmp_path):
    from composer.api import Note, Part, Score

    model = load(bundled("pianoroll"))
    piece = model.representation.from_score(Score((Part((Note(0, 60, 2), Note(2, 64, 2))),)))
    encoded = encode(model, piece, labeled=False)
    [(_, states)] = hidden_states(model, [encoded])
    assert states.shape == (len(encoded.steps), open_checkpoint(bundled("pianoroll")).config.hidden)
    assert np.abs(states[0] - states[-1]).max() > 0.1


def test_model_without_hidden_states(composer, tune_file, tmp_path):
    path = tmp_path / "chain.safetensors"
    trained = composer("train", "abc", tune_file, "--model", "markov", "--output", path, "-q")
    assert trained.code == 0, trained.err
    with pytest.raises(Unsupported, match="of type `markov`, which has no hidden states"):
        load(path)
