"""The benchmark of agreement: what counts as the same, and how a difference is attributed."""

from fractions import Fraction

import pytest
from agreement.abc_causes import CAUSES, Cause
from agreement.abc_tunes import read
from agreement.attribution import Case, attribute
from agreement.durations import notes_by_duration
from agreement.playing import Playing, differences, evenly

HEADER = "X:1\nM:4/4\nL:1/4\nR:hornpipe\nK:C\n"


def edits(body: str) -> dict[str, str]:
    """Return what each cause that applies to a tune makes of its body."""
    edited = {cause.name: cause.edit(HEADER + body) for cause in CAUSES}
    return {name: text.removeprefix(HEADER) for name, text in edited.items() if text.startswith(HEADER)}


@pytest.mark.parametrize(
    ("cause", "body", "edited"),
    [
        ("repeats without", "CDEF||GABc:|\n", "CDEF|| |: GABc:|\n"),
        ("repeats without", "|:CDEF|1 GABc:|2 c4||C4:|\n", "|:CDEF|1 GABc:|2 c4|| |: C4:|\n"),
        ("repeats without", "|:CDEF||GABc:|\n", "|:CDEF||GABc:|\n"),
        ("ornaments", 'C~D!trill!E "T"TF|\n', 'CDE "T"F|\n'),
        ("D.C.", 'CDEF|"_D.C. al Fine"GABc|\n', "CDEF|GABc|\n"),
        ("unison", "[CC]2[CE]|\n", "[C]2[CE]|\n"),
        ("broken rhythm between", "C>D E2>F|\n", "C>D E2F|\n"),
        ("repeat sign after", "|:C4|1D4:|2E4:|\n", "|:C4|1D4:|2E4|]\n"),
        ("unusual bar lines", "||:C4:|:D4|:|\n", "|:C4::D4:|\n"),
    ],
)
def test_edits(cause, body, edited):
    found = [text for name, text in edits(body).items() if name.startswith(cause)]
    assert found == [edited]


def test_exact_edits_keep_what_composer_reads():
    texts = [HEADER + "CDEF||GABc:|", HEADER + "||:[CC]4:|:(5CDEFG|:|"]
    for text in texts:
        for cause in CAUSES:
            if cause.exact:
                assert read([text]) == read([cause.edit(text)])


def note(onset: float, pitch: int = 60) -> tuple[Fraction, int, Fraction]:
    return Fraction(onset), pitch, Fraction(1)


def test_a_difference_has_the_fewest_causes_that_explain_it():
    causes = [Cause(letter, "the file", "", lambda text, letter=letter: text.replace(letter, "")) for letter in "abc"]

    def ours(texts):
        return [Playing([note(len(text))]) for text in texts]

    def theirs(texts):
        """Read `a` and `b` as two, so that both must go."""
        return [Playing([note(len(text) + ("a" in text) + ("b" in text))]) for text in texts]

    cases = [Case("", text, frozenset({"notes"})) for text in ("xa", "xab", "xabc", "xc")]
    attribute(cases, causes, ours, theirs, ["notes"])
    assert ["".join(cause.name for cause in case.causes) for case in cases] == ["a", "ab", "ab", "c"]


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ([note(0), note(1)], set()),
        ([note(0), note(1 + 1 / 480)], set()),
        ([note(0), note(1.02)], {"notes", "length"}),
        ([note(0), note(1, 61)], {"notes"}),
        ([note(1)], {"notes"}),
    ],
)
def test_differences(theirs, expected):
    assert differences(Playing([note(0), note(1)]), Playing(theirs)) == expected


def test_evenly():
    assert evenly(range(10), 3) == [0, 3, 6]
    assert list(evenly(range(3), 0)) == [0, 1, 2]


def test_notes_by_duration():
    def measure(*notes: str) -> str:
        return f"<measure><attributes><divisions>2</divisions></attributes>{''.join(notes)}</measure>"

    def xml(step: str, duration: int, more: str = "") -> str:
        return f"<note>{more}<pitch><step>{step}</step><octave>4</octave></pitch><duration>{duration}</duration></note>"

    tied = measure(xml("C", 2), xml("D", 2, '<tie type="start"/>')) + measure(xml("D", 4, '<tie type="stop"/>'))
    short = measure(xml("E", 1)) + measure(xml("F", 4))
    data = f"<score-partwise><part>{tied}</part><part>{short}</part></score-partwise>".encode()
    assert notes_by_duration(data) == [(0, 60, 1), (0, 64, Fraction(1, 2)), (1, 62, 3), (2, 65, 2)]
