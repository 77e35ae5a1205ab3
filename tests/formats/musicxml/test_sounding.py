"""Notes of MusicXML as they sound: transposing instruments, cue notes, ties, bars, tuplets, tempos and keys."""

from fractions import Fraction

import pytest
from musicxml_text import OPEN, REPEAT, attributes, back, bar, notes, played, read, sound, timed, transpose, words

from composer.formats.musicxml.part_reader import (
    GRACE_NOTES,
    INVALID_TEMPOS,
    MICROTONES,
    NO_LENGTH,
    OTHER_KEYS,
)
from composer.formats.musicxml.reader import read_notation

F = Fraction
SCALE = "C5/1 D5/1 E5/1 F5/1"


def pitches(score, part=0):
    return [note.pitch for note in score.parts[part].notes]


class TestTransposition:
    @pytest.mark.parametrize(
        ("sign", "semitones", "written", "sounding"),
        [
            (transpose(-2, -1), -2, 2, 0),
            (transpose(-2), -2, 2, 0),
            (transpose(-9, -5), -9, 0, -3),
            (transpose(3, 2), 3, 0, -3),
            (transpose(-7, -4), -7, 1, 0),
            (transpose(0, 0, octaves=-1), -12, -1, -1),
            (transpose(-2, -1, octaves=-1), -14, 3, 1),
            (transpose(-14, -8), -14, 2, 0),
            (transpose(12, 7), 12, 4, 4),
            (transpose(-9, -5), -9, -7, 2),
        ],
    )
    def test_of_notes_and_key(self, sign, semitones, written, sounding):
        score = read([bar(attributes("4/4", written, more=sign), SCALE)])
        assert pitches(score) == [pitch + semitones for pitch in (72, 74, 76, 77)]
        assert [key.sharps for key in score.keys] == [sounding]

    def test_changes_in_the_middle(self):
        clarinet_in_a = attributes(fifths=-3, more=transpose(-3, -2))
        score = read(
            [
                bar(attributes(fifths=2, more=transpose(-2, -1)), "D5/4"),
                bar("D5/2", clarinet_in_a, "Eb5/2"),
            ]
        )
        assert pitches(score) == [72, 72, 72]
        assert [key[:2] for key in score.keys] == [(0, 0)]

    def test_without_a_new_key_signature_changes_the_key(self):
        score = read([bar(attributes(fifths=0), "C4/4"), bar(attributes(more=transpose(-2, -1)), "C4/4")])
        assert [key[:2] for key in score.keys] == [(0, 0), (4, -2)]

    def test_of_one_staff(self):
        sign = transpose(0, 0, octaves=-1).replace("<transpose>", '<transpose number="2">')
        score = read([bar(attributes(more=sign), "C4/4", back(4), notes("C4/4", voice=2, staff=2))])
        assert [pitches(score, 0), pitches(score, 1)] == [[60], [48]]

    @pytest.mark.parametrize(("above", "other"), [("", 48), (' above="yes"', 72)])
    def test_doubled_at_the_octave(self, above, other):
        score = read([bar(attributes(more=transpose(0, more=f"<double{above}/>")), "C4/4")])
        assert pitches(score) == sorted([60, other])

    def test_the_key_is_that_of_most_parts(self):
        horn = [bar(attributes("4/4", 0, more=transpose(-7, -4)), "G4/4")]
        strings = [bar(attributes("4/4", 3), "A4/4")]
        assert [key.sharps for key in read(horn, strings, strings).keys] == [3]


def cue(text):
    return notes(text, inside="<cue/>")


@pytest.mark.parametrize(
    "content",
    [
        bar("C5/2", cue("G5/2")),
        bar(cue("G5/1"), "C5/1", cue("+E5/1"), cue("r/1 A5/1")),
        bar("C5/2 r/2", back(4), notes("G5/4", voice=2, inside="<cue/>")),
        bar("C5/2 r/2", back(4), notes("G5/4", voice=2, staff=2, inside="<cue/>")),
    ],
)
def test_cue_notes_are_silent(content):
    score = read([content])
    assert [pitches(score), score.losses] == [[72], {}]
    assert len(score.parts) == 1


