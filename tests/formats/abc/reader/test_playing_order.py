"""In which order the bars of a tune are played: repeats, endings, jumps and parts, also if some are missing."""

from __future__ import annotations

import time

import pytest
from abc_reading import HEADER, kinds, melody, read, voices

from composer.api import RejectedPiece
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.reader.lexer import split_tunes


def test_jumps_restore_meter_and_key():
    score = read("|:C4|[M:3/4][K:G]F3:|")
    assert [(meter.onset, meter.numerator) for meter in score.meters] == [(0, 4), (4, 3), (7, 4), (11, 3)]
    assert [(key.onset, key.sharps) for key in score.keys] == [(0, 0), (4, 1), (7, 0), (11, 1)]
    assert [note.pitch for note in score.notes] == [60, 66, 60, 66]


def test_jumps_restore_the_defaults_of_what_the_beginning_lacks():
    score = read("|:CDEF|[Q:1/4=60][M:3/4][K:G]GAB:|", "X:1\nM:none\nL:1/4\nK:none\n")
    assert [(tempo.onset, tempo.bpm) for tempo in score.tempos] == [(4, 60), (7, 120), (11, 60)]
    assert [(meter.onset, meter.numerator) for meter in score.meters] == [(4, 3), (7, 4), (11, 3)]
    assert [(key.onset, key.sharps) for key in score.keys] == [(0, 0), (4, 1), (7, 0), (11, 1)]


