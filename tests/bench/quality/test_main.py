"""The whole benchmark: stopping and resuming, locking, and usage errors."""

import json
import shutil
import signal
import subprocess
import sys
from fractions import Fraction

import pytest

from composer.api import Note, UsageError
from quality import __main__, stages
from quality.data import held, prepare, require
from quality.lock import locked
from quality.measures import measuring
from quality.sharing import runs
from quality.training.trainings import INTERRUPTED

BENCH = stages.FILES[0].parent.parent
POEMS = ("O rose, thou art sick!\nThe invisible worm", "A robin redbreast in a cage", "He who binds himself to a joy")
STAGE = """
[[stage]]
name = "poems"
data = "three lines"
train = ['''composer train text $DATA/0.txt --valid $DATA/1.txt --model lstm --set hidden=4 --set embedding=4
    --set layers=1 --batch-size 1 --set seq_length=8 --max-updates 2''']
measure = "composer eval text $DATA/1.txt $DATA/2.txt"
"""


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Return the arguments of a run with its own home; this process is restored afterward."""
    data = tmp_path / "some data"
    data.mkdir()
    for number, poem in enumerate(POEMS):
        (data / f"{number}.txt").write_text(poem + "\n")
    (tmp_path / "some.toml").write_text(STAGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPOSER_HOME", str(tmp_path))
    before = signal.getsignal(signal.SIGTERM)
    yield [str(data), "--home", str(tmp_path / "home"), "--stages", str(tmp_path / "some.toml")]
    signal.signal(signal.SIGTERM, before)


def start(monkeypatch, arguments):
    monkeypatch.setattr(sys, "argv", ["quality", *arguments])
    return __main__.main()


def test_a_run_stopped_between_groups_is_resumed(asked, composer, tmp_path, monkeypatch, capsys):
    measured = []

    def stopped(arguments):
        if len(measured) == 2:  # the whole, and one group
            raise KeyboardInterrupt
        measured.append(arguments)
        return composer(*arguments).out  # in this process, which starts sooner than another one

    run = measuring.run
    monkeypatch.setattr(measuring, "run", stopped)
    assert start(monkeypatch, asked) == INTERRUPTED
    (kept,) = (tmp_path / "home" / "measured").glob("*.json")
    begun = json.loads(kept.read_text())
    assert (len(begun["groups"]), len(begun["parts"])) == (1, 2)

    assert "composer train" in capsys.readouterr().out
    monkeypatch.setattr(measuring, "run", run)
    assert start(monkeypatch, asked) == 0
    assert "composer train" not in capsys.readouterr().out
    whole = json.loads(kept.read_text())
    assert whole["groups"][0] == begun["groups"][0]
    assert len(whole["groups"]) == 2
    assert whole["found"]["pieces"] == sum(group["pieces"] for group in whole["groups"])
    assert f"{whole['found']['value']:.3f} bits" in (tmp_path / "home" / "RESULTS.md").read_text()


def test_a_second_run_in_a_home_is_an_error(asked, tmp_path, monkeypatch, capsys):
    pytest.importorskip("fcntl")
    (tmp_path / "home").mkdir()
    with locked(tmp_path / "home"):
        assert start(monkeypatch, asked) == 2
        assert start(monkeypatch, [*asked, "--list"]) == 0
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: another run is using ")
    assert hint.startswith("hint: ")


def test_a_released_lock_can_be_taken(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    assert list(tmp_path.iterdir())
    with locked(tmp_path), pytest.raises(UsageError), locked(tmp_path):
        pass


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--budget", "-1"], "'-1' is not a positive number of seconds"),
        (["--budget", "nan"], "'nan' is not a positive number of seconds"),
        (["--budget", "soon"], "'soon' is not a positive number of seconds"),
        (["--seeds", "1,-2"], "'1,-2' is not a list of seeds"),
        (["--seeds", ""], "'' is not a list of seeds"),
        (["--only", "elsewhere"], "unknown stage `elsewhere`"),
        (["--stages", "none.toml"], "none.toml: "),
        (["--home", "some.toml"], "cannot create the folder"),
        (["--page", "--output", "damaged"], "invalid record "),
    ],
)
def test_usage_errors(asked, tmp_path, monkeypatch, capsys, more, said):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "results.json").write_text('{"runs": {"poems": {"0": {"steps": 5}}}}')
    with pytest.raises(SystemExit) as ended:
        sys.exit(start(monkeypatch, [*asked, *more]))
    assert ended.value.code == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert said in error
    assert hint.startswith("hint: ")


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("abc-attention", "nottingham-abc"),
        ("rnnrbm", "nottingham-midi"),
        ("lyrics", "text"),
        ("jsb-nade", "bl2012"),
    ],
)
def test_missing_data_is_an_error_before_anything_is_made(tmp_path, monkeypatch, capsys, name, lacking):
    some = tmp_path / "some data"
    some.mkdir()
    home = tmp_path / "home"
    assert start(monkeypatch, [str(some), "--home", str(home), "--only", name]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error == f"error: no {lacking} in {some}"
    assert "CONTRIBUTING.md" in hint
    assert not home.exists()


def test_only_what_the_wanted_stages_read_is_required(tmp_path):
    plan = stages.read()
    require(tmp_path, plan.named(["erk"]))
    (tmp_path / "bl2012").mkdir()
    with pytest.raises(UsageError, match=r"no bl2012/JSB_Chorales\.mat in "):
        require(tmp_path, plan.named(["jsb-nade"]))
    (tmp_path / "bl2012" / "JSB_Chorales.mat").touch()
    require(tmp_path, plan.named(["jsb-nade"]))
    (tmp_path / "text").mkdir()
    with pytest.raises(UsageError, match=r"no text/\*\.txt in "):
        require(tmp_path, plan.named(["lyrics"]))


def test_the_pieces_that_share_a_run_with_training_are_left_out_of_a_list(tmp_path):
    numpy = pytest.importorskip("numpy")
    savemat = pytest.importorskip("scipy.io").savemat
    pieces = {part: numpy.empty((1, 2), dtype=object) for part in ("train", "valid", "test")}
    for each in pieces.values():
        each[0, 0], each[0, 1] = roll(range(26)), roll([1, 2] * 14)
    pieces["test"][0, 0] = roll([1, 5] * 14)
    (tmp_path / "bl2012").mkdir()
    savemat(tmp_path / "bl2012" / "Nottingham.mat", {f"{part}data": each for part, each in pieces.items()})
    home = tmp_path / "home"
    home.mkdir()
    prepare(tmp_path, home)
    assert (home / "nottingham-alone.txt").read_text() == "test 001.mid\n"
    assert [path.name for path in sorted((home / "Nottingham" / "test").iterdir())] == ["001.mid", "002.mid"]
    assert not (home / "jsb-alone.txt").exists()


def test_a_run_is_of_intervals_of_the_top_voice():
    climb = roll(range(25))
    assert len(runs(climb)) == 1
    assert runs(climb) == runs(roll(range(7, 32)))
    assert runs(climb) == runs([frame for frame in climb for _ in range(3)])
    assert runs(climb) == runs([[1.0, *frame[1:]] for frame in climb])
    assert runs(climb) == runs([*climb[:9], [0.0] * 88, *climb[9:]])
    assert not runs(roll(range(24)))
    assert not runs([])


def roll(columns):
    """A roll in which a column sounds in each frame."""
    return [[float(column == on) for column in range(88)] for on in columns]


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_asks_for_the_data_before_it_installs_anything(tmp_path):
    asked = ["make", "bench-quality", "DATA=", f"VENV={tmp_path / 'venv'}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=BENCH.parent.parent)
    assert done.returncode
    assert "error: DATA is missing" in done.stdout
    assert not (tmp_path / "venv").exists()


def test_the_page_goes_where_it_is_told_to(asked, tmp_path, monkeypatch):
    assert start(monkeypatch, [*asked, "--page"]) == 0
    assert "not run yet" in (tmp_path / "home" / "RESULTS.md").read_text()
    assert start(monkeypatch, [*asked, "--page", "--output", "elsewhere"]) == 0
    assert (tmp_path / "elsewhere" / "RESULTS.md").exists()


def test_frames_that_follow_each_other_are_one_note():
    frames = [[0.0] * 88 for _ in range(5)]
    for time, column in ((0, 0), (1, 0), (3, 0), (4, 87)):
        frames[time][column] = 1.0
    assert list(held(frames)) == [
        Note(Fraction(0), 21, Fraction(2)),
        Note(Fraction(3), 21, Fraction(1)),
        Note(Fraction(4), 108, Fraction(1)),
    ]
    assert list(held([])) == []
