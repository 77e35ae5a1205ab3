"""Attribute each difference between two readers to the fewest causes that explain it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agreement.abc_causes import Cause
from agreement.playing import Playing, differences

Read = Callable[[Sequence[str]], list[Playing | None]]


@dataclass
class Case:
    """A tune about which two readers differ in `aspects`; `causes` explain it, if there are any."""

    place: str
    text: str
    aspects: frozenset[str]
    causes: tuple[Cause, ...] = ()
    applicable: tuple[Cause, ...] = field(default=(), repr=False)


def edited(text: str, causes: Sequence[Cause]) -> str:
    """Return the tune without the causes."""
    for cause in causes:
        text = cause.edit(text)
    return text


def attribute(cases: Sequence[Case], causes: Sequence[Cause], ours: Read, theirs: Read, aspects: Sequence[str]) -> None:
    """Set the causes of each case: one if it suffices, else as few of all that apply as suffice together."""

    def explained(tries: Sequence[tuple[Case, tuple[Cause, ...]]]) -> list[bool]:
        texts = [edited(case.text, chosen) for case, chosen in tries]
        pairs = zip(ours(texts), theirs(texts), strict=True)
        return [a is not None and b is not None and not differences(a, b, aspects) for a, b in pairs]

    for case in cases:
        case.applicable = ()
    for cause in causes:
        tries = [(case, edited(case.text, case.applicable)) for case in cases]
        tries = [(case, text) for case, text in tries if cause.edit(text) != text]
        if not cause.exact:
            for case, _ in tries:
                case.applicable += (cause,)
            continue
        before, after = ours([text for _, text in tries]), ours([cause.edit(text) for _, text in tries])
        for (case, _), a, b in zip(tries, before, after, strict=True):
            if a is not None and b is not None and not differences(a, b, aspects):
                case.applicable += (cause,)
    singles = [(case, (cause,)) for case in cases for cause in case.applicable]
    for (case, chosen), suffices in zip(singles, explained(singles), strict=True):
        if suffices and not case.causes:
            case.causes = chosen
    rest = [(case, case.applicable) for case in cases if not case.causes and len(case.applicable) > 1]
    for (case, chosen), suffices in zip(rest, explained(rest), strict=True):
        if suffices:
            case.causes = chosen
    for cause in causes:  # leave out what is not needed
        less = [
            (case, tuple(each for each in case.causes if each is not cause))
            for case in cases
            if len(case.causes) > 1 and cause in case.causes
        ]
        for (case, chosen), suffices in zip(less, explained(less), strict=True):
            if suffices:
                case.causes = chosen
