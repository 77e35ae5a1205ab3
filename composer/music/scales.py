"""Pitch ranges and scales as users write them, and the pitches that both allow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from composer.api import OptionError, Unsatisfiable
from composer.api.errors import suggest
from composer.music.keys import LETTERS, MAJOR_SCALE, MODE_ALIASES, MODES, Signature, parse_key, pitch_class

__all__ = ["SCALES", "Range", "Scale", "key_of", "parse_range", "parse_scale", "pitch_name", "pitches_of"]

SCALES: Mapping[str, frozenset[int]] = {
    "major": frozenset(MAJOR_SCALE),
    "dorian": frozenset({0, 2, 3, 5, 7, 9, 10}),
    "phrygian": frozenset({0, 1, 3, 5, 7, 8, 10}),
    "lydian": frozenset({0, 2, 4, 6, 7, 9, 11}),
    "mixolydian": frozenset({0, 2, 4, 5, 7, 9, 10}),
    "minor": frozenset({0, 2, 3, 5, 7, 8, 10}),
    "locrian": frozenset({0, 1, 3, 5, 6, 8, 10}),
    "harmonic minor": frozenset({0, 2, 3, 5, 7, 8, 11}),
    "melodic minor": frozenset({0, 2, 3, 5, 7, 9, 11}),
    "pentatonic": frozenset({0, 2, 4, 7, 9}),
    "minor pentatonic": frozenset({0, 3, 5, 7, 10}),
    "blues": frozenset({0, 3, 5, 6, 7, 10}),
    "whole-tone": frozenset({0, 2, 4, 6, 8, 10}),
    "chromatic": frozenset(range(12)),
}
"""Semitones above the tonic."""

_ALIASES = {**MODE_ALIASES, "major pentatonic": "pentatonic", "whole tone": "whole-tone"}
_NEAREST_MODE = {
    "harmonic minor": "minor", "melodic minor": "minor", "minor pentatonic": "minor", "pentatonic": "major",
}  # fmt: skip
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_PITCH = r"\d{1,3}|[A-Ga-g](?:#|b|♯|♭)?-?\d"
_PITCH_NAME = re.compile(r"([A-Ga-g])([#b♯♭]?)(-?\d)")
_TONIC = re.compile(r"([A-G])(#|b|♯|♭)?(?![a-z])\s*(.*)")


@dataclass(frozen=True, slots=True)
class Range:
    """MIDI numbers from `low` to `high` inclusive, and the `text` they were parsed from."""

    low: int
    high: int
    text: str = ""

    def __contains__(self, pitch: int) -> bool:
        return self.low <= pitch <= self.high


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale in all octaves: its `tonic` as ABC spells it and its pitch `classes` (C is 0)."""

    tonic: str
    name: str
    classes: frozenset[int]

    def __contains__(self, pitch: int) -> bool:
        return pitch % 12 in self.classes

    def __str__(self) -> str:
        return f"{self.tonic} {self.name}"


def parse_range(text: str) -> Range:
    """Parse `48-84` or `C3-C6`. Raises OptionError."""
    ends = re.fullmatch(rf"\s*({_PITCH})\s*-\s*({_PITCH})\s*", text)
    low, high = (_pitch(ends[1]), _pitch(ends[2])) if ends else (None, None)
    hint = "use two notes, such as C3-C6, or two MIDI numbers from 0 to 127"
    if ends is not None and low is not None and high is not None and low > high:
        hint = f"use {ends[2]}-{ends[1]}, with the lower note first"
    if low is None or high is None or low > high:
        raise OptionError(f"invalid pitch range: '{text}'", hint)
    return Range(low, high, text.strip())


def parse_scale(scale: str = "", key: str = "") -> Scale | None:
    """Return the scale that `--scale` and `--key` name together; None if both are empty.

    A scale may include its tonic (`D dorian`, `Bb blues`, or a key as ABC spells it, `Ddor`) or take it from the key
    (`--key D --scale dorian`). A key alone is the scale of its mode (`G`, `Am`, `Ddor`). The tonic may be lower case;
    `bb` is B flat. Raises OptionError for unknown names, Unsatisfiable for two different tonics.
    """
    signature = _key(key) if key.strip() else None
    if not scale.strip():
        return None if signature is None else _scale(signature.tonic, signature.mode)
    found = _with_tonic(scale)
    if found is None:
        name = _name(scale)
        if signature is None:
            raise OptionError(
                f"--scale {scale} has no tonic", f"add one: --scale 'D {name}', or --key D", flags=("--scale",)
            )
        return _scale(signature.tonic, name)
    if signature is not None and pitch_class(found.tonic) != pitch_class(signature.tonic):
        raise Unsatisfiable(
            f"--scale '{scale}' contradicts --key {key}: the tonics are {found.tonic} and {signature.tonic}",
            f"leave out --key, or use --scale '{found.name}'",
            flags=("--scale", "--key"),
        )
    return found


