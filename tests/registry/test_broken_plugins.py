"""Seventy ways in which a plugin can be broken: each is one line that names the plugin, and others are not affected."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from small_plugins import Letters, Tiny, words

from composer.api import (
    Constraint,
    Piece,
    Representation,
    SequenceSpec,
    StepKind,
    hookimpl,
)
from composer.api.sampling.filters import Draw, draw_tokens
from composer.registry import plugins as registry
from composer.registry.entry_points import EntryPoint

NAMED = "plugin `broken` (composer-broken 1.0)"


class Words(Letters):
    """A healthy representation."""

    name = "broken"


class Small(Tiny):
    """A healthy model, which plays through its network."""

    name, conditional = "broken", True


class TableSampler:
    """A healthy sampler in numpy: every letter is as likely as every other."""

    def __init__(self, size):
        self.size = size

    def initial_state(self, conditions):
        return np.zeros((len(conditions), self.size))

    def advance(self, state, steps, active=None):
        return state

    def sample(self, state, params, rng):
        return draw_tokens(state, params, rng)

    def gather_rows(self, state, rows, fresh=None):
        return np.zeros((len(rows), self.size))

    def log_prob(self, state, steps):
        return np.full(len(steps), -np.log(self.size))


class AnyLetters(Constraint):
    """A healthy constraint that allows everything."""

    def __init__(self, size):
        self.size = size

    def start(self, primer):
        return 0

    def step(self, state, step):
        return state

    def allowed(self, state):
        return 2**self.size - 1

    def complete(self, state):
        return [0]


def raises(error):
    def method(self, *arguments, **named):
        raise error

    return method


def gives(value):
    def method(self, *arguments, **named):
        return value

    return method


def prints(self, source):
    print("reading")
    yield from Letters.read(self, source)


def with_sampler(**methods):
    """Return the members of a model whose sampler has other methods."""
    kind = type("Sampler", (TableSampler,), methods)
    return {"sampler": lambda self, spec, config, weights: kind(spec.size)}


def with_constraint(**methods):
    """Return the members of a representation whose constraint has other methods."""
    kind = type("Rule", (AnyLetters,), methods)
    return {"constraint": lambda self, controls=None, context=None: kind(self.spec.size)}


def with_network(**methods):
    """Return the members of a model whose network has other methods."""

    def network(self, spec, config):
        made = Tiny.network(self, spec, config)
        made.__class__ = type("Net", (type(made),), methods)
        return made

    return {"network": network}


def draws(**parts):
    """Return a `sample` that changes parts of a healthy draw."""

    def sample(self, state, params, rng):
        drawn = draw_tokens(state, params, rng)
        return Draw(**{name: parts.get(name, getattr(drawn, name)) for name in ("steps", "logp", "masked_prob")})

    return sample


@dataclass
class Thawed:
    speed: int = 1


@dataclass(frozen=True)
class NoDefault:
    speed: int


@dataclass(frozen=True)
class OddType:
    speed: complex = 1j


@dataclass(frozen=True)
class Failing:
    speed: int = 1

    def __post_init__(self):
        raise ValueError("too fast")


@dataclass(frozen=True)
class Clashing:
    seed: int = 1


@dataclass(frozen=True)
class Unresolved:
    speed: "Speed" = field(default=1)  # noqa: F821, UP037


NOTHING = Piece("", source="nowhere")
LOAD, TRAIN, AUGMENT, GEN = "load", "train", "augment", "gen"

REPRESENTATIONS = {
    # what the class says of itself
    "no api": (LOAD, {"api": None}, "has no API version"),
    "api of True": (LOAD, {"api": True}, "has no API version"),
    "newer api": (LOAD, {"api": 99}, "needs API version 99"),
    "no summary": (LOAD, {"summary": ""}, "must be one line of text"),
    "summary of two lines": (LOAD, {"summary": "a\nb"}, "must be one line of text"),
    "summary of None": (LOAD, {"summary": None}, "`summary` of Broken must be of type str"),
    "version of text": (LOAD, {"version": "1.0"}, "`version` of Broken must be of type int"),
    "kind of text": (LOAD, {"kind": "letters"}, "`kind` of Broken must be of type StepKind"),
    "suffixes of text": (LOAD, {"suffixes": ".txt"}, "`suffixes` of Broken must be of type tuple"),
    "suffix without a dot": (LOAD, {"suffixes": ("txt",)}, "`suffixes` of Broken has 'txt'"),
    "no formats": (LOAD, {"formats": ()}, "`formats` of Broken is empty"),
    "strange native": (LOAD, {"native": "music"}, "`native` of Broken is 'music'"),
    "labels of text": (LOAD, {"labels": "author"}, "`labels` of Broken must be of type tuple"),
    "spec is a method": (LOAD, {"spec": lambda self: None}, "`spec` of Broken must be a property"),
    "abstract": (LOAD, {"read": Representation.read}, "lacks `read`"),
    "options no dataclass": (LOAD, {"Options": dict}, "`Options` of Broken must be a dataclass"),
    "options not frozen": (LOAD, {"Options": Thawed}, "must be frozen"),
    "option without default": (LOAD, {"Options": NoDefault}, "field `speed` of `Options` of Broken has no default"),
    "option of odd type": (LOAD, {"Options": OddType}, "field `speed` of `Options` of Broken must be bool, int"),
    "option of unknown type": (LOAD, {"Options": Unresolved}, "cannot be found: name 'Speed'"),
    "defaults that fail": (LOAD, {"Options": Failing}, "ValueError: too fast"),
    "controls not frozen": (LOAD, {"Controls": Thawed}, "must be frozen"),
    "control named like an option": (GEN, {"Controls": Clashing}, "--seed has the name of an option"),
    # its methods in training
    "constructor raises": (TRAIN, {"__init__": raises(OSError("no table"))}, "failed in __init__: OSError: no table"),
    "read raises": (TRAIN, {"read": raises(KeyError("title"))}, "failed in read: KeyError: 'title'"),
    "read exits": (TRAIN, {"read": raises(SystemExit(3))}, "failed in read: SystemExit: 3"),
    "read gives None": (TRAIN, {"read": gives(None)}, "failed in read: it returned None"),
    "read gives text": (TRAIN, {"read": gives(["la"])}, "failed in read: it returned 'la', not a Piece"),
    "labels of numbers": (TRAIN, {"read": gives([Piece("a", labels={"year": 7})])}, "labels are str by str"),
    "losses of text": (TRAIN, {"read": gives([Piece("a", losses={"notes": "2"})])}, "losses are int by str"),
    "fit raises": (TRAIN, {"fit": raises(ZeroDivisionError("division by zero"))}, "failed in fit: ZeroDivisionError"),
    "spec raises": (TRAIN, {"spec": property(raises(AttributeError("size")))}, "failed in spec: AttributeError: size"),
    "spec gives a number": (TRAIN, {"spec": property(gives(12))}, "failed in spec: it returned 12, not a SequenceSpec"),
    "spec without end": (
        TRAIN,
        {"spec": property(lambda self: SequenceSpec(StepKind.TOKENS, 12))},
        "failed in spec: ValueError: the end symbol must be from 0 to 11, not None",
    ),
    "spec of another kind": (
        TRAIN,
        {"spec": property(lambda self: SequenceSpec(StepKind.FRAMES, 12))},
        "failed in spec: its kind is frames",
    ),
    "spec with conditions": (
        TRAIN,
        {"spec": property(lambda self: SequenceSpec(StepKind.TOKENS, 12, 0, {"author": ("blake",)}))},
        "failed in spec: it has conditions",
    ),
    "default conditions of text": (
        TRAIN,
        {"default_conditions": gives("author")},
        "failed in default_conditions: it returned 'author', which is not a list of names",
    ),
    "encode raises": (TRAIN, {"encode": raises(IndexError("list index out of range"))}, "failed in encode: IndexError"),
    "encode gives None": (TRAIN, {"encode": gives(None)}, "failed in encode: it returned None"),
    "encode gives floats": (TRAIN, {"encode": gives([1.0, 0])}, "a token must be an int, not 1.0 (float)"),
    "encode gives numpy ints": (TRAIN, {"encode": gives([np.int64(1), 0])}, "a token must be an int"),
    "encode too large": (TRAIN, {"encode": gives([99, 0])}, "failed in encode: token 99 is not from 0 to"),
    "encode negative": (TRAIN, {"encode": gives([-1, 0])}, "failed in encode: token -1 is not from 0 to"),
    "encode without end": (TRAIN, {"encode": gives([1, 1])}, "failed in encode: the steps do not end with the end"),
    "end in the middle": (TRAIN, {"encode": gives([1, 0, 1, 0])}, "failed in encode: the end symbol 0 comes before"),
    "variants raise": (AUGMENT, {"variants": raises(TypeError("no key"))}, "failed in variants: TypeError: no key"),
    "state of a set": (TRAIN, {"state": gives({"letters": {1}})}, "failed in state: the state is not JSON"),
    "state with int keys": (TRAIN, {"state": gives({1: "a"})}, "failed in state: JSON changes 1"),
    "state of NaN": (TRAIN, {"state": gives({"mean": float("nan")})}, "failed in state: the state is not JSON"),
    "state of a list": (TRAIN, {"state": gives(["a"])}, "failed in state: it returned ['a'], not a dict"),
    # its methods in generation
    "restore raises": (GEN, {"restore": raises(KeyError("letters"))}, "failed in restore: KeyError: 'letters'"),
    "decoder raises": (GEN, {"decoder": raises(NameError("x"))}, "failed in decoder: NameError: x"),
    "decoder gives text": (GEN, {"decoder": gives("la")}, "failed in decoder: it returned 'la', which lacks push"),
    "text of a list": (
        GEN,
        {"decoder": Representation.decoder, "text": gives(["la"])},
        "failed in text: it returned ['la'], not a str",
    ),
    "content without a text": (
        GEN,
        {"decoder": Representation.decoder, "decode": gives(Piece(("l", "a")))},
        "`broken` has no method `text`, and the content of its pieces is a tuple",
    ),
    "push raises": (
        GEN,
        {"decoder": gives(SimpleNamespace(push=len, finish=list))},
        "SimpleNamespace must be an ordinary class",
    ),
    "push gives numbers": (
        GEN,
        {"decoder": lambda self, number=1: type("Decoder", (), {"push": gives([1]), "finish": gives(())})()},
        "failed in push: an event must be text or a Note, not 1",
    ),
    "no constraint": (GEN, {"constraint": gives(7)}, "failed in constraint: it returned 7, not a Constraint"),
    "constraint raises": (GEN, with_constraint(start=raises(IndexError("3"))), "failed in start: IndexError: 3"),
    "state is text": (GEN, with_constraint(start=gives("a")), "failed in start: it returned 'a', not an int"),
    "empty mask": (GEN, with_constraint(allowed=gives(0)), "failed in allowed: no step is allowed"),
    "negative mask": (GEN, with_constraint(allowed=gives(-1)), "failed in allowed: a mask cannot be negative"),
    "mask of a set": (GEN, with_constraint(allowed=gives({1})), "failed in allowed: it returned {1}"),
    "mask beyond the spec": (
        GEN,
        with_constraint(allowed=gives(1 << 500)),
        "failed in allowed: the mask allows step 500",
    ),
    "endless ending": (
        GEN,
        with_constraint(complete=gives([1] * 10**6)),
        "failed in complete: the ending has 1,000,000",
    ),
    "length of text": (GEN, {"max_steps": gives("long")}, "failed in max_steps: a length must be a positive int"),
    "plans of floats": (GEN, {"plans": gives({"8,8": 0.5})}, "failed in plans: plans are weights (int above 0) by str"),
    "plans raise": (GEN, {"plans": raises(KeyError("bars"))}, "failed in plans: KeyError: 'bars'"),
    "features without positional": (
        TRAIN,
        {"spec": property(lambda self: SequenceSpec(StepKind.TOKENS, 30, 0, features={"place": 4}))},
        "failed in spec: it has position features (place), but `positional` is False",
    ),
    "labels of a list": (GEN, {"control_labels": gives(["a"])}, "failed in control_labels: it returned ['a']"),
}

MODELS = {
    "no accepts": (LOAD, {"accepts": frozenset()}, "`accepts` of Broken must hold"),
    "accepts text": (LOAD, {"accepts": frozenset({"letters"})}, "`accepts` of Broken must hold"),
    "config not frozen": (LOAD, {"Config": Thawed}, "must be frozen"),
    "network raises": (TRAIN, {"network": raises(RuntimeError("sizes"))}, "failed in network: RuntimeError: sizes"),
    "network gives None": (TRAIN, {"network": gives(None)}, "failed in network: it returned None, not a Network"),
    "loss raises": (TRAIN, with_network(loss=raises(IndexError("dim"))), "failed in loss: IndexError: dim"),
    "loss gives a number": (TRAIN, with_network(loss=gives(1.5)), "failed in loss: it returned 1.5, not a Loss"),
    "evaluate gives None": (TRAIN, with_network(evaluate=gives(None)), "failed in evaluate: it returned None"),
    "no phases": (TRAIN, with_network(phases=gives([])), "failed in phases: it returned []"),
    "sampler lacks methods": (GEN, {"sampler": gives("table")}, "failed in sampler: it returned 'table', which lacks"),
    "sampler in torch": (
        GEN,
        {"sampler": lambda self, spec, config, weights: __import__("torch").nn.Linear(1, 1)},
        "failed in sampler: it returned Linear, a module of torch, not a Sampler in numpy",
    ),
    "sample raises": (GEN, with_sampler(sample=raises(IndexError("7"))), "failed in sample: IndexError: 7"),
    "sample exits": (GEN, with_sampler(sample=raises(SystemExit(0))), "failed in sample: SystemExit: 0"),
    "sample gives None": (GEN, with_sampler(sample=gives(None)), "failed in sample: it returned None, not a Draw"),
    "logits are NaN": (GEN, with_sampler(sample=draws(logp=np.array([np.nan]))), "probability of a step is NaN"),
    "wrong shape": (GEN, with_sampler(sample=draws(logp=np.zeros(3))), "failed in sample: steps and logp must have"),
    "step too large": (
        GEN,
        with_sampler(sample=draws(steps=np.array([99]))),
        "failed in sample: step 99 is not from 0",
    ),
    "log_prob of one number": (
        GEN,
        with_sampler(log_prob=gives(-1.0)),
        "failed in log_prob: log-probabilities must be",
    ),
}


@pytest.fixture
def install(monkeypatch):
    """Make a class the plugin `broken` of composer-broken 1.0."""
    installed = registry._plugins()

    def make(*kinds, name="broken", module=None):
        hooks = {
            "composer_representation" if issubclass(kind, Representation) else "composer_model": hookimpl(
                lambda kind=kind: kind
            )
            for kind in kinds
        }
        module = module or SimpleNamespace(**hooks)

        class Installed(EntryPoint):
            def load(self):
                return module() if callable(module) else module

        registry.load.cache_clear()
        known = {**installed, name: (Installed(name, "broken", "composer-broken 1.0"),)}
        monkeypatch.setattr(registry, "_plugins", lambda: known)

    yield make
    monkeypatch.undo()
    registry.load.cache_clear()


@pytest.fixture
def text(tmp_path):
    """A file of words."""
    path = tmp_path / "words.txt"
    path.write_text(" ".join(words(60)))
    return path


@pytest.fixture
def play(composer, text, install):
    """Train, or generate with a model trained by healthy plugins, and return the result."""

    def run(stage, representation, model):
        command = ["train", "broken", text, "--model", "broken", "--name", "it", "--max-updates", "1", "--quiet"]
        if stage is GEN:
            install(Words, Small)
            assert composer(*command).code == 0
            command = ["gen", "broken", "--checkpoint", "it", "--length", "20", "--seed", "1"]
        install(representation, model)
        return composer(*command, *(["--augment"] if stage is AUGMENT else []))

    return run


def broken(parent, members):
    return type("Broken", (parent,), members)


def names_the_plugin(result, reason):
    errors = [line for line in result.err.splitlines() if not line.startswith(("warning: the piece", "hint: "))]
    assert result.code in {1, 2}, result.err
    assert len(errors) == 1, result.err
    assert reason in errors[0]
    assert "broken" in errors[0]
    assert result.out == ""


@pytest.mark.parametrize("case", REPRESENTATIONS)
def test_broken_representation(play, case):
    stage, members, reason = REPRESENTATIONS[case]
    names_the_plugin(play(TRAIN if stage is LOAD else stage, broken(Words, members), Small), reason)


@pytest.mark.parametrize("case", MODELS)
def test_broken_model(play, case):
    stage, members, reason = MODELS[case]
    names_the_plugin(play(TRAIN if stage is LOAD else stage, Words, broken(Small, members)), reason)


def boom():
    raise RuntimeError("no libfoo")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (boom, "does not load: RuntimeError: no libfoo"),
        (lambda: sys.exit(3), "does not load: SystemExit: 3"),
        (SimpleNamespace(), "its hooks return nothing"),
        (SimpleNamespace(composer_model=lambda: Tiny), "`composer_model` is not marked with @hookimpl"),
        (SimpleNamespace(composer_model=hookimpl(lambda: 7)), "its hook returned 7"),
        (SimpleNamespace(composer_modle=hookimpl(lambda: Tiny)), "composer_modle"),
        (SimpleNamespace(composer_model=hookimpl(lambda: Tiny)), "its hooks return `tiny`, not `broken`"),
    ],
)
def test_broken_module(composer, install, module, reason):
    install(module=module)
    listed = composer("plugins")
    assert listed.code == 0
    assert "  abc " in listed.out
    assert listed.err == f"warning: {NAMED[:-1]}) {reason}\n" or reason in listed.err
    assert listed.err.count("\n") == 1


def test_one_bad_class_does_not_hide_the_other(composer, install):
    install(broken(Words, {"summary": ""}), Small)
    listed = composer("plugins")
    assert listed.err.count("\n") == 1
    assert NAMED in listed.err
    assert "one recurrent layer" in listed.out
    assert composer("plugins", "lstm").code == 0


def test_what_a_plugin_prints_does_not_get_into_the_music(play):
    result = play(GEN, broken(Words, {"decode": lambda self, steps: print("la") or Letters.decode(self, steps)}), Small)
    assert result.code == 0, result.err
    assert "reading" not in result.out


def test_there_are_seventy():
    assert len(REPRESENTATIONS) + len(MODELS) + 6 >= 70
