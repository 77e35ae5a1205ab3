"""An environment in which all third-party packages are installed, and the program in it."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import mido
import pytest
from third_party.environments import new_environment, run

HERE = Path(__file__).parent
PACKAGES = ("package", "broken", "composer_performance", "composer_transformer")


class Result(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def python(tmp_path_factory):
    """Return the interpreter of an environment in which the packages are installed with pip."""
    folder = tmp_path_factory.mktemp("environment")
    python = new_environment(folder)
    wheels, sources = folder / "wheels", [HERE / package for package in PACKAGES]
    quiet = ["--quiet", "--no-deps", "--disable-pip-version-check"]
    run(sys.executable, "-m", "pip", "wheel", *quiet, "--no-build-isolation", "-w", wheels, *sources)
    run(sys.executable, "-m", "pip", "--python", python, "install", *quiet, *sorted(wheels.glob("*.whl")))
    return python


@pytest.fixture(scope="session")
def _process(python):
    """Start a process that runs commands of the program there."""
    command = [str(python), str(HERE / "session.py")]
    environ = {**os.environ, "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env=environ
    ) as process:
        yield process


@pytest.fixture(scope="session")
def session(_process):
    """Run commands of the program in a folder, which is also its home: `session(folder, ["plugins"], ...)`.

    Returns their results. All must succeed, unless `may_fail`.
    """

    def commands_in(folder, *commands, may_fail=False):
        asked = {"folder": str(folder), "commands": [list(map(str, command)) for command in commands]}
        print(json.dumps(asked), file=_process.stdin, flush=True)
        answer = _process.stdout.readline()
        assert answer, "the process ended"
        results = [Result(*each) for each in json.loads(answer)]
        failed = [] if may_fail else [f"{c}: {r.err}" for c, r in zip(commands, results, strict=True) if r.code]
        assert not failed, "\n".join(failed)
        return results

    return commands_in


@pytest.fixture(scope="session")
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
