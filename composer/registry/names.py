"""Names of what several distributions bring: a name that is taken or shared is called `distribution:name`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from composer.api import PluginError

if TYPE_CHECKING:  # a protocol takes as long to make as all else here

    class Brought(Protocol):
        """Something with a `name` that a `distribution` brings, which is a name and a version."""

        @property
        def name(self) -> str: ...

        @property
        def distribution(self) -> str: ...


T = TypeVar("T", bound="Brought")


def qualified(item: Brought) -> str:
    """Return `distribution:name`."""
    return f"{item.distribution.partition(' ')[0]}:{item.name}"


def by_name(items: Iterable[T], taken: Collection[str] = ()) -> dict[str, tuple[T, ...]]:
    """Return `items` by the names that they are called by; several for a name that is ambiguous."""
    found: dict[str, list[T]] = {}
    for item in items:
        found.setdefault(item.name, []).append(item)
    named: dict[str, tuple[T, ...]] = {}
    for name, same in found.items():
        if name not in taken:
            named[name] = tuple(same)
        if name in taken or len(same) > 1:
            named |= {qualified(item): (item,) for item in same}
    return named


def find_named(name: str, named: Mapping[str, tuple[T, ...]], what: str) -> T | None:
    """Return the item called `name`, which may name its distribution too, None if there is none.

    Raises PluginError, with `what` it is, if the name is ambiguous.
    """
    same = named.get(name) or tuple(item for items in named.values() for item in items[:1] if qualified(item) == name)
    if len(same) > 1:
        packages = " and ".join(item.distribution for item in same)
        names = " or ".join(f"`{qualified(item)}`" for item in same)
        raise PluginError(f"{packages} both have a {what} called `{name}`", f"use {names}, or uninstall one of them")
    return same[0] if same else None


def unambiguous(named: Mapping[str, tuple[T, ...]]) -> dict[str, T]:
    """Return the items that a name alone stands for, by that name, sorted."""
    return {name: items[0] for name, items in sorted(named.items()) if len(items) == 1}
