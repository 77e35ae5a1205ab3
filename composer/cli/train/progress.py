"""Training as the user sees it: a live picture on a terminal, plain lines elsewhere, or JSON lines on stdout."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from composer.cli.console import Console
from composer.cli.render.reading_progress import report_pieces
from composer.cli.train.status import (
    Standing,
    memory_line,
    opening_line,
    return_line,
    sparkline,
    step_line,
    validation_line,
)
from composer.training.events import (
    Event,
    Finished,
    Halved,
    Prepared,
    Snapshot,
    Started,
    Stepped,
    Validated,
    WentBack,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from composer.cli.train.snapshots import Composed
    from composer.cli.train.tensorboard import Board


class Reporter(Protocol):
    """Somebody who is told every event, and may show lines of the user's between them."""

    def __enter__(self) -> Reporter: ...

    def __exit__(self, *reason: object) -> None: ...

    def tell(self, event: Event) -> None:
        """Take notice of an event."""
        ...

    def show(self, text: str) -> None:
        """Show a text between what is reported."""
        ...


def reporter(console: Console, standing: Standing, as_json: bool = False) -> Reporter:
    """The reporter that fits the terminal and what the user asked for."""
    if as_json:
        return JsonLines(console)
    if console.quiet:
        return Silent(console)
    encoding = (console.stderr.encoding or "").lower().replace("-", "")
    return Live(console, standing) if console.can_animate and encoding == "utf8" else Lines(console, standing)


@dataclass
class Plain:
    """What reporters that draw nothing have in common: a text to show is a line on stderr."""

    console: Console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        pass

    def show(self, text: str) -> None:
        self.console.say(text)


@dataclass
class JsonLines(Plain):
    """Each event as a line of JSON on stdout."""

    def tell(self, event: Event) -> None:
        self.console.write(json.dumps(event.to_json(), allow_nan=False, default=str) + "\n")


@dataclass
class Silent(Plain):
    """Nothing."""

    def tell(self, event: Event) -> None:
        if isinstance(event, Prepared):
            report_pieces(self.console, event)
        elif isinstance(event, Halved):
            self.console.warn(memory_line(event))


@dataclass
class Lines(Plain):
    """A line for each thing worth knowing, and for each twentieth of the way."""

    standing: Standing
    parts: int = 0

    def tell(self, event: Event) -> None:
        self.standing.take(event)
        match event:
            case Prepared():
                report_pieces(self.console, event)
            case Started():
                self.parts = int(20 * event.step / max(1, event.steps))
                self.console.say(opening_line(event))
            case Stepped():
                if int(20 * self.standing.done) > self.parts:
                    self.parts = int(20 * self.standing.done)
                    self.console.say(step_line(self.standing))
            case Validated():
                self.console.say(self.standing.in_phase(validation_line(event)))
            case WentBack():
                self.console.say(return_line(event))
            case Halved():
                self.console.warn(memory_line(event))


class Live:
    """A picture that is drawn anew: a bar, the losses, the curve of the validation, the pace and the time left."""

    def __init__(self, console: Console, standing: Standing) -> None:
        from rich.live import Live as RichLive

        self.standing = standing
        self._console = console
        self._rich = console.rich_console(console.stderr)
        self._live = RichLive(
            get_renderable=self.render, console=self._rich, refresh_per_second=8, redirect_stdout=False
        )

    def __enter__(self) -> Reporter:
        self._live.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        self._live.__exit__(*reason)

    def tell(self, event: Event) -> None:
        self.standing.take(event)
        if isinstance(event, Prepared):
            report_pieces(self._console, event)
        elif isinstance(event, Started):
            self.show(opening_line(event))
        elif isinstance(event, WentBack):
            self.show(return_line(event))
        elif isinstance(event, Halved):
            self.show(f"warning: {memory_line(event)}")

    def show(self, text: str) -> None:
        self._rich.print(text, markup=False)

    def render(self) -> RenderableType:
        """The picture now."""
        from rich.console import Group
        from rich.padding import Padding
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        standing = self.standing
        if standing.stepped is None:
            return Text("")
        rows: list[RenderableType] = [
            Padding(ProgressBar(total=1.0, completed=standing.done, width=min(60, self._rich.width - 2)), 0),
            Text(step_line(standing), no_wrap=True, overflow="ellipsis"),
        ]
        if standing.validated:
            last = standing.in_phase(validation_line(standing.validated[-1], standing.best))
            line = Text(last, no_wrap=True, overflow="ellipsis")
            curve = sparkline([event.value for event in standing.validated], self._rich.width - len(line) - 4)
            rows.append(Text.assemble(line, "  ", (curve, "green")))
        return Group(*rows)


def follow(
    events: Iterable[Event], told: Reporter, compose: Callable[[Snapshot], Composed], board: Board | None = None
) -> Finished | None:
    """Report every event of a training run, show what is composed at each snapshot, and return how the run ended."""
    finished = None
    with told:
        for event in events:
            told.tell(event)
            if board is not None:
                board.tell(event)
            match event:
                case Snapshot():
                    composed = compose(event)
                    told.show(str(composed))
                    if board is not None:
                        board.show(composed)
                case Finished():
                    finished = event
    return finished
