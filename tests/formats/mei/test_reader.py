"""Reading MEI: notes, signs, playback order, and what is counted or refused."""

import time
from fractions import Fraction

import pytest

from composer.api import Key, Meter, ReadError, Tempo
from composer.api.testing import source
from composer.formats import FORMATS, detect
from composer.formats.mei.playback import bar_order
from composer.formats.mei.reader import read_pieces
from composer.formats.mei.xml_tree import parse_mei, tag

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = 'xmlns="http://www.music-encoding.org/ns/mei"'
STAFF = '<staffDef n="{}" lines="5" clef.shape="G" clef.line="2"{}/>'


def mei(music, *, definition='meter.count="2" meter.unit="4"', staves=("",)):
    """An MEI file with one `<section>` that holds `music`."""
    defined = "".join(STAFF.format(number, more) for number, more in enumerate(staves, 1))
    return (
        f'{HEAD}<mei {NAMESPACE} meiversion="5.0"><meiHead><fileDesc><titleStmt><title>The Gate</title></titleStmt>'
        f"<pubStmt/></fileDesc></meiHead><music><body><mdiv><score><scoreDef {definition}>"
        f"<staffGrp>{defined}</staffGrp></scoreDef><section>{music}</section></score></mdiv></body></music></mei>"
    )


def bar(*layers, sign="", more="", n=1):
    """A bar with one layer of each staff."""
    staves = "".join(
        f'<staff n="{number}"><layer n="1">{layer}</layer></staff>' for number, layer in enumerate(layers, 1)
    )
    return f'<measure n="{n}" {sign}>{staves}{more}</measure>'


def note(name, duration="2", more=""):
    return f'<note pname="{name}" oct="4" dur="{duration}" {more}/>'


def score(text):
    [(_, found)] = read_pieces(source(text, "a.mei"))
    return found


def pitches(text):
    return [each.pitch for each in score(text).notes]


def signed(name, sign="", more=""):
    return bar(note(name), sign=sign, more=more)


C, D, E, F = (signed(name) for name in "cdef")
REPEATED_D = signed("d", 'right="rptend"')


def test_notes_titles_and_signs():
    tuplet = '<tuplet num="3" numbase="2">' + note("c", 8) + note("d", 8) + note("e", 8, 'accid="f"') + "</tuplet>"
    first = bar(tuplet + note("f", 4, 'tie="i"'), more='<tempo tstamp="1" mm="66" mm.unit="2">Allegro</tempo>')
    second = bar("<chord dur='2'>" + note("f", 2, 'tie="t"') + note("a") + "</chord>")
    change = '<scoreDef meter.count="3" meter.unit="4" keysig="2f"/>'
    third = bar(note("b", 2, 'dots="1" accid.ges="f"'))
    found = score(mei(first + second + change + third, definition='meter.count="2" meter.unit="4" keysig="0"'))
    third = Fraction(1, 3)
    assert [(each.onset, each.pitch, each.duration) for each in found.notes] == [
        (0, 60, third), (third, 62, third), (2 * third, 63, third), (1, 65, 3), (2, 69, 2), (4, 70, 3)
    ]  # fmt: skip
    assert (found.title, found.losses) == ("The Gate", {})
    assert found.tempos == (Tempo(0, 132),)
    assert found.meters == (Meter(0, 2, 4), Meter(4, 3, 4))
    assert found.keys == (Key(0, 0), Key(4, -2))


