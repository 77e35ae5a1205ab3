"""Checks of what plugins add to built-in tables, when they are loaded and when their functions are called."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from composer.api import ComposerError, PluginError, RejectedPiece, Score
from composer.api.file_format import Format
from composer.api.hooks import EXTENSIONS
from composer.api.problem import Check, Problem, Severity
from composer.api.ranking import Rank, Ranking
from composer.registry.guard import AUTHOR_HINT, Owner, guard_function
from composer.registry.reporting import report_unusable
from composer.registry.result_checks import InvalidResult, expect, shown

Named = Mapping[str, Any]


def checked_extensions(
    brought: Mapping[str, Any], name: str, owner: Owner
) -> tuple[Mapping[str, Named], list[PluginError]]:
    """Return what the hooks of the plugin `name` returned, by kind and name, guarded; and an error for what is invalid.

    A format, ranking or check of another name belongs to another entry point of the same module.
    """
    found, errors = dict[str, Named](), list[PluginError]()
    for kind, value in brought.items():
        try:
            items = _CHECKS[kind](value, name, owner)
        except InvalidResult as error:
            hook = EXTENSIONS[kind].__name__
            errors.append(PluginError(f"{owner} failed in {hook}: {error}", AUTHOR_HINT))
        else:
            found |= {kind: items} if items else {}
    return found, errors


def _format(value: Any, name: str, owner: Owner) -> Named:
    expect(value, Format, "a Format")
    _check_texts(value)
    for field in ("suffixes", "read_suffixes"):
        suffixes = getattr(value, field)
        if not isinstance(suffixes, tuple) or not all(isinstance(each, str) for each in suffixes):
            raise InvalidResult(f"`{field}` must be a tuple of str, not {shown(suffixes)}")
        for suffix in suffixes:
            if not suffix.startswith(".") or suffix != suffix.lower():
                raise InvalidResult(f"`{field}` has {suffix!r}, which must begin with a dot, in lower case")
    left_out = value.leaves_out
    if not isinstance(left_out, tuple) or not all(each in ("velocity", "composers") for each in left_out):
        raise InvalidResult(f"`leaves_out` must be a tuple of `velocity` and `composers`, not {shown(left_out)}")
    if not value.suffixes:
        raise InvalidResult("`suffixes` is empty")
    _check_functions(value, "recognize", "read", "write", "mark", "find_marks", "unscored")
    if (value.read is None) != (value.recognize is None):
        raise InvalidResult("`recognize` and `read` go together: define both or neither")
    guarded = {
        "read": _guard(value.read, owner, "Format.read", _named_score, iterates=True),
        "write": _guard(value.write, owner, "Format.write", _bytes),
        "mark": _guard(value.mark, owner, "Format.mark", _bytes),
        "find_marks": _guard(value.find_marks, owner, "Format.find_marks", _text, iterates=True),
        "unscored": _guard(value.unscored, owner, "Format.unscored", _counts, iterates=True),
        "recognize": _recognizer(value.recognize, owner) if value.recognize else None,
    }
    return {name: value._replace(**guarded)} if value.name == name else {}


def _recognizer(function: Callable[..., Any], owner: Owner) -> Callable[[bytes], bool]:
    """Return `function` so that an error in it is a warning, since it is asked about files that are not its own."""
    guarded = guard_function(function, owner, "Format.recognize", lambda value, *_: bool(value))

    def recognize(data: bytes) -> bool:
        try:
            return bool(guarded(data))
        except ComposerError as error:
            report_unusable(error.message)
            return False

    return recognize


def _ranking(value: Any, name: str, owner: Owner) -> Named:
    expect(value, Ranking, "a Ranking")
    _check_texts(value)
    if not callable(value.rank):
        raise InvalidResult(f"`rank` must be a function, not {shown(value.rank)}")
    return {name: value._replace(rank=_guard(value.rank, owner, "Ranking.rank", _rank))} if value.name == name else {}


def _check(value: Any, name: str, owner: Owner) -> Named:
    expect(value, Check, "a Check")
    _check_texts(value)
    _check_functions(value, "score", "data")
    if value.score is None and value.data is None:
        raise InvalidResult("it has neither `score` nor `data`")
    guarded = {
        "score": _guard(value.score, owner, "Check.score", _problem, iterates=True),
        "data": _guard(value.data, owner, "Check.data", _problem, iterates=True),
    }
    return {name: value._replace(**guarded)} if value.name == name else {}


def _presets(value: Any, name: str, owner: Owner) -> Named:
    """Return presets as text, or as paths that are not read before they are asked for."""
    return {name: value} if isinstance(value, str) else _files(value, ".toml", "text or a Path")


def _pretrained(value: Any, name: str, owner: Owner) -> Named:
    return _files(value, ".safetensors", "a Path")


def _files(folder: Any, suffix: str, expected: str) -> Named:
    expect(folder, Path, expected)
    found = (
        {path.stem: path for path in sorted(folder.glob(f"*{suffix}"), key=lambda path: path.stem)}
        if folder.is_dir()
        else {}
    )
    if not found:
        raise InvalidResult(f"{folder} {f'has no {suffix} files' if folder.is_dir() else 'is not a folder'}")
    return found


_CHECKS: Mapping[str, Callable[[Any, str, Owner], Named]] = {
    "format": _format,
    "presets": _presets,
    "pretrained": _pretrained,
    "ranking": _ranking,
    "check": _check,
}


def _guard(
    function: Callable[..., Any] | None, owner: Owner, name: str, result: Callable[..., Any], *, iterates: bool = False
) -> Callable[..., Any] | None:
    return guard_function(function, owner, name, result, iterates=iterates) if function is not None else None


def _check_texts(value: Any) -> None:
    for field in ("name", "summary"):
        text = getattr(value, field)
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            raise InvalidResult(f"`{field}` must be one line of text, not {shown(text)}")


def _check_functions(value: Any, *fields: str) -> None:
    for field in fields:
        function = getattr(value, field)
        if function is not None and not callable(function):
            raise InvalidResult(f"`{field}` must be a function or None, not {shown(function)}")


def _named_score(value: Any, *_: Any) -> Any:
    if not isinstance(value, tuple) or len(value) != 2 or not isinstance(value[0], str):
        raise InvalidResult(f"it yielded {shown(value)}, not a name and a score")
    if not isinstance(value[1], Score | RejectedPiece):
        raise InvalidResult(f"it yielded {shown(value[1])}, not a Score or a RejectedPiece")
    return value


def _bytes(value: Any, *_: Any) -> Any:
    return expect(value, bytes, "bytes")


def _text(value: Any, *_: Any) -> Any:
    return expect(value, str, "a str")


def _counts(value: Any, *_: Any) -> Any:
    expect(value, Mapping, "a mapping of phrases to counts")
    if not all(isinstance(phrase, str) and type(count) is int for phrase, count in value.items()):
        raise InvalidResult(f"it yielded {shown(value)}, not a mapping of phrases to counts")
    return value


def _rank(value: Any, *_: Any) -> Any:
    expect(value, Rank, "a Rank")
    key = value.key
    if not isinstance(key, tuple) or not key or not all(isinstance(each, int | float) for each in key):
        raise InvalidResult(f"the key of a Rank is a tuple of numbers, not {shown(key)}")
    if any(math.isnan(each) for each in key):
        raise InvalidResult("the key of a Rank is NaN")
    return value._replace(text=" ".join(expect(value.text, str, "a Rank with text").split()))


def _problem(value: Any, *_: Any) -> Any:
    expect(value, Problem, "a Problem")
    texts = (value.kind, value.message, value.tune, value.title)
    if not all(isinstance(each, str) for each in texts) or not (value.kind and value.message):
        raise InvalidResult(f"kind, message, tune and title of a Problem are text, not {shown(texts)}")
    if not all(type(each) is int and each >= 0 for each in value.place):
        raise InvalidResult(f"line and column of a Problem count from 1, not {shown(value.place)}")
    if not isinstance(value.severity, Severity):
        raise InvalidResult(f"the severity of a Problem is a Severity, not {shown(value.severity)}")
    return value
