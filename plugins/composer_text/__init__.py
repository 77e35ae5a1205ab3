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
    StepKind,
    hookimpl,
)
from composer_text.constraint import TextConstraint
from composer_text.controls import TextControls
from composer_text.layout import Layout, LayoutConstraint, LayoutCounter
from composer_text.loop_guard import REPEAT_LIMIT, LoopGuard
from composer_text.options import LabelFilter, TextOptions

__all__ = ["Text", "TextControls", "TextOptions"]

GUARDED_RULES = 2
"""The first version of the representation's rules without loops, and with the spaces and blank lines of the data."""

END, OTHER = 0, 1
"""The ids of the end symbol and of all characters that are not in the vocabulary."""
FIRST = 2
"""The id of the first character in the vocabulary."""

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""The decoding of OTHER; never in the vocabulary."""

UNKNOWN_CHARACTERS = "characters unknown to the model"
MAX_SHOWN, MAX_NAMED = 200, 10
"""Maximum number of known and of unknown characters in a message."""


class Text(Representation[str, TextOptions, TextControls]):
    """Text as a sequence of characters. The content of a piece is a str.

    All characters outside the vocabulary share one symbol, which is never generated; a piece in which more than half
    are unknown cannot be encoded.
    """

    api, name, version, rules = 1, "text", 1, GUARDED_RULES
    summary = "songs, poems and other text, character by character"
    kind = StepKind.TOKENS
    suffixes = (".txt", ".csv", ".tsv")
    formats = ("text",)
    native = "text"
    step_name = "character"
    Options, Controls = TextOptions, TextControls

    def __init__(self, options: TextOptions | None = None) -> None:
        super().__init__(options)
        self._filter = LabelFilter(self.options)
        self._restore("", None)

    def read(self, source: Source) -> Iterator[Piece[str] | RejectedPiece]:
        from composer_text.pieces import read

        return read(source, self.options, self._filter)

    def fit(self, pieces: Iterable[Piece[str]]) -> None:
        seen, layout = Counter[str](), LayoutCounter()
        labels: set[str] = set()
        for piece in pieces:
            seen.update(piece.content)
            layout.add(piece.content)
            labels |= piece.labels.keys()
        for name in self.options.labels:
            if name not in labels:
                raise OptionError(
                    f"no piece has a label `{name}`",
                    f"choose from {', '.join(sorted(labels))}" if labels else "leave out -O labels",
                )
        self._restore(self._vocabulary(seen), layout.layout())

    def default_conditions(self) -> Iterable[str]:
        """Return the labels that were asked for, and that from the path."""
        from_path = () if self.options.label == "none" else (self.options.label_name,)
        return sorted({*from_path, *self.options.labels})

    def _vocabulary(self, seen: Counter[str]) -> str:
        """Return the sorted vocabulary. Raises ComposerError if too few characters are left."""
        characters = "".join(sorted(c for c, times in seen.items() if times >= self.options.floor and c != UNKNOWN))
        if len(seen) < 2:
            only = f", {next(iter(seen))!r}" if seen else ""
            raise ReadError(f"these texts contain only one character{only}", "train on texts with words")
        if not characters:
            raise OptionError(
                f"with floor={self.options.floor}, no character is left",
                f"use at most {max(seen.values())}, the count of the most frequent character",
            )
        return characters

    def _restore(self, characters: str, layout: Layout | None) -> None:
        self.characters, self.layout = characters, layout
        self.ids = {character: number for number, character in enumerate(characters, FIRST)}

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.TOKENS, FIRST + len(self.characters), END)

    def encode(self, piece: Piece[str]) -> list[int]:
        text = piece.content
        steps = [self.ids.get(character, OTHER) for character in text]
        if steps.count(OTHER) > len(steps) / 2:
            raise self._unknown_characters_error(piece)
        return [*steps, END]

    def prime(self, piece: Piece[str]) -> list[int]:
        text = piece.content
        if not self.ids.keys() >= set(text):
            raise self._unknown_characters_error(piece)
        return [self.ids[character] for character in text]

    def _unknown_characters_error(self, piece: Piece[str]) -> EncodeError:
        unknown = sorted(set(piece.content) - self.ids.keys())
        names = ", ".join(map(repr, unknown[:MAX_NAMED])) + (" and others" if len(unknown) > MAX_NAMED else "")
        more = " and more" if len(self.characters) > MAX_SHOWN else ""
        return EncodeError(
            f"{piece.source or 'the text'} has characters unknown to the model: {names}",
            f"it knows {self.characters[:MAX_SHOWN].strip()}{more}",
        )

    def losses(self, piece: Piece[str]) -> Mapping[str, int]:
        unknown = sum(character not in self.ids for character in piece.content)
        return {**piece.losses, **({UNKNOWN_CHARACTERS: unknown} if unknown else {})}

    def breaks_off(self, steps: Sequence[int]) -> bool:
        """Return whether the text ends after a space: only the maximum length ends it within a line."""
        return self.decode(steps).content.endswith(" ")

    def decode(self, steps: Iterable[int]) -> Piece[str]:
        return Piece("".join(map(self._character, steps)))

    def _character(self, step: int) -> str:
        if step == END:
            return ""
        return UNKNOWN if step == OTHER else self.characters[step - FIRST]

    def decoder(self, number: int = 1) -> Decoder:
        return _Decoder(self, number)

    def constraint(
        self, controls: TextControls | None = None, context: GenerationContext | None = None
    ) -> Constraint | None:
        controls, context = controls or TextControls(), context or GenerationContext()
        length = self.max_steps(controls, context)
        constraint: Constraint = TextConstraint(
            self.spec.size, END, FIRST, self.ids.get("\n"), self.ids.get(" "), length
        )
        if (context.rules or self.rules) < GUARDED_RULES:
            return constraint
        if self.layout is not None:
            constraint = LayoutConstraint(constraint, self.layout, self.characters, FIRST)
        limit = REPEAT_LIMIT if controls.repeat_limit is None else controls.repeat_limit
        return LoopGuard(constraint, self.characters, FIRST, limit)

    def state(self) -> dict[str, Any]:
        return {"characters": self.characters} | ({"layout": self.layout._asdict()} if self.layout is not None else {})

    def restore(self, state: Mapping[str, Any]) -> None:
        layout = state.get("layout")  # models trained by earlier versions lack it
        self._restore(state["characters"], None if layout is None else Layout.restore(layout))


class _Decoder:
    """Streams a text by character, with a line feed at the end, and two blank lines between texts of a file."""

    def __init__(self, text: Text, number: int) -> None:
        self._text, self._begin = text, "\n\n" if number > 1 else ""
        self._last = ""

    def push(self, step: int) -> Iterable[Event]:
        character = self._text._character(step)
        if not character:
            return ()
        out, self._begin, self._last = self._begin + character, "", character
        return (out,)

    def finish(self) -> Iterable[Event]:
        return (self._begin if self._last == "\n" else self._begin + "\n",)


@hookimpl
def composer_representation() -> type[Representation]:
    """Return this plugin's representation."""
    return Text
