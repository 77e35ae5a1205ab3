"""Whether melodies on a grid and pianorolls are what a player asked for, judged by the MIDI that was written.

    python tests/bench/frame_wishes.py grid
    python tests/bench/frame_wishes.py pianoroll --count 20 --checkpoint chorales.safetensors

For every wish, and for random pairs of wishes, pieces are composed by `composer gen`, read by mido and held against
what the words mean; nothing of the rules that made them takes part. Prints how many obey, and why others do not or were
refused.
"""

from __future__ import annotations

import argparse
import io
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import mido

from composer.cli.app import main as composer
from composer.cli.console import Console

STEP = Fraction(1, 4)
"""The bundled models step in sixteenths; times here are in steps of a quarter of a beat."""
WITHOUT_LENGTH = {"grid": 1024, "pianoroll": 96}
TUNE_BARS, BAR = 8, 16

NOTES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
KEYS = {
    "G": "G A B C D E F#", "Am": "A B C D E F G", "Ddor": "D E F G A B C", "Bb": "Bb C D Eb F G A",
    "F#m": "F# G# A B C# D E",
}  # fmt: skip
SCALES = {
    "D dorian": "D E F G A B C", "A blues": "A C D Eb E G", "C pentatonic": "C D E G A",
    "E harmonic minor": "E F# G A B C D#", "Bb major": "Bb C D Eb F G A",
}  # fmt: skip
RANGES = {"60-79": (60, 79), "C4-C6": (60, 84), "67-74": (67, 74), "G4-G4": (67, 67), "61-61": (61, 61)}
METERS = {"6/8": 12, "3/4": 12, "2/4": 8, "5/4": 20, "C|": 16, "4/4": 16}
DENSITIES = {"1": (1, 1), "0.5..3": (0.5, 3), "2.5": (2.5, 2.5), "4..1": (4, 1), "0.3": (0.3, 0.3)}
KEPT = {"4-8": range(4, 9), "1,3": (1, 3), "2-5": range(2, 6), "8": (8,)}
MOST = {str(number): number for number in range(1, 6)}

Wishes = Mapping[str, str]


class Heard(NamedTuple):
    """A note of a MIDI file, in steps: where it begins and ends, and its pitch."""

    start: int
    end: int
    pitch: int


