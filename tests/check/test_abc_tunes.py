"""ABC rules: errors are found at their line and column, and correct tunes pass."""

from __future__ import annotations

import time

import pytest
from abc_diagnostics import check

from composer.check.abc_tunes import tune_problems
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune

HEADER = "X:1\nM:6/8\nL:1/8\nK:D\n"


@pytest.mark.parametrize(
    "body",
    [
        "ABA ABA|ABA ABA|]",
        "f|ABA ABA|ABA ABA|ABA AB|]",
        "|:f|ABA ABA|ABA AB:||:f|ABA ABA|ABA AB:|",
        "f|ABA ABA|ABA AB:|g|ABA ABA|ABA AB:|",
        "|:f|ABA ABA|[1 ABA AB:|[2 ABA A2f||ABA ABA|ABA ABA|]",
        "|:ABA ABA|ABA||ABA|ABA ABA:|",
        "A3-A3-|A6|(3ABc d2 e2|A>B c<d A2|",
        "[M:3/4]ABA ABA|[M:2/4]ABAB|",
        "[M:none]ABAA|AAA|",
        "|:A6|[1 B3-B3:|[2 B6|]",
    ],
)
def test_correct_tunes(body):
    assert check(f"{HEADER}{body}\n") == []


@pytest.mark.parametrize(
    ("body", "column", "kind"),
    [
        ("ABA ABA|ABA AB|ABA ABA|]", 9, "bar too short"),
        ("ABA ABA|ABA ABAB|ABA ABA|]", 9, "bar too long"),
        ("ABA ABA|ABA AB|]", 9, "bar too short"),
        ("|:ABA ABA|ABA ABA:||:f|ABA ABA|ABA AB:|", 22, "bar too short"),
        ("|:ABA ABA|ABA AB:|", 11, "bar too short"),
        ("ABA ABA|ABA|ABA|ABA ABA|", 9, "bar too short"),
        ("|:ABA ABA|ABA ABA|]", 18, "repeat without an end"),
        ("ABA ABA:|[2 ABA ABA|]", 8, "ending without a first"),
        ("|:A6|[1 B6:|c6|]", 5, "ending without a second"),
        ("A5?A|", 3, "unknown character"),
        ("(3AB A5|(3AB|", 13, "incomplete tuplet"),
        ("A6-|B6|", 1, "dangling tie"),
        ("A6-|]", 1, "dangling tie"),
        ("-A6|", 1, "dangling tie"),
        ("A5B>|A6|", 5, "broken rhythm without a partner"),
        ("[AB6|A6|", 1, "unbalanced brackets"),
        ("A]5A|", 2, "unbalanced brackets"),
        ("A/0A5|", 1, "impossible length"),
        ("z6|", 1, "no notes"),
    ],
)
def test_errors_in_the_music(body, column, kind):
    found = check(f"{HEADER}{body}\n")
    places = {(each.line, each.column) for each in found if each.kind == kind}
    assert (5 if kind != "no notes" else 1, column) in places, found


@pytest.mark.parametrize(
    ("text", "line", "kind"),
    [
        ("", 1, "no tune"),
        ("X:1\nM:6/8\nA6|\n", 3, "no key"),
        ("X:1\nK:Hm\nA4|\n", 2, "unknown key"),
        ("X:1\nM:6/7\nK:D\nA4|\n", 2, "unknown meter"),
        ("X:1\nL:x\nK:D\nA4|\n", 2, "unknown unit length"),
        ("ABC|\n", 1, "no header"),
        ("X:1\nM:6/8\nU:T\nK:D\nA6|\n", 3, "empty definition"),
        ("X:1\nM:6/8\nK:D\nm:~n2\nA6|\n", 4, "empty definition"),
    ],
)
def test_errors_in_headers(text, line, kind):
    assert (line, kind) in {(each.line, each.kind) for each in check(text)}


def test_lines_are_counted_from_the_start_of_the_file():
    text = f"{HEADER}A6|\n\nX:2\nM:6/8\nK:D\nA6|A7|A6|\n"
    assert [str(each) for each in check(text)] == ["line 10, column 4: bar 2 has 7 eighth notes; 6/8 needs 6"]


@pytest.mark.parametrize(
    "body", ["|:A6|[1 B6:|c6|]", "|:A6|1 B6:|c6|d6|]", "A6|[1 B6:|c6|]"], ids=["bracket", "number", "no start"]
)
def test_a_lone_first_ending_is_a_warning(body):
    (problem,) = tune_problems(parse_tune(split_tunes(f"{HEADER}{body}\n")[0]))
    assert (problem.kind, problem.severity) == ("ending without a second", "warning")


@pytest.mark.parametrize(
    "body", ["|:ABAB:|\n" * 3000, "ABA AB|ABA ABA||\n" * 2400 + "AB||\n" * 2000], ids=["passes", "pickups"]
)
def test_many_short_bars_are_fast(body):
    tune = parse_tune(split_tunes(f"{HEADER}A|\n{body}")[0])
    start = time.process_time()
    assert "unmatched pickup" in {problem.kind for problem in tune_problems(tune)}
    assert time.process_time() - start < 1.5, "in proportion to the bars, not to their square"


@pytest.mark.parametrize(
    ("below", "found"),
    [
        ("D6|D6|", [(8, 4, "voice `2` has 2 bars; voice `1` has 3")]),
        ("D6|]", [(8, 1, "voice `2` has 1 bar; voice `1` has 3")]),
        ("D6|D6|D6|]", []),
        ("D6|D3|D3|D6|]", []),
        ("Z3|]", []),
    ],
)
def test_a_voice_that_ends_early(below, found):
    text = f"{HEADER}V:1\nA6|B6|A6|]\nV:2\n{below}\n"
    problems = [each for each in tune_problems(parse_tune(split_tunes(text)[0])) if each.kind == "voice too short"]
    assert [(each.line, each.column, each.message) for each in problems] == found
