"""Checks of plugin classes when they are loaded: everything that can be seen without calling them."""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

from composer.api import API_VERSION, Model, PluginError, Representation, StepKind

OPTION_TYPES = "bool, int, float, str, Path, a Literal, a tuple of one of these, or one of these or None"


def check_class(kind: Any) -> None:
    """Raise PluginError, whose message says what is wrong with a plugin's class, if anything is."""
    if not (isinstance(kind, type) and issubclass(kind, Representation | Model)):
        raise PluginError(f"its hook returned {kind!r}, not a Representation or Model class")
    _check_api(kind)
    if missing := sorted(kind.__abstractmethods__):
        raise PluginError(
            f"{kind.__name__} lacks {', '.join(f'`{name}`' for name in missing)}", "define what is missing"
        )
    for name in ("name", "summary"):
        text = _attribute(kind, name, str)
        if not text.strip() or "\n" in text:
            raise PluginError(f"`{name}` of {kind.__name__} must be one line of text, not {text!r}")
    if isinstance(_attribute(kind, "version", int), bool):
        raise PluginError(f"`version` of {kind.__name__} must be an int, not {kind.version}")
    if issubclass(kind, Representation):
        _check_representation(kind)
    else:
        _check_kinds(kind.__name__, "accepts", _attribute(kind, "accepts", frozenset))
        _check_options(kind, "Config")


def _check_api(kind: Any) -> None:
    version = getattr(kind, "api", None)
    if not isinstance(version, int) or isinstance(version, bool):
        raise PluginError(f"{kind.__name__} has no API version", f"add `api = {API_VERSION}` to it")
    if version > API_VERSION:
        raise PluginError(f"it needs API version {version}, but this program has {API_VERSION}", "upgrade composer-cli")


def _check_representation(kind: type[Representation]) -> None:
    _attribute(kind, "kind", StepKind)
    _attribute(kind, "absolute_time", bool)
    for name in ("suffixes", "formats", "labels"):
        words = _attribute(kind, name, tuple)
        if not all(isinstance(word, str) and word for word in words):
            raise PluginError(f"`{name}` of {kind.__name__} must be a tuple of str, not {words!r}")
    for suffix in kind.suffixes:
        if not suffix.startswith(".") or suffix != suffix.lower():
            raise PluginError(
                f"`suffixes` of {kind.__name__} has {suffix!r}", "write it in lower case, beginning with a dot"
            )
    if not kind.formats:
        raise PluginError(f"`formats` of {kind.__name__} is empty", "name a format that it can write, such as midi")
    if kind.native is not None and kind.native not in kind.formats:
        raise PluginError(f"`native` of {kind.__name__} is {kind.native!r}, which is not one of its formats")
    if not isinstance(kind.spec, property):
        raise PluginError(f"`spec` of {kind.__name__} must be a property", "put @property above it")
    _check_options(kind, "Options")
    _check_options(kind, "Controls")


def _check_kinds(owner: str, name: str, kinds: frozenset[Any]) -> None:
    if not kinds or not all(isinstance(kind, StepKind) for kind in kinds):
        raise PluginError(f"`{name}` of {owner} must hold StepKind.TOKENS, StepKind.FRAMES or both, not {set(kinds)}")


def _check_options(owner: type[Any], name: str) -> None:
    """Check a dataclass of options: frozen, with defaults, of types that the command line and JSON can express."""
    kind, what = getattr(owner, name), f"`{name}` of {owner.__name__}"
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise PluginError(f"{what} must be a dataclass, not {kind!r}")
    if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise PluginError(f"{what} must be frozen", "write @dataclass(frozen=True)")
    try:
        types = typing.get_type_hints(kind)
    except Exception as error:
        raise PluginError(f"the types of {what} cannot be found: {error}") from error
    for field in dataclasses.fields(kind):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise PluginError(f"field `{field.name}` of {what} has no default")
        if not (field.metadata.get("parse") or _is_option_type(types[field.name])):
            raise PluginError(f"field `{field.name}` of {what} must be {OPTION_TYPES}, not {types[field.name]}")
    try:
        kind()
    except Exception as error:
        raise PluginError(f"{what} cannot be made from its defaults: {type(error).__name__}: {error}") from error


def _is_option_type(kind: Any) -> bool:
    """Return whether `composer.registry.options.convert` makes values of this type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {UnionType, typing.Union}:
        return all(each is NoneType or _is_option_type(each) for each in arguments)
    if origin is tuple:
        return bool(arguments) and _is_option_type(arguments[0])
    return origin is typing.Literal or kind in {bool, int, float, str, Path}


def _attribute(kind: type[Any], name: str, expected: type[Any]) -> Any:
    """Return a class attribute. Raises PluginError if it is missing or of another type."""
    value = getattr(kind, name, None)
    if not isinstance(value, expected):
        given = f"not {value!r}" if hasattr(kind, name) else "but it has none"
        raise PluginError(f"`{name}` of {kind.__name__} must be of type {expected.__name__}, {given}")
    return value
