"""`composer show --surprise`: surprisal of each step, in color or as numbers."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from composer.analysis.surprisal import Surprisal, surprisal
from composer.api import Piece, ReadError, RejectedPiece, Representation, Score, Source
from composer.checkpoints.load import LoadedModel, load_model
from composer.cli import inputs
from composer.cli.model_choice import choose_model
from composer.cli.render.piano_roll import NoteStyle, roll
from composer.cli.render.roll_layout import Mark, System
from composer.cli.render.skipped import warn_of_skipped
from composer.cli.render.step_layout import Timeline, step_texts
from composer.music.bars import bars
from composer.system.escaping import escape

if TYPE_CHECKING:
    from rich.text import Text

    from composer.cli.console import Console

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
"""Styles from expected to surprising; one more than LEVELS."""

BAR_WIDTH = 32
"""Columns of the longest bar of the chart."""

MAX_SYSTEMS = 16
"""Maximum systems of a piano roll per piece on a terminal."""


class ModelPieces(NamedTuple):
    """The selected pieces of a source as a model reads them; `more` if there are others."""

    model: LoadedModel
    name: str
    pieces: Sequence[Piece]
    more: bool


def show(console: Console, source: Source, checkpoint: Path | None, tune: int | None, limit: int) -> None:
    """Show the surprisal of piece `tune` of `source`, else of the first `limit` pieces.

    Raises ReadError, CheckpointError, EncodeError, and Unsupported if the model has no exact probabilities.
    """
    found = select_pieces(console, source, checkpoint, tune, limit)
    for number, piece in enumerate(found.pieces):
        console.write_rendered("\n" * bool(number) + _picture(console, found.model, piece, found.name))
    if found.more:
        console.say(f"{source.label} has more pieces: --tune N shows one, --limit N shows more")


def select_pieces(
    console: Console, source: Source, checkpoint: Path | None, tune: int | None, limit: int
) -> ModelPieces:
    """Return piece `tune` of `source`, else its first `limit` pieces, for a model that reads them. Raises as `show`."""
    skipped = list[RejectedPiece]()

    def encode(path: Path) -> tuple[LoadedModel, str, Sequence[Piece], Iterator[Piece]]:
        loaded = load_model(path)
        skipped.clear()  # another model may read what this one does not
        pieces = inputs.pieces(source, loaded.representation, skipped=skipped)
        chosen = list(islice(pieces, tune - 1, tune) if tune is not None else islice(pieces, limit))
        for piece in chosen:
            loaded.representation.encode(piece)
        return loaded, path.stem, chosen, pieces

    loaded, name, chosen, pieces = choose_model(source, checkpoint, encode, console)
    if not chosen:
        raise ReadError(f"{source.label} has no piece {tune}", "use a lower number; the first piece is --tune 1")
    more = tune is None and next(pieces, None) is not None
    warn_of_skipped(console, skipped)
    return ModelPieces(loaded, name, chosen, more)


def _picture(console: Console, loaded: LoadedModel, piece: Piece, model: str) -> str:
    """Return a piece as stdout can show it, escaped: in color, or as rows of figures."""
    found, representation = surprisal(loaded, piece), loaded.representation
    heading = f"{len(found.steps):,} steps, {found.total:,.1f} bits, {found.mean:.2f} bits per step, model {model}"
    score, canvas = representation.score(piece), console.rich_console(console.stdout)
    colored = canvas.is_terminal and canvas.color_system is not None and not canvas.no_color
    as_text = representation.native == representation.formats[0] or score is None
    if not colored:
        rows = _text_rows(representation, found) if as_text or score is None else _bars(representation, score, found)
        title = f"{name}: " if (name := piece.title or piece.source) else ""
        return escape(f"{title}{heading}\n{_table(rows, text=as_text)}")
    with canvas.capture() as drawn:
        canvas.print(_legend(heading))
        if as_text or score is None:
            canvas.print(_colored(_texts_and_bits(representation, found)), soft_wrap=True)
        else:
            style_of = _style_of(Timeline.of(representation, found.steps, found.bits))
            for text in roll(score, console.width, MAX_SYSTEMS, style_of):
                canvas.print(text, end="")
    return drawn.get()


def _level_style(bits: float) -> NoteStyle:
    return LEVEL_STYLES[bisect_right(LEVELS, bits)]


def _legend(heading: str) -> Text:
    from rich.text import Text

    text = Text(f"{heading}\nbits per step: ")
    for level, style in zip((0, *LEVELS), LEVEL_STYLES, strict=True):
        text.append("■ ", style.onset)
        text.append(f"{level}{'+' if level == LEVELS[-1] else ''}  ", "dim")
    return text


def _texts_and_bits(representation: Representation, found: Surprisal) -> Iterator[tuple[str, float]]:
    """Yield the text that each step decodes to, with its bits."""
    texts, rest = step_texts(representation, found.steps)
    yield from zip(texts, found.bits, strict=True)
    yield rest, 0.0


def _colored(chunks: Iterator[tuple[str, float]]) -> Text:
    """Return the text colored by bits; surprising blanks get a background color."""
    from rich.text import Text

    text = Text()
    for chunk, bits in chunks:
        blank = not chunk.strip()
        style = _level_style(bits).onset if not blank else f"on {_level_style(bits).onset}" if bits >= LEVELS[1] else ""
        text.append(chunk, style)
    text.rstrip()
    return text


def _style_of(timeline: Timeline) -> Callable[[System, int, Mark], NoteStyle]:
    """Return the style of a cell by the most surprising of its steps."""

    def style(system: System, column: int, mark: Mark) -> NoteStyle:
        begin = system.start + column * system.cell
        return _level_style(max(timeline.during(begin, begin + system.cell)))

    return style


Row = tuple[str, float, int]
"""A bar or line of a piece: its number or text, its bits and its number of steps."""


def _bars(representation: Representation, score: Score, found: Surprisal) -> Iterator[Row]:
    """Yield the bars of a piece with the steps that begin in them; the last bar includes any steps after it."""
    timeline, all_bars = Timeline.of(representation, found.steps, found.bits), list(bars(score))
    for number, bar in enumerate(all_bars):
        begin = bisect_left(timeline.onsets, bar.start)
        end = bisect_left(timeline.onsets, bar.end) if number + 1 < len(all_bars) else len(found.bits)
        yield str(bar.written), sum(timeline.values[begin:end]), end - begin


BREAKS: Mapping[str | None, re.Pattern[str]] = {"abc": re.compile(r"[:\[]*\|[|:\]]*|::|\n")}
"""What ends a row of text, by native format; a line end by default."""

LINE = re.compile(r"\n")
MARKS = re.compile(r"[\s|:\[\]]*")


def _text_rows(representation: Representation, found: Surprisal) -> Iterator[Row]:
    """Yield the bars of an ABC tune, or the lines of a text, as rows."""
    chunks = list(_texts_and_bits(representation, found))
    text = "".join(chunk for chunk, _ in chunks)
    ends = _row_ends(text, BREAKS.get(representation.native, LINE))
    row_bits, steps, at = [0.0] * len(ends), [0] * len(ends), 0
    for number, (chunk, bits) in enumerate(chunks):
        at += len(chunk)
        row = min(bisect_left(ends, at), len(ends) - 1)
        row_bits[row] += bits
        steps[row] += number < len(found.steps)
    for number, end in enumerate(ends):
        if steps[number]:
            yield text[ends[number - 1] if number else 0 : end].strip(), row_bits[number], steps[number]


def _row_ends(text: str, breaks: re.Pattern[str]) -> list[int]:
    """Return where the rows of a text end; bar lines and blanks alone are no row."""
    ends, begin = list[int](), 0
    for match in breaks.finditer(text):
        if not MARKS.fullmatch(text, begin, match.end()):
            ends.append(match.end())
            begin = match.end()
    if not MARKS.fullmatch(text, begin) or not ends:
        return [*ends, len(text)]
    return [*ends[:-1], len(text)]


def _table(rows: Iterator[Row], *, text: bool) -> str:
    """Return a table of the rows, with their text or a bar chart."""
    all_rows = list(rows)
    highest = max((bits / steps for _, bits, steps in all_rows if steps), default=0.0) or 1.0
    lines = [f"{'bits':>8}  {'/step':>6}" if text else f"{'bar':>4}  {'bits':>8}  {'/step':>6}"]
    for name, bits, steps in all_rows:
        mean = bits / steps if steps else 0.0
        figures = f"{bits:8.1f}  {mean:6.2f}"
        chart = "█" * round(BAR_WIDTH * mean / highest)
        lines.append(f"{figures}  {name}".rstrip() if text else f"{name:>4}  {figures}  {chart}".rstrip())
    return "\n".join(lines) + "\n"
