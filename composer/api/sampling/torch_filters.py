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

from composer.api.representation import FrameRule
from composer.api.sampling.filters import Drawn, How, clamps, mask_array
from composer.api.sampling.torch_rng import TensorNoise

__all__ = ["Drawing", "FrameRules", "Way", "draw_frames", "draw_tokens", "fetched", "frames_logp", "place_of"]


def place_of(device: torch.device) -> torch.device:
    """Where the steps of a network on `device` are drawn, and its ways and noise are kept."""
    return torch.device("cpu") if device.type == "mps" else device


class Drawing(NamedTuple):
    """`composer.api.sampling.filters.Drawn` in tensors."""

    steps: Tensor
    logp: Tensor
    refused: Tensor

    def fetched(self) -> Drawn:
        """The same in arrays, in one transfer."""
        return Drawn(*fetched(*self))


@dataclass(frozen=True, slots=True, eq=False)
class FrameRules:
    """The rules of B rows: units held `off` and `on` (B, V); of the units `limited` (L, B, V), `most` (L, B) at a time.

    `least` (L, B) is how many of them there are at the fewest; None where no rule asks for any. `projects` are the
    rows' projections, which run on the host; empty where no row has one.
    """

    off: Tensor
    on: Tensor
    limited: Tensor
    most: Tensor
    least: Tensor | None = None
    projects: tuple[Callable[[tuple[int, ...]], tuple[int, ...]] | None, ...] = ()

    @classmethod
    def of(cls, rules: Sequence[FrameRule | None], size: int, device: torch.device) -> FrameRules:
        """The rules of each row of frames of `size` units, on `device`."""
        limits = [rule.limits if rule is not None else () for rule in rules]
        depth = max(map(len, limits), default=0)
        limited, most = np.zeros((depth, len(rules), size), bool), np.full((depth, len(rules)), size)
        least = np.zeros_like(most)
        for row, each in enumerate(limits):
            for place, limit in enumerate(each):
                limited[place, row] = mask_array(limit.units, size)
                most[place, row], least[place, row] = limit.most, limit.least
        projects = tuple(rule.project if rule is not None else None for rule in rules)
        off, on = clamps(rules, size)
        held = torch.from_numpy(off).to(device), torch.from_numpy(on).to(device)
        kept = torch.from_numpy(limited).to(device), torch.from_numpy(most).to(device)
        fewest = torch.from_numpy(least).to(device) if least.any() else None
        return cls(*held, *kept, fewest, projects if any(projects) else ())

    @property
    def mend(self) -> bool:
        """Whether a frame with the right units off and on may still be wrong."""
        return bool(len(self.limited) or self.projects)

    def obeyed(self, frames: Tensor, rank: Tensor) -> Tensor:
        """`frames` (B, V), bool, with the limits kept in their order, then projected.

        Of units that are too many, those of lowest `rank` (B, V) go; of those that lack, the highest are added.
        """
        frames, rank = frames.to(self.off.device), rank.to(self.off.device)
        for number, (units, most) in enumerate(zip(self.limited, self.most, strict=True)):
            counted = frames & units
            place = _places(torch.where(counted, rank, -torch.inf))
            frames = frames & ~(counted & (place >= most[:, None]))
            if self.least is not None:
                idle = units & ~frames & (rank > -torch.inf)
                lacking = self.least[number] - counted.sum(1)
                frames = frames | idle & (_places(torch.where(idle, rank, -torch.inf)) < lacking[:, None])
        return self._projected(frames) if self.projects else frames

    def _projected(self, frames: Tensor) -> Tensor:
        found = frames.cpu().numpy().copy()
        for row, project in enumerate(self.projects):
            if project is not None:
                units = project(tuple(np.flatnonzero(found[row]).tolist()))
                found[row] = False
                found[row, list(units)] = True
        return torch.from_numpy(found).to(frames.device)


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """`composer.api.sampling.filters.How` on a device. `rule`: allowed tokens (B, V), bool, or FrameRules, or None.

    To draw by, `temperature` is (B,); where it is (T, B), `at` gives the way of a step.
    """

    temperature: Tensor
    top_k: Tensor
    top_p: Tensor
    min_p: Tensor
    filters: bool
    greedy: bool
    plain: bool
    rule: Tensor | FrameRules | None = None

    @classmethod
    def of(cls, how: How, device: torch.device) -> Way:
        """`how` on `device`, without its rule."""

        def column(values: NDArray[Any]) -> Tensor:
            return torch.tensor(values, device=device)

        columns = column(how.temperature), column(how.top_k), column(how.top_p), column(how.min_p)
        return cls(*columns, how.filters, how.greedy, how.plain)

    def warmed(self, how: How) -> Way:
        """The same at the temperatures of `how`, which differs in nothing else."""
        temperature = torch.tensor(how.temperature, device=self.temperature.device)
        return replace(self, temperature=temperature, greedy=how.greedy, plain=how.plain)

    def at(self, step: Tensor) -> Way:
        """The way of step `step`, a tensor (1,) on the device, counted from 0."""
        if self.temperature.ndim == 1:
            return self
        return replace(self, temperature=self.temperature.index_select(0, step)[0])

    @property
    def projects(self) -> bool:
        """Whether a rule needs the host to see each frame."""
        return isinstance(self.rule, FrameRules) and bool(self.rule.projects)