@pytest.mark.parametrize(
    "parts",
    [
        [
            [bar(attributes("3/4", 1), "G4/3"), bar("A4/3", REPEAT), bar("B4/3")],
            [bar("G3/3"), bar("D3/3"), bar("G2/3")],
        ],
        [[bar(attributes("2/4"), "C4/2"), bar("D4/2")], [bar("C3/2")]],
        [[bar("C4/1"), bar("D4/4", words("Fine")), bar("E4/3", words("D.C."))]],
    ],
)
def test_timewise_is_the_same_as_partwise(parts):
    assert read(*parts, timewise=True) == read(*parts)


def test_timewise_with_a_part_that_begins_late():
    first, second = f'<part id="P1">{notes("r/4")}</part>', f'<part id="P2">{notes("C4/4")}</part>'
    data = f"<score-timewise><measure>{first}</measure><measure>{first}{second}</measure></score-timewise>"
    assert timed(read_notation(data.encode(), "a.xml")) == [(48, 60, 48)]


class TestTies:
    def test_are_matched_within_voices(self):
        first = bar("C5/4~", back(4), notes("C5/2 C5/2~", voice=2))
        second = bar("~C5/4", back(4), notes("~C5/1 E4/3", voice=2))
        assert timed(read([first, second])) == [(0, 72, 2), (0, 72, 8), (2, 72, 3), (5, 64, 3)]

    def test_may_change_the_voice_or_staff(self):
        assert timed(read([bar("C5/4~"), bar("r/1", back(1), notes("~C5/4", voice=5, staff=2))])) == [(0, 72, 8)]

    def test_of_chords_that_name_their_voice_once(self):
        chords = (notes("C4/4~ +E4/4~", voice=3), notes("~C4/1 ~+E4/1", voice=3))
        first, second = ("".join(each.rsplit("<voice>3</voice>", 1)) for each in chords)
        bars = [bar(first, back(4), "E4/4~"), bar(second, back(1), "~E4/2")]
        assert timed(read(bars)) == [(0, 60, 5), (0, 64, 5), (0, 64, 6)]

    def test_of_chords(self):
        score = read([bar("C4/4~ +E4/4~"), bar("~C4/2 +E4/1 ~E4/2")])
        assert timed(score) == [(0, 60, 6), (0, 64, 4), (4, 64, 1), (6, 64, 2)]

    def test_over_three_bars(self):
        assert timed(read([bar("C4/4~"), bar("~C4/4~"), bar("~C4/1")])) == [(0, 60, 9)]

    def test_across_a_rest_are_none(self):
        assert timed(read([bar("C4/1~ r/1 ~C4/1")])) == [(0, 60, 1), (2, 60, 1)]

    def test_into_each_ending(self):
        first = '<barline location="left"><ending number="{}" type="start"/></barline>'
        last = '<barline location="right"><ending number="{}" type="stop"/>{}</barline>'
        again = '<repeat direction="backward"/>'
        bars = [
            bar("C4/4~"),
            bar(first.format(1), "~C4/2", last.format(1, again)),
            bar(first.format(2), "~C4/1", last.format(2, "")),
        ]
        assert timed(read(bars)) == [(0, 60, 6), (6, 60, 5)]

    def test_tie_without_an_end_is_counted_and_not_joined(self):
        score = read([bar("C5/2~ C5/2"), bar("C5/2~ D5/2")])
        assert [float(note.duration) for note in score.parts[0].notes] == [2, 2, 2, 2]
        assert score.losses["ties without an end left out"] == 1

    def test_written_as_curves_only(self):
        curve = '<notations><tied type="{}"/></notations>'
        content = notes("C4/1", inside=curve.format("start")) + notes("C4/1", inside=curve.format("stop"))
        assert timed(read([content])) == [(0, 60, 2)]


