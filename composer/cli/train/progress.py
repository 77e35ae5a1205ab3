"""Report the events of a training run: a live display on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, redirect_stderr, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from composer.cli.console import ECHO_COLUMNS, Console
from composer.cli.render.reading_progress import report_pieces
from composer.cli.render.text import wrap_prose
from composer.cli.train.status import (
    TrainingStatus,
    memory_line,
    opening_line,
    rolled_back_line,
    sparkline,
    update_line,
    validation_line,
)
from composer.system.escaping import EscapedStream
from composer.training.events import (
    Event,
    Finished,
    MicroBatchHalved,
    Prepared,
    RolledBack,
    Snapshot,
    Started,
    Updated,
    Validated,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from composer.cli.train.snapshots import SnapshotPiece
    from composer.cli.train.tensorboard import TensorBoardWriter


STOPPING = "stopping after this update; press Ctrl-C again to stop at once"


def reporter(console: Console, status: TrainingStatus, as_json: bool = False) -> Reporter:
    """Return the reporter for the terminal and the options."""
    if as_json:
        return JsonReporter(console)
    if console.quiet:
        return SilentReporter(console)
    encoding = (console.stderr.encoding or "").lower().replace("-", "")
    kind = LiveReporter if console.can_animate and encoding == "utf8" else LineReporter
    return kind(console, status)


@dataclass
class Reporter(AbstractContextManager["Reporter"]):
    """Reports every event, and prints texts in between: to stderr if there is no live display."""

    console: Console

    def __exit__(self, *reason: Any) -> None:
        pass

    def on_event(self, event: Event) -> None:
        """Report an event."""

    def show_stopping(self) -> None:
        """Say that training will stop; called by a signal handler, so reports may be in the middle of a line."""
        self.console.say_at_once(STOPPING)

    def print_text(self, text: str) -> None:
        """Print a text as it is, of several lines if need be, between reports."""
        if not self.console.quiet:
            self.console.print_error(text)


@dataclass
class JsonReporter(Reporter):
    """Print each event as a line of JSON on stdout."""

    def on_event(self, event: Event) -> None:
        self.console.write_json(event.to_json(), allow_nan=False, default=str)


@dataclass
class SilentReporter(Reporter):
    """Print warnings only."""

    def on_event(self, event: Event) -> None:
        if isinstance(event, Prepared):
            report_pieces(self.console, event)
        elif isinstance(event, MicroBatchHalved):
            self.console.warn(memory_line(event))


@dataclass
class LineReporter(Reporter):
    """Print a line for each important event, and at each twentieth of the training."""

    status: TrainingStatus
    twentieths: int = 0

    def on_event(self, event: Event) -> None:
        self.status.on_event(event)
        match event:
            case Prepared():
                report_pieces(self.console, event)
            case Started():
                self.twentieths = int(20 * event.update / max(1, event.updates))
                self.console.say(opening_line(event, self.status.step_name))
            case Updated():
                if int(20 * self.status.done) > self.twentieths:
                    self.twentieths = int(20 * self.status.done)
                    self.console.say(update_line(self.status))
            case Validated():
                self.console.say(self.status.in_phase(validation_line(event)))
            case RolledBack():
                self.console.say(rolled_back_line(event))
            case MicroBatchHalved():
                self.console.warn(memory_line(event))


class LiveReporter(Reporter):
    """Live display: progress bar, losses, validation curve, rate and time left."""

    def __init__(self, console: Console, status: TrainingStatus) -> None:
        from rich.live import Live as RichLive

        super().__init__(console)
        self.status = status
        self._rich = console.rich_console(console.stderr)
        self._live = RichLive(
            get_renderable=self.render, console=self._rich, refresh_per_second=8, redirect_stdout=False
        )
        self._printed, self._ended, self._stopping = ExitStack(), False, False

    def __enter__(self) -> Self:
        self._live.__enter__()
        self._printed.enter_context(redirect_stderr(EscapedStream(sys.stderr)))  # it would take colors and links over
        return self

    def __exit__(self, *reason: Any) -> None:
        self._printed.close()
        self._ended, self._live.transient = True, not self.status.validated
        with suppress(OSError):  # the terminal is gone
            self._live.__exit__(*reason)

    def on_event(self, event: Event) -> None:
        self.status.on_event(event)
        if isinstance(event, Prepared):
            report_pieces(self.console, event)
        elif isinstance(event, Started):
            self._print_prose(opening_line(event, self.status.step_name))
        elif isinstance(event, RolledBack):
            self._print_prose(rolled_back_line(event))
        elif isinstance(event, MicroBatchHalved):
            self._print_prose(f"warning: {memory_line(event)}")

    def show_stopping(self) -> None:
        if self.status.updated is None:  # there is no display yet
            super().show_stopping()
        self._stopping = True  # its thread redraws the display

    def print_text(self, text: str) -> None:
        self._rich.print(text, soft_wrap=True)

    def _print_prose(self, text: str) -> None:
        self.print_text("\n".join(wrap_prose(text, self._rich.width)))

    def render(self) -> RenderableType:
        """Return the current display; at the end, only the last validation."""
        from rich.console import Group
        from rich.constrain import Constrain
        from rich.padding import Padding
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        status, width = self.status, self._rich.width - ECHO_COLUMNS
        rows: list[RenderableType] = []
        if status.updated is not None and not self._ended:
            rows.append(Padding(ProgressBar(total=1.0, completed=status.done, width=min(60, width)), 0))
            rows.append(Text(STOPPING if self._stopping else update_line(status, width)))
        if status.updated is not None and status.validated:
            last = status.in_phase(validation_line(status.validated[-1], status.best))
            curve = sparkline([event.value for event in status.validated], width - len(last) - 2)
            rows.append(Text.assemble(last, "  ", (curve, "green")) if curve else Text(last))
        return Constrain(Group(*rows), width)


class Ending(NamedTuple):
    """How a run ended: its last event, None if it was killed, and the first error in reporting it."""

    finished: Finished | None
    failure: Exception | None = None


def follow(
    events: Iterable[Event], reporter: Reporter, generate: Callable[[Snapshot], SnapshotPiece],
    writer: TensorBoardWriter | None = None, on_failure: Callable[[Exception], None] = lambda error: None,
) -> Ending:  # fmt: skip
    """Report all events, generate a piece at each snapshot, and return how the run ended.

    If that fails, as when nobody reads stdout anymore, `on_failure` is called and nothing more is reported: an error
    here must not end the run before it is saved.
    """

    def report(event: Event) -> None:
        reporter.on_event(event)
        if writer is not None:
            writer.on_event(event)
        if isinstance(event, Snapshot):
            piece = generate(event)
            reporter.print_text(str(piece))
            if writer is not None:
                writer.add_sample(piece)

    finished = failure = None
    with reporter:
        for event in events:
            finished = event if isinstance(event, Finished) else finished
            if failure is None:
                try:
                    report(event)
                except Exception as error:
                    failure = error
                    on_failure(error)
    return Ending(finished, failure)
