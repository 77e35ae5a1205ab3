"""The abc representation: tunes in ABC notation, character by character."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from composer.api import (
    ConditionVocabulary,
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
    Score,
    SequenceSpec,
    Source,
    Step,
    StepKind,
    Unsatisfiable,
    hookimpl,
)
from composer_abc import pieces
from composer_abc.controls import AbcControls
from composer_abc.pieces import NUMBER_LINE

__all__ = ["Abc", "AbcControls", "AbcOptions"]

END = 0
"""The id of the end symbol, which is no character."""

LONG_BAR = 64
"""More characters than most bars have."""

HEADER, BAR = 45, 10
"""The characters of a header and of a bar, on average over the tunes that the bundled model was taught (44.4, 10.1)."""

CHORDS_LEFT_OUT = "chord symbols left out"
_SYMBOL = re.compile(r'"[^"\n]*"')
_TEXT_KINDS = ("dialect", "raw")


@dataclass(frozen=True, slots=True)
class AbcOptions:
    """What of a tune's text is learnt."""

    text: str = field(
        default="dialect",
        metadata={
            "help": "`dialect`: tunes rewritten in one regular way; `raw`: the text as it is, a blank line ends a piece"
        },
    )

    conditions: tuple[str, ...] = field(
        default=(),
        metadata={"help": "labels that the model is told, such as meter,mode; there are rhythm, meter, key and mode"},
    )

    def __post_init__(self) -> None:
        if self.text not in _TEXT_KINDS:
            raise OptionError(f"there is no text `{self.text}` in abc", f"choose {' or '.join(_TEXT_KINDS)}")


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
            raise ReadError(f"{source.label} is empty", "give a file of tunes in ABC notation")
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
                f"{piece.source or 'the text'} has symbols that were never seen in training: {names}",
                f"the model knows these: {''.join(self.characters).strip()}",
            )
        return [self.ids[character] for character in text]

    def losses(self, piece: Piece) -> Mapping[str, int]:
        unknown = _SYMBOL.findall(_text(piece)) if self._melody_only else ()
        told = piece.losses.get(CHORDS_LEFT_OUT, 0) + len(unknown)
        return {**piece.losses, CHORDS_LEFT_OUT: told} if told else piece.losses

    def _known_text(self, piece: Piece) -> str:
        """The text of a piece, without chord symbols where the model was taught none."""
        return _SYMBOL.sub("", _text(piece)) if self._melody_only else _text(piece)

    @property
    def _melody_only(self) -> bool:
        """Whether the model knows melodies alone, in which quotation marks stand for nothing but chord symbols."""
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
        """A tune in other keys; raw text is otherwise left as it is."""
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

    def constraint(self, wishes: Any = None, given: GenerationContext | None = None) -> Constraint | None:
        wishes, given = wishes or AbcControls(), given or GenerationContext()
        if self.raw:
            if wishes != AbcControls():
                raise Unsatisfiable(
                    "a model of raw text keeps to no rules", "train one of the dialect, or ask for nothing"
                )
            return None
        if wishes != AbcControls():
            return self._controlled(wishes, given)
        if self._automaton is None:
            from composer.formats.abc.grammar.automaton import Automaton

            self._automaton = Automaton(self.characters)
        return self._automaton

    def _controlled(self, wishes: AbcControls, given: GenerationContext) -> Constraint:
        from composer.formats.abc.grammar.build import ConstraintBuilder
        from composer.formats.abc.grammar.vocabulary import Vocabulary
        from composer.music.bar_ranges import parse_bar_ranges

        asking = ConstraintBuilder(Vocabulary(self.characters), given.primer)
        if wishes.keep_bars:
            if given.tune is None:
                raise Unsatisfiable("--keep-bars needs a tune of which to keep bars", "give it with --prime FILE")
            asking = replace(
                asking, primer=(), text=self._known_text(given.tune), keep_bars=parse_bar_ranges(wishes.keep_bars)
            )
        automaton = asking.build(wishes.tune_controls())
        likely = self.estimated_steps(wishes, given)
        if likely is not None and given.length is not None:
            wish = f"--keep-bars {wishes.keep_bars}" if wishes.keep_bars else f"--bars {wishes.bars}"
            least = len(asking.primer) + len(automaton.complete(automaton.start(asking.primer)))
            if given.length < least:
                raise Unsatisfiable(
                    f"{wish} and --length {given.length} clash: such a tune takes {least} characters or more",
                    f"leave out --length, or ask for {max(likely, least)}",
                )
        return automaton

    def max_steps(self, wishes: Any, given: GenerationContext) -> int:
        """Room for as many bars as are wished or given."""
        room = LONG_BAR * getattr(wishes, "bars", 0)
        if given.tune is not None:
            room = max(room, 2 * len(self._known_text(given.tune)))
        return given.length or len(given.primer) + max(self.length, room)

    def estimated_steps(self, wishes: Any, given: GenerationContext) -> int | None:
        """As in most tunes of so many bars, or as in the tune of which bars stay."""
        if given.tune is not None:
            return len(self._known_text(given.tune)) + 1
        bars: int = getattr(wishes, "bars", 0)
        return HEADER + BAR * bars if bars else None

    def control_labels(self, wishes: Any) -> Mapping[str, str]:
        return wishes.labels() if isinstance(wishes, AbcControls) else {}

    def from_score(self, score: Score) -> Piece:
        return self._piece_from_score(score, opening=False)

    def primer_from_score(self, score: Score) -> Piece:
        return self._piece_from_score(score, opening=True)

    def _piece_from_score(self, score: Score, *, opening: bool) -> Piece:
        from composer.formats.abc.writer.score import dialect_with_losses

        text, losses = dialect_with_losses(score, opening=opening)
        return Piece(f"X:1\n{text}" if self.raw else text, title=score.title, losses=losses)


class _Decoder:
    """Streams a tune as characters come: its number first, a complete last line and a blank line last."""

    def __init__(self, abc: Abc, number: int) -> None:
        self.abc, self.number = abc, number
        self.opening: str | None = ""
        """What came so far, while that may still be an `X:` line of the piece's own, to be renumbered."""
        self.last = ""

    def push(self, step: Step) -> Iterable[Event]:
        character = self.abc._character(step)
        if self.opening is None:
            return self._out(character)
        self.opening += character
        if "X:".startswith(self.opening[:2]) and not self.opening.endswith("\n"):
            return ()
        return self._out(self._open())

    def finish(self) -> Iterable[Event]:
        text = self._open() if self.opening is not None else ""
        last = (text or self.last)[-1:]
        return self._out(text + ("\n" if last == "\n" else "\n\n"))

    def _open(self) -> str:
        text, self.opening = self.opening or "", None
        return f"X:{self.number}\n" + NUMBER_LINE.sub("", text, count=1)

    def _out(self, text: str) -> Iterable[Event]:
        self.last = text[-1:] or self.last
        return (text,) if text else ()


def _text(piece: Piece) -> str:
    return str(piece.content)


@hookimpl
def composer_representation() -> type[Representation]:
    """The plugin's hook."""
    return Abc
