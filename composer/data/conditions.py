"""Conditions: labels of training pieces that a model learns, and that generation can ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from composer.api import OptionError, Piece, SequenceSpec

MAX_VALUES, MAX_VALUE_LENGTH = 4096, 100
"""Maximum number of values of a condition, and of characters in a value: a checkpoint lists them all."""


class MissingLabel(OptionError):
    """No training piece has the label called `name`."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__(f"no piece has the label `{name}`, so it cannot be a condition", hint)
        self.name = name


class LabeledPieces:
    """Training pieces, and the values of some of their labels; can be iterated repeatedly.

    The labels are recorded by the first complete iteration, so that pieces are not read once more for them alone.
    """

    def __init__(self, pieces: Iterable[Piece], names: Iterable[str]) -> None:
        self._pieces = pieces
        self._values: dict[str, set[str]] = {name: set() for name in names}
        self._unlabeled = dict.fromkeys(self._values, 0)
        self._available: set[str] = set()
        self._complete = False

    def __iter__(self) -> Iterator[Piece]:
        if self._complete or not self._values:
            yield from self._pieces
            return
        values: dict[str, set[str]] = {name: set() for name in self._values}
        unlabeled = dict.fromkeys(values, 0)
        for piece in self._pieces:
            self._available |= piece.labels.keys()
            for name, known in values.items():
                if name in piece.labels:
                    known.add(piece.labels[name])
                else:
                    unlabeled[name] += 1
            yield piece
        self._values, self._unlabeled, self._complete = values, unlabeled, True

    def conditions(self, *, varying: bool = False) -> dict[str, tuple[str, ...]]:
        """Return the sorted values of each label, without those that are the same in all pieces if `varying`.

        Raises MissingLabel for a label that no piece has, unless `varying`, and OptionError for one with too many or
        too long values.
        """
        if not self._complete:
            for _ in self:
                pass
        found = {}
        for name, values in self._values.items():
            if varying and (not values or (len(values) == 1 and not self._unlabeled[name])):
                continue
            self._check(name, values)
            found[name] = tuple(sorted(values))
        return found

    def _check(self, name: str, values: set[str]) -> None:
        if not values:
            known = ", ".join(sorted(self._available))
            hint = f"choose from {known}" if known else "these pieces have no labels; leave out --conditions"
            raise MissingLabel(name, hint)
        if len(values) > MAX_VALUES or max(map(len, values)) > MAX_VALUE_LENGTH:
            raise OptionError(
                f"the label `{name}` has {len(values):,} values of up to {max(map(len, values)):,} characters, "
                "too many or too long for a condition",
                f"use --conditions with labels of at most {MAX_VALUES:,} values of up to {MAX_VALUE_LENGTH} characters,"
                " or --conditions none",
            )


def with_conditions(spec: SequenceSpec, conditions: Mapping[str, Sequence[str]]) -> SequenceSpec:
    """Return the spec of a representation with the conditions of a training, in the order of their names.

    A checkpoint stores them in that order, and weights belong to a condition by its number.
    """
    return replace(spec, conditions={name: tuple(conditions[name]) for name in sorted(conditions)})
