"""Which music is written in voices, and on which staves."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

import music21
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import Note, Part, Source
from composer.formats.read import read_scores
from composer.music.voices.polyphony import polyphonic_voices

F = Fraction
CHORALE = (
    (72, 74, 76, 74, 72, 71, 72, 72),
    (67, 67, 67, 67, 65, 67, 67, 67),
    (64, 62, 60, 62, 62, 62, 64, 64),
    (48, 47, 48, 50, 53, 55, 48, 48),
)


def part(*voices, beats=1):
    return Part(
        tuple(sorted(Note(F(at * beats), pitch, F(beats)) for voice in voices for at, pitch in enumerate(voice)))
    )


def pitches(voices):
    return [tuple(note.pitch for note in voice.notes) for voice in voices]


def test_chorale_has_two_voices_on_each_staff():
    voices = polyphonic_voices(part(*CHORALE))
    assert tuple(pitches(voices)) == CHORALE
    assert [(voice.staff, voice.clef) for voice in voices] == [(0, "treble")] * 2 + [(1, "bass")] * 2


@pytest.mark.parametrize(
    ("voices", "staves"),
    [
        (CHORALE[:2], [(0, "treble")] * 2),
        ((CHORALE[0], CHORALE[3]), [(0, "treble"), (1, "bass")]),
        (CHORALE[2:], [(0, "bass")] * 2),
        (CHORALE[1:], [(0, "treble"), (0, "treble"), (1, "bass")]),
        (CHORALE[:3], [(0, "treble"), (0, "treble"), (1, "treble")]),
    ],
)
def test_staves_of_fewer_voices(voices, staves):
    found = polyphonic_voices(part(*voices))
    assert tuple(pitches(found)) == voices
    assert [(voice.staff, voice.clef) for voice in found] == staves


def test_melody_with_chords_is_not_polyphonic():
    melody = part(CHORALE[0] * 2, beats=F(1, 2))
    chords = [Note(F(at), pitch, F(2)) for at in range(0, 8, 2) for pitch in (48, 52, 55)]
    assert polyphonic_voices(Part(tuple(sorted((*melody.notes, *chords))))) == []


def test_broken_chords_are_not_polyphonic():
    broken = [Note(F(at, 2), pitch, F(8 - at, 2)) for at in range(8) for pitch in (48 + 5 * at, 90 - 4 * at)]
    assert polyphonic_voices(Part(tuple(broken))) == []


def test_melody_alone_percussion_and_silence_are_not_polyphonic():
    assert polyphonic_voices(part(CHORALE[0])) == []
    assert polyphonic_voices(Part(part(*CHORALE).notes, percussion=True)) == []
    assert polyphonic_voices(Part()) == []


def test_few_notes_are_not_polyphonic():
    assert polyphonic_voices(part(*(voice[:7] for voice in CHORALE))) == []


def test_note_without_a_voice_joins_the_nearest():
    held = (*part(*CHORALE).notes, Note(F(13, 2), 57, F(1)))
    voices = polyphonic_voices(Part(tuple(sorted(held))))
    assert [57 in (note.pitch for note in voice.notes) for voice in voices] == [False, False, True, False]


BOOK = Path(music21.__file__).parent / "corpus" / "bach"


@pytest.mark.parametrize("name", ["bwv253", "bwv349", "bwv267"])
def test_notes_of_real_chorales_are_in_their_own_voices(name):
    """`tests/bench/notation/voices.py` has all of them: 98.6 % of the notes, 89 % in the worst piece."""
    ((_, score),) = read_scores(Source(BOOK / f"{name}.mxl"))
    owned = [(note, number) for number, own in enumerate(score.parts) for note in own.notes]
    voices = polyphonic_voices(Part(tuple(sorted(note for note, _ in owned))))
    found = Counter((note, number) for number, voice in enumerate(voices) for note in voice.notes)
    assert (found & Counter(owned)).total() >= 0.95 * len(owned)


@given(
    st.lists(
        st.builds(
            Note,
            st.builds(F, st.integers(0, 40), st.just(4)),
            st.integers(40, 80),
            st.builds(F, st.integers(1, 6), st.just(4)),
        ),
        min_size=16,
        max_size=80,
    )
)
def test_all_notes_are_kept_and_none_of_a_voice_overlap_in_unison(notes):
    voices = polyphonic_voices(Part(tuple(sorted(notes))))
    if voices:
        assert sorted(note for voice in voices for note in voice.notes) == sorted(notes)
    for voice in voices:
        ends = {}
        for note in voice.notes:
            assert ends.get(note.pitch, 0) <= note.onset
            ends[note.pitch] = note.end
