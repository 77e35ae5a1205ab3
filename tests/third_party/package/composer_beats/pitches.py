"""`pitches`: a file format for melodies, and a check of it: a first line, then a line of MIDI pitches for each piece.

Each pitch is a quarter note; 0 is a rest.
"""

from fractions import Fraction

from composer.api import Note, Part, RejectedPiece, Score, hookimpl
from composer.api.file_format import Format
from composer.api.problem import Check, Problem, Severity

FIRST_LINE = b"pitches 1"
MARK = b"# "
SHORT = 4


def recognize(data):
    return data.startswith(FIRST_LINE)


def read(source, *, pedal=False):
    for number, line in enumerate(source.text().splitlines()[1:], 2):
        name = f"{source.label}: line {number}"
        if line.startswith("#") or not line:
            continue
        pitches = line.split()
        if all(pitch.isdecimal() and int(pitch) < 128 for pitch in pitches):
            beats = [(beat, int(pitch)) for beat, pitch in enumerate(pitches) if pitch != "0"]
            notes = (Note(Fraction(beat), pitch, Fraction(1)) for beat, pitch in beats)
            yield name, Score((Part(tuple(notes)),))
        else:
            yield name, RejectedPiece("a pitch is not from 0 to 127", name)


def write(score, settings):
    """Write the highest note that begins in each beat."""
    highest = {}
    for note in score.notes:
        beat = int(note.onset)
        highest[beat] = max(note.pitch, highest.get(beat, 0))
    pitches = " ".join(str(highest.get(beat, 0)) for beat in range(max(highest) + 1))
    return FIRST_LINE + b"\n" + pitches.encode() + b"\n"


def mark(data, provenance):
    first, _, rest = data.partition(b"\n")
    return first + b"\n" + MARK + provenance + b"\n" + rest


def find_marks(data):
    for line in data.splitlines():
        if line.startswith(MARK):
            yield line.removeprefix(MARK).decode("ascii", "replace")


def few_notes(score):
    if len(score.notes) < SHORT:
        yield Problem(0, 0, "few notes", f"only {len(score.notes)} notes", Severity.WARNING)


def line_ends(data):
    if b"\r\n" in data:
        yield Problem(1, 1, "line ends", "the lines end as on Windows", Severity.WARNING)


@hookimpl
def composer_format():
    return Format("pitches", (".pitches",), False, "MIDI pitches as text", recognize, read, write, mark, find_marks)


@hookimpl
def composer_check():
    return Check("pitches", "few notes, and line ends of Windows", score=few_notes, data=line_ends)
