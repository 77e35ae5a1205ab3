"""`composer show --surprise`: surprisal of each step, in color or as figures."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from composer.analysis.surprisal import Surprisal, beats_per_step, surprisal
from composer.api import Piece, ReadError, Representation, Score, Source
from composer.checkpoints.load import LoadedModel, load_model
from composer.cli import inputs
from composer.cli.model_choice import choose_model
from composer.cli.render.piano_roll import NoteStyle, roll
from composer.cli.render.roll_layout import Mark, System
from composer.music.bars import bars

if TYPE_CHECKING:
    from rich.text import Text

    from composer.cli.console import Console

__all__ = ["show"]

LEVELS = (1, 2, 4, 8, 16)
"""Bits at which the color changes."""

LEVEL_STYLES = (
    NoteStyle("#7a8ca8", "#47536a"),
    NoteStyle("#4fb0a5", "#2c6a64"),
    NoteStyle("#9cc24e", "#5c7530"),
    NoteStyle("#f2c14e", "#94742a"),
    NoteStyle("#f08a3c", "#95531f"),
    NoteStyle("#ff4f6d", "#a02a40"),
)
"""From expected to surprising: one more than LEVELS."""

BAR_WIDTH = 32
"""Columns of the longest bar that stands for a bar's bits."""

MAX_SYSTEMS = 16
"""How many lines of a roll a piece may take on a terminal."""


def show(console: Console, source: Source, checkpoint: Path | None, tune: int | None, most: int) -> None:
    """Show the `tune`-th piece of `source`, else the first ones up to `most`, as a model sees them.

    Raises ReadError, CheckpointError, EncodeError, and Unsupported where the model has no exact probabilities.
    """

    def take(path: Path) -> tuple[LoadedModel, str, Sequence[Piece], Iterator[Piece]]:
        player = load_model(path)
        pieces = inputs.pieces(source, player.representation)
        chosen = list(islice(pieces, tune - 1, tune) if tune is not None else islice(pieces, most))
        for piece in chosen:
            player.representation.encode(piece)
        return player, path.stem, chosen, pieces

    player, name, chosen, pieces = choose_model(source, checkpoint, take, console)
    if not chosen:
        raise ReadError(f"{source.label} has no piece {tune}", "pieces are numbered from 1")
    for number, piece in enumerate(chosen):
        console.write("\n" * bool(number) + _picture(console, player, piece, name))
    if tune is None and next(pieces, None) is not None:
        console.say(f"{source.label} has more pieces: --tune N shows one, --most N shows more")


def _picture(console: Console, player: LoadedModel, piece: Piece, model: str) -> str:
    """A piece as stdout can show it."""
    found, representation = surprisal(player, piece), player.representation
    heading = f"{len(found.steps):,} steps, {found.total:,.1f} bits, {found.mean:.2f} bits per step, model {model}"
    score, canvas = representation.score(piece), console.rich_console(console.stdout)
    colored = canvas.is_terminal and canvas.color_system is not None and not canvas.no_color
    as_text = representation.native == representation.formats[0] or score is None
    if not colored:
        rows = _text_rows(representation, found) if as_text or score is None else _bars(representation, score, found)
        title = f"{name}: " if (name := piece.title or piece.source) else ""
        return f"{title}{heading}\n{_table(rows, text=as_text)}"
    with canvas.capture() as drawn:
        canvas.print(_legend(heading))
        if as_text or score is None:
            canvas.print(_colored(_texts_and_bits(representation, found)), soft_wrap=True)
        else:
            inking = _style_of(found, beats_per_step(representation, found.steps))
            canvas.print(roll(score, console.width, MAX_SYSTEMS, inking), end="")
    return drawn.get()


def _level_style(bits: float) -> NoteStyle:
    return LEVEL_STYLES[bisect_right(LEVELS, bits)]


def _legend(heading: str) -> Text:
    from rich.text import Text

    text = Text(f"{heading}\nbits per step: ")
    for level, ink in zip((0, *LEVELS), LEVEL_STYLES, strict=True):
        text.append("■ ", ink.onset)
        text.append(f"{level}{'+' if level == LEVELS[-1] else ''}  ", "dim")
    return text


