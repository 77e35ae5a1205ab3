"""Repeats, endings, jumps and what is in force after them, in MusicXML. Bars are named by their notes."""

import time
from fractions import Fraction

import pytest
from musicxml_text import OPEN, REPEAT, attributes, bar, ending, notes, played, read, sound, timed, words

from composer.api import Key, Meter, ReadError, Tempo
from composer.formats.musicxml.playback import JUMPS, UNCLEAR

A, B, C, D, E = (bar(f"{name}4/4") for name in "ABCDE")
SIXTEEN_TIMES = '<repeat direction="backward" times="16"/>'
SEGNO, CODA = words("<segno/>"), words("<coda/>")


def left(sign: str) -> str:
    return f'<barline location="left">{sign}</barline>'


def right(sign: str) -> str:
    return f'<barline location="right">{sign}</barline>'


@pytest.mark.parametrize(
    ("bars", "order"),
    [
        ([A, B + REPEAT, C], "A B A B C"),
        ([A, OPEN + B, C + REPEAT, D], "A B C B C D"),
        ([A + REPEAT, B + REPEAT], "A A B B"),
        ([A + right('<repeat direction="backward" times="3"/>'), B], "A A A B"),
        ([A + right('<repeat direction="backward" times="1"/>'), B], "A B"),
        ([A, sound(forward_repeat="yes").replace("_", "-") + B, C + REPEAT], "A B C B C"),
        ([A + right("<bar-style>light-heavy</bar-style>"), B + REPEAT], "A B B"),
        ([A, B, left('<repeat direction="backward"/>') + C], "A B A B C"),
        ([A, B + right('<repeat direction="forward"/>'), C + REPEAT], "A B C C"),
        ([left('<repeat direction="backward"/>') + A, B], "A B"),
        ([A, left("<bar-style>light-heavy</bar-style>") + B + REPEAT], "A B B"),
        ([A, B + right("<bar-style>light-light</bar-style>"), C + REPEAT], "A B C A B C"),
    ],
)
def test_repeats(bars, order):
    assert played(read(bars)) == order


@pytest.mark.parametrize(
    ("bars", "order"),
    [
        ([A, ending("1", "B4/4"), ending("2", "C4/4", ""), D], "A B A C D"),
        ([A, ending("1, 2", "B4/4"), ending("3", "C4/4", ""), D], "A B A B A C D"),
        ([A, ending("1-3", "B4/4"), ending("4", "C4/4", "")], "A B A B A B A C"),
        ([A, ending("1,3", "B4/4"), ending("2", "C4/4"), ending("4.", "D4/4", "")], "A B A C A B A D"),
        ([A, ending("1", "B4/4"), C], "A B A C"),
        ([A, ending("1", "B4/4"), ending("2", "C4/4", "", "discontinue"), D + REPEAT], "A B A C D D"),
    ],
)
def test_endings(bars, order):
    assert played(read(bars)) == order


def test_an_ending_of_several_bars_or_without_its_end():
    first = '<barline location="left"><ending number="1" type="start"/></barline>'
    stop = '<barline location="right"><ending number="1" type="stop"/><repeat direction="backward"/></barline>'
    second = '<barline location="left"><ending number="2" type="start"/></barline>'
    assert played(read([A, first + B, C + stop, second + D, E])) == "A B C A D E"
    assert played(read([A, first + B, C + REPEAT, second + D, E])) == "A B C A D E"


@pytest.mark.parametrize("number", ["", "1", "2"])
def test_an_ending_without_its_beginning(number):
    stop = f'<barline location="right"><ending number="{number}" type="stop"/><repeat direction="backward"/></barline>'
    assert played(read([A, B + stop, ending("2", "C4/4", ""), D])) == "A B A C D"


@pytest.mark.parametrize(
    ("bars", "order"),
    [
        ([A, B + sound(fine="yes"), C + sound(dacapo="yes")], "A B C A B"),
        ([A, B + words("Fine"), C + words("D.C. al Fine")], "A B C A B"),
        ([A, SEGNO + B, C + words("Fine"), D + words("D.S. al Fine")], "A B C D B C"),
        ([A, sound(segno="x") + B, C, D + sound(dalsegno="x")], "A B C D B C D"),
        ([A, B + words("To Coda"), C + words("D.C. al Coda"), CODA + D], "A B C A B D"),
        ([A, SEGNO + B + sound(tocoda="c"), C + words("D.S. al Coda"), sound(coda="c") + D], "A B C B D"),
        ([A, B + words("To", "<coda/>"), C + words("D.C.", "al Coda"), CODA + D], "A B C A B D"),
        ([A, CODA + B, C + words("D.C. al Coda"), CODA + D], "A B C A D"),
        ([A, SEGNO + B, C + words("D.S.", more=sound(dalsegno="s1")), D], "A B C B C D"),
        ([SEGNO + A, B + words("D.S."), SEGNO + C, D + words("D.S.")], "A B A B C D C D"),
        ([A, B + right("<segno/>"), C, D + words("D.S.")], "A B C D C D"),
        ([A + REPEAT, B, C + words("D.C.")], "A A B C A B C"),
    ],
)  # fmt: skip
def test_jumps(bars, order):
    score = read(bars)
    assert played(score) == order
    assert score.losses == {}


def test_named_signs_are_told_apart():
    leave = sound(tocoda="one"), sound(tocoda="two")
    bars = [
        A + leave[1], B + words("D.C.", more=sound(dacapo="yes")),
        sound(coda="one") + C, sound(coda="two") + D,
    ]  # fmt: skip
    assert played(read(bars)) == "A B A D"


