"""Compare composer's reading of MIDI with mido's: notes, tempos, meters, keys and length."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mido
from agreement.playing import ASPECTS, Playing, differences, evenly, of_midi, of_score

from composer.api import ComposerError
from composer.formats.midi.reader import read_midi

PICKUP = "a short first bar is a pickup of the meter after it"


def compare(collections: dict[str, list[Path]], limit: int) -> None:
    """Print the tables for collections of files, of at most `limit` files each, taken evenly."""
    print("| collection | files | same | " + " | ".join(f"other {aspect}" for aspect in ASPECTS), end="")
    print(
        " | refused by mido | refused by composer | explained | unexplained |\n|---|---|---|"
        + "---|" * (len(ASPECTS) + 4)
    )
    details = []
    for name, all_files in collections.items():
        files = evenly(all_files, limit)
        found: Counter[str] = Counter()
        for file in files:
            aspects, reason = outcome(file)
            found.update(aspects or ["same"])
            found["explained"] += bool(aspects and reason)
            found["unexplained"] += bool(aspects and not reason)
            if aspects:
                details.append(f"{file.name}: {', '.join(sorted(aspects))}: {reason or 'unexplained'}")
        columns = ["same", *ASPECTS, "mido", "composer", "explained", "unexplained"]
        print(f"| {name} | {len(files):,} | {' | '.join(f'{found[column]:,}' for column in columns)} |")
    print()
    print("\n".join(f"- {detail}" for detail in details))


def outcome(file: Path) -> tuple[frozenset[str], str]:
    """Return the aspects in which the readings of a file differ, or who refuses it, and the reason if it is known."""
    data = file.read_bytes()
    try:
        ours = of_score(read_midi(data, file.name))
    except ComposerError as error:
        ours, refusal = None, error.message
    try:
        theirs = of_midi(mido.MidiFile(file))
    except (OSError, ValueError, EOFError, KeyError, IndexError) as error:
        return frozenset({"mido"}), f"mido: {type(error).__name__} {error}"
    if ours is None:
        return frozenset({"composer"}), f"composer: {refusal}"
    aspects = differences(ours, theirs)
    if aspects == {"meters"} and not differences(ours, with_pickup(theirs)):
        return aspects, PICKUP
    return aspects, ""


def with_pickup(playing: Playing) -> Playing:
    """Return a reading in which a first meter of one short bar is a pickup of the second one."""
    meters = list(playing.meters)
    bars = [Fraction(4 * numerator, denominator) for _, numerator, denominator in meters]
    if len(meters) > 1 and meters[0][0] == 0 and bars[0] == meters[1][0] < bars[1]:
        meters[:2] = [(Fraction(0), *meters[1][1:])]
    return replace(playing, meters=meters)
