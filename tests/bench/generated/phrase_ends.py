"""How the phrases of generated piano rolls end, beside those of the training data, as a Markdown table.

    python tests/bench/generated/phrase_ends.py [corpus:bach] [--count 60] [--seed 1] [--variants phrase_ends=any ""]

Each of --variants is a set of controls, as in "phrase_ends=any returns=none", and a column; their pieces are generated
in turns, a few at a time, and each is the first candidate. The first rows are about the chords with which phrases
begin to end, in bars before the last two, and about what leads to them. The last row is the processor time per piece,
without the start.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from form_table import averages, of_polyphony, print_table, read

from composer.analysis import voice_leading
from composer.analysis.ending import closing_value
from composer.api import GenerationContext, Part, Piece, Score, Step
from composer.api.sampling.params import SamplingParams
from composer.checkpoints import store
from composer.checkpoints.load import LoadedModel, load_model
from composer.cli.gen.default_candidates import score_of
from composer.cli.gen.options import ENDING_TRIES
from composer.generation.endings import Endings
from composer.generation.generate import generate
from composer.generation.plans import constraint_of
from composer.generation.request import Generated, GenerationRequest
from composer.registry.options import parse
from composer.toolkit.representations.bar_plan import BarPlan
from composer.toolkit.representations.quantize import to_notes
from composer_pianoroll import phrase_ends

MOVES = {
    "up a fourth": (5,), "up a fifth": (7,), "up a semitone": (1,), "up a tone": (2,), "stays": (0,),
    "down a semitone or tone": (10, 11), "otherwise": (3, 4, 6, 8, 9),
}  # fmt: skip
"""Intervals of the bass to a phrase end, in semitones within an octave: up a fourth is down a fifth."""
TRIADS = ({0, 4, 7}, {0, 3, 7})
TURN = 20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", nargs="*", default=["corpus:bach"])
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--variants", nargs="+", default=["phrase_ends=any", ""])
    given = parser.parse_args()
    model = load_model(store.default("pianoroll"), "pianoroll", "cpu")
    real = [(piece, model.representation.plan(piece) or "") for piece in read(model.representation, given.real)]
    pieces: dict[str, list[tuple[Piece, str]]] = {variant: [] for variant in given.variants}
    seconds = dict.fromkeys(pieces, 0.0)
    for first in range(0, given.count, TURN):
        for variant, found in pieces.items():
            before = time.process_time()
            found.extend(generated(model, variant.split(), given.seed + first, min(TURN, given.count - first)))
            seconds[variant] += time.process_time() - before
    columns = {"real": {**averages([figures(model, *each) for each in real]), **texture(model, real)}}
    for variant, found in pieces.items():
        numbers = {"distinct pieces": f"{len({piece.content for piece, _ in found})} of {len(found)}"}
        numbers["seconds per piece"] = f"{seconds[variant] / given.count:.3f}"
        measured = averages([figures(model, *each) for each in found])
        columns[variant or "default"] = {**measured, **texture(model, found), **numbers}
    print_table(columns)


def generated(model: LoadedModel, controls: Sequence[str], seed: int, count: int) -> Iterator[tuple[Piece, str]]:
    """Yield pieces with their plans."""
    representation, context = model.representation, GenerationContext()

    def judge(steps: Sequence[Step], plan: str) -> float:
        score = score_of(representation, steps, representation.plan_labels(plan))
        return closing_value(score) if score is not None else 0.0

    chosen = parse(representation.Controls, controls, "pianoroll", "--variants")
    request = GenerationRequest(
        length=representation.max_steps(chosen, context), count=count, seed=seed,
        sampling=SamplingParams().with_default_temperature(model.default_temperature),
    )  # fmt: skip
    endings = Endings(representation.ending_step, judge, ENDING_TRIES[representation.kind])
    constraint, steps, plans = constraint_of(representation, chosen, context), dict[int, list[Step]](), {}
    for event in generate(model.sampler, model.spec, request, constraint, endings=endings):
        if isinstance(event, Generated):
            steps.setdefault(event.number, []).extend(event.steps)
            plans[event.number] = event.plan
    for number, plan in plans.items():
        piece = representation.decode(steps[number])
        yield replace(piece, labels={**representation.plan_labels(plan), **piece.labels}), plan


def figures(model: LoadedModel, piece: Piece, plan: str) -> Mapping[str, float | None]:
    """Return the figures of a piece with this plan."""
    score, end = model.representation.score(piece), model.representation.ending_step(plan)
    assert score is not None
    assert end is not None
    beats, parsed = voice_leading.pitches_on_beats(score), BarPlan.parse(plan)
    last = end / model.representation.options.steps
    chords = [beats[int(beat)] if beat < len(beats) else () for beat in parsed.phrase_ends if beat < last]
    return {
        "phrase ends: whole triads": _share(_is_triad(chord, chord) for chord in chords),
        "phrase ends: whole triads in root position": _share(_is_triad(chord, chord[:1]) for chord in chords),
        "phrase ends: clashes": _share(map(voice_leading.has_clash, chords)),
        **_approaches(piece, parsed, model.representation.options.steps, last),
        **of_polyphony(model.representation, piece, {}, 0),
    }


def _approaches(piece: Piece, plan: BarPlan, steps: int, last: float) -> Mapping[str, float | None]:
    """Return the figures of what leads to the phrase ends before beat `last`, and of the chords on all beats."""
    ends = [int(beat * steps) for beat in plan.phrase_ends if beat < last]
    moves = [*phrase_ends.approaches(piece.content, ends)]
    chords = voice_leading.pitches_on_beats(Score((Part(to_notes(piece.content.notes, steps)),)))
    return {
        "phrase ends: after a dominant in root position": _share(phrase_ends.dominants(piece.content, ends)),
        **{f"phrase ends: bass {name}": _share(move in ups for move in moves) for name, ups in MOVES.items()},
        "thin chords on beats": _share(len({pitch % 12 for pitch in each}) < 3 for each in chords),
        "silent beats": _share(not each for each in chords),
    }


def texture(model: LoadedModel, pieces: Sequence[tuple[Piece, str]]) -> dict[str, str]:
    """Return the mean number of notes in a frame."""
    return {
        "notes at a time": f"{fmean(fmean(map(len, model.representation.prime(piece))) for piece, _ in pieces):.2f}"
    }


def _is_triad(chord: Sequence[int], roots: Sequence[int]) -> bool:
    """Return whether a chord is a whole major or minor triad, its root one of `roots`."""
    return any({(pitch - root) % 12 for pitch in chord} in TRIADS for root in roots)


def _share(values: Iterator[bool]) -> float | None:
    found = list(values)
    return fmean(found) if found else None


if __name__ == "__main__":
    main()
