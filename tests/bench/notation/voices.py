"""Measure how many notes of chorales are assigned to their own voice, and which music is taken to be polyphonic.

    python tests/bench/notation/voices.py corpus:bach [--pieces 50]

The four parts of each piece are merged into one and separated again. Printed are the share of notes in their own voice,
with unisons as two notes and, as in a piano roll, as one, the worst pieces, and the processor time per 1,000 notes. A
piece with another number of parts is only counted as polyphonic or not, all its parts merged.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean

from composer.api import Note, Part, Score
from composer.data.score_reader import ScoreReader
from composer.data.sources import sources
from composer.formats.read import MUSIC_SUFFIXES
from composer.music.voices.polyphony import MAX_VOICES, polyphonic_voices


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--pieces", type=int, default=0)
    given = parser.parse_args()
    pieces = [(piece.name, piece.score) for piece in ScoreReader(sources(given.corpus, MUSIC_SUFFIXES))]
    pieces = pieces[:: max(len(pieces) // given.pieces, 1)][: given.pieces] if given.pieces else pieces
    chorales = [(name, score) for name, score in pieces if len(pitched(score)) == MAX_VOICES]
    others = [(name, score) for name, score in pieces if len(pitched(score)) != MAX_VOICES]
    for label, in_unison in (("unisons as two notes", False), ("unisons as one", True)):
        report(label, [(name, *merged(pitched(score), as_roll=in_unison)) for name, score in chorales])
    polyphonic = [name for name, score in others if polyphonic_voices(merged(pitched(score), as_roll=True)[0])]
    print(f"of {len(others)} pieces with another number of parts, {len(polyphonic)} are polyphonic")


def pitched(score: Score) -> list[Part]:
    """Return the parts with notes, except percussion, from the highest to the lowest."""
    parts = [part for part in score.parts if part.notes and not part.percussion]
    return sorted(parts, key=lambda part: -fmean(note.pitch for note in part.notes))


def merged(parts: Sequence[Part], *, as_roll: bool) -> tuple[Part, list[tuple[Note, set[int]]]]:
    """Return all notes as one part, and the voices of each note; `as_roll`, a pitch sounds once at a time."""
    owned = sorted(
        ((note._replace(velocity=80), {voice}) for voice, part in enumerate(parts) for note in part.notes),
        key=lambda each: each[0],
    )
    if as_roll:
        owned = sorted(_roll(owned), key=lambda each: each[0])
    return Part(tuple(note for note, _ in owned)), owned


def _roll(owned: Iterable[tuple[Note, set[int]]]) -> Iterable[tuple[Note, set[int]]]:
    latest: dict[int, tuple[Note, set[int]]] = {}
    for note, voices in owned:
        before, among = latest.get(note.pitch, (None, set[int]()))
        if before is not None and before.onset == note.onset:
            longer = max(before.duration, note.duration)
            latest[note.pitch] = note._replace(duration=longer), among | voices
            continue
        if before is not None:
            yield before._replace(duration=min(before.end, note.onset) - before.onset), among
        latest[note.pitch] = note, voices
    yield from latest.values()


def correct_notes(part: Part, owned: Iterable[tuple[Note, set[int]]]) -> int:
    """Return how many notes are in a voice of theirs."""
    truth: dict[Note, Counter[int]] = {}
    for note, voices in owned:
        truth.setdefault(note, Counter()).update(voices)
    found = Counter((note, number) for number, voice in enumerate(polyphonic_voices(part)) for note in voice.notes)
    return sum(min(count, truth[note][number]) for (note, number), count in found.items())


def report(label: str, pieces: Sequence[tuple[str, Part, list[tuple[Note, set[int]]]]]) -> None:
    """Print the shares of all notes and of the worst pieces."""
    begin = time.process_time()
    shares = [(correct_notes(part, owned) / len(owned), len(owned), name) for name, part, owned in pieces]
    took = time.process_time() - begin
    notes = sum(size for _, size, _ in shares)
    mean = sum(share * size for share, size, _ in shares) / notes
    print(
        f"{label}: {mean:.2%} of {notes:,} notes in {len(shares)} pieces; {took / notes * 1e6:.0f} ms per 1,000 notes"
    )
    for share, _, name in sorted(shares)[:5]:
        print(f"  {share:.1%} {name}")


if __name__ == "__main__":
    main()