@pytest.mark.parametrize("signs", ["|", "|:", ":|]"])
def test_many_bar_lines_in_a_row_are_fast(signs):
    line = "C4" + signs * (19_000 // len(signs))
    start = time.process_time()
    assert {note.pitch for note in read(f"{line}\n{line}\nD4|").notes} == {60, 62}
    assert time.process_time() - start < 0.8, "in proportion to the bar lines, not to their square"


def test_many_open_repeats_are_fast():
    start = time.process_time()
    assert read("|:CEGc|\n" * 3000).losses == {"repeats without an end played once": 3000}
    assert time.process_time() - start < 2.5, "in proportion to the repeats, not to their square"


@pytest.mark.parametrize(
    ("order", "body", "expected"),
    [
        ("AAB", "V:1\nV:2\nP:A\nV:1\nC|\nV:2\nE|\nP:B\nV:1\nD|\nV:2\nF|", ["CCD", "EEF"]),
        ("ABA", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nE|F|", ["CDC", "EFE"]),
        ("B2A", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nP:A\nE|\nP:B\nF|", ["DDC", "FFE"]),
        ("AB", "V:1\nP:A\n|:C:|\nP:B\nD|\nV:2\nE|F|", ["CCD", "EEF"]),
        ("A.B.A", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nz|F|", ["CDC", "F"]),
        ("AXB", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nE|F|", ["CD", "EF"]),
        ("ACB", "V:1\nP:A\nC|\nP:C\nP:B\nD|\nV:2\nE|F|", ["CD", "EF"]),
        ("(AB)2", "V:1\nP:A\nC|\nP:B\nD|\nV:2\nE|", ["CDCD", "EE"]),
    ],
)
def test_orders_of_parts_hold_for_all_voices(order, body, expected):
    assert voices(read(body, f"X:1\nM:1/4\nL:1/4\nP:{order}\nK:C\n")) == expected


@pytest.mark.parametrize(
    ("body", "expected", "problem"),
    [
        ("V:1\n|:C:|D|\nV:2\nE|F|", ["CCD", "EEF"], ["repeat in one voice only"]),
        ("V:1\nC|D|\nV:2\n|:E:|F|", ["CCD", "EEF"], ["repeat in one voice only"]),
        ("V:1\n|:C|[1D:|[2E|]\nV:2\n|:E|F:|G|]", ["CDCE", "EFEG"], ["repeat in one voice only"]),
        ("V:1\n|:C:|D|\nV:2\n|:E:|F|", ["CCD", "EEF"], []),
        ("V:1\n|:C:|D|\nV:2\n E2|", ["CCD", "E"], ["voices with other repeats"]),
        ("V:1\nC!D.C.!|\nV:2\nE|", ["CC", "EE"], []),
    ],
)
def test_repeats_hold_for_all_voices(body, expected, problem):
    header = "X:1\nM:none\nL:1/4\nK:C\n"
    assert voices(read(body, header)) == expected
    assert kinds(f"{header}{body}\n") == problem


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C4|D4!fine!|E4!D.C.!|", "CDECD"),
        ("C4|!fine!D4|E4|!D.C.alfine!\n", "CDECD"),
        ('C4|"^Fine"D4|E4"^D.C. al Fine"|', "CDECD"),
        ("C4|!segno!D4|E4!D.S.!|", "CDEDE"),
        ("C4|SD4|E4!fine!|F4!D.S. al Fine!|", "CDEFDE"),
        ("C4|D4!dacoda!|E4!D.C.alcoda!|!coda!F4|", "CDECDF"),
        ("C4|D4|!coda!E4|F4!D.C. al Coda!|!coda!G4|", "CDEFCDG"),
        ("C4|SD4O|E4!D.S. al Coda!|OF4|", "CDEDF"),
        ("|:C4|[1D4:|[2E4!fine!|F4!D.C.!|", "CDCEFCE"),
        ("C4|D4!D.C. al Fine!|", "CD"),
        ("C4|D4!D.S.!|", "CD"),
    ],
)
def test_jumps(body, expected):
    assert melody(body) == expected


def test_jumps_without_their_sign_are_reported():
    assert kinds(f"{HEADER}C4|D4!D.S. al Fine!|\n") == ["jump without its sign"]
    assert kinds(f"{HEADER}C4!fine!|D4!D.C. al Fine!|\n") == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("C4|2D4|", "ending without a first"),
        ("C4|2D4:|E4|", "ending without a first"),
        ("C4|1D4:|3E4|", "missing ending"),
        ("C4|1,2D4:|4E4|", "missing ending"),
    ],
)
def test_endings_with_a_missing_one_are_reported_and_not_trained_on(body, kind):
    assert kinds(f"{HEADER}{body}\n") == [kind]
    rejected = normalize(split_tunes(f"{HEADER}{body}\n")[0])
    assert isinstance(rejected, RejectedPiece)
    assert rejected.reason == "mismatched endings"


@pytest.mark.parametrize("body", ["C4|1D4:|2E4|", "C4|1,3D4:|2E4|", "C4|1-3D4:|4E4|"])
def test_endings_of_all_passes_are_fine(body):
    assert kinds(f"{HEADER}{body}\n") == []


@pytest.mark.parametrize(
    ("order", "expected"), [("ABA", "CDCEFCDCE"), ("BA", "FCDCE"), ("AB2", "CDCEFF"), ("", "CDCEF")]
)
def test_a_part_begins_after_a_second_ending(order, expected):
    body = "P:A\n|:C4|1 D4:|2 E4|\nP:B\nF4|\n"
    assert melody(body, f"X:1\nM:4/4\nL:1/4\nP:{order}\nK:C\n") == expected


def test_the_endings_of_a_later_part_have_numbers_of_their_own():
    body = "P:A\n|:C4|1 D4:|2 E4|\nP:B\nF4|1 G4:|2 A4|\n"
    assert melody(body, "X:1\nM:4/4\nL:1/4\nP:BA\nK:C\n") == "FGFACDCE"


@pytest.mark.parametrize(
    ("fields", "body", "losses"),
    [
        ("", "C4|D4!D.S. al Fine!|", {"jumps to a missing sign left out": 1}),
        ("", "V:1\nC4|D4!D.S.!|\nV:2\nE4|F4|", {"jumps to a missing sign left out": 1}),
        ("P:AXBX\n", "P:A\nC4|\nP:B\nD4|", {"names in the part order that no part has": 2}),
        ("P:AB\n", "C4|D4|", {"names in the part order that no part has": 2}),
        ("P:AB\n", "P:A\nC4|\nP:B\nD4|", {}),
        ("P:AB\n", "P:A\nC4|\nP:B\nD4!D.C.!|", {"jumps beside the part order left out": 1}),
        ("", "P:A\nC4|\nP:B\nD4!D.C.!|", {}),
        ("P:AB\n", "P:A\nC4|\nP:B\nD4|\nP:A\nE4|", {"parts joined to an earlier part with the same name": 1}),
        ("P:AB\n", "P:A\nC4|\nP:B\nD4|\nP:C\nE4|\nP:C\nF4|", {}),
        ("", "C4|1D4:|3E4|", {"bars that no pass plays left out": 1, "mismatched endings played by guess": 1}),
        ("", "C4!fine!|D4!D.C. al Fine!|E4|F4|", {"bars that no pass plays left out": 2}),
        ("P:AA\n", "P:A\nC4|\nP:B\nD4|", {}),
        ("", "V:1\n|:C4:|D4|\nV:2\n E8|", {"repeats that do not match between voices": 1}),
        ("", "V:1\n" + "C4|" * 5007 + "\nV:2\n" + "E4|" * 5007, {"bars after the first 5,000 left out": 7}),
    ],
    ids=[
        "jump", "jump in one of two voices", "part", "no part", "all parts", "jump and parts", "jump and labels",
        "part twice", "unused parts", "ending", "after the end", "part left out", "voices", "bars",
    ],
)  # fmt: skip
def test_music_that_is_not_played_as_written_is_counted(fields, body, losses):
    assert read(body, f"X:1\nM:4/4\nL:1/4\n{fields}K:C\n").losses == losses


def test_the_dialect_counts_unknown_parts():
    tune = normalize(split_tunes("X:1\nM:4/4\nL:1/4\nP:AXB\nK:C\nP:A\nC4|\nP:B\nD4|\n")[0])
    assert isinstance(tune, NormalizedTune)
    assert tune.losses == {"names in the part order that no part has": 1}


def test_what_an_order_of_parts_overrides_is_reported():
    header = HEADER.replace("K:C", "P:AB\nK:C")
    assert kinds(f"{header}P:A\nC4|\nP:B\nD4!D.C.!|\nP:A\nE4|\n") == [
        "jump beside a part order",
        "part name used twice",
    ]
    assert kinds(f"{header}P:A\n|:C4|1D4:|\nP:A\n[2E4|\nP:B\nF4|\n") == []


@pytest.mark.parametrize("ending", ["|0 ", "[0 ", "|3-2 ", "|0,0 "])
def test_endings_without_a_pass_are_reported_and_played(ending):
    assert melody(f"C4{ending}D4|E4|") == "CDE"
    assert kinds(f"{HEADER}C4{ending}D4|E4|\n") == ["impossible ending"]
    rejected = normalize(split_tunes(f"{HEADER}C4{ending}D4|E4|\n")[0])
    assert isinstance(rejected, RejectedPiece)
    assert rejected.reason == "mismatched endings"
