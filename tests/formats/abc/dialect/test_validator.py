"""The dialect, by what belongs to it and what does not."""

from __future__ import annotations

import pytest

from composer.formats.abc.dialect.validator import validate

HEADER = "T:A Tune\nR:reel\nM:4/4\nL:1/8\nK:G\n"


@pytest.mark.parametrize(
    "body",
    [
        "G8|]\n",
        "G4 z4|]\n",
        "|:G8|A8:|\n",
        "|:G8|[1A8:|\n[2B8||\nc8|]\n",
        "G2|A8|B8|c8|d8|\ne6|]\n",
        "|:G2|A8|B6:|\n|:z2|c8|d6:|\n",
        "G2|A8|B8|]\n",
        '"G"G>A"D7/F#"B2 (3ABc(3def|[GBd]4 ^f2=f2|]\n',
        "G4- G4-|G8|]\n",
        "G8||\nA8||\nB8|]\n",
        "A,,B,,C,D, b'2a'2|G8|]\n",
    ],
)
def test_tunes_of_the_dialect(body):
    assert validate(HEADER + body) == []


@pytest.mark.parametrize(
    ("body", "column", "kind"),
    [
        ("G8|", 4, "the tune is not over"),
        ("", 1, "the tune is not over"),
        ("G8||\n", 1, "the tune is not over"),
        ("|:G8:|\n|:", 3, "the tune is not over"),
        ("G8|A6|B8|]\n", 6, "a bar that does not fill"),
        ("G8|A7|]\n", 6, "a part that does not end where it began"),
        ("G8|A8 B|]\n", 6, "a blank that is not at a beat"),
        ("G8|A10|]\n", 4, "a bar that is too long"),
        ("G4A4|]\n", 3, "a blank is missing"),
        ("G2 A2 B4|]\n", 3, "a blank that is not at a beat"),
        ("G8|A8|B8|c8|d8|]\n", 13, "a line that should end here"),
        ("G8|\nA8|]\n", 4, "a line that should not end here"),
        ("G8:|\n", 3, "a part that does not close as it opened"),
        ("|:G8|]\n", 5, "a part that does not close as it opened"),
        ("|:G8|[1A8:|\n|:B8:|\n", 1, "a first ending without a second"),
        ("G8|[1A8:|\n", 4, "a first ending where none can be"),
        ("G8-|A8|]\n", 5, "a tie to another note"),
        ("|:G8-:|\n", 6, "a tie to nothing"),
        ("z8-|z8|]\n", 3, "a tie after no note"),
        ("G2>A2 B4|]\n", 3, "broken rhythm where it cannot be"),
        ("G>A2 B4|]\n", 3, "broken rhythm without a partner"),
        ("(3GA2B c4|]\n", 1, "a triplet of unequal notes"),
        ("[GE]8|]\n", 1, "a chord whose notes do not ascend"),
        ("G11|]\n", 1, "a length that is not known"),
        ('"allegro"G8|]\n', 1, "a character that means nothing"),
        ("~G8|]\n", 1, "a character that means nothing"),
        ("g,8|]\n", 2, "a character that means nothing"),
        ("G8|]\nA8|]\n", 1, "something after the end"),
        ("G2|A8|B8:|\n", 9, "a part that does not end where it began"),
    ],
)
def test_what_does_not_belong(body, column, kind):
    (fault,) = validate(HEADER + body)
    assert fault.kind.startswith(kind)
    assert fault.column == column


@pytest.mark.parametrize(
    "header",
    [
        "M:4/4\nL:1/8\n", "L:1/8\nM:4/4\nK:G\n", "M:4/4\nL:1/16\nK:G\n", "M:4/4\nL:1/8\nK:G major\n",
        "X:1\nM:4/4\nL:1/8\nK:G\n",
        "M:C\nL:1/8\nK:G\n", "R:song\nM:4/4\nL:1/8\nK:G\n", "T:\nM:4/4\nL:1/8\nK:G\n", "T: A\nM:4/4\nL:1/8\nK:G\n",
        "R:hornpipe\nM:2/2\nL:1/8\nK:G\n", "M:4/4\nL:1/8\nK:B#\n", "M:4/4\nL:1/8\nK:G\nP:A\n",
    ],
)  # fmt: skip
def test_headers_that_do_not_belong(header):
    assert validate(f"{header}G8|]\n") != []


def test_a_hornpipe_has_no_chords_beside_its_broken_rhythm():
    header = "R:hornpipe\nM:4/4\nL:1/8\nK:G\n"
    assert validate(f"{header}G>AB>c [Bd]4|]\n")[0].kind == "broken rhythm and chords in one hornpipe"
    assert validate(f"{header}G>AB>c d4|]\n") == []


def test_a_hornpipe_has_its_broken_rhythm_on_even_units_alone():
    body = "M:4/4\nL:1/8\nK:G\n{}|]\n"
    even, odd = body.format("G>AB<c d4"), body.format("GA>Bc d4")
    assert validate(f"R:hornpipe\n{even}") == validate(even) == validate(f"R:reel\n{odd}") == []
    assert validate(f"R:hornpipe\n{odd}")[0].kind == "broken rhythm where it cannot be"
