"""Damaged, malicious and enormous MusicXML is refused in one line, with its place and a hint."""

import pytest
from musicxml_text import bar, packed, xml, xml_score

from composer.api import ReadError
from composer.formats.musicxml.reader import MAX_BYTES, read_notation

ENTITY = '<!DOCTYPE score-partwise [<!ENTITY a "aaaa">]><score-partwise>&a;</score-partwise>'
EXTERNAL = '<!DOCTYPE score-partwise [<!ENTITY a SYSTEM "file:///etc/hostname">]><score-partwise>&a;</score-partwise>'
METER = "<attributes><time><beats>{}</beats><beat-type>4</beat-type></time></attributes>"
KEY = "<attributes><key><fifths>{}</fifths><mode>major</mode></key></attributes>"
ENDING = '<barline location="left"><ending number="1-1000000" type="start"/></barline>'


def changed(old: str, new: str) -> bytes:
    return xml().replace(old, new).encode()


BROKEN = {
    "empty": (b" \n", "is empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(40), "is not MusicXML"),
    "prose": (b"Once upon a time", "is not MusicXML"),
    "another XML": (b"<svg></svg>", "begins with <svg>"),
    "broken XML": (xml().encode()[:-30], "is invalid XML at line"),
    "an unknown encoding": (xml("utf-4").encode(), "has an unknown encoding"),
    "entities": (ENTITY.encode(), "declares its own document type"),
    "external entities": (EXTERNAL.encode(), "declares its own document type"),
    "entities in UTF-16": (ENTITY.encode("utf-16"), "declares its own document type"),
    "no notes": (b"<score-partwise/>", ""),
    "an archive without music": (packed(readme_txt=b"hello"), "is an archive without MusicXML"),
    "a damaged archive": (packed(score_xml=xml().encode())[:100], "is a damaged archive"),
    "a zip bomb": (packed(score_xml=bytes(MAX_BYTES + 1)), "unpacks to more than 32 MB"),
    "a bar of a billion beats": (xml(barline=METER.format("999999999")).encode(), "has an impossible meter"),
    "a key of a million sharps": (xml(barline=KEY.format(10**6)).encode(), "has an impossible key: '1000000'"),
    "a repeat of a million times": (
        xml().replace("backward", 'backward" times="1000000').encode(),
        "played '1000000' times, not 0 to 16",
    ),
    "an ending of a million numbers": (xml(barline=ENDING).encode(), "has an ending with an impossible number"),
    "deep nesting": (b"<score-partwise>" + b"<a>" * 100_000, "has elements nested 65 deep"),
    "thousands of bars": (xml(barline="</measure><measure>" * 10_000).encode(), "has more than 10,000 bars in a part"),
    "thousands of parts": (b"<score-partwise>" + b"<part/>" * 300 + b"</score-partwise>", "has more than 256 parts"),
    "timewise MusicXML without notes": (b"<score-timewise/>", "has no notes"),
    "no divisions": (changed("<divisions>1<", "<divisions>0<"), "impossible number of divisions: '0' at line 4"),
    "a note without a name": (changed("<step>C<", "<step>H<"), "impossible note name: 'H' at line 5, column"),
    "a negative duration": (changed("<duration>4<", "<duration>-4<"), "impossible duration: '-4' at line 5"),
    "a bottomless octave": (changed("<octave>4<", "<octave>-9e9<"), "impossible octave: '-9e9' at line 5"),
    "a duration with a space in it": (changed(">4</d", ">5 40</d"), "impossible duration: '5 40' at line 5"),
    "an octave of two lines": (changed("<octave>4<", "<octave>4\n\nV:<"), "impossible octave: '4 V:' at line 7"),
    "a duration of too many digits": (changed(">4</d", f">{'9' * 99}</d"), "impossible duration: '9999"),
    "a tuplet of none": (
        xml(barline="<note><time-modification><actual-notes>0</actual-notes></time-modification></note>").encode(),
        "impossible tuplet: '0' at line",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_errors_name_the_file_the_fault_and_a_hint(fault):
    data, message = BROKEN[fault]
    with pytest.raises(ReadError) as caught:
        read_notation(data, "song.xml")
    assert caught.value.message.startswith("song.xml ")
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_too_many_notes_are_refused_with_the_option_that_allows_them(monkeypatch):
    monkeypatch.setattr("composer.formats.musicxml.xml_tree._LIMITS", {"note": (3, "notes")})
    assert read_notation(xml_score([bar("C4/4")] * 3), "song.xml").notes
    with pytest.raises(ReadError, match=r"song\.xml has more than 3 notes") as caught:
        read_notation(xml_score([bar("C4/4")] * 4), "song.xml")
    assert "COMPOSER_LIMITS=2" in caught.value.hint


def test_too_many_bars_of_all_parts_together_are_refused(monkeypatch):
    monkeypatch.setattr("composer.formats.musicxml.xml_tree._MAX_PART_BARS", 6)
    whole = bar("C4/4")
    assert read_notation(xml_score([whole] * 2, [whole] * 2), "song.xml").notes
    with pytest.raises(ReadError, match=r"song\.xml has more than 6 bars"):
        read_notation(xml_score([whole] * 3, [whole] * 3), "song.xml")


@pytest.mark.parametrize("meter", ["3+3+2", "12", " 4 "])
def test_valid_meters(meter):
    assert read_notation(xml(barline=METER.format(meter)).encode(), "a.xml").notes


def test_nested_repeats_are_fast():
    opening = '<barline location="left"><repeat direction="forward"/></barline>'
    nested = xml(barline=opening + f'</measure><measure number="2">{opening}' * 200)
    assert read_notation(nested.encode(), "nested.xml").notes
