"""Normalizing real ABC: the music stays the same, changes are reported, and rejections name the reason."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from abc_diagnostics import check

from composer.api import RejectedPiece
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.dialect.validator import validate
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.score import read_score


def normal(body: str, header: str = "M:4/4\nL:1/8\nK:C") -> NormalizedTune | RejectedPiece:
    (tune,) = split_tunes(f"X:1\n{header}\n{body}\n")
    return normalize(tune, "here")


def body_of(body: str, header: str = "M:4/4\nL:1/8\nK:C") -> str:
    """Return the body of the normalized tune, after checking that it is valid and, if unchanged, sounds the same."""
    result = normal(body, header)
    assert isinstance(result, NormalizedTune), result
    assert validate(result.text) == []
    assert check(result.text) == []
    if not result.changes:
        assert read_score(result.text).parts[0].notes == read_score(f"X:1\n{header}\n{body}\n").parts[0].notes
    return result.text.split("K:", 1)[1].split("\n", 1)[1]


def changes(body: str, header: str = "M:4/4\nL:1/8\nK:C") -> tuple[str, ...]:
    result = normal(body, header)
    assert isinstance(result, NormalizedTune), result
    return result.changes


EXACT = [
    ("C2D2 E2F2|G8|", "C2D2 E2F2|G8|]\n"),
    ("CDEF GABc|C8::G8|c8:|", "|:CDEF GABc|C8:|\n|:G8|c8:|\n"),
    ("C8:|D8:|", "|:C8:|\n|:D8:|\n"),
    ("|:C8|1D8:|2E8|]", "|:C8|[1D8:|\n[2E8|]\n"),
    ("|:C8|D4[1E4:|[2F4|]", "|:C8|[1D4 E4:|\n[2D4 F4|]\n"),
    ("G2|C8|D8|E8|F8|G8|A6|", "G2|C8|D8|E8|F8|\nG8|A6|]\n"),
    ("C8||D8|", "C8||\nD8|]\n"),
    ("|:G2|C8|D4 D2||E2|F8|D6:|", "|:G2|C8|D4 D2E2|F8|D6:|\n"),
    # a pickup and the short bar after it are not one bar that is cut, if other parts have this pickup
    ("G2|A6||G2|C8|D6||", "G2|A6||\nG2|C8|D6|]\n"),
    ("G2|A6||G2|A6||", "G2|A6||\nG2|A6|]\n"),
    ("|:G2|A6:|G2|C8|D6||", "|:G2|A6:|\nG2|C8|D6|]\n"),
    ("C8|D8||G2|A6||C8|", "C8|D8||\nG2A6||\nC8|]\n"),
    ("E2|F6|", "E2|F6|]\n"),
    # a last part that completes the bar before it is no part with a pickup of its own
    ("|:G2|C8|D6:|E2|", "|:G2|C8|D6:|\nE2|]\n"),
    ("G2|C6||G2|C6||E2|", "G2|C6||\nG2|C6E2|]\n"),
    ("C3D E>F G<A|c8|", "C3D E>FG<A|c8|]\n"),
    ("C3/2D/2 E/2>F/2G A4|c8|", "C>DE3/4F/4G A4|c8|]\n"),
    ("(3CDE (3FGA G4|", "(3CDE(3FGA G4|]\n"),
    ("(6CDEFGA G4z2|", "(3C/2D/2E/2(3F/2G/2A/2G4z2|]\n"),
    ("C4-C4-|C8|", "C4- C4-|C8|]\n"),
    ("C4 D4-|^D8|", "C4 D4|^D8|]\n"),
    ("C8|[M:C|]D8|", "C8|D8|]\n"),
    ("^F4 F4|F8|\nK:G\nF8|", "^F4 F4|F8|^F8|]\n"),
    ("^F2f2 =F2^^F2|__B8|", "^F2^f2 =F2G2|A8|]\n"),
    ("!trill!C2{d}~D2 uE2.F2|G8|", "C2D2 E2F2|G8|]\n"),
    ('"Am"C4 "allegro"D4|"D/f+"F8|', '"Am"C4 D4|"D/F#"F8|]\n'),
    ("[CEG]4 [ce]4|", "[CEG]4 [ce]4|]\n"),
    ("C2D2 E2F2 G2A2 B2c2|", "C2D2 E2F2|G2A2 B2c2|]\n"),
    ("C4 D4|Z2|E8|", "C4 D4|z8|z8|E8|]\n"),
]


@pytest.mark.parametrize(("body", "expected"), EXACT)
def test_normalize_keeps_the_music(body, expected):
    assert body_of(body) == expected


@pytest.mark.parametrize(
    ("body", "expected", "change"),
    [
        ("|:CDEF GABc|C8:|\n|:G2|C8|D6:|", "|:z2|CDEF GABc|C6:|\n|:G2|C8|D6:|\n", "rest added for a pickup"),
        ("|:C8|D8:|\n|:G2|C8|D6:|", "|:z2|C8|D6:|\n|:G2|C8|D6:|\n", "last note shortened for a pickup"),
        ("G2|C8|D4|", "G2|C8|D4 z2|]\n", "rest added to a short last bar"),
        ("G2|:C8|D4 F4:|", "z6G2||\n|:C8|D4 F4:|\n", "rest added before the pickup"),
        ("G2|:C8|D6:|", "|:G2|C8|D6:|\n", "pickup before a repeat moved into it"),
        ("G2|C6c2|:D8|E6:|", "G2|C6||\n|:c2|D8|E6:|\n", "pickup before a repeat moved into it"),
        ("|:G2|C8|D8:|", "z6G2||\n|:C8|D8:|\n", "pickup played once"),
        ("|:C8|D8-:|\nD8|", "|:C8|D8:|\nD8|]\n", "tie across parts removed"),
        ("(3C[CE]E D2 E4|", "(3CEED2 E4|]\n", "chord in a triplet reduced to one note"),
        ("[C-E]4 [CE]4|", "[CE]4 [CE]4|]\n", "tie between different notes removed"),
        ("^C4-_D4|", "^C4 _D4|]\n", "tie between different notes removed"),
        ("C8|\nP:B\nD8:|", "C8||\n|:D8:|\n", "part mark treated as the start of a repeat"),
    ],
)
def test_changes_are_reported(body, expected, change):
    assert body_of(body) == expected
    assert change in changes(body)


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        ("CDE|C8|CDEF GAB|C8|", "incomplete bar", "line 5, column 8"),
        ("C8|CDEF GABcd|C8|", "bar too long", "line 5, column 4"),
        ("C8|[M:3/4]D6|", "meter change", "line 5"),
        ("C8:|[2D8|]", "mismatched endings", "line 5, column 3"),
        ("(5CDEFG G6|", "tuplet other than three equal notes", "line 5, column 3"),
        ("(3CD|C8|", "tuplet across a bar line", "line 5, column 5"),
        ("C>|C8|", "broken rhythm without a partner", "line 5, column 3"),
        ("z8|", "no notes", "line 1"),
        ("G2|C8|[1D3/2D4(3BAG:|[2E6|", "incomplete bar", "line 5, column 9"),
        ("C8|c'''8|", "note out of range", "c'''; the range is D,, to b''"),
    ],
)
def test_rejections_name_reason_and_place(body, reason, detail):
    result = normal(body)
    assert isinstance(result, RejectedPiece)
    assert (result.reason, result.source, result.detail) == (reason, "here", detail)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("T:THE  OLD `ROAD`\nM:C|\nR:Double Jig\nK:A Minor", "T:The Old 'Road'\nR:jig\nM:2/2\nL:1/8\nK:Am\n"),
        ("T:Caf\u00e9 Polka\nM:C\nK:Ddorian", "T:Cafe Polka\nR:polka\nM:4/4\nL:1/8\nK:Ddor\n"),
        ("M:C|\nR:hornpipe\nK:HP", "R:hornpipe\nM:4/4\nL:1/8\nK:D\n"),
        ("M:12/8\nL:1/12\nR:hornpipe\nK:G ^f", "M:12/8\nL:1/8\nK:G\n"),
        ("M:2/4\nL:1/16\nK:C#mix", "M:2/4\nL:1/16\nK:C#mix\n"),
    ],
)
def test_headers(header, expected):
    (tune,) = split_tunes(f"X:1\nS:a source\n{header}\nC{'18' if '12/8' in header else '8'}|\n")
    result = normalize(tune)
    assert isinstance(result, NormalizedTune)
    assert result.text.startswith(expected)
    assert result.text[len(expected) :].startswith(("C", "=C"))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("treble-8", "C\nC,D,E,^F, B,^CDE|]\n"),
        ("transpose=2", "D\nDEF^G c^def|]\n"),
        ("transpose=-3", "A\nA,B,C^D G^ABc|]\n"),
        ("transpose=1", "Db\nDEF=G c=def|]\n"),
    ],
)
def test_transposed_voices_are_written_as_they_sound(properties, expected):
    result = normal("CDE^F B^cde|", f"M:4/4\nL:1/8\nK:C {properties}")
    assert isinstance(result, NormalizedTune)
    assert result.text.split("K:")[1] == expected
    assert validate(result.text) == []
    written = read_score(f"X:1\nM:4/4\nL:1/8\nK:C {properties}\nCDE^F B^cde|\n")
    assert read_score(result.text).notes == written.notes


def test_unknown_transpositions_are_rejected():
    result = normal("C8|", "M:4/4\nL:1/8\nK:C shift=CD")
    assert isinstance(result, RejectedPiece)
    assert (result.reason, result.detail) == ("unknown transposition", "line 4, column 1")


def test_other_voices_are_left_out_and_reported():
    assert body_of("V:1\nC8|\nV:2\nE8|") == "C8|]\n"
    assert changes("V:1\nC8|\nV:2\nE8|") == ("other voices left out",)
    assert changes("V:1\nC8|\nV:2\nz8|") == ()
    assert body_of("C8 & E8|D8|") == "C8|D8|]\n"
    assert changes("C8 & E8|D8|") == ("overlay left out",)


@pytest.mark.skipif(shutil.which("abc2midi") is None, reason="abc2midi is not installed")
def test_abc2midi_reports_no_errors():
    texts = []
    for number, (body, _) in enumerate(EXACT):
        result = normal(body)
        assert isinstance(result, NormalizedTune)
        texts.append(f"X:{number + 1}\n{result.text}")
    output = subprocess.run(
        ["abc2midi", "-", "-c"], input="\n".join(texts).encode(), capture_output=True, check=False
    ).stdout.decode()
    assert [line for line in output.splitlines() if " in line-char " in line] == []


@pytest.mark.parametrize("body", [each for each, _ in EXACT])
def test_normalizing_twice_changes_nothing(body):
    first = normal(body)
    assert isinstance(first, NormalizedTune)
    again = normalize(split_tunes(f"X:1\n{first.text}")[0])
    assert isinstance(again, NormalizedTune)
    assert (again.text, again.changes) == (first.text, ())
