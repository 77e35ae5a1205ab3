"""What a piece shall be like: `--condition artist=burns`, as one of the values that the model was taught."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from composer.api import Unsatisfiable, UsageError

MOST_NAMED = 20


def given(pairs: Iterable[str], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The conditions in `key=value` form; of a value, a part that no other has will do.

    Raises UsageError that lists what the model knows.
    """
    conditions: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not known:
            raise UsageError(f"this model knows no condition `{key}`", "it was taught without any; leave it out")
        if key not in known:
            raise UsageError(f"this model knows no condition `{key}`", f"it knows {', '.join(sorted(known))}")
        if not equals or not value:
            raise UsageError(f"`{pair}` gives no value", f"write {key}={known[key][0]}")
        if key in conditions:
            raise UsageError(f"the condition `{key}` is given twice", "give one value of it")
        conditions[key] = _value(key, value, known[key])
    return conditions


def with_wished(
    given: Mapping[str, str], labels: Mapping[str, str], known: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """The conditions that were given, and those that wishes come to, where the model knows them.

    Raises Unsatisfiable where the two contradict one another.
    """
    for key, label in labels.items():
        if given.get(key, label) != label:
            raise Unsatisfiable(
                f"--condition {key}={given[key]} and the wish for {key} {label} clash", "leave one of the two out"
            )
    return {**given, **{key: label for key, label in labels.items() if label in known.get(key, ())}}


def _value(key: str, value: str, known: Sequence[str]) -> str:
    """The value that is meant: the same, else the same but for capitals, else the only one that holds it."""
    if value in known:
        return value
    small = value.casefold()
    alike = [each for each in known if each.casefold() == small] or [each for each in known if small in each.casefold()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise UsageError(f"`{value}` may be more than one {key}", f"say which: {_listed(alike)}")
    from difflib import get_close_matches

    near = get_close_matches(value, known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it knows {_listed(known)}"
    raise UsageError(f"this model knows no {key} `{value}`", hint)


def _listed(values: Sequence[str]) -> str:
    more = len(values) - MOST_NAMED
    return ", ".join(values[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
