"""Check the bar lengths of an ABC tune: bars of the wrong length, unmatched pickups, and a wrong meter.

`bar_length_diagnostics` plays a tune out and adds up. `bar_length_problems` then looks at the notation: pickups that
another part's last bar makes room for are fine, problems with one cause are reported once, and a short bar at the end
of a part, where every player knows what to do, is only a warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from composer.check.problem import Problem, Severity
from composer.formats.abc.elements import Mark, Tune
from composer.formats.abc.reader.bars import Bar, bars
from composer.formats.abc.reader.lexer import Diagnostic
from composer.music.keys import WHOLE, Time

BAR_LENGTH_KINDS = frozenset({"bar too long", "bar too short"})

MIN_BARS_FOR_WRONG_METER = 6
"""The meter is wrong, not the bars, only if at least this many bars mostly agree on another length."""

MIN_UNBARRED = 8
"""Nobody forgets this many bar lines in one place: the music has none, like chant and old part-books."""


class _Place(NamedTuple):
    """The number of a bar as written (0 for the pickup) and its meter."""

    number: int
    time: Time

    @property
    def length(self) -> int:
        """Ticks that fill the bar; 0 in free meter."""
        return 0 if self.time.free else self.time.bar


def bar_length_diagnostics(time: Time, found: Sequence[Bar], order: Sequence[Bar]) -> list[Diagnostic]:
    """Check that bars fill their meter.

    A bar may be short if the next one played completes it, across a repeat, double bar line or part. The first bar may
    be a pickup, which the last one completes.
    """
    places, problems, pickup = _places(time, found), list[Diagnostic](), 0
    run, total = list[Bar](), 0
    for position, bar in enumerate(order):
        ticks, full = bar.ticks, places[id(bar)].length
        if not full:
            run = []
        elif ticks > full:
            problems.append(_bar_length_diagnostic(bar, "bar too long", ticks, places[id(bar)]))
            run = []
        elif ticks == full:
            problems += _short(run, places)
            run = []
        elif position == 0:
            pickup = ticks
        else:
            if run and not _separated(run[-1], bar):
                problems += _short(run, places)
                run = []
            total = total + ticks if run else ticks
            run.append(bar)
            if total == full:
                run = []
    if run and total + pickup != places[id(run[-1])].length:
        problems += _short(run, places)
    return problems


def _places(time: Time, found: Sequence[Bar]) -> dict[int, _Place]:
    """Return the number and meter of each bar, by its identity."""
    places: dict[int, _Place] = {}
    number = 1
    for bar in found:
        time = bar.time or time
        if not places and not time.free and bar.ticks < time.bar:
            number = 0
        places[id(bar)] = _Place(number, time)
        number += 1
    return places


def _separated(bar: Bar, following: Bar) -> bool:
    """Return whether more than a plain bar line is between two bars played in succession."""
    strong = _separates(bar.close) or _separates(following.open)
    return strong or following.part is not None or bar.line != following.line


def _short(run: Sequence[Bar], places: dict[int, _Place]) -> list[Diagnostic]:
    if not run:
        return []
    return [_bar_length_diagnostic(run[0], "bar too short", sum(bar.ticks for bar in run), places[id(run[0])])]


def _bar_length_diagnostic(bar: Bar, kind: str, ticks: int, place: _Place) -> Diagnostic:
    message = f"bar {place.number} has {_in_notes(ticks, place.time)}; {place.time} needs {place.time.numerator}"
    return Diagnostic(bar.line, bar.column, kind, message)


@dataclass(slots=True)
class _BarInVoice:
    """A bar, its meter, and whether a part begins or ends with it; `alone` for a pickup that is its own part."""

    bar: Bar
    time: Time
    begins: bool
    ends: bool
    alone: bool

    @property
    def full_length(self) -> int:
        """Ticks that fill the bar; 0 in free meter."""
        return 0 if self.time.free else self.time.bar

    @property
    def missing(self) -> int:
        """Ticks that the bar lacks; negative if it is too long."""
        return self.full_length - self.bar.ticks if self.full_length else 0


class _Edges:
    """The short first and last bars of parts."""

    def __init__(self, placed: Sequence[_BarInVoice]) -> None:
        found = [each for each in placed if each.missing > 0]
        self._pickups = Counter(each.bar.ticks for each in found if each.begins)
        self._last_bars = Counter(each.bar.ticks for each in found if each.ends)

    def complete(self, short: _BarInVoice) -> bool:
        """Return whether one of the others is the last bar that a `short` pickup lacks, or the other way round."""
        counts_itself = short.begins and short.ends and short.bar.ticks == short.missing
        pickups = self._pickups[short.missing] if short.ends else 0
        last_bars = self._last_bars[short.missing] if short.begins else 0
        return max(pickups, last_bars) > counts_itself


def bar_length_problems(tune: Tune, found: Sequence[Diagnostic]) -> Iterator[Problem]:
    """Yield the problems among `found`, diagnostics of the kinds BAR_LENGTH_KINDS."""
    if not found:
        return
    placed = [each for elements in tune.voices.values() for each in _bars_in_voices(tune, bars(elements))]
    if wrong := _wrong_meter(tune, placed):
        yield wrong
        return
    at = {(each.bar.line, each.bar.column): each for each in placed}
    edges = _Edges(placed)
    over_lines: list[Diagnostic] = []
    for diagnostic in found:
        each = at.get((diagnostic.line, diagnostic.column))
        if each is None or each.bar.ticks >= MIN_UNBARRED * each.full_length:
            continue
        if each.missing < 0 and _split_by_line_ends(each):
            over_lines.append(diagnostic)
        elif each.missing <= 0 or not (each.begins or each.ends):
            yield Problem(diagnostic.line, diagnostic.column, diagnostic.kind, diagnostic.message)
        elif not each.alone and not edges.complete(each):
            yield _short_edge_problem(each)
    if over_lines:
        first, more = over_lines[0], len(over_lines) - 1
        message = "missing bar line at the end of the line" + f", and {more} more" * (more > 0)
        yield Problem(first.line, first.column, "missing bar line", message, Severity.WARNING)


def _short_edge_problem(placed: _BarInVoice) -> Problem:
    """Return the problem of a short first or last bar of a part that no other bar completes."""
    length = _in_notes(placed.bar.ticks, placed.time)
    is_ending = placed.bar.open is not None and bool(placed.bar.open.endings)
    if placed.begins and not is_ending:
        kind, message = "unmatched pickup", f"pickup of {length}, but the last bar is not shortened to match"
    else:
        kind = "last bar too short"
        message = f"last bar has {length}; {placed.time} needs {placed.time.numerator}, and no pickup completes it"
    return Problem(placed.bar.line, placed.bar.column, kind, message, Severity.WARNING)


def _bars_in_voices(tune: Tune, found: Sequence[Bar]) -> Iterator[_BarInVoice]:
    time = tune.time or Time(free=True)
    for index, bar in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        time = bar.time or time
        begins = index == 0 or bar.time is not None or bar.part is not None or _separates(bar.open)
        if following is None:
            yield _BarInVoice(bar, time, begins, ends=True, alone=False)
        else:
            changes = following.time is not None or following.part is not None
            ends = changes or _separates(bar.close) or _separates(following.open)
            yield _BarInVoice(bar, time, begins, ends, alone=begins and following.part is not None)


def _separates(mark: Mark | None) -> bool:
    """Return whether a bar line separates parts, not only bars."""
    return mark is not None and bool(mark.ends or mark.starts or mark.strong or mark.endings)


def _split_by_line_ends(placed: _BarInVoice) -> bool:
    """Return whether a bar that is too long is several full bars with line ends instead of bar lines."""
    pieces = [sum(sound.ticks for sound in line) for _, line in groupby(placed.bar.sounds, key=lambda each: each.line)]
    full = 0
    for piece in pieces:
        full += piece
        if full > placed.full_length:
            return False
        full %= placed.full_length
    return len(pieces) > 1 and not (full and not placed.ends)


def _wrong_meter(tune: Tune, placed: Sequence[_BarInVoice]) -> Problem | None:
    """Return the problem of a meter that nearly all bars contradict in the same way."""
    wholes = {each.full_length for each in placed}
    between = (each for each in placed if not (each.begins or each.ends))
    inner = [each.bar.ticks for each in between if each.missing >= 0 or not _split_by_line_ends(each)]
    if len(wholes) > 1 or len(inner) < MIN_BARS_FOR_WRONG_METER:
        return None
    whole = wholes.pop()
    ticks, count = Counter(inner).most_common(1)[0]
    if not whole or ticks == whole or count < 0.75 * len(inner):
        return None
    meter = next((each for each in tune.fields if each.name == "M"), None)
    time = placed[0].time
    message = f"most bars have {_in_notes(ticks, time)}; {time} needs {time.numerator}: check `M:` and `L:`"
    line, column = (meter.line, meter.column) if meter else (tune.text.first, 1)
    return Problem(line, column, "wrong meter", message)


_NOTES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th"}


def _in_notes(ticks: int, time: Time) -> str:
    return in_notes(ticks / WHOLE, time.denominator)


def in_notes(length: float, denominator: int) -> str:
    """Return a length in whole notes as one in notes of a meter's denominator, such as `7 eighth notes`."""
    count = f"{length * denominator:g}"
    return f"{count} {_NOTES.get(denominator, f'1/{denominator}')} note{'' if count == '1' else 's'}"
