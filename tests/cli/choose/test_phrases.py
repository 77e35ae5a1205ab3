"""Where phrases end."""

from fractions import Fraction

import pytest

from composer.cli.choose.phrases import phrase_end
from composer.registry import plugins as registry

HEADER = "M:4/4\nL:1/8\nK:C\n"


def abc():
    representation = registry.representation("abc")()
    representation.restore({"characters": "".join(sorted(set(f"{HEADER}T:CDEFGABc|:]1248\n ")))})
    return representation


@pytest.mark.parametrize(
    ("before", "text", "ends"),
    [
        ("", f"{HEADER}C8|\nC", True),
        ("", f"{HEADER}C8|\n", False),
        ("", f"{HEADER}C", False),
        ("", "M:4/4\nL", False),
        (f"{HEADER}C8|", "\nC", False),
        (f"{HEADER}C8|", "\nC8|\nC", True),
        (f"{HEADER}C8|", "|\nC", False),
    ],
)
def test_a_line_of_a_tune_without_its_line_feed(before, text, ends):
    representation = abc()
    steps = [representation.ids[character] for character in before + text]
    found = phrase_end(representation, {})(steps, len(before))
    assert found == (len(steps) - len("\nC") if ends else None)


@pytest.mark.parametrize(
    ("labels", "bars"),
    [({}, (64, 128)), ({"meter": "3/4"}, (48, 96)), ({"meter": "6/8", "pickup": "1/2"}, (50, 98))],
)
def test_four_bars_of_other_music(labels, bars):
    representation = registry.representation("grid")()
    representation.restore({"pitches": [60]})
    ends = phrase_end(representation, labels)
    note = representation.ids["60"]
    assert ends([note] * (bars[0] - 1), 0) is None
    assert ends([note] * (bars[1] + 5), 0) == bars[0]
    assert ends([note] * (bars[1] + 5), bars[0]) == bars[1]


def test_silence_has_no_phrases():
    representation = registry.representation("grid")()
    representation.restore({"pitches": [60]})
    assert phrase_end(representation, {})([representation.ids["r"]] * 99, 0) is None
    assert Fraction(representation.steps) == 4
