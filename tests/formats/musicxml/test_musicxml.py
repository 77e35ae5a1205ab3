"""Reading and writing MusicXML."""

from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree as ET

import music21
import pytest
from hypothesis import given
from hypothesis import strategies as st
from musicxml_text import packed, xml

from composer.api import ChordSymbol, Key, Meter, Notation, Note, Part, Score, Tempo, WrittenBar
from composer.formats import WriteSettings, write
from composer.formats.midi.reader import read_midi
from composer.formats.musicxml.measures import name_of
from composer.formats.musicxml.reader import read_notation


def notes(*each):
    return tuple(Note(Fraction(onset), pitch, Fraction(duration)) for onset, pitch, duration in each)


WALTZ = Score(
    (
        Part(notes((0, 67, 1), (1, 70, "3/2"), ("5/2", 69, "1/2"), (3, 67, "1/3"), ("10/3", 65, "2/3")), "Tune", 73),
        Part(notes((1, 43, 3), (1, 58, 3), (2, 62, 1), (4, 50, 6), (4, 57, 6)), "Bass", 32),
    ),
    (ChordSymbol(Fraction(1), Fraction(3), "Gm/Bb"), ChordSymbol(Fraction(4), Fraction(6), "D7")),
    (Tempo(Fraction(0), 132.0),),
    (Meter(Fraction(0), 3, 4),),
    (Key(Fraction(0), -2, "minor"),),
    Fraction(1),
    "Señor & Company",
)  # fmt: skip


def test_a_score_survives_a_round_trip():
    assert read_notation(write("musicxml", WALTZ), "waltz.musicxml") == WALTZ


def test_output_is_reproducible():
    data = write("musicxml", WALTZ)
    assert ET.fromstring(data).tag == "score-partwise"
    assert b"encoding-date" not in data
    assert b"usic21" not in data
    assert data == write("musicxml", WALTZ)


def test_the_pickup_is_an_implicit_measure():
    measure = ET.fromstring(write("musicxml", WALTZ)).find("part/measure")
    assert (measure.get("number"), measure.get("implicit")) == ("0", "yes")


def test_a_bar_that_a_change_of_meter_cuts_short_keeps_its_length():
    melody = notes((0, 60, 4), (4, 62, 2), (6, 64, 3), (9, 65, 3))
    score = Score((Part(melody),), meters=(Meter(Fraction(0), 4, 4), Meter(Fraction(6), 3, 4)))
    again = read_notation(write("musicxml", score), "again.xml")
    assert again.notes == melody
    assert again.meters == (score.meters[0], Meter(Fraction(4), 2, 4), score.meters[1])


def test_tempo_changes_and_programs_survive_a_round_trip():
    parts = (Part(notes((0, 60, 4), (4, 62, 4)), "Flute", 73), Part(notes((0, 48, 8)), "Bass", 32))
    tempos = (Tempo(Fraction(0), 90.0), Tempo(Fraction(1), 60.5), Tempo(Fraction(4), 120.0))
    again = read_notation(write("musicxml", Score(parts, tempos=tempos)), "again.xml")
    assert (again.parts, again.tempos) == (parts, tempos)


def test_each_program_is_written_at_sounding_pitch():
    score = Score(tuple(Part(notes((0, 60, 4)), f"Part {program}", program) for program in range(128)))
    data = write("musicxml", score)
    assert b"<transpose>" not in data
    assert read_notation(data, "again.xml").parts == score.parts


def test_settings_override_tempo_instrument_and_title():
    data = write("musicxml", WALTZ, WriteSettings(tempo=60, instrument=40, title="Other"))
    again = read_notation(data, "other.xml")
    assert (again.title, again.tempos) == ("Other", (Tempo(Fraction(0), 60.0),))
    assert {part.program for part in again.parts} == {40}


CHORALE = (
    (72, 74, 76, 74, 72, 71, 72, 72),
    (67, 67, 67, 67, 65, 65, 67, 67),
    (64, 62, 60, 62, 65, 62, 64, 64),
    (48, 47, 48, 50, 53, 55, 48, 48),
)


