"""Labels that a model is conditioned on: `--condition artist=burns`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from shlex import quote

from composer.api import Unsatisfiable, UsageError
from composer.api.errors import suggest

MAX_NAMED = 20


def parse_conditions(pairs: Iterable[str], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the conditions in `key=value` form; a part of a value is enough if it is unique.

    Raises UsageError, which lists what the model knows.
    """
    conditions: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if key not in known:
            hint = suggest(key, sorted(known)) if known else "it was trained without conditions; leave out --condition"
            raise UsageError(f"this model has no condition '{key}'", hint, flags=("--condition",))
        if not equals or not value:
            raise UsageError(f"no value for condition '{key}'", f"use --condition {key}={quote(known[key][0])}")
        if key in conditions:
            raise UsageError(f"condition '{key}' is given twice", "leave out one of them")
        conditions[key] = _value(key, value, known[key])
    return conditions


def with_control_labels(
    given: Mapping[str, str], labels: Mapping[str, str], known: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Return the conditions with the labels that follow from controls, if the model knows them.

    Raises Unsatisfiable if the two contradict each other.
    """
    for key, label in labels.items():
        if given.get(key, label) != label:
            raise Unsatisfiable(
                f"--condition {key}={given[key]} contradicts the controls, which imply {key}={label}",
                f"leave out --condition {key}={quote(given[key])}",
                flags=("--condition", f"--{key}"),
            )
    return {**given, **{key: label for key, label in labels.items() if label in known.get(key, ())}}


def _value(key: str, value: str, known: Sequence[str]) -> str:
    """Return the value itself, else the one that differs only in case, else the only one that contains it."""
    if value in known:
        return value
    small = value.casefold()
    alike = [each for each in known if each.casefold() == small] or [each for each in known if small in each.casefold()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise UsageError(f"'{value}' matches more than one {key}", f"choose from {_listed(alike)}")
    hint = suggest(value, known, 3)
    raise UsageError(f"this model has no {key} '{value}'", hint if "?" in hint else f"choose from {_listed(known)}")


def _listed(values: Sequence[str]) -> str:
    more = len(values) - MAX_NAMED
    return ", ".join(values[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")
