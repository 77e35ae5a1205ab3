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

        def decode(self, steps):
            return Piece("".join(self.letters[step - 1] for step in steps if step > 0))

        def state(self):
            return {"letters": self.letters}

        def restore(self, state):
            self.letters = state["letters"]

A plugin module imports neither numpy nor torch, so that listing plugins is fast.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol

from composer.api.constraint import Constraint
from composer.api.errors import EncodeError, PluginError, Unsatisfiable, Unsupported
from composer.api.score import Note, Piece, RejectedPiece, Score
from composer.api.sequence import AnyStep, SequenceSpec, StepKind
from composer.api.source import Source
from composer.api.type_params import ContentT, ControlsT, OptionsT

Event = str | Note
"""Output of a decoder: text in the native format, or a complete note."""


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options or controls of a plugin that has none."""


@dataclass(frozen=True, slots=True)
class GenerationContext:
    """What is known about a piece before it is generated, besides its controls.

    `length` is the user's limit in steps, or None; `primer` is the beginning of the piece, and `labels` are its labels,
    such as its meter. `tune` is the piece whose bars infilling keeps; then there is no primer. `plan` is the form of
    the piece, as `Representation.plan` writes it, or None.
    """

    length: int | None = None
    primer: tuple[AnyStep, ...] = ()
    tune: Piece | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    plan: str | None = None


class Decoder(Protocol):
    """Turns the steps of one piece into events while they are generated."""

    def push(self, step: AnyStep) -> Iterable[Event]:
        """Return the events that `step` completes."""
        ...

    def finish(self) -> Iterable[Event]:
        """Return the events that the end of the piece completes."""
        ...


class TextDecoder:
    """A decoder for representations whose steps are text."""

    def __init__(self, text: Callable[[Any], str], begin: str = "", end: str = "") -> None:
        self._text, self._begin, self._end = text, begin, end

    def push(self, step: AnyStep) -> Iterable[Event]:
        """Return the text of `step`, preceded by the opening text if it is the first."""
        text, self._begin = self._begin + self._text(step), ""
        return (text,) if text else ()

    def finish(self) -> Iterable[Event]:
        """Return the closing text."""
        text = self._begin + self._end
        return (text,) if text else ()


class _BufferedDecoder:
    """The default decoder: all events of a piece at its end."""

    def __init__(self, representation: Representation) -> None:
        self._representation = representation
        self._steps: list[AnyStep] = []

    def push(self, step: AnyStep) -> Iterable[Event]:
        """Keep `step` until the end."""
        self._steps.append(step)
        return ()

    def finish(self) -> Iterable[Event]:
        """Return the text of the piece, as a line, or its notes."""
        piece = self._representation.decode(self._steps)
        if self._representation.native is None:
            score = self._representation.score(piece)
            return sorted(note for part in score.parts for note in part.notes) if score is not None else ()
        text = self._representation.text(piece)
        return (text if text.endswith("\n") else f"{text}\n",)


class Representation(ABC, Generic[ContentT, OptionsT, ControlsT]):
    """An encoding of music (or text) as a sequence of steps.

    `api` is the interface version that the plugin was written for, `version` its own: raise it whenever the same piece
    would be encoded differently. `suffixes` are the files it reads, `formats` those it can write (see
    `composer.formats`), the default first; `native` is the text format that `text` writes, if any. `Options` and
    `Controls` are frozen dataclasses; a field's metadata may hold `help` and
    `metavar`, the placeholder for its value. `length`, which may depend on the options, is
    the default limit of steps in `composer gen`, and `step_name` the name of a step. `labels` are the names of the
    labels that its pieces may have, for help and completion, if they are always the same. `positional`, which may
    depend on the options too, says whether the spec will have position features. `absolute_time` is True if events are
    in seconds: then scores are at 120 BPM, so that a second is two beats, and `composer gen --tempo` changes the beats
    but not the speed (see `composer.music.tempo_map`).

    Its type parameters are those of a piece's content, `Options` and `Controls`: `Representation[str, MyOptions]`.
    """

    api: ClassVar[int]
    name: ClassVar[str]
    summary: ClassVar[str]
    version: ClassVar[int]
    kind: ClassVar[StepKind]
    suffixes: ClassVar[tuple[str, ...]]
    formats: ClassVar[tuple[str, ...]]
    native: ClassVar[str | None] = None
    labels: ClassVar[tuple[str, ...]] = ()
    length: int = 2000
    positional: bool = False
    step_name: ClassVar[str] = "step"
    absolute_time: ClassVar[bool] = False
    Options: ClassVar[type[Any]] = NoOptions
    Controls: ClassVar[type[Any]] = NoOptions

    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(GenericAlias)  # takes fewer parameters too, as they have defaults

    def __init__(self, options: OptionsT | None = None) -> None:
        """`options` is an instance of `Options`, by default `Options()`. Raises OptionError if it is invalid."""
        self.options: OptionsT = self.Options() if options is None else options

    @abstractmethod
    def read(self, source: Source) -> Iterator[Piece[ContentT] | RejectedPiece]:
        """Yield the pieces in `source`, in order, and a RejectedPiece for each that cannot be used.

        Raises ReadError if the source as a whole cannot be read.
        """

    def fit(self, pieces: Iterable[Piece[ContentT]]) -> None:
        """Fit the vocabulary, range and the like to the training pieces. By default nothing is fitted."""

    @property
    @abstractmethod
    def spec(self) -> SequenceSpec:
        """Kind and size of the sequences; valid after `fit` or `restore`."""

    def encode(self, piece: Piece[ContentT]) -> list[AnyStep]:
        """Return the whole piece as steps: by default `prime`, and the end symbol of tokens. Raises EncodeError."""
        end = self.spec.end
        return self.prime(piece) if end is None else [*self.prime(piece), end]

    def encode_packed(self, piece: Piece[ContentT]) -> bytes | None:
        """Return the steps of `encode` as a dataset stores them, or None to use `encode`. Raises EncodeError.

        Tokens are the smallest unsigned integers that hold every id, in native byte order; frames are packed bits, unit
        0 first, each padded to whole bytes.
        """
        return None

    @abstractmethod
    def decode(self, steps: Iterable[AnyStep]) -> Piece[ContentT]:
        """Return the piece that `steps` encode. Never raises for steps within the spec."""

    @abstractmethod
    def prime(self, piece: Piece[ContentT]) -> list[AnyStep]:
        """Return `piece` as a primer: as `encode`, without the end. Raises EncodeError."""

    def text(self, piece: Piece[ContentT]) -> str:
        """Return `piece` in the `native` format: by default its content, which must then be a str."""
        if not isinstance(piece.content, str):
            kind = type(piece.content).__name__
            raise PluginError(
                f"`{self.name}` has no method `text`, and the content of its pieces is a {kind}, not a str"
            )
        return piece.content

    def decoder(self, number: int = 1) -> Decoder:
        """Return a decoder for one piece, the `number`-th of a file.

        By default, it returns everything at the end of the piece: a line with its `text` if `native` is set, else the
        notes of its `score`. Write a decoder to show text while it is generated.
        """
        return _BufferedDecoder(self)

    def state(self) -> dict[str, Any]:
        """Return the result of `fit` as plain JSON."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the result of `fit` from that of `state`."""

    def variants(self, piece: Piece[ContentT]) -> Iterator[Piece[ContentT]]:
        """Yield further training pieces made from `piece`, such as transpositions."""
        return iter(())

    def default_conditions(self) -> Iterable[str]:
        """Return the labels that a model is conditioned on without `--conditions`, if they differ between pieces."""
        return ()

    def losses(self, piece: Piece[ContentT]) -> Mapping[str, int]:
        """Count what encoding `piece` loses, as in `Piece.losses`, which is the default."""
        return piece.losses

    def score(self, piece: Piece[ContentT]) -> Score | None:
        """Return `piece` as music; None if it is not music or cannot be played."""
        return None

    def times(self, steps: Sequence[AnyStep]) -> Sequence[Fraction | float] | None:
        """Return the onset of each of `steps`, the end symbol included, in beats, or in seconds with `absolute_time`.

        They place the surprisal of steps in a piano roll and in bars. By default None: all steps have the same length.
        """
        return None

    def from_score(self, score: Score) -> Piece[ContentT]:
        """Return `score` as a piece; its `losses` count what it cannot express.

        Raises EncodeError if it cannot be expressed at all.
        """
        raise Unsupported(
            f"`{self.name}` cannot read music",
            f"use a file that it reads: {', '.join(self.suffixes)}" if self.suffixes else None,
        )

    def primer_from_score(self, score: Score) -> Piece[ContentT]:
        """Return `score` as a primer: as `from_score`, without the ending and without padding of the last bar.

        Raises the same errors.
        """
        return self.from_score(score)

    def constraint(
        self, controls: ControlsT | None = None, context: GenerationContext | None = None
    ) -> Constraint | None:
        """Return the automaton of pieces that satisfy `controls` in `context`; None if every piece does.

        A control named `keep_bars` selects bars of `context.tune`. Raises Unsatisfiable, naming the two in conflict.
        """
        return None

    def plan(self, piece: Piece[ContentT]) -> str | None:
        """Return what the position features of `piece` need to know in advance, such as its number of bars.

        None if nothing. The constraint gets it as `context.plan`.
        """
        return None

    def plans(self, controls: ControlsT | None, context: GenerationContext) -> Mapping[str, int]:
        """Return the plans that generated pieces may have, each with its weight; empty for none.

        Each piece draws one with its own seed, and is generated under `constraint` with it as `context.plan`. Usually
        these are the plans of the training pieces that fit `controls` and `context`.
        """
        return {}

    def plan_labels(self, plan: str) -> Mapping[str, str]:
        """Return the labels, such as the meter, of every piece with this plan."""
        return {}

    def step_features(self, piece: Piece[ContentT], steps: Sequence[AnyStep]) -> Iterable[tuple[int, ...]]:
        """Yield the position features of each of the `steps` of `piece`, the end symbol included.

        These are the features of `constraint` without controls, as in generation; override it only to be faster. Raises
        EncodeError if that constraint does not accept the piece.
        """
        context, tokens = GenerationContext(plan=self.plan(piece)), self.kind is StepKind.TOKENS
        constraint = self.constraint(self.Controls(), context)
        if constraint is None:
            raise Unsupported(f"`{self.name}` has position features, but no constraint")
        try:
            state = constraint.start(())
        except Unsatisfiable as error:
            raise EncodeError(error.message, error.hint) from error
        for number, step in enumerate(steps):
            yield constraint.features(state)
            if tokens and not constraint.allowed(state) >> step & 1:
                raise EncodeError(f"step {number + 1} breaks the constraint of `{self.name}`")
            if step != self.spec.end:
                state = constraint.step(state, step)

    def max_steps(self, controls: ControlsT | None, context: GenerationContext) -> int:
        """Return the maximum length of a piece in steps, including the primer."""
        return context.length or len(context.primer) + self.length

    def estimated_steps(self, controls: ControlsT | None, context: GenerationContext) -> int | None:
        """Estimate the length of a piece in steps, including the primer, from its controls; None if unknown.

        By default `max_steps`, if the controls change it.
        """
        limit = self.max_steps(controls, replace(context, length=None))
        return limit if limit != len(context.primer) + self.length else None

    def control_labels(self, controls: ControlsT | None) -> Mapping[str, str]:
        """Return the labels, such as the meter, of every piece that satisfies `controls`."""
        return {}
