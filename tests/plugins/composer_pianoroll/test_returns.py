"""Passages that return: known from the training pieces, copied in generated ones, and left out on request."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from roll_walks import check_density, notes_of, onsets_and_holds, walk

from composer.api import GenerationContext, OptionError, Piece, Unsatisfiable
from composer.api.testing.constraints import check_controls
from composer.toolkit.representations.bar_plan import BarPlan
from composer.toolkit.representations.density import OnsetBudget, parse_ramp
from composer.toolkit.representations.quantize import GridNote
from composer.toolkit.representations.returns import Return
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.frames import Layout
from composer_pianoroll.returns import ReturnsConstraint, sources_of
from composer_pianoroll.rules import Rules

OPTIONS = PianorollOptions(range="40-70", steps=2, positions=True)


def piece(*beats, **labels):
    """Return a piece in 2/4 with a chord per beat; a chord that is the one before is held."""
    notes = list[GridNote]()
    for beat, chord in enumerate(beats):
        if beat and beats[beat - 1] is chord:
            notes[-len(chord) :] = [each._replace(length=each.length + 2) for each in notes[-len(chord) :]]
        else:
            notes += [GridNote(2 * beat, pitch, 2) for pitch in chord]
    return Piece(Roll.from_notes(2 * len(beats), notes), labels={"meter": "2/4", **labels})


A, B, C, D, E, F = ((48, 64), (50, 62), (47, 67), (52, 60), (45, 65), (43, 69))
AAB = piece(A, B, C, D, A, B, C, D, E, F, B, A)
"""Two bars come again, then four others."""
OCTAVE = piece(*2 * [(60, 64), (62, 65), (60, 67), (64, 69)], (65, 69), (62, 71), (60, 67), (60, 64))


def fitted(*pieces, **options):
    found = Pianoroll(replace(OPTIONS, **options))
    found.fit(pieces)
    return found


def generated(constraint, seed=1, primer=()):
    """Return the frames of a piece that follows the rules of a constraint, random where it may be."""
    chosen, state = random.Random(seed), constraint.start(primer)
    frames = list(primer)
    while not constraint.ends(state):
        rule = constraint.allowed(state)
        free = [unit for unit in range(62) if not rule.must_be_off >> unit & 1 and not rule.must_be_on >> unit & 1]
        on = [unit for unit in range(62) if rule.must_be_on >> unit & 1]
        frame = tuple(sorted({*on, *chosen.sample(free, min(2, len(free)))}))
        frame = rule.project(frame) if rule.project else frame
        state = constraint.step(state, frame)
        frames.append(frame)
    return frames


def test_the_training_pieces_say_which_passages_return():
    found = fitted(AAB, AAB, piece(A, B, C, D, E, F), replace(AAB, is_variant=True))
    assert found.training_plans == {"2/4,3": 1, "2/4,6": 2}
    assert found.training_returns == {"2/4,6,,,,,4-8=0": 2}
    assert found.plans(None, GenerationContext()) == {"2/4,3": 1, "2/4,6,,,,,4-8=0": 2}
    again = Pianoroll(OPTIONS)
    again.restore(found.state())
    assert again.plans(None, GenerationContext()) == found.plans(None, GenerationContext())


def test_equal_frames_and_not_only_equal_notes():
    tied = piece(A, B, B, D, C, E, (*B, 60)[:2], D)
    assert fitted(tied).training_returns == {}, "the second bar begins with notes that are held"
    struck = piece(A, B, C, D, E, F, C, D)
    assert fitted(struck).training_returns == {"2/4,4,,,,,6-8=2": 1}
    assert fitted(struck, stack=2).training_returns == {"2/4,4,,,,,6-8=2": 1}
    assert fitted(struck, stack=3).training_returns == {}, "bars are not whole frames"


def test_the_state_must_fit_together():
    for returns in ({"2/4,9,,,,,4-8=0": 1}, {"2/4,6,,,,,8-4=0": 1}, {"2/4,6,,,,,4-8=0": 3}):
        with pytest.raises(ValueError, match=r"returns|passage"):
            Pianoroll(OPTIONS).restore({"plans": {"2/4,6": 2}, "returns": returns})


def test_passages_are_copied_and_the_rest_is_free():
    found = fitted(AAB)
    constraint = found.constraint(PianorollControls(), GenerationContext(plan="2/4,6,,,,,4-8=0"))
    one, other = generated(constraint), generated(constraint, seed=2)
    assert len(one) == 24
    assert one[8:16] == one[:8]
    assert other[8:16] == other[:8]
    assert one[:8] != other[:8]
    assert one[16:] != one[8:16]


def test_a_copy_is_fixed_for_particles():
    constraint = fitted(AAB).constraint(PianorollControls(), GenerationContext(plan="2/4,6,,,,,4-8=0"))
    state, fixed = constraint.start(()), []
    for frame in generated(constraint):
        fixed.append(constraint.fixed_step(state))
        state = constraint.step(state, frame)
    assert fixed == [*[None] * 8, *range(8, 16), *[None] * 8]


def test_the_last_two_bars_are_free_to_close():
    sources = sources_of([Return.parse("4-12=0")], OPTIONS.steps, 16, (), bool)
    assert sources == {frame: (frame - 8) % 8 for frame in range(8, 16)}
    constraint = fitted(AAB).constraint(PianorollControls(), GenerationContext(plan="2/4,6,,,,,4-12=0"))
    assert constraint.inner.sources == sources


def test_a_copy_of_a_copy_is_one_of_the_first():
    returns = [Return.parse("4-8=0"), Return.parse("8-14=6")]
    assert sources_of(returns, 1, 99, (), bool)[8] == 2
    assert [*sources_of(returns, 1, 99, (), bool).values()] == [0, 1, 2, 3, 2, 3, 2, 3, 2, 3]


def test_a_primer_is_copied_unless_it_goes_on_otherwise():
    found = fitted(AAB)
    primer = tuple(found.prime(AAB))
    context = GenerationContext(plan="2/4,6,,,,,4-8=0", primer=primer[:10])
    constraint = found.constraint(PianorollControls(), context)
    assert generated(constraint, primer=context.primer)[8:16] == list(primer[:8])
    other = (*primer[:8], primer[16], primer[17])
    constraint = found.constraint(PianorollControls(), replace(context, primer=other))
    assert not isinstance(constraint.inner, ReturnsConstraint)


@pytest.mark.parametrize("broken", [{"range": "40-65"}, {"scale": "C major"}, {"max_notes": 1}, {"min_notes": 3}])
def test_passages_of_a_primer_that_breaks_the_controls_do_not_return(broken):
    found = fitted(piece(A, B, C, (49, 66), A, B, C, (49, 66), E, F, B, A))
    primer = tuple(found.prime(piece(A, B, C, (49, 66))))
    context = GenerationContext(plan="2/4,6,,,,,4-8=0", primer=primer)
    assert isinstance(found.constraint(PianorollControls(), context).inner, ReturnsConstraint)
    assert not isinstance(found.constraint(PianorollControls(**broken), context).inner, ReturnsConstraint)
    own = replace(context, primer=primer[:2], plan="2/4,8,,,,,8-12=4")
    assert isinstance(found.constraint(PianorollControls(**broken), own).inner, ReturnsConstraint), "not of the primer"


@pytest.mark.parametrize("stack", [1, 2])
@pytest.mark.parametrize(
    "controls",
    [{"max_onsets": 1}, {"min_notes": 2, "max_notes": 3, "max_onsets": 1}, {"min_notes": 2}, {"max_notes": 2}],
)
def test_copies_obey_the_limits(stack, controls):
    found = fitted(OCTAVE, range="60-71", stack=stack)
    limits = PianorollControls(**controls, parallels="avoid")
    constraint = found.constraint(limits, GenerationContext(plan="2/4,6,,,,,4-8=1"))
    assert isinstance(constraint.inner, ReturnsConstraint)
    for seed in range(20):
        frames = walk(constraint, found.layout.size, 24 // stack, seed)
        notes, sounding = notes_of(found, frames), 0
        for step in range(24):
            onsets, holds = onsets_and_holds(notes, step)
            assert onsets <= (limits.max_onsets or 12)
            assert onsets + holds <= (limits.max_notes or 12)
            assert onsets + holds >= min(limits.fewest_notes, (limits.max_onsets or 12) + sounding), step
            sounding = onsets + holds


@pytest.mark.parametrize("stack", [1, 2])
def test_notes_held_into_the_source_are_struck_if_they_do_not_sound(stack):
    layout = Layout(40, 43, stack=stack)
    plain = Pianoroll(PianorollOptions(range="40-43", steps=2, stack=stack))
    held = (*((unit, unit + layout.units_per_step) for unit in (4, 5)), ()) if stack > 1 else ((4,), (5,), ())
    both = tuple(sorted({unit for each in held[:2] for unit in each}))
    struck = tuple(unit - 4 if unit < 8 else unit for unit in both)
    for before, limit, expected in ((both, 0, both), ((), 0, struck), ((), 1, struck[::2])):
        constraint = ReturnsConstraint(plain.constraint(PianorollControls(max_onsets=limit)), layout, {3: 1})
        onsets = tuple(unit - 4 for unit in both)
        state = constraint.start((onsets, both, before))
        assert constraint.allowed(state).must_be_on == sum(1 << unit for unit in expected)


def test_who_asks_for_no_returns_gets_none():
    found, plain = fitted(AAB), {"2/4,6": 1}
    assert found.plans(PianorollControls(returns="none"), GenerationContext()) == plain
    for counted in ({"onsets": "1-2"}, {"sustained": "1"}, {"density": "2"}):
        assert found.plans(PianorollControls(**counted), GenerationContext()) == plain, "the number of notes is given"
    assert found.plans(None, GenerationContext(rules=Rules.PARALLELS)) == plain, "older pieces are reproduced"
    assert found.plans(PianorollControls(keep_bars="1"), GenerationContext(tune=AAB)) == plain


def test_a_model_from_before_has_none():
    old = Pianoroll(OPTIONS)
    old.restore({"plans": {"2/4,6": 2}})
    assert old.state() == {"plans": {"2/4,6": 2}}
    assert old.plans(None, GenerationContext()) == {"2/4,6": 2}
    with pytest.raises(Unsatisfiable, match="does not know which bars of its training pieces return"):
        old.plans(PianorollControls(returns="plan"), GenerationContext())


def test_a_model_without_positions_has_none():
    plain = fitted(AAB, positions=False)
    assert plain.plans(None, GenerationContext()) == {}
    for tune in (None, AAB):
        with pytest.raises(Unsatisfiable, match="does not know which bars of its training pieces return"):
            plain.plans(PianorollControls(returns="plan"), GenerationContext(tune=tune))


def test_harmonies_return_with_the_voice_that_is_kept():
    melody = piece(*((chord[1],) for chord in (A, B, C, D, A, B, C, D, E, F, B, A)))
    found, controls = fitted(AAB), PianorollControls(keep_voices="top", returns="plan")
    context = GenerationContext(tune=melody)
    assert found.plans(controls, context) == {"2/4,6,,,,,4-8=0": 1}
    constraint = found.constraint(controls, context)
    frames = generated(constraint)
    assert frames[8:16] == frames[:8]
    assert all({*voice} <= {*frame} for voice, frame in zip(found.prime(melody), frames, strict=True))


def test_bars_that_were_asked_for():
    found = fitted(AAB, piece(A, B, C, D, E, F))
    assert found.plans(PianorollControls(bars=6), GenerationContext()) == {"2/4,6,,,,,4-8=0": 1}
    longer = found.plans(PianorollControls(bars=9), GenerationContext())
    assert longer == {"2/4,9": 1, "2/4,9,,,,,4-8=0": 1}
    shorter = found.constraint(PianorollControls(bars=4), GenerationContext(plan="2/4,4,,,,,4-8=0"))
    assert not isinstance(shorter.inner, ReturnsConstraint), "the passage would be the ending"


@pytest.mark.parametrize("controls", [{}, {"bars": 4}, {"bars": 9}, {"meter": "3/4"}, {"key": "G"}])
def test_plans_with_returns_are_as_long_as_those_without(controls):
    found = fitted(AAB, piece(A, B, C, D, E, F, C), piece(A, B, A, B, E, F))
    controls, context = PianorollControls(**controls, returns="plan"), GenerationContext()
    plans = map(BarPlan.parse, found.plans(controls, context))
    assert found.max_steps(controls, context) == max(plan.steps(found.per_beat) for plan in plans)


@pytest.mark.parametrize("other", [{"keep_bars": "1"}, {"onsets": "2"}, {"sustained": "1"}, {"density": "2"}])
def test_conflicts(other):
    flag = f"--{next(iter(other)).replace('_', '-')}"
    with pytest.raises(OptionError, match=f"--returns plan and {flag} cannot be used together"):
        PianorollControls(returns="plan", **other)
    PianorollControls(returns="none", **other)
    with pytest.raises(OptionError, match="--returns: 'yes'"):
        PianorollControls(returns="yes")


@pytest.mark.parametrize("controls", [{}, {"bars": 6}, {"max_notes": 3, "max_onsets": 1}])
def test_the_contract_of_constraints(controls):
    check_controls(fitted(AAB), [AAB, piece(A, B, C, D)], PianorollControls(**controls))


def test_pieces_with_a_density_meet_it():
    found = fitted(OCTAVE, range="60-71")
    assert found.training_returns == {"2/4,6,,,,,4-8=0": 1}
    constraint = found.constraint(PianorollControls(density="1..3"), GenerationContext())
    budget = OnsetBudget(parse_ramp("1..3", "--density"), Fraction(2), 24, spare=1)
    for seed in range(10):
        frames = walk(constraint, found.layout.size, 24, seed)
        check_density(budget, [note.start for note in notes_of(found, frames)], 24)
