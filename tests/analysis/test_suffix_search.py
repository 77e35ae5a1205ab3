"""Runs found by sorting are those found note by note."""

import random

import numpy as np
import pytest

from composer.analysis import melody_search
from composer.analysis.copying import longest_run_of
from composer.analysis.melody_search import MelodyIndex, SharedRuns
from composer.music.contour import NONE, Contour, MelodyCollector


def melody(rng, length, pitches):
    intervals = np.array([rng.randrange(pitches) for _ in range(length)], np.int8)
    ratios = np.array([rng.randrange(2) for _ in range(length)], np.int8)
    intervals[:1], ratios[:2] = NONE, NONE
    return Contour(intervals, ratios, np.zeros(length, np.uint16))


def runs(notes, index, exclude):
    found = SharedRuns.of(notes, index, exclude)
    return found.lengths.tolist(), found.ends_of_longest().tolist()


@pytest.mark.parametrize("pitches", [1, 2, 3])
def test_both_ways_find_the_same(monkeypatch, pitches):
    for seed in range(40):
        rng = random.Random(seed)
        collector = MelodyCollector()
        for number in range(rng.randrange(5)):
            collector.append(str(number), "a.abc", melody(rng, rng.randrange(1, 40), pitches))
        index, notes = MelodyIndex(collector.melodies()), melody(rng, rng.randrange(1, 60), pitches)
        for exclude in [None, *range(len(collector.tunes))][:2]:
            monkeypatch.setattr(melody_search, "MAX_EFFORT_PER_NOTE", 10**9)
            expected = runs(notes, index, exclude)
            monkeypatch.setattr(melody_search, "MAX_EFFORT_PER_NOTE", -1)
            assert runs(notes, index, exclude) == expected, seed


def test_repetitive_music_takes_few_steps(monkeypatch):
    """Each note of a drone continues all runs before it: 20,000 notes would take 200 million steps one by one."""
    taken = []
    after = melody_search.SharedRunState.after
    monkeypatch.setattr(
        melody_search.SharedRunState, "after", lambda run, *note: taken.append(run.effort) or after(run, *note)
    )
    collector, notes = MelodyCollector(), melody(random.Random(1), 20_000, 1)
    notes.ratios[2:] = 0
    collector.append("drone", "a.abc", notes)
    match = longest_run_of(notes, MelodyIndex(collector.melodies()))
    assert (match.notes, match.note, match.at) == (20_000, 1, 1)
    assert sum(taken) < 5_000_000
