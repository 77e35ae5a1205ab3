"""From a network's outputs to the next step, on its device: the torch twin of `composer.api.sampling.filters`.

Each function here does what its namesake there does, in the same order and precision; tests hold the two together.
Nothing waits for the device but the projections of frame rules, so that a step can be recorded and played again.
Where the device lacks 64-bit floats, logits are brought to the host, and steps drawn there.
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
from composer.api.sampling.filters import Draw, SamplingParams, fixed_units, mask_array
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
    """Where the steps of a network on `device` are drawn, and its ways and noise are kept."""
    return torch.device("cpu") if device.type == "mps" else device


class TorchDraw(NamedTuple):
    """`composer.api.sampling.filters.Draw` in tensors."""

    steps: Tensor
    logp: Tensor
    masked_prob: Tensor

    def to_numpy(self) -> Draw:
        """The same in arrays, in one transfer."""
        return Draw(*to_numpy(*self))


@dataclass(frozen=True, slots=True, eq=False)
class TorchFrameRules:
    """The rules of B rows: units held `must_be_off` and `must_be_on` (B, V); of the units `limited` (L, B, V),
    `max_active` (L, B) at a time.

    `min_active` (L, B) is how many of them there are at the fewest; None where no rule asks for any. `projections` are
    the rows' projections, which run on the host; empty where no row has one.
    """

    must_be_off: Tensor
    must_be_on: Tensor
    limited: Tensor
    max_active: Tensor
    min_active: Tensor | None = None
    projections: tuple[Callable[[tuple[int, ...]], tuple[int, ...]] | None, ...] = ()

    @classmethod
    def from_rules(cls, rules: Sequence[FrameRule | None], size: int, device: torch.device) -> TorchFrameRules:
        """The rules of each row of frames of `size` units, on `device`."""
        limits = [rule.limits if rule is not None else () for rule in rules]
        depth = max(map(len, limits), default=0)
        limited, most = np.zeros((depth, len(rules), size), bool), np.full((depth, len(rules)), size)
        least = np.zeros_like(most)
        for row, each in enumerate(limits):
            for place, limit in enumerate(each):
                limited[place, row] = mask_array(limit.units, size)
                most[place, row], least[place, row] = limit.max_active, limit.min_active
        projects = tuple(rule.project if rule is not None else None for rule in rules)
        off, on = fixed_units(rules, size)
        held = torch.from_numpy(off).to(device), torch.from_numpy(on).to(device)
        kept = torch.from_numpy(limited).to(device), torch.from_numpy(most).to(device)
        fewest = torch.from_numpy(least).to(device) if least.any() else None
        return cls(*held, *kept, fewest, projects if any(projects) else ())

    @property
    def needs_repair(self) -> bool:
        """Whether a frame with the right units off and on may still be wrong."""
        return bool(len(self.limited) or self.projections)

    def apply(self, frames: Tensor, rank: Tensor) -> Tensor:
        """`frames` (B, V), bool, with the limits kept in their order, then projected.

        Of units that are too many, those of lowest `rank` (B, V) go; of those that lack, the highest are added.
        """
        frames, rank = frames.to(self.must_be_off.device), rank.to(self.must_be_off.device)
        for number, (units, most) in enumerate(zip(self.limited, self.max_active, strict=True)):
            counted = frames & units
            place = _ranks(torch.where(counted, rank, -torch.inf))
            frames = frames & ~(counted & (place >= most[:, None]))
            if self.min_active is not None:
                idle = units & ~frames & (rank > -torch.inf)
                lacking = self.min_active[number] - counted.sum(1)
                frames = frames | idle & (_ranks(torch.where(idle, rank, -torch.inf)) < lacking[:, None])
        return self._project(frames) if self.projections else frames

    def _project(self, frames: Tensor) -> Tensor:
        found = frames.cpu().numpy().copy()
        for row, project in enumerate(self.projections):
            if project is not None:
                units = project(tuple(np.flatnonzero(found[row]).tolist()))
                found[row] = False
                found[row, list(units)] = True
        return torch.from_numpy(found).to(frames.device)


@dataclass(frozen=True, slots=True, eq=False)
class TorchSamplingParams:
    """`composer.api.sampling.filters.SamplingParams` on a device. `rule`: allowed tokens (B, V), bool, or
    TorchFrameRules, or None.

    To draw by, `temperature` is (B,); where it is (T, B), `at_step` gives the way of a step.
    """

    temperature: Tensor
    top_k: Tensor
    top_p: Tensor
    min_p: Tensor
    has_filters: bool
    any_greedy: bool
    is_default: bool
    rule: Tensor | TorchFrameRules | None = None

    @classmethod
    def from_numpy(cls, params: SamplingParams, device: torch.device) -> TorchSamplingParams:
        """`how` on `device`, without its rule."""

        def column(values: NDArray[Any]) -> Tensor:
            return torch.tensor(values, device=device)

        columns = column(params.temperature), column(params.top_k), column(params.top_p), column(params.min_p)
        return cls(*columns, params.has_filters, params.any_greedy, params.is_default)

    def with_temperature_of(self, params: SamplingParams) -> TorchSamplingParams:
        """The same at the temperatures of `how`, which differs in nothing else."""
        temperature = torch.tensor(params.temperature, device=self.temperature.device)
        return replace(self, temperature=temperature, any_greedy=params.any_greedy, is_default=params.is_default)

    def at_step(self, step: Tensor) -> TorchSamplingParams:
        """The way of step `step`, a tensor (1,) on the device, counted from 0."""
        if self.temperature.ndim == 1:
            return self
        return replace(self, temperature=self.temperature.index_select(0, step)[0])

    @property
    def has_projections(self) -> bool:
        """Whether a rule needs the host to see each frame."""
        return isinstance(self.rule, TorchFrameRules) and bool(self.rule.projections)


def draw_tokens(logits: Tensor, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
    """Draw one token per row from `logits` (B, V): steps (B,), int64."""
    logits = logits.to(params.temperature.device)
    shifted = logits - logits.amax(1, keepdim=True)
    weights = shifted.exp()
    total = weights.sum(1)
    if isinstance(params.rule, Tensor):
        masked = (1 - (weights * params.rule).sum(1) / total).clamp(min=0)
        chances = _filter(torch.where(params.rule, shifted, -torch.inf), params)
    else:
        masked = torch.zeros_like(total)
        chances = weights if params.is_default else _filter(shifted, params)
    cumulative = chances.cumsum(1, dtype=torch.float64)
    target = rng.uniform(len(logits), 1) * cumulative[:, -1:]
    steps = (cumulative <= target).sum(1)
    return TorchDraw(steps, shifted.gather(1, steps[:, None])[:, 0] - total.log(), masked)


def draw_frames(logits: Tensor, params: TorchSamplingParams, rng: TorchStepRNG) -> TorchDraw:
    """Draw one frame per row from independent units with `logits` (B, V): steps (B, V), uint8."""
    logits = logits.to(params.temperature.device)
    tempered = _sigmoid(logits if params.is_default else logits / params.temperature.clamp(min=1e-6)[:, None])
    rules = params.rule if isinstance(params.rule, TorchFrameRules) else None
    rank, masked = logits, torch.zeros_like(logits[:, 0])
    if rules is not None:
        rank = logits.masked_fill(rules.must_be_on, torch.inf).masked_fill(rules.must_be_off, -torch.inf)
        tempered = tempered.masked_fill(rules.must_be_on, 2.0).masked_fill(rules.must_be_off, -1.0)
        chance = _sigmoid(logits)
        masked = 1 - torch.where(rules.must_be_off, 1 - chance, torch.where(rules.must_be_on, chance, 1)).prod(1)
    if params.has_filters:
        kept = _kept_units(rank, tempered, params)
        tempered = torch.where(kept if rules is None else kept | rules.must_be_on, tempered, -1.0)
    frames = rng.uniform(*logits.shape) < tempered
    if rules is not None and rules.needs_repair:
        frames = rules.apply(frames, rank)
    return TorchDraw(frames.to(torch.uint8), frame_log_prob(logits, frames), masked)


def frame_log_prob(logits: Tensor, frames: Tensor) -> Tensor:
    """Log-probability, in nats, of each frame (B, V), bool, under independent units with `logits`; shape (B,)."""
    return (torch.where(frames, logits, 0) - torch.logaddexp(torch.zeros_like(logits), logits)).sum(-1)


def to_numpy(*tensors: Tensor) -> list[NDArray[Any]]:
    """The tensors, all on one device, as arrays: from an accelerator, in one transfer."""
    if tensors[0].device.type == "cpu":
        return [tensor.numpy() for tensor in tensors]
    return to_numpy_packed(tensors)


def to_numpy_packed(tensors: Sequence[Tensor]) -> list[NDArray[Any]]:
    """The tensors as arrays, their bytes brought to the host side by side."""
    data = torch.cat([tensor.contiguous().view(-1).view(torch.uint8) for tensor in tensors]).cpu().numpy()
    ends = np.cumsum([tensor.nbytes for tensor in tensors])
    parts = np.split(data, ends[:-1])
    return [
        part.view(str(tensor.dtype).removeprefix("torch.")).reshape(tensor.shape)
        for part, tensor in zip(parts, tensors, strict=True)
    ]


def _filter(shifted: Tensor, params: TorchSamplingParams) -> Tensor:
    """Unnormalised chances (B, V) after temperature, top-k, top-p and min-p; what the rule forbids is at -inf."""
    shifted = shifted - shifted.amax(1, keepdim=True)
    positive = (params.temperature > 0)[:, None]
    temperature = (
        torch.where(positive, params.temperature[:, None], 1) if params.any_greedy else params.temperature[:, None]
    )
    chances = (shifted / temperature).exp()
    if params.has_filters:
        chances = _truncate(chances, params)
    if params.any_greedy:
        best = torch.zeros_like(chances).scatter_(1, shifted.argmax(1, keepdim=True), 1.0)
        chances = torch.where(positive, chances, best)
    return chances


def _truncate(chances: Tensor, params: TorchSamplingParams) -> Tensor:
    """`chances` with those zero that top-k, top-p or min-p leave out; the likeliest always stays."""
    size = chances.shape[1]
    ranked, order = chances.sort(stable=True, dim=1, descending=True)
    keep = torch.arange(size, device=chances.device) < torch.where(params.top_k > 0, params.top_k, size)[:, None]
    ranked = torch.where(keep, ranked, 0)
    before = ranked.cumsum(1) - ranked
    keep = keep & (before < params.top_p[:, None] * ranked.sum(1, keepdim=True))
    keep = keep & (ranked >= params.min_p[:, None] * ranked[:, :1])
    keep[:, 0] = True
    return torch.where(torch.zeros_like(keep).scatter_(1, order, keep), chances, 0)


def _kept_units(rank: Tensor, chance: Tensor, params: TorchSamplingParams) -> Tensor:
    limit = torch.where(params.top_k > 0, params.top_k, rank.shape[1])[:, None]
    return (_ranks(rank) < limit) & (chance >= params.min_p[:, None] * chance.amax(1, keepdim=True))


def _ranks(rank: Tensor) -> Tensor:
    """The place of each unit (B, V) when its row is ordered, the highest `rank` first and equals by number."""
    order = rank.argsort(stable=True, dim=1, descending=True)
    return order.argsort(stable=True, dim=1)


def _sigmoid(x: Tensor) -> Tensor:
    """As in `composer.api.sampling.filters`, so that the two differ in rounding alone."""
    return 0.5 * (0.5 * x).tanh() + 0.5
