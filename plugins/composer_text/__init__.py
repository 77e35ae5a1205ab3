"""The text representation: songs, poems and other text, character by character."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from composer.api import (
    Constraint,
    Decoder,
    EncodeError,
    Event,
    GenerationContext,
    OptionError,
    Piece,
    ReadError,
    RejectedPiece,
    Representation,
    SequenceSpec,
    Source,
    Step,
    StepKind,
    hookimpl,
)
from composer_text.options import LabelFilter, TextOptions

__all__ = ["Text", "TextOptions"]

END, OTHER = 0, 1
"""The ids of the end symbol and of all characters that are not in the vocabulary."""
FIRST = 2
"""The id of the first character in the vocabulary."""

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""The decoding of OTHER; never in the vocabulary."""

UNKNOWN_CHARACTERS = "characters unknown to the model"
MAX_VALUES, MAX_VALUE_LENGTH = 4096, 100
"""Maximum number of values of a condition, and of characters in a value."""
MAX_SHOWN, MAX_NAMED = 200, 10
"""Maximum number of known and of unknown characters in a message."""


class Text(Representation):
    """Text as a sequence of characters. The content of a piece is a str.

    All characters outside the vocabulary share one symbol, which is never generated; a piece in which more than half
    are unknown cannot be encoded. Labels that differ between training pieces become conditions.
    """

    api, name, version = 1, "text", 1
    summary = "songs, poems and other text, character by character"
    kind = StepKind.TOKENS
    suffixes = (".txt", ".csv", ".tsv")
    formats = ("text",)
    native = "text"
    step_name = "character"
    Options = TextOptions
    options: TextOptions

    def __init__(self, options: TextOptions | None = None) -> None:
        super().__init__(options)
        self._filter = LabelFilter(self.options)
        self._restore("", {})

    def read(self, source: Source) -> Iterator[Piece | RejectedPiece]:
        from composer_text.pieces import read

        return read(source, self.options, self._filter)

    def fit(self, pieces: Iterable[Piece]) -> None:
        seen: Counter[str] = Counter()
        labels: dict[str, Counter[str]] = {}
        count = 0
        for count, piece in enumerate(pieces, 1):  # noqa: B007 - used after the loop
            seen.update(_text(piece))
            for name, value in piece.labels.items():
                labels.setdefault(name, Counter())[value] += 1
        self._restore(self._vocabulary(seen), self._conditions(labels, count))

    def _vocabulary(self, seen: Counter[str]) -> str:
        """Return the sorted vocabulary. Raises ComposerError if too few characters are left."""
        characters = "".join(sorted(c for c, times in seen.items() if times >= self.options.floor and c != UNKNOWN))
        if len(seen) < 2:
            only = f", {next(iter(seen))!r}" if seen else ""
            raise ReadError(f"these texts hold a single character{only}", "train on texts with words")
        if not characters:
            raise OptionError(
                f"with floor={self.options.floor}, no character is left",
                f"use at most {max(seen.values())}, the count of the most frequent character",
            )
        return characters

    def _conditions(self, labels: Mapping[str, Counter[str]], pieces: int) -> dict[str, tuple[str, ...]]:
        """Return the labels that differ between pieces. Raises OptionError for an unusable label."""
        for name in self.options.labels:
            if name not in labels:
                raise OptionError(
                    f"no piece has a label `{name}`",
                    f"choose from {', '.join(sorted(labels))}" if labels else "leave out -O labels",
                )
        for name, values in labels.items():
            if len(values) > MAX_VALUES or max(map(len, values)) > MAX_VALUE_LENGTH:
                raise OptionError(
                    f"the label `{name}` has {len(values):,} values of up to {max(map(len, values)):,} characters, "
                    "too many or too long for a condition",
                    f"use a label with at most {MAX_VALUES:,} values of up to {MAX_VALUE_LENGTH} characters",
                )
        varying = {name: values for name, values in labels.items() if len(values) > 1 or values.total() < pieces}
        return {name: tuple(sorted(varying[name])) for name in sorted(varying)}

    def _restore(self, characters: str, conditions: Mapping[str, Sequence[str]]) -> None:
        self.characters = characters
        self.ids = {character: number for number, character in enumerate(characters, FIRST)}
        self.conditions = {name: tuple(values) for name, values in conditions.items()}

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.TOKENS, FIRST + len(self.characters), END, self.conditions)

    def encode(self, piece: Piece) -> list[Step]:
        text = _text(piece)
        steps: list[Step] = [self.ids.get(character, OTHER) for character in text]
        if steps.count(OTHER) > len(steps) / 2:
            raise self._unknown_characters_error(piece)
        return [*steps, END]

    def prime(self, piece: Piece) -> list[Step]:
        text = _text(piece)
        if not self.ids.keys() >= set(text):
            raise self._unknown_characters_error(piece)
        return [self.ids[character] for character in text]

    def _unknown_characters_error(self, piece: Piece) -> EncodeError:
        unknown = sorted(set(_text(piece)) - self.ids.keys())
        names = ", ".join(map(repr, unknown[:MAX_NAMED])) + (" and others" if len(unknown) > MAX_NAMED else "")
        more = " and more" if len(self.characters) > MAX_SHOWN else ""
        return EncodeError(
            f"{piece.source or 'the text'} has characters unknown to the model: {names}",
            f"it knows {self.characters[:MAX_SHOWN].strip()}{more}",
        )

    def losses(self, piece: Piece) -> Mapping[str, int]:
        unknown = sum(character not in self.ids for character in _text(piece))
        return {**piece.losses, **({UNKNOWN_CHARACTERS: unknown} if unknown else {})}

    def decode(self, steps: Iterable[Step]) -> Piece:
        return Piece("".join(map(self._character, steps)))

    def _character(self, step: Step) -> str:
        if not isinstance(step, int) or step == END:
            return ""
        return UNKNOWN if step == OTHER else self.characters[step - FIRST]

    def decoder(self, number: int = 1) -> Decoder:
        return _Decoder(self, number)

    def constraint(self, controls: Any = None, context: GenerationContext | None = None) -> Constraint | None:
        return _NotEmpty(self.spec.size)

    def state(self) -> dict[str, Any]:
        return {"characters": self.characters, "conditions": {name: list(v) for name, v in self.conditions.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._restore(state["characters"], state["conditions"])


class _Decoder:
    """Streams a text by character, with a line feed at the end, and two blank lines between texts of a file."""

    def __init__(self, text: Text, number: int) -> None:
        self._text, self._begin = text, "\n\n" if number > 1 else ""
        self._last = ""

    def push(self, step: Step) -> Iterable[Event]:
        character = self._text._character(step)
        if not character:
            return ()
        out, self._begin, self._last = self._begin + character, "", character
        return (out,)

    def finish(self) -> Iterable[Event]:
        return (self._begin if self._last == "\n" else self._begin + "\n",)


class _NotEmpty(Constraint):
    """At least one character of the vocabulary. The state is 0 before the first character, then 1."""

    def __init__(self, size: int) -> None:
        characters = (1 << size) - (1 << FIRST)
        self._allowed = (characters, characters | 1 << END)

    def start(self, primer: Sequence[Step]) -> int:
        return int(bool(primer))

    def step(self, state: int, step: Step) -> int:
        return 1

    def allowed(self, state: int) -> int:
        return self._allowed[state]

    def complete(self, state: int) -> Sequence[Step]:
        """Return nothing: no ending can complete a truncated text."""
        return ()


def _text(piece: Piece) -> str:
    return str(piece.content)


@hookimpl
def composer_representation() -> type[Representation]:
    """Return this plugin's representation."""
    return Text
