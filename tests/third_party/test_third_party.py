"""Third-party plugin packages, built and installed with pip: listing, contracts, training and generation."""

import json
import os
import random
import socket
import subprocess
import sys
import sysconfig
import venv
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import mido
import pytest
from safetensors.numpy import load_file

HERE = Path(__file__).parent
PACKAGES = ("package", "broken", "composer_performance", "composer_transformer")
TUNES = "X:1\nT:One\nR:reel\nM:4/4\nL:1/8\nK:G\n|:GABc d2cB|A2F2 G4:|\n\n" * 3
PROGRAM = """
import sys
from composer.cli.app import main
sys.exit(max(main(command) for command in {commands!r}))
"""
CONTRACTS = """
from composer.api.testing import check_model, check_representation, source
from composer_beats.beats import Beats
from composer_beats.markov import Markov
check_representation(Beats, [source("x..x..x.\\nx.x.\\nhello\\n", "beats.txt")])
check_model(Markov)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return the interpreter of a new environment with this one's packages and all third-party packages."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    bin_ = folder / ("Scripts" if os.name == "nt" else "bin")
    python = bin_ / ("python.exe" if os.name == "nt" else "python")
    ours = sysconfig.get_path("purelib")
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    (Path(site) / "outer.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    wheels, sources = folder / "wheels", [HERE / package for package in PACKAGES]
    quiet = ["--quiet", "--no-deps", "--disable-pip-version-check"]
    run(sys.executable, "-m", "pip", "wheel", *quiet, "--no-build-isolation", "-w", wheels, *sources)
    run(sys.executable, "-m", "pip", "--python", python, "install", *quiet, *sorted(wheels.glob("*.whl")))
    return python


def run(*command, cwd=None, **environment):
    """Run a command, and show its output if it fails."""
    settings = {**os.environ, "PYTHONWARNINGS": "ignore", **environment}
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd, env=settings, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


class Result(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


def session(python, home, *commands):
    """Run commands of the program in one process, and return their results. They run in the folder `home`."""
    text = json.dumps([list(map(str, command)) for command in commands])
    done = run(python, HERE / "session.py", text, cwd=home, COMPOSER_HOME=str(home))
    results = [Result(*each) for each in json.loads(done.stdout)]
    return results[0] if len(commands) == 1 else results


def in_two_processes(python, home, *command):
    """Run a command of the program as a group of two processes, as a launcher such as torchrun does."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "COMPOSER_HOME": str(home)}
    with ThreadPoolExecutor() as pool:
        started = [
            pool.submit(run, python, "-m", "composer", *command, cwd=home, RANK=str(rank), **group) for rank in (0, 1)
        ]
    main, other = (each.result() for each in started)
    assert not other.stderr
    return main


