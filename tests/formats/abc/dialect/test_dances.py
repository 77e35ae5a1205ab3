"""A dance that is wished for: its meters, and titles that name no other."""

from __future__ import annotations

import string

import pytest

from composer.api import Unsatisfiable
from composer.formats.abc.dialect.dances import DANCES
from composer.formats.abc.dialect.tables import METERS, RHYTHMS


def test_every_rhythm_is_a_dance_in_some_meter(asked):
    assert list(DANCES) == list(RHYTHMS)
    assert all(set(dance.meters) <= set(METERS) for dance in DANCES.values())
    for name, dance in DANCES.items():
        automaton = asked({"rhythm": name})
        assert automaton.header.rhythms == (name,)
        assert set(automaton.header.meters) == set(dance.meters)


def test_a_meter_leaves_the_dances_in_it(asked):
    rhythms = asked({"meter": "3/4"}).header.rhythms
    assert {"waltz", "mazurka", "minuet", "march", "air"} <= set(rhythms)
    assert not {"reel", "jig", "polka"} & set(rhythms)
    assert asked({"key": "G"}).header.rhythms == tuple(RHYTHMS)


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
def test_a_title_names_no_other_dance(wishes, title, rest, asked, characters):
    automaton = asked(wishes)
    state = automaton.start([1 + characters.index(each) for each in f"T:{title}"])
    mask = automaton.allowed(state)
    allowed = {each for step, each in enumerate(characters, 1) if mask >> step & 1}
    assert (allowed if title.endswith("-- ") else allowed & set(string.ascii_lowercase)) == set(rest)


def test_an_opening_may_be_called_what_it_is(asked):
    assert asked({"rhythm": "jig"}, primer="T:The Reel of Jigs\nR:jig\nM:6/8\n")
    assert asked({"meter": "3/4"}, primer="R:reel\nM:3/4\n")
    with pytest.raises(Unsatisfiable, match="names no rhythm"):
        asked({"rhythm": "jig"}, primer="M:4/4\nL:1/8\n")
