"""Instruments of MusicXML: programs, percussion, and several in one part."""

from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from musicxml_text import attributes, back, bar, notes, read, transpose

from composer import formats
from composer.api import Note, Part, Score, Source
from composer.formats.midi.reader import read_midi
from composer.formats.musicxml.part_list import program_of_name
from composer.formats.musicxml.part_reader import (
    DRUM_NOTES,
    PROGRAM_CHANGES,
)
from composer.formats.read import read_playable


def midi_instrument(number, channel=1, program=1, unpitched=None, name=""):
    key = f"P1-I{number}"
    sound_number = "" if unpitched is None else f"<midi-unpitched>{unpitched + 1}</midi-unpitched>"
    return (
        f'<score-instrument id="{key}"><instrument-name>{name}</instrument-name></score-instrument>',
        f'<midi-instrument id="{key}"><midi-channel>{channel}</midi-channel>'
        f"<midi-program>{program}</midi-program>{sound_number}</midi-instrument>",
    )


def declared(*instruments):
    return {1: "".join(each for kind in zip(*instruments, strict=True) for each in kind)}


UNPITCHED = "<unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"


def drum(instrument="", beats=1):
    named = f'<instrument id="{instrument}"/>' if instrument else ""
    return f"<note>{UNPITCHED}<duration>{12 * beats}</duration>{named}</note>"


PERCUSSION_CLEF = attributes(more="<clef><sign>percussion</sign></clef>")


class TestPercussion:
    def test_of_several_sounds(self):
        kit = declared(midi_instrument(1, 10, unpitched=36), midi_instrument(2, 10, unpitched=42))
        (part,) = read([bar(drum("P1-I1"), drum("P1-I2"))], declared=kit).parts
        assert (part.percussion, [note.pitch for note in part.notes]) == (True, [36, 42])

    def test_pitches_on_channel_10_are_sounds(self):
        (part,) = read([bar("C2/1 D2/1")], declared=declared(midi_instrument(1, 10, program=41))).parts
        assert (part.percussion, part.program, [note.pitch for note in part.notes]) == (True, 0, [36, 38])

    def test_pitches_under_a_percussion_clef_are_sounds(self):
        (part,) = read([bar(attributes(more=transpose(12)), PERCUSSION_CLEF, "C2/1")]).parts
        assert (part.percussion, [note.pitch for note in part.notes]) == (True, [36])

    def test_a_clef_counts_for_its_staff_only(self):
        clef = '<clef number="2"><sign>percussion</sign></clef>'
        score = read([bar(attributes(more=clef), "C5/1", back(1), notes("C2/1", voice=2, staff=2))])
        assert [(part.percussion, part.notes[0].pitch) for part in score.parts] == [(False, 72), (True, 36)]

    def test_beside_pitched_notes_of_the_same_part(self):
        both = declared(midi_instrument(1, 1, program=48), midi_instrument(2, 10, unpitched=49))
        score = read([bar(notes("C4/1", instrument="P1-I1"), drum("P1-I2"))], declared=both)
        assert [(part.percussion, part.notes[0].pitch) for part in score.parts] == [(False, 60), (True, 49)]

    @pytest.mark.parametrize("instrument", ["", "P1-I9"])
    def test_without_a_known_sound_is_counted(self, instrument):
        kit = declared(midi_instrument(1, 10, unpitched=36), midi_instrument(2, 10, unpitched=42))
        score = read(
            [bar(drum(instrument), "C4/1" if not instrument else notes("C4/1", instrument="P1-I1"))], declared=kit
        )
        assert score.losses == {DRUM_NOTES: 1}


class TestInstruments:
    def test_programs(self):
        score = read(["C4/4"], declared=declared(midi_instrument(1, 2, program=74)))
        assert [part.program for part in score.parts] == [73]

    def test_two_in_one_part_become_two_parts(self):
        two = declared(midi_instrument(1, 1, 74, name="Flute"), midi_instrument(2, 2, 73, name="Piccolo"))
        content = bar(notes("C4/2", instrument="P1-I1"), notes("D4/2", instrument="P1-I2"))
        score = read([content], declared=two)
        assert [(part.name, part.program, len(part.notes)) for part in score.parts] == [
            ("Part 1", 73, 1),
            ("Piccolo", 72, 1),
        ]

    @pytest.mark.parametrize(
        ("name", "program"),
        [
            ("Violin", 40), ("Violin II", 40), ("Violin 1", 40), ("Clarinet in Bb", 71), ("B♭ Clarinet", 71),
            ("Horn in F", 60), ("Alto Sax", 65), ("Violoncello", 42), ("Soprano", 52), ("Zither", 0), ("", 0),
        ],
    )  # fmt: skip
    def test_names(self, name, program):
        assert program_of_name(name) == program

    def test_changes_are_counted(self):
        change = '<sound><midi-instrument id="P1-I1"><midi-program>46</midi-program></midi-instrument></sound>'
        assert read([bar("C4/2", change, "C4/2")]).losses == {PROGRAM_CHANGES: 1}


@pytest.mark.parametrize(
    ("name", "program", "abbreviation"),
    [
        ("Vln.", 40, "Vln."), ("Violin", 0, "Violin"), ("Violin", 40, "Vln"), ("violin 2", 40, "Vln"), ("", 40, "Vln"),
        ("Pno", 0, "Pno"), ("Lead", 0, "Lead"),
    ],
)  # fmt: skip
def test_names_and_programs_of_parts_are_independent(name, program, abbreviation):
    held = (Note(Fraction(0), 60, Fraction(4)),)
    midi = formats.write("midi", Score((Part(held, name, program),)))
    given = read_midi(midi, "a.mid")
    assert [(part.name, part.program) for part in given.parts] == [(name, program)]
    root = ElementTree.fromstring(formats.write("musicxml", given))
    assert (root.findtext(".//part-name") or "") == name
    assert root.findtext(".//part-abbreviation") == abbreviation
    assert root.findtext(".//midi-program") == str(program + 1)


@pytest.mark.parametrize("percussion", [False, True])
def test_parts_without_a_name_stay_without(percussion):
    score = Score(
        (Part((Note(Fraction(0), 41, Fraction(4)),), program=0 if percussion else 40, percussion=percussion),)
    )
    written = formats.write("musicxml", score)
    assert b"<instrument-name>" in written
    again = next(read_playable(Source(Path("a.musicxml"), "a.musicxml", data=written)))
    assert again.parts == score.parts
