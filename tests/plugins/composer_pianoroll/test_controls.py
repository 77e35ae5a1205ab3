"""Controls of the pianoroll representation; random walks always reach a valid end."""

from fractions import Fraction

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from roll_walks import check_density, notes_of, onsets_and_holds, roll, walk

from composer.api import GenerationContext, OptionError, Unsatisfiable
from composer.toolkit.representations.density import OnsetBudget, parse_ramp
from composer_pianoroll import PianorollControls
from composer_pianoroll.controls import parse_count

any_controls = st.builds(
    PianorollControls,
    range=st.sampled_from(["", "62-69", "C4-E4"]),
    key=st.sampled_from(["", "C", "Am"]),
    max_notes=st.integers(0, 4),
    max_onsets=st.integers(0, 3),
    max_sustained=st.integers(0, 3),
    min_notes=st.sampled_from([None, 0]),
    bars=st.integers(0, 3),
    meter=st.sampled_from(["", "3/4"]),
    density=st.sampled_from(["", "0.3", "2", "1..4", "4"]),
)


@settings(deadline=None)
@example(PianorollControls(range="C4-E4", bars=1, meter="3/4", max_notes=1), 2, 23)
@given(any_controls, st.sampled_from([1, 2, 4]), st.integers(0, 2**32 - 1))
def test_random_walks_satisfy_all_controls(controls, stack, seed):
    pianoroll = roll(stack=stack)
    constraint = pianoroll.constraint(controls, GenerationContext())
    bar = 12 if controls.meter else 16
    steps = controls.bars * bar or 48
    frames = walk(constraint, pianoroll.spec.size, steps // stack, seed)
    notes = notes_of(pianoroll, frames)
    low, high = {"": (60, 71), "62-69": (62, 69), "C4-E4": (60, 64)}[controls.range]
    scale = {0, 2, 4, 5, 7, 9, 11} if controls.key else range(12)
    assert all(low <= note.pitch <= high and note.pitch % 12 in scale for note in notes)
    for step in range(steps):
        onsets, held = onsets_and_holds(notes, step)
        assert onsets <= (controls.max_onsets or 99)
        assert held <= (controls.max_sustained or 99)
        assert onsets + held <= (controls.max_notes or 99)
    if controls.bars:
        assert pianoroll.max_steps(controls, GenerationContext()) == steps // stack
        assert steps - stack < max(note.end for note in notes) <= steps
    if controls.density:
        length = steps if controls.bars else pianoroll.length * stack
        budget = OnsetBudget(parse_ramp(controls.density, "--density"), Fraction(4), length)
        check_density(budget, [note.start for note in notes], steps, every=stack)


floors = st.builds(
    PianorollControls,
    min_notes=st.integers(1, 3),
    max_notes=st.sampled_from([0, 3, 4]),
    max_onsets=st.sampled_from([0, 1, 3]),
    max_sustained=st.sampled_from([0, 2, 3]),
    key=st.sampled_from(["", "C"]),
    bars=st.integers(0, 2),
)


@settings(deadline=None)
@given(floors, st.sampled_from([1, 2, 4]), st.booleans(), st.integers(0, 2**32 - 1))
def test_at_least_the_minimum_of_notes_sounds(controls, stack, onsets, seed):
    pianoroll = roll(stack=stack, onsets=onsets)
    assume(onsets or not (controls.max_onsets or controls.max_sustained))
    constraint, steps = pianoroll.constraint(controls, GenerationContext()), controls.bars * 16 or 48
    notes = notes_of(pianoroll, walk(constraint, pianoroll.spec.size, steps // stack, seed))
    start = controls.min_notes if controls.max_onsets == 1 else 0  # notes start one by one
    for step in range(steps):
        sounding = sum(onsets_and_holds(notes, step))
        assert sounding >= controls.min_notes or step < start * stack
        assert sounding <= (controls.max_notes or 99)


def test_minimum_of_notes_and_density():
    """The density comes first; then what sounds is held."""
    pianoroll = roll()
    controls = PianorollControls(min_notes=2, density="0.5")
    frames = walk(pianoroll.constraint(controls, GenerationContext()), pianoroll.spec.size, 48, 1)
    notes = notes_of(pianoroll, frames)
    check_density(
        OnsetBudget(parse_ramp("0.5", "--density"), Fraction(4), pianoroll.length), [n.start for n in notes], 48
    )
    assert min(sum(onsets_and_holds(notes, step)) for step in range(24, 48)) >= 2


@pytest.mark.parametrize(
    ("controls", "words", "hint"),
    [
        ({"min_notes": 5, "max_notes": 4}, "--min-notes 5 contradicts --max-notes 4", "--min-notes 4 or less"),
        ({"min_notes": 4, "max_onsets": 1, "max_sustained": 2}, "--max-onsets 1 and --max-sustained 2", "3 or less"),
        ({"min_notes": 9, "range": "60-64"}, "contradicts the 5 pitches that are allowed", "--min-notes 5 or less"),
        ({"min_notes": -1}, "invalid value for --min-notes: '-1'", "use a whole number, 0 or more"),
    ],
)
def test_conflicts_with_the_minimum_of_notes(controls, words, hint):
    with pytest.raises(OptionError, match=words) as error:
        roll().constraint(PianorollControls(**controls), GenerationContext())
    assert hint in error.value.hint


def test_primer_counts_as_bars_but_not_as_density():
    pianoroll = roll()
    primer = ((0, 2, 4, 5),) * 6
    controls = PianorollControls(bars=1, density="1")
    constraint = pianoroll.constraint(controls, GenerationContext(primer=primer))
    notes = notes_of(pianoroll, walk(constraint, pianoroll.spec.size, 16, 3, primer))
    assert 24 + 1 <= len(notes) <= 24 + 4
    with pytest.raises(Unsatisfiable, match="the primer is longer than --bars 1"):
        pianoroll.constraint(controls, GenerationContext(primer=primer * 3))


@pytest.mark.parametrize(
    ("controls", "words"),
    [
        ({"density": "9", "max_onsets": 2}, "--density 9 contradicts --max-onsets 2"),
        ({"density": "9", "max_notes": 2}, "--density 9 contradicts --max-notes 2"),
        ({"density": "1..9", "range": "60-61"}, "--density 1..9 contradicts --range 60-61"),
    ],
)
def test_density_conflicts_with_note_limits(controls, words):
    with pytest.raises(Unsatisfiable, match=words) as caught:
        roll().constraint(PianorollControls(**controls))
    assert caught.value.hint


def test_primer_labels_give_the_meter():
    context = GenerationContext(labels={"meter": "6/8", "pickup": "1/2"})
    assert roll().max_steps(PianorollControls(bars=4), context) == 2 + 4 * 12
    assert roll().max_steps(PianorollControls(bars=4, meter="3/8"), context) == 2 + 4 * 6
    with pytest.raises(Unsatisfiable, match="--bars 4 contradicts --prime, in 6/8"):
        roll(stack=4).constraint(PianorollControls(bars=4), context)


def test_a_length_that_is_too_short_for_the_bars():
    with pytest.raises(Unsatisfiable, match="--length 20 is too short for --bars 4"):
        roll().constraint(PianorollControls(bars=4), GenerationContext(20))


def test_control_labels():
    assert roll().control_labels(PianorollControls(key="Bb", meter="3/4")) == {
        "meter": "3/4",
        "key": "Bb",
        "mode": "major",
    }
    assert roll().control_labels(PianorollControls(scale="D blues")) == {}


@pytest.mark.parametrize("control", ["bars", "max_notes", "max_onsets", "max_sustained"])
def test_invalid_controls(control):
    with pytest.raises(OptionError, match=f"invalid value for --{control.replace('_', '-')}: '-1'"):
        PianorollControls(**{control: -1})


@settings(deadline=None)
@given(
    onsets=st.sampled_from(["1", "2", "1-2"]),
    sustained=st.sampled_from(["", "1", "3", "2-3"]),
    bars=st.sampled_from([0, 2]),
    max_notes=st.sampled_from([0, 5]),
    seed=st.integers(0, 2**32 - 1),
)
def test_numbers_of_notes_are_exact(onsets, sustained, bars, max_notes, seed):
    controls = PianorollControls(onsets=onsets, sustained=sustained, bars=bars, max_notes=max_notes)
    constraint = roll().constraint(controls)
    (fewest, most), (fewest_held, most_held) = parse_count(onsets, ""), parse_count(sustained, "")
    sounding = set()
    for frame in walk(constraint, 24, 32, seed):
        starting, held = {unit for unit in frame if unit < 12}, {unit - 12 for unit in frame if unit >= 12}
        assert fewest <= len(starting) <= most
        assert held <= sounding - starting
        if sustained:
            assert min(fewest_held, len(sounding - starting)) <= len(held) <= most_held
        assert not max_notes or len(starting | held) <= max_notes
        sounding = starting | held


@pytest.mark.parametrize(
    ("controls", "options", "words"),
    [
        ({"onsets": "2", "density": "1"}, {}, "--onsets cannot be combined with --density"),
        ({"sustained": "2", "keep_bars": "1"}, {}, "--sustained cannot be combined with --keep-bars"),
        ({"onsets": "2", "sustained": "3", "max_notes": 4}, {}, "contradicts --max-notes 4: at least 5"),
        ({"onsets": "3", "range": "60-61"}, {}, "needs 3 pitches, and only 2 are allowed"),
        ({"onsets": "1"}, {"stack": 2}, "needs a model with one step per frame"),
        ({"onsets": "1"}, {"onsets": False}, "needs a model with onsets"),
    ],
)
def test_exact_numbers_that_cannot_be(controls, options, words):
    with pytest.raises(Unsatisfiable, match=words):
        roll(**options).constraint(PianorollControls(**controls))


@pytest.mark.parametrize("text", ["0", "3-1", "two", "-1", "129"])
def test_invalid_numbers_of_notes(text):
    with pytest.raises(OptionError, match=f"invalid value for --sustained: '{text}'"):
        PianorollControls(sustained=text)
    with pytest.raises(OptionError, match="--onsets and --max-onsets cannot be used together"):
        PianorollControls(onsets="1", max_onsets=2)
