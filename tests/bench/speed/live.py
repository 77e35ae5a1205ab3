"""How late the messages of `composer jam` are, while the model composes and the piano roll is drawn.

    python tests/bench/speed/live.py [abc grid pianoroll] [--seconds 20]

A port that only notes the time receives what is composed. Now and then the temperature changes, so that what follows is
composed anew. Prints the median, the 95th percentile and the maximum, and how many beats the music waited.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from composer.audio.timeline import TimedMessage
from composer.cli.console import Console
from composer.cli.jam.options import JamOptions
from composer.cli.jam.run import load_tunes
from composer.cli.jam.session import Jam, punctual_threads
from composer.cli.jam.view import JamView
from composer.cli.play.session import TICK
from composer.music.bars import COMMON_TIME
from composer.playback.port_player import LivePlayer
from composer.system.threads import default_to_one_thread

CHANGE_SECONDS = 4


class Port:
    """Notes when each message arrives."""

    def __init__(self) -> None:
        self.received: dict[int, float] = {}

    def send(self, message: Any) -> None:
        """Receive a message."""
        self.received[id(message)] = time.perf_counter()


class ObservedPlayer(LivePlayer):
    """A player that remembers when each message should be sent, in seconds from the start."""

    def __init__(self, port: Port) -> None:
        super().__init__(port, "bench")
        self.expected: list[TimedMessage] = []

    def add(self, messages: Iterable[TimedMessage], *, ends_first: bool = True) -> None:
        """Play and remember `messages`."""
        given = list(messages)
        self.expected += given
        super().add(given, ends_first=ends_first)


def main(arguments: list[str] | None = None) -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("representations", nargs="*", default=["abc", "grid", "pianoroll"])
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args(arguments)
    default_to_one_thread()
    for name in options.representations:
        measure(name, options.seconds)


def measure(name: str, seconds: float) -> None:
    """Jam for some seconds, and print how late the messages were."""
    console = Console(environ={"TERM": "xterm-256color", "COLORTERM": "truecolor"})
    tunes, settings = load_tunes(console, JamOptions(name, seed=1))
    port = Port()
    player = ObservedPlayer(port)
    jam, view, presses = Jam(console, tunes, settings, player, COMMON_TIME, 120.0), JamView(console), 0
    with Path(os.devnull).open("w", encoding="utf-8") as console.stderr, punctual_threads():
        begin = time.perf_counter()
        player.start()
        while player.position < seconds:
            jam.advance()
            view.draw(jam.performance, jam.coming, jam.beat, *jam.status())
            if player.position > (presses + 1) * CHANGE_SECONDS:
                jam.press("\033[B" if presses % 2 else "\033[A")
                presses += 1
            time.sleep(TICK)
        player.stop()
        jam.end()
    late = sorted(
        1000 * (at - begin - each.seconds) for each in player.expected if (at := port.received.get(id(each.message)))
    )
    print(
        f"{name:10} {len(late):4} messages: median {statistics.median(late):.2f} ms, "
        f"95 % {late[len(late) * 95 // 100]:.2f} ms, maximum {late[-1]:.2f} ms; waited {jam.waits} beats"
    )


if __name__ == "__main__":
    main()
