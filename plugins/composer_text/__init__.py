"""The text representation: words, such as songs and poems, character by character."""

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
from composer_text.filter import LabelFilter
from composer_text.options import TextOptions

__all__ = ["Text", "TextOptions"]

END, OTHER = 0, 1
"""The ids of the end symbol, which is no character, and of every character that was not learnt."""
FIRST = 2
"""The id of the first character of the vocabulary."""

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""What OTHER is decoded to; it is never in the vocabulary itself."""

UNKNOWN_CHARACTERS = "characters that the model has not learnt"
MAX_VALUES, MAX_VALUE_LENGTH = 4096, 100
"""The most values that a condition may have, and the most characters of one."""
MAX_SHOWN, MAX_NAMED = 200, 10
"""So many characters of a vocabulary are shown, and so many that are not in it are named."""


class Text(Representation):
    """Words as characters. A piece's content is a str.

    Characters that were not learnt are all one symbol, which is never drawn; a piece that is made of such for more
    than half is refused. Labels that tell training pieces apart are conditions.
    """

    api, name, version = 1, "text", 1
    summary = "songs, poems and other words, character by character"
    kind = StepKind.TOKENS
    suffixes = (".txt", ".csv", ".tsv")
    formats = ("text",)
    native = "text"
    step_name = "character"
    Options = TextOptions
    options: TextOptions

    def __init__(self, options: TextOptions | None = None) -> None:
        super().__init__(options)
        self._filter = LabelFilter(self.options.allowed_values)
        self._restore("", {})

    def read(self, source: Source) -> Iterator[Piece | RejectedPiece]:
        from composer_text.pieces import read

        return read(source, self.options, self._filter)

    def fit(self, pieces: Iterable[Piece]) -> None:
        seen: Counter[str] = Counter()
        labels: dict[str, Counter[str]] = {}
        count = 0
        for count, piece in enumerate(pieces, 1):  # noqa: B007 - how many there are is wanted below
            seen.update(_text(piece))
            for name, value in piece.labels.items():
                labels.setdefault(name, Counter())[value] += 1
        self._restore(self._vocabulary(seen), self._conditions(labels, count))

    def _vocabulary(self, seen: Counter[str]) -> str:
        """The characters to learn, in order. Raises ComposerError where too few are left."""
        characters = "".join(sorted(c for c, times in seen.items() if times >= self.options.floor and c != UNKNOWN))
        if len(seen) < 2:
            only = f", {next(iter(seen))!r}" if seen else ""
            raise ReadError(f"these texts hold a single character{only}", "give texts of words to learn from")
        if not characters:
            most = max(seen.values())
            raise OptionError(
                f"with floor={self.options.floor} no character is left", f"the commonest is there {most:,} times"
            )
        return characters

    def _conditions(self, labels: Mapping[str, Counter[str]], pieces: int) -> dict[str, tuple[str, ...]]:
        """The labels that tell pieces apart. Raises OptionError for one that was asked for and cannot be learnt."""
        for name in self.options.labels:
            if name not in labels:
                raise OptionError(f"no piece has a label `{name}`", "leave it out of `labels`")
        for name, values in labels.items():
            if len(values) > MAX_VALUES or max(map(len, values)) > MAX_VALUE_LENGTH:
                raise OptionError(
                    f"`{name}` cannot be a condition: it has {len(values):,} values, of up to "
                    f"{max(map(len, values)):,} characters",
                    f"name a label with at most {MAX_VALUES:,} values of {MAX_VALUE_LENGTH} characters",
                )
        told = {name: values for name, values in labels.items() if len(values) > 1 or values.total() < pieces}
        return {name: tuple(sorted(told[name])) for name in sorted(told)}

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
        unlearnt = sorted(set(_text(piece)) - self.ids.keys())
        names = ", ".join(map(repr, unlearnt[:MAX_NAMED])) + (" and others" if len(unlearnt) > MAX_NAMED else "")
        more = " and more" if len(self.characters) > MAX_SHOWN else ""
        return EncodeError(
            f"{piece.source or 'the text'} has characters that the model has not learnt: {names}",
            f"it knows these: {self.characters[:MAX_SHOWN].strip()}{more}",
        )

    def losses(self, piece: Piece) -> Mapping[str, int]:
        unseen = sum(character not in self.ids for character in _text(piece))
        return {**piece.losses, **({UNKNOWN_CHARACTERS: unseen} if unseen else {})}

    def decode(self, steps: Iterable[Step]) -> Piece:
        return Piece("".join(map(self._character, steps)))

    def _character(self, step: Step) -> str:
        if not isinstance(step, int) or step == END:
            return ""
        return UNKNOWN if step == OTHER else self.characters[step - FIRST]

    def decoder(self, number: int = 1) -> Decoder:
        return _Decoder(self, number)

    def constraint(self, wishes: Any = None, given: GenerationContext | None = None) -> Constraint | None:
        return _NotEmpty(self.spec.size)

    def state(self) -> dict[str, Any]:
        conditions = {name: list(values) for name, values in self.conditions.items()}
        return {"characters": self.characters, "conditions": conditions}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._restore(state["characters"], state["conditions"])


class _Decoder:
    """Streams a text as characters come. It ends with a line feed; two blank lines stand between texts of a file."""

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
    """Any characters of the vocabulary, and at least one. State 0: there is none yet; state 1: there is."""

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
        """Nothing: a text that is cut has no ending that would make it whole."""
        return ()


def _text(piece: Piece) -> str:
    return str(piece.content)


@hookimpl
def composer_representation() -> type[Representation]:
    """The plugin's hook."""
    return Text
