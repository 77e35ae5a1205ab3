"""The abc representation: tunes in ABC notation, character by character."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from composer.api import (
    ConditionVocabulary,
    Constraint,
    Decoder,
    EncodeError,
    Event,
    GenerationContext,
    Piece,
    ReadError,
    RejectedPiece,
    Representation,
    Score,
    SequenceSpec,
    Source,
    Step,
    StepKind,
    Unsatisfiable,
    hookimpl,
)
from composer.api.fields import invalid_value, option
from composer_abc import pieces
from composer_abc.controls import AbcControls
from composer_abc.pieces import NUMBER_LINE

__all__ = ["Abc", "AbcControls", "AbcOptions"]

END = 0
"""The id of the end token, which is not a character."""

LONG_BAR = 64
"""More characters than most bars have."""

HEADER, BAR = 45, 10
"""Mean characters of a header and a bar in the training data of the bundled model (44.4 and 10.1)."""

CHORDS_LEFT_OUT = "chord symbols left out"
_SYMBOL = re.compile(r'"[^"\n]*"')
_TEXT_KINDS = ("dialect", "raw")


@dataclass(frozen=True, slots=True)
class AbcOptions:
    """How tunes are represented."""

    text: str = option(
        "dialect", "`dialect` rewrites tunes in a regular style; `raw` keeps the text, split at blank lines"
    )
    conditions: tuple[str, ...] = option(
        (), "labels to use as conditions, such as meter,mode; choose from rhythm, meter, key and mode"
    )

    def __post_init__(self) -> None:
        if self.text not in _TEXT_KINDS:
            raise invalid_value("`text`", self.text, f"use {' or '.join(_TEXT_KINDS)}")


class Abc(Representation):
    """Tunes as characters of ABC text. A piece's content is that text, without its `X:` line in the dialect."""

    api, name, version = 1, "abc", 1
    summary = "tunes in ABC notation, character by character"
    kind = StepKind.TOKENS
    suffixes = (".abc", ".txt")
    formats = ("abc", "midi", "musicxml")
    native = "abc"
    step_name = "character"
    Options = AbcOptions
    Controls = AbcControls

    def __init__(self, options: AbcOptions | None = None) -> None:
        super().__init__(options)
        self.raw = self.options.text == "raw"
        self._restore((), {})

    def read(self, source: Source) -> Iterator[Piece | RejectedPiece]:
        text = source.text()
        if source.fragment:
            return iter([pieces.primer_piece(text, source, self.raw)])
        if not text.strip():
            raise ReadError(f"{source.label} is empty", "use a file of tunes in ABC notation")
        return pieces.raw_pieces(text, source) if self.raw else pieces.dialect_pieces(text, source)

    def fit(self, pieces: Iterable[Piece]) -> None:
        labels = ConditionVocabulary(self.options.conditions)
        characters = sorted({character for piece in labels.collect(pieces) for character in _text(piece)})
        self._restore(characters, labels.conditions())

    def _restore(self, characters: Iterable[str], conditions: Mapping[str, Iterable[str]]) -> None:
        self.conditions = {name: tuple(values) for name, values in conditions.items()}
        self.characters = tuple(characters)
        self.ids = {character: number for number, character in enumerate(self.characters, 1)}
        self._automaton: Constraint | None = None

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.TOKENS, 1 + len(self.characters), END, self.conditions)

    def encode(self, piece: Piece) -> list[Step]:
        return [*self.prime(piece), END]

    def prime(self, piece: Piece) -> list[Step]:
        text = self._known_text(piece)
        unseen = sorted(set(text) - self.ids.keys())
        if unseen:
            names = ", ".join(repr(character) for character in unseen)
            raise EncodeError(
                f"{piece.source or 'the text'} has characters that were not in the training data: {names}",
                f"the model knows {''.join(self.characters).strip()}",
            )
        return [self.ids[character] for character in text]

    def losses(self, piece: Piece) -> Mapping[str, int]:
        unknown = _SYMBOL.findall(_text(piece)) if self._melody_only else ()
        count = piece.losses.get(CHORDS_LEFT_OUT, 0) + len(unknown)
        return {**piece.losses, CHORDS_LEFT_OUT: count} if count else piece.losses

    def _known_text(self, piece: Piece) -> str:
        """Return the text of a piece, without chord symbols if the model knows none."""
        return _SYMBOL.sub("", _text(piece)) if self._melody_only else _text(piece)

    @property
    def _melody_only(self) -> bool:
        """Whether the model knows no chord symbols, the only use of quotation marks in the dialect."""
        return not self.raw and bool(self.ids) and '"' not in self.ids

    def decode(self, steps: Iterable[Step]) -> Piece:
        text = "".join(map(self._character, steps))
        title = re.search(r"^T:[ \t]*(.*)$", text, re.MULTILINE)
        return Piece(text, title=title[1].strip() if title else "")

    def _character(self, step: Step) -> str:
        return self.characters[step - 1] if isinstance(step, int) and step != END else ""

    def decoder(self, number: int = 1) -> Decoder:
        return _Decoder(self, number)

    def variants(self, piece: Piece) -> Iterator[Piece]:
        """Yield a tune in other keys; raw text is otherwise unchanged."""
        from composer.formats.abc.dialect.transpose import transpositions
        from composer.formats.abc.raw_transpose import text_transpositions

        text = _text(piece)
        moved = text_transpositions(text) if self.raw else ((each.text, each.key) for each in transpositions(text))
        for text, key in moved:
            yield Piece(text, piece.title, f"{piece.source} in {key}", {**piece.labels, "key": key})

    def state(self) -> dict[str, Any]:
        return {"characters": "".join(self.characters), "conditions": self.conditions}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._restore(state["characters"], state.get("conditions", {}))

    def score(self, piece: Piece) -> Score | None:
        from composer.formats.abc.reader.score import read_score

        try:
            return read_score(_text(piece))
        except ReadError:
            return None

    def constraint(self, controls: Any = None, context: GenerationContext | None = None) -> Constraint | None:
        controls, context = controls or AbcControls(), context or GenerationContext()
        if self.raw:
            if controls != AbcControls():
                hint = "leave out the controls, or use a model trained with -O text=dialect"
                raise Unsatisfiable("a model of raw text has no controls", hint)
            return None
        if controls != AbcControls():
            return self._controlled(controls, context)
        if self._automaton is None:
            from composer.formats.abc.grammar.automaton import Automaton

            self._automaton = Automaton(self.characters)
        return self._automaton

    def _controlled(self, controls: AbcControls, context: GenerationContext) -> Constraint:
        from composer.formats.abc.grammar.build import ConstraintBuilder
        from composer.formats.abc.grammar.vocabulary import Vocabulary
        from composer.music.bar_ranges import parse_bar_ranges

        builder = ConstraintBuilder(Vocabulary(self.characters), context.primer)
        if controls.keep_bars:
            if context.tune is None:
                raise Unsatisfiable("--keep-bars needs --prime", "add --prime FILE")
            kept = parse_bar_ranges(controls.keep_bars)
            builder = ConstraintBuilder(builder.vocabulary, (), self._known_text(context.tune), kept)
        constraint = builder.build(controls.tune_controls())
        estimate = self.estimated_steps(controls, context)
        if estimate is not None and context.length is not None:
            option = f"--keep-bars {controls.keep_bars}" if controls.keep_bars else f"--bars {controls.bars}"
            shortest = len(builder.primer) + len(constraint.complete(constraint.start(builder.primer)))
            if context.length < shortest:
                raise Unsatisfiable(
                    f"--length {context.length} is too short for {option}, which needs at least {shortest} characters",
                    f"leave out --length, or use --length {max(estimate, shortest)}",
                )
        return constraint

    def max_steps(self, controls: Any, context: GenerationContext) -> int:
        """Leave room for the requested bars or the tune to infill."""
        room = LONG_BAR * getattr(controls, "bars", 0)
        if context.tune is not None:
            room = max(room, 2 * len(self._known_text(context.tune)))
        return context.length or len(context.primer) + max(self.length, room)

    def estimated_steps(self, controls: Any, context: GenerationContext) -> int | None:
        """Estimate from the number of bars, or from the tune to infill."""
        if context.tune is not None:
            return len(self._known_text(context.tune)) + 1
        bars: int = getattr(controls, "bars", 0)
        return HEADER + BAR * bars if bars else None

    def control_labels(self, controls: Any) -> Mapping[str, str]:
        return controls.labels() if isinstance(controls, AbcControls) else {}

    def from_score(self, score: Score) -> Piece:
        return self._piece_from_score(score, as_primer=False)

    def primer_from_score(self, score: Score) -> Piece:
        return self._piece_from_score(score, as_primer=True)

    def _piece_from_score(self, score: Score, *, as_primer: bool) -> Piece:
        from composer.formats.abc.writer.score import dialect_with_losses

        text, losses = dialect_with_losses(score, as_primer=as_primer)
        return Piece(f"X:1\n{text}" if self.raw else text, title=score.title, losses=losses)


