"""The notes that controls allow, in their preferred spelling."""

from __future__ import annotations

import re

import pytest

from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import LETTERS, parse_key
from composer_abc import AbcControls


@pytest.mark.parametrize(
    ("controls", "key", "spellings"),
    [
        ({"scale": "pentatonic"}, "C", "C D E G A"),
        ({"scale": "blues"}, "C", "C _E F _G G _B"),
        ({"scale": "blues"}, "Ab", "A _C D =D E _G"),
        ({"scale": "harmonic minor"}, "C#m", "C D E F G A ^B"),
        ({"scale": "own"}, "F#", "F G A B C D E"),
        ({"range": "C4-B4"}, "C", "C ^C D _E E F ^F G ^G A _B B"),
        ({"range": "C4-C4"}, "C", "C"),
        ({"range": "B7-C8"}, "C", "B"),
    ],
)
def test_each_pitch_has_its_preferred_spelling(controls, key, spellings, characters):
    vocabulary = Vocabulary(characters)
    notes = AbcControls(**controls).tune_controls().allowed_notes(vocabulary, key)
    signs = {-1: "_", 0: "=", 1: "^"}
    own = parse_key(key).alters
    octave = range(35, 42) if controls != {"range": "B7-C8"} else range(56, 63)
    found = {
        (signs[alter] if own[step % 7] != alter else "") + LETTERS[step % 7]
        for alter, steps in notes.steps.items()
        for step in octave
        if steps >> step & 1
    }
    assert found == set(re.findall("[_^=]?[A-G]", spellings)), sorted(found)
