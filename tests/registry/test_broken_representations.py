"""Methods of representations that are broken: each is one line that names the plugin and the method."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from broken_plugins import Small, Words, broken, gives, names_the_plugin, raises, with_constraint
from small_plugins import Letters

from composer.api import Piece, Representation, SequenceSpec, StepKind


@dataclass(frozen=True)
class Clashing:
    seed: int = 1


IN_TRAINING = {
    "constructor raises": ({"__init__": raises(OSError("no table"))}, "failed in __init__: OSError: no table"),
    "read raises": ({"read": raises(KeyError("title"))}, "failed in read: KeyError: 'title'"),
    "read exits": ({"read": raises(SystemExit(3))}, "failed in read: SystemExit: 3"),
    "read gives None": ({"read": gives(None)}, "failed in read: it returned None"),
    "read gives text": ({"read": gives(["la"])}, "failed in read: it returned 'la', not a Piece"),
    "labels of numbers": ({"read": gives([Piece("a", labels={"year": 7})])}, "labels are str by str"),
    "losses of text": ({"read": gives([Piece("a", losses={"notes": "2"})])}, "losses are int by str"),
    "fit raises": ({"fit": raises(ZeroDivisionError("division by zero"))}, "failed in fit: ZeroDivisionError"),
    "spec raises": ({"spec": property(raises(AttributeError("size")))}, "failed in spec: AttributeError: size"),
    "spec gives a number": ({"spec": property(gives(12))}, "failed in spec: it returned 12, not a SequenceSpec"),
    "spec without end": (
        {"spec": property(lambda self: SequenceSpec(StepKind.TOKENS, 12))},
        "failed in spec: ValueError: the end symbol must be from 0 to 11, not None",
    ),
    "spec of another kind": (
        {"spec": property(lambda self: SequenceSpec(StepKind.FRAMES, 12))},
        "failed in spec: its kind is frames",
    ),
    "spec with conditions": (
        {"spec": property(lambda self: SequenceSpec(StepKind.TOKENS, 12, 0, {"author": ("blake",)}))},
        "failed in spec: it has conditions",
    ),
    "default conditions of text": (
        {"default_conditions": gives("author")},
        "failed in default_conditions: it returned 'author', which is not a list of names",
    ),
    "encode raises": ({"encode": raises(IndexError("list index out of range"))}, "failed in encode: IndexError"),
    "encode gives None": ({"encode": gives(None)}, "failed in encode: it returned None"),
    "encode gives floats": ({"encode": gives([1.0, 0])}, "a token must be an int, not 1.0 (float)"),
    "encode gives numpy ints": ({"encode": gives([np.int64(1), 0])}, "a token must be an int"),
    "encode too large": ({"encode": gives([99, 0])}, "failed in encode: token 99 is not from 0 to"),
    "encode negative": ({"encode": gives([-1, 0])}, "failed in encode: token -1 is not from 0 to"),
    "encode without end": ({"encode": gives([1, 1])}, "failed in encode: the steps do not end with the end"),
    "end in the middle": ({"encode": gives([1, 0, 1, 0])}, "failed in encode: the end symbol 0 comes before"),
    "state of a set": ({"state": gives({"letters": {1}})}, "failed in state: the state is not JSON"),
    "state with int keys": ({"state": gives({1: "a"})}, "failed in state: JSON changes 1"),
    "state of NaN": ({"state": gives({"mean": float("nan")})}, "failed in state: the state is not JSON"),
    "state of a list": ({"state": gives(["a"])}, "failed in state: it returned ['a'], not a dict"),
    "features without positional": (
        {"spec": property(lambda self: SequenceSpec(StepKind.TOKENS, 30, 0, features={"place": 4}))},
        "failed in spec: it has position features (place), but `positional` is False",
    ),
}

IN_GENERATION = {
    "control named like an option": ({"Controls": Clashing}, "--seed has the name of an option"),
    "restore raises": ({"restore": raises(KeyError("letters"))}, "failed in restore: KeyError: 'letters'"),
    "decoder raises": ({"decoder": raises(NameError("x"))}, "failed in decoder: NameError: x"),
    "decoder gives text": ({"decoder": gives("la")}, "failed in decoder: it returned 'la', which lacks push"),
    "text of a list": (
        {"decoder": Representation.decoder, "text": gives(["la"])},
        "failed in text: it returned ['la'], not a str",
    ),
    "content without a text": (
        {"decoder": Representation.decoder, "decode": gives(Piece(("l", "a")))},
        "`broken` has no method `text`, and the content of its pieces is a tuple",
    ),
    "push raises": (
        {"decoder": gives(SimpleNamespace(push=len, finish=list))},
        "SimpleNamespace must be an ordinary class",
    ),
    "push gives numbers": (
        {"decoder": lambda self, number=1: type("Decoder", (), {"push": gives([1]), "finish": gives(())})()},
        "failed in push: an event must be text or a Note, not 1",
    ),
    "no constraint": ({"constraint": gives(7)}, "failed in constraint: it returned 7, not a Constraint"),
    "constraint raises": (with_constraint(start=raises(IndexError("3"))), "failed in start: IndexError: 3"),
    "state is text": (with_constraint(start=gives("a")), "failed in start: it returned 'a', not an int"),
    "empty mask": (with_constraint(allowed=gives(0)), "failed in allowed: no step is allowed"),
    "negative mask": (with_constraint(allowed=gives(-1)), "failed in allowed: a mask cannot be negative"),
    "mask of a set": (with_constraint(allowed=gives({1})), "failed in allowed: it returned {1}"),
    "mask beyond the spec": (
        with_constraint(allowed=gives(1 << 500)),
        "failed in allowed: the mask allows step 500",
    ),
    "endless ending": (
        with_constraint(complete=gives([1] * 10**6)),
        "failed in complete: the ending has 1,000,000",
    ),
    "length of text": ({"max_steps": gives("long")}, "failed in max_steps: a length must be a positive int"),
    "plans of floats": ({"plans": gives({"8,8": 0.5})}, "failed in plans: plans are weights (int above 0) by str"),
    "plans raise": ({"plans": raises(KeyError("bars"))}, "failed in plans: KeyError: 'bars'"),
    "labels of a list": ({"control_labels": gives(["a"])}, "failed in control_labels: it returned ['a']"),
}


@pytest.mark.parametrize("case", IN_TRAINING)
def test_in_training(train, case):
    members, reason = IN_TRAINING[case]
    names_the_plugin(train(broken(Words, members), Small), reason)


def test_variants_in_training(train):
    members = {"variants": raises(TypeError("no key"))}
    names_the_plugin(train(broken(Words, members), Small, "--augment"), "failed in variants: TypeError: no key")


@pytest.mark.parametrize("case", IN_GENERATION)
def test_in_generation(gen, case):
    members, reason = IN_GENERATION[case]
    names_the_plugin(gen(broken(Words, members), Small), reason)


@pytest.mark.parametrize("primer", [[0], [1, 0]])
def test_a_primer_with_the_end_symbol(gen, primer):
    result = gen(broken(Words, {"prime": gives(primer)}), Small, "--prime-text", "ab")
    names_the_plugin(result, f"failed in prime: the end symbol 0 is in a primer, at step {len(primer) - 1}")


def test_what_a_plugin_prints_does_not_get_into_the_music(gen):
    result = gen(broken(Words, {"decode": lambda self, steps: print("la") or Letters.decode(self, steps)}), Small)
    assert result.code == 0, result.err
    assert "reading" not in result.out
