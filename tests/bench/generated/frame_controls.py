"""Check that grid and pianoroll pieces satisfy their controls, from the MIDI files alone.

    python tests/bench/generated/frame_controls.py grid
    python tests/bench/generated/frame_controls.py pianoroll --count 20 --checkpoint chorales.safetensors

For every control, and for random pairs of controls, generates pieces with `composer gen`, reads them with mido and
checks them independently of the constraints. Prints how many satisfy the controls, and why others do not or failed.
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
DEFAULT_LENGTH = {"grid": 1024, "pianoroll": 96}
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
KEPT_BARS = {"4-8": range(4, 9), "1,3": (1, 3), "2-5": range(2, 6), "8": (8,)}
LIMITS = {str(number): number for number in range(1, 6)}

Controls = Mapping[str, str]


class MidiNote(NamedTuple):
    """A note of a MIDI file: start and end in steps, and pitch."""

    start: int
    end: int
    pitch: int


class MidiPiece(NamedTuple):
    """Notes and meters of a MIDI file."""

    notes: Sequence[MidiNote]
    meters: Sequence[tuple[int, int]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("representation", choices=sorted(DEFAULT_LENGTH))
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoint")
    options = parser.parse_args(arguments)
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.representation, Path(folder), options.checkpoint)
        for control in bench.values:
            found: Counter[str] = Counter()
            for value, count in Counter(
                generator.choice(list(bench.values[control])) for _ in range(options.count)
            ).items():
                found += bench.compose({control: value}, count, generator.randrange(10**6))
            print_outcomes(f"--{control}", found)
        found = Counter()
        for _ in range(options.count):
            pair = generator.sample(list(bench.values), 2)
            controls = {control: generator.choice(list(bench.values[control])) for control in pair}
            found += bench.compose(controls, 1, generator.randrange(10**6))
        print_outcomes("pairs", found)


def print_outcomes(name: str, found: Mapping[str, int]) -> None:
    """Print one row."""
    print(f"{name:14} {found.get('ok', 0):4} of {sum(found.values())} satisfy it")
    for outcome, count in sorted(found.items()):
        if outcome != "ok":
            print(f"{'':14} {count:4} {outcome}")


class Bench:
    """Generates and checks pieces in a folder."""

    def __init__(self, representation: str, folder: Path, checkpoint: str | None) -> None:
        self.representation, self.folder = representation, folder
        self.model = ("--checkpoint", checkpoint) if checkpoint else ()
        self.values: Mapping[str, Mapping[str, Any]] = {
            "range": RANGES, "key": KEYS, "scale": SCALES, "bars": LIMITS, "meter": METERS, "density": DENSITIES,
            "keep-bars": KEPT_BARS,
        }  # fmt: skip
        if representation == "pianoroll":
            self.values = {**self.values, "max-notes": LIMITS, "max-onsets": LIMITS, "max-sustained": LIMITS}
        self.tune = folder / "tune.mid"
        wrong = self._gen("--bars", str(TUNE_BARS), "--density", "2", "--seed", "7", "--output", str(self.tune))
        assert not wrong, wrong
        self.source = read(self.tune)

    def compose(self, controls: Controls, count: int, seed: int) -> Counter[str]:
        """Generate `count` pieces; count those that are ok, and the reasons why others are not or failed."""
        flags = [word for control, value in controls.items() for word in (f"--{control}", value)]
        if "keep-bars" in controls:
            flags += ["--prime", str(self.tune)]
        elif self.representation == "pianoroll" and "bars" not in controls:
            flags += ["--length", str(DEFAULT_LENGTH["pianoroll"])]
        output = self.folder / "piece-%d.mid"
        error = self._gen(*flags, "-n", str(count), "--seed", str(seed), "--force", "--output", str(output))
        if error and "no notes" not in error:
            return Counter({f"failed: {error}": count})
        found: Counter[str] = Counter()
        for number in range(1, count + 1):
            path = Path(str(output) % number)
            found[next(self.violations(read(path), controls), "ok") if path.exists() else "no notes, not written"] += 1
            path.unlink(missing_ok=True)
        return found

    def _gen(self, *arguments: str) -> str:
        """Run `composer gen`; return its error as one line, or an empty string."""
        stderr = io.StringIO()
        code = composer(
            ["gen", self.representation, *arguments, *self.model, "--quiet"],
            Console(stdout=io.BytesIO(), stderr=stderr),  # type: ignore[arg-type]
        )
        return stderr.getvalue().partition("\n")[0].removeprefix("error: ") or "failed" if code else ""

    def violations(self, piece: MidiPiece, controls: Controls) -> Iterator[str]:
        """Yield what is wrong with a piece."""
        bars = KEPT_BARS[controls["keep-bars"]] if "keep-bars" in controls else ()
        length = METERS.get(controls.get("meter", ""), BAR)
        kept_steps = {length * bar - length + step for bar in bars for step in range(length)}
        steps = max((note.end for note in piece.notes), default=0)
        yield from self._pitches([note for note in piece.notes if note.start not in kept_steps], controls)
        yield from self._bars(piece, controls, steps)
        for bar in bars:
            places = length * bar - length, length * bar
            yield from (
                ()
                if notes_in(piece.notes, *places) == notes_in(self.source.notes, *places)
                else (f"another bar {bar}",)
            )
        for control in COUNTS.keys() & controls.keys():
            counts = ((step, COUNTS[control](piece.notes, step)) for step in range(steps) if step not in kept_steps)
            yield from (
                f"{count} at step {step}, --{control}" for step, count in counts if count > int(controls[control])
            )
        if "density" in controls:
            yield from self._density(piece, controls, kept_steps, steps)

    def _pitches(self, notes: Sequence[MidiNote], controls: Controls) -> Iterator[str]:
        low, high = RANGES[controls["range"]] if "range" in controls else (0, 127)
        yield from (f"{note} out of range" for note in notes if not low <= note.pitch <= high)
        for control, table in (("key", KEYS), ("scale", SCALES)):
            if control in controls:
                classes = {pitch_class(name) for name in table[controls[control]].split()}
                yield from (f"{note} is not in {controls[control]}" for note in notes if note.pitch % 12 not in classes)

    def _bars(self, piece: MidiPiece, controls: Controls, steps: int) -> Iterator[str]:
        meter = controls.get("meter", "")
        if meter:
            signature = (2, 2) if meter == "C|" else tuple(map(int, meter.split("/")))
            yield from () if list(piece.meters) == [signature] else (f"the meters are {piece.meters}",)
        if "bars" in controls and steps != int(controls["bars"]) * METERS.get(meter, BAR):
            yield f"{steps} steps are not {controls['bars']} bars"

    def _density(self, piece: MidiPiece, controls: Controls, kept_steps: set[int], steps: int) -> Iterator[str]:
        first, last = map(Fraction, map(str, DENSITIES[controls["density"]]))
        if kept_steps:
            length = TUNE_BARS * BAR
        elif "bars" in controls:
            length = int(controls["bars"]) * METERS.get(controls.get("meter", ""), BAR)
        else:
            length = DEFAULT_LENGTH[self.representation]
        # in piano rolls, notes held into kept bars have onsets whatever the density
        slack = max(first, last, Fraction(1)) + (
            held_into(self.source.notes, kept_steps) if self.representation != "grid" else 0
        )
        expected, onsets = Fraction(0), 0
        for step in range(steps):
            if step not in kept_steps:
                expected += STEP * (first + (last - first) * Fraction(2 * step + 1, 2 * length))
                onsets += sum(note.start == step for note in piece.notes)
            if abs(onsets - expected) > slack:
                yield f"{onsets} notes after {step + 1} steps instead of {float(expected):g}"
                return


COUNTS: Mapping[str, Callable[[Sequence[MidiNote], int], int]] = {
    "max-notes": lambda notes, step: sum(note.start <= step < note.end for note in notes),
    "max-onsets": lambda notes, step: sum(note.start == step for note in notes),
    "max-sustained": lambda notes, step: sum(note.start < step < note.end for note in notes),
}


def notes_in(notes: Sequence[MidiNote], first: int, last: int) -> list[tuple[int, int, int, bool]]:
    """Return the notes from step `first` to `last`, and whether they start there."""
    return sorted(
        (max(note.start, first), min(note.end, last), note.pitch, note.start >= first)
        for note in notes
        if note.start < last and note.end > first
    )


def held_into(notes: Sequence[MidiNote], kept_steps: set[int]) -> int:
    """Count notes held into kept bars from others."""
    return sum(note.start < step < note.end for step in kept_steps if step - 1 not in kept_steps for note in notes)


def pitch_class(name: str) -> int:
    """Return the pitch class of a note name."""
    return (NOTES[name[0]] + name.count("#") - name[1:].count("b")) % 12


def read(path: Path) -> MidiPiece:
    """Read a MIDI file with mido. Raises AssertionError for notes off the grid."""
    file, notes, meters = mido.MidiFile(path), [], []
    for track in file.tracks:
        now, active = 0, {}
        for message in track:
            now += message.time
            if message.type == "time_signature":
                meters.append((message.numerator, message.denominator))
            if message.type not in ("note_on", "note_off"):
                continue
            step = Fraction(4 * now, file.ticks_per_beat)
            assert step.denominator == 1, f"{path}: a note at tick {now}"
            if message.type == "note_on" and message.velocity:
                active[message.note] = int(step)
            else:
                notes.append(MidiNote(active.pop(message.note), int(step), message.note))
    return MidiPiece(sorted(notes), meters)


if __name__ == "__main__":
    main()
