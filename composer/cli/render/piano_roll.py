"""Draw a score as a piano roll: in color or in plain characters, with two pitches per line.

In color, notes start bright and continue darker, so that repeated notes differ from long ones; in plain characters,
repeated notes leave a gap. Several parts, percussion and terminals without Unicode have one pitch per line. Long
pieces wrap into systems, like the lines of a score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from composer.api import Score
from composer.cli.render.facts import facts, pitch_name
from composer.cli.render.roll_layout import Mark, System, lay_out
from composer.cli.render.text import count_noun
from composer.music.bars import count_bars
from composer.music.instruments import PERCUSSION
from composer.music.sounding import sounding_parts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GUTTER = 5
"""Columns on the left: three for pitch names or the bar number, two for the keys."""
MIN_WIDTH = 16


class NoteStyle(NamedTuple):
    """Colors and plain characters for the onset of a note and for the rest of it."""

    onset: str
    hold: str
    onset_mark: str = ""
    hold_mark: str = ""


_PART_STYLES = (
    NoteStyle("#ffd479", "#b8792a", "█", "▒"),
    NoteStyle("#7fe7dc", "#2b8580", "▓", "░"),
    NoteStyle("#f4a6c4", "#9c4a72", "◆", "◇"),
    NoteStyle("#b7a6ff", "#6450b4", "●", "○"),
    NoteStyle("#b6e388", "#5f8f35", "■", "□"),
)
"""Styles of the parts, in order; later parts repeat from the second."""
_KEYS = ("#dcdcd6", "#33343c", "#9fb4d8")
"""Colors of white keys, black keys and every C."""
_LANES = (("#1d1e21", "#2a2b2f", "#42454d"), ("#151618", "#212225", "#373a41"))
"""Backgrounds of white and of black keys: plain, on a beat, on a bar line."""
_BLACK = frozenset({1, 3, 6, 8, 10})
_PLAIN = {"bar": "│", "beat": "·", "white": "├", "black": "│"}
_EMPTY, _SHORT, _FULL = range(3)
"""What a note takes of half a cell: nothing, its left part, all of it."""
_BLOCKS = {
    (_FULL, _EMPTY): "▀", (_EMPTY, _FULL): "▄", (_FULL, _FULL): "█",
    (_SHORT, _EMPTY): "▘", (_EMPTY, _SHORT): "▖", (_SHORT, _SHORT): "▌",
    (_FULL, _SHORT): "▛", (_SHORT, _FULL): "▙",
}  # fmt: skip
"""Characters for what the notes of two pitches, the upper one first, take of a cell."""
_ASCII = str.maketrans(dict(zip("█▓▒░◆◇●○■□│├·–♩♯♭…", "#@=-*+O~X:||.-q#b.", strict=True)))


StyleOf = Callable[[System, int, Mark], NoteStyle]
"""Returns the style of a mark in a column of a system."""


def picture(score: Score, console: Console, max_systems: int | None = None) -> Iterator[Text]:
    """Yield the piano roll, system by system, as `console` can show it: in color, plain characters or ASCII."""
    from rich.text import Text

    if console.color_system is not None and not console.no_color and console.is_terminal:
        yield from roll(score, console.width, max_systems)
        return
    ascii_only = console.options.ascii_only
    for text in roll_text(score, console.width, max_systems, ascii_only=ascii_only):
        yield Text(text, no_wrap=True)


def roll(score: Score, width: int, max_systems: int | None = None, style_of: StyleOf | None = None) -> Iterator[Text]:
    """Yield `score` in color, at most `width` columns wide; by default each part has its own color.

    First comes the caption, then each system, as soon as it is laid out, then what is left out.
    """
    from rich.text import Text

    yield Text.assemble(*_caption(score, width, colored=True, parts=style_of is None), no_wrap=True, end="")
    systems = _Shown(lay_out(score, max(width, MIN_WIDTH) - GUTTER), max_systems)
    for system in systems:
        text = Text("\n\n", no_wrap=True, overflow="crop", end="")
        for at, (line, style) in enumerate(_heading(system)):
            text.append(line, style if at else "dim")
        for upper, lower in _pairs(system):
            text.append("\n")
            cells = _colored_line(system, upper, lower, style_of or (lambda _system, _column, mark: _part_style(mark)))
            for style, run in groupby(cells, key=itemgetter(1)):
                text.append("".join(character for character, _ in run), style)
        yield text
    yield Text(systems.remainder(score) + "\n", "dim", no_wrap=True, end="")


def roll_text(score: Score, width: int, max_systems: int | None = None, *, ascii_only: bool = False) -> Iterator[str]:
    """Yield `score` in plain characters, with at most `width` columns and `max_systems` systems, as `roll` does."""
    for text in _plain(score, width, max_systems, paired=not ascii_only and len(sounding_parts(score)) == 1):
        yield text.translate(_ASCII) if ascii_only else text


def _plain(score: Score, width: int, max_systems: int | None, *, paired: bool) -> Iterator[str]:
    yield "".join(line for line, _ in _caption(score, width, colored=False))
    systems = _Shown(lay_out(score, max(width, MIN_WIDTH) - GUTTER), max_systems)
    for system in systems:
        lines = ["\n\n" + "".join(line for line, _ in _heading(system)).rstrip()]
        lines += _paired_lines(system) if paired and not system.sounds else _single_lines(system)
        yield "\n".join(lines)
    yield systems.remainder(score) + "\n"


def _single_lines(system: System) -> Iterator[str]:
    """Yield the lines of a system with one pitch per line, each part with its own marks."""
    for pitch in range(system.highest, system.lowest - 1, -1):
        key = _PLAIN["black" if _is_dark(system, pitch) else "white"]
        cells = "".join(_plain_cell(system, column, pitch) for column in range(system.columns))
        yield f"{_label(system, pitch):>3} {key}{cells}".rstrip()


def _paired_lines(system: System) -> Iterator[str]:
    """Yield the lines of a system with two pitches per line; labels name the lower one."""
    for upper, lower in _pairs(system):
        label = _label(system, lower)
        cells = "".join(_paired_cell(system, column, upper, lower) for column in range(system.columns))
        yield f"{label:>3} {_PLAIN['white' if label else 'black']}{cells}".rstrip()


class _Shown:
    """The first systems of a piece, which are not laid out before they are drawn."""

    def __init__(self, systems: Iterator[System], max_systems: int | None) -> None:
        self._systems, self._max_systems = systems, max_systems
        self._bars = 0

    def __iter__(self) -> Iterator[System]:
        for system in islice(self._systems, self._max_systems):
            self._bars += sum(number > 0 for number in system.bars.values())
            yield system

    def remainder(self, score: Score) -> str:
        """Return how many bars the systems leave out; empty if there are none."""
        if next(self._systems, None) is None:
            return ""
        last = count_bars(score, as_notated=True)
        left = last - self._bars
        to_last = "" if score.bar_numbers else f", to bar {last}"
        return f"\n\n… {count_noun(left, 'more bar')}{to_last}" if left else "\n\n… the rest of the last bar"


def _pairs(system: System) -> Iterator[tuple[int, int]]:
    """Yield the pitches that share a line, the upper one first; a percussion sound has a line of its own."""
    if system.sounds:
        yield from ((row, row) for row in range(system.highest, -1, -1))
    else:
        yield from ((upper, upper - 1) for upper in range(system.highest | 1, system.lowest - 1, -2))


def _colored_line(system: System, upper: int, lower: int, style_of: StyleOf) -> Iterator[tuple[str, str]]:
    """Yield a line as characters with styles."""
    yield f"{_label(system, lower):>3}", "dim"
    yield "▀▀", f"{_key_color(system, upper)} on {_key_color(system, lower)}"
    for column in range(system.columns):
        yield "▀", f"{_cell_color(system, column, upper, style_of)} on {_cell_color(system, column, lower, style_of)}"


def _is_dark(system: System, pitch: int) -> bool:
    """Return whether a pitch is a black key; every other sound of percussion counts as one."""
    return bool(pitch % 2) if system.sounds else pitch % 12 in _BLACK


def _key_color(system: System, pitch: int) -> str:
    return _KEYS[2] if pitch % 12 == 0 and not system.sounds else _KEYS[_is_dark(system, pitch)]


def _cell_color(system: System, column: int, pitch: int, style_of: StyleOf) -> str:
    mark = system.marks.get((column, pitch))
    if mark is None:
        light = 2 if column in system.bars else 1 if column in system.beats else 0
        return _LANES[_is_dark(system, pitch)][light]
    style = style_of(system, column, mark)
    return style.onset if mark.onset else style.hold


def _plain_cell(system: System, column: int, pitch: int) -> str:
    mark = system.marks.get((column, pitch))
    if mark is not None:
        return _part_style(mark).onset_mark if mark.onset else _part_style(mark).hold_mark
    return _empty_cell(system, column)


def _paired_cell(system: System, column: int, upper: int, lower: int) -> str:
    shares = _share(system, column, upper), _share(system, column, lower)
    return _BLOCKS.get(shares) or _empty_cell(system, column)


def _share(system: System, column: int, pitch: int) -> int:
    """Return what a note takes of a cell; if its pitch is struck again in the next one, it ends early."""
    if (column, pitch) not in system.marks:
        return _EMPTY
    following = system.marks.get((column + 1, pitch))
    return _SHORT if following is not None and following.onset else _FULL


def _empty_cell(system: System, column: int) -> str:
    if column in system.bars:
        return _PLAIN["bar"] if column else " "
    return _PLAIN["beat"] if column in system.beats else " "


def _part_style(mark: Mark) -> NoteStyle:
    return _PART_STYLES[mark.part if mark.part < len(_PART_STYLES) else 1 + (mark.part - 1) % (len(_PART_STYLES) - 1)]


def _label(system: System, pitch: int) -> str:
    """Return the name of a pitch at the left if it is a C, or the lowest one of a system without; else nothing."""
    if system.sounds:
        return str(system.sounds[pitch])
    bottom = system.lowest & ~1
    has_c = -(-bottom // 12) * 12 <= system.highest
    name = pitch_name(pitch, 0) if pitch % 12 == 0 or (pitch in {bottom, system.lowest} and not has_c) else ""
    return name if len(name) < GUTTER - 1 else ""


def _heading(system: System) -> Iterator[tuple[str, str]]:
    """Yield the line above a system: the first bar's number and chord symbols, or the numbers of all bars."""
    numbers = {column: str(number) for column, number in system.bars.items() if number > 0}
    over = system.chords
    first = numbers.get(0, "")
    if not over:
        over, first = _without_overlaps(numbers), ""
    yield f"{first:>3}{'':{GUTTER - 3}}", "dim"
    at = 0
    for column, text in sorted(over.items()):
        yield " " * (column - at), ""
        yield text, "bold" if system.chords else "dim"
        at = column + len(text)


