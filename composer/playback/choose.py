"""Choose what plays a piece: a MIDI port, else the first program of the machine that can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from composer.api import ComposerError
from composer.audio.timeline import Timeline
from composer.audio.wav import FLUIDSYNTH, render_wav, usable_soundfont, wav_seconds
from composer.playback.player import Player
from composer.playback.port_player import PortPlayer
from composer.playback.programs import (
    AUDIO_PLAYERS,
    TIMIDITY,
    WAV_HINT,
    Program,
    ProgramFailed,
    ProgramPlayer,
    fluidsynth,
)

NO_PROGRAM = "found no program that plays sound"
WITHOUT_SOUNDFONT_HINT = "leave out --soundfont, or write a file: composer play FILE -o tune.wav"
NO_PROGRAM_HINT = (
    "install fluidsynth or timidity, play through a MIDI port with --port NAME, or write a file: "
    "composer play FILE -o tune.wav"
)


@dataclass(frozen=True, slots=True)
class Playable:
    """A piece that can be played: a MIDI file with its timeline, or the bytes of a WAV file; `duration` in seconds."""

    name: str
    duration: float
    midi: bytes = b""
    timeline: Timeline | None = None
    wav: bytes = b""

    @classmethod
    def of_midi(cls, midi: bytes, name: str) -> Playable:
        """Return a MIDI file as a piece. Raises ReadError."""
        timeline = Timeline.of(midi, name)
        return cls(name, timeline.duration, midi, timeline)

    @classmethod
    def of_wav(cls, data: bytes, name: str) -> Playable:
        """Return a WAV file as a piece. Raises ReadError."""
        return cls(name, wav_seconds(data, name), wav=data)


class Sound:
    """Makes players of pieces; `port` is an open MIDI port, if there is one."""

    def __init__(self, soundfont: str = "", port: Any = None, port_name: str = "") -> None:
        self._soundfont, self._port, self._port_name = soundfont, port, port_name
        self._failed: set[str] = set()
        """Programs that could not play, which are not tried again."""

    def check(self) -> None:
        """Raise ComposerError if there is nothing to play with."""
        if self._port is None:
            self._programs()

    @contextmanager
    def players(
        self, piece: Playable, progress: Callable[[float], object] = lambda share: None
    ) -> Iterator[Iterator[Player]]:
        """Within the context, yield players of `piece`; each is to be used only if the one before has failed.

        `progress` is called with the share that is rendered, if it has to be. Raises ComposerError.
        """
        if self._port is None:
            with TemporaryDirectory(prefix="composer-") as folder:
                yield self._program_players(Path(folder), piece, progress)
            return
        if piece.timeline is None:
            raise ComposerError(f"{piece.name} is a WAV file, which a MIDI port cannot play", "leave out --port")
        yield iter([PortPlayer(piece.timeline, self._port, self._port_name)])

    def _program_players(self, folder: Path, piece: Playable, progress: Callable[[float], object]) -> Iterator[Player]:
        for program in self._programs(midi=not piece.wav):
            plays_midi = program not in AUDIO_PLAYERS
            file = folder / ("piece.mid" if plays_midi else "piece.wav")
            if plays_midi:
                _save(file, piece.midi)
            elif not file.exists():
                _save(file, piece.wav or render_wav(piece.midi, piece.name, self._soundfont, progress))
            yield ProgramPlayer(program, file, piece.duration)
            self._failed.add(program.name)

    def _programs(self, *, midi: bool = True) -> list[Program]:
        """Return the programs that are installed, the best one first. Raises ComposerError if there are none.

        TiMidity++ has instruments of its own, and is no help if some were asked for.
        """
        soundfont = usable_soundfont(self._soundfont)
        midi_players = [fluidsynth(soundfont)] if soundfont is not None else []
        if not self._soundfont:
            midi_players.append(TIMIDITY)
        usable = (*midi_players, *AUDIO_PLAYERS) if midi else AUDIO_PLAYERS
        installed = [each for each in usable if each.path is not None]
        if not installed:
            excluded = self._soundfont and (TIMIDITY.path or Program(FLUIDSYNTH).path)
            raise ComposerError(NO_PROGRAM, WITHOUT_SOUNDFONT_HINT if excluded else NO_PROGRAM_HINT)
        if left := [each for each in installed if each.name not in self._failed]:
            return left
        raise ProgramFailed(f"no program could play: tried {', '.join(each.name for each in installed)}", WAV_HINT)


@contextmanager
def open_sound(soundfont: str = "", port: str | None = None) -> Iterator[Sound]:
    """Open the MIDI port called `port`, or find programs. Raises ComposerError if there is nothing to play with."""
    if port is None:
        sound = Sound(soundfont)
        sound.check()
        yield sound
        return
    from composer.playback.ports import open_output

    with open_output(port) as opened:
        yield Sound(port=opened, port_name=port)


def _save(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise ComposerError(f"cannot write {file}: {error.strerror or error}", "free up disk space") from error
