"""Clefs of kern spines, from the text: converter21 gets it without them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from composer.formats.kern.written_music import Staff, WrittenNote
from composer.formats.musicxml.attributes import clef_name, clef_of_notes

_CLEF = re.compile(r"\*clef([GCFX])(v{0,2}|\^{0,2})([1-5]?)")
_TRANSPOSITION = re.compile(r"\*ITrd-?\d{1,3}c(-?\d{1,3})")
"""The semitones by which an instrument sounds above what is written."""
_SPLIT = "'"
"""Ends the name of a voice that its spine was split into."""


class SpineClefs:
    """Collects the clefs of each kern spine, in order, with those that it is split into."""

    def __init__(self) -> None:
        self._spines: dict[str, list[tuple[str, int, int]]] = {}
        self._octaves: dict[str, int] = {}

    def add_spine(self, voice: str) -> None:
        """Add a spine that a file begins with, to the right of those before."""
        self._spines[voice] = []

    def read(self, voice: str, token: str) -> None:
        """Read an interpretation of the spine that has the notes of `voice`."""
        spine = voice.rstrip(_SPLIT)
        if spine not in self._spines:
            return
        if found := _CLEF.fullmatch(token):
            sign, octaves, line = found.groups()
            above = len(octaves) if octaves.startswith("^") else -len(octaves)
            clef = "percussion" if sign == "X" else sign, int(line or 0), above
            if self._spines[spine][-1:] != [clef]:
                self._spines[spine].append(clef)
        elif found := _TRANSPOSITION.fullmatch(token):
            self._octaves.setdefault(spine, int(int(found[1]) / 12))

    @property
    def changes(self) -> int:
        """How often a spine changes its clef."""
        return sum(len([*pairwise(clefs)]) for clefs in self._spines.values())

    def given_to(self, staves: Sequence[Staff], notes: Sequence[WrittenNote]) -> list[Staff]:
        """Return the staves with the first clefs of their spines, whose `notes` tell whether they belong together.

        The octaves of a transposition belong to the clef, since notes are at sounding pitch. The leftmost
        spine is the lowest staff. No staff has a brace: converter21 guesses them.
        """
        staves = [replace(staff, brace=0) for staff in staves]
        if len(staves) != len(self._spines):
            return staves
        places: defaultdict[str, set[tuple[object, int]]] = defaultdict(set)
        for note in notes:
            places[note.voice.rstrip(_SPLIT)].add((note.onset, note.pitch))
        found = []
        for staff, (spine, clefs) in zip(staves, reversed(self._spines.items()), strict=True):
            same = places[spine] == {(note.onset, note.pitch) for note in staff.notes}
            octaves = self._octaves.get(spine, 0)
            names = [clef_name(sign, line, above + octaves) for sign, line, above in clefs]
            clef = clef_of_notes(names, percussion=staff.percussion) if same else ""
            found.append(replace(staff, clef=clef))
        return found
