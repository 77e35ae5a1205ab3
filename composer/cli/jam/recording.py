"""Recording a jam to a MIDI file with a new name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction
from itertools import count
from pathlib import Path

from composer.api import ComposerError
from composer.cli.jam.performance import Performance
from composer.cli.jam.phrases import PlayedNote
from composer.cli.output.files import save
from composer.formats import WriteSettings
from composer.formats.midi.writer import write_midi
from composer.system.files import Occupied

NAME = "jam-{}.mid"


def free_name() -> Path:
    """Return the first name of a recording that is not taken in the current folder."""
    return next(path for number in count(1) if not os.path.lexists(path := Path(NAME.format(number))))


class Recording:
    """What is played from the bar at beat `start` on, to be saved as `path`, or as the next one if that is taken."""

    def __init__(self, start: Fraction) -> None:
        self.start, self.path = start, free_name()

    def save(self, performance: Performance, stop: Fraction, held: Iterable[PlayedNote] = ()) -> Path | None:
        """Write what was played until beat `stop`, with notes that are `held`; None if that is silence.

        Raises ComposerError.
        """
        start = next((each.start for each in performance.bars if each.end > self.start), self.start)
        score = performance.score(start, stop=stop, held=held)
        if not score.is_audible:
            return None
        data = write_midi(score, WriteSettings())
        while True:
            try:
                save(self.path, data, replace=False)
            except ComposerError as error:
                if not isinstance(error.__cause__, Occupied):
                    raise
                self.path = free_name()
            else:
                return self.path