def draw_tokens(logits: Tensor, way: Way, noise: TensorNoise) -> Drawing:
    """Draw one token per row from `logits` (B, V): steps (B,), int64."""
    logits = logits.to(way.temperature.device)
    shifted = logits - logits.amax(1, keepdim=True)
    weights = shifted.exp()
    total = weights.sum(1)
    if isinstance(way.rule, Tensor):
        refused = (1 - (weights * way.rule).sum(1) / total).clamp(min=0)
        chances = _filtered(torch.where(way.rule, shifted, -torch.inf), way)
    else:
        refused = torch.zeros_like(total)
        chances = weights if way.plain else _filtered(shifted, way)
    cumulative = chances.cumsum(1, dtype=torch.float64)
    target = noise.uniform(len(logits), 1) * cumulative[:, -1:]
    steps = (cumulative <= target).sum(1)
    return Drawing(steps, shifted.gather(1, steps[:, None])[:, 0] - total.log(), refused)


def draw_frames(logits: Tensor, way: Way, noise: TensorNoise) -> Drawing:
    """Draw one frame per row from independent units with `logits` (B, V): steps (B, V), uint8."""
    logits = logits.to(way.temperature.device)
    tempered = _sigmoid(logits if way.plain else logits / way.temperature.clamp(min=1e-6)[:, None])
    rules = way.rule if isinstance(way.rule, FrameRules) else None
    rank, refused = logits, torch.zeros_like(logits[:, 0])
    if rules is not None:
        rank = logits.masked_fill(rules.on, torch.inf).masked_fill(rules.off, -torch.inf)
        tempered = tempered.masked_fill(rules.on, 2.0).masked_fill(rules.off, -1.0)
        chance = _sigmoid(logits)
        refused = 1 - torch.where(rules.off, 1 - chance, torch.where(rules.on, chance, 1)).prod(1)
    if way.filters:
        kept = _kept_units(rank, tempered, way)
        tempered = torch.where(kept if rules is None else kept | rules.on, tempered, -1.0)
    frames = noise.uniform(*logits.shape) < tempered
    if rules is not None and rules.mend:
        frames = rules.obeyed(frames, rank)
    return Drawing(frames.to(torch.uint8), frames_logp(logits, frames), refused)


def frames_logp(logits: Tensor, frames: Tensor) -> Tensor:
    """Log-probability, in nats, of each frame (B, V), bool, under independent units with `logits`; shape (B,)."""
    return (torch.where(frames, logits, 0) - torch.logaddexp(torch.zeros_like(logits), logits)).sum(-1)


def fetched(*tensors: Tensor) -> list[NDArray[Any]]:
    """The tensors, all on one device, as arrays: from an accelerator, in one transfer."""
    if tensors[0].device.type == "cpu":
        return [tensor.numpy() for tensor in tensors]
    return packed_up(tensors)


def packed_up(tensors: Sequence[Tensor]) -> list[NDArray[Any]]:
    """The tensors as arrays, their bytes brought to the host side by side."""
    data = torch.cat([tensor.contiguous().view(-1).view(torch.uint8) for tensor in tensors]).cpu().numpy()
    ends = np.cumsum([tensor.nbytes for tensor in tensors])
    parts = np.split(data, ends[:-1])
    return [
        part.view(str(tensor.dtype).removeprefix("torch.")).reshape(tensor.shape)
        for part, tensor in zip(parts, tensors, strict=True)
    ]


def _filtered(shifted: Tensor, way: Way) -> Tensor:
    """Unnormalised chances (B, V) after temperature, top-k, top-p and min-p; what the rule forbids is at -inf."""
    shifted = shifted - shifted.amax(1, keepdim=True)
    positive = (way.temperature > 0)[:, None]
    temperature = torch.where(positive, way.temperature[:, None], 1) if way.greedy else way.temperature[:, None]
    chances = (shifted / temperature).exp()
    if way.filters:
        chances = _truncated(chances, way)
    if way.greedy:
        best = torch.zeros_like(chances).scatter_(1, shifted.argmax(1, keepdim=True), 1.0)
        chances = torch.where(positive, chances, best)
    return chances


def _truncated(chances: Tensor, way: Way) -> Tensor:
    """`chances` with those zero that top-k, top-p or min-p leave out; the likeliest always stays."""
    size = chances.shape[1]
    ranked, order = chances.sort(stable=True, dim=1, descending=True)
    keep = torch.arange(size, device=chances.device) < torch.where(way.top_k > 0, way.top_k, size)[:, None]
    ranked = torch.where(keep, ranked, 0)
    before = ranked.cumsum(1) - ranked
    keep = keep & (before < way.top_p[:, None] * ranked.sum(1, keepdim=True))
    keep = keep & (ranked >= way.min_p[:, None] * ranked[:, :1])
    keep[:, 0] = True
    return torch.where(torch.zeros_like(keep).scatter_(1, order, keep), chances, 0)


def _kept_units(rank: Tensor, chance: Tensor, way: Way) -> Tensor:
    limit = torch.where(way.top_k > 0, way.top_k, rank.shape[1])[:, None]
    return (_places(rank) < limit) & (chance >= way.min_p[:, None] * chance.amax(1, keepdim=True))


def _places(rank: Tensor) -> Tensor:
    """The place of each unit (B, V) when its row is ordered, the highest `rank` first and equals by number."""
    order = rank.argsort(stable=True, dim=1, descending=True)
    return order.argsort(stable=True, dim=1)


def _sigmoid(x: Tensor) -> Tensor:
    """As in `composer.api.sampling.filters`, so that the two differ in rounding alone."""
    return 0.5 * (0.5 * x).tanh() + 0.5