def test_listing_warns_about_a_broken_plugin(python):
    result = run(python, "-m", "composer", "plugins")
    for name in ("beats", "markov", "abc", "lstm"):
        assert name in result.stdout
    assert "composer-beats 0.3" in result.stdout
    warnings = [line for line in result.stderr.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 1
    assert "composer-broken 1.0" in warnings[0]


def program(python, folder, *commands):
    """Run several commands of the program in one process, in `folder`."""
    code = PROGRAM.format(commands=[list(map(str, command)) for command in commands])
    return run(python, "-c", code, cwd=folder, COMPOSER_HOME=str(folder / "home"))


def test_listing_by_kind(python, tmp_path):
    result = program(python, tmp_path, *(("plugins", kind) for kind in ("formats", "presets", "rankings", "checks")))
    for name in ("pitches", "quick-beats", "busy"):
        assert any(line.split()[0] == name and "composer-beats 0.3" in line for line in result.stdout.splitlines())
    assert "few notes, and line ends of Windows" in result.stdout
    assert "preset quick-beats" in program(python, tmp_path, ("plugins", "beats")).stdout


def test_composer_plugins_check(python, tmp_path):
    checked = program(python, tmp_path, *(("plugins", "check", name) for name in ("pitches", "busy", "markov"))).stdout
    assert "passed  file format pitches: written and read\n" in checked
    assert "passed  check pitches: 0 problems in samples\n" in checked
    assert "passed  ranking busy: 4 notes\n" in checked


def test_pretrained_model_is_the_default_for_its_representation(python, tmp_path):
    result = program(
        python, tmp_path, ("gen", "beats", "--seed", 2), ("gen", "beats", "-c", "small-beats", "--seed", 2)
    )
    first, second = result.stdout.splitlines()
    assert set(first) == {"x", "."}
    assert first == second
    assert "trained on eight drum patterns" in program(python, tmp_path, ("show", "small-beats")).stdout


def test_preset(python, tmp_path):
    (tmp_path / "beats.txt").write_text("".join(f"{'x..x..x.' * n}\n" for n in range(1, 9)))
    train = ("train", "beats", "beats.txt", "--preset", "quick-beats", "--name", "mine", "--seed", 1)
    assert "done after 30 updates" in program(python, tmp_path, train).stderr


def test_format_and_ranking(python, tmp_path):
    """A format is written, reproduced, drawn, continued and trained on; its pieces are ranked."""
    result = program(
        python, tmp_path,
        ("gen", "abc", "--seed", 1, "--bars", 2, "--candidates", 3, "--rank-by", "busy", "--output", "best.pitches"),
        ("replay", "best.pitches", "--check"),
        ("show", "best.pitches"),
        ("gen", "grid", "--seed", 1, "--bars", 20, "--prime", "best.pitches", "--output", "more.pitches"),
        ("train", "pianoroll", ".", "--max-updates", 1, "--set", "hidden=4", "--name", "roll"),
    )  # fmt: skip
    assert "best 1 of 3 by busy" in result.stderr
    assert "best.pitches: reproduced exactly" in result.stderr
    assert " notes · " in result.stdout
    begun, whole = (path.read_text().splitlines()[2].split() for path in sorted(tmp_path.glob("*.pitches")))
    assert whole[: len(begun)] == begun
    assert "2 pieces" in result.stderr


def test_check(python, tmp_path):
    (tmp_path / "short.pitches").write_bytes(b"pitches 1\r\n60 62\r\n")
    (tmp_path / "tune.abc").write_text("X:1\nM:4/4\nL:1/4\nK:C\nC2E2|]\n")
    command = "from composer.cli.app import main\nassert main(['check', '.']) == 1"
    lines = run(python, "-c", command, cwd=tmp_path).stdout.splitlines()
    assert lines == [
        "short.pitches: warning: only 2 notes",
        "short.pitches:1:1: warning: the lines end as on Windows",
        "tune.abc:1:1: warning: only 2 notes",
    ]


def test_contracts(python):
    run(python, "-c", CONTRACTS)


@pytest.mark.parametrize(("representation", "model"), [("beats", "markov"), ("beats", "lstm"), ("abc", "markov")])
def test_train_and_generate_with_built_in_plugins(python, tmp_path, representation, model):
    data = tmp_path / ("tunes.abc" if representation == "abc" else "beats.txt")
    beats = "".join(f"{'x..x..x.' * n}{'x.' * n}\n" for n in range(1, 9))
    data.write_text(TUNES if representation == "abc" else beats)
    home = {"COMPOSER_HOME": str(tmp_path / "home")}
    settings = ["--set", "hidden=16"] if model == "lstm" else []
    train = ["train", representation, data, "--model", model, "--name", "mine", "--max-updates", "20", "--seed", "1"]
    generate = ["gen", representation, "--count", "9", "--length", "40", "--seed", "3"]
    both = [list(map(str, each)) for each in ([*train, *settings], generate)]
    result = run(
        python, "-c", f"from composer.cli.app import main\nfor each in {both!r}: assert main(each) == 0", **home
    )
    assert result.stdout.strip()
    assert set(result.stdout) <= {"x", ".", "\n"} or representation == "abc"


# composer-performance


@pytest.fixture(scope="module")
def performances(tmp_path_factory):
    """A folder of performances that use the sustain pedal, have different tempos, and keep to no grid."""
    folder = tmp_path_factory.mktemp("performances")
    for number in range(6):
        file, track = mido.MidiFile(), mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000 + 10_000 * number)])
        now = 0
        for message in sorted(performed(random.Random(number)), key=lambda message: message.time):
            track.append(message.copy(time=message.time - now))
            now = message.time
        file.tracks.append(track)
        file.save(folder / f"{number}.mid")
    return folder