class _Decoder:
    """Streams a tune by character, after its number; it completes the last line and adds a blank one."""

    def __init__(self, abc: Abc, number: int) -> None:
        self.abc, self.number = abc, number
        self.number_line: str | None = ""
        """The text so far, while it may still be the piece's own `X:` line, which is replaced."""
        self.last = ""

    def push(self, step: Step) -> Iterable[Event]:
        character = self.abc._character(step)
        if self.number_line is None:
            return self._out(character)
        self.number_line += character
        if "X:".startswith(self.number_line[:2]) and not self.number_line.endswith("\n"):
            return ()
        return self._out(self._open())

    def finish(self) -> Iterable[Event]:
        text = self._open() if self.number_line is not None else ""
        last = (text or self.last)[-1:]
        return self._out(text + ("\n" if last == "\n" else "\n\n"))

    def _open(self) -> str:
        text, self.number_line = self.number_line or "", None
        return f"X:{self.number}\n" + NUMBER_LINE.sub("", text, count=1)

    def _out(self, text: str) -> Iterable[Event]:
        self.last = text[-1:] or self.last
        return (text,) if text else ()


def _text(piece: Piece) -> str:
    return str(piece.content)


@hookimpl
def composer_representation() -> type[Representation]:
    """Register the representation."""
    return Abc
