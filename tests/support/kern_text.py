"""Kern for tests: columns are separated by two or more spaces here, and by tabs in the file."""

import re

from composer.api.testing import source
from composer.formats.kern.reader import read_pieces


def kern(text):
    return re.sub(" {2,}", "\t", text.strip()) + "\n"


def scores(text, name="a.krn"):
    """The scores of a file, by name."""
    return dict(read_pieces(source(kern(text), name)))


def score(text):
    [found] = scores(text).values()
    return found


def notes(text):
    """Onset, pitch and duration of all notes, as small numbers where possible."""
    return [(note.onset, note.pitch, note.duration) for note in score(text).notes]


def pitches(text):
    return [note.pitch for note in score(text).notes]
