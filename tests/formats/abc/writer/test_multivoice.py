"""Scores of several voices as ABC, and back."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from abc_diagnostics import check
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from composer import formats
from composer.api import ChordSymbol, EncodeError, Key, Meter, Note, Part, Score, Tempo
from composer.formats.abc.reader.score import read_score
from composer.formats.abc.writer.multivoice import write_voices
from composer.formats.abc.writer.score import write
from composer.formats.abc.writer.voice_split import voices_of
from composer.music.chords import pitches

F = Fraction


def sounding(score: Score) -> list[tuple[Fraction, int, Fraction]]:
    """Return all that must read back: every note without its velocity."""
    return sorted((note.onset, note.pitch, note.duration) for note in score.notes)


def complaints(text: str, folder: object) -> list[str]:
    """Return the errors and warnings of abc2midi, which leaves files where it runs."""
    output = subprocess.run(
        ["abc2midi", "-", "-c"], input=text.encode(), capture_output=True, cwd=str(folder), check=False
    ).stdout.decode(errors="replace")
    # it warns of tuplets with several note lengths, but reads them well
    lines = [line for line in output.splitlines() if "Different length notes in tuple" not in line]
    return [line for line in lines if line.startswith(("Error", "Warning"))]


def music(text: str) -> list[str]:
    """Return the lines after the key."""
    return text.split("\nK:")[1].splitlines()[1:]


@pytest.mark.parametrize("clef", ["treble-8", "treble+8", "treble+15", "bass", "bass-8", "bass-15", "alto"])
@pytest.mark.parametrize("voices", ["{}", "V:1\n{}\nV:2\nc4|c4|"], ids=["alone", "two voices"])
def test_clefs_are_kept_with_the_notes_as_written(clef, voices):
    given = read_score(f"X:1\nM:4/4\nL:1/8\nK:D clef={clef}\n{voices.format('C2E2 G2^c2-|^c4 [DA]4|]')}\n")
    written = write(given)
    assert f"V:1 clef={clef}" in written
    assert "C2E2 G2^c2-|^c4 [DA]4|]".replace("^c", "c") in written.replace("[V:1] ", ""), "no notes an octave away"
    again = read_score(written)
    assert again.parts[0].notation.clef == clef
    assert sounding(again) == sounding(given)


def test_parts_become_voices():
    parts = tuple(
        Part(tuple(Note(F(n), pitch, F(1)) for n, pitch in enumerate(pitches)), name)
        for name, pitches in [("Soprano", (72, 74, 71, 72)), ("Bass", (48, 41, 43, 36))]
    )
    score = Score(parts, tempos=(Tempo(F(0), 80.0),), keys=(Key(F(0), 0),), title="A Cadence")
    assert write(score) == (
        "X:1\nT:A Cadence\nM:4/4\nL:1/8\nQ:1/4=80\n%%score [1 2]\nK:C\n"
        'V:1 clef=treble name="Soprano"\nV:2 clef=bass name="Bass"\n'
        "[V:1] c2d2 B2c2|]\n[V:2] C,2F,,2 G,,2C,,2|]\n"
    )


def test_each_voice_on_a_staff_has_the_name_of_its_part():
    text = 'X:1\nM:4/4\nL:1/4\n%%score (1 2) 3\nK:C\nV:1 name="Flute 1"\n{}V:2 name="Flute 2"\n{}V:3 nm=Organ\n{}'
    written = write(read_score(text.format("c4|\n", "G4|\n", "[CE]2 [C2E4]|\n")))
    fields = [line for line in written.splitlines() if line.startswith("V:")]
    names = ["Flute 1", "Flute 2", "Organ"]
    assert [line.partition("name=")[2].strip('"') for line in fields if "name" in line] == names
    assert [part.name for part in read_score(written).parts][:3] == names


def test_hands_of_a_piano_are_two_staves():
    right = [Note(F(n), pitch, F(1)) for n, pitch in enumerate((72, 74, 76, 77))]
    left = [Note(F(0), pitch, F(4)) for pitch in (48, 52, 55)]
    text = write(Score((Part(tuple(sorted(right + left)), "Piano", program=1),)))
    assert "%%score {1 2}\n" in text
    assert text.count("%%MIDI program 1\n") == 2
    assert music(text)[-2:] == ["[V:1] c2d2 e2f2|]", "[V:2] [C,E,G,]8|]"]


CHORALE = {
    "soprano": (72, 74, 76, 74, 72, 71, 72, 72),
    "alto": (67, 67, 67, 67, 65, 67, 67, 67),
    "tenor": (64, 62, 60, 62, 62, 62, 64, 64),
    "bass": (48, 47, 48, 50, 53, 55, 48, 48),
}


def chorale(*more: Note) -> Score:
    """Return a piano roll in four voices of quarter notes."""
    notes = [Note(F(at), pitch, F(1)) for voice in CHORALE.values() for at, pitch in enumerate(voice)]
    return Score((Part(tuple(sorted((*notes, *more)))),), keys=(Key(F(0), 0),))


def test_chorale_has_two_voices_on_each_staff():
    text = write(chorale())
    assert "%%score {(1 2) (3 4)}\n" in text
    assert [line.partition("clef=")[2] for line in text.splitlines() if "clef=" in line] == [
        "treble", "treble", "bass", "bass",
    ]  # fmt: skip
    assert music(text)[-4:] == [
        "[V:1] c2d2 e2d2|c2B2 c2c2|]",
        "[V:2] G2G2 G2G2|F2G2 G2G2|]",
        "[V:3] E2D2 C2D2|D2D2 E2E2|]",
        "[V:4] C,2B,,2 C,2D,2|F,2G,2 C,2C,2|]",
    ]


def test_note_without_a_voice_is_tied_into_a_chord():
    score = chorale(Note(F(13, 2), 57, F(1)))
    text = write(score)
    assert "[V:3] E2D2 C2D2|D2D2 E-[A,-E][A,E-]E|]" in text
    assert sounding(read_score(text)) == sounding(score)
    assert check(text) == []


def test_semitone_that_is_tied_over_a_bar_line_reads_back():
    score = Score((Part((Note(F(0), 55, F(8)), Note(F(0), 56, F(8)))),), keys=(Key(F(0), 0),))
    text = write_voices(score)
    assert music(text) == ["[=G,^G,]8-|[=G,^G,]8|]"]
    assert sounding(read_score(text)) == sounding(score)


def test_voice_in_unison_has_an_invisible_rest():
    score = chorale()
    alto = replace(score.parts[0], notes=tuple(note for note in score.notes if note[:2] != (F(4), 65)))
    assert "[V:2] G2G2 G2G2|x2G2 G2G2|]" in write(replace(score, parts=(alto,)))


def test_voices_keep_their_registers_while_others_are_silent():
    high = [Note(F(n), 76, F(1)) for n in range(1, 8, 2)]
    low = [Note(F(n), 55, F(2)) for n in range(0, 8, 2)]
    upper, lower = voices_of(high + low)
    assert {event.pitches for event in upper} == {(76,)}
    assert {event.pitches for event in lower} == {(55,)}


def test_wide_chords_are_split_if_a_voice_is_free():
    held = [Note(F(0), 76, F(2)), Note(F(0), 48, F(1))]
    chord = [Note(F(2), pitch, F(2)) for pitch in (43, 47, 71, 74)]
    upper, lower = voices_of(held + chord)
    assert [event.pitches for event in upper] == [(76,), (71, 74)]
    assert [event.pitches for event in lower] == [(48,), (43, 47)]
    assert [event.pitches for (event,) in [voices_of(chord)[0]]] == [(43, 47, 71, 74)]


def test_tuplets_are_written_only_where_needed():
    third = F(1, 3)
    lengths = [third, third, third, 2 * third, third, F(5, 4), F(3, 4), F(1)]
    notes, now = [], F(0)
    for length in lengths:
        notes.append(Note(now, 60, length))
        now += length
    text = write_voices(Score((Part(tuple(notes)),)))
    assert music(text) == ["(3CCC(3:2:2C2C C2-C/2C3/2|C2z2 z4|]"]
    assert sounding(read_score(text)) == sounding(Score((Part(tuple(notes)),)))


def test_meters_and_keys_change_at_bar_lines():
    part = Part(tuple(Note(F(n), 66, F(1)) for n in range(9)))
    meters = (Meter(F(0), 4, 4), Meter(F(5), 2, 4), Meter(F(7), 4, 8))
    score = Score((part, part), meters=meters, keys=(Key(F(0), 0), Key(F(5), 1)), pickup=F(1))
    text = write(score)
    bars = "^F2|^F2F2 F2F2|[M:2/4][K:G]F2 F2|[M:4/8]F2 F2|]"
    assert music(text)[2:] == [f"[V:1] {bars}", f"[V:2] {bars}"]
    back = read_score(text)
    assert (back.meters, back.keys, back.pickup) == (score.meters, score.keys, score.pickup)


def test_bar_cut_short_has_its_own_meter():
    part = Part((Note(F(0), 60, F(8)),))
    text = write(Score((part,), meters=(Meter(F(0), 4, 4), Meter(F(5), 3, 4))))
    assert music(text) == ["C8-|[M:1/4]C2-|[M:3/4]C6|]"]


def test_chord_symbols_split_the_notes_below():
    notes = (Note(F(0), 60, F(4)), Note(F(0), 64, F(2)))
    chords = tuple(ChordSymbol(F(n), F(1), symbol) for n, symbol in [(0, "Am"), (1, "slowly"), (3, "C7b9/E")])
    score = Score((Part(notes),), chords=chords, keys=(Key(F(0), 0),))
    text = write(score)
    assert music(text)[-2:] == ['[V:1] "Am"E2-"^slowly"E2 z2"C7b9/E"z2|]', "[V:2] C8|]"]
    assert "%%MIDI chordname 7b9 0 4 7 10 1\n" in text
    assert [(chord.onset, chord.symbol) for chord in read_score(text).chords] == [(F(0), "Am"), (F(3), "C7b9/E")]


@pytest.mark.parametrize("text", ["C(#9)", "F(#11)", "G(b5)", "D(b9)", "Bb(#9,#11,b13)"])
def test_altered_degrees_of_a_major_triad_are_no_sign_of_the_root(text):
    chord = ChordSymbol(F(0), F(1), text)
    written = write(Score((Part((Note(F(0), 60, F(1)),)),), chords=(chord,)))
    (back,) = read_score(written).chords
    assert pitches(back.symbol) == pitches(text)
    assert all(name.split()[2][0].isalpha() for name in written.splitlines() if name.startswith("%%MIDI chordname"))
    assert "chordname #" not in written
    assert "chordname b" not in written


def test_percussion_is_left_out_and_doubled_notes_are_kept():
    drum = Part((Note(F(0), 36, F(1)),), percussion=True)
    text = write(Score((drum, Part((Note(F(0), 60, F(1)), Note(F(0), 60, F(1)))))))
    assert sounding(read_score(text)) == [(F(0), 60, F(1))] * 2


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (Score((Part(),)), "no notes"),
        (Score((), (ChordSymbol(F(0), F(4), "Fine"),)), "no notes"),
        (Score((Part(tuple(Note(F(n, 16), 40 + n, F(4)) for n in range(13))),)), "more than 12 voices"),
        (Score((Part((Note(F(0), 60, F(1)),)),) * 13), "more than 12 voices"),
        (Score((Part((Note(F(0), 60, F(1)),)),) * 2, meters=(Meter(F(0), 4, 128),)), "a meter of 4/128"),
        (Score((Part((Note(F(0), 60, F(1, 11)),)),)), "a note of 0.0909091 beats at beat 0"),
        (Score((Part((Note(F(0), 60, F(1, 15)),)),)), "rhythms"),
        (Score((Part((Note(F(0), 60, F(1, 64)),)),)), "rhythms"),
        (Score((Part((Note(F(10**7), 60, F(1)),)),)), "more than 5000 bars"),
    ],
)
def test_errors_name_what_cannot_be_written(score, words):
    with pytest.raises(EncodeError, match=words) as caught:
        write(score)
    assert caught.value.hint


METERS = [(5, 8), (4, 4), (3, 4), (6, 8), (7, 8), (2, 2), (12, 8), (3, 1)]
MODES = st.sampled_from(["major", "minor", "dorian", "aeolian"])


@st.composite
def scores(draw: st.DrawFn, lowest: int = 0, highest: int = 127) -> Score:
    """Generate one to three parts on a grid, with changes of meter and key at bar lines, chord symbols and a pickup."""
    grid = draw(st.sampled_from([4, 8, 16, 3, 6, 12, 24, 5, 7]))
    changes = draw(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(METERS), st.integers(-7, 7)), max_size=3))
    pickup = draw(st.sampled_from([F(0), F(1, 2)]))
    begin, meters, keys = pickup, [Meter(F(0), 4, 4)], [Key(F(0), draw(st.integers(-7, 7)), draw(MODES))]
    for bars, meter, sharps in changes:
        begin += bars * meters[-1].bar
        meters.append(Meter(begin, *meter))
        keys.append(Key(begin, sharps, "major"))
    note = st.builds(
        lambda onset, pitch, steps: Note(F(onset, grid), pitch, F(steps, grid)),
        st.integers(0, 8 * grid),
        st.integers(lowest, highest),
        st.integers(1, 3 * grid),
    )
    part = st.builds(lambda notes: Part(tuple(sorted(notes))), st.lists(note, min_size=1, max_size=8))
    chord = st.builds(
        lambda beat, symbol: ChordSymbol(F(beat), F(1), symbol),
        st.integers(0, 6),
        st.sampled_from(["C", "F#m7b5", "Bbmaj7", "dolce"]),
    )
    chords = draw(st.lists(chord, max_size=3, unique_by=lambda each: each.onset))
    parts = tuple(draw(st.lists(part, min_size=1, max_size=3)))
    return Score(parts, tuple(sorted(chords)), (), tuple(meters), tuple(keys), pickup)


@st.composite
def polyphony(draw: st.DrawFn) -> Score:
    """Generate one part in two to four voices that move by small steps, with other notes."""
    grid = draw(st.sampled_from([2, 4, 3]))
    notes = []
    for pitch in (74, 67, 58, 48)[: draw(st.integers(2, 4))]:
        now = 0
        for step, length, rest in draw(
            st.lists(
                st.tuples(st.integers(-3, 3), st.integers(1, 4), st.sampled_from([0, 0, 0, 1])),
                min_size=10,
                max_size=16,
            )
        ):
            notes.append(Note(F(now, grid), pitch + step, F(length, grid)))
            now += length + rest
    more = st.builds(
        lambda onset, pitch, length: Note(F(onset, grid), pitch, F(length, grid)),
        st.integers(0, 24), st.integers(40, 80), st.integers(1, 5),
    )  # fmt: skip
    return Score((Part(tuple(sorted(notes + draw(st.lists(more, max_size=2))))),), keys=(Key(F(0), 0),))


def written(score: Score) -> str:
    """Return the score as ABC; skip examples with too many voices."""
    try:
        return write_voices(score)
    except EncodeError as error:
        assume("voices" not in error.message)
        raise


@given(scores())
@settings(max_examples=60)
def test_every_note_reads_back(score):
    text = written(score)
    assert sounding(read_score(text)) == sounding(score)
    assert check(text) == []


@given(polyphony())
@settings(max_examples=60)
def test_every_note_of_polyphony_reads_back(score):
    text = written(score)
    assert sounding(read_score(text)) == sounding(score)
    assert check(text) == []


@pytest.mark.skipif(not shutil.which("abc2midi"), reason="abc2midi is not installed")
@given(score=scores(lowest=21, highest=108) | polyphony())
@settings(max_examples=15)
def test_abc2midi_reads_it_without_complaint(score, tmp_path_factory):
    text = written(score)
    assert complaints(text, tmp_path_factory.getbasetemp()) == []


def in_two_voices(*, last: int) -> Score:
    """Return a pickup of one beat, a bar and a last note of `last` beats, in two parts."""
    spans = [(0, 1), (1, 2), (3, 2), (5, last)]
    notes = [tuple(Note(F(at), pitch, F(length)) for at, length in spans) for pitch in (72, 60)]
    return Score(tuple(map(Part, notes)), meters=(Meter(F(0), 4, 4),), pickup=F(1))


@pytest.mark.parametrize(
    ("last", "written"), [(3, "[V:1] c2|c4 c4|c6|]"), (2, "[V:1] c2|c4 c4|c4 z2|]"), (4, "[V:1] c2|c4 c4|c8|]")]
)
def test_the_last_bar_lacks_what_the_pickup_has(last, written):
    score = in_two_voices(last=last)
    text = write_voices(score)
    assert written in text
    assert read_score(text).notes == score.notes
    assert read_score(text).meters == score.meters


@pytest.mark.parametrize(("last", "rests"), [(3, []), (2, ["10080", "10080"]), (4, [])])
def test_the_last_bar_of_musicxml_lacks_what_the_pickup_has(last, rests):
    root = ElementTree.fromstring(formats.write("musicxml", in_two_voices(last=last)))
    found = [note for note in root.iter("note") if note.find("rest") is not None]
    assert [note.findtext("duration") for note in found] == rests
    assert [time.findtext("beats") for time in next(root.iter("part")).iter("time")] == ["4"]