ORDERS = {
    "a repeat": (C + signed("d", 'right="rptend"') + E, "cdcde"),
    "a repeat between signs": (C + signed("d", 'left="rptstart" right="rptend"') + E, "cdde"),
    "two repeats that touch": (signed("c", 'right="rptboth"') + signed("d", 'right="rptend"'), "ccdd"),
    "endings": (f'{C}<ending n="1">{REPEATED_D}</ending><ending n="2">{E}</ending>{F}', "cdcef"),
    "an ending of two passes": (
        f'{C}<ending n="1, 2">{REPEATED_D}</ending><ending n="3">{E}</ending>', "cdcdce",
    ),
    "da capo": (
        signed("c", more='<dir tstamp="2">Fine</dir>') + signed("d", more='<dir tstamp="2">D.C. al Fine</dir>'), "cdc",
    ),
    "dal segno": (
        C + signed("d", more='<repeatMark func="segno" tstamp="1"/>')
        + signed("e", more='<repeatMark func="dalSegno" tstamp="2"/>') + F, "cdedef",
    ),
    "an expansion": (
        f'<expansion plist="#A #B #A"/><section xml:id="A">{C}{D}</section><section xml:id="B">{E}</section>', "cdecd",
    ),
    "a bar that repeats the one before": (C + bar("<mRpt/>") + D, "ccd"),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_playback_order(name):
    music, expected = ORDERS[name]
    found = score(mei(music))
    assert [each.pitch for each in found.notes] == [{"c": 60, "d": 62, "e": 64, "f": 65}[letter] for letter in expected]
    assert [each.onset for each in found.notes] == list(range(0, 2 * len(expected), 2))
    assert found.losses == {}


def test_long_expansions_take_little_time():
    names = [f"s{number}" for number in range(1000)]
    sections = "".join(f'<section xml:id="{name}">{"<measure/>" * 5}</section>' for name in names)
    plist = " ".join(f"#{name}" for name in names * 20)
    root = parse_mei(mei(f'<expansion plist="{plist}"/>{sections}').encode(), "a.mei")
    begin = time.process_time()
    order, losses = bar_order(next(root.iter(tag("score"))))
    assert time.process_time() - begin < 5
    assert (order, losses) == ([*range(5000)] * 2, {"bars after the first 10,000 left out": 90_000})


def test_transposing_instruments_are_read_at_sounding_pitch():
    clarinet = ' trans.diat="-1" trans.semi="-2"'
    found = score(mei(bar(note("d"), note("c")), staves=(clarinet, ""), definition='meter.count="2" meter.unit="4"'))
    assert [part.notes[0].pitch for part in found.parts] == [60, 60]


def test_transposing_instruments_keep_the_onsets_of_all_bars():
    bars = "".join(bar(note("d", 4) + note("e", 4), note("c"), n=number) for number in (1, 2, 3))
    clarinet, flute = score(mei(bars, staves=(' trans.diat="-1" trans.semi="-2"', ""))).parts
    assert [(each.onset, each.pitch) for each in clarinet.notes] == list(enumerate([60, 62] * 3))
    assert [(each.onset, each.pitch) for each in flute.notes] == [(0, 60), (2, 60), (4, 60)]


@pytest.mark.parametrize(
    ("attributes", "bpm"),
    [('midi.bpm="90"', 90), ('midi.mspb="500000"', 120), ('mm="40" mm.unit="2" mm.dots="1"', 120)],
)
def test_tempos(attributes, bpm):
    element = f'<tempo tstamp="1" {attributes}/>'
    assert score(mei(signed("c", more=element))).tempos == (Tempo(0, bpm),)
    assert score(mei(C, definition=f'meter.count="2" meter.unit="4" {attributes}')).tempos == (Tempo(0, bpm),)


def test_the_tempo_before_the_first_one_comes_back_in_a_repeat():
    faster = signed("d", 'right="rptend"', '<tempo tstamp="1" midi.bpm="180"/>')
    assert score(mei(C + faster)).tempos == (Tempo(2, 180), Tempo(4, 120), Tempo(6, 180))


def test_words_alone_are_no_tempo():
    assert score(mei(signed("c", more='<tempo tstamp="1">Allegro</tempo>'))).tempos == ()


def test_what_is_not_read_is_counted():
    cue, grace = note("d", 4, 'cue="true"'), note("e", 8, 'grace="acc"')
    assert score(mei(bar(note("c", 4) + cue + grace))).losses == {"cue notes left out": 1, "grace notes left out": 1}
    assert score(mei(signed("c", more='<dir tstamp="1">D.S.</dir>'))).losses == {"jumps to a missing sign left out": 1}
    assert score(mei(bar(note("c", 4) + "<beatRpt/>"))).losses == {"<beatRpt> elements of MEI left out": 1}


def test_notes_that_converter21_skips_are_counted():
    skipped = f"<ossia>{note('d', 4)}{note('e', 4)}</ossia>"
    assert score(mei(bar(note("c", 4) + skipped))).losses == {
        "<ossia> elements of MEI left out": 1, "notes in the file that were not read": 2,
    }  # fmt: skip


def test_several_scores_in_one_file():
    one = mei(C)
    begin, end = one.index("<mdiv>"), one.index("</body>")
    text = one[:end] + one[begin:end].replace('pname="c"', 'pname="d"') + one[end:]
    pieces = dict(read_pieces(source(text, "a.mei")))
    assert {name: found.notes[0].pitch for name, found in pieces.items()} == {
        "a.mei: score 1": 60, "a.mei: score 2": 62,
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
def test_mei_is_recognized_by_its_first_element(encoding):
    data = mei(C).replace("UTF-8", encoding).encode(encoding)
    assert detect(data) is FORMATS["mei"]
    assert [name for name, _ in read_pieces(source(data, "a.mei"))] == ["a.mei"]
    assert detect(b"<?xml version='1.0'?><score-partwise/>") is FORMATS["musicxml"]


@pytest.mark.parametrize("before", ["<?xml?>\n", "<!-- -->", '<!DOCTYPE mei "">'])
def test_what_precedes_the_first_element_is_examined_in_linear_time(before):
    began = time.process_time()
    assert detect((before * 3000 + "<mei>").encode()) is FORMATS["mei"]
    assert detect((before * 28 + "<?xml").encode()) is not FORMATS["mei"]
    assert time.process_time() - began < 1


ENTITY = f'<!DOCTYPE mei [<!ENTITY a "aaaa">]><mei {NAMESPACE}>&a;</mei>'
BROKEN = {
    "cut off": (mei(C)[:-30], "is invalid XML at line 2, column"),
    "entities": (ENTITY, "declares its own document type"),
    "no score": (f"<mei {NAMESPACE}><music/></mei>", "has no score"),
    "no bars": (mei(""), "has no notes"),
    "no notes": (mei(bar("<mRest/>")), "has no notes"),
    "a meter of a billion beats": (
        mei(C, definition='meter.count="999999999"'),
        "an impossible meter.count: '999999999'",
    ),
    "a note with a million dots": (mei(bar(note("c", 4, 'dots="1000000"'))), "an impossible dots: '1000000' at line 2"),
    "deep nesting": (f"<mei {NAMESPACE}>" + "<a>" * 1000, "has elements nested 65 deep"),
    "too many bars": (mei(C * 5001), "has more than 5,000 bars"),
    "measure repeats of many notes": (
        mei(bar(note("c", 16) * 1000) + "".join(bar("<mRpt/>", n=n) for n in range(2, 500))),
        "repeats more than 10,000 elements by signs of measure repeat, at bar 11",
    ),
    "measure repeats of measure repeats": (mei(C + bar("<mRpt/>" * 10) * 20), "elements by signs of measure repeat"),
    "a measure repeat of long texts": (
        mei(bar(note("c", more=f'label="{"x" * 100_000}"')) + bar("<mRpt/>") * 200),
        "elements by signs of measure repeat",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_errors_name_the_file_the_fault_and_a_hint(fault):
    text, message = BROKEN[fault]
    with pytest.raises(ReadError) as caught:
        list(read_pieces(source(text, "song.mei")))
    assert caught.value.message.startswith("song.mei ")
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_clefs_and_braces_are_kept():
    """A clef inside a layer changes that of the staff."""
    lower = note("c", 2) + '<clef shape="C" line="4"/>' + note("d", 2)
    text = mei(
        bar(note("c", 1), note("c", 1), note("e", 1), lower),
        definition='meter.count="4" meter.unit="4"',
        staves=("", "", "", ""),
    )
    defined = [STAFF.format(number, "") for number in range(1, 5)]
    treble = 'clef.shape="G" clef.line="2"'
    alto, tenor = 'clef.shape="C" clef.line="3"', f'{treble} clef.dis="8" clef.dis.place="below"'
    bass = 'clef.shape="F" clef.line="4"'
    braced = f'<staffGrp symbol="brace">{defined[2]}{defined[3].replace(treble, bass)}</staffGrp>'
    new = defined[0].replace(treble, alto) + defined[1].replace(treble, tenor) + braced
    found = score(text.replace("".join(defined), new))
    assert [each.notation[:3] for each in found.parts] == [
        (1, 0, "alto"), (2, 0, "treble-8"), (3, 1, "treble"), (4, 1, "bass"),
    ]  # fmt: skip
    assert found.losses == {"changes of clef left out": 1}