def test_jumps_after_endings_play_the_last_one():
    bars = [
        OPEN + SEGNO + A, ending("1", "B4/4"), ending("2", "C4/4", "") + words("To Coda"),
        D + words("D.S. al Coda"), CODA + E,
    ]  # fmt: skip
    assert played(read(bars)) == "A B A C D A C E"


@pytest.mark.parametrize("jump", [words("D.C. al Fine"), words("D.S."), words("D.C. al Coda"), sound(dalsegno="x")])
def test_a_jump_to_a_missing_sign_is_counted(jump):
    score = read([A, B + jump])
    assert played(score) == "A B"
    assert score.losses == {JUMPS: 1}


@pytest.mark.parametrize("text", ["Menuetto D.C.", "D. C. senza replica", "Trio, poi da capo"])
def test_a_jump_in_other_words_is_counted(text):
    score = read([A, B + words(text)], [A, B + words(text)])
    assert (played(score), score.losses) == ("A B", {UNCLEAR: 1})
    assert read([A, B + words(text, more=sound(dacapo="yes"))]).losses == {}


def test_a_repeat_after_a_jump():
    repeat = right('<repeat direction="backward" after-jump="yes"/>')
    assert played(read([A + REPEAT, B + repeat, C + words("D.C.")])) == "A A B B C A B B C"


@pytest.mark.parametrize("with_signs", [0, 1])
def test_all_parts_follow_the_signs_of_one(with_signs):
    signed = [A, B + words("Fine"), C + REPEAT, D + words("D.C. al Fine")]
    plain = [A, B, C, D]
    score = read(*([signed, plain] if not with_signs else [plain, signed]))
    assert played(score, 0) == played(score, 1) == "A B C A B C D A B"
    assert timed(score, 0) == timed(score, 1)


def test_a_repeat_inside_a_bar():
    middle = '<barline location="middle"><repeat direction="backward"/></barline>'
    score = read([bar(attributes("4/4"), "A4/3", middle, "B4/1"), C], [bar("D4/1 E4/1 F4/1 G4/1"), C])
    assert (played(score, 0), played(score, 1)) == ("A A B C", "D E F D E F G C")
    assert [note.onset for note in score.parts[0].notes] == [0, 3, 6, 7]


def test_many_repeats_inside_a_bar_are_fast():
    start = time.process_time()
    repeat = f'<barline location="middle">{SIXTEEN_TIMES}</barline>'
    step = notes("A4/1", attributes='time-only="99"') + sound(tempo="90")
    chord = "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>"
    score = read([step * 1500 + f"{repeat}{notes('B4/1')}" * 99 + (step + chord) * 1500])
    assert (len(score.notes), len(score.chords)) == (98 * 16 + 1, 1499)
    assert time.process_time() - start < 1, "in proportion to what is played"


def test_more_bar_lines_inside_a_bar_than_make_sense_are_refused():
    step = f'<barline location="middle">{SIXTEEN_TIMES}</barline>{notes("B4/1")}'
    with pytest.raises(ReadError, match=r"a\.musicxml has more than 100 bar lines with repeats inside bar 2"):
        read([A, step * 101])


def test_no_more_notes_than_the_limit_are_played(monkeypatch):
    monkeypatch.setattr("composer.formats.musicxml.score.MAX_NOTES", 4)
    score = read([A + right(SIXTEEN_TIMES), B])
    assert len(score.notes) == 5, "one more than the limit, so that the reader refuses the piece"


class TestSignatures:
    def test_are_restored_by_a_repeat(self):
        bars = [
            bar(attributes("3/4", 0), "E4/3", sound(tempo="100")), bar(OPEN, "C4/3"),
            bar(attributes("2/4", 2), sound(tempo="60"), "D4/2", REPEAT), bar("E4/2"),
        ]  # fmt: skip
        score = read(bars)
        assert [tuple(each) for each in score.meters] == [(0, 3, 4), (6, 2, 4), (8, 3, 4), (11, 2, 4)]
        assert [each[:2] for each in score.keys] == [(0, 0), (6, 2), (8, 0), (11, 2)]
        assert [tuple(each) for each in score.tempos] == [(3, 100), (6, 60), (8, 100), (11, 60)]

    def test_are_restored_by_da_capo_to_a_beginning_without_any(self):
        score = read([A, attributes("2/4", -3) + sound(tempo="90") + bar("B4/2"), C + sound(dacapo="yes")])
        assert score.meters == (Meter(Fraction(4), 2, 4), Meter(Fraction(10), 4, 4), Meter(Fraction(14), 2, 4))
        assert score.keys[1:] == (Key(Fraction(10), 0), Key(Fraction(14), -3))
        assert score.tempos[1:] == (Tempo(Fraction(10), 120.0), Tempo(Fraction(14), 90.0))

    def test_that_change_inside_a_bar_stay_there(self):
        score = read([bar(attributes(fifths=1), "A4/2", attributes(fifths=-1), sound(tempo="80"), "B4/2", REPEAT)])
        assert [each[:2] for each in score.keys] == [(0, 1), (2, -1), (4, 1), (6, -1)]
        assert score.tempos == tuple(Tempo(Fraction(at), bpm) for at, bpm in [(2, 80.0), (4, 120.0), (6, 80.0)])

    def test_come_from_any_part(self):
        score = read([A, B], [attributes("4/4", 2) + words("Andante", more=sound(tempo="72")) + A, B])
        assert (score.meters, score.tempos) == ((Meter(Fraction(0), 4, 4),), (Tempo(Fraction(0), 72.0),))


def test_notes_for_one_time_through():
    once, again = 'time-only="1"', 'time-only="2"'
    assert played(read([notes("A4/4", attributes=once) + "<backup><duration>48</duration></backup>"
                        + notes("B4/4", attributes=again) + REPEAT])) == "A B"  # fmt: skip
