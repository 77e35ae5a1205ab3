"""Each representation with each model, and each kind of music as an opening of each other."""

import json

import pytest

from composer.api import Piece, Source, StepKind
from composer.cli.inputs import playable
from composer.cli.output.encoders import rendered
from composer.formats import format_named
from composer.formats.midi import reader as midi_reader
from composer.registry import plugins as registry

SONGS = "Row, row, row your boat\ngently down the stream\n\n\nMerrily, merrily, merrily,\nlife is but a dream\n"
OURS = [loaded for loaded in registry.load_all() if loaded.plugin.distribution.startswith("composer-cli ")]
REPRESENTATIONS = [loaded.representation for loaded in OURS if loaded.representation]
MODELS = [loaded.model for loaded in OURS if loaded.model]
MUSIC = [kind for kind in REPRESENTATIONS if "midi" in kind.formats]
SMALL = {
    "attn-lstm": ("--set", "hidden=8", "--set", "embedding=8", "--set", "window=16"),
    "lstm": ("--set", "hidden=8", "--set", "embedding=8"),
    "rnnrbm": ("--set", "hidden=8", "--set", "recurrent=8", "--set", "pretraining=1"),
}
"""Settings that make each model quick to train."""


def suffix(kind, name=None):
    return format_named(name or kind.formats[0]).suffixes[0]


@pytest.fixture
def data(tunes, tmp_path):
    """What `kind` learns from: tunes or songs."""
    songs = tmp_path / "songs.txt"
    songs.write_text(SONGS)
    return lambda kind: tunes if kind in MUSIC else songs


@pytest.fixture
def trained(composer, data):
    """Train `model` on `kind` for some steps."""

    def train(kind, model, *arguments):
        return composer("train", kind.name, data(kind), "--model", model.name, "--name", "pair", *arguments)

    return train


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("kind", REPRESENTATIONS, ids=lambda kind: kind.name)
def test_a_pair_trains_resumes_is_measured_and_plays_or_is_refused_at_once(
    composer, data, trained, tmp_path, kind, model
):
    first = trained(kind, model, *SMALL[model.name], "--max-updates", "20")
    if kind.kind not in model.accepts:
        first.failed(f"model `{model.name}`", f"`{kind.name}`", "--model")
        return
    assert first.code == 0, first.err
    second = trained(kind, model, "--max-updates", "25", "--resume")
    assert second.code == 0, second.err
    assert "after 25 steps" in second.err
    measured = json.loads(composer("eval", kind.name, data(kind), "--checkpoint", "pair", "--json").out)
    assert 0 < measured["value"] < 1000
    assert measured["steps"] > 0
    for name in kind.formats:
        output = tmp_path / f"piece{suffix(kind, name)}"
        way = () if name == kind.native else ("--temp", "1.5")
        short = ("--length", "96") if kind.kind is StepKind.FRAMES else ()  # tokens end by themselves
        done = composer("gen", kind.name, "--checkpoint", "pair", "--seed", "3", "--output", output, *way, *short)
        assert done.code == 0, done.err
        assert output.stat().st_size > 0
        assert composer("show", output).code == 0


@pytest.mark.parametrize("other", MUSIC, ids=lambda kind: kind.name)
@pytest.mark.parametrize("kind", MUSIC, ids=lambda kind: kind.name)
def test_every_kind_of_music_primes_every_other(composer, trained, tunes, tmp_path, kind, other):
    """A tune as the one writes it, in every format that it has, is an opening that the other goes on from."""
    model = next(model for model in MODELS if model.name == "lstm")
    assert trained(kind, model, *SMALL[model.name], "--max-updates", "20").code == 0
    representation = other()
    pieces = [item for item in representation.read(Source(tunes)) if isinstance(item, Piece)]
    representation.fit(pieces)
    for name in other.formats:
        opening = tmp_path / f"opening{suffix(other, name)}"
        opening.write_bytes(rendered(representation, representation.encode(pieces[0]), name))
        asked = ("--prime", opening, "--seed", "1", "--length", "300", "--format", "midi")
        done = composer("gen", kind.name, "--checkpoint", "pair", *asked)
        assert done.code == 0, (opening, done.err)
        if name != "tokens":  # which are told by their suffix alone
            renamed = opening.rename(tmp_path / "opening.txt")
            for way in ({"stdin": renamed.read_bytes(), "file": "-"}, {"file": renamed}):
                same = composer("gen", kind.name, "--checkpoint", "pair", "--prime", way.pop("file"), *asked[2:], **way)
                assert same.data == done.data, "what it holds tells what it is, and not what it is called"
        begun = notes(midi_reader.read(done.data, "composed"))
        opened = next(playable(Source(opening if opening.exists() else renamed)))
        assert begun[:20] == notes(opened)[:20], "it begins as the opening does"


def notes(score):
    """Onsets and pitches from the first note on."""
    return [(note.onset, note.pitch) for note in score.notes]
