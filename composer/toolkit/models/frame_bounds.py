"""Rules while the units of a frame are sampled in order: thresholds, fixed units, limits and projections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from composer.api.constraint import FrameRule
from composer.api.sampling.filters import Bools, Floats, Ints, apply_frame_rule, fixed_units, mask_array

__all__ = ["FrameBounds"]

_LOG_MAX = 600.0
"""Logarithm of the largest product of odds; that of a float is 709."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameBounds:
    """Rules during sampling: a unit is on if its logit is above its threshold (B, D).

    `must_be_off` and `must_be_on` (B, D) are fixed. At least `min_active` and at most `max_active` (L, B) of the units
    `limited` (L, B, D) may be on, of which `counts` (L, B) are fixed on. In the rows `to_project` (B,), the rule's
    projection checks each active unit. The rows with a `temperature` (B,) above 1 are drawn given their limits.
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
    temperature: Floats | None = None

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

    def lowered_by(self, logits: Floats, counts: Ints, off: Bools) -> Floats | None:
        """Return by how much limits lower the log-odds of units (B, D) at the row's temperature; None if not at all.

        A unit that is on leaves less room for those after it. Given that at most k of a limit's units are on from here,
        the odds of unit i are w_i S_(k-1) / S_k instead of w_i. S_k is the sum of e_0 to e_k, and e_m that of the
        products of the odds of each m of the units after i. This is exact if units are independent; here, `logits` are
        those given the units so far. The largest of several limits counts, since one mostly contains the others.
        """
        if self.temperature is None or not len(self.limited):
            return None
        lowered = np.zeros(logits.shape)
        rows = np.flatnonzero(self.temperature > 1)
        scaled, free = logits[rows].astype(float) / self.temperature[rows, None], ~(off | self.must_be_on)[rows]
        for limited, most, count in zip(self.limited[:, rows], self.max_active[:, rows], counts[:, rows], strict=True):
            units = limited & free
            room = np.minimum(most - count, units.sum(axis=1))
            if (room > 0).any():
                at = np.flatnonzero(units.any(axis=0))  # few of the holds, for one
                largest = _LOG_MAX / np.maximum(room, 1)[:, None]
                odds = np.where(units[:, at], np.exp(np.minimum(scaled[:, at], largest)), 0)
                place = np.ix_(rows, at)
                lowered[place] = np.maximum(lowered[place], np.where(units[:, at], _log_ratio(odds, room), 0))
        return lowered

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


def _log_ratio(odds: Floats, room: Ints) -> Floats:
    """Return log S_k - log S_(k-1) of the `odds` (B, D) after each unit, k being the `room` (B,); 0 if that is 0."""
    rows, size = odds.shape
    products = np.ones((rows, size + 1))  # e_m of the odds from each unit on
    total, before = np.ones((rows, size)), np.ones((rows, size))
    for count in range(1, int(room.max()) + 1):
        sums = np.cumsum((odds * products[:, 1:])[:, ::-1], axis=1)[:, ::-1]
        products = np.concatenate([sums, np.zeros((rows, 1))], axis=1)
        is_counted = (count <= room)[:, None]
        before = np.where(is_counted, total, before)
        total = np.where(is_counted, total + products[:, 1:], total)
    return np.asarray(np.log(total) - np.log(before))