class TestBars:
    def test_a_short_first_bar_is_a_pickup(self):
        score = read([bar(attributes("3/4"), "G4/1"), bar("C5/3"), bar("D5/2")])
        assert score.pickup == 1
        assert [note.onset for note in score.notes] == [0, 1, 4]

    @pytest.mark.parametrize("bars", [[bar(attributes("3/4"), "G4/3"), bar("C5/3")], [bar(attributes("3/4"), "G4/1")]])
    def test_a_full_or_only_bar_is_none(self, bars):
        assert read(bars).pickup == 0

    def test_begin_together_in_all_parts(self):
        score = read([bar(attributes("4/4"), "C4/1"), bar("D4/4")], [bar("r/4"), bar("E4/4")])
        assert timed(score, 0)[1][0] == timed(score, 1)[0][0] == 4

    @pytest.mark.parametrize("empty", ["", "<forward><duration>36</duration></forward>"])
    def test_empty_ones_are_as_long_as_the_meter(self, empty):
        assert timed(read([bar(attributes("3/4"), "C4/3"), empty, bar("D4/3")]))[1][0] == 6

    @pytest.mark.parametrize("rests", [bar("r/4"), bar("r/2 r/2"), bar("C4/1 r/3"), bar("r/4", back(4), "r/2")])
    def test_are_no_longer_than_the_meter_by_rests(self, rests):
        assert timed(read([bar(attributes("2/4"), "C4/2"), rests, bar("D4/2")]))[-1][0] == 4

    @pytest.mark.parametrize(
        ("parts", "second"),
        [(("C4/1", "r/4"), 4), (("C4/1", "C4/1 r/3", "C4/1"), 1), (("C4/1", "C4/3", "C4/1"), 3), (("C4/4", "C4/1"), 4)],
    )
    def test_are_as_long_as_in_most_parts(self, parts, second):
        score = read(*([bar(attributes("4/4"), part), bar("D4/4")] for part in parts))
        assert {part.notes[-1].onset for part in score.parts} == {second}

    def test_may_be_longer_than_the_meter_by_notes(self):
        assert timed(read([bar(attributes("2/4"), "C4/2"), bar("r/2 E4/1"), bar("D4/2")]))[-1][0] == 5

    def test_divided_for_a_repeat(self):
        bars = [bar(attributes("4/4"), "C4/1"), bar("D4/3", REPEAT), bar(OPEN, "E4/1"), bar("F4/3", REPEAT)]
        score = read(bars)
        assert played(score) == "C D C D E F E F"
        assert [note.onset for note in score.notes] == [0, 1, 4, 5, 8, 9, 12, 13]


