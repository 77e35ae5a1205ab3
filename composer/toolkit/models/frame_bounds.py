"""Rules while the units of a frame are sampled in order: thresholds, fixed units, limits and projections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from composer.api.constraint import FrameRule
from composer.api.sampling.filters import Bools, Floats, Ints, apply_frame_rule, fixed_units, mask_array

__all__ = ["FrameBounds"]


@dataclass(frozen=True, slots=True, eq=False)
class FrameBounds:
    """Rules during sampling: a unit is on if its logit is above its threshold (B, D).

    `must_be_off` and `must_be_on` (B, D) are fixed. At least `min_active` and at most `max_active` (L, B) of the units
    `limited` (L, B, D) may be on, of which `counts` (L, B) are fixed on. In the rows `to_project` (B,), the rule's
    projection checks each active unit.
    """

    thresholds: Floats
    rules: Sequence[FrameRule | None]
    must_be_off: Bools
    must_be_on: Bools
    limited: Bools
    min_active: Ints
    max_active: Ints
    counts: Ints
    to_project: Bools | None = None

    @classmethod
    def from_rules(cls, rules: Sequence[FrameRule | None], thresholds: Floats) -> FrameBounds:
        rows, size = thresholds.shape
        if not rules:
            none, no_limits = np.zeros((rows, size), bool), np.zeros((0, rows), int)
            return cls(thresholds, (), none, none, np.zeros((0, rows, size), bool), no_limits, no_limits, no_limits)
        off, on = fixed_units(rules, size)
        depth = max(len(rule.limits) if rule is not None else 0 for rule in rules)
        limited = np.zeros((depth, rows, size), bool)
        min_active, max_active = np.zeros((depth, rows), int), np.full((depth, rows), size + 1)
        for row, rule in enumerate(rules):
            for number, limit in enumerate(rule.limits if rule is not None else ()):
                limited[number, row] = mask_array(limit.units, size)
                min_active[number, row], max_active[number, row] = limit.min_active, limit.max_active
        thresholds[off], thresholds[on] = np.inf, -np.inf
        return cls(thresholds, rules, off, on, limited, min_active, max_active, (limited & on).sum(axis=2))

    def for_candidates(self, thresholds: Floats) -> FrameBounds:
        """Return the bounds of M candidates for each row, one after the other, with `thresholds` (B, M, D)."""
        rows, times, size = thresholds.shape
        thresholds[np.broadcast_to(self.must_be_off[:, None], thresholds.shape)] = np.inf
        thresholds[np.broadcast_to(self.must_be_on[:, None], thresholds.shape)] = -np.inf
        off, on = np.repeat(self.must_be_off, times, axis=0), np.repeat(self.must_be_on, times, axis=0)
        limited = np.repeat(self.limited, times, axis=1)
        counts = (np.repeat(each, times, axis=1) for each in (self.min_active, self.max_active, self.counts))
        min_active, max_active, on_counts = counts
        rules, flat = [rule for rule in self.rules for _ in range(times)], thresholds.reshape(rows * times, size)
        return FrameBounds(flat, rules, off, on, limited, min_active, max_active, on_counts)

    def has_enough(self, frames: Bools) -> Bools:
        """Return which of the `frames` (B, D) have the minimum of each limit."""
        if not self.min_active.any():
            return np.ones(len(frames), bool)
        return np.asarray(((self.limited & frames).sum(axis=2) >= self.min_active).all(axis=0))

    def enforce_limits(self, counts: Ints, ahead: Bools, off: Bools, thresholds: Floats) -> None:
        """Force off the units `ahead` (B, D) of exhausted limits, except those fixed on."""
        reached = counts >= self.max_active
        if reached.any():
            over = (self.limited & reached[:, :, None]).any(axis=0) & ahead & ~self.must_be_on
            off |= over
            thresholds[over] = np.inf

    def allowed_by_projection(self, frames: Bools, on: Ints, at: Ints, off: Bools) -> tuple[Ints, Ints]:
        """Return those of the units `at` in the rows `on` that projections keep; force the others off."""
        keep = np.ones(len(on), bool)
        for number, (row, unit) in enumerate(zip(on.tolist(), at.tolist(), strict=True)):
            rule = self.rules[row]
            if self.to_project is None or not self.to_project[row] or rule is None or rule.project is None:
                continue
            if unit not in rule.project((*np.flatnonzero(frames[row]).tolist(), unit)):
                keep[number], off[row, unit] = False, True
        return on[keep], at[keep]

    def repaired(self, frames: Bools, rank: Floats) -> Bools:
        """Return `frames` with missing units added, those of highest `rank` (B, D), and projected."""
        rows = zip(frames, rank, self.rules, strict=True)
        repaired = [frame if rule is None else apply_frame_rule(frame, order, rule) for frame, order, rule in rows]
        return np.array(repaired)

    def rank(self, logits: Floats, off: Bools) -> Floats:
        """Return the order in which units (B, D) are added; those that are `off` never, those that are fixed first."""
        return np.where(off, -np.inf, np.where(self.must_be_on, np.inf, logits))
