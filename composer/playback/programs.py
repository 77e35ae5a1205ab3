"""Play a file with a program of the machine: a MIDI player, or an audio player for what we render."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from composer.api import ComposerError
from composer.playback.player import Clock

STOP_SECONDS = 2.0
"""How long a program may take to end."""
STARTUP_SECONDS = 1.0
"""How long a program gets to find that it cannot play, before it counts as one that plays."""
CAN_PAUSE = hasattr(signal, "SIGSTOP")
"""Windows cannot hold a process."""


class Program(NamedTuple):
    """A program that plays the file that its `arguments` are followed by."""

    name: str
    arguments: tuple[str, ...] = ()

    @property
    def path(self) -> str | None:
        """The path of the program; None if it is not installed."""
        return shutil.which(self.name)


TIMIDITY = Program("timidity", ("-idq",))
AUDIO_PLAYERS = (
    Program("pw-play"),
    Program("paplay"),
    Program("aplay", ("-q",)),
    Program("afplay"),
    Program("ffplay", ("-nodisp", "-autoexit", "-loglevel", "error")),
    Program("play", ("-q",)),
)
"""PipeWire, PulseAudio, ALSA, macOS, FFmpeg and SoX."""


def fluidsynth(soundfont: Path) -> Program:
    """Return FluidSynth with a SoundFont; it plays MIDI files."""
    return Program("fluidsynth", ("-ni", "-q", str(soundfont.resolve())))


class ProgramFailed(ComposerError):
    """A program that could not play."""


class ProgramPlayer:
    """Plays a file of `duration` seconds with a program, which is held while it is paused.

    The program is not told where it is, so the position is the time since its start.
    """

    def __init__(self, program: Program, file: Path, duration: float) -> None:
        self.name = program.name
        self._program, self._file, self._duration = program, file, duration
        self._clock, self._started_at = Clock(), 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None

    @property
    def position(self) -> float:
        return min(self._clock.seconds, self._duration)

    @property
    def is_paused(self) -> bool:
        return self._clock.is_paused

    @property
    def has_started(self) -> bool:
        return self.is_finished or (
            self._process is not None and time.monotonic() - self._started_at >= STARTUP_SECONDS
        )

    @property
    def is_finished(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def check(self) -> None:
        """Raise ProgramFailed if the program has failed."""
        if self._process is not None and (code := self._process.poll()):
            assert self._errors is not None
            raise ProgramFailed(f"{self.name} cannot play: {reason_of(self._errors, code)}", WAV_HINT)

    def start(self) -> None:
        path = self._program.path or self.name
        self._errors = TemporaryFile()  # noqa: SIM115  (a pipe that nobody reads could fill up)
        try:
            self._process = subprocess.Popen(
                [path, *self._program.arguments, str(self._file)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._errors,
            )  # fmt: skip
        except OSError as error:
            raise ProgramFailed(f"cannot start {self.name}: {error.strerror or error}", WAV_HINT) from error
        self._clock.start()
        self._started_at = time.monotonic()

    def pause(self) -> None:
        if CAN_PAUSE and self._process is not None:
            self._clock.pause()
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if CAN_PAUSE and self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._clock.resume()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            if CAN_PAUSE:
                self._process.send_signal(signal.SIGCONT)  # a held process cannot end
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        if self._errors is not None:
            self._errors.close()


def reason_of(errors: IO[bytes], code: int) -> str:
    """Return the last line that a program wrote to the file `errors`, without a stop, else its exit status."""
    errors.seek(0, os.SEEK_END)
    errors.seek(max(errors.tell() - 2000, 0))
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return "".join(each for each in lines[-1] if each.isprintable()).rstrip(". ") if lines else f"exit status {code}"


WAV_HINT = (
    "free the audio device, play through a MIDI port with --port NAME, or write a file: composer play FILE -o tune.wav"
)
