"""Every published system, trained for a stated time with its preset, beside the figures that were published.

    python tests/bench/systems.py DATA [--budget 180] [--home FOLDER] [--only NAME...]

DATA holds `nottingham-abc`, `nottingham-midi`, `bl2012` (needs scipy) and `text`. Each system's result is kept in HOME
as it is measured, and one that is there is not measured again; RESULTS.md, beside this script, is made of all of them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from nottingham import lines
from tunes import faults

from composer.api import Note, Part, Score
from composer.core import corpus
from composer.core.checkpoint import read_header
from composer.core.player import open_player
from composer.core.split import Split, divide
from composer.formats import write
from composer.formats.abc.check import check
from composer.formats.abc.lexer import split_tunes
from composer.formats.abc.parser import parse_tune

HERE = Path(__file__).parent
PARTS = ("train", "valid", "test")
STORY = (0, 500, 1000, 7200)
"""The batches after which char-rnn's article shows what its network writes; the training tunes take 61 epochs to the
last, where the article's 50 were of all tunes."""


@dataclass(frozen=True)
class System:
    """A preset, what it learns from and is measured on, and the figure to compare with.

    In the arguments, `{data}` is the folder of data and `{home}` that of this benchmark.
    """

    preset: str
    representation: str
    data: str
    published: str
    train: tuple[str, ...]
    measure: tuple[str, ...]
    model: str = ""

    @property
    def name(self) -> str:
        """What its model is called."""
        return self.model or self.preset


ABC = ("{data}/nottingham-abc/cleaned", "--split", "{home}/nottingham.txt")
POETS = ("{data}/text/*.txt", "-o", "label=file")
ROLLS = ("-o", "steps=1", "-o", "offgrid=refuse")
BETTER = ("--set", "cell=lstm", "--set", "optimiser=adam", "--lr", "0.004")
SYSTEMS = (
    System(
        "charrnn-abc", "abc", "Nottingham in ABC, the 2012 split",
        "char-rnn-tensorflow 1.38, char-rnn.pytorch 1.44 bits per character",
        (*ABC, "--epochs", "61"), (*ABC, "--part", "test"),
    ),
    System(
        "folk-grid", "grid", "1,781 Erk songs, a tenth held back for the test", "0.74 nats (1.07 bits) per token",
        ("corpus:essenFolksong/erk*",), ("corpus:essenFolksong/erk*", "--part", "test"),
    ),
    System("lyrics", "text", "five poets, a tenth held back", "none in bits", POETS[:1], (POETS[0], "--part", "valid")),
    System("lyrics-by-artist", "text", "the same", "none in bits", POETS, (POETS[0], "--part", "valid")),
    System(
        "piano-lstm", "pianoroll", "Nottingham, the 2012 piano-rolls", "3.29 nats per frame (LSTM, Bai 2018)",
        ("{home}/Nottingham/train", "--valid", "{home}/Nottingham/valid", *ROLLS), ("{home}/Nottingham/test",),
    ),
    System(
        "rnnrbm-bl2012", "pianoroll", "Nottingham, the 2012 piano-rolls", "2.39 nats per frame (AIS)",
        ("{home}/Nottingham/train", "--valid", "{home}/Nottingham/valid", *ROLLS), ("{home}/Nottingham/test",),
    ),
    System(
        "rnnrbm-bl2012", "pianoroll", "JSB chorales, the 2012 piano-rolls", "6.27 nats per frame (AIS)",
        ("{home}/JSB_Chorales/train", "--valid", "{home}/JSB_Chorales/valid", *ROLLS), ("{home}/JSB_Chorales/test",),
        "rnnrbm-jsb",
    ),
    System(
        "rnnrbm-bl2012", "pianoroll", "the same of Nottingham, LSTM cells and Adam", "2.39 nats per frame (AIS)",
        ("{home}/Nottingham/train", "--valid", "{home}/Nottingham/valid", *ROLLS, *BETTER),
        ("{home}/Nottingham/test",), "rnnrbm-nottingham-adam",
    ),
    System(
        "rnnrbm-bl2012", "pianoroll", "the same of JSB chorales, LSTM cells and Adam", "6.27 nats per frame (AIS)",
        ("{home}/JSB_Chorales/train", "--valid", "{home}/JSB_Chorales/valid", *ROLLS, *BETTER),
        ("{home}/JSB_Chorales/test",), "rnnrbm-jsb-adam",
    ),
    System(
        "rnn-nade", "pianoroll", "Nottingham, the 2012 piano-rolls", "2.31 nats per frame",
        ("{home}/Nottingham/train", "--valid", "{home}/Nottingham/valid", *ROLLS), ("{home}/Nottingham/test",),
    ),
    System(
        "rnn-nade", "pianoroll", "JSB chorales, the 2012 piano-rolls", "5.56 nats per frame",
        ("{home}/JSB_Chorales/train", "--valid", "{home}/JSB_Chorales/valid", *ROLLS), ("{home}/JSB_Chorales/test",),
        "rnn-nade-jsb",
    ),
    System(
        "rnnrbm", "pianoroll", "Nottingham as MIDI, five sixteenths a frame", "none",
        ("{data}/nottingham-midi/train", "--valid", "{data}/nottingham-midi/valid"), ("{data}/nottingham-midi/test",),
    ),
    System(
        "attention-piano", "pianoroll", "Nottingham as MIDI", "none",
        ("{data}/nottingham-midi/train", "--valid", "{data}/nottingham-midi/valid", "-o", "parts=all"),
        ("{data}/nottingham-midi/test",),
    ),
)  # fmt: skip


