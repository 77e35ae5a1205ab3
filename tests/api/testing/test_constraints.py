"""Contract tests of constraints pass a correct automaton, and name what is wrong with a broken one."""

import pytest

from composer.api import (
    Constraint,
    FrameRule,
    Limit,
    Note,
    Part,
    Piece,
    Representation,
    Score,
    SequenceSpec,
    StepKind,
    Unsatisfiable,
)
from composer.api.testing import check_representation, source
from composer.api.testing.constraints import check_frame_rule, describe_controls, rule_allows
from composer_grid import GridControls

END, SIZE = 0, 4


class Alternating(Constraint):
    """Words of the letters 1 to 3 in which no letter comes twice in a row, of at least two letters.

    The state is 0 before the first letter, then the last letter, plus 10 if there are at least two.
    """

    def start(self, primer):
        state = 0
        for step in primer:
            if not self.allowed(state) >> step & 1:
                raise Unsatisfiable(f"the primer has the letter {step} twice in a row")
            state = self.step(state, step)
        return state

    def step(self, state, step):
        return step if state == 0 else 10 + step

    def allowed(self, state):
        return 0b1110 & ~(1 << state % 10) | state // 10

    def complete(self, state):
        if state >= 10:
            return [END]
        return [1 if state != 1 else 2, END] if state else [1, 2, END]


class Words(Representation):
    """Words of the letters 1 to 3, each in a line."""

    api, name, summary, version = 1, "words", "words of digits", 1
    kind, suffixes, formats, native = StepKind.TOKENS, (".txt",), ("text",), "text"
    automaton = Alternating
    spec = property(lambda self: SequenceSpec(StepKind.TOKENS, SIZE, END))

    def read(self, source):
        for line in source.text().split():
            yield Piece(line, source=f"{source.name}: {line}")

    def prime(self, piece):
        return [int(letter) for letter in piece.content]

    def decode(self, steps):
        return Piece("".join(str(step) for step in steps if step != END))

    def constraint(self, controls=None, context=None):
        return self.automaton()


WORDS = [source("121\n2312\n13\n", "words.txt")]


def check(automaton):
    """Run the contract test with this automaton."""
    check_representation(type("OtherWords", (Words,), {"automaton": automaton}), WORDS)


def broken(**methods):
    """Return an automaton with other methods."""
    return type("Broken", (Alternating,), methods)


def test_a_correct_constraint_passes():
    check(Alternating)


class Forgetful(Alternating):
    """Its answers depend on what was asked before."""

    def __init__(self):
        self.asked = 0

    def step(self, state, step):
        self.asked += 1
        return super().step(state, step) + 10 * (self.asked % 2)


class Growing(Alternating):
    """Steps change what is allowed in earlier states."""

    def __init__(self):
        self.removed = 0

    def step(self, state, step):
        self.removed = 1 << step
        return super().step(state, step)

    def allowed(self, state):
        return super().allowed(state) & ~self.removed | 0b0001


class Counted(Alternating):
    """Each instance allows something else."""

    made = 0

    def __init__(self):
        Counted.made += 1
        self.extra = Counted.made % 2

    def allowed(self, state):
        return super().allowed(state) | self.extra


@pytest.mark.parametrize(
    ("automaton", "message"),
    [
        (broken(allowed=lambda self, state: 0), r"failed in allowed: no step is allowed"),
        (broken(allowed=lambda self, state: 1 << 7), r"the mask allows step 7, which the spec does not have"),
        (broken(allowed=lambda self, state: FrameRule()), r"returned a FrameRule, but the steps are tokens"),
        (broken(start=lambda self, primer: "begin"), r"failed in start: it returned 'begin', not an int"),
        (broken(step=lambda self, state, step: {}[step]), r"failed in step: KeyError: \d"),
        (broken(step=lambda self, state, step: 0), r"the ending 1, 2, 0: its step 3, 0, is not allowed"),
        (Forgetful, r"returned the state \d+ after step \d, and then"),
        (broken(complete=lambda self, state: [1, 1, END]), r"no controls, no primer: .* its step 2, 1, is not allowed"),
        (broken(complete=lambda self, state: [1, 2]), r"does not end with the end symbol 0"),
        (broken(complete=lambda self, state: [1, 2, END, END]), r"end symbol 0 comes before its end, as step 3"),
        (broken(allowed=lambda self, state: 0b1110, complete=lambda self, state: ()), r"the end symbol was never"),
        (Growing, r"`allowed` changed for"),
        (Counted, r"two constraints for the same controls differ"),
        (broken(complete=lambda self, state: [1] * 200_000), r"failed in complete: the ending has 200,000 steps"),
    ],
)
def test_broken_constraints_are_named(automaton, message):
    with pytest.raises(AssertionError, match=message):
        check(automaton)


class PlacedWords(Words):
    """Words with one position feature: whether there are two letters yet."""

    positional = True
    spec = property(lambda self: SequenceSpec(StepKind.TOKENS, SIZE, END, features={"long": 2}))


