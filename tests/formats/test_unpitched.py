"""Music without pitched notes in every format: percussion, and chord symbols alone."""

from fractions import Fraction
from pathlib import Path

import pytest

from composer.api import ChordSymbol, ComposerError, Note, Part, Score, Source, Tempo
from composer.check.fingerprint import fingerprint
from composer.formats import write
from composer.formats.read import read_scores
from composer.music.chords import pitches

F = Fraction

BEAT = tuple(
    Note(F(eighth, 2), pitch, F(1, 2))
    for eighth in range(16)
    for pitch in sorted({0: (36, 42), 4: (38, 42)}.get(eighth % 8, (46,)))
)
DRUMS = Score((Part(BEAT, "Kit", percussion=True),), tempos=(Tempo(F(0), 90.0),))
CHORDS = Score((), tuple(ChordSymbol(F(4 * at), F(4), symbol) for at, symbol in enumerate(("C", "Am", "F7", "G7/B"))))
FORMATS = ("midi", "musicxml", "abc")


def again(format_name, score):
    ((_, found),) = read_scores(Source(Path(f"a.{format_name}"), data=write(format_name, score)))
    return found


@pytest.mark.parametrize("format_name", FORMATS)
def test_percussion_is_read_back(format_name):
    (part,) = again(format_name, DRUMS).parts
    assert part.percussion
    assert part.notes == BEAT


@pytest.mark.parametrize("format_name", FORMATS)
def test_percussion_beside_a_melody(format_name):
    melody = tuple(Note(F(beat), 60 + beat, F(1)) for beat in range(8))
    found = again(format_name, Score((Part(melody, "Tune"), *DRUMS.parts)))
    assert [(part.notes, part.percussion) for part in found.parts] == [(melody, False), (BEAT, True)]
    assert found.notes == melody


@pytest.mark.parametrize("format_name", ["musicxml", "abc"])
def test_chord_symbols_are_read_back(format_name):
    found = again(format_name, CHORDS)
    assert (found.parts, found.chords) == ((), CHORDS.chords)


def test_chord_symbols_sound_in_midi():
    (part,) = again("midi", CHORDS).parts
    assert {note.pitch for note in part.notes if note.onset == 4} == set(pitches("Am"))
    assert part.name == "Chords"


@pytest.mark.parametrize(
    ("score", "audible"),
    [
        (Score(()), False),
        (Score((Part(),)), False),
        (DRUMS, True),
        (CHORDS, True),
        (Score((), (ChordSymbol(F(0), F(4), "D.C."),)), False),
        (Score((), (ChordSymbol(F(0), F(0), "C"),)), False),
        (Score((Part((Note(F(0), 60, F(1)),)),)), True),
    ],
)
def test_what_is_audible(score, audible):
    assert score.is_audible is audible
    if not audible:
        with pytest.raises(ComposerError, match="no notes"):
            write("abc", score)


def test_drums_of_other_programs():
    """Percussion without MIDI numbers cannot be read; with a single sound, notes need not name it."""
    text = write("musicxml", Score((Part(BEAT[:2], percussion=True), Part((Note(F(0), 60, F(4)),))))).decode()
    without_numbers = text.replace("<midi-unpitched>", "<volume>").replace("</midi-unpitched>", "</volume>")
    ((_, found),) = read_scores(Source(Path("a.xml"), data=without_numbers.encode()))
    assert [part.percussion for part in found.parts] == [False]
    assert found.losses == {"drum notes left out": 2}
    single = write("musicxml", Score((Part(BEAT[:1], percussion=True),))).decode()
    unnamed = "\n".join(line for line in single.splitlines() if "<instrument id" not in line)
    ((_, found),) = read_scores(Source(Path("a.xml"), data=unnamed.encode()))
    assert found.parts[0].notes == BEAT[:1]


def test_channel_10_of_a_voice():
    tune = "X:1\nM:4/4\nL:1/4\nK:C\nV:1\nCDEF|\nV:2\n%%MIDI channel 10\nC,,C,,C,,C,,|\n"
    ((_, found),) = read_scores(Source(Path("a.abc"), data=tune.encode()))
    assert [part.percussion for part in found.parts] == [False, True]


def test_duplicates_of_drums_and_chords_are_found():
    later = Score((Part(tuple(note._replace(onset=note.onset + 4) for note in BEAT), percussion=True),))
    other = Score((Part(tuple(note._replace(pitch=36) for note in BEAT), percussion=True),))
    assert fingerprint(DRUMS) == fingerprint(later)
    assert fingerprint(DRUMS).melody.digest != fingerprint(other).melody.digest
    faster = tuple(chord._replace(onset=chord.onset / 2, duration=chord.duration / 2) for chord in CHORDS.chords)
    assert fingerprint(CHORDS).all_notes.digest == fingerprint(Score((), faster)).all_notes.digest
    assert fingerprint(CHORDS).all_notes != fingerprint(Score((), faster[:-1])).all_notes
