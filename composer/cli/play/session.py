"""Play pieces one after the other: draw them, and follow the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from composer.cli.play.keys import ReadKey, key_reader, split_keys, wait
from composer.cli.play.pieces import Tune
from composer.cli.play.roll_view import RollView, second_screen
from composer.cli.render.reading_progress import ReadingProgress
from composer.playback.choose import Sound
from composer.playback.player import Player
from composer.playback.programs import ProgramFailed

if TYPE_CHECKING:
    from composer.cli.console import Console

TICK = 0.05
"""Seconds between two looks at the keys and the cursor."""
MAX_START = 3.0
"""A program that fails later than so many seconds after its start is not replaced by another one."""
_HELP = "space: pause   n: next   q: quit"


class Quit(Exception):
    """The user wants no more."""


class _Next(Exception):
    """The user wants the next piece."""


def play_tunes(console: Console, tunes: Iterable[Tune], sound: Sound) -> None:
    """Play `tunes`, until the user quits. Raises ComposerError.

    On a terminal, a piano roll with a cursor shows each, and keys control it. A quiet console shows nothing.
    """
    with ExitStack() as stack:
        read_key = stack.enter_context(key_reader(console)) if not console.quiet else None
        session = _Session(console, sound, read_key)
        try:
            for tune in tunes:
                session.play(tune)
        except Quit:
            pass


class _Session:
    """Plays pieces with players that have played before, or that show that they can."""

    def __init__(self, console: Console, sound: Sound, read_key: ReadKey | None) -> None:
        self._console, self._sound, self._read_key = console, sound, read_key
        self._proven = set[str]()
        """Names of players that have played."""

    def play(self, tune: Tune) -> None:
        """Play one piece, with the next program if one fails at its start. Raises Quit, ComposerError."""
        failures, rendering = list[ProgramFailed](), ReadingProgress(self._console)
        with self._sound.players(tune.piece, rendering.update_rendered) as players:
            for player in players:
                rendering.clear()
                try:
                    self._play_with(player, tune)
                    return
                except ProgramFailed as error:
                    if player.position > MAX_START:
                        raise
                    failures.append(error)
        raise ProgramFailed("; ".join(each.message for each in failures), failures[-1].hint)

    def _play_with(self, player: Player, tune: Tune) -> None:
        """Play a piece with one player. Raises Quit, ComposerError."""
        view = RollView(self._console, tune.score)

        def is_over() -> bool:
            finished = player.is_finished
            player.check()  # later, since a program that fails in between is finished too
            return finished

        try:
            with suppress(_Next):
                self._start(player)
                play_until_over(
                    self._console, self._read_key,
                    f"playing {tune.piece.name} ({clock(tune.piece.duration)}) with {player.name}",
                    is_over, lambda: view.draw(player.position, _status(tune, player)),
                    lambda keys: _follow(keys, player),
                )  # fmt: skip
        finally:
            player.stop()

    def _start(self, player: Player) -> None:
        """Start a player, and follow the keys until it is known to play. Raises Quit, _Next, ComposerError.

        Until then nothing is shown: if it fails, only the error is of use.
        """
        player.start()
        while player.name not in self._proven and not player.has_started:
            _follow((self._read_key or wait)(TICK), player)
        player.check()
        self._proven.add(player.name)


def play_until_over(
    console: Console,
    read_key: ReadKey | None,
    announcement: str,
    is_over: Callable[[], bool],
    draw: Callable[[], object],
    press: Callable[[str], object],
) -> None:
    """Draw what is played, and follow the keys that are pressed. Without keys, or if quiet, only announce it.

    Raises what the functions raise.
    """
    if read_key is None or console.quiet:
        console.say(announcement)
        while not is_over():
            press((read_key or wait)(TICK))
        return
    with second_screen(console):
        while not is_over():
            draw()
            press(read_key(TICK))


def _follow(keys: str, player: Player) -> None:
    """Do what the pressed keys say. Raises Quit, _Next."""
    for key in split_keys(keys):
        if key in "qQ\x04":
            raise Quit
        if key == " ":
            (player.resume if player.is_paused else player.pause)()
        if key in "nN":
            raise _Next


def _status(tune: Tune, player: Player) -> str:
    paused = "paused" if player.is_paused else "playing"
    at = f"{clock(player.position)} / {clock(tune.piece.duration)}"
    return f"{at}  {paused}   {_HELP}   {tune.piece.name} with {player.name}"


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
