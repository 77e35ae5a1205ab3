"""Classify bars that do not fill their meter: errors, warnings, or just how musicians write.

`abc_rules` plays a tune out and adds up. This module looks at the notation: pickups that another part's last bar makes
room for are fine, problems with one cause are reported once, and a short bar at the end of a part, where every player
knows what to do, is only a warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from composer.check.abc_rules import in_notes
from composer.check.problem import Problem, Severity
from composer.formats.abc.elements import Mark, Tune
from composer.formats.abc.reader.lexer import Diagnostic
from composer.formats.abc.reader.structure import Bar, bars
from composer.music.keys import Time

BAR_LENGTH_KINDS = frozenset({"bar too long", "bar too short"})

MIN_BARS_FOR_WRONG_METER = 6
"""The meter is wrong, not the bars, only if at least this many bars mostly agree on another length."""

MIN_UNBARRED = 8
"""Nobody forgets this many bar lines in one place: the music has none, like chant and old part-books."""


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


def classify_bar_problems(tune: Tune, found: Sequence[Diagnostic]) -> Iterator[Problem]:
    """Yield the problems among `found`, diagnostics of the kinds BAR_LENGTH_KINDS."""
    if not found:
        return
    placed = [each for elements in tune.voices.values() for each in _bars_in_voices(tune, bars(elements))]
    if wrong := _wrong_meter(tune, placed):
        yield wrong
        return
    at = {(each.bar.line, each.bar.column): each for each in placed}
    edges = {each.bar.ticks for each in placed if each.missing > 0 and (each.begins or each.ends)}
    over_lines: list[Diagnostic] = []
    for diagnostic in found:
        each = at.get((diagnostic.line, diagnostic.column))
        if each is None or each.bar.ticks >= MIN_UNBARRED * each.full_length:
            continue
        if each.missing < 0 and _split_by_line_ends(each):
            over_lines.append(diagnostic)
        elif each.missing <= 0 or not (each.begins or each.ends):
            yield Problem(diagnostic.line, diagnostic.column, diagnostic.kind, diagnostic.message)
        elif not each.alone and each.missing not in edges:
            yield _short_edge_problem(each)
    if over_lines:
        first, more = over_lines[0], len(over_lines) - 1
        message = "missing bar line at the end of the line" + f", and {more} more" * (more > 0)
        yield Problem(first.line, first.column, "missing bar line", message, Severity.WARNING)


def _short_edge_problem(placed: _BarInVoice) -> Problem:
    """Return the problem of a short first or last bar of a part that no other bar completes."""
    length = in_notes(placed.bar.ticks, placed.time)
    if placed.begins:
        kind, message = "unmatched pickup", f"pickup of {length}, but no last bar is shorter by as much"
    else:
        kind = "last bar too short"
        message = f"last bar of a part has {length}; {placed.time} needs {placed.time.numerator}, and no pickup fits"
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
    message = f"the bars have {in_notes(ticks, time)}, but {time} needs {time.numerator}: `M:` or `L:` is wrong"
    line, column = (meter.line, meter.column) if meter else (tune.text.first, 1)
    return Problem(line, column, "wrong meter", message)
