"""What the representation keeps of its training pieces: their plans and returns, and what sets defaults of controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from statistics import fmean
from typing import Any

from composer.toolkit.representations.bar_plan import MAX_PLANS, BarPlan
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.parallels import share_of_parallels
from composer_pianoroll.phrase_ends import ends_of, triads_at_ends
from composer_pianoroll.returns import most_common, returns_of
from composer_pianoroll.texture import piece_maximum, usual_maximum


def training_state(layout: Layout, pieces: Iterable[tuple[Roll, BarPlan]], per_beat: Fraction) -> dict[str, Any]:
    """Return the state of a representation that was fitted to `pieces`, each with its plan without returns."""
    plans, returning, maxima = Counter[str](), Counter[str](), list[int]()
    triads = list[bool]()

    def counted() -> Iterator[Iterator[tuple[int, ...]]]:
        for roll, plan in pieces:
            plans[str(plan)] += 1
            maxima.append(piece_maximum(roll))
            triads.extend(triads_at_ends(roll, ends_of(plan, per_beat * layout.stack)))
            if returns := returns_of(layout, roll, plan, per_beat):
                returning[str(plan._replace(returns=returns))] += 1
            yield layout.frames(roll)

    parallels = share_of_parallels(layout, counted())
    kept = dict(sorted(plans.most_common(MAX_PLANS)))
    known = {
        "parallels": parallels, "returns": most_common(returning, kept), "max_notes": usual_maximum(maxima),
        "triads": round(fmean(triads), 4) if triads else None,
    }  # fmt: skip
    return {"plans": kept, **{name: value for name, value in known.items() if value is not None}}