def chorale(without=()):
    """A piano roll in four voices of quarter notes, the alto in unison with the tenor on beat 4."""
    every = [(at, pitch, 1) for voice in CHORALE for at, pitch in enumerate(voice)]
    for note in without:
        every.remove(note)
    return Score((Part(tuple(sorted(notes(*every)))),), meters=(Meter(Fraction(0), 4, 4),), keys=(Key(Fraction(0), 0),))


def test_chorale_has_two_voices_on_each_staff_of_one_part():
    data = write("musicxml", chorale())
    (part,) = ET.fromstring(data).iter("part")
    assert part.findtext("measure/attributes/staves") == "2"
    assert [(clef.get("number"), clef.findtext("sign")) for clef in part.iter("clef")] == [("1", "G"), ("2", "F")]
    places = {tuple(map(note.findtext, ("staff", "voice", "stem"))) for note in part.iter("note")}
    assert places == {("1", "1", "up"), ("1", "2", "down"), ("2", "3", "up"), ("2", "4", "down")}
    assert not [*part.iter("rest")]
    assert sorted(read_notation(data, "again.xml").notes) == sorted(chorale().notes)


def test_rest_of_a_voice_that_may_be_in_unison_is_hidden():
    data = write("musicxml", chorale(without=[(4, 65, 1)]))
    rests = [note for note in ET.fromstring(data).iter("note") if note.find("rest") is not None]
    assert [(rest.get("print-object"), rest.findtext("voice"), rest.findtext("type")) for rest in rests] == [
        ("no", "3", "quarter")
    ]


def test_rests_show_the_beat():
    """From the second eighth of a bar to its end: an eighth, a quarter and a half rest."""
    data = write("musicxml", Score((Part(notes((0, 60, "1/2"), (4, 60, 4))),), meters=(Meter(Fraction(0), 4, 4),)))
    rests = [note.findtext("type") for note in ET.fromstring(data).iter("note") if note.find("rest") is not None]
    assert rests == ["eighth", "quarter", "half"]


def test_only_the_first_voice_of_other_music_has_rests():
    data = write("musicxml", Score((Part(notes((0, 72, 4), (1, 60, 1), (3, 60, 1))),)))
    rests = [note for note in ET.fromstring(data).iter("note") if note.find("rest") is not None]
    assert {(rest.get("print-object"), rest.findtext("voice")) for rest in rests} == {("no", "2")}


def test_repeats_are_on_both_staves():
    bars = (WrittenBar((Fraction(0), Fraction(4)), Fraction(4), 1, times=2), WrittenBar((Fraction(8),), Fraction(4), 2))
    first, second = ([note for note in chorale().notes if (note.onset >= 4) == later] for later in (False, True))
    played = [*first, *(note._replace(onset=note.onset + 4) for note in [*first, *second])]
    score = replace(chorale(), parts=(Part(tuple(played)),), notation=Notation(bars))
    data = write("musicxml", score)
    (part,) = ET.fromstring(data).iter("part")
    assert (part.findtext("measure/attributes/staves"), len([*part.iter("measure")])) == ("2", 2)
    assert sorted(read_notation(data, "again.xml").notes) == sorted(played)


def test_other_text_above_the_staff_becomes_words():
    score = Score((Part(notes((0, 60, 4))),), (ChordSymbol(Fraction(0), Fraction(4), "Fine!"),))
    assert b"<words" in write("musicxml", score)
    assert b"Fine!" in write("musicxml", score)


def test_times_without_a_note_value_are_rounded():
    score = Score((Part(notes(("1/97", 60, "89/97"), ("98/97", 62, "90/97"))),))
    again = read_notation(write("musicxml", score), "ragged.xml")
    assert [(note.onset, note.pitch) for note in again.notes] == [(0, 60), (1, 62)]


def test_an_empty_score_is_a_bar_of_rest():
    assert ET.fromstring(write("musicxml", Score(()))).find("part/measure/note/rest") is not None


@pytest.mark.parametrize(
    ("pitch", "sharps", "name"),
    [(60, 0, "C4"), (61, 0, "C#4"), (61, -4, "D-4"), (71, -6, "C-5"), (59, -7, "C-4"), (72, 7, "B#4"), (66, 1, "F#4")],
)
def test_spelling_follows_the_key(pitch, sharps, name):
    assert "{}{}".format(*name_of(pitch, sharps)) == name


