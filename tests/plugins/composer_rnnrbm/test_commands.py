"""The rnnrbm model on the command line: stacked frames, likelihoods with standard error, invalid settings."""

import json

import pytest

from composer.api import Source
from composer.formats.read import read_scores
from composer.toolkit.representations.quantize import quantize

SMALL = ("--set", "hidden=12", "--set", "recurrent=8", "--set", "pretraining=2", "--set", "k=3")


@pytest.fixture
def train(composer, tunes):
    def train(*arguments, settings=SMALL):
        command = ("train", "pianoroll", tunes, "--model", "rnnrbm", "--name", "machine", "--max-updates", "20")
        return composer(*command, *settings, *arguments)

    return train


def pitches_by_step(path):
    """Return the sounding pitches of each sixteenth."""
    (_, score), *_ = read_scores(Source(path))
    notes, _ = quantize([note for part in score.parts for note in part.notes], 4, "round")
    steps = [set() for _ in range(max(note.end for note in notes))]
    for note in notes:
        for step in range(note.start, note.end):
            steps[step].add(note.pitch)
    return steps


def test_controls_apply_to_stacked_frames(composer, train, tmp_path):
    result = train("-O", "stack=5", "-O", "range=40-90")
    assert result.code == 0, result.err
    output = tmp_path / "piece.mid"
    controls = ("--range", "50-70", "--max-notes", "2", "--length", "20", "--temp", "3", "--seed", "1")
    result = composer("gen", "pianoroll", "--checkpoint", "machine", *controls, "--output", output)
    assert result.code == 0, result.err
    steps = pitches_by_step(output)
    assert set().union(*steps) <= set(range(50, 71))
    assert max(len(step) for step in steps) == 2


def test_likelihood_has_a_standard_error(composer, train, short_tune):
    assert train("-O", "onsets=off").code == 0
    result = composer("eval", "pianoroll", short_tune, "--checkpoint", "machine", "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert 0 < report["stderr"] < 0.05
    assert 0 < report["value"] < 60
    assert report["unit"] == "nats per frame"


def test_invalid_settings_are_reported(train):
    train(settings=("--set", "k=0")).failed("invalid value for `k`: '0'", "--set k=15", code=2)


def test_conditions_are_not_supported(train):
    train("--conditions", "meter").failed("`rnnrbm` takes no conditions", "--conditions", "--model lstm")


def test_gibbs_steps_are_chosen_when_generating(composer, train):
    assert train().code == 0
    gen = ("gen", "pianoroll", "--checkpoint", "machine", "--length", "12", "--seed", "3", "--format", "midi")
    default, one_step = (composer(*gen, "--no-provenance", *each).data for each in ((), ("--gibbs", "1")))
    assert default != one_step
    assert composer(*gen, "--no-provenance", "--gibbs", "25", "--gibbs-from", "previous").data == default


def test_a_piece_with_its_own_gibbs_steps_is_reproduced(composer, train, tmp_path):
    assert train().code == 0
    piece = tmp_path / "piece.mid"
    options = ("--length", "12", "--gibbs", "2", "--gibbs-from", "zeros", "--output", piece)
    assert composer("gen", "pianoroll", "--checkpoint", "machine", *options).code == 0
    assert "reproduced exactly" in composer("replay", piece).err


def test_invalid_gibbs_steps(composer, train, tunes):
    assert train().code == 0
    gen = ("gen", "pianoroll", "--checkpoint", "machine")
    composer(*gen, "--gibbs", "0").failed("invalid value for --gibbs: '0'", "from 1 to 1,000,000", code=2)
    composer(*gen, "--gibbs-from", "noise").failed("invalid value for --gibbs-from: 'noise'", "zeros", code=2)
    named = ("--name", "other", "--set", "hidden=4", "--max-updates", "1")
    assert composer("train", "pianoroll", tunes, *named).code == 0
    other = ("gen", "pianoroll", "--checkpoint", "other")
    composer(*other, "--gibbs", "5").failed("--gibbs does not apply", "`lstm`", "leave out --gibbs", code=2)
    composer(*other, "--gibbs-from", "zeros").failed("--gibbs-from does not apply", code=2)
