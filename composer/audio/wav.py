"""Render a MIDI file as a WAV file: 16 bits, 44.1 kHz."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from composer.api import ComposerError, ReadError
from composer.audio.soundfonts import find_soundfont, is_named
from composer.audio.synthesizer import synthesize
from composer.audio.timbres import SAMPLE_RATE
from composer.audio.timeline import Timeline

FLUIDSYNTH = "fluidsynth"
POLL_SECONDS = 0.1
"""How often it is looked how much FluidSynth has rendered."""
BYTES_PER_SECOND = SAMPLE_RATE * 2 * 2
"""Of its files: two channels of 16 bits."""
MAX_SECONDS = 3600
"""Longer pieces would take gigabytes of memory."""


def render_wav(
    midi: bytes, name: str, soundfont: str = "", progress: Callable[[float], object] = lambda share: None
) -> bytes:
    """Return a MIDI file called `name` as a WAV file; `progress` is called with the share that is rendered.

    FluidSynth renders it in stereo if there is a `usable_soundfont`, else the built-in synthesizer. Raises ReadError,
    and ComposerError for a piece that is too long or a SoundFont that cannot be used.
    """
    timeline = Timeline.of(midi, name)
    check_duration(timeline.duration, name)
    path = usable_soundfont(soundfont)
    progress(0)
    return (
        _synthesized(timeline, progress) if path is None else _with_soundfont(midi, path, timeline.duration, progress)
    )


def check_duration(seconds: float, name: str) -> None:
    """Raise ComposerError if a piece called `name` is too long for a WAV file."""
    if seconds > MAX_SECONDS:
        fault = f"{name} lasts {round(seconds / 60):,} minutes; a WAV file can have {MAX_SECONDS // 60}"
        raise ComposerError(fault, "play it on a MIDI device: composer play FILE --port NAME")


def is_wav(data: bytes) -> bool:
    """Return whether `data` is a WAV file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WAVE"


def wav_seconds(data: bytes, name: str) -> float:
    """Return the duration of a WAV file called `name`. Raises ReadError."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            return float(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError) as error:
        raise ReadError(f"cannot play {name}: {error or 'the file is cut off'}", "use another file") from error


def usable_soundfont(given: str = "") -> Path | None:
    """Return the SoundFont that FluidSynth can play with, None for the built-in synthesizer.

    Raises ComposerError if one was asked for and cannot be used.
    """
    path = find_soundfont(given)
    if path is None or shutil.which(FLUIDSYNTH):
        return path
    if is_named(given):
        raise ComposerError(
            f"{path.name} needs FluidSynth, which is not installed",
            "install fluidsynth, or use --soundfont none for the built-in synthesizer",
        )
    return None


def _with_soundfont(midi: bytes, soundfont: Path, duration: float, progress: Callable[[float], object]) -> bytes:
    """Return the WAV file of `duration` seconds that FluidSynth renders. Raises ComposerError."""
    try:
        with TemporaryDirectory(prefix="composer-") as folder:
            piece, sound = Path(folder, "piece.mid"), Path(folder, "piece.wav")
            piece.write_bytes(midi)
            command = [FLUIDSYNTH, "-ni", "-q", "-r", str(SAMPLE_RATE), "-O", "s16", "-T", "wav", "-F", str(sound)]
            files = [str(soundfont.resolve()), str(piece)]
            expected = max(duration, 1) * BYTES_PER_SECOND
            reason = _run([*command, *files], lambda: progress(min(_size(sound) / expected, 1)))
            if not reason and sound.is_file():
                return sound.read_bytes()
            reason = reason or "it wrote no file"
    except OSError as error:
        reason = error.strerror or str(error)
    raise ComposerError(
        f"FluidSynth cannot render with {soundfont}: {reason}", "use --soundfont none for the built-in synthesizer"
    )


def _run(command: Sequence[str], look: Callable[[], object]) -> str:
    """Run a program, calling `look` now and then; return why it failed, nothing if it did not. Raises OSError."""
    with TemporaryFile() as errors:  # a pipe that nobody reads could fill up
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors) as process:
            try:
                while process.poll() is None:
                    look()
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(POLL_SECONDS)
            except BaseException:
                process.kill()
                raise
        errors.seek(0)
        text = errors.read().decode("utf-8", "replace")
    return " ".join(text.split()) or f"exit status {process.returncode}" if process.returncode else ""


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _synthesized(timeline: Timeline, progress: Callable[[float], object]) -> bytes:
    """Return the WAV file of the built-in synthesizer."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for block in synthesize(timeline.notes(), timeline.duration):
            file.writeframesraw(block.astype("<i2").tobytes())
            progress(min(file.tell() / SAMPLE_RATE / max(timeline.duration, 1), 1))
    return stream.getvalue()