def _texts_and_bits(representation: Representation, found: Surprisal) -> Iterator[tuple[str, float]]:
    """The text of each step, as the representation's decoder writes it, and the bits that it cost."""
    decoder = representation.decoder()
    for step, bits in zip(found.steps, found.bits, strict=True):
        yield "".join(event for event in decoder.push(step) if isinstance(event, str)), bits
    yield "".join(event for event in decoder.finish() if isinstance(event, str)), 0.0


def _colored(chunks: Iterator[tuple[str, float]]) -> Text:
    """A text in the colors of its bits; of what is blank, the ground is colored where it was not expected."""
    from rich.text import Text

    text = Text()
    for chunk, bits in chunks:
        blank = not chunk.strip()
        style = _level_style(bits).onset if not blank else f"on {_level_style(bits).onset}" if bits >= LEVELS[1] else ""
        text.append(chunk, style)
    text.rstrip()
    return text


def _style_of(found: Surprisal, each: Fraction) -> Callable[[System, int, Mark], NoteStyle]:
    """Cells in the color of their step, of which `each` takes so many beats; of several steps, the dearest."""

    def ink(system: System, column: int, mark: Mark) -> NoteStyle:
        begin = (system.start + column * system.cell) / each
        first = min(int(begin), len(found.bits) - 1)
        last = max(first + 1, int(begin + system.cell / each))
        return _level_style(max(found.bits[first:last]))

    return ink


Row = tuple[str, float, int]
"""A bar or a line of a piece: its number or text, its bits, and its steps."""


def _bars(representation: Representation, score: Score, found: Surprisal) -> Iterator[Row]:
    """The bars of a piece whose steps all take as long; what comes after the last one counts to that."""
    each, every = beats_per_step(representation, found.steps), list(bars(score))
    for number, bar in enumerate(every):
        begin = -(-bar.start // each)
        end = -(-bar.end // each) if number + 1 < len(every) else len(found.bits)
        yield str(bar.number), sum(found.bits[begin:end]), end - begin


BREAKS: Mapping[str | None, re.Pattern[str]] = {"abc": re.compile(r"[:\[]*\|[|:\]]*|::|\n")}
"""What ends a stretch of a text, by its native format; of others, lines do."""

LINE = re.compile(r"\n")
MARKS = re.compile(r"[\s|:\[\]]*")


def _text_rows(representation: Representation, found: Surprisal) -> Iterator[Row]:
    """The bars of a tune as text, or the lines of words, with what their steps cost."""
    chunks = list(_texts_and_bits(representation, found))
    text = "".join(chunk for chunk, _ in chunks)
    ends = _row_ends(text, BREAKS.get(representation.native, LINE))
    costs, steps, at = [0.0] * len(ends), [0] * len(ends), 0
    for number, (chunk, bits) in enumerate(chunks):
        at += len(chunk)
        stretch = min(bisect_left(ends, at), len(ends) - 1)
        costs[stretch] += bits
        steps[stretch] += number < len(found.steps)
    for number, end in enumerate(ends):
        if steps[number]:
            yield text[ends[number - 1] if number else 0 : end].strip(), costs[number], steps[number]


def _row_ends(text: str, breaks: re.Pattern[str]) -> list[int]:
    """Where the stretches of a text end; what is no more than marks and blanks is none of its own."""
    ends, begin = list[int](), 0
    for match in breaks.finditer(text):
        if not MARKS.fullmatch(text, begin, match.end()):
            ends.append(match.end())
            begin = match.end()
    if not MARKS.fullmatch(text, begin) or not ends:
        return [*ends, len(text)]
    return [*ends[:-1], len(text)]


def _table(rows: Iterator[Row], *, text: bool) -> str:
    """A line for each row, under a heading: what it is, or how much."""
    every = list(rows)
    dearest = max((bits / steps for _, bits, steps in every if steps), default=0.0) or 1.0
    lines = [f"{'bits':>8}  {'/step':>6}" if text else f"{'bar':>4}  {'bits':>8}  {'/step':>6}"]
    for name, bits, steps in every:
        mean = bits / steps if steps else 0.0
        figures = f"{bits:8.1f}  {mean:6.2f}"
        gauge = "█" * round(BAR_WIDTH * mean / dearest)
        lines.append(f"{figures}  {name}".rstrip() if text else f"{name:>4}  {figures}  {gauge}".rstrip())
    return "\n".join(lines) + "\n"
