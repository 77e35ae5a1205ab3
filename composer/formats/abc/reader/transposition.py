"""Octaves and transpositions of voices, from keys, clefs, `V:` fields and directives."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from composer.formats.abc.elements import Tone
from composer.music import chords
from composer.music.keys import LETTERS, Signature, key_name, parse_key, pitch
from composer.music.voices.staves import CLEF_OCTAVES


@dataclass(frozen=True, slots=True)
class SoundingPitch:
    """How far above its written pitch a voice sounds."""

    octaves: int = 0
    semitones: int = 0

    def with_properties(self, properties: str) -> SoundingPitch:
        """Apply the properties of a `K:` or `V:` field. A clef resets the octave; `octave=` overrides the clef."""
        octaves, semitones = self.octaves, self.semitones
        properties = _NAMES.sub("", properties)
        if clef := _CLEF.search(properties):
            octaves = CLEF_OCTAVES[clef[1]]
        if octave := _OCTAVE.search(properties):
            octaves = int(octave[1])
        if transposed := _TRANSPOSE.search(properties):
            semitones = int(transposed[1])
        return SoundingPitch(octaves, semitones)

    def with_directive(self, directive: str) -> SoundingPitch:
        """Apply a directive such as `MIDI transpose 12`, which acts like `transpose=`; `rtranspose` adds to it."""
        match = _DIRECTIVE.match(directive)
        if match is None:
            return self
        return replace(self, semitones=int(match[2]) + (self.semitones if match[1] else 0))

    def transposition(self, key: Signature) -> Transposition:
        return _transposition(12 * self.octaves + self.semitones, key)


_NAMES = re.compile(r'(?<!clef=)"[^"]*"')
_CLEF = re.compile(
    r"(?<![\w=])(?:clef=)?\"?(?:treble|alto|tenor|bass|soprano|mezzo|baritone|perc|[GCF][1-5])[1-5]?([+-](?:8|15)|)"
)
_OCTAVE = re.compile(r"(?<!\w)octave=([+-]?\d)(?!\d)")
_TRANSPOSE = re.compile(r"(?<!\w)transpose=([+-]?\d{1,2})(?!\d)")
_DIRECTIVE = re.compile(r"MIDI[ \t=]+(r?)transpose[ \t]+([+-]?\d{1,2})(?!\d)")
_UNKNOWN = re.compile(r"(?<!\w)((?:shift|score|sound|instrument)=\S*)")


def unknown_property(properties: str) -> str:
    """Return an unsupported transposing property, or an empty string."""
    match = _UNKNOWN.search(_NAMES.sub("", properties))
    return match[1] if match else ""


@dataclass(frozen=True, slots=True)
class Transposition:
    """An interval up in steps and semitones, which keeps notes correctly spelled in the new key."""

    steps: int = 0
    semitones: int = 0

    def tone(self, tone: Tone) -> Tone:
        step, alter = tone
        moved = step + self.steps
        return moved, pitch(step, alter) + self.semitones - pitch(moved, 0)

    def key(self, key: Signature) -> Signature:
        """Transpose a key, with as few sharps or flats as possible; octaves leave it unchanged."""
        return key if self.semitones % 12 == 0 else _transposed_key(key, self.semitones)

    def chord(self, text: str) -> str:
        """Transpose a chord symbol; other text stays as it is."""
        return transpose_chord(text, self.tone) if self.semitones % 12 else text


def transpose_chord(text: str, tone: Callable[[Tone], Tone]) -> str:
    """Transpose the root and bass of a chord symbol by `tone`; other text stays as it is."""
    chord = chords.parse(text)
    if chord is None:
        return text
    return replace(chord, root=transpose_name(chord.root, tone), bass=transpose_name(chord.bass, tone)).symbol


def transpose_name(name: str, tone: Callable[[Tone], Tone]) -> str:
    """Transpose the name of a note, such as `F#`, by `tone`."""
    step, alter = tone((LETTERS.index(name[0]), name.count("#") - name.count("b")))
    return LETTERS[step % 7] + ("#" * alter if alter > 0 else "b" * -alter)


@cache
def _transposition(semitones: int, key: Signature) -> Transposition:
    octaves, rest = divmod(semitones, 12)
    steps = LETTERS.index(_transposed_key(key, rest).tonic[0]) - LETTERS.index(key.tonic[0]) if rest else 0
    # one semitone may be a step or none, eleven may be six or seven steps
    nearest = steps + 7 * round((7 * rest / 12 - steps) / 7)
    return Transposition(7 * octaves + nearest, semitones)


def _transposed_key(key: Signature, semitones: int) -> Signature:
    sharps = (key.sharps + 7 * semitones + 5) % 12 - 5
    return parse_key(key_name(sharps, key.mode)) or key
