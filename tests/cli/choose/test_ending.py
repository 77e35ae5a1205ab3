"""How a tune ends that is kept before its end."""

import pytest

from composer.api import GenerationContext
from composer.checkpoints import store
from composer.checkpoints.load import load_model
from composer.cli.choose.ending import ended

HEADER = "M:6/8\nL:1/8\nK:G\n"


@pytest.mark.parametrize(
    ("begun", "ending"),
    [
        ("G2B G2B|c2d B2G|", "G2B G2B|c2d B2G|]\n"),
        ("|:G2B G2B|c2d B2G|", "|:G2B G2B|c2d B2G:|\n"),
        ("|:B|G2B G2B|c2d B2G|", "B|G2B G2B|c2d B2G|]\n"),
        ("|:B|G2B G2B|c2d B2:|", "|:B|G2B G2B|c2d B2:|\n"),
        ("|:B|G2B G2:|\n|:B|c2d B2G|", "|:B|G2B G2:|\nB|c2d B2G|]\n"),
    ],
)
def test_no_rests_are_added(begun, ending):
    representation = load_model(store.default("abc"), "abc", "cpu").representation
    steps = tuple(representation.ids[character] for character in HEADER + begun)
    found = ended(representation, representation.constraint(None, GenerationContext()), steps)
    assert representation.text(representation.decode(found)) == HEADER + ending
