"""The automaton accepts exactly the tunes of the dialect and can complete every one."""

from __future__ import annotations

import random
import re
import shutil
import subprocess

import pytest

from composer.api import Unsatisfiable
from composer.formats.abc.dialect.validator import validate
from composer.formats.abc.grammar.automaton import Automaton

CHARACTERS = "\n !\"#&'(),-./0123456789:<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz|"
HEADER = "T:A Tune\nR:reel\nM:4/4\nL:1/8\nK:G\n"
BODIES = [
    "G8|]\n",
    "G4 z4|]\n",
    "|:G8|A8:|\n",
    "|:G8|[1A8:|\n[2B8||\nc8|]\n",
    "G2|A8|B8|c8|d8|\ne6|]\n",
    "|:G2|A8|B6:|\n|:z2|c8|d6:|\n",
    '"G"G>A"D7/F#"B2 (3ABc(3def|[GBd]4 ^f2=f2|]\n',
    "G4- G4-|G8|]\n",
    "^F8-|^F8|]\n",
    "G8||\nA8||\nB8|]\n",
    "A,,B,,C,D, b'2a'2|G8|]\n",
]


@pytest.fixture(scope="module")
def automaton():
    return Automaton(CHARACTERS)


def accepts(automaton, text):
    state = 0
    for character in text:
        step = automaton.vocabulary.ids.get(character, -1)
        if step < 0 or not automaton.allowed(state) >> step & 1:
            return False
        state = automaton.step(state, step)
    return bool(automaton.allowed(state) & 1)


def walk(automaton, rng, length, primer=""):
    """Sample a tune with random weights and complete it after `length` steps; return it and the completion's length."""
    weights = [rng.expovariate(1) ** rng.choice((0.5, 1, 3)) + 1e-9 for _ in range(len(automaton.vocabulary.ids) + 1)]
    steps = [automaton.vocabulary.ids[character] for character in primer]
    state = automaton.start(steps)
    while len(steps) < length:
        mask = automaton.allowed(state)
        assert mask
        options = [step for step in range(len(weights)) if mask >> step & 1]
        steps += rng.choices(options, [weights[step] for step in options])
        if steps[-1] == 0:
            return text_of(automaton, steps), 0
        state = automaton.step(state, steps[-1])
    ending = automaton.complete(state)
    assert ending[-1] == 0
    return text_of(automaton, [*steps, *ending]), len(ending)


def text_of(automaton, steps):
    return "".join(automaton.vocabulary.characters[step - 1] for step in steps if step)


@pytest.mark.parametrize("body", BODIES)
def test_accepts_tunes_of_the_dialect(automaton, body):
    assert validate(HEADER + body) == []
    assert accepts(automaton, HEADER + body)


def test_random_walks_are_valid_and_completions_short(automaton):
    rng = random.Random(4)
    for _ in range(300):
        text, ending = walk(automaton, rng, rng.randrange(300))
        assert validate(text) == []
        assert ending < 60


def test_agrees_with_the_validator_on_tunes_with_one_character_changed(automaton):
    rng = random.Random(5)
    taken = 0
    for _ in range(100):
        text, _ = walk(automaton, rng, rng.randrange(20, 200))
        for _ in range(20):
            at, character = rng.randrange(len(text)), rng.choice(text)
            changed = text[:at] + rng.choice(["", character, character + text[at]]) + text[at + 1 :]
            assert accepts(automaton, changed) == (not validate(changed)), changed
            taken += accepts(automaton, changed)
    assert 0 < taken < 2000


@pytest.mark.parametrize("meter", ["M:4/4\nL:1/8", "M:2/4\nL:1/16"])
def test_agrees_with_the_validator_on_broken_rhythm_in_hornpipes(automaton, meter):
    rng = random.Random(7)
    taken = 0
    for _ in range(40):
        text, _ = walk(automaton, rng, rng.randrange(60, 300), f"R:hornpipe\n{meter}\nK:G\n")
        assert validate(text) == []
        for _ in range(10):
            at = rng.randrange(len(text))
            changed = text[:at] + rng.choice("><") + text[at:]
            assert accepts(automaton, changed) == (not validate(changed)), changed
            taken += accepts(automaton, changed)
    assert taken


@pytest.mark.parametrize("seed", range(6))
def test_allows_nothing_that_the_vocabulary_cannot_complete(seed):
    rng = random.Random(seed)
    needed = "\nMLK:/148C|] "
    automaton = Automaton(
        each for each in CHARACTERS if each in needed[: rng.randrange(9, 13)] + "]:" or rng.random() < 0.7
    )
    for _ in range(40):
        text, _ = walk(automaton, rng, rng.randrange(20, 150))
        assert validate(text) == []
        at = rng.randrange(len(text))
        changed = text[:at] + rng.choice(automaton.vocabulary.characters) + text[at + 1 :]
        assert accepts(automaton, changed) == (not validate(changed)), changed


@pytest.mark.parametrize("body", BODIES)
def test_completes_a_tune_from_every_character(automaton, body):
    text = HEADER + body
    steps = [automaton.vocabulary.ids[character] for character in text]
    for end in range(len(steps) + 1):
        whole = [*steps[:end], *automaton.complete(automaton.start(steps[:end]))]
        assert validate(text_of(automaton, whole)) == []
        assert whole[-1] == 0


def test_states_outlive_the_cache():
    one, other = Automaton(CHARACTERS), Automaton(CHARACTERS)
    steps = [one.vocabulary.ids[character] for character in HEADER + BODIES[6][:20]]
    state = one.start(steps)
    one._cached.clear()
    assert one.allowed(state) == other.allowed(other.start(steps))
    assert one.complete(state) == other.complete(other.start(steps))


@pytest.mark.parametrize(
    ("primer", "words"),
    [
        ("M:4/4\nL:1/16", "`1` after `L:1/`: "),
        ("M:4/4\nL:1/8\nK:G\nG8|A9", "`9` after `G8|A`: bar too long"),
        ("M:4/4\nL:1/8\nK:G\nG8|]\nA", "`A` after `G8|]`: text after the end"),
    ],
)
def test_invalid_primers(automaton, primer, words):
    with pytest.raises(Unsatisfiable, match=re.escape(words)):
        automaton.start([automaton.vocabulary.ids[character] for character in primer])


def test_characters_that_cannot_write_a_tune():
    with pytest.raises(Unsatisfiable, match="no tune can be written"):
        Automaton("\n:|]MLK/148")


@pytest.mark.skipif(not shutil.which("abc2midi"), reason="abc2midi is not installed")
def test_abc2midi_reports_no_errors(automaton, tmp_path):
    rng = random.Random(6)
    tunes = [walk(automaton, rng, rng.randrange(400))[0] for _ in range(50)]
    text = "\n".join(f"X:{number}\n{tune}" for number, tune in enumerate(tunes, 1))
    run = subprocess.run(["abc2midi", "-", "-c"], input=text.encode(), capture_output=True, check=False, cwd=tmp_path)
    said = run.stdout.decode("latin-1").splitlines()
    assert [line for line in said if line.startswith("Error") or "time units" in line] == []
