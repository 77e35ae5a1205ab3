"""The bars of a tune's voices in the order in which they are played, the same for all voices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

from composer.formats.abc.elements import Mark, PartMark, Sound, Tune
from composer.formats.abc.reader.bars import Bar, bars
from composer.formats.abc.reader.lexer import Diagnostic
from composer.formats.abc.reader.structure import MAX_BARS, expand_order
from composer.music.direction_words import NAME, Direction
from composer.music.playback_order import BarSigns, Jump, missing_signs, part_starts, playback_order

TOO_MANY_BARS = f"bars after the first {MAX_BARS:,} left out"
JUMPS = "jumps to a missing sign left out"
UNPLAYED = "bars that no pass plays left out"
JUMPS_BESIDE_PARTS = "jumps beside the part order left out"
JOINED_PARTS = "parts joined to an earlier part with the same name"
UNKNOWN_PARTS = "names in the part order that no part has"
UNLIKE_VOICES = "repeats that do not match between voices"


def tune_bars(
    tune: Tune, problems: list[Diagnostic] | None = None, losses: Counter[str] | None = None
) -> dict[str, list[Bar]]:
    """Return the bars of each voice. Repeats, endings, parts and jumps that one voice has apply to the others too.

    If the bars of voices do not match, each voice keeps its own signs. Differences are added to `problems`. They are
    counted in `losses`, and so are the names in the order of parts that the tune lacks.
    """
    losses = Counter() if losses is None else losses
    voices = {name: found for name, elements in tune.voices.items() if (found := bars(elements))}
    if len(voices) > 1 and any(map(_has_signs, voices.values())):
        matched = _share_signs([*voices.values()], problems if problems is not None else [])
        losses[UNLIKE_VOICES] += not matched
    known = {each.name for elements in tune.voices.values() for each in elements if isinstance(each, PartMark)}
    losses[UNKNOWN_PARTS] += sum(name not in known for name in expand_order(tune.order))
    return voices


def played_bars(
    tune: Tune, found: Sequence[Bar], problems: list[Diagnostic] | None = None, losses: Counter[str] | None = None
) -> list[Bar]:
    """Return the bars of a voice in the order in which they are played.

    There are at most MAX_BARS; if there are more, this is added to `problems`, and so are jumps that are ignored and
    parts with the same name. All are counted in `losses`, once for all voices, and so are bars that are never played
    although no order of parts leaves them out.
    """
    names, limit = expand_order(tune.order), max(10 * MAX_BARS, len(found) + 1)
    in_parts = any(bar.part in names for bar in found if bar.part)
    signs = bar_signs(found, in_parts)
    order = playback_order(signs, names, limit)
    ignored = [*(_beside_order(signs, tune.order) if in_parts else _without_signs(signs))]
    if losses is not None:
        unplayed = 0 if names or len(order) == limit else len(found) - len({*order})
        losses |= Counter({TOO_MANY_BARS: len(order) - MAX_BARS, UNPLAYED: unplayed})
        losses |= Counter(each.loss for each in ignored)
    if problems is not None:
        problems += [Diagnostic(found[at].line, found[at].column, kind, text) for at, _, kind, text in ignored]
        for at in order[MAX_BARS : MAX_BARS + 1]:
            message = f"bars after the first {MAX_BARS} are left out"
            problems.append(Diagnostic(found[at].line, found[at].column, "too long", message))
    return [found[at] for at in order[:MAX_BARS]]


class _Ignored(NamedTuple):
    """A sign at a bar that is not followed: how it is counted as a loss, and the kind and message of its problem."""

    at: int
    loss: str
    kind: str
    message: str


def _without_signs(signs: Sequence[BarSigns]) -> Iterator[_Ignored]:
    for at, sign in missing_signs(signs).items():
        message = f"a jump such as D.C. or D.S. is ignored, since the tune has no {sign}"
        yield _Ignored(at, JUMPS, "jump without its sign", message)


def _beside_order(signs: Sequence[BarSigns], order: str) -> Iterator[_Ignored]:
    """Yield what the order of parts in the header overrides, or cannot tell apart."""
    for at, bar in enumerate(signs):
        if bar.jump is not None:
            message = f"a jump such as D.C. or D.S. is ignored, since the header has the part order `{order}`"
            yield _Ignored(at, JUMPS_BESIDE_PARTS, "jump beside a part order", message)
    seen = set()
    for at in part_starts(signs):
        name = signs[at].part
        if name in seen and name in order:
            message = f"another part {name}; each {name} in the part order `{order}` plays all parts of that name"
            yield _Ignored(at, JOINED_PARTS, "part name used twice", message)
        seen.add(name)


def bar_signs(found: Sequence[Bar], parts: bool = False) -> list[BarSigns]:
    """Return what the bar lines, part names and directions of a voice say about the order of its bars.

    With `parts`, the name of a part ends the last ending, but for one before an ending, which is a label. Otherwise all
    names are labels.
    """
    to_coda = _to_coda(found)
    signs: list[BarSigns] = []
    passes, count = frozenset[int](), 0
    for at, bar in enumerate(found):
        mark = bar.open or Mark("", bar.line, bar.column)
        if mark.endings:
            again = 1 in mark.endings and bool(passes)  # a first ending right after another is a slip
            passes = frozenset({max(passes) + 1} if again else mark.endings)
            count = count + 1 if 1 not in mark.endings else 1
        elif mark.ends or mark.starts or ((mark.strong or (parts and bar.part)) and count > 1):
            passes, count = frozenset(), 0
        after = found[at + 1].open if at + 1 < len(found) else bar.close
        ends = (bar.close or Mark("", 0, 0)).ends
        if passes and not ends and after is not None and after.endings and 1 not in after.endings:
            ends = 1  # the next ending implies the repeat
        jumps = [each.jump for each in bar.after if each.kind == "jump"]
        kinds = {each.kind for each in bar.after}
        signs.append(
            BarSigns(
                opens=mark.starts, times=ends + 1, endings=passes, divides=mark.strong or bool(mark.ends),
                segno=NAME if _SEGNO in bar.before else "",
                coda=NAME if _CODA in bar.before and at not in to_coda else "",
                to_coda=NAME if "to coda" in kinds or at + 1 in to_coda else "",
                fine="fine" in kinds, jump=jumps[0] if jumps else None, part=bar.part or "",
            )
        )  # fmt: skip
    return signs


_SEGNO, _CODA = Direction("segno", Jump()), Direction("coda", Jump())


def _to_coda(found: Sequence[Bar]) -> set[int]:
    """Return the bars before which a coda sign is where to leave: all but the last, if no sign says `To Coda`."""
    codas = [at for at, bar in enumerate(found) if _CODA in bar.before]
    named = any(each.kind == "to coda" for bar in found for each in bar.after)
    return set() if named else set(codas[:-1])


def _has_signs(found: Sequence[Bar]) -> bool:
    marks = (mark for bar in found for mark in (bar.open, bar.close) if mark is not None)
    return any(bar.part or bar.before or bar.after for bar in found) or any(map(_repeats, marks))


def _repeats(mark: Mark) -> bool:
    return bool(mark.ends or mark.starts or mark.endings)


def _share_signs(voices: list[list[Bar]], problems: list[Diagnostic]) -> bool:
    """Give each voice the signs of all, at bar lines with the same number or, failing that, at the same time.

    Return False, and change nothing, if the signs are at other times than the bar lines.
    """
    counts = [range(len(found) + 1) for found in voices]
    times = [list(accumulate((bar.ticks for bar in found), initial=0)) for found in voices]
    keys: Sequence[Sequence[int]] = counts
    if len({*map(len, voices)}) > 1:
        ends = [each[-1] for each in times]
        keys = times
        needed = {key for found, own in zip(voices, times, strict=True) for key in _signed(found, own)}
        if any(key < end and key not in set(own) for own, end in zip(times, ends, strict=True) for key in needed):
            mark = next(_marks(voices), Mark("", voices[0][0].line, voices[0][0].column))
            message = "repeats and parts are not at the same place in all voices"
            problems.append(Diagnostic(mark.line, mark.column, "voices with other repeats", message))
            return False
        _fill(voices, times)
        keys = [list(accumulate((bar.ticks for bar in found), initial=0)) for found in voices]
    merged: dict[int, list[tuple[list[Bar], int]]] = {}
    for found, own in zip(voices, keys, strict=True):
        for at, key in enumerate(own):
            merged.setdefault(key, []).append((found, at))
    for places in merged.values():
        if len(places) > 1:
            _merge(places, problems)
    return True


def _signed(found: Sequence[Bar], own: Sequence[int]) -> Iterator[int]:
    """Yield the keys of the bar lines with signs."""
    for at, bar in enumerate(found):
        mark = bar.open
        if bar.part or bar.before or (mark is not None and _repeats(mark)):
            yield own[at]
        if bar.after or (bar.close is not None and _repeats(bar.close)):
            yield own[at + 1]


def _marks(voices: Iterable[Sequence[Bar]]) -> Iterator[Mark]:
    return (bar.close for found in voices for bar in found if bar.close is not None and _repeats(bar.close))


def _fill(voices: Sequence[list[Bar]], times: Sequence[Sequence[int]]) -> None:
    """Add rests to voices that end early, bar by bar like the longest, so that all are equally long in repeats."""
    longest = max(range(len(voices)), key=lambda at: times[at][-1])
    for found, own in zip(voices, times, strict=True):
        last = found[-1]
        for bar, start in zip(voices[longest], times[longest], strict=False):
            if start >= own[-1]:
                rest = Sound((), bar.ticks, last.line, last.column)
                found.append(Bar([rest], line=last.line, column=last.column, time=bar.time))


def _merge(places: Sequence[tuple[list[Bar], int]], problems: list[Diagnostic]) -> None:
    """Merge the signs at one bar line; each place is a voice's bars and the number of the bar after the line."""
    marks = [mark for found, at in places if (mark := _mark_at(found, at)) is not None]
    repeats = [mark for mark in marks if _repeats(mark)]
    differ = len({(mark.ends, mark.starts, mark.endings) for mark in marks}) > 1 or len(marks) < len(places)
    if repeats and differ and not any(each.kind == _ONE_VOICE for each in problems):
        message = "a repeat sign or ending that other voices lack; it applies to all voices"
        problems.append(Diagnostic(repeats[0].line, repeats[0].column, _ONE_VOICE, message))
    ends, starts = max((mark.ends for mark in marks), default=0), any(mark.starts for mark in marks)
    endings = next((mark.endings for mark in marks if mark.endings), ())
    strong = any(mark.strong for mark in marks)
    part = _first(bar.part for found, at in places for bar in found[at : at + 1])
    before = {each for found, at in places for bar in found[at : at + 1] for each in bar.before}
    after = {each for found, at in places if at for each in found[at - 1].after}
    for found, at in places:
        old = _mark_at(found, at)
        mark = old or (Mark("", *_place(found, at)) if marks else None)
        if mark is not None:
            mark = replace(mark, ends=ends, starts=starts, strong=strong, endings=endings)
        if at < len(found):
            found[at].open, found[at].part, found[at].before = mark, part, before
        if at:
            found[at - 1].close, found[at - 1].after = mark, after


_ONE_VOICE = "repeat in one voice only"


def _first(names: Iterable[str | None]) -> str | None:
    return next((name for name in names if name), None)


def _mark_at(found: Sequence[Bar], at: int) -> Mark | None:
    if at < len(found) and found[at].open is not None:
        return found[at].open
    return found[at - 1].close if at else None


def _place(found: Sequence[Bar], at: int) -> tuple[int, int]:
    bar = found[min(at, len(found) - 1)]
    return bar.line, bar.column
