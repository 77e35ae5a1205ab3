"""`composer similar` and `composer map`: neighbors, clusters, the cache, and errors."""

import json
from fractions import Fraction
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from composer import formats
from composer.analysis.hidden_states import collection
from composer.analysis.hidden_states.collection import PieceInfo
from composer.api import CheckpointError, Note, Part, Score
from composer.checkpoints.store import bundled
from composer.cli.commands.hidden_states.similar import _training_data
from composer.cli.hidden_state_vectors import name_of
from composer.cli.render.map_svg import PieceMap, svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def run(composer, checkpoint, tunes):
    """Run a command on the tunes, with the small model."""

    def call(command, *arguments, **settings):
        return composer(command, tunes, "--checkpoint", checkpoint, *arguments, **settings)

    return call


def test_nearest_pieces_without_the_same(run, tunes):
    result = run("similar", "--corpus", tunes, "--limit", "2")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert next(line for line in lines if not line.startswith("  ")).startswith("Over the Fence (")
    assert len(lines) == 3 * 4
    near = json.loads(run("similar", "--corpus", tunes, "--json").out)["found"][0]
    assert [each["title"] for each in near["similar"]].count("Over the Fence") == 0
    values = [each["similarity"] for each in near["similar"]]
    assert values == sorted(values, reverse=True)
    assert all(-1 <= value <= 1 for value in values)


def test_a_corpus_of_several_files_and_folders(run, tunes, tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    (more / "other.abc").write_text("X:1\nT:Elsewhere\nM:4/4\nL:1/8\nK:D\n|:d2fd A2FA|d2f2 d4:|\n")
    found = json.loads(run("similar", "--json", "--corpus", tunes, more).out)
    assert (found["corpus"], found["pieces"], len(found["found"])) == ([str(tunes), str(more)], 5, 4)


def test_a_transposed_tune_is_the_nearest(composer, tunes, tmp_path):
    (tmp_path / "moved.abc").write_text("X:1\nM:4/4\nL:1/8\nK:A\n|:ABcd e2dc|B2G2 A4:|\n|:c2Ac B2GB|A2G2 A4:|\n")
    arguments = ("--corpus", tunes, "-c", bundled("grid"), "--json")
    found = json.loads(composer("similar", tmp_path / "moved.abc", *arguments).out)["found"][0]["similar"]
    assert found[0]["title"] == "Over the Fence"


def test_the_second_time_from_the_cache_unless_a_file_has_changed(run, tunes, tmp_path, monkeypatch):
    copy = tmp_path / "copy.abc"
    copy.write_text(tunes.read_text())
    first = run("similar", "--corpus", copy)
    calls = []
    original = collection.piece_vectors
    monkeypatch.setattr(collection, "piece_vectors", lambda *given: calls.append(given) or original(*given))
    assert run("similar", "--corpus", copy).out == first.out
    assert not calls
    copy.write_text(tunes.read_text().replace("Early", "Late"))
    assert "Late" in run("similar", "--corpus", copy).out
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vectors.npy", b"no array"),
        ("vectors.npy", b""),
        ("manifest.json", b"[]"),
        ("manifest.json", b'{"pieces": [1]}'),
    ],
)
def test_damaged_cache_is_made_again(run, tunes, home, name, content):
    first = run("similar", "--corpus", tunes).out
    found = [path for path in home.rglob(name) if path.parent.parent.name == "hidden-states"]
    assert found
    for path in found:
        path.write_bytes(content)
    assert run("similar", "--corpus", tunes).out == first


def test_training_data_that_is_not_known(run):
    run("similar").failed("the training data of model small does not come with music21", "--corpus")


def test_training_data_of_music21_is_the_default():
    model = SimpleNamespace(name="m", record={"data": ["corpus:airdsAirs", "corpus:bach"]})
    assert _training_data(model, ["a.abc"]) == ("corpus:airdsAirs", "corpus:bach")
    with pytest.raises(CheckpointError):
        _training_data(SimpleNamespace(name="m", record={"data": ["corpus:bach", "own.abc"]}), ["a.abc"])


def test_map_as_svg(run, tmp_path):
    path = tmp_path / "map.svg"
    result = run("map", "--output", path, "--clusters", "2")
    assert result.code == 0, result.err
    assert "4 pieces, 2 clusters, model small" in result.err
    root = ET.fromstring(path.read_text())
    titles = [each.text for each in root.iterfind(f"{SVG}circle/{SVG}title")]
    assert len(titles) == 4
    assert titles[0].startswith("Over the Fence (")
    assert len({circle.get("fill") for circle in root.iterfind(f"{SVG}circle")}) == 2
    first = path.read_bytes()
    assert run("map", "--output", path, "--clusters", "2", "--force").code == 0
    assert path.read_bytes() == first