def _without_overlaps(numbers: dict[int, str]) -> dict[int, str]:
    """Return the numbers that fit without overlap."""
    fitting: dict[int, str] = {}
    free = 0
    for column, text in sorted(numbers.items()):
        if column >= free:
            fitting[column] = text
            free = column + len(text) + 1
    return fitting


def _caption(score: Score, width: int, *, colored: bool, parts: bool = True) -> Iterator[tuple[str, str]]:
    """Yield the title, key, meter, tempo and size of the piece, and with `parts` a legend of the parts."""
    if score.title:
        yield score.title[: max(width, MIN_WIDTH)] + "\n", "bold"
    yield _wrapped(facts(score), width), ""
    sounding = sounding_parts(score)
    if sounding and sounding[0].percussion:
        sounds = sorted({note.pitch for part in sounding for note in part.notes})
        yield "\n" + _wrapped((f"{sound} {PERCUSSION.get(sound, 'percussion')}" for sound in sounds), width), "dim"
    if parts and len(sounding) > 1:
        yield "\n", ""
        for number, part in enumerate(sounding):
            style = _part_style(Mark(number, onset=True))
            yield "■■" if colored else style.onset_mark + style.hold_mark, style.onset
            yield f" {part.name or f'part {number + 1}'}  ", "dim"


def _wrapped(texts: Iterable[str], width: int) -> str:
    """Return texts, shortened if need be, in lines of at most `width` columns."""
    lines = [""]
    for fact in (each[: max(width, MIN_WIDTH)] for each in texts):
        longer = f"{lines[-1]} · {fact}" if lines[-1] else fact
        if len(longer) > max(width, MIN_WIDTH) and lines[-1]:
            lines.append(fact)
        else:
            lines[-1] = longer
    return "\n".join(lines)
