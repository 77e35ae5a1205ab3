"""Dances by rhythm: their meters, and titles that name no other dance."""

from __future__ import annotations

import string

import pytest

from composer.api import Unsatisfiable
from composer.formats.abc.dialect.dances import DANCES
from composer.formats.abc.dialect.tables import METERS, RHYTHMS


def test_every_rhythm_is_a_dance_in_some_meter(constrain):
    assert list(DANCES) == list(RHYTHMS)
    assert all(set(dance.meters) <= set(METERS) for dance in DANCES.values())
    for name, dance in DANCES.items():
        automaton = constrain({"rhythm": name})
        assert automaton.header.rhythms == (name,)
        assert set(automaton.header.meters) == set(dance.meters)


def test_meter_restricts_the_dances(constrain):
    rhythms = constrain({"meter": "3/4"}).header.rhythms
    assert {"waltz", "mazurka", "minuet", "march", "air"} <= set(rhythms)
    assert not {"reel", "jig", "polka"} & set(rhythms)
    assert constrain({"key": "G"}).header.rhythms == tuple(RHYTHMS)


@pytest.mark.parametrize(
    ("controls", "title", "rest"),
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
def test_title_names_no_other_dance(controls, title, rest, constrain, characters):
    automaton = constrain(controls)
    state = automaton.start([1 + characters.index(each) for each in f"T:{title}"])
    mask = automaton.allowed(state)
    allowed = {each for step, each in enumerate(characters, 1) if mask >> step & 1}
    assert (allowed if title.endswith("-- ") else allowed & set(string.ascii_lowercase)) == set(rest)


def test_primer_may_name_any_dance(constrain):
    assert constrain({"rhythm": "jig"}, primer="T:The Reel of Jigs\nR:jig\nM:6/8\n")
    assert constrain({"meter": "3/4"}, primer="R:reel\nM:3/4\n")
    with pytest.raises(Unsatisfiable, match="names no rhythm"):
        constrain({"rhythm": "jig"}, primer="M:4/4\nL:1/8\n")
