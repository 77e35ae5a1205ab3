"""How far training has come: kept from event to event, and said in lines of text."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from composer.cli.render.text import count_noun, duration
from composer.training.events import Event, Finished, MicroBatchHalved, RolledBack, Started, Updated, Validated

BLOCKS = "▁▂▃▄▅▆▇█"
SMOOTHING = 0.95
"""How much of the shown loss is what it was a step ago."""


@dataclass
class TrainingStatus:
    """What is known so far, kept up to date by `on_event`. `convert` turns nats into `unit`; `clock` gives seconds."""

    unit: str = "nats"
    convert: Callable[[float], float] = float
    clock: Callable[[], float] = time.monotonic
    started: Started | None = None
    updated: Updated | None = None
    validated: list[Validated] = field(default_factory=list)
    loss: float = 0.0
    began: tuple[float, int] | None = None

    def on_event(self, event: Event) -> None:
        """Take notice of an event."""
        match event:
            case Started():
                if self.started is not None:  # the values of another phase are no measure for this one
                    self.validated.clear()
                self.started, self.updated, self.began = event, None, (self.clock(), event.update)
            case Updated():
                fresh = self.updated is None
                self.loss = event.monitor if fresh else SMOOTHING * self.loss + (1 - SMOOTHING) * event.monitor
                self.updated = event
            case Validated():
                self.validated.append(event)

    @property
    def done(self) -> float:
        """The share of the steps that is done, 0 to 1."""
        if self.started is None or self.updated is None:
            return 0.0
        return min(1.0, self.updated.update / max(1, self.started.updates))

    @property
    def left(self) -> float | None:
        """Seconds to the last step at the pace so far; None while that cannot be told."""
        if self.started is None or self.updated is None or self.began is None:
            return None
        seconds, first = self.clock() - self.began[0], self.began[1]
        taken = self.updated.update - first
        return seconds / taken * (self.started.updates - self.updated.update) if taken > 0 and seconds > 0 else None

    def in_phase(self, text: str) -> str:
        """`text`, with the name of the phase before it where others come after that."""
        started = self.started
        if started is None or not started.phases or started.phase == started.phases[-1].name:
            return text
        return f"{started.phase}: {text}"

    @property
    def best(self) -> Validated | None:
        """The best validation so far."""
        return next((event for event in reversed(self.validated) if event.best), None)


def opening_line(event: Started) -> str:
    """What is going to happen."""
    phase = "" if event.phase == "train" else f"{event.phase}: "
    held = f", {event.pieces[1]:,} held back" if event.pieces[1] else ""
    return (
        f"{phase}{count_noun(event.pieces[0], 'piece')} of {count_noun(event.counted[0], 'step')}{held}; "
        f"{event.parameters:,} parameters on {event.device}, {event.precision}"
    )


def unreached_line(event: Started) -> str | None:
    """Which phase will not come; None where all do."""
    missing = next((phase for phase in event.phases if not phase.updates), None)
    if missing is None:
        return None
    before = event.phases[: event.phases.index(missing)]
    names, whole = " and ".join(f"`{phase.name}`" for phase in before), sum(phase.unlimited_updates for phase in before)
    return (
        f"training ends within {names}, and no step is left for `{missing.name}`: give more than --max-updates {whole}"
    )


def update_line(standing: TrainingStatus) -> str:
    """How far training has come."""
    started, stepped = standing.started, standing.updated
    if started is None or stepped is None:
        return ""
    parts = [
        f"step {stepped.update:,}/{started.updates:,}",
        f"epoch {stepped.epoch:.1f}",
        f"loss {standing.convert(standing.loss):.3f} {standing.unit}",
        f"{stepped.rate:,.0f}/s",
    ]
    left = standing.left
    return standing.in_phase("  ".join([*parts, f"{duration(left)} left"] if left is not None else parts))


def memory_line(event: MicroBatchHalved) -> str:
    """Return the warning for a training step that did not fit into memory."""
    return (
        f"update {event.update:,}: out of memory; continuing with {count_noun(event.rows, 'row')} of the batch at a "
        "time, which gives the same result"
    )


def rolled_back_line(event: RolledBack) -> str:
    """Where training goes on."""
    return (
        f"going back to step {event.update:,}, where the state was saved last; "
        f"the model of step {event.best_update:,} is kept until there is a better one"
    )


def validation_line(event: Validated, best: Validated | None = None) -> str:
    """What the held-back pieces say; how good the best was, where that is another."""
    text = f"step {event.update:,}: validation {event.reported:.3f} {event.unit}"
    if event.best:
        return f"{text}, the best so far"
    return f"{text} (best {best.reported:.3f})" if best is not None else text


def closing_line(event: Finished, unit: str, reported: Callable[[float], float]) -> str:
    """How it ended."""
    reasons = {"done": "done", "early": "stopped, since it got no better", "interrupted": "interrupted"}
    best = "" if event.best is None else f"; best validation {reported(event.best):.3f} {unit}"
    return f"{reasons.get(event.reason, event.reason)} after {count_noun(event.update, 'update')}{best}"


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` of `values` as a curve of small blocks; the highest is a full one."""
    shown = [value for value in values if math.isfinite(value)][-max(0, width) :] if width > 0 else []
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    span = high - low or 1.0
    return "".join(BLOCKS[round((value - low) / span * (len(BLOCKS) - 1))] for value in shown)
