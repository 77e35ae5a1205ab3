"""Playback of kern: the order of sections if the file names one, else the signs of its bar lines and texts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import islice

from composer.formats.kern.spines import Spines
from composer.formats.kern.written_music import Passage, passages
from composer.music.direction_words import Direction, with_directions
from composer.music.playback_order import MAX_BARS, BarSigns, missing_signs, playback_order


def played_passages(spines: Spines) -> tuple[list[Passage], Counter[str]]:
    """Return the passages of a score in the order in which they are played, and the counts of what is left out."""
    sections = _sections(spines)
    counts = Counter(
        {
            "names in the section order that no section has": sum(not sections[name] for name in spines.order),
            f"sections after the first {MAX_BARS:,} left out": max(
                sum(len(sections[name]) for name in spines.order) - MAX_BARS, 0
            ),
        }
    )
    names = list(islice((label for name in spines.order for label in sections[name]), MAX_BARS))
    if names:
        return _in_sections(spines, names), +counts
    starts, signs = _bars(spines)
    counts["jumps to a missing sign left out"] = len(missing_signs(signs))
    counts["directions such as D.C. not understood"] = len(spines.unclear)
    return passages(starts, spines.end, playback_order(signs)), +counts


def _sections(spines: Spines) -> dict[str, list[str]]:
    """Return the labels that each name of the order plays: its own, and `A>1`, `A>2` for the name `A`."""
    places = {label: at for at, label in reversed([*enumerate(label for _, label in spines.sections)])}
    labels = sorted(places)
    found: dict[str, list[str]] = {}
    for name in set(spines.order):
        # all labels that begin with `A>` are next to one another, before the character after `>`
        versions = labels[bisect_left(labels, f"{name}>") : bisect_left(labels, f"{name}?")]
        own = [name] if name in places else []
        found[name] = sorted([*own, *versions], key=places.__getitem__)
    return found


def _in_sections(spines: Spines, names: list[str]) -> list[Passage]:
    starts = [start for start, _ in spines.sections]
    signs = [BarSigns(part=label) for _, label in spines.sections]
    if starts[0] > 0:
        starts, signs = [Fraction(0), *starts], [BarSigns(), *signs]
    return passages(starts, spines.end, playback_order(signs, names))


def _bars(spines: Spines) -> tuple[list[Fraction], list[BarSigns]]:
    """Return the beginnings of bars, which labels of sections divide too, and their signs."""
    labels = dict(spines.sections)
    lines = {line.at: line for line in spines.bar_lines}
    for line in spines.bar_lines:
        # several bar lines may be in one place: keep the signs of all
        kept = lines[line.at]
        lines[line.at] = line._replace(
            closes=line.closes or kept.closes,
            opens=line.opens or kept.opens,
            is_double=line.is_double or kept.is_double,
        )
    starts = sorted({Fraction(0), *(at for at in (*labels, *lines) if at < spines.end)})
    endings, now, names = [], frozenset[int](), set(labels.values())
    for start in starts:
        if start in labels:
            now = _ending(labels[start], names)
        endings.append(now)
    directions = _directions(spines, starts)
    signs = []
    for at, (start, end) in enumerate(zip(starts, [*starts[1:], spines.end], strict=True)):
        before, after = lines.get(start), lines.get(end)
        own = BarSigns(
            opens=before is not None and before.opens,
            times=2 if after is not None and after.closes else 1,
            endings=endings[at],
            divides=before is not None and before.is_double,
        )
        signs.append(with_directions(own, directions[at]))
    return starts, signs


def _directions(spines: Spines, starts: list[Fraction]) -> dict[int, list[Direction]]:
    """Return the directions of each bar. At a bar line, jumps and their ends belong to the bar before it."""
    found: dict[int, list[Direction]] = defaultdict(list)
    for at, direction, at_bar_line in spines.directions:
        before = at_bar_line and direction.kind in ("jump", "fine", "to coda")
        bar = (bisect_left if before else bisect_right)(starts, at) - 1
        found[max(bar, 0)].append(direction)
    return found


def _ending(label: str, labels: set[str]) -> frozenset[int]:
    """Return the pass of a numbered ending: `A2` after the section `A`; empty for other labels."""
    name = label.rstrip("0123456789")
    number = label[len(name) :]
    return frozenset({int(number)}) if number and len(number) < 3 and name in labels else frozenset()
