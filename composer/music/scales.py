"""Pitches, ranges of pitches and scales as a player writes them, and whether two wishes leave anything between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from composer.api import OptionError, Unsatisfiable
from composer.music.keys import Signature, parse_key

__all__ = [
    "SCALES",
    "Range",
    "Scale",
    "key_of",
    "parse_pitch",
    "parse_range",
    "parse_scale",
    "pitch_name",
    "pitches_of",
]

_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})

SCALES: Mapping[str, frozenset[int]] = {
    "major": _MAJOR,
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
"""Each scale as semitones above its tonic. The modes bear the names that keys have in ABC."""

_OTHER_NAMES = {"ionian": "major", "aeolian": "minor", "major pentatonic": "pentatonic", "whole tone": "whole-tone"}
_MODES = frozenset({"major", "dorian", "phrygian", "lydian", "mixolydian", "minor", "locrian"})
_NEAREST_MODE = {
    "harmonic minor": "minor",
    "melodic minor": "minor",
    "minor pentatonic": "minor",
    "pentatonic": "major",
}
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_PITCH = r"\d{1,3}|[A-Ga-g](?:#|b|♯|♭)?-?\d"
_TONIC = re.compile(r"([A-G])(#|b|♯|♭)?(?![a-z])\s*(.*)")


@dataclass(frozen=True, slots=True)
class Range:
    """Pitches from `low` to `high`, both MIDI numbers within it. `text` is how the player wrote it."""

    low: int
    high: int
    text: str = ""

    def __contains__(self, pitch: int) -> bool:
        return self.low <= pitch <= self.high


@dataclass(frozen=True, slots=True)
class Scale:
    """The pitches of a scale in all octaves: its `tonic` as ABC spells it, and its pitch `classes`, C being 0."""

    tonic: str
    name: str
    classes: frozenset[int]

    def __contains__(self, pitch: int) -> bool:
        return pitch % 12 in self.classes

    def __str__(self) -> str:
        return f"{self.tonic} {self.name}"


def parse_pitch(text: str) -> int:
    """The MIDI number of `60`, `C4` (middle C), `F#3` or `Bb5`. Raises OptionError."""
    pitch = _pitch(text.strip())
    if pitch is None:
        raise OptionError(f"there is no pitch `{text}`", "give a MIDI number from 0 to 127, or a name such as F#4")
    return pitch


def parse_range(text: str) -> Range:
    """The range that `48-84` or `C3-C6` names. Raises OptionError."""
    ends = re.fullmatch(rf"\s*({_PITCH})\s*-\s*({_PITCH})\s*", text)
    low, high = (_pitch(ends[1]), _pitch(ends[2])) if ends else (None, None)
    hint = "give two MIDI numbers from 0 to 127, or names, as in C3-C6"
    if ends is not None and low is not None and high is not None and low > high:
        hint = f"the lower end comes first: {ends[2]}-{ends[1]}"
    if low is None or high is None or low > high:
        raise OptionError(f"there are no pitches in a range of `{text}`", hint)
    return Range(low, high, text.strip())


def parse_scale(scale: str = "", key: str = "") -> Scale | None:
    """The scale that `--scale` and `--key` name together; None where both are empty.

    A scale may name its tonic (`D dorian`, `Bb blues`, or a key as ABC spells it, `Ddor`), or leave it to the key
    (`--key D --scale dorian`). A key alone is the scale of its mode (`G`, `Am`, `Ddor`, `D dorian`). A tonic may be a
    small letter: `bb` is B flat. Raises OptionError for what does not exist, Unsatisfiable where the tonics are two.
    """
    signature = _key(key) if key.strip() else None
    if not scale.strip():
        return None if signature is None else _of_key(signature)
    found = _with_tonic(scale)
    if found is None:
        name = _name(scale)
        if signature is None:
            raise OptionError(f"--scale {scale} has no tonic", f"name it: --scale 'D {name}', or give --key")
        return _scale(signature.tonic, name)
    if signature is not None and _class(found.tonic) != _class(signature.tonic):
        raise Unsatisfiable(
            f"--scale {scale} and --key {key} clash: one begins on {found.tonic}, the other on {signature.tonic}",
            f"leave out one of the two, or ask for --scale '{found.name}'",
        )
    return found


def key_of(scale: str = "", key: str = "") -> Signature | None:
    """The key to write music in that is in the scale of the two, as `parse_scale` takes them.

    It is that of the scale where keys have such a mode, or one that is near; else the key itself, if there is one.
    Raises as `parse_scale` does.
    """
    found = parse_scale(scale, key)
    if found is None:
        return None
    mode = _NEAREST_MODE.get(found.name, found.name)
    named = parse_key(f"{found.tonic} {mode}") if mode in _MODES else None
    return named or (_key(key) if key.strip() else None)


def pitches_of(candidates: Iterable[int], within: Range | None, scale: Scale | None) -> tuple[int, ...]:
    """Those of `candidates`, the MIDI numbers that a model knows, that are in the range and in the scale, ascending.

    Raises Unsatisfiable where there is none, naming what clashes.
    """
    known = sorted(candidates)
    ranged = [pitch for pitch in known if within is None or pitch in within]
    found = tuple(pitch for pitch in ranged if scale is None or pitch in scale)
    if found or not known:
        return found
    there = f"the model's pitches ({known[0]}-{known[-1]})"
    if within is not None and not ranged:
        raise Unsatisfiable(
            f"{there} and --range {within.text} clash: none of them is in that range",
            f"ask for a range within {pitch_name(known[0])}-{pitch_name(known[-1])}",
        )
    if within is not None and any(pitch in scale for pitch in known if scale is not None):
        raise Unsatisfiable(
            f"--range {within.text} and --scale {scale} clash: no note of that scale is in that range",
            "widen the range, or choose another scale",
        )
    raise Unsatisfiable(f"{there} and --scale {scale} clash: none of them is in that scale", "choose another scale")


def pitch_name(pitch: int) -> str:
    """A MIDI number as a name with its octave: 60 is `C4`, 66 `F#4`."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def _pitch(text: str) -> int | None:
    if text.isdecimal():
        pitch = int(text)
    elif re.fullmatch(_PITCH, text):
        name = re.match(r"([A-Ga-g])(.?)", text)
        octave = int(re.search(r"-?\d$", text)[0])  # type: ignore[index]
        alter = {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(name[2], 0)  # type: ignore[index]
        pitch = 12 * (octave + 1) + _SEMITONES[name[1].upper()] + alter  # type: ignore[index]
    else:
        return None
    return pitch if 0 <= pitch <= 127 else None


def _key(text: str) -> Signature:
    signature = _signature(text.strip())
    if signature is None:
        raise OptionError(f"there is no key `{text}`", "write it as ABC does: G, Am, Bb, F#m, Ddor, Amix")
    return signature


def _signature(text: str) -> Signature | None:
    """The key that `text` names by a tonic and a mode, and nothing else."""
    text = _capitalize_tonic(text)
    signature = parse_key(text)
    return signature if signature is not None and signature.plain and text[:1] in _SEMITONES else None


def _capitalize_tonic(text: str) -> str:
    """A text with its tonic, of which the first letter alone is one: a `b` after it is a flat."""
    return text[:1].upper() + text[1:]


def _of_key(signature: Signature) -> Scale:
    return _scale(signature.tonic, signature.mode)


def _with_tonic(text: str) -> Scale | None:
    """The scale of a text that begins with its tonic; None where it does not."""
    match = _TONIC.match(_capitalize_tonic(text.strip()))
    if match is None:
        # a tonic that its mode follows at once, as in Ddor and Am
        signature = _signature(text.strip())
        return _of_key(signature) if signature is not None else None
    tonic = match[1] + (match[2] or "").replace("♯", "#").replace("♭", "b")
    return _scale(tonic, _name(match[3] or "major", text.strip()))


def _name(text: str, whole: str = "") -> str:
    """The name of a scale in full: as in SCALES, or the beginning of a mode's, as ABC shortens it.

    Raises OptionError, which quotes the `whole` of what a player wrote, for a name that no scale has.
    """
    name = " ".join(text.lower().split())
    name = _OTHER_NAMES.get(name, name)
    if name in SCALES:
        return name
    signature = _signature(f"C {name}")
    if signature is not None and (name == "m" or signature.mode.startswith(name[:3])):
        return signature.mode
    near = get_close_matches(name, SCALES, 1)
    raise OptionError(
        f"there is no scale `{whole or text}`",
        f"did you mean `{near[0]}`?" if near else "there are " + ", ".join(SCALES),
    )


def _scale(tonic: str, name: str) -> Scale:
    return Scale(tonic, name, frozenset((_class(tonic) + step) % 12 for step in SCALES[name]))


def _class(tonic: str) -> int:
    return (_SEMITONES[tonic[0]] + tonic.count("#") - tonic.count("b")) % 12
