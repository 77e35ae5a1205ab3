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
    for cause in causes:
        _apply(cause, cases, ours, aspects)

    def keep(tries: Sequence[tuple[Case, tuple[Cause, ...]]]) -> None:
        """Set the causes of those cases in which both readers agree without these causes."""
        texts = [edited(case.text, chosen) for case, chosen in tries]
        for (case, chosen), a, b in zip(tries, ours(texts), theirs(texts), strict=True):
            if a is not None and b is not None and not differences(a, b, aspects):
                case.causes = chosen

    keep([(case, (cause,)) for case in cases for cause in reversed(case.applicable)])
    keep([(case, case.applicable) for case in cases if not case.causes and len(case.applicable) > 1])
    for cause in causes:
        several = [case for case in cases if len(case.causes) > 1 and cause in case.causes]
        keep([(case, tuple(each for each in case.causes if each is not cause)) for case in several])


def _apply(cause: Cause, cases: Sequence[Case], ours: Read, aspects: Sequence[str]) -> None:
    """Add `cause` to the applicable causes of each case if its edit changes the tune as it should."""
    tries = [(case, edited(case.text, case.applicable)) for case in cases]
    tries = [(case, text) for case, text in tries if cause.edit(text) != text]
    if not cause.exact:
        for case, _ in tries:
            case.applicable += (cause,)
        return
    before, after = ours([text for _, text in tries]), ours([cause.edit(text) for _, text in tries])
    for (case, _), a, b in zip(tries, before, after, strict=True):
        if a is not None and b is not None and not differences(a, b, aspects):
            case.applicable += (cause,)
