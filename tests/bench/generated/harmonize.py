"""Harmonize the melodies of held-out chorales, beside the chorales themselves; or compare chord symbols.

    python tests/bench/generated/harmonize.py corpus:bach [--pieces 20] [--particles 1,16,64] [--temp 0.8]
    python tests/bench/generated/harmonize.py --chords nottingham-abc/cleaned/*.abc [--pieces 50] [--show 5]

The first prints a Markdown table with a row for the chorales and one for each number of particles, at the model's
default temperature. Its columns are the log-likelihood in nats per frame, the share of beats with clashes, of parallel
fifths and octaves between the outer voices and, among the changes of chord, between any two voices, of pieces whose
last chord has the tonic in the bass and is a whole triad, the notes at a time, and the processor time. The second
prints the share of bars that start with the same root as the tunes' own chord symbols, and that of the tonic alone;
with --show, the roots of the first tunes.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from composer.analysis import voice_leading
from composer.analysis.selection import select_pieces
from composer.api import GenerationContext, Piece, Score, Step
from composer.api.sampling.params import SamplingParams
from composer.checkpoints import store
from composer.checkpoints.load import LoadedModel, load_model
from composer.data import corpus
from composer.formats.abc.chord_symbols import add_chords
from composer.formats.abc.reader.bars import bars
from composer.formats.abc.reader.lexer import TuneText, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.generation.generate import generate
from composer.generation.plans import PlannedConstraints, constraint_of
from composer.generation.primed_state import position_features, prime
from composer.generation.request import Generated, GenerationRequest
from composer.music import chords
from composer.music.keys import Time, pitch_class
from composer.music.parallel_motion import both_move, is_parallel

HEADS = (
    "", "pieces", "nats per frame", "clashes on beats", "outer parallels", "parallels", "tonic in the bass at the end",
    "whole triad at the end", "notes at a time", "s per piece",
)  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--chords", action="store_true")
    parser.add_argument("--pieces", type=int, default=0, help="20, or 50 with --chords")
    parser.add_argument("--particles", default="1,16,64")
    parser.add_argument("--temp", type=float)
    parser.add_argument("--show", type=int, default=0)
    given = parser.parse_args()
    if given.chords:
        compare_chords(given.files, given.pieces or 50, given.show)
        return
    model = load_model(store.default("pianoroll"), "pianoroll", "cpu")
    temperature = model.default_temperature if given.temp is None else given.temp
    pieces = corpus.read(model.representation, given.files).pieces
    held_out = select_pieces(model.header, model.representation, None, pieces, None, "valid").pieces
    found = sorted(held_out, key=lambda piece: len(model.representation.prime(piece)))[: given.pieces or 20]
    print("|".join(["", *(f" {head} " for head in HEADS), ""]) + "\n" + "|---" * len(HEADS) + "|")
    report(model, "originals", [(piece, model.representation.prime(piece)) for piece in found], None)
    for count in map(int, given.particles.split(",")):
        begin = time.process_time()
        ours = [(piece, harmonize(model, piece, count, temperature)) for piece in found]
        report(model, f"{count} particles", ours, (time.process_time() - begin) / len(found))


def report(model: LoadedModel, name: str, found: Sequence[tuple[Piece, Sequence[Step]]], seconds: float | None) -> None:
    """Print a row: the means over pieces."""
    scores = [_score(model, piece, steps) for piece, steps in found]
    nats = fmean(likelihood(model, piece, steps) for piece, steps in found)
    shares = (voice_leading.clashes_on_beats, voice_leading.outer_parallels, parallels)
    means = [fmean(value for value in map(share, scores) if value is not None) for share in shares]
    ends = fmean(map(voice_leading.ends_on_the_tonic_in_the_bass, scores)), fmean(map(ends_with_a_triad, scores))
    notes = fmean(fmean(map(len, voice_leading.pitches_on_beats(score))) for score in scores)
    cells = [name, len(found), f"{nats:.3f}", *(f"{share:.1%}" for share in means), *(f"{end:.0%}" for end in ends)]
    cells += [f"{notes:.2f}", "" if seconds is None else f"{seconds:.1f}"]
    print("|".join(["", *(f" {cell} " for cell in cells), ""]), flush=True)


def harmonize(model: LoadedModel, piece: Piece, particles: int, temperature: float) -> list[Step]:
    """Return the frames of another harmonization of the melody of `piece`."""
    representation = model.representation
    controls = representation.Controls(keep_voices="top", max_notes=4, min_notes=4, voice_leading=True)
    context = GenerationContext(tune=piece)
    constraint = constraint_of(representation, controls, context)
    length = len(representation.prime(piece))
    request = GenerationRequest(length=length, seed=1, particles=particles, sampling=SamplingParams(temperature))
    events = generate(model.sampler, model.spec, request, constraint)
    return [step for event in events if isinstance(event, Generated) for step in event.steps]


def likelihood(model: LoadedModel, piece: Piece, steps: Sequence[Step]) -> float:
    """Return the mean log-probability of frames under the plan of `piece`."""
    representation = model.representation
    constraint: Any = constraint_of(representation, representation.Controls(), GenerationContext(tune=piece))
    labels = None
    if isinstance(constraint, PlannedConstraints):
        plan, constraint = constraint.of_seed(0)
        labels = representation.plan_labels(plan)
    state = prime(model.sampler, model.spec, GenerationRequest(length=len(steps)), constraint, labels)
    followed, total = constraint.start(()), 0.0
    for step in steps:
        frame = np.zeros((1, model.spec.size), np.uint8)
        frame[0, list(step)] = 1  # type: ignore[arg-type]
        total += float(model.sampler.log_prob(state, frame)[0])
        followed = constraint.step(followed, step)
        features = np.array([constraint.features(followed)]) if model.spec.features else None
        state = model.sampler.advance(state, frame, **position_features(features))
    return total / len(steps)


def parallels(score: Score) -> float | None:
    """Return the share of parallel fifths and octaves among pairs of voices that both move as the chord changes.

    Voices are numbered from the lowest; only chords with as many notes as the one before count.
    """
    found, before = list[bool](), list[int]()
    for onset in sorted({note.onset for note in score.notes}):
        now = sorted({note.pitch for note in score.notes if note.onset <= onset < note.end})
        if len(now) == len(before):
            pairs = zip(combinations(before, 2), combinations(now, 2), strict=True)
            found += [is_parallel(old, new) for old, new in pairs if both_move(old, new)]
        before = now
    return fmean(found) if found else None


def ends_with_a_triad(score: Score) -> bool:
    """Return whether the last chord has a third and a fifth above its lowest note."""
    last = voice_leading.last_chord(score)
    above = {(pitch - last[0]) % 12 for pitch in last}
    return bool(above & {3, 4}) and 7 in above


def _score(model: LoadedModel, piece: Piece, steps: Sequence[Step]) -> Score:
    score = model.representation.score(replace(model.representation.decode(steps), labels=piece.labels))
    assert score is not None
    return score


def compare_chords(files: Sequence[str], pieces: int, show: int) -> None:
    """Print how often bars start with the same root."""
    tunes = [tune for file in sorted(files) for tune in split_tunes(Path(file).read_text(errors="replace"))]
    random.Random(1).shuffle(tunes)
    same = tonic = total = used = 0
    for tune in tunes:
        key, real = parse_tune(tune).key, list(roots(tune))
        if key is None or sum(root is not None for root in real) < 8:
            continue
        ours = list(roots(split_tunes(add_chords(tune).text)[0]))
        pairs = [(a, b) for a, b in zip(real, ours, strict=True) if a is not None]
        same += sum(a == b for a, b in pairs)
        tonic += sum(a == pitch_class(key.tonic) for a, _ in pairs)
        total, used = total + len(pairs), used + 1
        if used <= show:
            print("\n".join((f"{tune.lines[0]} in {key.tonic} {key.mode}", _named(real), _named(ours))))
        if used == pieces:
            break
    print(f"{used} tunes, {total:,} bars: {same / total:.1%} with the same root; the tonic alone {tonic / total:.1%}")


def _named(found: Sequence[int | None]) -> str:
    """Return the roots of bars as letters, by the sharp names."""
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    return " ".join(("-" if root is None else names[root]).ljust(2) for root in found)


def roots(tune: TuneText) -> Iterator[int | None]:
    """Yield the root of the chord at the start of each bar of the first voice but a pickup, None before the first."""
    parsed = parse_tune(tune)
    last, time = None, parsed.time or Time()
    for number, bar in enumerate(bars(next(iter(parsed.voices.values())))):
        time = bar.time or time
        found = [chords.parse(sound.chord) for sound in bar.sounds]
        if found and found[0] is not None:
            last = pitch_class(found[0].root)
        if number or bar.ticks >= time.bar:
            yield last
        for chord in found:
            last = pitch_class(chord.root) if chord is not None else last


if __name__ == "__main__":
    main()