def key_of(scale: str = "", key: str = "") -> Signature | None:
    """Return the key to notate music in, given `--scale` and `--key`.

    It is the key of the scale or of the mode nearest to it, else `key` itself, else None. Raises as `parse_scale` does.
    """
    found = parse_scale(scale, key)
    if found is None:
        return None
    mode = _NEAREST_MODE.get(found.name, found.name)
    named = parse_key(f"{found.tonic} {mode}") if mode in MODES else None
    return named or (_key(key) if key.strip() else None)


def pitches_of(candidates: Iterable[int], within: Range | None, scale: Scale | None) -> tuple[int, ...]:
    """Return the `candidates`, MIDI numbers that a model knows, in both the range and the scale, ascending.

    Raises Unsatisfiable, naming what contradicts, if there are none.
    """
    known = sorted(candidates)
    in_range = [pitch for pitch in known if within is None or pitch in within]
    found = tuple(pitch for pitch in in_range if scale is None or pitch in scale)
    if found or not known:
        return found
    model = f"the model's pitches ({known[0]}-{known[-1]})"
    if within is not None and not in_range:
        raise Unsatisfiable(
            f"--range {within.text} has none of {model}",
            f"use --range {pitch_name(known[0])}-{pitch_name(known[-1])}, or a part of it",
            flags=("--range",),
        )
    if within is not None and any(pitch in scale for pitch in known if scale is not None):
        raise Unsatisfiable(
            f"--range {within.text} has no note of {scale}",
            "use a wider --range or another key",
            flags=("--range", "--scale", "--key"),
        )
    raise Unsatisfiable(f"none of {model} is in {scale}", "use another --key or --scale", flags=("--scale", "--key"))


def pitch_name(pitch: int) -> str:
    """Return the name and octave of a MIDI number: 60 is `C4`, 66 `F#4`."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def pitch_span(low: int, high: int) -> str:
    """Return the names of two MIDI numbers as a range, `C4 to G5`, or that of both, `C4`."""
    return pitch_name(low) if low == high else f"{pitch_name(low)} to {pitch_name(high)}"


def _pitch(text: str) -> int | None:
    if text.isdecimal():
        pitch = int(text)
    elif match := _PITCH_NAME.fullmatch(text):
        pitch = 12 * (int(match[3]) + 1) + MAJOR_SCALE[LETTERS.index(match[1].upper())]
        pitch += {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(match[2], 0)
    else:
        return None
    return pitch if 0 <= pitch <= 127 else None


def _key(text: str) -> Signature:
    signature = _signature(text.strip())
    if signature is None:
        raise OptionError(f"unknown key '{text}'", "write it as in ABC: G, Am, Bb, F#m, Ddor, Amix")
    return signature


def _signature(text: str) -> Signature | None:
    """Parse a key that is a tonic and a mode and nothing else."""
    text = _capitalize_tonic(text)
    signature = parse_key(text)
    return signature if signature is not None and signature.plain and text[:1] in set(LETTERS) else None


def _capitalize_tonic(text: str) -> str:
    """Capitalize the first letter only, since a `b` after it is a flat."""
    return text[:1].upper() + text[1:]


def _with_tonic(text: str) -> Scale | None:
    """Parse a scale that starts with its tonic; None if it does not."""
    match = _TONIC.match(_capitalize_tonic(text.strip()))
    if match is None:  # the mode may follow the tonic directly, as in Ddor and Am
        signature = _signature(text.strip())
        return _scale(signature.tonic, signature.mode) if signature is not None else None
    tonic = match[1] + (match[2] or "").replace("♯", "#").replace("♭", "b")
    return _scale(tonic, _name(match[3] or "major", text.strip()))


def _name(text: str, quoted: str = "") -> str:
    """Return the full name of a scale, or of a mode that ABC abbreviates. Raises OptionError that shows `quoted`."""
    name = " ".join(text.lower().split())
    name = _ALIASES.get(name, name)
    if name in SCALES:
        return name
    signature = _signature(f"C {name}")
    if signature is not None and (name == "m" or signature.mode.startswith(name[:3])):
        return signature.mode
    raise OptionError(f"unknown scale '{quoted or text}'", suggest(name, SCALES))


def _scale(tonic: str, name: str) -> Scale:
    return Scale(tonic, name, frozenset((pitch_class(tonic) + step) % 12 for step in SCALES[name]))
