"""Status of a training run, updated by its events, and its progress lines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from composer.cli.render.text import MEANINGFUL_SECONDS, count_noun, duration
from composer.training.events import Event, Finished, MicroBatchHalved, RolledBack, Started, Updated, Validated

BLOCKS = "▁▂▃▄▅▆▇█"
MEANINGFUL_UPDATES = 5
"""How many updates must be done before the time left can be estimated."""
SMOOTHING = 0.95
"""Decay of the moving average of the loss that is shown."""


@dataclass
class TrainingStatus:
    """The status so far. `convert` turns nats into `unit`, `clock` returns seconds."""

    unit: str = "nats"
    convert: Callable[[float], float] = float
    step_name: str = "step"
    clock: Callable[[], float] = time.monotonic
    started: Started | None = None
    updated: Updated | None = None
    validated: list[Validated] = field(default_factory=list)
    loss: float = 0.0
    began: tuple[float, int] | None = None

    def on_event(self, event: Event) -> None:
        """Update the status."""
        match event:
            case Started():
                if self.started is not None:  # values of different phases are not comparable
                    self.validated.clear()
                self.started, self.updated, self.began = event, None, (self.clock(), event.update)
            case Updated():
                first = self.updated is None
                self.loss = event.monitor if first else SMOOTHING * self.loss + (1 - SMOOTHING) * event.monitor
                self.updated = event
            case Validated():
                self.validated.append(event)

    @property
    def done(self) -> float:
        """The share of the updates that is done, 0 to 1."""
        if self.started is None or self.updated is None:
            return 0.0
        return min(1.0, self.updated.update / max(1, self.started.updates))

    @property
    def left(self) -> float | None:
        """Estimated seconds to the last update; None as long as that means little."""
        if self.started is None or self.updated is None or self.began is None:
            return None
        seconds, taken = self.clock() - self.began[0], self.updated.update - self.began[1]
        if taken < MEANINGFUL_UPDATES or seconds < MEANINGFUL_SECONDS:
            return None
        return seconds / taken * (self.started.updates - self.updated.update)

    def in_phase(self, text: str) -> str:
        """Return `text` after the name of the phase, unless it is the last phase."""
        started = self.started
        if started is None or not started.phases or started.phase == started.phases[-1].name:
            return text
        return f"{started.phase}: {text}"

    @property
    def best(self) -> Validated | None:
        """The best validation so far."""
        return next((event for event in reversed(self.validated) if event.best), None)


def opening_line(event: Started, step_name: str = "step") -> str:
    """Return the line at the start of a phase."""
    phase = "" if event.phase == "train" else f"{event.phase}: "
    threads = f" ({count_noun(event.threads, 'thread')})" if event.threads else ""
    pieces = f"{count_noun(event.pieces[0], 'piece')} ({count_noun(event.counted[0], step_name)})"
    parameters = f"{event.parameters:,} parameters, " if event.parameters else ""
    return f"{phase}training on {pieces}, {parameters}on {event.device}{threads} in {event.precision}"


def unreached_line(event: Started) -> str | None:
    """Return a warning about a phase without updates; None if there is none."""
    missing = next((phase for phase in event.phases if not phase.updates), None)
    if missing is None:
        return None
    before = event.phases[: event.phases.index(missing)]
    names, whole = " and ".join(f"`{phase.name}`" for phase in before), sum(phase.unlimited_updates for phase in before)
    return (
        f"training ends in {names}, before the first update of `{missing.name}`; use --max-updates {whole + 1} or more"
    )


def update_line(status: TrainingStatus, width: int | None = None) -> str:
    """Return the progress line; if it is longer than `width`, without rate and epoch, and then without the unit."""
    started, updated, left = status.started, status.updated, status.left
    if started is None or updated is None:
        return ""
    count, loss = f"update {updated.update:,}/{started.updates:,}", f"loss {status.convert(status.loss):.3f}"
    with_unit, time_left = f"{loss} {status.unit}", [f"{duration(left)} left"] if left is not None else []
    rate = f"{updated.rate:,.0f} {status.step_name}s/s"
    lines = [
        status.in_phase("  ".join([count, *parts, *time_left]))
        for parts in ([f"epoch {updated.epoch:.1f}", with_unit, rate], [with_unit], [loss])
    ]
    return next((line for line in lines if width is None or len(line) <= width), lines[-1])


def memory_line(event: MicroBatchHalved) -> str:
    """Return the warning for a training step that did not fit into memory."""
    return (
        f"update {event.update:,}: out of memory; continuing with {count_noun(event.rows, 'row')} of the batch at a "
        "time, which gives the same result"
    )


def rolled_back_line(event: RolledBack) -> str:
    """Return the line about a model that is newer than the saved state."""
    return (
        f"resuming from update {event.update:,}, the last saved state; the model from update {event.best_update:,} "
        "stays until a better one is found"
    )


def validation_line(event: Validated, best: Validated | None = None) -> str:
    """Return the line about a validation, with the best value so far if it is another."""
    text = f"update {event.update:,}: validation {event.reported:.3f} {event.unit}"
    if event.best:
        return f"{text}, best so far"
    return f"{text} (best {best.reported:.3f})" if best is not None else text


def closing_line(event: Finished, unit: str, reported: Callable[[float], float]) -> str:
    """Return the line at the end of training."""
    ends = {"early": "stopped early after {}, as validation no longer improves"}
    best = "" if event.best is None else f"; best validation {reported(event.best):.3f} {unit}"
    return ends.get(event.reason, f"{event.reason} after {{}}").format(count_noun(event.update, "update")) + best


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the last `width` of `values` as a curve of block characters; the highest is a full block."""
    shown = [value for value in values if math.isfinite(value)][-max(0, width) :] if width > 0 else []
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    span = high - low or 1.0
    return "".join(BLOCKS[round((value - low) / span * (len(BLOCKS) - 1))] for value in shown)
