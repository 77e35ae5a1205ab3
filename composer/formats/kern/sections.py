"""Playback of kern: the order of sections if the file names one, else the repeats of its bar lines."""

from __future__ import annotations

from fractions import Fraction

from composer.formats.kern.spines import Spines
from composer.formats.kern.written_music import Passage, passages
from composer.music.playback_order import BarSigns, playback_order


def played_passages(spines: Spines) -> list[Passage]:
    """Return the passages of a score in the order in which they are played."""
    names = expand_names(spines)
    if names:
        return _in_sections(spines, names)
    starts, signs = _bars(spines)
    return passages(starts, spines.end, playback_order(signs))


def expand_names(spines: Spines) -> list[str]:
    """Return the labels of the sections as they are played. `A` stands for all of `A>1`, `A>2` too.

    Names of no section are left out.
    """
    labels = list(dict.fromkeys(label for _, label in spines.sections))
    return [label for name in spines.order for label in labels if label == name or label.startswith(f"{name}>")]


def unknown_names(spines: Spines) -> int:
    """Return how many places of the order name no section."""
    labels = {label for _, label in spines.sections}
    return sum(not any(each == name or each.startswith(f"{name}>") for each in labels) for name in spines.order)


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
        # several bar lines may stand in one place: keep the signs of all
        kept = lines[line.at]
        lines[line.at] = line._replace(
            closes=line.closes or kept.closes,
            opens=line.opens or kept.opens,
            is_double=line.is_double or kept.is_double,
        )
    starts = sorted({Fraction(0), *(at for at in (*labels, *lines) if at < spines.end)})
    endings, now = [], frozenset[int]()
    for start in starts:
        if start in labels:
            now = _ending(labels[start], set(labels.values()))
        endings.append(now)
    signs = []
    for start, end, numbers in zip(starts, [*starts[1:], spines.end], endings, strict=True):
        before, after = lines.get(start), lines.get(end)
        signs.append(
            BarSigns(
                opens=before is not None and before.opens,
                times=2 if after is not None and after.closes else 1,
                endings=numbers,
                divides=before is not None and before.is_double,
            )
        )
    return starts, signs


def _ending(label: str, labels: set[str]) -> frozenset[int]:
    """Return the pass of a numbered ending: `A2` after the section `A`; empty for other labels."""
    name = label.rstrip("0123456789")
    number = label[len(name) :]
    return frozenset({int(number)}) if number and len(number) < 3 and name in labels else frozenset()
