"""A kept voice that rests is a part of its own."""

from fractions import Fraction
from pathlib import Path

from composer import formats
from composer.api import Piece, Source
from composer.formats.read import read_playable
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, Roll
from composer_pianoroll.kept_voice.part import KEPT_VOICE, parts_of, rests_of, with_rests

TUNE = b"X:1\nM:4/4\nL:1/4\nK:C\nc2 z d|e2 z2|\n"
MELODY = [GridNote(0, 72, 8), GridNote(12, 74, 4), GridNote(16, 76, 8)]
ALTO = [GridNote(0, 67, 8), GridNote(8, 79, 4), GridNote(12, 67, 12), GridNote(24, 69, 8)]
BASS = [GridNote(0, 48, 16), GridNote(16, 43, 16)]
RESTS = {"top_rests": "8-12,24-32"}


def infilled(**given):
    """Return the piece of TUNE, as it is read for infill or else."""
    return next(Pianoroll().read(Source(Path("tune.abc"), data=TUNE, **given)))


def parts(labels, *voices):
    notes = sorted(note for voice in voices for note in voice)
    return parts_of(notes, {KEPT_VOICE: "top", **labels}, 4)


def test_rests_of_both_outer_voices():
    notes = [GridNote(2, 60, 4), GridNote(2, 64, 2), GridNote(8, 64, 8)]
    assert [*rests_of(Roll.from_notes(16, notes), "top")] == [(0, 2), (4, 8)]
    assert [*rests_of(Roll.from_notes(18, notes), "bass")] == [(0, 2), (6, 8), (16, 18)]


def test_a_tune_to_infill_says_where_it_rests_and_a_primer_does_not():
    assert infilled(infill=True).labels["top_rests"] == "8-12"
    assert not RESTS.keys() & infilled(fragment=True).labels.keys()
    assert not RESTS.keys() & with_rests(Piece(Roll.from_notes(16, [GridNote(0, 60, 16)]))).labels.keys()


def test_notes_in_rests_belong_to_other_voices():
    found = parts(RESTS, MELODY, ALTO, BASS)
    assert [[note.pitch for note in part.notes] for part in found] == [[72, 74, 76], [67, 79, 67, 69], [48, 43]]
    assert [note.onset for note in found[0].notes] == [0, 3, 4]
    assert [(part.notation.staff, part.notation.brace, part.notation.clef) for part in found] == [
        (1, 1, "treble"), (1, 1, "treble"), (2, 1, "bass")
    ]  # fmt: skip


def test_four_voices_are_two_on_each_staff():
    found = parts(RESTS, MELODY, ALTO, [GridNote(0, 64, 32)], BASS)
    assert [part.notation.staff for part in found] == [1, 1, 2, 2]


def test_three_high_voices_are_on_two_staves():
    found = parts(RESTS, MELODY, ALTO, [GridNote(0, 62, 32)])
    assert [(part.notation.staff, part.notation.clef) for part in found] == [
        (1, "treble"), (1, "treble"), (2, "treble")
    ]  # fmt: skip


def test_many_other_voices_are_one_part():
    others = [GridNote(0, pitch, 32) for pitch in (40, 43, 47, 50)]
    found = parts(RESTS, MELODY, others)
    assert [len(part.notes) for part in found] == [3, 4]
    assert {part.notation for part in found} == {None}


def test_one_part_without_rests_or_a_kept_voice():
    assert len(parts({}, MELODY, BASS)) == 1
    assert len(parts({**RESTS, KEPT_VOICE: "bass"}, MELODY, BASS)) == 1
    assert len(parts({**RESTS, KEPT_VOICE: "2"}, MELODY, BASS)) == 1


def test_a_bass_is_the_last_part():
    rests = {"bass_rests": "16-32"}
    found = parts({**rests, KEPT_VOICE: "bass"}, MELODY, [GridNote(0, 48, 16), GridNote(20, 40, 4)])
    assert [note.pitch for note in found[-1].notes] == [48]


def test_notation_shows_the_rests():
    labels = {"meter": "4/4", KEPT_VOICE: "top", **RESTS}
    score = Pianoroll().score(Piece(Roll.from_notes(32, sorted(MELODY + ALTO + BASS)), labels=labels))
    read = read_playable(Source(Path("made.abc"), data=formats.write("abc", score)))
    first = next(read).parts[0]
    assert [(note.pitch, note.onset) for note in first.notes] == [(72, 0), (74, 3), (76, 4)]


def test_control_labels_name_the_voice():
    assert Pianoroll().control_labels(PianorollControls(keep_voices="top")) == {KEPT_VOICE: "top"}
    assert KEPT_VOICE not in Pianoroll().control_labels(PianorollControls())


def test_beats():
    (part,) = parts({}, [GridNote(1, 60, 3)])
    assert (part.notes[0].onset, part.notes[0].duration) == (Fraction(1, 4), Fraction(3, 4))
