"""Every representation with every model, and as a primer for every other."""

import json

import pytest

from composer.api import Piece, Source, StepKind
from composer.checkpoints import store
from composer.cli.inputs import playable_scores
from composer.cli.output.encoders import encode_piece
from composer.formats import format_named
from composer.formats.midi.reader import read_midi
from composer.registry import plugins as registry

SONGS = "Row, row, row your boat\ngently down the stream\n\n\nMerrily, merrily, merrily,\nlife is but a dream\n"
BUILT_IN = [loaded for loaded in registry.load_all() if loaded.plugin.distribution.startswith("composer-cli ")]
REPRESENTATIONS = [loaded.representation for loaded in BUILT_IN if loaded.representation]
MODELS = [loaded.model for loaded in BUILT_IN if loaded.model]
MUSIC = [kind for kind in REPRESENTATIONS if "midi" in kind.formats]
SMALL = {
    "attn-lstm": ("--set", "hidden=8", "--set", "embedding=8", "--set", "window=16"),
    "lstm": ("--set", "hidden=8", "--set", "embedding=8"),
    "markov": ("--set", "batch_size=1", "--set", "seq_length=2"),
    "rnnrbm": ("--set", "hidden=8", "--set", "recurrent=8", "--set", "pretraining=1"),
}
"""Settings that make training fast."""
ONE = ("--candidates", "1")
"""Pieces as they are generated, instead of the best of a few."""


def suffix(kind, name=None):
    return format_named(name or kind.formats[0]).suffixes[0]


@pytest.fixture(scope="module")
def data(tune_file, tmp_path_factory):
    """Return the training data of a representation: tunes or songs."""
    songs = tmp_path_factory.mktemp("songs") / "songs.txt"
    songs.write_text(SONGS)
    return lambda kind: tune_file if kind in MUSIC else songs


@pytest.fixture
def train(composer, data):
    """Train a model briefly."""

    def train(kind, model, *arguments):
        return composer("train", kind.name, data(kind), "--model", model.name, "--name", "pair", *arguments)

    return train


@pytest.fixture(scope="module")
def models():
    """Trained models, by the names of their representations."""
    return {}


@pytest.fixture
def trained(models, train):
    """Install the model `pair` of a representation."""

    def trained(kind):
        if kind.name not in models:
            model = next(model for model in MODELS if model.name == "lstm")
            assert train(kind, model, *SMALL[model.name], "--max-updates", "20").code == 0
            models[kind.name] = store.path_for("pair").read_bytes()
        store.path_for("pair").parent.mkdir(parents=True, exist_ok=True)
        store.path_for("pair").write_bytes(models[kind.name])

    return trained


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("kind", REPRESENTATIONS, ids=lambda kind: kind.name)
def test_pair_trains_resumes_evaluates_and_generates(composer, data, train, tmp_path, kind, model):
    first = train(kind, model, *SMALL[model.name], "--max-updates", "20")
    if kind.kind not in model.accepts:
        first.failed(f"model `{model.name}`", f"`{kind.name}`", "--model")
        return
    assert first.code == 0, first.err
    second = train(kind, model, "--max-updates", "25", "--resume")
    assert second.code == 0, second.err
    assert "after 25 updates" in second.err
    report = json.loads(composer("eval", kind.name, data(kind), "--checkpoint", "pair", "--json").out)
    assert 0 < report["value"] < 1000
    assert report["steps"] > 0
    for name in kind.formats:
        output = tmp_path / f"piece{suffix(kind, name)}"
        options = () if name == kind.native else ("--temp", "1.5")
        short = ("--length", "48") if kind.kind is StepKind.FRAMES else ()  # token models end pieces themselves
        result = composer(
            "gen", kind.name, "--checkpoint", "pair", "--seed", "3", "--output", output, *options, *short, *ONE
        )
        assert result.code == 0, result.err
        assert output.stat().st_size > 0
        assert composer("show", output).code == 0


@pytest.mark.parametrize("other", MUSIC, ids=lambda kind: kind.name)
@pytest.mark.parametrize("kind", MUSIC, ids=lambda kind: kind.name)
def test_every_representation_primes_every_other(composer, trained, tunes, tmp_path, kind, other):
    """Primers in every format of the other representation."""
    trained(kind)
    representation = other()
    pieces = [item for item in representation.read(Source(tunes)) if isinstance(item, Piece)]
    representation.fit(pieces)
    for name in other.formats:
        primer = tmp_path / f"opening{suffix(other, name)}"
        primer.write_bytes(encode_piece(representation, representation.encode(pieces[0]), name))
        arguments = ("--prime", primer, "--seed", "1", "--length", "300", "--format", "midi", *ONE)
        result = composer("gen", kind.name, "--checkpoint", "pair", *arguments)
        assert result.code == 0, (primer, result.err)
        if name != "tokens":  # recognized only by suffix
            renamed = primer.rename(tmp_path / "opening.txt")
            for options in ({"stdin": renamed.read_bytes(), "file": "-"}, {"file": renamed}):
                same = composer(
                    "gen", kind.name, "--checkpoint", "pair", "--prime", options.pop("file"), *arguments[2:], **options
                )
                assert same.data == result.data, "the format must be detected from the content, not from the name"
        generated = notes(read_midi(result.data, "composed"))
        primer_score = next(playable_scores(Source(primer if primer.exists() else renamed)))
        assert generated[:20] == notes(primer_score)[:20], "the piece must begin with the primer"


def notes(score):
    """Return the onsets and pitches of all notes."""
    return [(note.onset, note.pitch) for note in score.notes]
