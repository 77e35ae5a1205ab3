"""Wishes for tunes: whatever way a walk takes, it ends, and the tune has what was wished; what clashes is refused."""

from __future__ import annotations

import importlib.util
import random
import re
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.api import OptionError, Piece, Unsatisfiable
from composer.formats.abc.asking import Asking
from composer.formats.abc.automaton import Automaton
from composer.formats.abc.conformance import conforms
from composer.formats.abc.dances import DANCES
from composer.formats.abc.dialect import METERS, RHYTHMS
from composer.formats.abc.kept import bars_of
from composer.formats.abc.keys import LETTERS, parse_key
from composer.formats.abc.vocabulary import Vocabulary
from composer.formats.keeping import parse_kept
from composer_abc import AbcWishes

CHARACTERS = "\n !\"#&'(),-./0123456789:<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz|"


def _bench():
    """The benchmark of wishes, which reads tunes without the rules that they were composed by."""
    path = Path(__file__).parents[2] / "bench" / "wishes.py"
    spec = importlib.util.spec_from_file_location("bench_wishes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bench = _bench()
VALUES = bench.WISHES["abc"].values


def missing(text, wishes):
    return bench.WISHES["abc"].missing(Piece(text), wishes)


def asked(wishes, characters=CHARACTERS, primer="", tune="", kept="1"):
    asking = Asking(Vocabulary(characters), [1 + characters.index(each) for each in primer], tune, parse_kept(kept))
    return asking.automaton(AbcWishes(**wishes).wanted())


def walk(automaton, rng, length, characters=CHARACTERS, primer=""):
    """A tune drawn with random weights, completed after `length` steps."""
    weights = [rng.expovariate(1) ** rng.choice((0.5, 1, 3)) + 1e-9 for _ in range(len(characters) + 1)]
    steps = [1 + characters.index(each) for each in primer]
    state = automaton.start(steps)
    while len(steps) < length and 0 not in steps:
        mask = automaton.allowed(state)
        assert mask, text_of(steps, characters)
        options = [step for step in range(len(weights)) if mask >> step & 1]
        steps += rng.choices(options, [weights[step] for step in options])
        state = automaton.step(state, steps[-1])
    if 0 not in steps:
        steps += automaton.complete(state)
    return text_of(steps, characters)


def text_of(steps, characters=CHARACTERS):
    return "".join(characters[step - 1] for step in steps if step)


@pytest.mark.parametrize("wish", VALUES)
def test_random_walks_have_what_is_wished(wish):
    rng = random.Random(wish)
    for value in VALUES[wish]:
        automaton = asked({wish: value})
        for _ in range(2):
            text = walk(automaton, rng, rng.randrange(400))
            assert conforms(text) == []
            assert missing(text, {wish: value}) == []


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(sorted(VALUES)), min_size=2, max_size=3, unique=True), st.integers(0, 2**32))
def test_random_walks_have_all_that_is_wished_or_it_clashes(names, seed):
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
        assert conforms(text) == []
        assert missing(text, wishes) == []


@pytest.mark.parametrize("seed", range(12))
def test_fewer_characters_make_no_dead_ends(seed):
    rng = random.Random(seed)
    needed = "\nMLK:/148C|] "
    characters = "".join(
        each for each in CHARACTERS if each in needed[: rng.randrange(9, 13)] + "]:" or rng.random() < 0.7
    )
    for _ in range(8):
        wishes = {name: rng.choice(VALUES[name]) for name in rng.sample(["bars", "range", "scale", "meter"], 2)}
        try:
            automaton = asked(wishes, characters)
        except Unsatisfiable:
            continue
        for _ in range(4):
            text = walk(automaton, rng, rng.randrange(200), characters)
            assert conforms(text) == []
            assert missing(text, wishes) == []


TUNES = {
    "pickup": "R:reel\nM:4/4\nL:1/8\nK:G\n|:D2|G2BG DGBG|A2cA FAcA|B4- B2d2|g6:|\n|:ga|b8-|b2ag f2ed|c2BA GFED|G6:|\n",
    "endings": "M:3/4\nL:1/8\nK:Dm\n|:D2 F2 A2|d6|[1e2 c2 A2|A6:|\n[2f2 e2 d2|d6||\n[DFA]6-|[DFA]6|d6-|d6|]\n",
    "swung": "R:hornpipe\nM:4/4\nL:1/8\nK:D\n(3ABc|d>fe>d c>de>c|d2(3fed A2F2|G4 G4|A6||\n(3ABc|d8|e8|f8|d8|]\n",
    "chordal": "R:hornpipe\nM:4/4\nL:1/8\nK:D\nd4 e4|[FAd]8|d4 e4|d8|]\n",
}


