"""Settings for writing a score, which override what the score says."""

from __future__ import annotations

from dataclasses import dataclass

from composer.api import OptionError


@dataclass(frozen=True, slots=True)
class WriteSettings:
    """`tempo` in quarter notes per minute, `instrument` as General MIDI program 0-127, `velocity` 1-127.

    Raises OptionError for a value out of range.
    """

    tempo: float | None = None
    instrument: int | None = None
    velocity: int | None = None
    title: str = ""

    def __post_init__(self) -> None:
        if self.tempo is not None and not 4 <= self.tempo <= 1000:
            raise OptionError(f"invalid tempo: {self.tempo:g}", "give 4 to 1000 quarter notes per minute")
        if self.instrument is not None and not 0 <= self.instrument <= 127:
            raise OptionError(f"invalid instrument: {self.instrument}", "give a General MIDI program, 0 (piano) to 127")
        if self.velocity is not None and not 1 <= self.velocity <= 127:
            raise OptionError(f"invalid velocity: {self.velocity}", "give 1 (softest) to 127 (loudest)")
