"""The abc representation: tunes in ABC notation, character by character."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from composer.api import (
    Constraint,
    Decoder,
    EncodeError,
    Event,
    Given,
    Kind,
    Labels,
    OptionError,
    Piece,
    ReadError,
    Refused,
    Representation,
    Score,
    SequenceSpec,
    Source,
    Step,
    hookimpl,
)

if TYPE_CHECKING:
    from composer.formats.abc.lexer import TuneText

__all__ = ["Abc", "AbcOptions"]

END = 0
"""The id of the end symbol, which is no character."""

_TEXTS = ("dialect", "raw")
_OPENING = re.compile(r"X:[^\n]*(\n|$)")
_WHOLE_BARS = re.compile(r"^K:.*\n[^\0]*\|\]?\s*$", re.MULTILINE)


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
        if self.text not in _TEXTS:
            raise OptionError(f"there is no text `{self.text}` in abc", f"choose {' or '.join(_TEXTS)}")


class Abc(Representation):
    """Tunes as characters of ABC text. A piece's content is that text, without its `X:` line in the dialect."""

    api, name, version = 1, "abc", 1
    summary = "tunes in ABC notation, character by character"
    kind = Kind.TOKENS
    suffixes = (".abc", ".txt")
    formats = ("abc", "midi", "musicxml")
    native = "abc"
    step_name = "character"
    Options = AbcOptions

    def __init__(self, options: AbcOptions | None = None) -> None:
        super().__init__(options)
        self.raw = self.options.text == "raw"
        self._restore((), {})

    def read(self, source: Source) -> Iterator[Piece | Refused]:
        text = source.text()
        if source.fragment:
            return iter([_fragment(text, source, self.raw)])
        if not text.strip():
            raise ReadError(f"{source.label} is empty", "give a file of tunes in ABC notation")
        return _raw_pieces(text, source) if self.raw else _dialect_pieces(text, source)

    def fit(self, pieces: Iterable[Piece]) -> None:
        labels = Labels(self.options.conditions)
        characters = sorted({character for piece in labels.of(pieces) for character in _text(piece)})
        self._restore(characters, labels.conditions())

    def _restore(self, characters: Iterable[str], conditions: Mapping[str, Iterable[str]]) -> None:
        self.conditions = {name: tuple(values) for name, values in conditions.items()}
        self.characters = tuple(characters)
        self.ids = {character: number for number, character in enumerate(self.characters, 1)}
        self._automaton: Constraint | None = None

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(Kind.TOKENS, 1 + len(self.characters), END, self.conditions)

    def encode(self, piece: Piece) -> list[Step]:
        return [*self.prime(piece), END]

    def prime(self, piece: Piece) -> list[Step]:
        text = _text(piece)
        unseen = sorted(set(text) - self.ids.keys())
        if unseen:
            names = ", ".join(repr(character) for character in unseen)
            raise EncodeError(
                f"{piece.source or 'the text'} has symbols that were never seen in training: {names}",
                f"the model knows these: {''.join(self.characters).strip()}",
            )
        return [self.ids[character] for character in text]

    def decode(self, steps: Iterable[Step]) -> Piece:
        text = "".join(map(self._character, steps))
        title = re.search(r"^T:[ \t]*(.*)$", text, re.MULTILINE)
        return Piece(text, title=title[1].strip() if title else "")

    def _character(self, step: Step) -> str:
        return self.characters[step - 1] if isinstance(step, int) and step != END else ""

    def decoder(self, number: int = 1) -> Decoder:
        return _Decoder(self, number)

    def variants(self, piece: Piece) -> Iterator[Piece]:
        """A tune of the dialect in other keys; the text as it is has none."""
        from composer.formats.abc.transpose import transpositions

        for moved in () if self.raw else transpositions(_text(piece)):
            labels = {**piece.labels, "key": moved.key}
            yield Piece(moved.text, piece.title, f"{piece.source} in {moved.key}", labels)

    def state(self) -> dict[str, Any]:
        return {"characters": "".join(self.characters), "conditions": self.conditions}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._restore(state["characters"], state.get("conditions", {}))

    def score(self, piece: Piece) -> Score | None:
        from composer.formats.abc.reader import read_score

        try:
            return read_score(_text(piece))
        except ReadError:
            return None

    def constraint(self, wishes: Any = None, given: Given | None = None) -> Constraint | None:
        if self.raw:
            return None
        if self._automaton is None:
            from composer.formats.abc.automaton import Automaton

            self._automaton = Automaton(self.characters)
        return self._automaton

    def from_score(self, score: Score) -> Piece:
        from composer.formats.abc.writer import dialect_with_losses

        text, losses = dialect_with_losses(score)
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
        return f"X:{self.number}\n" + _OPENING.sub("", text, count=1)

    def _out(self, text: str) -> Iterable[Event]:
        self.last = text[-1:] or self.last
        return (text,) if text else ()