@pytest.mark.parametrize("name", TUNES)
@pytest.mark.parametrize("kept", ["1", "2-3", "3,1", "1-3"])
def test_kept_bars_stay_letter_for_letter(name, kept):
    tune, rng = TUNES[name], random.Random(name + kept)
    assert conforms(tune) == []
    plain, stay = Automaton(CHARACTERS), parse_kept(kept)
    automaton = asked({}, tune=tune, kept=kept)
    assert accepts(automaton, tune)
    before = bars_of(tune, plain)
    for _ in range(8):
        text = walk(automaton, rng, rng.randrange(30, 300))
        assert conforms(text) == []
        after = bars_of(text, plain)
        assert frame(text, after) == frame(tune, before)
        changed = {
            a.number for a, b in zip(after, before, strict=True) if text[a.begin : a.end] != tune[b.begin : b.end]
        }
        assert not any(number == 0 or number in stay for number in changed)


def frame(text, bars):
    """All of a tune that is not inside its bars."""
    edges = [0, *(edge for bar in bars for edge in (bar.begin, bar.end)), len(text)]
    return "~".join(text[begin:end] for begin, end in zip(edges[::2], edges[1::2], strict=True))


def accepts(automaton, text):
    state = 0
    for character in text:
        step = 1 + CHARACTERS.index(character)
        if not automaton.allowed(state) >> step & 1:
            return False
        state = automaton.step(state, step)
    return bool(automaton.allowed(state) & 1)


def test_bars_are_counted_as_they_are_written():
    numbers = {name: [bar.number for bar in bars_of(tune, Automaton(CHARACTERS))] for name, tune in TUNES.items()}
    assert numbers["pickup"] == [0, 1, 2, 3, 4, 0, 5, 6, 7, 8]
    assert numbers["endings"] == list(range(1, 11))


def test_every_rhythm_is_a_dance_in_some_meter():
    assert list(DANCES) == list(RHYTHMS)
    assert all(set(dance.meters) <= set(METERS) for dance in DANCES.values())
    for name, dance in DANCES.items():
        automaton = asked({"rhythm": name})
        assert automaton.heading.rhythms == (name,)
        assert set(automaton.heading.meters) == set(dance.meters)


def test_a_meter_leaves_the_dances_in_it():
    rhythms = asked({"meter": "3/4"}).heading.rhythms
    assert {"waltz", "mazurka", "minuet", "march", "air"} <= set(rhythms)
    assert not {"reel", "jig", "polka"} & set(rhythms)
    assert asked({"key": "G"}).heading.rhythms == tuple(RHYTHMS)


@pytest.mark.parametrize(
    ("wishes", "title", "rest"),
    [
        ({"rhythm": "jig"}, "Molly -- ", "J"),
        ({"rhythm": "slip jig"}, "Molly -- ", "S"),
        ({"rhythm": "slip jig"}, "Molly's Ji", "abcdefghijklmnopqrstuvwxyz"),
        ({"rhythm": "jig"}, "The Slip ", "abcdefghiklmnopqrstuvwxyz"),
        ({"rhythm": "jig"}, "The O'Ree", "abcdefghijkmnopqrstuvwxyz"),
        ({"meter": "6/8"}, "HornREE", "abcdefghijklmnopqrstuvwxyz"),
        ({"meter": "6/8"}, "Miss REE", "abcdefghijkmnopqrstuvwxyz"),
        ({"meter": "4/4"}, "The Ree", "abcdefghijklmnopqrstuvwxyz"),
        ({"key": "G"}, "The Ree", "abcdefghijklmnopqrstuvwxyz"),
    ],
)
def test_a_title_names_no_other_dance(wishes, title, rest):
    automaton = asked(wishes)
    state = automaton.start([1 + CHARACTERS.index(each) for each in f"T:{title}"])
    mask = automaton.allowed(state)
    allowed = {each for step, each in enumerate(CHARACTERS, 1) if mask >> step & 1}
    assert (allowed if title.endswith("-- ") else allowed & set(string.ascii_lowercase)) == set(rest)