def performed(chance):
    """Yield the messages of a piece with chords and pedal, each with its tick as `time`."""
    for chord in range(16):
        at = 480 * chord + chance.randrange(60)
        yield mido.Message("control_change", control=64, value=100, time=at)
        yield mido.Message("control_change", control=64, value=0, time=at + 400)
        for lowest in (48, 55, 64, 72)[: 1 + chance.randrange(4)]:
            pitch, start = lowest + chance.choice((0, 2, 5)), at + chance.randrange(40)
            yield mido.Message("note_on", note=pitch, velocity=30 + chance.randrange(80), time=start)
            yield mido.Message("note_off", note=pitch, time=start + 100 + chance.randrange(200))


TINY = [
    word
    for each in ("hidden=16", "embedding=8", "layers=1", "seq_length=32", "batch_size=4")
    for word in ("--set", each)
]


@pytest.fixture(scope="module")
def trained(python, performances, tmp_path_factory):
    """The home of a model of performances, trained on variants too by a preset, interrupted and resumed."""
    home = tmp_path_factory.mktemp("performance")
    train = ["train", "performance", performances, "--name", "mine"]
    others = [*train[:3], *TINY, "--set", "window=8", "--max-updates", "4"]
    results = session(
        python, home,
        [*train, "--preset", "performance-rnn", *TINY, "--seed", "1", "--max-updates", "20"],
        [*train, "--resume", "--max-updates", "30"],
        [*others, "--name", "attn", "--model", "attn-lstm"],
        [*others, "--name", "transformer", "--model", "transformer", "--set", "heads=2"],
    )  # fmt: skip
    assert [result.code for result in results] == [0] * len(results), results
    assert results[0].err.startswith(f"{6 * 7 * 5} pieces"), results[0].err
    assert "done after 30 updates" in results[1].err
    return home


def test_performances_pass_the_contract(python, performances):
    files = sorted(performances.glob("*.mid"))
    result = session(python, performances, ["plugins", "check", "performance", *files[:3]])
    assert result.code == 0, result


def test_performances_are_generated_and_replayed(python, trained, performances):
    generate = ["gen", "performance", "--checkpoint", "mine", "--length", "200"]
    results = session(
        python, trained,
        [*generate, "--seed", "5", "--output", "one.mid"],
        ["replay", "one.mid", "--output", "again.mid"],
        [*generate, "--seed", "5", "--count", "3", "--batch-size", "3", "--output", "%d.mid"],
        ["replay", "2.mid", "--output", "again2.mid"],
        [*generate, "--seed", "1", "--candidates", "3", "--output", "best.mid"],
        [*generate, "--prime", performances / "0.mid", "--duration", "12", "--max-notes", "2", "--output", "long.mid"],
        [*generate, "--seed", "1", "--checkpoint", "attn", "--duration", "4", "--tempo", "60", "--output", "attn.mid"],
        [*generate, "--seed", "1", "--checkpoint", "transformer", "--duration", "2", "--output", "transformer.mid"],
        ["show", "attn.mid"],
    )  # fmt: skip
    assert [result.code for result in results] == [0] * len(results), results
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


def test_performances_are_evaluated_and_shown(python, trained, performances):
    likelihood, metrics, figures, refused = session(
        python, trained,
        ["eval", "performance", performances, "--checkpoint", "mine", "--json"],
        ["eval", "performance", performances, "--checkpoint", "mine", "--generated", "2", "--json"],
        ["show", performances / "1.mid", "--surprise", "--checkpoint", "mine"],
        ["train", "performance", performances, "--model", "rnnrbm", "--name", "no"],
    )  # fmt: skip
    assert 0 < json.loads(likelihood.out)["value"] < 10
    assert metrics.code == 0, metrics
    assert json.loads(metrics.out)
    assert figures.code == 0, figures
    assert "bits per step, model mine" in figures.out
    assert refused.code == 1
    assert "model `rnnrbm` is for frames, but `performance` has tokens" in refused.err


