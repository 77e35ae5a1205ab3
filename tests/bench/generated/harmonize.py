"""Harmonize the melodies of held-out chorales, beside the chorales themselves; or compare chord symbols.

    python tests/bench/generated/harmonize.py corpus:bach [--pieces 20] [--particles 1,16,64]
    python tests/bench/generated/harmonize.py --chords nottingham-abc/cleaned/*.abc [--pieces 50]

The first prints, for the harmonizations and the originals, the log-likelihood in nats per frame, the share of beats
with clashes, of parallels between the outer voices, and of pieces that end with the tonic in the bass. The second
prints the share of bars that start with the same root as the tunes' own chord symbols, and that of the tonic alone.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np

from composer.analysis import voice_leading
from composer.api import GenerationContext, Piece, Score, Step
from composer.checkpoints import store
from composer.checkpoints.load import LoadedModel, load_model
from composer.data import corpus
from composer.data.splits import SplitSettings, split_pieces
from composer.formats.abc.chord_symbols import add_chords
from composer.formats.abc.reader.lexer import TuneText, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.structure import bars
from composer.generation.batched_loop import prime
from composer.generation.generate import generate
from composer.generation.request import Generated, GenerationRequest
from composer.music import chords
from composer.music.keys import Time, pitch_class


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--chords", action="store_true")
    parser.add_argument("--pieces", type=int, default=20)
    parser.add_argument("--particles", default="1,16,64")
    given = parser.parse_args()
    if given.chords:
        compare_chords(given.files, given.pieces)
        return
    model = load_model(store.default("pianoroll"), "pianoroll", "cpu")
    held_out = split_pieces(SplitSettings(), corpus.read(model.representation, given.files).pieces).pieces["valid"]
    found = sorted(held_out, key=lambda piece: len(model.representation.prime(piece)))[: given.pieces]
    report(model, "original", [(piece, model.representation.prime(piece)) for piece in found])
    for count in map(int, given.particles.split(",")):
        report(model, f"{count} particles", [(piece, harmonize(model, piece, count)) for piece in found])


def report(model: LoadedModel, name: str, found: Sequence[tuple[Piece, Sequence[Step]]]) -> None:
    """Print the means over pieces."""
    scores = [_score(model, piece, steps) for piece, steps in found]
    nats = fmean(likelihood(model, steps) for _, steps in found)
    clashes = _mean(map(voice_leading.clashes_on_beats, scores))
    parallels = _mean(map(voice_leading.outer_parallels, scores))
    ends = fmean(map(voice_leading.ends_on_the_tonic_in_the_bass, scores))
    print(f"{name}: {nats:.3f} nats, {clashes:.1%} clashes, {parallels:.1%} parallels, {ends:.0%} end on the tonic")


def harmonize(model: LoadedModel, piece: Piece, particles: int) -> list[Step]:
    """Return the frames of another harmonization of the melody of `piece`."""
    representation = model.representation
    context = GenerationContext(tune=piece)
    constraint = representation.constraint(representation.Controls(keep_voices="top", max_notes=4), context)
    request = GenerationRequest(length=len(representation.prime(piece)), seed=1, particles=particles)
    events = generate(model.sampler, model.spec, request, constraint)
    return [step for event in events if isinstance(event, Generated) for step in event.steps]


def likelihood(model: LoadedModel, steps: Sequence[Step]) -> float:
    """Return the mean log-probability of frames."""
    state, total = prime(model.sampler, model.spec, GenerationRequest(length=1), None), 0.0
    for step in steps:
        frame = np.zeros((1, model.spec.size), np.uint8)
        frame[0, list(step)] = 1  # type: ignore[arg-type]
        total += float(model.sampler.log_prob(state, frame)[0])
        state = model.sampler.advance(state, frame)
    return total / len(steps)


def _score(model: LoadedModel, piece: Piece, steps: Sequence[Step]) -> Score:
    score = model.representation.score(replace(model.representation.decode(steps), labels=piece.labels))
    assert score is not None
    return score


def _mean(values: Iterable[float | None]) -> float:
    return fmean(value for value in values if value is not None)


def compare_chords(files: Sequence[str], pieces: int) -> None:
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
        if used == pieces:
            break
    print(f"{used} tunes, {total:,} bars: {same / total:.1%} with the same root; the tonic alone {tonic / total:.1%}")


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
