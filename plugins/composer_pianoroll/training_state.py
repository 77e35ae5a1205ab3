"""What the representation keeps of its training pieces: their plans and returns, and what sets defaults of controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from statistics import fmean
from typing import Any, NamedTuple

from composer.toolkit.representations.bar_plan import MAX_PLANS, BarPlan
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.full_chords import thin_chords
from composer_pianoroll.last_chord import as_length, last_chord, usual_last_chord
from composer_pianoroll.parallels import share_of_parallels
from composer_pianoroll.phrase_ends import INTERVALS, approaches, dominants, ends_of, triads_at_ends
from composer_pianoroll.returns import most_common, returns_of
from composer_pianoroll.shares import as_share, as_shares, shares_of
from composer_pianoroll.texture import as_maximum, piece_maximum, usual_maximum


class Measured(NamedTuple):
    """What is measured in the training pieces; None for what is unknown."""

    parallels: float | None = None
    """Share of parallels between the outer voices."""
    max_notes: int | None = None
    """How many notes sound at once in most pieces."""
    triads: float | None = None
    """Share of the phrases that end with whole triads."""
    approaches: tuple[float, ...] | None = None
    """Shares of the intervals by which the bass moves to the last chords of phrases, in semitones from 0 to 11."""
    dominants: float | None = None
    """Share of the phrases before whose last chord a dominant sounds."""
    thin_chords: float | None = None
    """Share of chords of fewer than three pitch classes on beats."""
    last_chord: int | None = None
    """How many steps the last chords of most pieces have at least."""

    @classmethod
    def parse(cls, state: Mapping[str, Any]) -> Measured:
        """Return what the state of a representation says. Raises ValueError if it is damaged."""
        return cls(
            as_share(state.get("parallels"), "parallels"),
            as_maximum(state.get("max_notes")),
            as_share(state.get("triads"), "triads"),
            as_shares(state.get("approaches"), INTERVALS, "approaches"),
            as_share(state.get("dominants"), "dominants"),
            as_share(state.get("thin_chords"), "thin chords"),
            as_length(state.get("last_chord")),
        )

    def as_state(self) -> dict[str, Any]:
        """Return what is known, for a file."""
        known = {name: value for name, value in self._asdict().items() if value is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items()}


def training_state(layout: Layout, pieces: Iterable[tuple[Roll, BarPlan]], per_beat: Fraction) -> dict[str, Any]:
    """Return the state of a representation that was fitted to `pieces`, each with its plan without returns."""
    plans, returning, maxima, last_chords = Counter[str](), Counter[str](), list[int](), list[int]()
    triads, before, thin, moves = list[bool](), list[bool](), list[bool](), list[int]()
    beat = per_beat * layout.stack

    def counted() -> Iterator[Iterator[tuple[int, ...]]]:
        for roll, plan in pieces:
            plans[str(plan)] += 1
            maxima.append(piece_maximum(roll))
            last_chords.append(last_chord(roll))
            ends = ends_of(plan, beat)
            triads.extend(triads_at_ends(roll, ends))
            moves.extend(approaches(roll, ends))
            before.extend(dominants(roll, ends))
            thin.extend(thin_chords(roll, first_beat(plan, beat), int(beat)))
            if returns := returns_of(layout, roll, plan, per_beat):
                returning[str(plan._replace(returns=returns))] += 1
            yield layout.frames(roll)

    parallels = share_of_parallels(layout, counted())
    kept = dict(sorted(plans.most_common(MAX_PLANS)))
    measured = Measured(
        parallels, usual_maximum(maxima), _share(triads), shares_of(moves, INTERVALS), _share(before), _share(thin),
        usual_last_chord(last_chords),
    )  # fmt: skip
    return {"plans": kept, "returns": most_common(returning, kept), **measured.as_state()}


def first_beat(plan: BarPlan, steps: Fraction) -> int:
    """Return the step of the first beat, of `steps` steps each, after a pickup that begins within one."""
    return int(plan.pickup % 1 * steps)


def _share(found: list[bool]) -> float | None:
    return round(fmean(found), 4) if found else None