def test_performances_train_in_two_processes(python, trained, performances):
    train = ["train", "performance", performances, *TINY, "--name", "both", "--max-updates", "3"]
    assert "done after 3 updates" in in_two_processes(python, trained, *train).stderr


# composer-transformer

SMALL = [
    word
    for each in ("hidden=16", "heads=2", "layers=2", "window=24", "embedding=8", "seq_length=32", "batch_size=4")
    for word in ("--set", each)
]
SUFFIXES = {"abc": ".abc", "grid": ".mid", "pianoroll": ".mid", "text": ".txt"}
"""Every built-in representation, and the suffix of what it writes."""


@pytest.fixture(scope="module")
def transformers(python, tmp_path_factory):
    """The home of a transformer for each representation; `parts` is as `grid`, but was interrupted and resumed."""
    home = tmp_path_factory.mktemp("transformers")
    for number in range(8):
        bars = f"{'GABcdefg'[number]}2AB c2{'dcBA'[number % 4]}2|" * 3 + f"G{1 + number % 7}A{7 - number % 7}:|"
        (home / f"{number}.abc").write_text(f"X:{number}\nM:4/4\nL:1/8\nK:G\n|:{bars}\n")
        (home / f"{number}.txt").write_text(f"row {number} boats\n{'merrily, ' * number}\n" * 3)
    options = ["--model", "transformer", *SMALL, "--set", "schedule=constant", "--max-updates"]
    results = session(
        python, home,
        *(["train", kind, home, "--name", kind, *options, 8] for kind in SUFFIXES),
        ["train", "grid", home, "--name", "parts", *options, 5],
        ["train", "grid", "--name", "parts", "--resume", "--max-updates", 8],
        ["show", "3.abc", "--surprise", "--checkpoint", "abc"],
        ["eval", "pianoroll", home, "--checkpoint", "pianoroll", "--json"],
    )  # fmt: skip
    assert [result.code for result in results] == [0] * len(results), results
    assert 0 < json.loads(results[-1].out)["value"] < 100
    return home


def test_resuming_a_transformer_gives_the_same_weights(transformers):
    whole, parts = (load_file(transformers / "models" / f"{name}.safetensors") for name in ("grid", "parts"))
    assert whole.keys() == parts.keys()
    assert all((whole[name] == parts[name]).all() for name in whole)


def test_transformers_generate_the_same_in_a_batch_and_in_a_replay(python, transformers):
    commands, same = [], []
    for kind, suffix in SUFFIXES.items():
        generate = ["gen", kind, "--checkpoint", kind, "--length", 60, "--seed"]
        batch, plain = ["--count", 4, "--batch-size", 4], ["--no-provenance", "--output"]
        commands += [
            [*generate, 1, *batch, *plain, f"{kind}-%d{suffix}"], [*generate, 3, *plain, f"{kind}-alone{suffix}"],
        ]  # fmt: skip
        same.append((f"{kind}-3{suffix}", f"{kind}-alone{suffix}"))
        if kind != "text":
            tune, again = f"{kind}{suffix}", f"{kind}-again{suffix}"
            commands += [[*generate, 1, "--output", tune], ["replay", tune, "--output", again], ["show", tune]]
            same.append((tune, again))
    results = session(python, transformers, *commands)
    assert [result.code for result in results] == [0] * len(results), results
    for one, other in same:
        assert (transformers / one).read_bytes() == (transformers / other).read_bytes(), (one, other)


def test_a_transformer_trains_in_two_processes(python, transformers):
    train = ["train", "pianoroll", transformers, "--model", "transformer", *SMALL, "--name", "both"]
    assert "done after 3 updates" in in_two_processes(python, transformers, *train, "--max-updates", 3).stderr
    result = session(python, transformers, ["gen", "pianoroll", "--checkpoint", "both", "--output", "both.mid"])
    assert result.code == 0, result
