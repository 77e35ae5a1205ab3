"""Music without pitched notes, and music in seconds, through the whole program."""

import re
from fractions import Fraction
from pathlib import Path

import pytest
from unpitched_plugins import Chords, Drums, Performance, unpitched  # noqa: F401

from composer.api import Note, Part, Piece, Score, Source, Tempo
from composer.api.testing import check_representation
from composer.formats import write
from composer.formats.read import read_scores
from composer.music.tempo_map import TempoMap

pytestmark = pytest.mark.usefixtures("unpitched")

SUFFIXES = {"midi": ".mid", "musicxml": ".musicxml", "abc": ".abc"}
PROGRESSIONS = ("C F G7 C", "Am Dm E7 Am", "C Am F G7", "Dm G7 C C", "F C G7 C", "Am F C G7")
BEATS = ((5, 4, 6, 4, 5, 4, 6, 4), (5, 0, 2, 0, 1, 1, 2, 4), (1, 4, 2, 4, 5, 0, 6, 0), (5, 4, 2, 4, 5, 4, 2, 6))


def drum_files(folder):
    for number, beat in enumerate(BEATS):
        (folder / f"{number}.mid").write_bytes(write("midi", Drums().score(Piece(beat * 4))))


def chord_files(folder):
    for number, symbols in enumerate(PROGRESSIONS):
        (folder / f"{number}.abc").write_bytes(write("abc", Chords().score(Piece(tuple(symbols.split()) * 2))))


def performance_files(folder):
    for number in range(4):
        notes = tuple(Note(Fraction(at * (3 + number), 7), 60 + at % 5, Fraction(1, 2)) for at in range(16))
        score = Score((Part(notes),), tempos=(Tempo(Fraction(0), 90.0), Tempo(Fraction(4), 45.0)))
        (folder / f"{number}.mid").write_bytes(write("midi", score))


FILES = {"drums": drum_files, "chords": chord_files, "performance": performance_files}


@pytest.fixture
def trained(composer, tmp_path):
    """Train a small model of a representation, and return the folder of its files."""

    def train(name):
        folder = tmp_path / name
        folder.mkdir()
        FILES[name](folder)
        settings = ("--set", "hidden=8", "--set", "layers=1", "--max-updates", "30", "--seed", "1", "--quiet")
        result = composer("train", name, folder, "--name", "it", *settings)
        assert result.code == 0, result.err
        return folder

    return train


def scores(path):
    return [score for _, score in read_scores(Source(Path(path)))]


@pytest.mark.parametrize("name", FILES)
def test_contract(name, tmp_path):
    FILES[name](tmp_path)
    kind = {"drums": Drums, "chords": Chords, "performance": Performance}[name]
    check_representation(kind, [Source(path) for path in sorted(tmp_path.iterdir())])


@pytest.mark.parametrize("name", ["drums", "chords"])
def test_generated_ranked_evaluated_and_shown(name, trained, composer, tmp_path):
    folder = trained(name)
    for format_name, suffix in SUFFIXES.items():
        path = tmp_path / f"tune{suffix}"
        result = composer("gen", name, "-c", "it", "--seed", "1", "-o", path)
        assert result.code == 0, result.err
        (score,) = scores(path)
        assert score.is_audible
        assert (score.chords if name == "chords" else score.parts[0].percussion) or format_name == "midi"
        shown = composer("show", path)
        assert re.search("[▀▄█]", shown.out)
        assert ("chord" if name == "chords" else "drum note") in shown.out or format_name == "midi"
    for ranking in ("form", "originality", "likelihood"):
        candidates = ("--candidates", "6", "--keep", "2", "--rank-by", ranking)
        result = composer(
            "gen", name, "-c", "it", "--seed", "2", *candidates, "-o", tmp_path / "best-%d.mid", "--force"
        )
        assert result.code == 0, result.err
        assert f"best 2 of 6 by {ranking}" in result.err
    assert composer("show", tmp_path / "best-1.mid").code == 0
    assert all(composer("check", tmp_path / file).code == 0 for file in ("tune.abc", "tune.mid"))
    copied = composer("originality", tmp_path / "tune.abc", "-c", "it")
    assert copied.code == 0, copied.err
    result = composer("eval", name, folder, "-c", "it", "--generated", "4", "--seed", "1")
    assert result.code == 0, result.err
    assert re.search(r"notes per quarter note +\d", result.out)


@pytest.mark.parametrize("name", ["drums", "chords"])
def test_primers_of_every_format(name, trained, composer, tmp_path):
    folder = trained(name)
    (first,) = scores(sorted(folder.iterdir())[0])
    primer = Score((), first.chords[:2]) if name == "chords" else Score((Part(first.parts[0].notes[:6], "", 0, True),))
    for format_name, suffix in SUFFIXES.items():
        if (name, format_name) == ("chords", "midi"):  # MIDI has no chord symbols
            continue
        path = tmp_path / f"primer{suffix}"
        path.write_bytes(write(format_name, primer))
        result = composer(
            "gen",
            name,
            "-c",
            "it",
            "--prime",
            path,
            "--length",
            "40",
            "--seed",
            "1",
            "-o",
            tmp_path / "tune.abc",
            "--force",
        )
        assert result.code == 0, result.err
        (score,) = scores(tmp_path / "tune.abc")
        if name == "chords":
            assert [chord.symbol for chord in score.chords[:2]] == [chord.symbol for chord in primer.chords]
        else:
            assert score.parts[0].notes[:6] == primer.parts[0].notes


@pytest.mark.parametrize("name", FILES)
def test_surprisal(name, trained, composer):
    path = sorted(trained(name).iterdir())[0]
    plain = composer("show", path, "--surprise", "-c", "it")
    assert plain.code == 0, plain.err
    total = float(re.search(r"([\d,.]+) bits,", plain.out)[1])
    rows = [line.split() for line in plain.out.splitlines()[2:]]
    assert sum(float(bits) for _, bits, *_ in rows) == pytest.approx(total, abs=0.06 * len(rows))
    drawn = composer("show", path, "--surprise", "-c", "it", terminal=True)
    assert "▀" in drawn.out


def test_seconds_survive_any_tempo(trained, composer, tmp_path):
    trained("performance")
    played = {}
    for tempo in (None, 90, 200):
        path = tmp_path / f"{tempo}.mid"
        options = [] if tempo is None else ["--tempo", tempo]
        result = composer("gen", "performance", "-c", "it", "--seed", "1", "-o", path, *options)
        assert result.code == 0, result.err
        (score,) = scores(path)
        assert [round(each.bpm) for each in score.tempos] == [tempo or 120]
        clock = TempoMap(score.tempos)
        played[tempo] = [float(clock.seconds(note.onset)) for note in score.notes]
    assert played[90] == pytest.approx(played[None], abs=0.001)
    assert played[200] == pytest.approx(played[None], abs=0.001)
    assert all(round(100 * time, 6) == round(100 * time) for time in played[None])


def test_a_primer_keeps_its_seconds(trained, composer, tmp_path):
    path = sorted(trained("performance").iterdir())[0]
    (score,) = scores(path)
    result = composer("gen", "performance", "-c", "it", "--prime", path, "--seed", "1", "-o", tmp_path / "more.mid")
    assert result.code == 0, result.err
    (more,) = scores(tmp_path / "more.mid")
    before, after = TempoMap(score.tempos), TempoMap(more.tempos)
    first = [float(before.seconds(note.onset)) for note in score.notes]
    assert [float(after.seconds(note.onset)) for note in more.notes[: len(first)]] == pytest.approx(first, abs=0.006)
