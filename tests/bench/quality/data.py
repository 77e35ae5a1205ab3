"""The files that the commands name beside `$DATA`, made once: lists of pieces, the 2012 piano-rolls as MIDI."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from nottingham import lines

from composer.api import Note, Part, Score
from composer.formats import write

PARTS = ("train", "valid", "test")


def prepare(data: Path, home: Path) -> None:
    """Make what is not there yet in `home`, of what `data` has."""
    if (data / "nottingham-abc").is_dir():
        (home / "nottingham.txt").write_text("\n".join(lines(data / "nottingham-abc")) + "\n")
    for path in sorted((data / "bl2012").glob("*.mat")):
        if not (home / path.stem / "whole").exists():
            _rolls(path, home / path.stem)
    shared = data / "bl2012" / "test-pieces-sharing-runs-with-train.json"
    if shared.exists():
        sharing = json.loads(shared.read_text())["JSB_Chorales"]
        (home / "jsb-alone.txt").write_text(
            "".join(f"test {name}\n" for name in _alone(home / "JSB_Chorales", sharing))
        )


def _alone(folder: Path, sharing: Sequence[int]) -> list[str]:
    """The test pieces whose top voice shares no run of 24 intervals with a training piece."""
    names = [path.name for path in sorted((folder / "test").glob("*.mid"))]
    return [name for number, name in enumerate(names) if number not in sharing]


def _rolls(path: Path, folder: Path) -> None:
    """The frames of a benchmark's pieces as MIDI files, a beat to each frame."""
    from scipy.io import loadmat

    cells = loadmat(path)
    for part in PARTS:
        into = folder / part
        into.mkdir(parents=True, exist_ok=True)
        for number, frames in enumerate(cells[f"{part}data"][0], 1):
            (into / f"{number:03}.mid").write_bytes(write("midi", Score((Part(tuple(held(frames))),))))
    (folder / "whole").touch()


def held(frames: Sequence[Sequence[float]]) -> Iterator[Note]:
    """The notes of a roll (T, 88) whose column 0 is pitch 21; neighbouring frames of a pitch are one note."""
    for column in range(88):
        begin = None
        for time, on in enumerate([*(bool(frame[column]) for frame in frames), False]):
            if on and begin is None:
                begin = time
            elif not on and begin is not None:
                yield Note(Fraction(begin), 21 + column, Fraction(time - begin))
                begin = None
