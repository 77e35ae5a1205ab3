"""What a player may ask of a melody, and that there is always a way on to what was asked."""

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


def walk(rule, draw, primer=(), longest=300):
    """A piece that goes wherever the rule lets it, and is completed when it has become long."""
    state, steps = rule.start(primer), list(primer)
    while len(steps) < longest:
        mask = rule.allowed(state)
        assert mask, f"a dead end after {steps}"
        steps.append(draw([symbol for symbol in range(3 + len(PITCHES)) if mask >> symbol & 1]))
        if steps[-1] == 0:
            return steps
        state = rule.step(state, steps[-1])
    steps += rule.complete(state)
    assert steps[-1] == 0
    return steps


def onsets(steps):
    return [note.start for note in decode_tokens(grid().decode(steps).content)]


def keeps_to(density, length, starts, uncounted=(), until=None):
    budget = OnsetBudget(parse_ramp(density, "it"), Fraction(4), length, uncounted)
    counted = [start for start in starts if budget.counts(start)]
    for step in range(1 + (until or length)):
        assert abs(sum(start < step for start in counted) - budget.expected(step)) <= budget.slack


seeds = st.integers(0, 2**32 - 1)
wishes = st.builds(
    GridControls,
    range=st.sampled_from(["", "60-72", "C4-E4"]),
    key=st.sampled_from(["", "G", "Am"]),
    bars=st.integers(0, 5),
    meter=st.sampled_from(["", "6/8", "3/4"]),
    density=st.sampled_from(["", "1", "0.3", "0.5..4", "4"]),
)


@settings(deadline=None)
@given(wishes, seeds)
def test_there_is_always_a_way_on_and_all_is_obeyed(wished, seed):
    fitted = grid()
    steps = walk(fitted.constraint(wished), random.Random(seed).choice)
    notes = decode_tokens(fitted.decode(steps).content)
    assert notes
    in_key = {"": range(12), "G": {7, 9, 11, 0, 2, 4, 6}, "Am": {9, 11, 0, 2, 4, 5, 7}}[wished.key]
    low, high = {"": (0, 127), "60-72": (60, 72), "C4-E4": (60, 64)}[wished.range]
    assert all(note.pitch % 12 in in_key and low <= note.pitch <= high for note in notes)
    bar = {"": 16, "6/8": 12, "3/4": 12}[wished.meter]
    if wished.bars:
        assert notes[-1].end == wished.bars * bar
    if wished.density:
        length = wished.bars * bar or fitted.length
        keeps_to(wished.density, length, onsets(steps), until=len(steps) - 1)


BARS = ("60 _ _ _ 62 _ _ _", "64 _ _ _ 65 _ _ _", "_ _ _ _ r _ _ _", "67 _ _ _ 69 _ _ _", "_ _ _ _ 71 _ _ _")
TUNE = Piece(tuple(" ".join(BARS).split()))


@settings(deadline=None)
@given(st.sets(st.integers(1, 5), min_size=1, max_size=4), st.sampled_from(["", "1", "0.5..3", "0.2", "4"]), seeds)
def test_bars_that_stay_sound_as_before(bars, density, seed):
    fitted = grid()
    given_tune = Piece(TUNE.content, labels={"meter": "2/4"})
    wished = GridControls(keep_bars=",".join(map(str, sorted(bars))), density=density)
    try:
        rule = fitted.constraint(wished, GenerationContext(tune=given_tune))
    except Unsatisfiable as error:
        assume("--density 0.2 clash" not in str(error))  # which has no note for each bar that is held into
        raise
    steps = walk(rule, random.Random(seed).choice)
    assert len(steps) == len(TUNE.content) + 1 == fitted.max_steps(wished, GenerationContext(tune=given_tune))
    for bar in bars:
        first, last = 8 * bar - 8, 8 * bar
        assert sounding(steps[:-1], first, last) == sounding(fitted.prime(TUNE), first, last)
    if density:
        uncounted = [(8 * bar - 8, 8 * bar) for bar in sorted(bars)]
        keeps_to(density, len(TUNE.content), onsets(steps), uncounted)


def sounding(steps, first, last):
    """Which pitch sounds in each of the steps, and where one is struck."""
    notes = [note for note in decode_tokens(grid().decode(steps).content) if note.start < last and note.end > first]
    return [(max(note.start, first), note.pitch, min(note.end, last), note.start >= first) for note in notes]


def test_a_whole_tune_of_bars_of_which_some_begin_with_a_note_held_over():
    fitted = grid()
    rule = fitted.constraint(
        GridControls(keep_bars="3"), GenerationContext(tune=Piece(TUNE.content, labels={"meter": "2/4"}))
    )
    state = rule.start(())
    for _ in range(15):
        state = rule.step(state, fitted.ids["60"])
    assert rule.allowed(state) == 1 << fitted.ids["65"], "what bar 3 goes on with must sound"
    assert rule.allowed(rule.step(state, fitted.ids["65"])) == 1 << fitted.ids["_"]


