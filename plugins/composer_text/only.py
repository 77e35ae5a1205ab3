"""What `only` lets pass, and a reason for what it does not."""

from __future__ import annotations

from collections.abc import Mapping, Set

MOST_NAMED = 8
"""So many labels are reasons of their own; others are counted together."""


class Only:
    """The filter on labels. Letters may be small or capital.

    The reasons name what was passed over, so that a filter that lets nothing pass shows what there is.
    """

    def __init__(self, wanted: Mapping[str, Set[str]]) -> None:
        self.wanted = {name: {value.casefold() for value in values} for name, values in wanted.items()}
        self._named: set[tuple[str, str]] = set()

    def refuses(self, labels: Mapping[str, str]) -> str:
        """Why what has these `labels` is left out; empty where it is not."""
        for name, values in self.wanted.items():
            value = labels.get(name, "")
            if value.casefold() in values:
                continue
            if len(self._named) < MOST_NAMED:
                self._named.add((name, value))
            if (name, value) not in self._named:
                return f"the {name} is another"
            return f"the {name} is `{value}`" if value else f"it has no {name}"
        return ""