@given(st.integers(0, 127), st.integers(-7, 7))
def test_spelling_keeps_the_pitch(pitch, sharps):
    name, octave = name_of(pitch, sharps)
    assert music21.pitch.Pitch(name, octave=octave).midi == pitch


def test_grace_notes_and_drums_are_counted():
    note = "<note>{}<pitch><step>D</step><octave>4</octave></pitch>{}</note>"
    drum = "<unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
    more = note.format("<grace/>", "") + note.format("", "<duration>1</duration>").replace(
        note[note.index("<pitch>") : note.index("</pitch>") + 8], drum
    )
    score = read_notation(xml(barline=more).encode(), "drums.xml")
    assert {note.pitch for note in score.notes} == {60}
    assert score.losses == {"grace notes left out": 2, "drum notes left out": 2}


def test_repeats_are_played_out():
    score = read_notation(xml().encode(), "repeat.xml")
    assert [(note.onset, note.pitch) for note in score.notes] == [(0, 60), (4, 60)]


def test_endings_are_played_in_their_passes():
    bar = '<measure number="{}">{}<note><pitch><step>{}</step><octave>4</octave></pitch><duration>4</duration></note>{}'
    first = '<barline location="{}"><ending number="1,2" type="{}"/>{}</barline>'
    third = '<barline location="{}"><ending number="3" type="{}"/></barline>'
    again = '<repeat direction="backward"/>'
    whole = "</measure>".join(
        [
            bar.format(1, "", "C", ""),
            bar.format(2, first.format("left", "start", ""), "D", first.format("right", "stop", again)),
            bar.format(3, third.format("left", "start"), "E", third.format("right", "stop")),
            bar.format(4, "", "F", "</measure>"),
        ]
    )
    head, tail = xml().index('<measure number="1">'), xml().index("</part></score-partwise>")
    divisions = "<attributes><divisions>1</divisions></attributes>"
    data = xml()[:head] + whole.replace('number="1">', f'number="1">{divisions}', 1) + xml()[tail:]
    score = read_notation(data.encode(), "endings.xml")
    assert [note.pitch for note in score.notes] == [60, 62, 60, 62, 60, 64, 65]
    assert score.duration == 28


def test_jumps_are_followed():
    jump = "<direction><direction-type><words>D.C. al Fine</words></direction-type></direction>"
    fine = "<direction><direction-type><words>Fine</words></direction-type></direction>"
    note = "<note><pitch><step>D</step><octave>4</octave></pitch><duration>4</duration></note>"
    start, end = xml().index("<barline"), xml().index("</measure></part>")
    data = xml()[:start] + fine + f'</measure><measure number="2">{note}' + jump + xml()[end:]
    assert [note.pitch for note in read_notation(data.encode(), "jump.xml").notes] == [60, 62, 60]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1"])
def test_encodings(encoding):
    assert read_notation(xml(encoding).encode(encoding), "flute.xml").parts[0].name == "Flöte"


def test_mxl():
    assert read_notation(packed(score_xml=xml().encode()), "a.mxl") == read_notation(xml().encode(), "a.xml")


CONTAINER = '<container><rootfiles><rootfile full-path="{}"/><rootfile full-path="a.xml"/></rootfiles></container>'


@pytest.mark.parametrize(
    ("container", "pitch"),
    [
        (CONTAINER.format("b.xml"), 62), (CONTAINER.format("missing.xml"), 60), ("<container/>", 60), ("damaged <", 60),
        (CONTAINER.format('b.pdf" media-type="application/pdf'), 60),
        (CONTAINER.format('b.xml" media-type="application/vnd.recordare.musicxml+xml'), 62),
    ],
)  # fmt: skip
def test_the_container_of_mxl_names_the_score(container, pitch):
    other = xml().replace("<step>C<", "<step>D<").encode()
    members = {"a.xml": xml().encode(), "b.xml": other, "b.pdf": b"", "META-INF/container.xml": container.encode()}
    assert read_notation(packed(**members), "a.mxl").notes[0].pitch == pitch


def test_midi_and_musicxml_agree():
    by_midi = read_midi(write("midi", Score(WALTZ.parts)), "a.mid")
    by_notation = read_notation(write("musicxml", Score(WALTZ.parts)), "a.xml")
    assert by_midi.notes == by_notation.notes
