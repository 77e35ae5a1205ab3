"""Kept bars of piano rolls, alone and with other controls, in random walks and sampled from models."""

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from roll_walks import check_density, notes_of, onsets_and_holds, roll, walk

from composer.api import GenerationContext, Piece, Unsatisfiable
from composer.generation.generate import generate
from composer.generation.request import Generated, GenerationRequest
from composer.registry import plugins as registry
from composer.toolkit.representations.density import OnsetBudget, parse_ramp
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import PianorollControls, Roll

TUNE = Roll.from_notes(
    40,
    [
        GridNote(*numbers)
        for numbers in [(0, 60, 12), (0, 64, 4), (4, 65, 8), (12, 62, 8), (12, 65, 6), (12, 69, 8), (18, 64, 2),
                        (20, 60, 4), (24, 60, 12), (28, 64, 8), (28, 67, 8), (36, 60, 4), (36, 64, 4)]
    ],
)  # fmt: skip


@settings(deadline=None)
@given(
    st.sets(st.integers(1, 5), min_size=1, max_size=4),
    st.builds(
        PianorollControls,
        key=st.sampled_from(["", "C", "G"]),
        max_notes=st.sampled_from([0, 2, 3]),
        max_onsets=st.integers(0, 2),
        max_sustained=st.integers(0, 2),
        density=st.sampled_from(["", "0.3", "3", "1..4"]),
    ),
    st.integers(0, 2**32 - 1),
)
def test_kept_bars_are_unchanged(bars, controls, seed):
    pianoroll = roll()
    controls = PianorollControls(
        **{name: getattr(controls, name) for name in ("key", "max_notes", "max_onsets", "max_sustained", "density")},
        keep_bars=",".join(map(str, sorted(bars))),
        meter="2/4",
    )
    tune = GenerationContext(tune=Piece(TUNE))
    try:
        constraint = pianoroll.constraint(controls, tune)
    except Unsatisfiable as error:
        assume("are held into" not in str(error) and "is held into" not in str(error))
        raise
    assert pianoroll.max_steps(controls, tune) == 40
    notes = notes_of(pianoroll, walk(constraint, pianoroll.spec.size, 40, seed))
    kept = {step for bar in bars for step in range(8 * bar - 8, 8 * bar)}
    for bar in bars:
        assert notes_between(notes, 8 * bar - 8, 8 * bar) == notes_between(TUNE.notes, 8 * bar - 8, 8 * bar)
    for step in set(range(40)) - kept:
        onsets, held = onsets_and_holds(notes, step)
        assert onsets <= (controls.max_onsets or 99)
        assert held <= (controls.max_sustained or 99)
        assert onsets + held <= (controls.max_notes or 99)
    scale = {"": range(12), "C": {0, 2, 4, 5, 7, 9, 11}, "G": {0, 2, 4, 6, 7, 9, 11}}[controls.key]
    assert all(note.pitch % 12 in scale for note in notes if note.start not in kept)
    if controls.density:
        budget = OnsetBudget(
            parse_ramp(controls.density, "--density"), Fraction(4), 40, [(8 * b - 8, 8 * b) for b in sorted(bars)]
        )
        check_density(budget, [note.start for note in notes], 40, over=3 * len(bars))


def notes_between(notes, first, last):
    """Return the notes in a range of steps, and whether they start there."""
    selected = [note for note in notes if note.start < last and note.end > first]
    return sorted((note.pitch, max(note.start, first), min(note.end, last), note.start >= first) for note in selected)


def test_notes_held_into_a_kept_bar_start_before_it():
    pianoroll = roll()
    constraint = pianoroll.constraint(
        PianorollControls(keep_bars="3", meter="2/4", max_onsets=1), GenerationContext(tune=Piece(TUNE))
    )
    state = constraint.start(())
    for _ in range(13):
        state = constraint.step(state, ())
    first = constraint.allowed(state).must_be_on
    assert first == 1 << 2, "D, the lowest of three held notes, must start"
    state = constraint.step(state, (2,))
    assert constraint.allowed(state).must_be_on == 1 << 12 + 2 | 1 << 5, "D is held, F starts"


def test_kept_bars_without_onsets():
    pianoroll = roll(onsets=False)
    tune = GenerationContext(tune=Piece(TUNE))
    constraint = pianoroll.constraint(PianorollControls(keep_bars="2-3", meter="2/4"), tune)
    frames = walk(constraint, pianoroll.spec.size, 40, 0)
    assert frames[8:24] == pianoroll.encode(Piece(TUNE))[8:24]
    assert constraint.allowed(constraint.start(frames[:24])).must_be_off == 0
    finished = walk(pianoroll.constraint(PianorollControls(bars=1), GenerationContext()), pianoroll.spec.size, 16, 5)
    assert finished[-1]


@pytest.mark.parametrize("name", ["lstm", "attn-lstm", "rnnrbm"])
def test_all_models_satisfy_controls(name):
    pianoroll = roll()
    model = registry.model(name)
    network = model.network(pianoroll.spec, model.Config()).eval()
    weights = {key: tensor.numpy().copy() for key, tensor in network.state_dict().items()}
    controls = PianorollControls(keep_bars="2,4", meter="2/4", density="1..3", max_notes=3, key="C")
    constraint = pianoroll.constraint(controls, GenerationContext(tune=Piece(TUNE)))
    for model_or_network in (model.sampler(pianoroll.spec, model.Config(), weights), network):
        frames = {1: [], 2: []}
        for event in generate(
            model_or_network, pianoroll.spec, GenerationRequest(length=40, count=2, seed=3), constraint
        ):
            if isinstance(event, Generated):
                frames[event.number] += event.steps
        for each in frames.values():
            notes = notes_of(pianoroll, each)
            for bar in (2, 4):
                assert notes_between(notes, 8 * bar - 8, 8 * bar) == notes_between(TUNE.notes, 8 * bar - 8, 8 * bar)
            assert all(note.pitch % 12 in {0, 2, 4, 5, 7, 9, 11} for note in notes)
            assert all(sum(onsets_and_holds(notes, step)) <= 3 for step in range(40))


def test_pickup_is_always_kept():
    given = GenerationContext(tune=Piece(TUNE, labels={"meter": "2/4", "pickup": "1"}))
    constraint = roll().constraint(PianorollControls(keep_bars="2"), given)
    assert sorted(constraint.kept) == [*range(4), *range(12, 20)]


def test_conflicts_with_kept_bars():
    tune = GenerationContext(tune=Piece(TUNE, labels={"meter": "2/4"}))
    for controls, words in [
        ({"keep_bars": "3", "key": "F#m"}, "contradicts --key F#m: F4 is held"),
        ({"keep_bars": "3", "range": "66-71"}, "contradicts --range 66-71"),
        ({"keep_bars": "3", "max_notes": 1}, "contradicts --max-notes 1: 3 notes"),
        ({"keep_bars": "3", "max_sustained": 1, "max_onsets": 1}, "contradicts --max-sustained 1: 3 notes"),
        ({"keep_bars": "3", "meter": "3/4"}, "contradicts --meter 3/4: the tune is in 2/4"),
        ({"keep_bars": "4-9"}, "there is no bar 9"),
    ]:
        with pytest.raises(Unsatisfiable, match=words):
            roll().constraint(PianorollControls(**controls), tune)
    with pytest.raises(Unsatisfiable, match="frames of 3 steps do not match the bars"):
        roll(stack=3).constraint(PianorollControls(keep_bars="2"), tune)
