"""Controls of the grid representation; random walks always reach a valid end."""

import random
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from composer.api import GenerationContext, OptionError, Piece, Unsatisfiable
from composer.toolkit.representations.density import OnsetBudget, parse_ramp
from composer_grid import Grid, GridControls, GridOptions
from composer_grid.tokens import decode_tokens

PITCHES = list(range(57, 77))


def grid(step="1/16"):
    fitted = Grid(GridOptions(step=step))
    fitted.restore({"pitches": PITCHES})
    return fitted


def walk(constraint, draw, primer=(), max_steps=300):
    """Return a random piece that follows the constraint, completed once it is long."""
    state, steps = constraint.start(primer), list(primer)
    while len(steps) < max_steps:
        mask = constraint.allowed(state)
        assert mask, f"dead end after {steps}"
        steps.append(draw([symbol for symbol in range(3 + len(PITCHES)) if mask >> symbol & 1]))
        if steps[-1] == 0:
            return steps
        state = constraint.step(state, steps[-1])
    steps += constraint.complete(state)
    assert steps[-1] == 0
    return steps


def onsets(steps):
    return [note.start for note in decode_tokens(grid().decode(steps).content)]


def check_density(density, length, starts, uncounted=(), until=None):
    budget = OnsetBudget(parse_ramp(density, "--density"), Fraction(4), length, uncounted)
    counted = [start for start in starts if budget.counts(start)]
    for step in range(1 + (until or length)):
        assert abs(sum(start < step for start in counted) - budget.expected(step)) <= budget.slack


seeds = st.integers(0, 2**32 - 1)
any_controls = st.builds(
    GridControls,
    range=st.sampled_from(["", "60-72", "C4-E4"]),
    key=st.sampled_from(["", "G", "Am"]),
    bars=st.integers(0, 5),
    meter=st.sampled_from(["", "6/8", "3/4"]),
    density=st.sampled_from(["", "1", "0.3", "0.5..4", "4"]),
)


@settings(deadline=None)
@given(any_controls, seeds)
def test_random_walks_satisfy_all_controls(controls, seed):
    fitted = grid()
    steps = walk(fitted.constraint(controls), random.Random(seed).choice)
    notes = decode_tokens(fitted.decode(steps).content)
    assert notes
    in_key = {"": range(12), "G": {7, 9, 11, 0, 2, 4, 6}, "Am": {9, 11, 0, 2, 4, 5, 7}}[controls.key]
    low, high = {"": (0, 127), "60-72": (60, 72), "C4-E4": (60, 64)}[controls.range]
    assert all(note.pitch % 12 in in_key and low <= note.pitch <= high for note in notes)
    bar = {"": 16, "6/8": 12, "3/4": 12}[controls.meter]
    if controls.bars:
        assert notes[-1].end == controls.bars * bar
    if controls.density:
        length = controls.bars * bar or fitted.length
        check_density(controls.density, length, onsets(steps), until=len(steps) - 1)


BARS = ("60 _ _ _ 62 _ _ _", "64 _ _ _ 65 _ _ _", "_ _ _ _ r _ _ _", "67 _ _ _ 69 _ _ _", "_ _ _ _ 71 _ _ _")
TUNE = Piece(tuple(" ".join(BARS).split()))


@settings(deadline=None)
@given(st.sets(st.integers(1, 5), min_size=1, max_size=4), st.sampled_from(["", "1", "0.5..3", "0.2", "4"]), seeds)
def test_kept_bars_are_unchanged(bars, density, seed):
    fitted = grid()
    tune = Piece(TUNE.content, labels={"meter": "2/4"})
    controls = GridControls(keep_bars=",".join(map(str, sorted(bars))), density=density)
    try:
        constraint = fitted.constraint(controls, GenerationContext(tune=tune))
    except Unsatisfiable as error:
        assume("contradicts --density 0.2" not in str(error))  # too low for a note in each bar that is held into
        raise
    steps = walk(constraint, random.Random(seed).choice)
    assert len(steps) == len(TUNE.content) + 1 == fitted.max_steps(controls, GenerationContext(tune=tune))
    for bar in bars:
        first, last = 8 * bar - 8, 8 * bar
        assert notes_between(steps[:-1], first, last) == notes_between(fitted.prime(TUNE), first, last)
    if density:
        uncounted = [(8 * bar - 8, 8 * bar) for bar in sorted(bars)]
        check_density(density, len(TUNE.content), onsets(steps), uncounted)


def notes_between(steps, first, last):
    """Return the notes in a range of steps, and whether they start there."""
    notes = [note for note in decode_tokens(grid().decode(steps).content) if note.start < last and note.end > first]
    return [(max(note.start, first), note.pitch, min(note.end, last), note.start >= first) for note in notes]