def test_bars_are_counted_after_the_pickup():
    fitted = grid()
    tune = Piece(TUNE.content[4:], labels={"meter": "2/4", "pickup": "1"})
    rule = fitted.constraint(GridControls(keep_bars="1"), GenerationContext(tune=tune))
    state = rule.start(())
    for symbol in (*TUNE.content[4:8], "64"):  # the pickup, which stays, and the first note of bar 1
        assert rule.allowed(state) == 1 << fitted.ids[symbol]
        state = rule.step(state, fitted.ids[symbol])


def test_an_opening_says_how_long_bars_are():
    begun = GenerationContext(labels={"meter": "6/8", "pickup": "1/2"})
    assert grid().max_steps(GridControls(bars=4), begun) == 2 + 4 * 12 + 1
    assert grid().max_steps(GridControls(bars=4, meter="3/8"), begun) == 2 + 4 * 6 + 1
    assert grid().max_steps(GridControls(bars=4), GenerationContext(labels={"pickup": "1/3"})) == 1 + 4 * 16 + 1
    with pytest.raises(Unsatisfiable, match="--bars 3 and the opening, in 5/64, clash"):
        grid().constraint(GridControls(bars=3), GenerationContext(labels={"meter": "5/64"}))


def test_an_ending_is_as_long_as_it_says():
    rule = grid().constraint(GridControls(bars=2, density="1"))
    state = rule.step(rule.start(()), 9)
    ending = rule.complete(state)
    assert len(ending) == len(list(ending)) == 32
    assert (ending[-1], list(ending)) == (0, [ending[place] for place in range(32)])


def test_an_opening_counts_as_bars_and_not_as_density():
    fitted = grid()
    opening = tuple(fitted.prime(Piece(("61",) * 20)))
    rule = fitted.constraint(GridControls(bars=2, key="C", density="1"), GenerationContext(primer=opening))
    steps = walk(rule, lambda symbols: symbols[0], opening)
    assert len(steps) == 33
    with pytest.raises(Unsatisfiable, match="an opening of 20 steps"):
        fitted.constraint(GridControls(bars=1), GenerationContext(primer=opening)).start(opening)


def test_the_length_and_the_labels_follow_from_the_wishes():
    fitted = grid()
    assert fitted.max_steps(GridControls(bars=8, meter="6/8"), GenerationContext()) == 8 * 12 + 1
    assert fitted.max_steps(GridControls(), GenerationContext(50)) == 50
    assert fitted.control_labels(GridControls(meter="C|")) == {"meter": "2/2"}
    assert fitted.control_labels(GridControls()) == {}
    assert fitted.control_labels(GridControls(key="Bb")) == {"key": "Bb", "mode": "major"}
    assert fitted.control_labels(GridControls(scale="E dorian")) == {"key": "Edor", "mode": "dorian"}
    assert Grid(GridOptions(transpose="c")).control_labels(GridControls(key="Bb")) == {}, "its music is in C"


def test_there_are_no_more_notes_than_steps():
    with pytest.raises(Unsatisfiable, match=r"--density 5 .* 4 steps a beat") as caught:
        grid().constraint(GridControls(density="5"))
    assert caught.value.hint


def test_what_cannot_be_kept_is_refused():
    tune = GenerationContext(tune=Piece(TUNE.content, labels={"meter": "2/4"}))
    for wished, words in [
        ({"keep_bars": "3", "key": "G#m"}, "--key G#m clash: F4 is held"),
        ({"keep_bars": "3", "range": "70-76"}, "--range 70-76 clash"),
        ({"keep_bars": "3", "meter": "3/4"}, "--meter 3/4 clash: the tune is in 2/4"),
        ({"keep_bars": "4-9"}, "there is no bar 9"),
        ({"keep_bars": "1-5"}, "keeps all 5 bars"),
    ]:
        with pytest.raises(Unsatisfiable, match=words):
            grid().constraint(GridControls(**wished), tune)
    with pytest.raises(Unsatisfiable, match="--bars 4 and --length 20 clash"):
        grid().constraint(GridControls(bars=4), GenerationContext(20))


def test_wishes_that_mean_nothing():
    with pytest.raises(OptionError, match="--bars cannot be -1"):
        GridControls(bars=-1)


@given(wishes)
def test_the_same_wishes_make_the_same_rule(wished):
    assume(wished != GridControls())
    first, second = (grid().constraint(wished) for _ in range(2))
    assert first.allowed(first.start(())) == second.allowed(second.start(()))
