"""Wishes for tunes: whatever way a walk takes, it ends, and the tune has what was wished."""

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
    """The benchmark of wishes, which reads tunes without the rules that they were composed by."""
    path = Path(__file__).parents[3] / "bench" / "wishes.py"
    spec = importlib.util.spec_from_file_location("bench_wishes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bench = _bench()
VALUES = bench.WISHES["abc"].values


def missing(text, wishes):
    return bench.WISHES["abc"].missing(Piece(text), wishes)


@pytest.mark.parametrize("wish", VALUES)
def test_random_walks_have_what_is_wished(wish, asked, walk):
    rng = random.Random(wish)
    for value in VALUES[wish]:
        automaton = asked({wish: value})
        for _ in range(2):
            text = walk(automaton, rng, rng.randrange(400))
            assert validate(text) == []
            assert missing(text, {wish: value}) == []


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(sorted(VALUES)), min_size=2, max_size=3, unique=True), st.integers(0, 2**32))
def test_random_walks_have_all_that_is_wished_or_it_clashes(asked, walk, names, seed):
    rng = random.Random(seed)
    wishes = {name: rng.choice(VALUES[name]) for name in names}
    try:
        automaton = asked(wishes)
    except Unsatisfiable as error:
        said = [f"--{name} {value}" in error.message for name, value in wishes.items()]
        assert sum(said) >= 2, error.message  # noqa: PT017
        return
    for _ in range(4):
        text = walk(automaton, rng, rng.randrange(400))
        assert validate(text) == []
        assert missing(text, wishes) == []


@pytest.mark.parametrize("seed", range(12))
def test_fewer_characters_make_no_dead_ends(seed, asked, walk, characters):
    rng = random.Random(seed)
    needed = "\nMLK:/148C|] "
    fewer = "".join(each for each in characters if each in needed[: rng.randrange(9, 13)] + "]:" or rng.random() < 0.7)
    for _ in range(8):
        wishes = {name: rng.choice(VALUES[name]) for name in rng.sample(["bars", "range", "scale", "meter"], 2)}
        try:
            automaton = asked(wishes, fewer)
        except Unsatisfiable:
            continue
        for _ in range(4):
            text = walk(automaton, rng, rng.randrange(200), fewer)
            assert validate(text) == []
            assert missing(text, wishes) == []


@pytest.mark.parametrize("wishes", [{"rhythm": "slip jig"}, {"rhythm": "air"}, {"meter": "5/4"}, {"meter": "2/4"}])
def test_titles_have_no_dead_ends(wishes, asked, characters):
    rng, automaton = random.Random(1), asked(wishes)
    for size in range(1, 61):
        text, state = "T:", automaton.start([1 + characters.index(each) for each in "T:"])
        while len(text) < 2 + size and text.count("\n") == 0:
            mask = automaton.allowed(state)
            # mostly what dances begin with
            near = [each for each in "reljighonp sw-" if mask >> 1 + characters.index(each) & 1]
            text += rng.choice(near or [each for step, each in enumerate(characters, 1) if mask >> step & 1])
            state = automaton.step(state, 1 + characters.index(text[-1]))
        text += "".join(characters[step - 1] for step in automaton.complete(state) if step)
        assert validate(text) == []
        assert missing(text, wishes) == []


@pytest.mark.parametrize(
    "wishes",
    [
        {"key": "H"}, {"key": "G#"}, {"key": "D#", "mode": "major"}, {"mode": "blues"}, {"meter": "7/4"},
        {"rhythm": "rumba"}, {"bars": -1}, {"bars": 501}, {"range": "B5"}, {"range": "C6-C4"}, {"scale": "funny"},
        {"keep_bars": "9-4"}, {"keep_bars": "x"},
    ],
)  # fmt: skip
def test_what_there_is_not(wishes):
    with pytest.raises(OptionError) as raised:
        AbcControls(**wishes)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("wishes", "labels"),
    [
        ({"key": "D dorian"}, {"key": "Ddor", "mode": "dorian"}),
        ({"key": "D", "mode": "dorian"}, {"key": "Ddor", "mode": "dorian"}),
        ({"meter": "C|", "rhythm": "Slip-Jig"}, {"meter": "2/2", "rhythm": "slip jig"}),
        ({"bars": 8}, {}),
    ],
)
def test_labels(wishes, labels):
    assert AbcControls(**wishes).labels() == labels


def test_the_bundled_model_obeys():
    from composer.checkpoints import store
    from composer.checkpoints.load import load_model

    player = load_model(store.bundled("abc"))
    wished = bench.WISHES["abc"]
    asked_for = [each for wish in wished.values for each in bench.singles(wished, wish, 1)]
    asked_for += bench.pairs(wished, random.Random(1), 3)
    found = list(bench.tried(player, asked_for, length=120))
    assert len(found) == 10
    assert set(found) <= {"obeyed", "refused"}
