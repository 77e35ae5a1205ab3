"""Play what was generated, or say how to."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import Source, UsageError
from composer.cli.gen.default_candidates import is_music
from composer.cli.gen.plan import Plan
from composer.cli.output.targets import BufferedTarget, Target, ToStdout
from composer.cli.representation_argument import find_representation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from composer.cli.console import Console
    from composer.cli.gen.options import GenOptions
    from composer.cli.output.run_record import RunRecord
    from composer.playback.choose import Sound
    from composer.system.locks import Lock


@dataclass
class Overheard(Target):
    """Keeps the pieces, and passes them on to a target, if there is one."""

    target: Target | None
    pieces: dict[int, bytearray] = field(default_factory=dict)

    @property
    def one_file_per_piece(self) -> bool:  # type: ignore[override]
        return self.target is not None and self.target.one_file_per_piece

    @property
    def already_written(self) -> int:  # type: ignore[override]
        return self.target.already_written if self.target is not None else 0

    @property
    def record(self) -> Path | None:
        return self.target.record if self.target is not None else None

    def reserve(self, rank: int) -> AbstractContextManager[Lock | None]:
        return self.target.reserve(rank) if self.target is not None else super().reserve(rank)

    def pending(self, numbers: range, saved: RunRecord | None, *, force: bool, is_single: bool) -> Iterable[int]:
        if self.target is None:
            return super().pending(numbers, saved, force=force, is_single=is_single)
        return self.target.pending(numbers, saved, force=force, is_single=is_single)

    def open(self, record: RunRecord | None) -> None:
        if self.target is not None:
            self.target.open(record)

    def write(self, number: int, data: bytes) -> None:
        self.pieces.setdefault(number, bytearray()).extend(data)
        if self.target is not None:
            self.target.write(number, data)

    def finish_piece(self, number: int) -> None:
        if self.target is not None:
            self.target.finish_piece(number)

    def discard(self, number: int) -> None:
        self.pieces.pop(number, None)
        if self.target is not None:
            self.target.discard(number)

    def close(self, *, finished: bool) -> None:
        if self.target is not None:
            self.target.close(finished=finished)


def overheard(plan: Plan) -> tuple[Plan, Overheard]:
    """Return a plan that keeps its pieces too, and where.

    A piano roll that would stand for binary output is not drawn, as one is shown during playback.
    """
    output = plan.output
    target = Overheard(None if output.as_piano_roll else output.target)
    output = dataclasses.replace(output, target=target, as_piano_roll=False)
    return dataclasses.replace(plan, output=output), target


@contextmanager
def opened_sound(options: GenOptions) -> Iterator[Sound | None]:
    """Open what plays the music, None without --play; before anything is generated.

    Raises ComposerError, and UsageError if the pieces are not music.
    """
    if not options.play:
        yield None
        return
    if not is_music(kind := find_representation(options.representation, "gen")):
        raise UsageError(f"`{kind.name}` is not music, so it cannot be played", "leave out --play", flags=("--play",))
    from composer.playback.choose import open_sound

    with open_sound(options.writing.soundfont, options.port) as sound:
        yield sound


def play_pieces(console: Console, plan: Plan, pieces: Iterable[bytes | bytearray], sound: Sound) -> None:
    """Play generated pieces in order. Raises ComposerError."""
    from composer.cli.play.pieces import tunes_of
    from composer.cli.play.session import play_tunes

    path = Path(f"piece{plan.output.format.suffixes[0]}")
    sources = (Source(path, f"piece {number}", data=bytes(data)) for number, data in enumerate(pieces, 1))
    play_tunes(console, (tune for source in sources for tune in tunes_of(source)), sound)


def say_how_to_listen(console: Console, plan: Plan) -> None:
    """Print the command that plays the result, if a person reads it."""
    if not console.can_animate or not is_music(plan.model.representation):
        return
    output, target = plan.options.output, plan.output.target
    if isinstance(target, ToStdout):
        if console.stdout_is_terminal and plan.options.choose is not None:
            console.say(f"to keep what you choose in a file: add --output tune{plan.output.format.suffixes[0]}")
        elif console.stdout_is_terminal:
            seed = f"--seed {plan.request.seed} " if plan.options.seed is None else ""
            console.say(f"listen: run this again with {seed}--play")
    elif isinstance(target, BufferedTarget) and output is not None:
        console.say(f"listen: composer play {shlex.quote(output)}")
    elif output is not None:
        folder = Path(output) if Path(output).is_dir() else Path(output).parent
        if folder != Path() and "%" not in str(folder):
            console.say(f"listen: composer play {shlex.quote(str(folder))}")