@pytest.mark.parametrize("wishes", [{"rhythm": "slip jig"}, {"rhythm": "air"}, {"meter": "5/4"}, {"meter": "2/4"}])
def test_titles_have_no_dead_ends(wishes):
    rng, automaton = random.Random(1), asked(wishes)
    for size in range(1, 61):
        text, state = "T:", automaton.start([1 + CHARACTERS.index(each) for each in "T:"])
        while len(text) < 2 + size and text.count("\n") == 0:
            mask = automaton.allowed(state)
            # mostly what dances begin with
            near = [each for each in "reljighonp sw-" if mask >> 1 + CHARACTERS.index(each) & 1]
            text += rng.choice(near or [each for step, each in enumerate(CHARACTERS, 1) if mask >> step & 1])
            state = automaton.step(state, 1 + CHARACTERS.index(text[-1]))
        text += text_of(automaton.complete(state))
        assert conforms(text) == []
        assert missing(text, wishes) == []


def test_a_given_tune_may_be_called_what_it_is():
    assert asked({"rhythm": "jig"}, primer="T:The Reel of Jigs\nR:jig\nM:6/8\n")
    assert asked({"meter": "3/4"}, primer="R:reel\nM:3/4\n")
    assert asked({"rhythm": "reel"}, tune=TUNES["pickup"])
    tune = TUNES["pickup"].replace("4/4", "2/4").replace("1/8", "1/16")
    assert conforms(tune) == []
    assert asked({"meter": "2/4", "rhythm": "reel"}, tune=tune)
    with pytest.raises(Unsatisfiable, match="names no rhythm"):
        asked({"rhythm": "jig"}, primer="M:4/4\nL:1/8\n")


@pytest.mark.parametrize(
    ("wishes", "key", "written"),
    [
        ({"scale": "pentatonic"}, "C", "C D E G A"),
        ({"scale": "blues"}, "C", "C _E F _G G _B"),
        ({"scale": "blues"}, "Ab", "A _C D =D E _G"),
        ({"scale": "harmonic minor"}, "C#m", "C D E F G A ^B"),
        ({"scale": "own"}, "F#", "F G A B C D E"),
        ({"range": "C4-B4"}, "C", "C ^C D _E E F ^F G ^G A _B B"),
        ({"range": "C4-C4"}, "C", "C"),
        ({"range": "B7-C8"}, "C", "B"),
    ],
)
def test_each_pitch_is_written_in_the_usual_way(wishes, key, written):
    vocabulary = Vocabulary(CHARACTERS)
    tones = AbcWishes(**wishes).wanted().palette(vocabulary, key)
    signs = {-1: "_", 0: "=", 1: "^"}
    own = parse_key(key).alters
    octave = range(35, 42) if wishes != {"range": "B7-C8"} else range(56, 63)
    found = {
        (signs[alter] if own[step % 7] != alter else "") + LETTERS[step % 7]
        for alter, steps in tones.steps.items()
        for step in octave
        if steps >> step & 1
    }
    assert found == set(re.findall("[_^=]?[A-G]", written)), sorted(found)


def test_kept_bars_stay_in_their_own_spelling():
    tune = "M:4/4\nL:1/8\nK:C\n|:^A4 ^B4|c8|d8|c8:|\n"
    automaton = asked({"range": "C4-C6"}, tune=tune)
    assert accepts(automaton, tune)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"rhythm": "jig", "meter": "4/4"}, ["--meter 4/4", "--rhythm jig", "a jig is in 6/8"]),
        ({"rhythm": "hornpipe", "meter": "6/8"}, ["--meter 6/8", "--rhythm hornpipe", "2/4 or 4/4"]),
        ({"range": "C#4-C#4", "scale": "C major"}, ["--range C#4-C#4", "--scale C major", "no note"]),
        ({"key": "Am", "mode": "dorian"}, ["--key Am", "--mode dorian"]),
        ({"key": "G", "scale": "D blues"}, ["--key G", "--scale D blues"]),
        ({"bars": 8, "key": "C", "range": "C#4-C#4", "scale": "own"}, ["--key C", "--range C#4-C#4", "--scale own"]),
        ({"range": "1-2"}, ["--range 1-2", "the model has no symbols"]),
    ],
)
def test_what_clashes_is_named(wishes, words):
    with pytest.raises(Unsatisfiable) as raised:
        asked(wishes)
    assert all(word in raised.value.message for word in words), raised.value.message
    assert "--bars" not in raised.value.message


