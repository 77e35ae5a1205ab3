"""Interface of representations: encode music as sequences of steps that a model can learn, and decode them.

A representation plugin is one class. A minimal one, for text, letter by letter:

    class Letters(Representation):
        api, name, summary, version = 1, "letters", "text, letter by letter", 1
        kind, suffixes, formats, native = StepKind.TOKENS, (".txt",), ("text",), "text"

        def read(self, source):
            yield Piece(source.text(), source=source.name)

        def fit(self, pieces):
            self.letters = sorted({letter for piece in pieces for letter in piece.content})

        @property
        def spec(self):
            return SequenceSpec(StepKind.TOKENS, size=1 + len(self.letters), end=0)

        def prime(self, piece):
            return [1 + self.letters.index(letter) for letter in piece.content]

        def encode(self, piece):
            return [*self.prime(piece), 0]

        def decode(self, steps):
            return Piece("".join(self.letters[step - 1] for step in steps if step > 0))

        def decoder(self, number=1):
            return TextDecoder(lambda step: self.letters[step - 1] if step else "")

        def state(self):
            return {"letters": self.letters}

        def restore(self, state):
            self.letters = state["letters"]

A plugin module imports neither numpy nor torch, so that listing plugins is fast.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

from composer.api.constraint import Constraint
from composer.api.errors import Unsupported
from composer.api.score import Note, Piece, RejectedPiece, Score
from composer.api.sequence import SequenceSpec, Step, StepKind
from composer.api.source import Source

Event = str | Note
"""Output of a decoder: text in the native format, or a complete note."""


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options or controls of a plugin that has none."""


@dataclass(frozen=True, slots=True)
class GenerationContext:
    """What is known about a piece before it is generated, besides its controls.

    `length` is the user's limit in steps, or None; `primer` is the beginning of the piece, and `labels` are its labels,
    such as its meter. `tune` is the piece whose bars infilling keeps; then there is no primer.
    """

    length: int | None = None
    primer: tuple[Step, ...] = ()
    tune: Piece | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


class Decoder(Protocol):
    """Turns the steps of one piece into events while they are generated."""

    def push(self, step: Step) -> Iterable[Event]:
        """Return the events that `step` completes."""
        ...

    def finish(self) -> Iterable[Event]:
        """Return the events that the end of the piece completes."""
        ...


class TextDecoder:
    """A decoder for representations whose steps are text."""

    def __init__(self, text: Callable[[Any], str], begin: str = "", end: str = "") -> None:
        self._text, self._begin, self._end = text, begin, end

    def push(self, step: Step) -> Iterable[Event]:
        """Return the text of `step`, preceded by the opening text if it is the first."""
        text, self._begin = self._begin + self._text(step), ""
        return (text,) if text else ()

    def finish(self) -> Iterable[Event]:
        """Return the closing text."""
        text = self._begin + self._end
        return (text,) if text else ()


class Representation(ABC):
    """An encoding of music (or text) as a sequence of steps.

    `api` is the interface version that the plugin was written for, `version` its own: raise it whenever the same piece
    would be encoded differently. `suffixes` are the files it reads, `formats` those it can write (see
    `composer.formats`), the default first; `native` is the text format that its decoder writes, if any. `Options` and
    `Controls` are frozen dataclasses; a field's metadata may hold `help`. `length`, which may depend on the options, is
    the default limit of steps in `composer gen`, and `step_name` the name of a step.
    """

    api: ClassVar[int]
    name: ClassVar[str]
    summary: ClassVar[str]
    version: ClassVar[int]
    kind: ClassVar[StepKind]
    suffixes: ClassVar[tuple[str, ...]]
    formats: ClassVar[tuple[str, ...]]
    native: ClassVar[str | None] = None
    length: int = 2000
    step_name: ClassVar[str] = "step"
    Options: ClassVar[type[Any]] = NoOptions
    Controls: ClassVar[type[Any]] = NoOptions

    def __init__(self, options: Any = None) -> None:
        """`options` is an instance of `Options`, by default `Options()`. Raises OptionError if it is invalid."""
        self.options = self.Options() if options is None else options

    @abstractmethod
    def read(self, source: Source) -> Iterator[Piece | RejectedPiece]:
        """Yield the pieces in `source`, in order, and a RejectedPiece for each that cannot be used.

        Raises ReadError if the source as a whole cannot be read.
        """

    @abstractmethod
    def fit(self, pieces: Iterable[Piece]) -> None:
        """Fit the vocabulary, range and the like to the training pieces."""

    @property
    @abstractmethod
    def spec(self) -> SequenceSpec:
        """Kind and size of the sequences; valid after `fit` or `restore`."""

    @abstractmethod
    def encode(self, piece: Piece) -> list[Step]:
        """Return the whole piece as steps, including the end symbol. Raises EncodeError."""

    def encode_packed(self, piece: Piece) -> bytes | None:
        """Return the steps of `encode` as a dataset stores them, or None to use `encode`. Raises EncodeError.

        Tokens are the smallest unsigned integers that hold every id, in native byte order; frames are packed bits, unit
        0 first, each padded to whole bytes.
        """
        return None

    @abstractmethod
    def decode(self, steps: Iterable[Step]) -> Piece:
        """Return the piece that `steps` encode. Never raises for steps within the spec."""

    @abstractmethod
    def prime(self, piece: Piece) -> list[Step]:
        """Return `piece` as a primer: as `encode`, without the end. Raises EncodeError."""

    @abstractmethod
    def decoder(self, number: int = 1) -> Decoder:
        """Return a decoder for one piece, the `number`-th of a file."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return the result of `fit` as plain JSON."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the result of `fit` from that of `state`."""

    def variants(self, piece: Piece) -> Iterator[Piece]:
        """Yield further training pieces made from `piece`, such as transpositions."""
        return iter(())

    def losses(self, piece: Piece) -> Mapping[str, int]:
        """Count what encoding `piece` loses, as in `Piece.losses`, which is the default."""
        return piece.losses

    def score(self, piece: Piece) -> Score | None:
        """Return `piece` as music; None if it is not music or cannot be played."""
        return None

    def from_score(self, score: Score) -> Piece:
        """Return `score` as a piece; its `losses` count what it cannot express.

        Raises EncodeError if it cannot be expressed at all.
        """
        raise Unsupported(
            f"`{self.name}` cannot read music",
            f"use a file that it reads: {', '.join(self.suffixes)}" if self.suffixes else None,
        )

    def primer_from_score(self, score: Score) -> Piece:
        """Return `score` as a primer: as `from_score`, without the ending and without padding of the last bar.

        Raises the same errors.
        """
        return self.from_score(score)

    def constraint(self, controls: Any = None, context: GenerationContext | None = None) -> Constraint | None:
        """Return the automaton of pieces that satisfy `controls` in `context`; None if every piece does.

        A control named `keep_bars` selects bars of `context.tune`. Raises Unsatisfiable, naming the two in conflict.
        """
        return None

    def max_steps(self, controls: Any, context: GenerationContext) -> int:
        """Return the maximum length of a piece in steps, including the primer."""
        return context.length or len(context.primer) + self.length

    def estimated_steps(self, controls: Any, context: GenerationContext) -> int | None:
        """Estimate the length of a piece in steps, including the primer, from its controls; None if unknown.

        By default `max_steps`, if the controls change it.
        """
        limit = self.max_steps(controls, replace(context, length=None))
        return limit if limit != len(context.primer) + self.length else None

    def control_labels(self, controls: Any) -> Mapping[str, str]:
        """Return the labels, such as the meter, of every piece that satisfies `controls`."""
        return {}
