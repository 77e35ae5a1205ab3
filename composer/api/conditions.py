"""Labels that become conditions: what a model is told of a piece, and can be asked for when it composes."""

from __future__ import annotations

from collections.abc import Iterable

from composer.api.errors import OptionError
from composer.api.score import Piece

MAX_VALUES = 4096


class ConditionVocabulary:
    """The values of some labels, collected from training pieces as they pass by.

    names = Labels(("meter", "mode"))
    for piece in names.of(pieces): ...
    names.conditions()      # {"meter": ("3/4", "6/8"), "mode": ("major",)}
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._values: dict[str, set[str]] = {name: set() for name in names}
        self._others: set[str] = set()

    def collect(self, pieces: Iterable[Piece]) -> Iterable[Piece]:
        """The pieces themselves; their labels are remembered."""
        for piece in pieces:
            self._others |= piece.labels.keys()
            for name, values in self._values.items():
                if name in piece.labels:
                    values.add(piece.labels[name])
            yield piece

    def conditions(self) -> dict[str, tuple[str, ...]]:
        """The values of each label in alphabetical order, for a SequenceSpec.

        Raises OptionError for a label that no piece has, or that has more than MAX_VALUES values.
        """
        for name, values in self._values.items():
            if not values:
                known = ", ".join(sorted(self._others))
                raise OptionError(
                    f"`{name}` cannot be a condition: no piece says what it is",
                    f"they say {known}" if known else "these pieces say nothing of themselves",
                )
            if len(values) > MAX_VALUES:
                raise OptionError(f"`{name}` cannot be a condition: it has {len(values):,} values", "leave it out")
        return {name: tuple(sorted(values)) for name, values in self._values.items()}
