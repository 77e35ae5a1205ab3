"""Plugin modules and classes that are broken: each is one line that names the plugin, and others are not affected."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from broken_plugins import NAMED, Small, Words, broken, names_the_plugin
from small_plugins import Tiny

from composer.api import Representation, hookimpl


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
class Unresolved:
    speed: "Speed" = field(default=1)  # noqa: F821, UP037


REPRESENTATIONS = {
    "no api": ({"api": None}, "has no API version"),
    "api of True": ({"api": True}, "has no API version"),
    "newer api": ({"api": 99}, "needs API version 99"),
    "no summary": ({"summary": ""}, "must be one line of text"),
    "summary of two lines": ({"summary": "a\nb"}, "must be one line of text"),
    "summary of None": ({"summary": None}, "`summary` of Broken must be of type str"),
    "version of text": ({"version": "1.0"}, "`version` of Broken must be of type int"),
    "kind of text": ({"kind": "letters"}, "`kind` of Broken must be of type StepKind"),
    "suffixes of text": ({"suffixes": ".txt"}, "`suffixes` of Broken must be of type tuple"),
    "suffix without a dot": ({"suffixes": ("txt",)}, "`suffixes` of Broken has 'txt'"),
    "no formats": ({"formats": ()}, "`formats` of Broken is empty"),
    "strange native": ({"native": "music"}, "`native` of Broken is 'music'"),
    "labels of text": ({"labels": "author"}, "`labels` of Broken must be of type tuple"),
    "spec is a method": ({"spec": lambda self: None}, "`spec` of Broken must be a property"),
    "abstract": ({"read": Representation.read}, "lacks `read`"),
    "options no dataclass": ({"Options": dict}, "`Options` of Broken must be a dataclass"),
    "options not frozen": ({"Options": Thawed}, "must be frozen"),
    "option without default": ({"Options": NoDefault}, "field `speed` of `Options` of Broken has no default"),
    "option of odd type": ({"Options": OddType}, "field `speed` of `Options` of Broken must be bool, int"),
    "option of unknown type": ({"Options": Unresolved}, "cannot be found: name 'Speed'"),
    "defaults that fail": ({"Options": Failing}, "ValueError: too fast"),
    "controls not frozen": ({"Controls": Thawed}, "must be frozen"),
}

MODELS = {
    "no accepts": ({"accepts": frozenset()}, "`accepts` of Broken must hold"),
    "accepts text": ({"accepts": frozenset({"letters"})}, "`accepts` of Broken must hold"),
    "config not frozen": ({"Config": Thawed}, "must be frozen"),
}


@pytest.mark.parametrize("case", REPRESENTATIONS)
def test_class_of_a_representation(train, case):
    members, reason = REPRESENTATIONS[case]
    names_the_plugin(train(broken(Words, members), Small), reason)


@pytest.mark.parametrize("case", MODELS)
def test_class_of_a_model(train, case):
    members, reason = MODELS[case]
    names_the_plugin(train(Words, broken(Small, members)), reason)


def boom():
    raise RuntimeError("no libfoo")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (boom, "failed to load: RuntimeError: no libfoo"),
        (lambda: sys.exit(3), "failed to load: SystemExit: 3"),
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
