"""What a player may ask of a roll, and that there is always a way on to what was asked."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from composer.api import GenerationContext, OptionError, Piece, Unsatisfiable
from composer.api.sampling.filters import apply_frame_rule, mask_array
from composer.generation.generate import Drew, Request, generate
from composer.registry import plugins as registry
from composer.toolkit.representations.density import OnsetBudget, parse_ramp
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll


def roll(**options):
    return Pianoroll(PianorollOptions(**{"range": "60-71", **options}))


def walk(rule, size, steps, seed, primer=()):
    """Frames of which any unit is as likely as any other, as far as the rule lets them be."""
    generator = np.random.default_rng(seed)
    state, frames = rule.start(primer), list(primer)
    while len(frames) < steps:
        allowed = rule.allowed(state)
        off, on = mask_array(allowed.must_be_off, size), mask_array(allowed.must_be_on, size)
        assert not (off & on).any()
        rank = np.where(off, -np.inf, np.where(on, np.inf, generator.random(size)))
        drawn = (generator.random(size) < generator.choice([0.02, 0.2, 0.8])) & ~off | on
        frame = tuple(np.flatnonzero(apply_frame_rule(drawn, rank, allowed)).tolist())
        assert not any(allowed.must_be_off >> unit & 1 for unit in frame)
        assert all({unit, unit - 12} & set(frame) for unit in np.flatnonzero(on)), "what must sound does"
        frames.append(frame)
        state = rule.step(state, frame)
    return frames


def notes_of(pianoroll, frames):
    piece = pianoroll.decode(frames)
    assert pianoroll.encode(piece) == frames, "what is held was struck"
    return piece.content.notes


def keeps_to(budget, starts, steps, every=1, over=0):
    counted = [start for start in starts if budget.counts(start)]
    for step in range(0, steps + 1, every):
        assert abs(sum(start < step for start in counted) - budget.expected(step)) <= budget.slack + over


def at_a_time(notes, step):
    struck = sum(note.start == step for note in notes)
    return struck, sum(note.start < step < note.end for note in notes)


wishes = st.builds(
    PianorollControls,
    range=st.sampled_from(["", "62-69", "C4-E4"]),
    key=st.sampled_from(["", "C", "Am"]),
    max_notes=st.integers(0, 4),
    max_onsets=st.integers(0, 3),
    max_sustained=st.integers(0, 3),
    bars=st.integers(0, 3),
    meter=st.sampled_from(["", "3/4"]),
    density=st.sampled_from(["", "0.3", "2", "1..4", "4"]),
)


@settings(deadline=None)
@example(PianorollControls(range="C4-E4", bars=1, meter="3/4", max_notes=1), 2, 23)
@given(wishes, st.sampled_from([1, 2, 4]), st.integers(0, 2**32 - 1))
def test_there_is_always_a_way_on_and_all_is_obeyed(wished, stack, seed):
    pianoroll = roll(stack=stack)
    rule = pianoroll.constraint(wished, GenerationContext())
    bar = 12 if wished.meter else 16
    steps = wished.bars * bar or 48
    frames = walk(rule, pianoroll.spec.size, steps // stack, seed)
    notes = notes_of(pianoroll, frames)
    low, high = {"": (60, 71), "62-69": (62, 69), "C4-E4": (60, 64)}[wished.range]
    scale = {0, 2, 4, 5, 7, 9, 11} if wished.key else range(12)
    assert all(low <= note.pitch <= high and note.pitch % 12 in scale for note in notes)
    for step in range(steps):
        struck, held = at_a_time(notes, step)
        assert struck <= (wished.max_onsets or 99)
        assert held <= (wished.max_sustained or 99)
        assert struck + held <= (wished.max_notes or 99)
    if wished.bars:
        assert pianoroll.max_steps(wished, GenerationContext()) == steps // stack
        assert steps - stack < max(note.end for note in notes) <= steps
    if wished.density:
        length = steps if wished.bars else pianoroll.length * stack
        budget = OnsetBudget(parse_ramp(wished.density, "it"), Fraction(4), length)
        keeps_to(budget, [note.start for note in notes], steps, every=stack)


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
def test_bars_that_stay_sound_as_before(bars, wished, seed):
    pianoroll = roll()
    wished = PianorollControls(
        **{name: getattr(wished, name) for name in ("key", "max_notes", "max_onsets", "max_sustained", "density")},
        keep_bars=",".join(map(str, sorted(bars))),
        meter="2/4",
    )
    tune = GenerationContext(tune=Piece(TUNE))
    try:
        rule = pianoroll.constraint(wished, tune)
    except Unsatisfiable as error:
        assume("are held into" not in str(error) and "is held into" not in str(error))
        raise
    assert pianoroll.max_steps(wished, tune) == 40
    notes = notes_of(pianoroll, walk(rule, pianoroll.spec.size, 40, seed))
    kept = {step for bar in bars for step in range(8 * bar - 8, 8 * bar)}
    for bar in bars:
        assert heard(notes, 8 * bar - 8, 8 * bar) == heard(TUNE.notes, 8 * bar - 8, 8 * bar)
    for step in set(range(40)) - kept:
        struck, held = at_a_time(notes, step)
        assert struck <= (wished.max_onsets or 99)
        assert held <= (wished.max_sustained or 99)
        assert struck + held <= (wished.max_notes or 99)
    scale = {"": range(12), "C": {0, 2, 4, 5, 7, 9, 11}, "G": {0, 2, 4, 6, 7, 9, 11}}[wished.key]
    assert all(note.pitch % 12 in scale for note in notes if note.start not in kept)
    if wished.density:
        budget = OnsetBudget(
            parse_ramp(wished.density, "it"), Fraction(4), 40, [(8 * b - 8, 8 * b) for b in sorted(bars)]
        )
        keeps_to(budget, [note.start for note in notes], 40, over=3 * len(bars))


def heard(notes, first, last):
    """What sounds from step `first` to `last`, and whether it is struck there."""
    within = [note for note in notes if note.start < last and note.end > first]
    return sorted((note.pitch, max(note.start, first), min(note.end, last), note.start >= first) for note in within)


def test_what_is_held_into_a_bar_is_struck_before_it():
    pianoroll = roll()
    rule = pianoroll.constraint(
        PianorollControls(keep_bars="3", meter="2/4", max_onsets=1), GenerationContext(tune=Piece(TUNE))
    )
    state = rule.start(())
    for _ in range(13):
        state = rule.step(state, ())
    first = rule.allowed(state).must_be_on
    assert first == 1 << 2, "D, the lowest of three notes that are held over"
    state = rule.step(state, (2,))
    assert rule.allowed(state).must_be_on == 1 << 12 + 2 | 1 << 5, "D goes on, F is struck"


def test_without_onsets_frames_are_kept_as_they_are():
    pianoroll = roll(onsets=False)
    tune = GenerationContext(tune=Piece(TUNE))
    rule = pianoroll.constraint(PianorollControls(keep_bars="2-3", meter="2/4"), tune)
    frames = walk(rule, pianoroll.spec.size, 40, 0)
    assert frames[8:24] == pianoroll.encode(Piece(TUNE))[8:24]
    assert rule.allowed(rule.start(frames[:24])).must_be_off == 0
    finished = walk(pianoroll.constraint(PianorollControls(bars=1), GenerationContext()), pianoroll.spec.size, 16, 5)
    assert finished[-1]


@pytest.mark.parametrize("name", ["lstm", "attn-lstm", "rnnrbm"])
def test_every_model_of_frames_obeys(name):
    pianoroll = roll()
    model = registry.model(name)
    network = model.network(pianoroll.spec, model.Config()).eval()
    weights = {key: tensor.numpy().copy() for key, tensor in network.state_dict().items()}
    wished = PianorollControls(keep_bars="2,4", meter="2/4", density="1..3", max_notes=3, key="C")
    rule = pianoroll.constraint(wished, GenerationContext(tune=Piece(TUNE)))
    for face in (model.sampler(pianoroll.spec, model.Config(), weights), network):
        frames = {1: [], 2: []}
        for event in generate(face, pianoroll.spec, Request(length=40, count=2, seed=3), rule):
            if isinstance(event, Drew):
                frames[event.number] += event.steps
        for each in frames.values():
            notes = notes_of(pianoroll, each)
            for bar in (2, 4):
                assert heard(notes, 8 * bar - 8, 8 * bar) == heard(TUNE.notes, 8 * bar - 8, 8 * bar)
            assert all(note.pitch % 12 in {0, 2, 4, 5, 7, 9, 11} for note in notes)
            assert all(sum(at_a_time(notes, step)) <= 3 for step in range(40))


def test_an_opening_counts_as_bars_and_not_as_density():
    pianoroll = roll()
    opening = ((0, 2, 4, 5),) * 6
    wished = PianorollControls(bars=1, density="1")
    rule = pianoroll.constraint(wished, GenerationContext(primer=opening))
    notes = notes_of(pianoroll, walk(rule, pianoroll.spec.size, 16, 3, opening))
    assert 24 + 1 <= len(notes) <= 24 + 4
    with pytest.raises(Unsatisfiable, match="--bars 1 and --prime clash"):
        pianoroll.constraint(wished, GenerationContext(primer=opening * 3))


@pytest.mark.parametrize(
    ("wished", "words"),
    [
        ({"density": "9", "max_onsets": 2}, "--density 9 and --max-onsets 2 clash"),
        ({"density": "9", "max_notes": 2}, "--density 9 and --max-notes 2 clash"),
        ({"density": "1..9", "range": "60-61"}, "--density 1..9 and --range 60-61 clash"),
    ],
)
def test_a_density_takes_enough_notes_at_a_time(wished, words):
    with pytest.raises(Unsatisfiable, match=words) as caught:
        roll().constraint(PianorollControls(**wished))
    assert caught.value.hint


def test_an_opening_says_how_long_bars_are():
    begun = GenerationContext(labels={"meter": "6/8", "pickup": "1/2"})
    assert roll().max_steps(PianorollControls(bars=4), begun) == 2 + 4 * 12
    assert roll().max_steps(PianorollControls(bars=4, meter="3/8"), begun) == 2 + 4 * 6
    with pytest.raises(Unsatisfiable, match="--bars 4 and the opening, in 6/8, clash"):
        roll(stack=4).constraint(PianorollControls(bars=4), begun)


def test_a_pickup_stays_with_any_bar():
    given = GenerationContext(tune=Piece(TUNE, labels={"meter": "2/4", "pickup": "1"}))
    rule = roll().constraint(PianorollControls(keep_bars="2"), given)
    assert sorted(rule.kept) == [*range(4), *range(12, 20)]


def test_the_key_is_a_label():
    assert roll().control_labels(PianorollControls(key="Bb", meter="3/4")) == {
        "meter": "3/4",
        "key": "Bb",
        "mode": "major",
    }
    assert roll().control_labels(PianorollControls(scale="D blues")) == {}


def test_what_cannot_be_kept_is_refused():
    tune = GenerationContext(tune=Piece(TUNE, labels={"meter": "2/4"}))
    for wished, words in [
        ({"keep_bars": "3", "key": "F#m"}, "--key F#m clash: F4 is held"),
        ({"keep_bars": "3", "range": "66-71"}, "--range 66-71 clash"),
        ({"keep_bars": "3", "max_notes": 1}, "--max-notes 1 clash: 3 notes"),
        ({"keep_bars": "3", "max_sustained": 1, "max_onsets": 1}, "--max-sustained 1 clash: 3 notes"),
        ({"keep_bars": "3", "meter": "3/4"}, "--meter 3/4 clash: the tune is in 2/4"),
        ({"keep_bars": "4-9"}, "there is no bar 9"),
    ]:
        with pytest.raises(Unsatisfiable, match=words):
            roll().constraint(PianorollControls(**wished), tune)
    with pytest.raises(Unsatisfiable, match="--bars 4 and --length 20 clash"):
        roll().constraint(PianorollControls(bars=4), GenerationContext(20))
    with pytest.raises(Unsatisfiable, match="a frame of it holds 3 steps"):
        roll(stack=3).constraint(PianorollControls(keep_bars="2"), tune)


@pytest.mark.parametrize("wish", ["bars", "max_notes", "max_onsets", "max_sustained"])
def test_wishes_that_mean_nothing(wish):
    with pytest.raises(OptionError, match=f"--{wish.replace('_', '-')} cannot be -1"):
        PianorollControls(**{wish: -1})
