"""The form of generated pieces beside that of real ones, as a Markdown table.

    python tests/bench/generated/form_table.py abc [--count 200] [--temps 1.0 0.8] [--candidates 1 4] [--seed 1]
    python tests/bench/generated/form_table.py pianoroll corpus:bach [--checkpoint FILE]
    python tests/bench/generated/form_table.py abc --temps "" --variants "" "--candidates 1 --unconstrained"

The first column are real pieces: those that are named, by default the training data of the bundled model, a sample of
as many as are generated. Both are read by the representation, so tunes are compared in the same dialect. Each of
--variants is a set of options of `gen`, and a column that shows what they change; write a space before a single option:
" --unconstrained". The last row is the processor time per generated piece.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import resource
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from composer.analysis import voice_leading
from composer.analysis.form import MAX_WRITTEN_BARS, STANDARD_PARTS, form_of
from composer.analysis.score_features import ScoreFeatures
from composer.analysis.statistics import empty_beat_rate
from composer.analysis.written_parts import BarContent, longest_loop, written_parts
from composer.api import Piece, ReadError, Representation, Score
from composer.data.sources import sources
from composer.music.keys import parse_key
from composer.music.melody import top_line
from composer.registry import plugins

DATA = {
    "abc": ["corpus:ryansMammoth", "corpus:oneills1850", "corpus:airdsAirs"],
    "grid": ["corpus:ryansMammoth", "corpus:oneills1850", "corpus:airdsAirs"],
    "pianoroll": ["corpus:bach"],
}
"""What the bundled models were trained on."""
SUFFIX = {"abc": ".abc", "grid": ".mid", "pianoroll": ".mid"}

WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
NOTE = re.compile(r'"[^"]*"|([_^=]?)([A-Ga-g])|(\|)')

Figures = Mapping[str, float | None]
"""The figures of one piece, by the row of the table; None if the piece does not count in a row."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("representation", choices=DATA)
    parser.add_argument("real", nargs="*", help="files, folders or collections of real pieces")
    parser.add_argument("--count", type=int, default=200, help="pieces per column")
    parser.add_argument("--temps", nargs="+", default=["", "0.8", "1.0"], help="temperatures; '' is the default")
    parser.add_argument("--candidates", nargs="+", default=[""], help="numbers of candidates; '' is the default")
    parser.add_argument("--variants", nargs="+", default=[""], help="options of gen, one set per column")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoint", default="")
    given, others = parser.parse_known_args()
    representation = plugins.representation(given.representation)()
    everything = list(read(representation, given.real or DATA[given.representation]))
    real = random.Random(given.seed).sample(everything, min(given.count, len(everything)))
    titles = Counter(word for piece in everything for word in set(words(piece)))
    measure = MEASURES[given.representation]
    columns = {"real": averages([measure(representation, piece, titles, 1) for piece in real])}
    for temp, candidates, variant in itertools.product(given.temps, given.candidates, given.variants):
        flags = {"--temp": temp, "--candidates": candidates, "--checkpoint": given.checkpoint}
        options = [each for pair in flags.items() if pair[1] for each in pair]
        with tempfile.TemporaryDirectory() as folder:
            seconds = generate(given, [*options, *shlex.split(variant), *others], Path(folder))
            pieces = list(read(representation, [folder]))
        parts = [f"temp {temp or 'default'}", f"{candidates} candidates" if candidates else "", variant]
        found = averages([measure(representation, piece, titles, 0) for piece in pieces])
        distinct = len({piece.content for piece in pieces})
        numbers = {"distinct pieces": f"{distinct} of {len(pieces)}", "seconds per piece": seconds}
        columns[", ".join(part for part in parts if part)] = {**found, **numbers}
    print_table(columns)


def read(representation: Representation, names: Sequence[str]) -> Iterator[Piece]:
    """Yield the pieces that the representation can read."""
    for source in sources(names, representation.suffixes):
        if not isinstance(source, ReadError):
            yield from (piece for piece in representation.read(source) if isinstance(piece, Piece))


def generate(given: argparse.Namespace, options: Sequence[str], folder: Path) -> str:
    """Generate pieces into a folder, and return the processor time per piece."""
    name = folder / f"%04d{SUFFIX[given.representation]}"
    command = ["gen", given.representation, "--count", str(given.count), "--seed", str(given.seed), "--quiet", *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, "-m", "composer", *command, "--output", str(name)], check=False)
    return f"{(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / given.count:.3f}"


