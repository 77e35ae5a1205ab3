"""Bar lines, part names and chord symbols that other programs read differently are found and, where clear, fixed."""

from __future__ import annotations

import pytest

from composer.api.testing import source
from composer.check.abc_notation import notation_problems
from composer.check.examine import examine
from composer.check.fix import fix
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune

HEADER = "X:1\nM:4/4\nL:1/4\nK:C\n"


def found(text):
    (tune,) = split_tunes(text)
    return [(each.line, each.column, each.message) for each in notation_problems(parse_tune(tune))]


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("|:C4:::D4:|", 5, "unusual bar line `:::`; write `::`"),
        ("|:C4::::D4:|", 5, "unusual bar line `::::`; write `::`"),
        ("C4|:|D4|", 3, "unusual bar line `|:|`, read as `:|`"),
        ("|:C4|||D4:|", 5, "unusual bar line `|||`, read as `||`"),
        ("|:C4:|:|:D4:|", 5, "unusual bar line `:|:|:`, read as `:|:`"),
        ("|:C4|D4 & E4:::", 13, "unusual bar line `:::`; write `::`"),
    ],
)
def test_unusual_bar_lines(line, column, message):
    assert found(f"{HEADER}{line}\n") == [(5, column, message)]


@pytest.mark.parametrize(
    "line", ["|:C4::D4:|", "[|C4||D4|]", "C4|.|D4:||:E4::|", "|::C4::||1D4|", "C4|[|]:D4:|", "Z2|"]
)
def test_usual_bar_lines(line):
    assert found(f"{HEADER}{line}\n") == []


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        ("E7/f+", "invalid chord symbol `E7/f+`; write `E7/F#`"),
        ("(A/c+)", "invalid chord symbol `(A/c+)`; write `A/C#`"),
        ("Gm/b-", "invalid chord symbol `Gm/b-`; write `Gm/Bb`"),
        ("G/dim", "unknown chord symbol `G/dim`, ignored; write a chord such as `Gdim`, or begin other text with `^`"),
        ("C(7)", "unknown chord symbol `C(7)`, ignored; write a chord such as `C7`, or begin other text with `^`"),
        ("Am7/x", "unknown chord symbol `Am7/x`, ignored; write a chord such as `Am7`, or begin other text with `^`"),
        ("C7/", "unknown chord symbol `C7/`, ignored; write a chord such as `C7`, or begin other text with `^`"),
        ("Hm", "unknown chord symbol `Hm`, ignored; H is the German name of B, so write `Bm`"),
    ],
)
def test_chord_symbols(symbol, message):
    assert found(f'{HEADER}C2"{symbol}"D2|\n') == [(5, 3, message)]


@pytest.mark.parametrize(
    "text", ["Am", "G7/B", "G/b", "^up", "Fine", "D.C.", "Segno", "tr", "Allegro", "B MINOR", "H", "4"]
)
def test_other_texts_are_no_faults(text):
    assert found(f'{HEADER}C2"{text}"D2|\n') == []


@pytest.mark.parametrize(
    ("order", "body", "problems"),
    [
        ("", "P:A/1\nC4|\nP:B\nD4|", [(5, "`A/1` is not a part name; write one letter, such as `P:A`")]),
        ("", "P:b\nC4|\n[P:(C)]D4|", [
            (5, "`b` is not a part name; write one letter, such as `P:B`"),
            (7, "`(C)` is not a part name; write one letter, such as `P:C`"),
        ]),
        ("AB", "P:A\nC4|\nP:Duo\nD4|", [
            (4, "the tune has no part B; the rest of the order `AB` is played"),
            (8, "`Duo` is not a part name, so the order `AB` cannot refer to it; write one letter, such as `P:A`"),
        ]),
        ("A/1B", "P:A\nC4|\nP:B\nD4|", [
            (4, "`A/1B` is not a part order; write letters and repeat counts, such as `P:A2B2`"),
        ]),
        ("ABA", "C4|D4|", [(4, "the order `ABA` is ignored, since no part begins with a line such as `P:A`")]),
        ("", "P:Variation 2\nC4|\nP:D.S.\nD4|", []),
        ("A2(BA)2", "P:A\nC4|\nV:2\n[P:B]D4|", []),
    ],
)  # fmt: skip
def test_parts(order, body, problems):
    header = HEADER.replace("K:", f"P:{order}\nK:") if order else HEADER
    assert [(line, message) for line, _, message in found(f"{header}{body}\n")] == problems


def test_only_what_is_clear_is_fixed():
    text = f'{HEADER}|:C4:::"E7/f+"D4:|\n|:"(A/c+)"C4|"G/dim"D4|E4:|:|:F4:|\n'
    given = source(text, "a.abc")
    done = fix(given, examine(given).problems)
    assert done.data is not None
    assert done.data.decode() == f'{HEADER}|:C4::"E7/F#"D4:|\n|:"(A/C#)"C4|"G/dim"D4|E4:|:|:F4:|\n'
    assert "unknown chord symbol `G/dim`" in done.left[0].message


def test_jumps_and_repeated_parts_of_an_order_are_left_to_the_owner():
    header = HEADER.replace("K:", "P:AB\nK:")
    text = f"{header}P:A\nC4|\nP:B\nD4!D.C.!|\nP:A\nE4|]\n"
    given = source(text, "a.abc")
    problems = examine(given).problems
    assert [(each.line, each.message) for each in problems] == [
        (9, "a jump such as D.C. or D.S. is ignored, since the header has the part order `AB`"),
        (11, "another part A; each A in the part order `AB` plays all parts of that name"),
    ]
    assert fix(given, problems).data is None
