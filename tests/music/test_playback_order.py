"""The order in which bars are played, written as letters: A for the first bar, B for the second, and so on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.music.playback_order import BarSigns, Jump, playback_order


def order(*bars: BarSigns, parts: str = "") -> str:
    return "".join(chr(65 + at) for at in playback_order(bars, parts))


def ending(*numbers: int, times: int = 1, **signs) -> BarSigns:
    return BarSigns(times=times, endings=frozenset(numbers), **signs)


PLAIN, OPEN, CLOSE = BarSigns(), BarSigns(opens=True), BarSigns(times=2)
DA_CAPO = BarSigns(jump=Jump())


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ((PLAIN, CLOSE, PLAIN), "ABABC"),
        ((OPEN, CLOSE, CLOSE), "ABABCC"),
        ((BarSigns(times=3), PLAIN), "AAAB"),
        ((PLAIN, BarSigns(divides=True), CLOSE), "ABCBC"),
        ((OPEN, BarSigns(divides=True), CLOSE), "ABCABC"),
        ((PLAIN, BarSigns(divides=True), BarSigns(divides=True), CLOSE), "ABCDCD"),
        ((PLAIN, BarSigns(divides=True), ending(1, times=2), ending(2), PLAIN), "ABCBDE"),
    ],
)
def test_repeats(bars, expected):
    assert order(*bars) == expected


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ((OPEN, ending(1, times=2), ending(2), PLAIN), "ABACD"),
        ((OPEN, ending(1, 3, times=2), ending(2, times=2), PLAIN), "ABACABD"),
        ((OPEN, ending(1, times=2), PLAIN, CLOSE), "ABACDCD"),
        ((CLOSE, ending(2), PLAIN), "AABC"),
        ((OPEN, ending(1), ending(1, times=2), ending(2), ending(2)), "ABCADE"),
    ],
)
def test_endings(bars, expected):
    assert order(*bars) == expected


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ((PLAIN, BarSigns(fine=True), DA_CAPO), "ABCAB"),
        ((PLAIN, DA_CAPO), "ABAB"),
        ((PLAIN, BarSigns(jump=Jump(until="fine"))), "AB"),  # there is no fine
        ((PLAIN, BarSigns(segno="s"), BarSigns(fine=True), BarSigns(jump=Jump("s"))), "ABCDBC"),
        ((PLAIN, BarSigns(jump=Jump("s"))), "AB"),
        ((BarSigns(to_coda="c"), PLAIN, BarSigns(jump=Jump(until="coda")), BarSigns(coda="c")), "ABCAD"),
        ((BarSigns(to_coda="c"), BarSigns(fine=True), DA_CAPO, BarSigns(coda="c"), CLOSE), "ABCADEDE"),
        ((BarSigns(to_coda="c"), BarSigns(fine=True), BarSigns(jump=Jump("", "fine")), BarSigns(coda="c")), "ABCAB"),
        ((CLOSE, BarSigns(times=2, jump=Jump())), "AABBAB"),
        ((OPEN, ending(1, times=2), ending(2, to_coda="c"), DA_CAPO, BarSigns(coda="c")), "ABACDACE"),
        ((CLOSE, BarSigns(times=2, after_jump=True), DA_CAPO), "AABBCABBC"),
        ((OPEN, ending(1, times=2, after_jump=True), ending(2), DA_CAPO), "ABACDABACD"),
        ((BarSigns(times=3, after_jump=True), PLAIN, OPEN, BarSigns(times=2, jump=Jump())), "AAABCDCDAAABCD"),
    ],
)
def test_jumps(bars, expected):
    assert order(*bars) == expected


def test_parts():
    bars = (BarSigns(part="A"), CLOSE, BarSigns(part="B"))
    assert order(*bars, parts="AABA") == "ABABABABCABAB"
    assert order(*bars, parts="BXA") == "CABAB"
    assert order(*bars, parts="XY") == "ABABC"
    assert order(PLAIN, *bars, parts="B") == "AD"
    assert order(BarSigns(part="A"), ending(1, times=2), ending(2, part="B"), PLAIN, parts="A") == "ABACD"


SIGNS = st.builds(
    BarSigns,
    opens=st.booleans(),
    times=st.integers(1, 3),
    endings=st.frozensets(st.integers(1, 3), max_size=2),
    divides=st.booleans(),
    segno=st.sampled_from(["", "s"]),
    coda=st.sampled_from(["", "c"]),
    to_coda=st.sampled_from(["", "c"]),
    fine=st.booleans(),
    jump=st.sampled_from([None, Jump(), Jump("s", "fine"), Jump("", "coda")]),
    part=st.sampled_from(["", "A", "B"]),
    after_jump=st.booleans(),
)


@given(st.lists(SIGNS, max_size=8), st.text("ABX", max_size=4))
def test_every_order_ends(bars, parts):
    found = playback_order(bars, parts)
    assert len(found) < 1000
    assert set(found) <= set(range(len(bars)))


def test_limit():
    assert playback_order([BarSigns(times=99)], limit=5) == [0] * 5