def of_tune(representation: Representation, piece: Piece, titles: Mapping[str, int], own: int) -> Figures:
    """Return the figures of a tune; a word of its title is known if more than `own` titles have it."""
    score = representation.score(piece)
    assert score is not None
    form, parts = form_of(score), written_parts(score, top_line(score))
    written = [bar for part in parts for bar in part.bars]
    standard = len(parts) == 2 and all(len(part.bars) in STANDARD_PARTS for part in parts)
    loops = longest_loop(written).excess > 0
    eights = [phrased(part.bars) for part in parts if len(part.bars) == 8]
    unknown = [titles.get(word, 0) <= own for word in words(piece)]
    return {
        "final note on the tonic": form.cadence == 1,
        "two standard parts (4, 8 or 16 bars)": standard,
        f"over {MAX_WRITTEN_BARS} written bars": len(written) > MAX_WRITTEN_BARS,
        "loops (a cycle of at most 8 bars, three or more times)": loops,
        "8-bar part whose bars 5-6 repeat 1-2 and then differ": fmean(eights) if eights else None,
        "title words that are not words": fmean(unknown) if unknown else None,
        "redundant accidentals": redundant_accidentals(piece.content),
        "**clean: two standard parts, all closing on the tonic, no loop**": standard and form.closes == 1 and not loops,
    }


def of_melody(representation: Representation, piece: Piece, titles: Mapping[str, int], own: int) -> Figures:
    """Return the figures of a melody on a grid."""
    score = representation.score(piece)
    assert score is not None
    return {
        "final note on the tonic": form_of(score).cadence == 1,
        "loops (a cycle of at most 8 bars, three or more times)": longest_loop(all_bars(score)).excess > 0,
        "bars that return": returning(score),
        "silent beats": empty_beat_rate(ScoreFeatures(score)),
    }


def of_polyphony(representation: Representation, piece: Piece, titles: Mapping[str, int], own: int) -> Figures:
    """Return the figures of music in several voices."""
    score = representation.score(piece)
    assert score is not None
    steps = representation.encode(piece)
    return {
        "tonic in the bass at the end": voice_leading.ends_on_the_tonic_in_the_bass(score),
        "clashes on beats": voice_leading.clashes_on_beats(score),
        "outer parallels": voice_leading.outer_parallels(score),
        "bars that return": returning(score),
        "silent frames": fmean(not step for step in steps),
    }


MEASURES: Mapping[str, Callable[[Representation, Piece, Mapping[str, int], int], Figures]] = {
    "abc": of_tune,
    "grid": of_melody,
    "pianoroll": of_polyphony,
}


def phrased(bars: Sequence[BarContent]) -> bool:
    """Return whether bars 5 and 6 of eight repeat bars 1 and 2, and bars 7 and 8 do not repeat 3 and 4."""
    return bars[4:6] == bars[:2] and bars[6:] != bars[2:4]


def all_bars(score: Score) -> Sequence[BarContent]:
    """Return the bars of a score as they are played."""
    return [bar for part in written_parts(score, top_line(score)) for bar in part.bars]


def returning(score: Score) -> float | None:
    """Return the share of the bars with notes that repeat an earlier one."""
    found = [bar for bar in all_bars(score) if bar]
    return 1 - len(set(found)) / len(found) if found else None


def redundant_accidentals(tune: str) -> float | None:
    """Return the share of accidentals that repeat what is in force for their letter; None if there is none."""
    key = parse_key(tune.partition("\nK:")[2].partition("\n")[0])
    assert key is not None
    body = re.sub(r"^(?:[A-Z]:.*\n)+", "", tune)
    redundant, alters = [], dict[str, int]()
    for sign, letter, bar_line in NOTE.findall(body):
        if bar_line:
            alters = {}
        elif sign:
            name, alter = letter.upper(), "_=^".index(sign) - 1
            redundant.append(alters.get(name, key.alters["CDEFGAB".index(name)]) == alter)
            alters[name] = alter
    return fmean(redundant) if redundant else None


def words(piece: Piece) -> list[str]:
    """Return the words of a title, in lower case."""
    return [word.lower() for word in WORD.findall(piece.title)]


def averages(pieces: Sequence[Figures]) -> dict[str, str]:
    """Return the mean of each row in percent."""
    names = dict.fromkeys(row for piece in pieces for row in piece)
    rows = {row: [float(value) for piece in pieces if (value := piece[row]) is not None] for row in names}
    return {row: f"{100 * fmean(values):.1f} %" if values else "" for row, values in rows.items()}


def print_table(columns: Mapping[str, Mapping[str, str]]) -> None:
    """Print columns of the same rows."""
    print("|".join(["", " ", *(f" {name} " for name in columns), ""]))
    print("|---" * (1 + len(columns)) + "|")
    for row in dict.fromkeys(row for column in columns.values() for row in column):
        print("|".join(["", f" {row} ", *(f" {column.get(row, '')} " for column in columns.values()), ""]))


if __name__ == "__main__":
    main()