class Placed(Alternating):
    """Counts the letters up to two."""

    def features(self, state):
        return (state // 10,)


def test_position_features_pass():
    check_representation(type("OtherWords", (PlacedWords,), {"automaton": Placed}), WORDS)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (lambda self, state: (state,), r"the features \(\d+,\) of step \d are not below \[2\]"),
        (lambda self, state: (0,) * (1 + (state == 13)), r"`features` returned \(0, 0\), but the spec has"),
        (lambda self, state: (2 * (state == 13),), r"the position feature `long` is 2, which is not from 0 to 1"),
    ],
)
def test_broken_position_features_are_named(features, message):
    automaton = type("Misplaced", (Alternating,), {"features": features})
    sources = WORDS[:1] if "step" in message else [source("121\n212\n", "two.txt")]
    with pytest.raises(AssertionError, match=message):
        check_representation(type("OtherWords", (PlacedWords,), {"automaton": automaton}), sources)


def test_primers_that_cannot_be_continued_are_no_error():
    def start(self, primer):
        if primer:
            raise Unsatisfiable("no primer")
        return 0

    check(broken(start=start))


def test_controls_that_nothing_satisfies_are_an_error():
    class Impossible(Words):
        def constraint(self, controls=None, context=None):
            raise Unsatisfiable("--letters 9 is too many")

    with pytest.raises(AssertionError, match="no controls: nothing satisfies them: --letters 9 is too many"):
        check_representation(Impossible, WORDS)


def test_controls_are_named_as_on_the_command_line():
    assert describe_controls(None) == describe_controls(GridControls()) == "no controls"
    assert describe_controls(GridControls(bars=4, key="G")) == "--key G --bars 4"


class Chords(Representation):
    """Frames of four units, whose score is always the same."""

    api, name, summary, version = 1, "frames", "frames", 1
    kind, suffixes, formats = StepKind.FRAMES, (".frames",), ("midi",)
    rule = FrameRule()
    spec = property(lambda self: SequenceSpec(StepKind.FRAMES, SIZE))

    def read(self, source):
        for line in source.text().split():
            yield Piece(line, source=f"{source.name}: {line}")

    def prime(self, piece):
        return [(int(letter),) for letter in piece.content]

    def decode(self, steps):
        return Piece("".join(str(frame[0]) if frame else "0" for frame in steps))

    def score(self, piece):
        return Score((Part((Note(0, 60, 1),)),))

    def constraint(self, controls=None, context=None):
        return Free(self.rule)


class Free(Constraint):
    """One rule for all frames."""

    def __init__(self, rule):
        self.rule = rule

    def start(self, primer):
        return 0

    def step(self, state, step):
        return 0

    def allowed(self, state):
        return self.rule

    def complete(self, state):
        return ()


def chords(rule):
    return type("RuledChords", (Chords,), {"rule": rule})


FRAMES = [source("123\n321\n", "a.frames")]


@pytest.mark.parametrize(
    "rule",
    [
        FrameRule(),
        FrameRule(must_be_off=1, must_be_on=2, limits=(Limit(0b1100, 1, 1),)),
        FrameRule(project=lambda units: units[:1]),
    ],
)
def test_frame_rules_pass(rule):
    check_representation(chords(rule), FRAMES)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (FrameRule(must_be_off=3, must_be_on=2), "unit 1 is forced both off and on"),
        (FrameRule(must_be_off=1 << 4), "must_be_off has unit 4, which is not from 0 to 3"),
        (FrameRule(limits=(Limit(3, 1, 2),)), "at least 2 and at most 1 active units"),
        (FrameRule(must_be_on=3, limits=(Limit(7, 1),)), "allows 1 active units, but 2 of them are forced on"),
        (FrameRule(must_be_off=3, limits=(Limit(7, 3, 2),)), "wants 2 active units, but only 1 of them"),
        (FrameRule(must_be_off=1, project=lambda units: (0, *units)), r"which follows the rule, breaks it afterward"),
        (0b1111, "returned a mask, but the steps are frames"),
    ],
)
def test_broken_frame_rules_are_named(rule, message):
    with pytest.raises(AssertionError, match=message):
        check_representation(chords(rule), FRAMES)


def test_rules_on_steps():
    tokens, frames = SequenceSpec(StepKind.TOKENS, SIZE, END), SequenceSpec(StepKind.FRAMES, SIZE)
    assert rule_allows(0b0110, 2, tokens)
    assert not rule_allows(0b0110, 3, tokens)
    assert not rule_allows(0b0110, (1,), tokens)
    rule = FrameRule(must_be_off=1, must_be_on=2, limits=(Limit(0b1100, 1),))
    check_frame_rule(rule, SIZE)
    assert [rule_allows(rule, frame, frames) for frame in [(1,), (1, 2), (1, 2, 3), (2,), (0, 1), 1]] == [
        True, True, False, False, False, False
    ]  # fmt: skip
