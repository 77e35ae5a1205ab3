"""Conditions: labels of training pieces that a model learns, and that generation can ask for."""

from __future__ import annotations

from collections.abc import Iterable

from composer.api.errors import OptionError
from composer.api.score import Piece

MAX_VALUES = 4096


class ConditionVocabulary:
    """The values of some labels, collected from training pieces.

    vocabulary = ConditionVocabulary(("meter", "mode"))
    for piece in vocabulary.collect(pieces): ...
    vocabulary.conditions()      # {"meter": ("3/4", "6/8"), "mode": ("major",)}
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._values: dict[str, set[str]] = {name: set() for name in names}
        self._available: set[str] = set()

    def collect(self, pieces: Iterable[Piece]) -> Iterable[Piece]:
        """Yield `pieces` unchanged, and record their labels."""
        for piece in pieces:
            self._available |= piece.labels.keys()
            for name, values in self._values.items():
                if name in piece.labels:
                    values.add(piece.labels[name])
            yield piece

    def conditions(self) -> dict[str, tuple[str, ...]]:
        """Return the sorted values of each label, for a SequenceSpec.

        Raises OptionError for a label that no piece has, or with more than MAX_VALUES values.
        """
        for name, values in self._values.items():
            if not values:
                known = ", ".join(sorted(self._available))
                raise OptionError(
                    f"no piece has the label `{name}`, so it cannot be a condition",
                    f"choose from {known}" if known else "these pieces have no labels; leave out the conditions",
                )
            if len(values) > MAX_VALUES:
                raise OptionError(
                    f"the label `{name}` has {len(values):,} values, too many for a condition (limit {MAX_VALUES:,})",
                    "leave it out",
                )
        return {name: tuple(sorted(values)) for name, values in self._values.items()}
