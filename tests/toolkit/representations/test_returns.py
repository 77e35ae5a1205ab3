"""Passages that return: found in steps, written as text, and a part of plans."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.toolkit.representations.bar_plan import BarPlan, WantedPlan, fitting_plans, with_returns
from composer.toolkit.representations.returns import MAX_RETURNS, Return, find_returns


def found(steps, bar, pickup=0, per_beat=1):
    """Return the passages of steps that are letters; a dot starts no note."""
    onsets = [number for number, step in enumerate(steps) if step != "."]
    return " ".join(map(str, find_returns(steps, onsets, bar, pickup, Fraction(per_beat))))


def test_whole_bars_with_the_pickup_before_and_the_end_of_the_phrase():
    assert found("abcdABCDabcdefgh", bar=4) == "8-12=0"
    assert found("pabcdxyzpabcdxyzqefgh", bar=4, pickup=1) == "8-16=0"
    assert found("abcdxbcd", bar=4) == "", "no whole bar"
    assert found("abcdabcd", bar=4, per_beat=2) == "2-4=0", "in beats"
    assert found("pabcdxyzpabcdxyzq", bar=4, pickup=1, per_beat=Fraction(2, 3)) == "27/2-39/2=3/2", "no whole beats"


def test_the_most_bars_in_a_row_are_one_passage():
    assert found("aaaaaaaa", bar=2) == "2-8=0", "a loop"
    assert found("abxxabcdzzabcd", bar=2) == "4-6=0 10-14=4", "not the first bar that is the same"
    assert found("abcdABCDabcdABCD", bar=4) == "8-16=0"
    assert found("abcdABCDabxyABCD", bar=4) == "12-16=4"


def test_a_bar_without_an_onset_is_no_passage_but_may_be_in_one():
    assert found("a......", bar=2) == ""
    assert found("ab..cdab..cdz.", bar=2) == "6-12=0"


@given(st.text("ab.", max_size=30), st.integers(1, 3), st.integers(0, 3))
def test_passages_equal_their_sources_and_never_overlap(steps, bar, pickup):
    onsets = [number for number, step in enumerate(steps) if step != "."]
    before, returning = 0, set()
    for start, end, source in find_returns(steps, onsets, bar, pickup, Fraction(1)):
        first, last, earlier = int(start), int(end), int(source)
        assert before <= first < last <= len(steps)
        assert steps[first:last] == steps[earlier : earlier + last - first]
        assert (first - earlier) % bar == 0
        returning |= {*range(first, last)}
        before = last
    counted = Counter()
    for first in range(pickup, len(steps) - bar + 1, bar):
        content = steps[first : first + bar]
        if counted[content] and set(content) != {"."}:
            assert {*range(first, first + bar)} <= returning, "every bar that equals an earlier one"
        counted[content] += 1


def test_only_the_longest_of_many_are_kept():
    parts = [f"{chr(300 + number)}z" for number in range(MAX_RETURNS + 1)]
    alternating = "".join(f"{part}{chr(600 + number)}z{part}" for number, part in enumerate(parts))
    passages = find_returns(alternating, range(len(alternating)), 2, 0, Fraction(1))
    assert len(passages) == MAX_RETURNS
    assert [each.start for each in passages] == sorted(each.start for each in passages)


@pytest.mark.parametrize("text", ["", "1-2", "4-4=0", "0-4=0", "4-8=-1", "2-8=4", "a-b=c"])
def test_impossible_passages(text):
    with pytest.raises(ValueError, match=r"\S"):
        Return.parse(text)


def test_passages_move_with_the_pickup():
    moved = [Return.parse("15-31=0").moved(Fraction(beats)) for beats in (-1, 2, -16)]
    assert [str(each) for each in moved] == ["15-30=0", "17-33=2", "None"]


def test_plans_as_text():
    plan = BarPlan.parse("3/4,16,1,2,11 23,Am,12-24=0 61/2-36=13/2")
    assert [str(each) for each in plan.returns] == ["12-24=0", "61/2-36=13/2"]
    assert str(plan) == "3/4,16,1,2,11 23,Am,12-24=0 61/2-36=13/2"
    assert BarPlan.parse("3/4,16,1,2,11 23,Am").returns == ()


@pytest.mark.parametrize("beats", ["1e999999", "1/0", "-1", "1.5", "9" * 10, "1/1e9", "x", "\u0663"])
def test_other_beats_are_refused_at_once(beats):
    plans = [f"4/4,5,{beats}", f"4/4,5,,{beats}", f"4/4,5,,,3 {beats}", f"4/4,{beats}/2"]
    for plan in (*plans, f"4/4,5,,,,,{beats}-9=0", f"4/4,5,,,,,4-{beats}=0", f"4/4,5,,,,,4-9={beats}"):
        with pytest.raises(ValueError, match=r"not a number of (beats|bars)"):
            BarPlan.parse(plan)


def test_some_of_the_pieces_with_a_plan_have_returns():
    plans = {"4/4,4": 3, "4/4,8": 1, "3/4,4": 2}
    returning = {"4/4,4,,,,,8-16=0": 1, "4/4,4,,,,,4-8=0": 1, "4/4,8,,,,,16-32=0": 1}
    found = with_returns(plans, returning)
    assert [*found.items()] == [
        ("4/4,4", 1), ("4/4,4,,,,,8-16=0", 1), ("4/4,4,,,,,4-8=0", 1), ("4/4,8,,,,,16-32=0", 1), ("3/4,4", 2)
    ]  # fmt: skip
    for wrong in ({"4/4,9,,,,,4-8=0": 1}, {"4/4,8,,,,,4-8=0": 2}, {"4/4,4,,,,,4-8=0": -1}, {"4/4,4,,,,,4-8=0": 0.5}):
        with pytest.raises(ValueError, match="returns"):
            with_returns(plans, wrong)


def test_adapted_plans_keep_their_returns_in_the_same_bars():
    def adapted(plan, **wanted):
        plans = fitting_plans({plan: 1}, WantedPlan(**wanted), range(1, 1000), Fraction(1), BarPlan.with_length_of)
        return [*plans]

    assert adapted("4/4,9,1,3,7 15,G,15-31=0", bars=12) == ["4/4,12,1,,,G,15-31=0"]
    assert adapted("4/4,9,1,3,,G,15-31=0", bars=12, pickup=Fraction(0)) == ["4/4,12,,,,G,15-30=0"]
    assert adapted("4/4,9,1,3,,G,15-31=0", meter="3/4") == ["3/4,9,1,,,G"], "other bars"


@pytest.mark.parametrize(
    ("wanted", "ends"),
    [
        ({"bars": 8}, "7 15 23 31"),
        ({"bars": 12}, "7 15 23 31 39 47"),
        ({"bars": 11}, "7 15 23 31 43"),  # the last phrase has three bars
        ({"bars": 4}, "7 15"),
        ({"bars": 5}, "7 19"),
        ({"bars": 2}, "7"),
        ({"bars": 1}, "3"),
        ({"pickup": Fraction(0)}, "6 14 22 30"),
        ({"meter": "3/4"}, "5 11 17 23"),
        ({"meter": "2/4", "bars": 4}, "3 7"),
    ],
    ids=str,
)
def test_adapted_plans_say_where_phrases_end(wanted, ends):
    found = WantedPlan(**wanted).adapt(BarPlan.parse("4/4,8,1,3,7 15 23 31,G"), with_phrases=True)
    assert found.phrase_ends == tuple(map(Fraction, ends.split()))


def test_phrases_that_end_at_the_same_beat_of_other_bars_are_one():
    def adapted(plan, **wanted):
        return " ".join(map(str, WantedPlan(**wanted).adapt(BarPlan.parse(plan), with_phrases=True).phrase_ends))

    assert adapted("4/4,4,,,4 5 6 11 12 13 14", meter="2/4") == "2 5 6", "the bar line is the nearest beat"
    assert adapted("4/4,4,,,3 7 12 13 14", meter="2/4") == "1 3 6"
    assert adapted("4/4,4,,,12 13 14", meter="2/4") == "6", "all are one"
    assert adapted("4/4,4,,,3 7 11 12 13", meter="2/4", bars=8) == "1 3 5 6 9 11 13 14"
    assert adapted("4/4,2,1,,3 7 8", bars=4) == "3 7 8 11 15 16", "after a pickup, the first may be in the bar before"


def test_other_adapted_plans_have_no_phrase_ends():
    wanted = WantedPlan(bars=6)
    assert wanted.adapt(BarPlan.parse("4/4,8,1,3,7 15 23 31,G")).phrase_ends == ()
    assert wanted.adapt(BarPlan.parse("4/4,8,1,3,,G"), with_phrases=True).phrase_ends == ()
    assert WantedPlan(bars=1).adapt(BarPlan.parse("4/4,8,,,7"), with_phrases=True).phrase_ends == (), "before the piece"