def _text(piece: Piece) -> str:
    return str(piece.content)


def _dialect_pieces(text: str, source: Source) -> Iterator[Piece | Refused]:
    from composer.formats.abc.lexer import split_tunes

    for number, tune in enumerate(split_tunes(text), 1):
        first = tune.lines[0] if tune.lines else ""
        numbered = first[2:].strip() if first.startswith("X:") else ""
        yield _each(_dialect_piece, tune, f"{source.label}: tune {numbered or number}")


def _raw_pieces(text: str, source: Source) -> Iterator[Piece | Refused]:
    """Every run of lines that are not blank is a piece, with whatever is in it; one without notes is refused."""
    from composer.formats.abc.lexer import TuneText

    lines = text.split("\n")
    start = 0
    for stop, line in enumerate([*lines, ""]):
        if line.strip():
            continue
        if stop > start:
            yield _each(_raw_piece, TuneText(tuple(lines[start:stop]), start + 1), source.label)
        start = stop + 1


def _each(read: Callable[[TuneText, str], Piece | Refused], tune: TuneText, name: str) -> Piece | Refused:
    """One tune; whatever may be wrong in it, the others of its file are read."""
    try:
        return read(tune, name)
    except (ArithmeticError, ValueError, RecursionError) as error:
        return Refused("a text that makes no sense", name, f"line {tune.first}: {error}")


def _dialect_piece(tune: TuneText, name: str) -> Piece | Refused:
    from composer.formats.abc.normalise import normalise

    normal = normalise(tune, name)
    if isinstance(normal, Refused):
        return normal
    labels = {"rhythm": normal.rhythm, "meter": normal.meter, "key": normal.key, "mode": normal.mode}
    return Piece(normal.text, normal.title, name, {kind: label for kind, label in labels.items() if label})


def _raw_piece(text: TuneText, name: str) -> Piece | Refused:
    from composer.formats.abc.dialect import rhythm_of
    from composer.formats.abc.elements import Sound
    from composer.formats.abc.keys import Time
    from composer.formats.abc.parser import parse_tune

    tune = parse_tune(text)
    number = tune.first("X").strip()
    name = f"{name}: {f'tune {number}' if number else f'line {text.first}'}"
    if not any(isinstance(each, Sound) and each.tones for part in tune.voices.values() for each in part):
        return Refused("no notes", name, f"line {text.first}" if number else "")
    time, key = tune.time or Time(free=True), tune.key
    labels = {
        "rhythm": rhythm_of(tune.first("R"), tune.first("T")),
        "meter": "" if time.free else str(time),
        "key": key.name if key else "",
        "mode": key.mode if key else "",
    }
    known = {kind: label for kind, label in labels.items() if label}
    return Piece(text.text, tune.first("T"), name, known)


def _fragment(text: str, source: Source, raw: bool) -> Piece | Refused:
    """An opening: as it is where a tune of the dialect may begin so; else, where it is whole bars, rewritten.

    A finished tune is an opening of which nothing is left off: after `:|` another part may follow, after `|]` nothing.
    """
    if raw:
        return Piece(text, source=source.label)
    from composer.formats.abc.conformance import UNFINISHED, conforms
    from composer.formats.abc.lexer import split_tunes
    from composer.formats.abc.normalise import normalise

    tunes = split_tunes(text)
    if tunes and text.startswith("X:"):
        text = _OPENING.sub("", tunes[0].text, count=1)
    legal = all(fault.kind == UNFINISHED for fault in conforms(text))
    if legal or not tunes or not _WHOLE_BARS.search(text):
        return Piece(text, source=source.label)
    normal = normalise(tunes[0], source.label)
    if isinstance(normal, Refused):
        return normal
    over = text.rstrip().endswith(("|]", ":|", "||"))
    return Piece(normal.text if over else normal.text.removesuffix("|]\n") + "|", normal.title, source.label)


@hookimpl
def composer_representation() -> type[Representation]:
    """The plugin's hook."""
    return Abc