def test_what_the_model_cannot_spell_is_named_with_what_it_can():
    with pytest.raises(Unsatisfiable, match="--meter 12/8 cannot be had") as raised:
        asked({"meter": "12/8"}, CHARACTERS.replace("2", ""))
    assert "6/8" in raised.value.hint


@pytest.mark.parametrize(
    ("wishes", "primer", "words"),
    [
        (
            {"bars": 5, "meter": "6/8"},
            "M:4/4\nL:1/8\nK:G\nG8|",
            "--meter 6/8 and the opening clash: the opening is in 4/4",
        ),
        ({"key": "Am"}, "M:4/4\nL:1/8\nK:G\nG8|", "--key Am and the opening clash: the opening is in G"),
        ({"mode": "minor"}, "M:4/4\nL:1/8\nK:G\nG8|", "--mode minor and the opening clash: the opening is in G major"),
        ({"scale": "D blues"}, "M:4/4\nL:1/8\nK:G\nG8|", "--scale D blues and the opening clash: the opening is in G"),
        (
            {"rhythm": "jig"},
            "R:reel\nM:4/4\nL:1/8\nK:G\nG8|",
            "--rhythm jig and the opening clash: the opening is a reel",
        ),
        ({"rhythm": "jig"}, "M:4/4\nL:1/8\nK:G\nG8|", "the opening clash: the opening names no rhythm"),
        ({"bars": 1}, "M:4/4\nL:1/8\nK:G\nG8|A8|B8", "--bars 1 and the opening clash with `A` after `G8|`"),
        ({"scale": "own", "bars": 9}, "M:4/4\nL:1/8\nK:G\nG4 =f4", "--scale own and the opening clash"),
        ({"range": "C5-C6"}, "M:4/4\nL:1/8\nK:G\nG8|", "--range C5-C6 and the opening clash"),
        ({"key": "G"}, "M:4/4\nL:1/8\nK:G\nG9|", "the opening leaves the dialect with `9` after `G`: "),
    ],
)
def test_an_opening_that_contradicts(wishes, primer, words):
    with pytest.raises(Unsatisfiable, match=re.escape(words)):
        asked(wishes, primer=primer)


@pytest.mark.parametrize(
    ("wishes", "kept", "words"),
    [
        ({}, "9", "there is no bar 9"),
        ({}, "1-8", "all 8 bars"),
        ({"bars": 5}, "1", "--bars 5 and --keep-bars 1 clash: the tune has 8 bars"),
        ({"key": "Am"}, "1", "--key Am and --keep-bars 1 clash: the tune is in G"),
        ({"meter": "6/8"}, "1", "--meter 6/8 and --keep-bars 1 clash: the tune is in 4/4"),
        ({"rhythm": "jig"}, "1", "--rhythm jig and --keep-bars 1 clash: the tune is a reel"),
        ({"range": "D4-A5"}, "1,5", "--range D4-A5 and --keep-bars 1,5 clash: bar 5 stays as it is"),
        ({"range": "F4-C7"}, "1", "--range F4-C7 and --keep-bars 1 clash: a pickup stays as it is"),
    ],
)
def test_kept_bars_that_contradict(wishes, kept, words):
    with pytest.raises(Unsatisfiable, match=re.escape(words)) as raised:
        asked(wishes, tune=TUNES["pickup"], kept=kept)
    assert raised.value.hint


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
        AbcWishes(**wishes)
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
    assert AbcWishes(**wishes).labels() == labels


def test_the_bundled_model_obeys():
    from composer.core import models
    from composer.core.player import open_player

    player = open_player(models.bundled("abc"))
    wished = bench.WISHES["abc"]
    asked_for = [each for wish in wished.values for each in bench.singles(wished, wish, 1)]
    asked_for += bench.pairs(wished, random.Random(1), 3)
    found = list(bench.tried(player, asked_for, length=120))
    assert len(found) == 10
    assert set(found) <= {"obeyed", "refused"}
