"""Which bars that do not fill their meter are faults, and which are only how musicians write.

The native checker plays a tune out and adds up. Here its findings are weighed by what stands in the text: parts whose
upbeat belongs to another one's last bar are left alone, what one cause explains is told once, and what is short at the
end of a part, where every player knows what to do, is but a warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from composer.check.problem import Problem, Severity
from composer.formats.abc.elements import Mark, Tune
from composer.formats.abc.reader.lexer import Diagnostic
from composer.formats.abc.reader.structure import Bar, bars
from composer.music.keys import BEAT, Time

__all__ = ["BAR_LENGTH_KINDS", "classify_bar_problems"]

BAR_LENGTH_KINDS = frozenset({"bar too long", "bar too short"})
"""The kinds of diagnostics that are weighed."""

MIN_BARS_FOR_WRONG_METER = 6
"""Of so many bars at least, most must agree on another length before it is the meter that is blamed."""

MIN_UNBARRED = 8
"""Nobody forgets so many bar lines in one place: the music is without, as chant and old part-books are."""


@dataclass(slots=True)
class _BarInVoice:
    """A bar in its voice: how long it should be (0 in free meter), and whether a part begins or ends with it.

    `alone` says that it is an upbeat which is a part of its own.
    """

    bar: Bar
    full_length: int
    begins: bool
    ends: bool
    alone: bool

    @property
    def missing(self) -> int:
        """How much it is too short; below zero where it is too long."""
        return self.full_length - self.bar.ticks if self.full_length else 0


def classify_bar_problems(tune: Tune, found: Sequence[Diagnostic]) -> Iterator[Problem]:
    """What of `found`, diagnostics of bars that do not fill their meter, is a fault in `tune`."""
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
        message = "a bar goes on over the end of the line, where a bar line is missing" + f", and {more} more" * (
            more > 0
        )
        yield Problem(first.line, first.column, "missing bar line", message, Severity.WARNING)


def _short_edge_problem(placed: _BarInVoice) -> Problem:
    """A bar that is short where a part begins or ends, and has no other to make it whole."""
    long, whole = f"{placed.bar.ticks / BEAT:g}", f"{placed.full_length / BEAT:g}"
    if placed.begins:
        kind, message = "upbeat too much", f"an upbeat of {long} quarter notes that no last bar leaves room for"
    else:
        kind = "last bar too short"
        message = f"the last bar of a part has {long} quarter notes where the meter has {whole}, and no upbeat fills it"
    return Problem(placed.bar.line, placed.bar.column, kind, message, Severity.WARNING)


def _bars_in_voices(tune: Tune, found: Sequence[Bar]) -> Iterator[_BarInVoice]:
    time = tune.time or Time(free=True)
    for index, bar in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        time = bar.time or time
        begins = index == 0 or bar.time is not None or bar.part is not None or _separates(bar.open)
        ends = following is None or following.time is not None or following.part is not None
        yield _BarInVoice(
            bar,
            0 if time.free else time.bar,
            begins=begins,
            ends=ends or _separates(bar.close) or (following is not None and _separates(following.open)),
            alone=begins and following is not None and following.part is not None,
        )


def _separates(mark: Mark | None) -> bool:
    """Whether a bar line parts more than two bars."""
    return mark is not None and bool(mark.ends or mark.starts or mark.strong or mark.endings)


def _split_by_line_ends(placed: _BarInVoice) -> bool:
    """Whether a bar that is too long is whole bars with ends of lines between some of them."""
    pieces = [sum(sound.ticks for sound in line) for _, line in groupby(placed.bar.sounds, key=lambda each: each.line)]
    full = 0
    for piece in pieces:
        full += piece
        if full > placed.full_length:
            return False
        full %= placed.full_length
    return len(pieces) > 1 and not (full and not placed.ends)


def _wrong_meter(tune: Tune, placed: Sequence[_BarInVoice]) -> Problem | None:
    """Where nearly all bars agree on a length that is not the meter's, the header is wrong and not they."""
    wholes = {each.full_length for each in placed}
    inner = [
        each.bar.ticks
        for each in placed
        if not (each.begins or each.ends or (each.missing < 0 and _split_by_line_ends(each)))
    ]
    if len(wholes) > 1 or len(inner) < MIN_BARS_FOR_WRONG_METER:
        return None
    whole = wholes.pop()
    ticks, count = Counter(inner).most_common(1)[0]
    if not whole or ticks == whole or count < 0.75 * len(inner):
        return None
    meter = next((each for each in tune.fields if each.name == "M"), None)
    message = f"the bars have {ticks / BEAT:g} quarter notes and not {whole / BEAT:g}: `M:` or `L:` is another"
    line, column = (meter.line, meter.column) if meter else (tune.text.first, 1)
    return Problem(line, column, "wrong meter", message)