class TestTime:
    def test_tuplets_that_divisions_cannot_hold_are_exact(self):
        tuplet = "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
        third = notes("C4/1", inside=f"<type>eighth</type>{tuplet}").replace(">12<", ">{}<")
        content = attributes(more="<divisions>16</divisions>") + "".join(map(third.format, (5, 5, 6)))
        other = "<backup><duration>11</duration></backup>" + notes("E4/1", voice=2).replace(">12<", ">16<")
        assert timed(read([content + other])) == [
            (0, 60, F(1, 3)), (F(1, 3), 60, F(1, 3)), (F(1, 3), 64, 1), (F(2, 3), 60, F(1, 3))
        ]  # fmt: skip

    def test_divisions_may_change(self):
        fine = "<attributes><divisions>96</divisions></attributes>"
        assert timed(read([bar("C4/1", fine, "D4/1"), bar("E4/1")])) == [
            (0, 60, 1),
            (1, 62, F(1, 8)),
            (F(9, 8), 64, F(1, 8)),
        ]

    def test_grace_notes_and_notes_of_no_length_are_counted(self):
        grace = notes("D4/0", inside="<grace/>").replace("<duration>0</duration>", "")
        assert read([bar(grace, "C4/0 E4/4", REPEAT)]).losses == {GRACE_NOTES: 2, NO_LENGTH: 2}

    @pytest.mark.parametrize(
        ("sign", "bpm"),
        [
            (sound(tempo="96.5"), 96.5),
            (words("Lento", more=sound(tempo="40")), 40),
            ("<metronome><beat-unit>quarter</beat-unit><per-minute>100</per-minute></metronome>", 100),
            ("<metronome><beat-unit>half</beat-unit><per-minute>60</per-minute></metronome>", 120),
            ("<metronome><beat-unit>quarter</beat-unit><beat-unit-dot/><per-minute>c. 60</per-minute></metronome>", 90),
            ("<metronome><beat-unit>eighth</beat-unit><per-minute>132-144</per-minute></metronome>", 66),
        ],
    )
    def test_tempos(self, sign, bpm):
        if sign.startswith("<metronome"):
            sign = words(sign)
        assert [each.bpm for each in read([bar(sign, "C4/4")]).tempos] == [bpm]

    def test_what_is_played_counts_before_what_is_shown(self):
        shown = "<metronome><beat-unit>quarter</beat-unit><per-minute>100</per-minute></metronome>"
        assert [each.bpm for each in read([bar(words(shown, more=sound(tempo="96")), "C4/4")]).tempos] == [96]

    @pytest.mark.parametrize(
        "sign",
        [
            sound(tempo="fast"),
            sound(tempo="0"),
            words("<metronome><beat-unit>quarter</beat-unit><beat-unit>half</beat-unit></metronome>"),
        ],
    )
    def test_invalid_tempos_are_counted(self, sign):
        score = read([bar(sign, "C4/4")])
        assert (score.tempos, score.losses) == ((), {INVALID_TEMPOS: 1})

    @pytest.mark.parametrize(
        ("time", "meter"),
        [
            ("<time><beats>3+2</beats><beat-type>8</beat-type></time>", (5, 8)),
            ("<time><beats>3</beats><beat-type>8</beat-type><beats>1</beats><beat-type>4</beat-type></time>", (5, 8)),
            ('<time symbol="cut"><beats>2</beats><beat-type>2</beat-type></time>', (2, 2)),
        ],
    )
    def test_meters(self, time, meter):
        assert [each[1:] for each in read([bar(attributes(more=time), "C4/2")]).meters] == [meter]

    def test_free_time_has_no_meter(self):
        score = read([bar(attributes(more="<time><senza-misura/></time>"), "C4/7"), bar("D4/1")])
        assert (score.meters, [note.onset for note in score.notes]) == ((), [0, 7])


class TestPitch:
    def test_quarter_tones_are_rounded_and_counted(self):
        score = read([notes("C4/1").replace("<step>C</step>", "<step>C</step><alter>0.5</alter>")])
        assert (pitches(score), score.losses) == ([60], {MICROTONES: 1})

    def test_velocity(self):
        score = read(
            [bar(notes("C4/1", attributes='dynamics="100"'), notes("D4/1", attributes='dynamics="999"'), "E4/1")]
        )
        assert [note.velocity for note in score.notes] == [90, 127, 80]

    @pytest.mark.parametrize(
        ("key", "found"),
        [
            ("<fifths>-3</fifths><mode>minor</mode>", (-3, "minor")),
            ("<fifths>2</fifths><mode>Aeolian</mode>", (2, "minor")),
            ("<fifths>1</fifths><mode>none</mode>", (1, "major")),
            ("<fifths>9</fifths>", (-3, "major")),
            (
                "<key-step>F</key-step><key-alter>1</key-alter><key-step>C</key-step><key-alter>1</key-alter>",
                (2, "major"),
            ),
        ],
    )
    def test_keys(self, key, found):
        score = read([bar(attributes(more=f"<key>{key}</key>"), "C4/4")])
        assert [each[1:] for each in score.keys] == [found]

    def test_keys_of_other_accidentals_are_counted(self):
        key = "<key><key-step>F</key-step><key-alter>1</key-alter><key-step>B</key-step><key-alter>-1</key-alter></key>"
        score = read([bar(attributes(more=key), "C4/4")])
        assert (score.keys, score.losses) == ((), {OTHER_KEYS: 1})


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("<work><work-title>The  Hill</work-title></work><movement-title>Other</movement-title>", "The Hill"),
        ("<movement-title>Reel</movement-title>", "Reel"),
        ("<credit><credit-type>title</credit-type><credit-words>Jig</credit-words></credit>", "Jig"),
        ("<credit><credit-type>composer</credit-type><credit-words>N. Body</credit-words></credit>", ""),
    ],
)
def test_titles(head, title):
    assert read(["C4/4"], head=head).title == title
