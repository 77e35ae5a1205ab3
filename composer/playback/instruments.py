"""Play MIDI messages as they come: with a port, FluidSynth, or our own synthesizer and the system's audio player."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from threading import Event, Thread
from typing import Any

from composer.api import ComposerError
from composer.audio.live_synthesizer import LiveSynthesizer
from composer.audio.timbres import SAMPLE_RATE
from composer.audio.wav import FLUIDSYNTH, usable_soundfont
from composer.playback.ports import EXTRA_HINT, only_output, open_output
from composer.playback.programs import STARTUP_SECONDS, STOP_SECONDS, Program, ProgramFailed, reason_of

STREAM_PLAYERS = (
    Program("paplay", ("--raw", f"--rate={SAMPLE_RATE}", "--channels=1", "--format=s16le", "--latency-msec=50")),
    Program("aplay", ("-q", "-t", "raw", "-f", "S16_LE", "-r", str(SAMPLE_RATE), "-c", "1", "--buffer-time=100000")),
    Program("play", ("-q", "-t", "raw", "-r", str(SAMPLE_RATE), "-e", "signed", "-b", "16", "-c", "1", "-")),
)
"""Audio players that play samples from stdin: those of PulseAudio and PipeWire, ALSA, and SoX."""
BLOCK = 512
"""Samples that are rendered at a time."""
AHEAD_SECONDS = 0.1
"""How far the samples that are written are ahead of the time."""
_HINT = "install fluidsynth with a SoundFont, or connect a MIDI device and add --port NAME"
_BUSY_HINT = "free the audio device, or connect a MIDI device and add --port NAME"
_COMMANDS = {
    "note_on": "noteon {channel} {note} {velocity}",
    "note_off": "noteoff {channel} {note}",
    "control_change": "cc {channel} {control} {value}",
    "program_change": "prog {channel} {program}",
}
"""FluidSynth's commands for messages."""


@contextmanager
def open_instrument(soundfont: str = "", port: str | None = None) -> Iterator[tuple[Any, str]]:
    """Open what plays messages that are sent to it, and yield it with its name. Raises ComposerError.

    It is the MIDI port called `port`, else FluidSynth if there is a SoundFont, else our synthesizer with an audio
    player, else the only MIDI port. FluidSynth is passed over if it has no audio driver, unless a `soundfont` is named.
    """
    if port is not None:
        with open_output(port) as opened:
            yield opened, port
        return
    found, failure = usable_soundfont(soundfont), None
    if found is not None:
        with Pipe(Program(FLUIDSYNTH, ("-nq", str(found.resolve())))) as pipe:
            failure = pipe.early_failure(STARTUP_SECONDS) if not soundfont else None
            if failure is None:
                yield FluidSynth(pipe), FLUIDSYNTH
                return
    player = next((each for each in STREAM_PLAYERS if each.path is not None), None)
    if player is not None:
        with Pipe(player) as pipe, _streaming(pipe) as synthesizer:
            yield synthesizer, player.name
    else:
        name = _only_port(failure)
        with open_output(name) as opened:
            yield opened, name


class Pipe:
    """A program that plays what is written to it."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._errors = TemporaryFile()  # noqa: SIM115  (a pipe that nobody reads could fill up)
        try:
            self._process = subprocess.Popen(
                [program.path or program.name, *program.arguments],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors, bufsize=0,
            )  # fmt: skip
        except OSError as error:
            raise ProgramFailed(f"cannot start {program.name}: {error.strerror or error}", _HINT) from error

    def write(self, data: bytes) -> None:
        """Raises ProgramFailed if the program has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except OSError:
            self.fail()

    def fail(self) -> None:
        """Raise ProgramFailed with what the program said at its end."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        raise self._failure()

    def early_failure(self, seconds: float) -> ProgramFailed | None:
        """Return why the program has ended if it does so within `seconds`, else None."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return self._failure()

    def _failure(self) -> ProgramFailed:
        reason = reason_of(self._errors, self._process.returncode or 1)
        return ProgramFailed(f"{self._program.name} cannot play: {reason}", _BUSY_HINT)

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._errors.close()


class FluidSynth:
    """FluidSynth as a port: it plays messages as it gets them, by its own commands."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def send(self, message: Any) -> None:
        """Play a message; kinds that the commands lack are ignored. Raises ProgramFailed."""
        if message.type in _COMMANDS:
            self._pipe.write((_COMMANDS[message.type].format_map(vars(message)) + "\n").encode())


class SynthesizerStream:
    """Our synthesizer as a port; a thread writes what it plays to an audio player."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe, self._synthesizer = pipe, LiveSynthesizer()
        self._stopped, self._error = Event(), list[ComposerError]()
        self._thread = Thread(target=self._run, name="composer-audio", daemon=True)
        self._thread.start()

    def send(self, message: Any) -> None:
        """Play a message. Raises ProgramFailed if the audio player has ended."""
        if self._error:
            raise self._error[0]
        self._synthesizer.send(message)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(STOP_SECONDS)  # an audio player may have stopped to read

    def _run(self) -> None:
        begin, written = time.perf_counter(), 0
        try:
            while not self._stopped.is_set():
                early = begin + written / SAMPLE_RATE - AHEAD_SECONDS - time.perf_counter()
                if early > 0:
                    self._stopped.wait(early)
                self._pipe.write(self._synthesizer.render(BLOCK).tobytes())
                written += BLOCK
        except ComposerError as error:
            self._error.append(error)


@contextmanager
def _streaming(pipe: Pipe) -> Iterator[SynthesizerStream]:
    stream = SynthesizerStream(pipe)
    try:
        yield stream
    finally:
        stream.stop()


def _only_port(failure: ComposerError | None) -> str:
    """Return the name of the only MIDI port. Raises the `failure` of FluidSynth, if any, else what else could play."""
    try:
        return only_output()
    except ComposerError as error:
        if failure is not None:
            raise failure from error
        needs_extra = f"install fluidsynth with a SoundFont, or for MIDI ports: {EXTRA_HINT}"
        hint = needs_extra if error.hint == EXTRA_HINT else _HINT
        raise ComposerError(f"found nothing to play live with: {error.message}", hint) from error