def test_note_held_into_a_kept_bar_starts_before_it():
    fitted = grid()
    constraint = fitted.constraint(
        GridControls(keep_bars="3"), GenerationContext(tune=Piece(TUNE.content, labels={"meter": "2/4"}))
    )
    state = constraint.start(())
    for _ in range(15):
        state = constraint.step(state, fitted.ids["60"])
    assert constraint.allowed(state) == 1 << fitted.ids["65"], "the note held into bar 3 must start"
    assert constraint.allowed(constraint.step(state, fitted.ids["65"])) == 1 << fitted.ids["_"]


def test_bars_are_counted_after_the_pickup():
    fitted = grid()
    tune = Piece(TUNE.content[4:], labels={"meter": "2/4", "pickup": "1"})
    constraint = fitted.constraint(GridControls(keep_bars="1"), GenerationContext(tune=tune))
    state = constraint.start(())
    for symbol in (*TUNE.content[4:8], "64"):  # the pickup, which is kept, and the first note of bar 1
        assert constraint.allowed(state) == 1 << fitted.ids[symbol]
        state = constraint.step(state, fitted.ids[symbol])


def test_primer_labels_give_the_meter():
    context = GenerationContext(labels={"meter": "6/8", "pickup": "1/2"})
    assert grid().max_steps(GridControls(bars=4), context) == 2 + 4 * 12 + 1
    assert grid().max_steps(GridControls(bars=4, meter="3/8"), context) == 2 + 4 * 6 + 1
    assert grid().max_steps(GridControls(bars=4), GenerationContext(labels={"pickup": "1/3"})) == 1 + 4 * 16 + 1
    with pytest.raises(Unsatisfiable, match="--bars 3 contradicts --prime, in 5/64"):
        grid().constraint(GridControls(bars=3), GenerationContext(labels={"meter": "5/64"}))


def test_lazy_completion():
    constraint = grid().constraint(GridControls(bars=2, density="1"))
    state = constraint.step(constraint.start(()), 9)
    ending = constraint.complete(state)
    assert len(ending) == len(list(ending)) == 32
    assert (ending[-1], list(ending)) == (0, [ending[place] for place in range(32)])


def test_primer_counts_as_bars_but_not_as_density():
    fitted = grid()
    primer = tuple(fitted.prime(Piece(("61",) * 20)))
    constraint = fitted.constraint(GridControls(bars=2, key="C", density="1"), GenerationContext(primer=primer))
    steps = walk(constraint, lambda symbols: symbols[0], primer)
    assert len(steps) == 33
    with pytest.raises(Unsatisfiable, match="the primer has 20 steps"):
        fitted.constraint(GridControls(bars=1), GenerationContext(primer=primer)).start(primer)


def test_controls_determine_length_and_labels():
    fitted = grid()
    assert fitted.max_steps(GridControls(bars=8, meter="6/8"), GenerationContext()) == 8 * 12 + 1
    assert fitted.max_steps(GridControls(), GenerationContext(50)) == 50
    assert fitted.control_labels(GridControls(meter="C|")) == {"meter": "2/2"}
    assert fitted.control_labels(GridControls()) == {}
    assert fitted.control_labels(GridControls(key="Bb")) == {"key": "Bb", "mode": "major"}
    assert fitted.control_labels(GridControls(scale="E dorian")) == {"key": "Edor", "mode": "dorian"}
    assert Grid(GridOptions(transpose="c")).control_labels(GridControls(key="Bb")) == {}, "all pieces are in C"


def test_density_is_limited_by_the_steps():
    with pytest.raises(Unsatisfiable, match=r"--density 5 .* 4 steps per beat") as caught:
        grid().constraint(GridControls(density="5"))
    assert caught.value.hint


def test_conflicts_with_kept_bars():
    tune = GenerationContext(tune=Piece(TUNE.content, labels={"meter": "2/4"}))
    for controls, words in [
        ({"keep_bars": "3", "key": "G#m"}, "contradicts --key G#m: F4 is held"),
        ({"keep_bars": "3", "range": "70-76"}, "contradicts --range 70-76"),
        ({"keep_bars": "3", "meter": "3/4"}, "contradicts --meter 3/4: the tune is in 2/4"),
        ({"keep_bars": "4-9"}, "there is no bar 9"),
        ({"keep_bars": "1-5"}, "keeps all 5 bars"),
    ]:
        with pytest.raises(Unsatisfiable, match=words):
            grid().constraint(GridControls(**controls), tune)
    with pytest.raises(Unsatisfiable, match="--length 20 is too short for --bars 4"):
        grid().constraint(GridControls(bars=4), GenerationContext(20))


def test_invalid_controls():
    with pytest.raises(OptionError, match="invalid value for --bars: '-1'"):
        GridControls(bars=-1)


@given(any_controls)
def test_equal_controls_give_equal_constraints(controls):
    assume(controls != GridControls())
    first, second = (grid().constraint(controls) for _ in range(2))
    assert first.allowed(first.start(())) == second.allowed(second.start(()))
