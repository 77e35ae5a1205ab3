"""Sample the next step on a network's device: `composer.api.sampling.filters` in torch.

Each function does the same as its namesake there, in the same order and precision; tests compare them. Only projections
of frame rules synchronize with the device, so that steps can be captured in CUDA graphs. If a device lacks 64-bit
floats, sampling happens on the host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from composer.api.constraint import FrameRule
from composer.api.sampling.filters import BatchSamplingParams, Draw, fixed_units, mask_array
from composer.api.sampling.joint_frames import CANDIDATES, LOWEST_TEMPERATURE
from composer.api.sampling.torch_joint_frames import TorchTruncation, candidate_keys, first_occurrences, gumbel
from composer.api.sampling.torch_rng import TorchStepRNG

__all__ = [
    "TorchDraw",
    "TorchFrameRules",
    "TorchSamplingParams",
    "draw_frames",
    "draw_tokens",
    "frame_log_prob",
    "sampling_device",
    "to_numpy",
]


def sampling_device(device: torch.device) -> torch.device:
    """Return the device that samples for a network on `device`, and holds its parameters and random numbers."""
    return torch.device("cpu") if device.type == "mps" else device


class TorchDraw(NamedTuple):
    """`composer.api.sampling.filters.Draw` with tensors."""

    steps: Tensor
    logp: Tensor
    masked_prob: Tensor

    def to_numpy(self) -> Draw:
        """Return arrays, in one transfer."""
        return Draw(*to_numpy(*self))


@dataclass(frozen=True, slots=True, eq=False)
class TorchFrameRules:
    """The rules of B rows: units forced off and on (B, V), and `max_active` (L, B) of the units `limited` (L, B, V).

    `min_active` (L, B) is the minimum of these; None if no rule has one. `projections`, one per row, run on the host;
    empty if no row has one.
    """

    must_be_off: Tensor
    must_be_on: Tensor
    limited: Tensor
    max_active: Tensor
    min_active: Tensor | None = None
    projections: tuple[Callable[[tuple[int, ...]], tuple[int, ...]] | None, ...] = ()

    @classmethod
    def from_rules(cls, rules: Sequence[FrameRule | None], size: int, device: torch.device) -> TorchFrameRules:
        """Return the rules of each row, for frames of `size` units, on `device`."""
        limits = [rule.limits if rule is not None else () for rule in rules]
        depth = max(map(len, limits), default=0)
        limited, max_active = np.zeros((depth, len(rules), size), bool), np.full((depth, len(rules)), size)
        min_active = np.zeros_like(max_active)
        for row, each in enumerate(limits):
            for place, limit in enumerate(each):
                limited[place, row] = mask_array(limit.units, size)
                max_active[place, row], min_active[place, row] = limit.max_active, limit.min_active
        projects = tuple(rule.project if rule is not None else None for rule in rules)
        off, on = fixed_units(rules, size)
        fixed = torch.from_numpy(off).to(device), torch.from_numpy(on).to(device)
        limits_on_device = torch.from_numpy(limited).to(device), torch.from_numpy(max_active).to(device)
        minimum = torch.from_numpy(min_active).to(device) if min_active.any() else None
        return cls(*fixed, *limits_on_device, minimum, projects if any(projects) else ())

    @property
    def needs_repair(self) -> bool:
        """Whether frames with correct fixed units may still break a rule."""
        return bool(len(self.limited) or self.projections)

    def for_candidates(self) -> TorchFrameRules:
        """Return the rules of all candidates for each row, one after the other."""

        def repeated(tensor: Tensor, axis: int) -> Tensor:
            return tensor.repeat_interleave(CANDIDATES, axis)

        minimum = None if self.min_active is None else repeated(self.min_active, 1)
        projects = tuple(project for project in self.projections for _ in range(CANDIDATES))
        fixed = repeated(self.must_be_off, 0), repeated(self.must_be_on, 0)
        return TorchFrameRules(*fixed, repeated(self.limited, 1), repeated(self.max_active, 1), minimum, projects)

    def apply(self, frames: Tensor, rank: Tensor) -> Tensor:
        """Return `frames` (B, V), bool, with the limits enforced in their order, then projected.

        Excess units of lowest `rank` (B, V) are turned off; missing ones of highest rank are turned on.
        """
        frames, rank = frames.to(self.must_be_off.device), rank.to(self.must_be_off.device)
        for number, (units, max_active) in enumerate(zip(self.limited, self.max_active, strict=True)):
            active = frames & units
            place = _ranks(torch.where(active, rank, -torch.inf))
            frames = frames & ~(active & (place >= max_active[:, None]))
            if self.min_active is not None:
                idle = units & ~frames & (rank > -torch.inf)
                missing = self.min_active[number] - active.sum(1)
                frames = frames | idle & (_ranks(torch.where(idle, rank, -torch.inf)) < missing[:, None])
        return self._project(frames) if self.projections else frames

    def _project(self, frames: Tensor) -> Tensor:
        projected = frames.cpu().numpy().copy()
        for row, project in enumerate(self.projections):
            if project is not None:
                units = project(tuple(np.flatnonzero(projected[row]).tolist()))
                projected[row] = False
                projected[row, list(units)] = True
        return torch.from_numpy(projected).to(frames.device)


@dataclass(frozen=True, slots=True, eq=False)
class TorchSamplingParams:
    """`composer.api.sampling.filters.BatchSamplingParams` on a device.

    `rule` is None, allowed tokens (B, V), bool, or TorchFrameRules. If `temperature` is (T, B), `at_step` gives the
    parameters of one step.
    """

    temperature: Tensor
    top_k: Tensor
    top_p: Tensor
    min_p: Tensor
    has_filters: bool
    any_greedy: bool
    is_default: bool
    rule: Tensor | TorchFrameRules | None = None
    per_unit: bool = False

    @classmethod
    def from_numpy(cls, params: BatchSamplingParams, device: torch.device) -> TorchSamplingParams:
        """Return `params` on `device`, without the rule."""

        def column(values: NDArray[Any]) -> Tensor:
            return torch.tensor(values, device=device)

        columns = column(params.temperature), column(params.top_k), column(params.top_p), column(params.min_p)
        flags = params.has_filters, params.any_greedy, params.is_default
        return cls(*columns, *flags, per_unit=params.per_unit)

    def with_temperature_of(self, params: BatchSamplingParams) -> TorchSamplingParams:
        """Return a copy with the temperatures of `params`, which has no other differences."""
        temperature = torch.tensor(params.temperature, device=self.temperature.device)
        return replace(self, temperature=temperature, any_greedy=params.any_greedy, is_default=params.is_default)

    def at_step(self, step: Tensor) -> TorchSamplingParams:
        """The way of step `step`, a tensor (1,) on the device, active from 0."""
        if self.temperature.ndim == 1:
            return self
        return replace(self, temperature=self.temperature.index_select(0, step)[0])

    @property
    def has_filter(self) -> Tensor:
        """Whether each row (B,) has a filter."""
        return (self.top_k > 0) | (self.top_p < 1) | (self.min_p > 0)

    @property
    def truncation(self) -> TorchTruncation:
        """The filters of all rows."""
        return TorchTruncation(self.top_k, self.top_p, self.min_p)

    @property
    def is_greedy(self) -> Tensor:
        """Whether each row (B,) gets what is most likely."""
        return (self.temperature <= 0) | (self.top_k == 1)

    @property
    def has_projections(self) -> bool:
        """Whether a rule has a projection, which runs on the host."""
        return isinstance(self.rule, TorchFrameRules) and bool(self.rule.projections)


def draw_tokens(logits: Tensor, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
    """Draw one token per row from `logits` (B, V): steps (B,), int64."""
    logits = logits.to(params.temperature.device)
    shifted = logits - logits.amax(1, keepdim=True)
    weights = shifted.exp()
    total = weights.sum(1)
    if isinstance(params.rule, Tensor):
        masked = (1 - (weights * params.rule).sum(1) / total).clamp(min=0)
        probs = _filter(torch.where(params.rule, shifted, -torch.inf), params)
    else:
        masked = torch.zeros_like(total)
        probs = weights if params.is_default else _filter(shifted, params)
    cumulative = probs.cumsum(1, dtype=torch.float64)
    target = rng.uniform(len(logits), 1) * cumulative[:, -1:]
    steps = (cumulative <= target).sum(1)
    return TorchDraw(steps, shifted.gather(1, steps[:, None])[:, 0] - total.log(), masked)


def draw_frames(logits: Tensor, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
    """Draw one frame per row from independent units with `logits` (B, V): steps (B, V), uint8."""
    logits = logits.to(params.temperature.device)
    divisor = params.temperature.clamp(min=LOWEST_TEMPERATURE)[:, None]
    tempered = _sigmoid(logits if params.is_default else logits / divisor)
    rules = params.rule if isinstance(params.rule, TorchFrameRules) else None
    rank, masked = logits, torch.zeros_like(logits[:, 0])
    if rules is not None:
        rank = logits.masked_fill(rules.must_be_on, torch.inf).masked_fill(rules.must_be_off, -torch.inf)
        tempered = tempered.masked_fill(rules.must_be_on, 2.0).masked_fill(rules.must_be_off, -1.0)
        prob = _sigmoid(logits)
        masked = 1 - torch.where(rules.must_be_off, 1 - prob, torch.where(rules.must_be_on, prob, 1)).prod(1)
    if params.has_filters and params.per_unit:
        kept = _kept_units(rank, tempered, params)
        tempered = torch.where(kept if rules is None else kept | rules.must_be_on, tempered, -1.0)
    drawn = rng.uniform(*logits.shape) < tempered
    frames = rules.apply(drawn, rank) if rules is not None and rules.needs_repair else drawn
    if params.has_filters and not params.per_unit:
        filtered = _draw_filtered(drawn, tempered, rank, params, rng)
        frames = torch.where(params.has_filter[:, None], filtered, frames)
    return TorchDraw(frames.to(torch.uint8), frame_log_prob(logits, frames), masked)


def _draw_filtered(
    drawn: Tensor, tempered: Tensor, rank: Tensor, params: TorchSamplingParams, rng: TorchStepRNG
) -> Tensor:
    """Return one of several candidates per row: the likeliest frame, the frames `drawn` (B, V) and others."""
    rows, size = drawn.shape
    others = rng.uniform(rows, (CANDIDATES - 2) * size).view(rows, -1, size) < tempered[:, None]
    frames = torch.cat([(rank > 0)[:, None], drawn[:, None], others], 1)
    repaired, rules = frames, params.rule
    if isinstance(rules, TorchFrameRules) and rules.needs_repair:
        flat = rules.for_candidates().apply(frames.flatten(0, 1), rank.repeat_interleave(CANDIDATES, 0))
        repaired = flat.view_as(frames)
    valid = (repaired == frames).all(2)
    valid = (valid | ~valid.any(1, keepdim=True)) & first_occurrences(frames)
    logits = rank.clamp(-1e9, 1e9)  # so that fixed units have the factor 1
    logp = frame_log_prob(logits[:, None], frames)
    logq = frame_log_prob((logits / params.temperature.clamp(min=LOWEST_TEMPERATURE)[:, None])[:, None], frames)
    temperature = torch.where(params.is_greedy, 0, params.temperature)
    keys = candidate_keys(logp, logq, valid, temperature, params.truncation, gumbel(rng.uniform(rows, CANDIDATES)))
    return repaired.gather(1, keys.argmax(1)[:, None, None].expand(-1, 1, size))[:, 0]


def frame_log_prob(logits: Tensor, frames: Tensor) -> Tensor:
    """Return the log-probability (B,) in nats of frames (B, V), bool, with independent units of `logits`."""
    return (torch.where(frames, logits, 0) - torch.logaddexp(torch.zeros_like(logits), logits)).sum(-1)


def to_numpy(*tensors: Tensor) -> list[NDArray[Any]]:
    """Return tensors of one device as arrays: from an accelerator, in one transfer."""
    if tensors[0].device.type == "cpu":
        return [tensor.numpy() for tensor in tensors]
    return to_numpy_packed(tensors)


def to_numpy_packed(tensors: Sequence[Tensor]) -> list[NDArray[Any]]:
    """Return the tensors as arrays, transferred as one block of bytes."""
    data = torch.cat([tensor.contiguous().view(-1).view(torch.uint8) for tensor in tensors]).cpu().numpy()
    ends = np.cumsum([tensor.nbytes for tensor in tensors])
    parts = np.split(data, ends[:-1])
    return [
        part.view(str(tensor.dtype).removeprefix("torch.")).reshape(tensor.shape)
        for part, tensor in zip(parts, tensors, strict=True)
    ]


def _filter(shifted: Tensor, params: TorchSamplingParams) -> Tensor:
    """Return unnormalized probabilities (B, V) after temperature, top-k, top-p and min-p; masked tokens are at -inf."""
    shifted = shifted - shifted.amax(1, keepdim=True)
    positive = (params.temperature > 0)[:, None]
    temperature = params.temperature[:, None]
    if params.any_greedy:
        temperature = torch.where(positive, temperature, 1)
    probs = (shifted / temperature).exp()
    if params.has_filters:
        probs = torch.where(params.truncation.keep(probs, probs), probs, 0)
    if params.any_greedy:
        best = torch.zeros_like(probs).scatter_(1, shifted.argmax(1, keepdim=True), 1.0)
        probs = torch.where(positive, probs, best)
    return probs


def _kept_units(rank: Tensor, prob: Tensor, params: TorchSamplingParams) -> Tensor:
    limit = torch.where(params.top_k > 0, params.top_k, rank.shape[1])[:, None]
    return (_ranks(rank) < limit) & (prob >= params.min_p[:, None] * prob.amax(1, keepdim=True))


def _ranks(rank: Tensor) -> Tensor:
    """Return the position of each unit (B, V) when its row is sorted by descending `rank`, ties by number."""
    order = rank.argsort(stable=True, dim=1, descending=True)
    return order.argsort(stable=True, dim=1)


def _sigmoid(x: Tensor) -> Tensor:
    """As in `composer.api.sampling.filters`, so that the two differ only in rounding."""
    return 0.5 * (0.5 * x).tanh() + 0.5
