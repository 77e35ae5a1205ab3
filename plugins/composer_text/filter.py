"""Filter on labels, for the option `only`."""

from __future__ import annotations

from collections.abc import Mapping, Set


class LabelFilter:
    """Accepts pieces by their labels, ignoring case."""

    def __init__(self, accepted: Mapping[str, Set[str]]) -> None:
        self.accepted = {name: {value.casefold() for value in values} for name, values in accepted.items()}

    def rejection(self, labels: Mapping[str, str]) -> str:
        """Return why a piece with these `labels` is skipped; empty if it is not."""
        for name, values in self.accepted.items():
            value = labels.get(name, "")
            if value.casefold() in values:
                continue
            return f"{name} is `{value}`" if value else f"no {name}"
        return ""
