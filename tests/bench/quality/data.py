"""Prepare the files that commands use besides `$DATA`: lists of pieces, and the 2012 piano rolls as MIDI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from composer.api import Note, Part, Score, UsageError
from composer.formats import write

from . import sharing
from .commands import words
from .nottingham import lines
from .stages import Stage

PARTS = ("train", "valid", "test")
ALONE = {"jsb-alone.txt": "JSB_Chorales", "nottingham-alone.txt": "Nottingham"}
"""The lists of test pieces that share no run with a training piece, and their data sets."""
MADE = {
    "nottingham.txt": tuple(f"nottingham-abc/{part}.txt" for part in PARTS),
    **{name: (f"bl2012/{name}.mat",) for name in ALONE.values()},
    **{listing: (f"bl2012/{name}.mat",) for listing, name in ALONE.items()},
}
"""What is made in the benchmark's folder, and from which data."""
HINT = "see `The data of bench-quality` in CONTRIBUTING.md"


def require(data: Path, stages: Iterable[Stage]) -> None:
    """Raise UsageError if `data` lacks files that the commands of these stages read."""
    for stage in stages:
        for command in (*stage.train, *stage.measures.values(), *_opening(stage)):
            for need in _needs(command):
                if lacking := _lacking(data, need):
                    raise UsageError(f"no {lacking} in {data}", HINT)


def prepare(data: Path, home: Path) -> None:
    """Make the missing files in `home` from those in `data`."""
    made = [name for name, sources in MADE.items() if not any(_lacking(data, source) for source in sources)]
    if "nottingham.txt" in made:
        (home / "nottingham.txt").write_text("\n".join(lines(data / "nottingham-abc")) + "\n")
    for name in ALONE.values():
        if name in made and not (home / name / "whole").exists():
            _rolls(data / "bl2012" / f"{name}.mat", home / name)
    for listing, name in ALONE.items():
        if listing in made and not (home / listing).exists():
            (home / listing).write_text("".join(f"test {piece}\n" for piece in _alone(data / "bl2012" / f"{name}.mat")))


def _opening(stage: Stage) -> list[str]:
    return [f"composer eval text {stage.opening}"] if stage.opening else []


def _needs(command: str) -> Iterator[str]:
    """Yield the paths in the data folder that a command needs, also for files made from them."""
    for word in words(command):
        if word.startswith("$DATA/"):
            yield word.removeprefix("$DATA/")
        yield from MADE.get(word.partition("/")[0], ())


def _lacking(data: Path, need: str) -> str:
    """Return the first part of a path or pattern that is missing in `data`; empty if there is none."""
    parts = Path(need).parts
    paths = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    return next((path for path in paths if not any(data.glob(path))), "")


def _alone(path: Path) -> list[str]:
    """Return the test pieces of a data set that share no run with its training pieces."""
    from scipy.io import loadmat

    cells = loadmat(path)
    train, test = ([roll.tolist() for roll in cells[f"{part}data"][0]] for part in ("train", "test"))
    return [_name(number) for number in sharing.alone(train, test)]


def _rolls(path: Path, folder: Path) -> None:
    """Write the frames of a data set's pieces as MIDI files, a beat per frame."""
    from scipy.io import loadmat

    cells = loadmat(path)
    for part in PARTS:
        into = folder / part
        into.mkdir(parents=True, exist_ok=True)
        for number, frames in enumerate(cells[f"{part}data"][0]):
            (into / _name(number)).write_bytes(write("midi", Score((Part(tuple(held(frames))),))))
    (folder / "whole").touch()


def _name(number: int) -> str:
    """Return the file name of a piece, counted from 0."""
    return f"{number + 1:03}.mid"


def held(frames: Sequence[Sequence[float]]) -> Iterator[Note]:
    """Yield the notes of a roll (T, 88) whose column 0 is pitch 21, joining consecutive frames of a pitch."""
    for column in range(88):
        begin = None
        for time, on in enumerate([*(bool(frame[column]) for frame in frames), False]):
            if on and begin is None:
                begin = time
            elif not on and begin is not None:
                yield Note(Fraction(begin), 21 + column, Fraction(time - begin))
                begin = None
