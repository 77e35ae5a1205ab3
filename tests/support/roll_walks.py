"""Random piano rolls that follow a constraint, and what is measured of their notes."""

import numpy as np

from composer.api.sampling.filters import apply_frame_rule, mask_array
from composer_pianoroll import Pianoroll, PianorollOptions


def roll(**options):
    return Pianoroll(PianorollOptions(**{"range": "60-71", **options}))


def walk(constraint, size, steps, seed, primer=()):
    """Return random frames that follow the constraint."""
    generator = np.random.default_rng(seed)
    state, frames = constraint.start(primer), list(primer)
    while len(frames) < steps:
        allowed = constraint.allowed(state)
        off, on = mask_array(allowed.must_be_off, size), mask_array(allowed.must_be_on, size)
        assert not (off & on).any()
        rank = np.where(off, -np.inf, np.where(on, np.inf, generator.random(size)))
        drawn = (generator.random(size) < generator.choice([0.02, 0.2, 0.8])) & ~off | on
        frame = tuple(np.flatnonzero(apply_frame_rule(drawn, rank, allowed)).tolist())
        assert not any(allowed.must_be_off >> unit & 1 for unit in frame)
        assert all({unit, unit - 12} & set(frame) for unit in np.flatnonzero(on)), "forced units must sound"
        frames.append(frame)
        state = constraint.step(state, frame)
    return frames


def notes_of(pianoroll, frames):
    piece = pianoroll.decode(frames)
    assert pianoroll.encode(piece) == frames, "every hold must follow an onset"
    return piece.content.notes


def check_density(budget, starts, steps, every=1, over=0):
    counted = [start for start in starts if budget.counts(start)]
    for step in range(0, steps + 1, every):
        assert abs(sum(start < step for start in counted) - budget.expected(step)) <= budget.slack + over


def onsets_and_holds(notes, step):
    onsets = sum(note.start == step for note in notes)
    return onsets, sum(note.start < step < note.end for note in notes)
