"""The rnnrbm from the command line: several steps to a frame, figures with an error, and settings that it refuses."""

import json

import pytest

from composer.api import Source
from composer.formats.read import read
from composer.toolkit.representations.quantize import quantise

SMALL = ("--set", "hidden=12", "--set", "recurrent=8", "--set", "pretraining=2", "--set", "k=3")


@pytest.fixture
def train(composer, tunes):
    def train(*arguments, settings=SMALL):
        command = ("train", "pianoroll", tunes, "--model", "rnnrbm", "--name", "machine", "--max-steps", "20")
        return composer(*command, *settings, *arguments)

    return train


def sounding(path):
    """The pitches that sound in each step of a quarter's fourth."""
    (_, score), *_ = read(Source(path))
    notes, _ = quantise([note for part in score.parts for note in part.notes], 4, "round")
    steps = [set() for _ in range(max(note.end for note in notes))]
    for note in notes:
        for step in range(note.start, note.end):
            steps[step].add(note.pitch)
    return steps


def test_a_frame_of_several_steps_is_a_larger_visible_layer_and_obeys_the_same_wishes(composer, train, tmp_path):
    done = train("-o", "stack=5", "-o", "range=40-90")
    assert done.code == 0, done.err
    output = tmp_path / "piece.mid"
    wishes = ("--range", "50-70", "--max-notes", "2", "--length", "20", "--temp", "3", "--seed", "1")
    done = composer("gen", "pianoroll", "--checkpoint", "machine", *wishes, "--output", output)
    assert done.code == 0, done.err
    steps = sounding(output)
    assert set().union(*steps) <= set(range(50, 71))
    assert max(len(step) for step in steps) == 2


def test_its_figure_comes_with_an_error(composer, train, tunes):
    assert train("-o", "onsets=off").code == 0
    done = composer("eval", "pianoroll", tunes, "--checkpoint", "machine", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert 0 < found["stderr"] < 0.05
    assert 0 < found["value"] < 60
    assert found["unit"] == "nats per frame"


def test_it_refuses_no_gibbs_steps_before_it_reads_anything(train):
    train(settings=("--set", "k=0")).failed("`k` cannot be 0", "above 0", code=2)


def test_it_takes_no_conditions(train):
    train("-o", "conditions=meter").failed("`rnnrbm` takes no conditions", "meter", "--model lstm")
