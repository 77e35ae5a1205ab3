"""Titles, names of parts and chord symbols are written without characters that a format forbids."""

from fractions import Fraction
from xml.etree import ElementTree

import pytest

from composer import formats
from composer.api import ChordSymbol, Note, Part, Score
from composer.formats import WriteSettings

HOSTILE = "A\x1b]0;owned\x07\x00\x0b\x85\x9b2J\u2028\ud800\ufffe<&>\nB"
NOTES = tuple(Note(Fraction(at), 60 + at, Fraction(1)) for at in range(4))
SCORE = Score((Part(NOTES, HOSTILE),), (ChordSymbol(Fraction(0), Fraction(4), f"C{HOSTILE}"),), title=HOSTILE)


@pytest.mark.parametrize("settings", [WriteSettings(), WriteSettings(title=HOSTILE)])
@pytest.mark.parametrize("name", ["abc", "musicxml", "midi"])
def test_no_control_characters(name, settings):
    data = formats.write(name, SCORE, settings)
    for bad in ("\x1b", "\x07" if name != "midi" else "\x1b", "\x85", "\x9b", "\u2028", "\ufffe"):
        assert bad.encode() not in data
    assert b"]0;owned" in data


def test_musicxml_can_be_parsed():
    root = ElementTree.fromstring(formats.write("musicxml", SCORE))
    assert root.findtext(".//part-name").startswith("A ]0;owned 2J <&>")
    assert root.findtext(".//movement-title").startswith("A ]0;owned 2J <&>")


def test_other_text_stays():
    plain = "Søren's  Märchen <夢> 👩‍🎤"
    assert (
        ElementTree.fromstring(formats.write("musicxml", Score((Part(NOTES),), title=plain))).findtext(
            ".//movement-title"
        )
        == plain
    )
