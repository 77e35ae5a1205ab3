"""What a representation is: music into steps that a model can learn, and steps back into music.

A representation plugin is one class. The smallest one that composes text, letter by letter:

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

A plugin module imports neither numpy nor torch: a user who lists the plugins must not wait for them.
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
"""What a decoder gives as it goes: text in the native format, or a note that is complete."""


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options of a representation, or the wishes of its players, where there are none."""


@dataclass(frozen=True, slots=True)
class GenerationContext:
    """What is known of a piece before it is composed, beside what is wished of it.

    `length` is the most steps that the player lets it take, None where he does not say; `primer` is what it goes on
    from, and `labels` are those of the piece that it opens, such as its meter. `tune` is a piece of which bars are to
    be kept, where that is wished; then there is no primer.
    """

    length: int | None = None
    primer: tuple[Step, ...] = ()
    tune: Piece | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


class Decoder(Protocol):
    """Turns the steps of one piece into events while they are being drawn."""

    def push(self, step: Step) -> Iterable[Event]:
        """The events that `step` completes."""
        ...

    def finish(self) -> Iterable[Event]:
        """The events that only the end of the piece completes."""
        ...


class TextDecoder:
    """A decoder for representations whose every step is a piece of text."""

    def __init__(self, text: Callable[[Any], str], begin: str = "", end: str = "") -> None:
        self._text, self._begin, self._end = text, begin, end

    def push(self, step: Step) -> Iterable[Event]:
        """The text of `step`, after the opening text where it is the first."""
        text, self._begin = self._begin + self._text(step), ""
        return (text,) if text else ()

    def finish(self) -> Iterable[Event]:
        """The closing text."""
        text = self._begin + self._end
        return (text,) if text else ()


class Representation(ABC):
    """One way of writing music (or words) as a sequence of steps.

    `api` is the version of the interface that the plugin was written for and `version` the plugin's own: raise it
    whenever the same piece would be encoded in another way. `suffixes` are the files it reads, `formats` the formats
    it can be written in (see `composer.formats`), the default first; `native`, where there is one, is the text format
    that its decoder writes. `Options` and `Controls` are frozen dataclasses; a field's metadata may hold `help`.
    `length`, which may depend on the options, is the most steps that `composer gen` adds by default, and `step_name`
    what one step is called.
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
        """`options` is a value of `Options`, by default the default one. Raises OptionError where it makes no sense."""
        self.options = self.Options() if options is None else options

    @abstractmethod
    def read(self, source: Source) -> Iterator[Piece | RejectedPiece]:
        """The pieces in `source`, in order, and a RejectedPiece for each that cannot be used.

        Raises ReadError where the source as a whole cannot be read.
        """

    @abstractmethod
    def fit(self, pieces: Iterable[Piece]) -> None:
        """Learn what is learnt from data (a vocabulary, a range) from the training pieces, and from them alone."""

    @property
    @abstractmethod
    def spec(self) -> SequenceSpec:
        """The kind and size of the sequences; only after `fit` or `restore`."""

    @abstractmethod
    def encode(self, piece: Piece) -> list[Step]:
        """The whole piece as steps, the end symbol included. Raises EncodeError."""

    def encode_packed(self, piece: Piece) -> bytes | None:
        """The same steps as `encode` gives, as they stand in an encoding; None where there is no short cut.

        Tokens are the smallest unsigned integers that hold every id, in the machine's order of bytes; frames are packed
        bits, unit 0 of each first, and each fills whole bytes. Raises EncodeError.
        """
        return None

    @abstractmethod
    def decode(self, steps: Iterable[Step]) -> Piece:
        """The piece that `steps` spell. Total: it never raises, whatever steps of the spec were sampled."""

    @abstractmethod
    def prime(self, piece: Piece) -> list[Step]:
        """`piece` as an opening to go on from: as `encode`, without the end. Raises EncodeError."""

    @abstractmethod
    def decoder(self, number: int = 1) -> Decoder:
        """A decoder for one piece, the `number`-th of a file."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What `fit` learnt, as plain JSON."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> None:
        """Undo `state`: afterwards, this is as it was when `state` was called."""

    def variants(self, piece: Piece) -> Iterator[Piece]:
        """Other pieces that are as good for training, such as transpositions; `piece` itself is not among them."""
        return iter(())

    def losses(self, piece: Piece) -> Mapping[str, int]:
        """What of `piece` as it was given its steps do not hold, counted as in `Piece.losses`, which is the default."""
        return piece.losses

    def score(self, piece: Piece) -> Score | None:
        """`piece` as music; None where it is none or cannot be played."""
        return None

    def from_score(self, score: Score) -> Piece:
        """`score` as a piece of this representation; its `losses` say what that costs.

        Raises EncodeError where it cannot be written so.
        """
        raise Unsupported(f"`{self.name}` cannot be written from a score", "prime it with a file that it reads itself")

    def primer_from_score(self, score: Score) -> Piece:
        """`score` as what a piece goes on from: as `from_score`, without what only ends a piece or fills its last bar.

        Raises as `from_score` does.
        """
        return self.from_score(score)

    def constraint(self, wishes: Any = None, given: GenerationContext | None = None) -> Constraint | None:
        """The automaton of the pieces that obey `wishes` and may come of what is given; None where anything goes.

        A wish named `keep_bars` is for bars of `given.tune`. Raises Unsatisfiable, which says which two clash.
        """
        return None

    def max_steps(self, wishes: Any, given: GenerationContext) -> int:
        """The most steps that a piece may take, its primer included."""
        return given.length or len(given.primer) + self.length

    def estimated_steps(self, wishes: Any, given: GenerationContext) -> int | None:
        """About how many steps a piece takes, its primer included, where what is wished or given tells; else None.

        By default as many as it may take at most, where these are not those that any piece may.
        """
        most = self.max_steps(wishes, replace(given, length=None))
        return most if most != len(given.primer) + self.length else None

    def control_labels(self, wishes: Any) -> Mapping[str, str]:
        """The labels that every piece has which obeys `wishes`, such as its meter."""
        return {}