def main() -> None:
    """Measure what has not been measured, and write RESULTS.md."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--budget", type=float, default=180, help="seconds to train each system")
    arguments.add_argument("--home", type=Path, default=Path("build/systems"))
    arguments.add_argument("--only", nargs="*", default=[])
    given = arguments.parse_args()
    home = given.home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    os.environ["COMPOSER_HOME"] = str(home)
    prepare(given.data, home)
    for system in SYSTEMS:
        kept = home / f"{system.name}.json"
        if kept.exists() or (given.only and system.name not in given.only):
            continue
        print(f"{system.name}: training for {given.budget:.0f} s", flush=True)
        kept.write_text(json.dumps(measured(system, given.data.absolute(), home, given.budget)))
    results = {s.name: json.loads(p.read_text()) for s in SYSTEMS if (p := home / f"{s.name}.json").exists()}
    (HERE / "RESULTS.md").write_text(page(results), "utf-8")


def prepare(data: Path, home: Path) -> None:
    """The lists and rolls that the systems learn from."""
    (home / "nottingham.txt").write_text("\n".join(lines(data / "nottingham-abc")) + "\n")
    for path in sorted((data / "bl2012").glob("*.mat")):
        if not (home / path.stem / "test").exists():
            rolls(path, home / path.stem)


def rolls(path: Path, folder: Path) -> None:
    """The frames of a benchmark's pieces as MIDI files, a beat to each frame."""
    from scipy.io import loadmat

    cells = loadmat(path)
    for part in PARTS:
        into = folder / part
        into.mkdir(parents=True, exist_ok=True)
        for number, frames in enumerate(cells[f"{part}data"][0], 1):
            (into / f"{number:03}.mid").write_bytes(write("midi", Score((Part(tuple(held(frames))),))))


def held(frames: Sequence[Sequence[float]]) -> Iterator[Note]:
    """The notes of a roll (T, 88) whose column 0 is pitch 21; neighbouring frames of a pitch are one note."""
    for column in range(88):
        begin = None
        for time_, on in enumerate([*(bool(frame[column]) for frame in frames), False]):
            if on and begin is None:
                begin = time_
            elif not on and begin is not None:
                yield Note(Fraction(begin), 21 + column, Fraction(time_ - begin))
                begin = None


def measured(system: System, data: Path, home: Path, budget: float) -> dict:
    """Train a system for `budget` seconds, and measure it."""
    options = ["--snapshots", ",".join(map(str, STORY))] if system.preset == "charrnn-abc" else []
    command = ["train", system.representation, *filled(system.train, data, home), "--preset", system.preset]
    seconds = trained([*command, "--name", system.name, "--force", *options], budget)
    checkpoint = home / "models" / f"{system.name}.safetensors"
    asked = ["eval", system.representation, *filled(system.measure, data, home), "--checkpoint", str(checkpoint)]
    found = json.loads(composer(*asked, "--json", "--quiet"))
    record = read_header(checkpoint).record
    apart = None
    if "{home}/JSB_Chorales" in system.measure[0]:
        files = alone(data, home / "JSB_Chorales" / "test")
        asked = ["eval", system.representation, *files, "--checkpoint", str(checkpoint)]
        apart = json.loads(composer(*asked, "--json", "--quiet"))
    story = [told(step, home) for step in STORY] if options else []
    opening = after_openings(checkpoint, filled(POETS[:1], data, home)) if system.representation == "text" else None
    return {
        "opening": opening,
        "found": found, "apart": apart, "seconds": seconds, "steps": record["steps"], "best": record["best_step"],
        "story": [each for each in story if each],
        "command": " ".join(["composer", *command]).replace(f"{data}/", "").replace(f"{home}/", ""),
    }  # fmt: skip


def alone(data: Path, folder: Path) -> list[str]:
    """The test pieces whose top voice shares no run of 24 intervals with a training piece."""
    sharing = json.loads((data / "bl2012" / "test-pieces-sharing-runs-with-train.json").read_text())["JSB_Chorales"]
    return [str(path) for number, path in enumerate(sorted(folder.glob("*.mid"))) if number not in sharing]


