"""The tones of a wish, each spelt in the usual way."""

from __future__ import annotations

import re

import pytest

from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import LETTERS, parse_key
from composer_abc import AbcControls


@pytest.mark.parametrize(
    ("wishes", "key", "written"),
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
def test_each_pitch_is_written_in_the_usual_way(wishes, key, written, characters):
    vocabulary = Vocabulary(characters)
    tones = AbcControls(**wishes).tune_controls().allowed_notes(vocabulary, key)
    signs = {-1: "_", 0: "=", 1: "^"}
    own = parse_key(key).alters
    octave = range(35, 42) if wishes != {"range": "B7-C8"} else range(56, 63)
    found = {
        (signs[alter] if own[step % 7] != alter else "") + LETTERS[step % 7]
        for alter, steps in tones.steps.items()
        for step in octave
        if steps >> step & 1
    }
    assert found == set(re.findall("[_^=]?[A-G]", written)), sorted(found)
