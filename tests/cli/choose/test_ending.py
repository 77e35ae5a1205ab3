"""How a tune ends that is kept before its end."""

import pytest

from composer.api import GenerationContext
from composer.checkpoints import store
from composer.checkpoints.load import load_model
from composer.cli.choose.ending import COMPLETED, CUT_REPEAT, ended

HEADER = "M:6/8\nL:1/8\nK:G\n"


@pytest.mark.parametrize(
    ("begun", "ending", "note"),
    [
        ("G2B G2B|c2d B2G|", "G2B G2B|c2d B2G|]\n", ""),
        ("|:G2B G2B|c2d B2G|", "|:G2B G2B|c2d B2G:|\n", ""),
        ("|:B|G2B G2B|c2d B2G|", "|:B|G2B G2B|c2d B2G:|\n", CUT_REPEAT),
        ("|:B|G2B G2B|c2d B2:|", "|:B|G2B G2B|c2d B2:|\n", ""),
        ("|:B|G2B G2:|\n|:B|c2d B2G|", "|:B|G2B G2:|\n|:B|c2d B2G:|\n", CUT_REPEAT),
        ("|:G2B G2B|[1 c2d B2G|", "|:G2B G2B|[1 c2d B2G:|\n", CUT_REPEAT),
        ("B|G2B G2B|c2d B2G|", "B|G2B G2B|c2d B2G|]\n", ""),
        ("G2B G2B|c2d B2", "G2B G2B|c2d B2z|]\n", COMPLETED),
        ("|:B|G2B G2B|c2d B2", "|:B|G2B G2B|c2d B2:|\n", ""),
    ],
)
def test_nothing_is_added_but_the_rest_of_a_bar_and_a_bar_line(begun, ending, note):
    representation = load_model(store.default("abc"), "abc", "cpu").representation
    steps = tuple(representation.ids[character] for character in HEADER + begun)
    found = ended(representation, representation.constraint(None, GenerationContext()), steps)
    assert representation.text(representation.decode(found.steps)) == HEADER + ending
    assert found.note == note