class Written(NamedTuple):
    """A MIDI file: its notes and its meters."""

    notes: Sequence[Heard]
    meters: Sequence[tuple[int, int]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("representation", choices=sorted(WITHOUT_LENGTH))
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoint")
    given = parser.parse_args(arguments)
    dealer = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(given.representation, Path(folder), given.checkpoint)
        for wish in bench.values:
            found: Counter[str] = Counter()
            for value, count in Counter(dealer.choice(list(bench.values[wish])) for _ in range(given.count)).items():
                found += bench.compose({wish: value}, count, dealer.randrange(10**6))
            told(f"--{wish}", found)
        found = Counter()
        for _ in range(given.count):
            pair = dealer.sample(list(bench.values), 2)
            wishes = {wish: dealer.choice(list(bench.values[wish])) for wish in pair}
            found += bench.compose(wishes, 1, dealer.randrange(10**6))
        told("pairs", found)


def told(name: str, found: Mapping[str, int]) -> None:
    """Print a row."""
    print(f"{name:14} {found.get('obeys', 0):4} of {sum(found.values())} obey")
    for outcome, count in sorted(found.items()):
        if outcome != "obeys":
            print(f"{'':14} {count:4} {outcome}")


class Bench:
    """Composes and judges in a folder of its own."""

    def __init__(self, representation: str, folder: Path, checkpoint: str | None) -> None:
        self.representation, self.folder = representation, folder
        self.model = ("--checkpoint", checkpoint) if checkpoint else ()
        self.values: Mapping[str, Mapping[str, Any]] = {
            "range": RANGES, "key": KEYS, "scale": SCALES, "bars": MOST, "meter": METERS, "density": DENSITIES,
            "keep-bars": KEPT,
        }  # fmt: skip
        if representation == "pianoroll":
            self.values = {**self.values, "max-notes": MOST, "max-onsets": MOST, "max-sustained": MOST}
        self.tune = folder / "tune.mid"
        wrong = self._gen("--bars", str(TUNE_BARS), "--density", "2", "--seed", "7", "--output", str(self.tune))
        assert not wrong, wrong
        self.kept = read(self.tune)

    def compose(self, wishes: Wishes, count: int, seed: int) -> Counter[str]:
        """What became of `count` pieces: how many obey, and otherwise why not, or why they were refused."""
        flags = [word for wish, value in wishes.items() for word in (f"--{wish}", value)]
        if "keep-bars" in wishes:
            flags += ["--prime", str(self.tune)]
        elif self.representation == "pianoroll" and "bars" not in wishes:
            flags += ["--length", str(WITHOUT_LENGTH["pianoroll"])]
        output = self.folder / "piece-%d.mid"
        refused = self._gen(*flags, "-n", str(count), "--seed", str(seed), "--force", "--output", str(output))
        if refused and "no notes" not in refused:
            return Counter({f"refused: {refused}": count})
        found: Counter[str] = Counter()
        for number in range(1, count + 1):
            path = Path(str(output) % number)
            found[next(self.judged(read(path), wishes), "obeys") if path.exists() else "silent, and not written"] += 1
            path.unlink(missing_ok=True)
        return found

    def _gen(self, *arguments: str) -> str:
        """Compose; what went wrong, in a line."""
        said = io.StringIO()
        code = composer(
            ["gen", self.representation, *arguments, *self.model, "--quiet"],
            Console(stdout=io.BytesIO(), stderr=said),  # type: ignore[arg-type]
        )
        return said.getvalue().partition("\n")[0].removeprefix("error: ") or "failed" if code else ""

    def judged(self, piece: Written, wishes: Wishes) -> Iterator[str]:
        """What is wrong with a piece."""
        bars = KEPT[wishes["keep-bars"]] if "keep-bars" in wishes else ()
        length = METERS.get(wishes.get("meter", ""), BAR)
        kept = {length * bar - length + step for bar in bars for step in range(length)}
        steps = max((note.end for note in piece.notes), default=0)
        yield from self._pitches([note for note in piece.notes if note.start not in kept], wishes)
        yield from self._bars(piece, wishes, steps)
        for bar in bars:
            places = length * bar - length, length * bar
            yield from (
                () if within(piece.notes, *places) == within(self.kept.notes, *places) else (f"another bar {bar}",)
            )
        for wish in MOST_AT_A_TIME.keys() & wishes.keys():
            counts = ((step, MOST_AT_A_TIME[wish](piece.notes, step)) for step in range(steps) if step not in kept)
            yield from (f"{count} at step {step}, --{wish}" for step, count in counts if count > int(wishes[wish]))
        if "density" in wishes:
            yield from self._density(piece, wishes, kept, steps)

    def _pitches(self, notes: Sequence[Heard], wishes: Wishes) -> Iterator[str]:
        low, high = RANGES[wishes["range"]] if "range" in wishes else (0, 127)
        yield from (f"{note} is out of range" for note in notes if not low <= note.pitch <= high)
        for wish, table in (("key", KEYS), ("scale", SCALES)):
            if wish in wishes:
                classes = {pitch_class(name) for name in table[wishes[wish]].split()}
                yield from (f"{note} is not in {wishes[wish]}" for note in notes if note.pitch % 12 not in classes)

    def _bars(self, piece: Written, wishes: Wishes, steps: int) -> Iterator[str]:
        meter = wishes.get("meter", "")
        if meter:
            signature = (2, 2) if meter == "C|" else tuple(map(int, meter.split("/")))
            yield from () if list(piece.meters) == [signature] else (f"the meters are {piece.meters}",)
        if "bars" in wishes and steps != int(wishes["bars"]) * METERS.get(meter, BAR):
            yield f"{steps} steps are not {wishes['bars']} bars"

    def _density(self, piece: Written, wishes: Wishes, kept: set[int], steps: int) -> Iterator[str]:
        first, last = map(Fraction, map(str, DENSITIES[wishes["density"]]))
        if kept:
            length = TUNE_BARS * BAR
        elif "bars" in wishes:
            length = int(wishes["bars"]) * METERS.get(wishes.get("meter", ""), BAR)
        else:
            length = WITHOUT_LENGTH[self.representation]
        # what is held into bars that stay is struck whatever the density, in rolls
        slack = max(first, last, Fraction(1)) + (
            held_into(self.kept.notes, kept) if self.representation != "grid" else 0
        )
        due, begun = Fraction(0), 0
        for step in range(steps):
            if step not in kept:
                due += STEP * (first + (last - first) * Fraction(2 * step + 1, 2 * length))
                begun += sum(note.start == step for note in piece.notes)
            if abs(begun - due) > slack:
                yield f"{begun} notes after {step + 1} steps, where {float(due):g} are due"
                return


MOST_AT_A_TIME: Mapping[str, Callable[[Sequence[Heard], int], int]] = {
    "max-notes": lambda notes, step: sum(note.start <= step < note.end for note in notes),
    "max-onsets": lambda notes, step: sum(note.start == step for note in notes),
    "max-sustained": lambda notes, step: sum(note.start < step < note.end for note in notes),
}


def within(notes: Sequence[Heard], first: int, last: int) -> list[tuple[int, int, int, bool]]:
    """What sounds from step `first` to `last`, and whether it is struck there."""
    return sorted(
        (max(note.start, first), min(note.end, last), note.pitch, note.start >= first)
        for note in notes
        if note.start < last and note.end > first
    )


def held_into(notes: Sequence[Heard], kept: set[int]) -> int:
    """How many notes are held into bars that stay from others."""
    return sum(note.start < step < note.end for step in kept if step - 1 not in kept for note in notes)


def pitch_class(name: str) -> int:
    """The pitch class of a note's name."""
    return (NOTES[name[0]] + name.count("#") - name[1:].count("b")) % 12


def read(path: Path) -> Written:
    """A MIDI file as mido reads it. Raises AssertionError where a note is off the grid."""
    file, notes, meters = mido.MidiFile(path), [], []
    for track in file.tracks:
        now, struck = 0, {}
        for message in track:
            now += message.time
            if message.type == "time_signature":
                meters.append((message.numerator, message.denominator))
            if message.type not in ("note_on", "note_off"):
                continue
            step = Fraction(4 * now, file.ticks_per_beat)
            assert step.denominator == 1, f"{path}: a note at tick {now}"
            if message.type == "note_on" and message.velocity:
                struck[message.note] = int(step)
            else:
                notes.append(Heard(struck.pop(message.note), int(step), message.note))
    return Written(sorted(notes), meters)


if __name__ == "__main__":
    main()
