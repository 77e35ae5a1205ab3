"""Chord symbols such as `Am` or `G7/B`: root, kind, bass and pitches as MIDI numbers.

They are defined in `composer.api.chords`, since a score knows whether its chord symbols sound.
"""

from composer.api.chords import BASS_FROM, CHORD_FROM, KINDS, MUSIC21, Chord, parse, pitches

__all__ = ["BASS_FROM", "CHORD_FROM", "KINDS", "MUSIC21", "Chord", "parse", "pitches"]
