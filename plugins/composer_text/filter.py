"""What `only` lets pass, and a reason for what it does not."""

from __future__ import annotations

from collections.abc import Mapping, Set


class LabelFilter:
    """The filter on labels. Letters may be small or capital."""

    def __init__(self, wanted: Mapping[str, Set[str]]) -> None:
        self.wanted = {name: {value.casefold() for value in values} for name, values in wanted.items()}

    def rejection(self, labels: Mapping[str, str]) -> str:
        """Why what has these `labels` is left out; empty where it is not."""
        for name, values in self.wanted.items():
            value = labels.get(name, "")
            if value.casefold() in values:
                continue
            return f"the {name} is `{value}`" if value else f"it has no {name}"
        return ""
