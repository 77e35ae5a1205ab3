"""Controls on tunes: every random walk can be completed, and the tune satisfies the controls."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import OptionError, Piece, Unsatisfiable
from composer.formats.abc.dialect.validator import validate
from composer_abc import AbcControls


def _bench():
    """Import the benchmark of controls, which reads tunes without the constraint that generated them."""
    path = Path(__file__).parents[3] / "bench" / "generated" / "abc_controls.py"
    spec = importlib.util.spec_from_file_location("abc_controls", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bench = _bench()
VALUES = bench.SUITES["abc"].values


def missing(text, controls):
    return bench.SUITES["abc"].missing(Piece(text), controls)


@pytest.mark.parametrize("control", VALUES)
def test_random_walks_satisfy_a_control(control, constrain, walk):
    rng = random.Random(control)
    for value in VALUES[control]:
        automaton = constrain({control: value})
        for _ in range(2):
            text = walk(automaton, rng, rng.randrange(400))
            assert validate(text) == []
            assert missing(text, {control: value}) == []


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(sorted(VALUES)), min_size=2, max_size=3, unique=True), st.integers(0, 2**32))
def test_random_walks_satisfy_several_controls_unless_they_contradict(constrain, walk, names, seed):
    rng = random.Random(seed)
    controls = {name: rng.choice(VALUES[name]) for name in names}
    try:
        automaton = constrain(controls)
    except Unsatisfiable as error:
        named = [f"--{name} {value}" in error.message for name, value in controls.items()]
        assert sum(named) >= 2, error.message  # noqa: PT017
        return
    for _ in range(4):
        text = walk(automaton, rng, rng.randrange(400))
        assert validate(text) == []
        assert missing(text, controls) == []


@pytest.mark.parametrize("seed", range(6))
def test_no_dead_ends_with_a_smaller_vocabulary(seed, constrain, walk, characters):
    rng = random.Random(seed)
    needed = "\nMLK:/148C|] "
    fewer = "".join(each for each in characters if each in needed[: rng.randrange(9, 13)] + "]:" or rng.random() < 0.7)
    for _ in range(8):
        controls = {name: rng.choice(VALUES[name]) for name in rng.sample(["bars", "range", "scale", "meter"], 2)}
        try:
            automaton = constrain(controls, fewer)
        except Unsatisfiable:
            continue
        for _ in range(4):
            text = walk(automaton, rng, rng.randrange(200), fewer)
            assert validate(text) == []
            assert missing(text, controls) == []


@pytest.mark.parametrize("controls", [{"rhythm": "slip jig"}, {"rhythm": "air"}, {"meter": "5/4"}, {"meter": "2/4"}])
def test_no_dead_ends_in_titles(controls, constrain, characters):
    rng, automaton = random.Random(1), constrain(controls)
    for size in range(1, 61):
        text, state = "T:", automaton.start([1 + characters.index(each) for each in "T:"])
        while len(text) < 2 + size and text.count("\n") == 0:
            mask = automaton.allowed(state)
            # prefer the first letters of dances
            near = [each for each in "reljighonp sw-" if mask >> 1 + characters.index(each) & 1]
            text += rng.choice(near or [each for step, each in enumerate(characters, 1) if mask >> step & 1])
            state = automaton.step(state, 1 + characters.index(text[-1]))
        text += "".join(characters[step - 1] for step in automaton.complete(state) if step)
        assert validate(text) == []
        assert missing(text, controls) == []


@pytest.mark.parametrize(
    "controls",
    [
        {"key": "H"}, {"key": "G#"}, {"key": " "}, {"key": "D#", "mode": "major"}, {"mode": "blues"}, {"meter": "7/4"},
        {"rhythm": "rumba"}, {"bars": -1}, {"bars": 501}, {"range": "B5"}, {"range": "C6-C4"}, {"scale": "funny"},
        {"keep_bars": "9-4"}, {"keep_bars": "x"},
    ],
)  # fmt: skip
def test_invalid_values_are_option_errors(controls):
    with pytest.raises(OptionError) as raised:
        AbcControls(**controls)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("controls", "labels"),
    [
        ({"key": "D dorian"}, {"key": "Ddor", "mode": "dorian"}),
        ({"key": "D", "mode": "dorian"}, {"key": "Ddor", "mode": "dorian"}),
        ({"meter": "C|", "rhythm": "Slip-Jig"}, {"meter": "2/2", "rhythm": "slip jig"}),
        ({"bars": 8}, {}),
    ],
)
def test_labels(controls, labels):
    assert AbcControls(**controls).labels() == labels


def test_bundled_model_obeys_controls():
    from composer.checkpoints import store
    from composer.checkpoints.load import load_model

    model = load_model(store.bundled("abc"))
    suite = bench.SUITES["abc"]
    requests = [each for control in suite.values for each in bench.singles(suite, control, 1)]
    requests += bench.pairs(suite, random.Random(1), 3)
    found = list(bench.outcomes(model, requests, length=120))
    assert len(found) == 10
    assert set(found) <= {"obeyed", "refused"}