def trained(arguments: list[str], budget: float) -> float:
    """Train until `budget` seconds are over since the first step, or training ends; the seconds it took."""
    process = subprocess.Popen([*COMPOSER, *arguments, "--json"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    begin = stopped = None
    for line in process.stdout:
        if '"event": "stepped"' in line:
            begin = begin or time.monotonic()
            if stopped is None and time.monotonic() - begin > budget:
                stopped = time.monotonic()
                process.send_signal(signal.SIGINT)
    process.wait()
    return (stopped or time.monotonic()) - (begin or time.monotonic())


def told(step: int, home: Path) -> dict | None:
    """What the network of the story writes after `step` batches: of 50 tunes, how many parse, and are without fault."""
    path = home / "models" / f"charrnn-abc.step-{step}.safetensors"
    if not path.exists():
        return None
    asked = ("--count", "50", "--seed", "1", "--quiet", "--length", "1000", "--width", "50")
    text = composer("gen", "abc", "--checkpoint", str(path), *asked)
    tunes = re.findall(r"^X:\d+\n.*?(?=^X:|\Z)", text, re.MULTILINE | re.DOTALL)
    keyed = [tune for tune in tunes if re.search(r"^K:", tune, re.MULTILINE)]
    found = [faults(tune) for tune in keyed] if shutil.which("abc2midi") else None
    return {
        "step": step,
        "tunes": len(tunes),
        "parse": sum(not any(parse_tune(each).diagnostics for each in split_tunes(tune)) for tune in keyed),
        "ours": sum(not check(tune) for tune in keyed),
        "no error": None if found is None else sum(not errors for errors, _ in found),
        "abc2midi": None if found is None else sum(not any(both) for both in found),
    }


def after_openings(checkpoint: Path, files: Sequence[str], skip: int = 100) -> float:
    """Bits per character of held-back texts from character `skip` on: what goes before is a given opening."""
    opened = open_player(checkpoint, "text")
    read = corpus.read(opened.representation, files)
    held = divide(Split(), read.pieces, {}).pieces["valid"]
    total = count = 0.0
    for piece in held:
        state = opened.sampler.begin([{k: v for k, v in piece.labels.items() if k in opened.spec.conditions}])
        for at, step in enumerate(opened.representation.encode(piece)[:1000]):
            if at >= skip:
                total -= float(opened.sampler.score(state, np.array([step]))[0]) / math.log(2)
                count += 1
            state = opened.sampler.observe(state, np.array([step]))
    return total / count


COMPOSER = (sys.executable, "-m", "composer")


def composer(*arguments: str) -> str:
    """What the program prints."""
    return subprocess.run([*COMPOSER, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def filled(arguments: Sequence[str], data: Path, home: Path) -> list[str]:
    """The arguments with the folders in them."""
    return [argument.format(data=data, home=home) for argument in arguments]


def page(results: dict[str, dict]) -> str:
    """RESULTS.md."""
    text = [
        "# The published systems, trained again",
        "",
        "Made by `python tests/bench/systems.py DATA`. Each was trained by its preset for the seconds that stand",
        "here, a small part of what the articles took, on a core that was shared; the figures are of held-back pieces.",
        "",
        "| preset | data | published | here | trained |",
        "|---|---|---|---|---|",
    ]
    known = {system.name: system for system in SYSTEMS}
    for name, result in results.items():
        found, system = result["found"], known[name]
        error = f" ± {found['stderr']:.3f}" if found["stderr"] else ""
        figure = f"{found['value']:.3f}{error} {found['unit']}, {found['pieces']} pieces"
        if apart := result.get("apart"):
            figure += f"; {apart['value']:.3f} on the {apart['pieces']} that share no run with training"
        trained_for = f"{result['steps']:,} steps, {result['seconds']:.0f} s" + (
            f"; best after {result['best']:,}" if result["best"] else ""
        )
        text.append(f"| {system.preset} | {system.data} | {system.published} | {figure} | {trained_for} |")
    text += ["", "```", *(result["command"] for result in results.values()), "```", ""]
    openings = {name: result["opening"] for name, result in results.items() if result["opening"]}
    if len(openings) == 2:
        text += ["## What a given opening is worth", ""]
        text += [
            "Bits per character of the held-back poems from their 100th character on, which goes before being given:",
            "",
        ]
        text += [f"- `{name}`: {bits:.3f}" for name, bits in openings.items()] + [""]
        told = "does better, as the article found" if openings["lyrics"] < openings["lyrics-by-artist"] else "does not"
        text += [f"So the model that is not told the author {told}; both learnt for as long.", ""]
    story = results.get("charrnn-abc", {}).get("story", [])
    if story:
        text += ["## What char-rnn writes as it learns", "", "Of 50 tunes at temperature 1, without any rule:", ""]
        columns = {"step": "batches", "parse": "parse", "ours": "and every bar, repeat and tie is whole"}
        columns |= {"no error": "no error by abc2midi", "abc2midi": "and no warning"}
        text += [f"| {' | '.join(columns.values())} |", "|---" * len(columns) + "|"]
        text += [f"| {' | '.join(str(each[column]) for column in columns)} |" for each in story]
        text.append("")
    return "\n".join(text)


if __name__ == "__main__":
    main()
