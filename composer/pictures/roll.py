"""Piano rolls as SVG, PNG or PDF: notes colored by voice or by surprisal, in lines of a few bars."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from composer.api import ComposerError, Note, Part, Score
from composer.formats.control_characters import without_control_characters
from composer.music.sounding import sounding_parts, with_drum_rows
from composer.pictures.figure import figure, save_figure
from composer.pictures.roll_lines import Line, lines, notes_in

PURPOSE = "a picture of a piano roll"
MAX_LINES = 60
"""Maximum lines in one picture."""
MAX_CAPTION = 110
"""Maximum characters of a title."""
WIDTH, ROW, GAP, CAPTION = 11.0, 0.055, 0.3, 0.5
"""Width of a picture, height of a pitch, of the space between lines and of a caption, in inches."""

VOICES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#6b6b6b")
"""Colors of the voices, which the color-blind can tell apart too."""
SHADES = ("#a9b4c4", "#5aa79e", "#7da83a", "#e0ac1e", "#e5701a", "#d6173f")
"""Colors of notes from expected to surprising; one more than the levels."""
_DARK_LANE, _BAR, _BEAT = "#f0f1f3", "#9aa0a8", "#e1e3e7"
_BLACK_KEYS = frozenset({1, 3, 6, 8, 10})


@dataclass(frozen=True)
class Surprise:
    """Surprisal of notes: `bits_of` gives that of one, `levels` are the bits at which the color changes."""

    bits_of: Callable[[Note], float]
    levels: Sequence[float]


class RollPiece(NamedTuple):
    """A piece to draw. `facts` stand under the title; with a `surprise`, its notes are colored by that."""

    score: Score
    name: str = ""
    facts: str = ""
    surprise: Surprise | None = None


class _Rows(NamedTuple):
    """Pitches from `lowest` to `highest`; for percussion, indices of `sounds`."""

    lowest: int
    highest: int
    sounds: Sequence[int] = ()


class _Block(NamedTuple):
    """A piece as it is drawn: its parts, pitches and lines, and how many of its bars are left out."""

    piece: RollPiece
    parts: tuple[Part, ...]
    rows: _Rows
    lines: Sequence[Line]
    omitted: int


def draw_rolls(pieces: Sequence[RollPiece], suffix: str) -> tuple[bytes, int]:
    """Return the pieces one below another as a picture file, and how many bars did not fit in MAX_LINES lines.

    Raises ComposerError without matplotlib, or if no piece has notes.
    """
    blocks = list(_blocks(pieces))
    if not blocks:
        raise ComposerError("there are no notes to draw", "`composer check` says what is wrong with a file")
    height = sum(CAPTION + len(block.lines) * (_line_height(block.rows) + GAP) for block in blocks)
    with figure(PURPOSE, WIDTH, height) as drawn:
        top = height
        for block in blocks:
            top = _draw_block(drawn, block, top, height)
        return save_figure(drawn, suffix), sum(block.omitted for block in blocks)


def _blocks(pieces: Sequence[RollPiece]) -> Iterator[_Block]:
    left = MAX_LINES
    for piece in pieces:
        score = without_control_characters(piece.score)
        parts, sounds = with_drum_rows(sounding_parts(score))
        if not parts:
            continue
        found = list(lines(score))
        shown = found[:left]
        omitted = sum(number > 0 for line in found[left:] for _, number in line.bars)
        left -= len(shown)
        pitches = {note.pitch for part in parts for note in part.notes}
        rows = _Rows(min(pitches) - 1, max(pitches) + 1, sounds)
        end = shown[-1].end if shown else 0
        drawn = tuple(replace(part, notes=tuple(note for note in part.notes if note.onset < end)) for part in parts)
        yield _Block(piece._replace(score=score), drawn, rows, shown, omitted)


def _line_height(rows: _Rows) -> float:
    return max(rows.highest - rows.lowest + 1, 10) * (ROW * 2 if rows.sounds else ROW)


def _draw_block(drawn: Any, block: _Block, top: float, total: float) -> float:
    """Draw a piece below `top` inches of `total`, and return where it ends."""
    left, right = 0.55 / WIDTH, 1 - 0.2 / WIDTH
    title = block.piece.score.title or block.piece.name
    drawn.text(left, (top - 0.22) / total, title[:MAX_CAPTION], weight="bold", size=12)
    drawn.text(left, (top - 0.4) / total, block.piece.facts[:MAX_CAPTION], size=8, color="#555555")
    _draw_legend(drawn, block, right, (top - 0.24) / total)
    top -= CAPTION
    for number, line in enumerate(block.lines):
        height = _line_height(block.rows)
        top -= height + GAP
        axes = drawn.add_axes((left, (top + GAP / 2) / total, right - left, height / total))
        _draw_line(axes, block, line, number == 0)
    if block.omitted:
        drawn.text(left, (top + 0.02) / total, f"… {block.omitted:,} more bars", size=8, color="#555555")
    return top


def _draw_legend(drawn: Any, block: _Block, right: float, y: float) -> None:
    """Draw the colors of the voices, or of the levels of surprisal, from the right edge to the left."""
    if block.piece.surprise is not None:
        levels = (0, *block.piece.surprise.levels)
        texts = [f"{level:g}{'+' if level == levels[-1] else ''}" for level in levels]
        entries = [*zip(SHADES, texts, strict=True)]
        entries.insert(0, ("", "bits:"))
    elif len(block.parts) > 1:
        entries = [
            (VOICES[number % len(VOICES)], (part.name or f"part {number + 1}")[:20])
            for number, part in enumerate(block.parts[: len(VOICES)])
        ]
    else:
        return
    for color, text in reversed(entries):
        right -= (0.14 + 0.075 * len(text)) / WIDTH
        drawn.text(right, y, text, size=8, color="#333333")
        if color:
            drawn.text(right - 0.13 / WIDTH, y, "■", size=9, color=color)
        right -= 0.13 / WIDTH


def _draw_line(axes: Any, block: _Block, line: Line, is_first: bool) -> None:
    rows = block.rows
    axes.set_xlim(float(line.start), float(line.start) + _scale(block))
    axes.set_ylim(rows.lowest - 0.5, rows.highest + 0.5)
    end = float(line.end)
    for pitch in range(rows.lowest, rows.highest + 1):
        if pitch % 2 if rows.sounds else pitch % 12 in _BLACK_KEYS:
            axes.fill_between([float(line.start), end], pitch - 0.5, pitch + 0.5, color=_DARK_LANE, lw=0, zorder=0)
    for beat in range(int(line.start) + 1, int(line.end) + 1):
        axes.axvline(beat, color=_BEAT, lw=0.5, zorder=1)
    for start, number in line.bars:
        axes.axvline(float(start), color=_BAR, lw=0.8, zorder=1)
        if number > 0:
            axes.text(float(start), rows.highest + 0.7, str(number), size=7, color="#777777", va="bottom")
    numbered = {start for start, number in line.bars if number > 0}
    for chord in block.piece.score.chords:
        if line.start <= chord.onset < line.end:
            place, shift = (float(chord.onset), rows.highest + 0.7), (15 if chord.onset in numbered else 0, 0)
            style = {"size": 7, "weight": "bold", "va": "bottom", "annotation_clip": False}
            axes.annotate(chord.symbol[:12], place, shift, textcoords="offset points", **style)
    _draw_notes(axes, block, line)
    _label_pitches(axes, rows)
    axes.set_xticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _scale(block: _Block) -> float:
    """Return the beats that fill the width: as many as the longest line has."""
    return max(float(line.end - line.start) for line in block.lines)


def _draw_notes(axes: Any, block: _Block, line: Line) -> None:
    """Draw the notes as boxes with a darker beginning; earlier parts cover later ones."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb

    edge = 0.12
    for number, part in reversed([*enumerate(block.parts)]):
        boxes, onsets, colors = [], [], []
        for note, begin, end in notes_in(line, part.notes):
            low, high = note.pitch - 0.42, note.pitch + 0.42
            x, stop = float(begin), max(float(end) - 0.03, float(begin) + 0.05)
            boxes.append([(x, low), (x, high), (stop, high), (stop, low)])
            cut = min(x + edge, stop) if note.onset >= line.start else x
            onsets.append([(x, low), (x, high), (cut, high), (cut, low)])
            colors.append(to_rgb(_color(block.piece.surprise, number, note)))
        dark = [tuple(0.6 * value for value in color) for color in colors]
        axes.add_collection(PolyCollection(boxes, facecolors=colors, linewidths=0, zorder=2))
        axes.add_collection(PolyCollection(onsets, facecolors=dark, linewidths=0, zorder=3))


def _color(surprise: Surprise | None, part: int, note: Note) -> str:
    if surprise is None:
        return VOICES[part % len(VOICES)]
    return SHADES[bisect_right(surprise.levels, surprise.bits_of(note))]


def _label_pitches(axes: Any, rows: _Rows) -> None:
    if rows.sounds:
        ticks = range(len(rows.sounds))
        labels = [str(sound) for sound in rows.sounds]
    else:
        ticks = range(-(-rows.lowest // 12) * 12, rows.highest + 1, 12)
        labels = [f"C{pitch // 12 - 1}" for pitch in ticks]
    axes.set_yticks(list(ticks), labels, size=7)
    axes.tick_params(axis="y", length=2, color=_BAR)
