"""Texts that belong to the dialect, and the first fault of those that do not."""

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
def test_valid_tunes(body):
    assert validate(HEADER + body) == []


@pytest.mark.parametrize(
    ("body", "column", "kind"),
    [
        ("G8|", 4, "unfinished tune"),
        ("", 1, "unfinished tune"),
        ("G8||\n", 1, "unfinished tune"),
        ("|:G8:|\n|:", 3, "unfinished tune"),
        ("G8|A6|B8|]\n", 6, "incomplete bar"),
        ("G8|A7|]\n", 6, "part ending at the wrong position"),
        ("G8|A8 B|]\n", 6, "blank off the beat"),
        ("G8|A10|]\n", 4, "bar too long"),
        ("G4A4|]\n", 3, "missing blank"),
        ("G2 A2 B4|]\n", 3, "blank off the beat"),
        ("G8|A8|B8|c8|d8|]\n", 13, "missing line end"),
        ("G8|\nA8|]\n", 4, "misplaced line end"),
        ("G8:|\n", 3, "wrong bar line at the end of a part"),
        ("|:G8|]\n", 5, "wrong bar line at the end of a part"),
        ("|:G8|[1A8:|\n|:B8:|\n", 1, "first ending without a second"),
        ("G8|[1A8:|\n", 4, "misplaced first ending"),
        ("G8-|A8|]\n", 5, "tie to a different note"),
        ("|:G8-:|\n", 6, "tie to nothing"),
        ("z8-|z8|]\n", 3, "tie after no note"),
        ("G2>A2 B4|]\n", 3, "misplaced broken rhythm"),
        ("G>A2 B4|]\n", 3, "broken rhythm without a partner"),
        ("(3GA2B c4|]\n", 1, "triplet of unequal notes"),
        ("[GE]8|]\n", 1, "chord notes not in ascending order"),
        ("G11|]\n", 1, "unknown note length"),
        ('"allegro"G8|]\n', 1, "unexpected character"),
        ("~G8|]\n", 1, "unexpected character"),
        ("g,8|]\n", 2, "unexpected character"),
        ("G8|]\nA8|]\n", 1, "text after the end"),
        ("G2|A8|B8:|\n", 9, "part ending at the wrong position"),
    ],
)
def test_invalid_tunes(body, column, kind):
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
def test_invalid_headers(header):
    assert validate(f"{header}G8|]\n") != []


def test_hornpipe_has_chords_or_broken_rhythm():
    header = "R:hornpipe\nM:4/4\nL:1/8\nK:G\n"
    assert validate(f"{header}G>AB>c [Bd]4|]\n")[0].kind == "chords and broken rhythm in one hornpipe"
    assert validate(f"{header}G>AB>c d4|]\n") == []


def test_hornpipe_has_broken_rhythm_only_on_even_units():
    body = "M:4/4\nL:1/8\nK:G\n{}|]\n"
    even, odd = body.format("G>AB<c d4"), body.format("GA>Bc d4")
    assert validate(f"R:hornpipe\n{even}") == validate(even) == validate(f"R:reel\n{odd}") == []
    assert validate(f"R:hornpipe\n{odd}")[0].kind == "misplaced broken rhythm"