def test_titles_are_escaped():
    odd = PieceInfo("odd.mid", "<b>&\x1b[31m\n", {}, "")
    assert name_of(odd) == "<b>& [31m (odd.mid)"
    drawn = PieceMap("caption", [odd.title, "b"], np.eye(2, dtype=np.float32), np.zeros(2, np.int64), ["<i>"])
    root = ET.fromstring(svg(drawn))
    assert [each.text for each in root.iterfind(f"{SVG}circle/{SVG}title")] == ["<b>& [31m", "b"]


def test_map_as_json(run, tmp_path):
    path = tmp_path / "map.json"
    assert run("map", "--output", path).code == 0
    found = json.loads(path.read_text())
    assert sum(each["pieces"] for each in found["clusters"]) == len(found["pieces"]) == 4


def test_clusters_are_described_by_labels_with_a_name_and_files_of_several_pieces(composer, tmp_path):
    """A pickup of 3 beats is a label too, but `3 75%` would say nothing, nor would the file of one piece."""
    for number, notes in enumerate(["C2E2G2 |", "", "A2G2E2 |", ""]):
        tune = f"X:1\nM:4/4\nL:1/8\nK:C\n{notes}{'CDEF'[number]}4 G4|c2A2 G4|F2E2 D4|C8|]\n"
        (tmp_path / f"t{number}.abc").write_text(tune)
    command = ("map", tmp_path, "-c", bundled("grid"), "-o", tmp_path / "map.json", "--clusters", "4", "--force")
    assert composer(*command).code == 0
    clusters = json.loads((tmp_path / "map.json").read_text())["clusters"]
    assert [each["typical"] for each in clusters] == [""] * 4
    (tmp_path / "t0.abc").write_text("\n".join((tmp_path / f"t{number}.abc").read_text() for number in (0, 2)))
    assert composer(*command).code == 0
    clusters = json.loads((tmp_path / "map.json").read_text())["clusters"]
    assert "t0.abc 100%" in [each["typical"] for each in clusters]


def test_map_of_one_piece(composer, checkpoint, tunes, tmp_path):
    path = tmp_path / "one.abc"
    path.write_text(tunes.read_text().partition("\n\n")[0] + "\n")
    composer("map", path, "-c", checkpoint, "-o", tmp_path / "map.svg").failed("a map needs at least 2 pieces")
    assert not (tmp_path / "map.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, ["composer map needs an output file", "--output map.svg"]),
        (["-o", "map.png"], 2, ["a map can only be .svg or .json: 'map.png'", "--output map.svg"]),
        (["-o", "{tunes}.svg", "--clusters", "0"], 2, ["invalid value for --clusters: '0'"]),
        (["-o", "{tunes}.svg", "--clusters", "100"], 2, ["--clusters 100 is more than the", "leave out --clusters"]),
        (["-o", "{folder}"], 2, ["can only be .svg or .json"]),
    ],
)
def test_errors_of_map(run, tunes, tmp_path, arguments, code, words):
    run("map", *[each.format(tunes=tunes, folder=tmp_path) for each in arguments]).failed(*words, code=code)


def test_output_is_not_overwritten(run, tmp_path):
    (tmp_path / "map.svg").write_text("mine")
    run("map", "-o", tmp_path / "map.svg").failed("already exists", "--force")


def test_model_without_hidden_states(composer, tunes, tmp_path):
    path = tmp_path / "chain.safetensors"
    trained = composer("train", "abc", tunes, "--model", "markov", "--output", path, "-q")
    assert trained.code == 0, trained.err
    composer("similar", tunes, "-c", path, "--corpus", tunes).failed("`markov`, which has no hidden states")


def test_no_piece_that_the_model_can_encode(composer, tunes, tmp_path):
    low = Score((Part(tuple(Note(Fraction(beat), 21, Fraction(1)) for beat in range(8))),))
    (tmp_path / "low.mid").write_bytes(formats.write("midi", low))
    result = composer("similar", tmp_path / "low.mid", "--corpus", tunes, "-c", bundled("grid"))
    assert result.code == 1
    assert "no piece that model grid can read: 1 skipped: cannot be encoded" in result.err
