"""Tempos, meters and keys of kern, from the text: music21 lacks those within a bar, and rounds tempos."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from composer.api import Key, Meter, Tempo
from composer.music.keys import MODE_FIFTHS, fifth

_TEMPO = re.compile(r"\*MM(\d{1,4}(?:\.\d{1,6})?)")
_WORDED_TEMPO = re.compile(
    r"\b(whole|half|quarter|eighth|sixteenth)(-dot)?\]?\s*=\s*(?:M\.?M\.?\s*)?(\d{1,4}(?:\.\d{1,6})?)", re.IGNORECASE
)
_BEATS = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "sixteenth": 0.25}
METER = re.compile(r"\*M(\d{1,3}(?:\+\d{1,3}){0,15})/(\d{1,3})")
"""Beats, which may be a sum, and their unit."""
_SIGNATURE = re.compile(r"\*k\[((?:[a-g](?:##?|--?|n))*)\]")
_TONIC = re.compile(r"\*([A-Ga-g])([#-]?):(dor|phr|lyd|mix|aeo|ion|loc)?.*")
_MODES = {name[:3]: name for name in MODE_FIFTHS}


class Signs:
    """Collects signs line by line, the last of each kind at a beat."""

    def __init__(self) -> None:
        self._tempos: dict[Fraction, float] = {}
        self._meters: dict[Fraction, tuple[int, int]] = {}
        self._keys: dict[Fraction, tuple[int, str]] = {}

    @property
    def tempos(self) -> list[Tempo]:
        return [Tempo(*each) for each in sorted(self._tempos.items())]

    @property
    def meters(self) -> list[Meter]:
        return [Meter(at, *meter) for at, meter in sorted(self._meters.items())]

    @property
    def keys(self) -> list[Key]:
        return [Key(at, *key) for at, key in sorted(self._keys.items())]

    def read(self, at: Fraction, tokens: Iterable[str]) -> None:
        """Read a line of interpretations of kern spines; those of the last spine, the top staff, count most."""
        for token in tokens:
            if found := _TEMPO.fullmatch(token):
                if float(found[1]) > 0:
                    self._tempos[at] = float(found[1])
            elif found := METER.fullmatch(token):
                self._read_meter(at, found[1], int(found[2]))
            elif found := _SIGNATURE.fullmatch(token):
                sharps = found[1].count("#") - found[1].count("-")
                before = self._keys.get(at)
                self._keys[at] = sharps, before[1] if before else "major"
            elif found := _TONIC.fullmatch(token):
                self._read_tonic(at, found)

    def read_words(self, at: Fraction, text: str) -> None:
        """Read a tempo such as `Allegro [half=60]`; one from `*MM` in the same place counts instead."""
        if found := _WORDED_TEMPO.search(text):
            bpm = float(found[3]) * _BEATS[found[1].lower()] * (1.5 if found[2] else 1)
            if bpm > 0:
                self._tempos.setdefault(at, bpm)

    def _read_meter(self, at: Fraction, beats: str, unit: int) -> None:
        numerator = sum(map(int, beats.split("+")))
        if unit == 0:
            numerator, unit = numerator * 2, 1  # beats of a double whole note
        if numerator and unit & (unit - 1) == 0:
            self._meters[at] = numerator, unit

    def _read_tonic(self, at: Fraction, found: re.Match[str]) -> None:
        letter, accidental, mode = found[1], found[2], found[3]
        name = _MODES[mode] if mode else "major" if letter.isupper() else "minor"
        alter = {"#": 1, "-": -1, "": 0}[accidental]
        sharps = fifth("CDEFGAB".index(letter.upper()), alter) - MODE_FIFTHS[name]
        written = self._keys.get(at)
        self._keys[at] = written[0] if written else sharps, name
