"""MusicXML for tests from short texts: `xml_score([bar("C4/2 E4/2", REPEAT), bar("G4/4")])`. Divisions are 12."""

from __future__ import annotations

import io
import re
import zipfile
from fractions import Fraction

from composer.api import Score
from composer.formats.musicxml.reader import read_notation

DIVISIONS = 12
OPEN = '<barline location="left"><repeat direction="forward"/></barline>'
REPEAT = '<barline location="right"><repeat direction="backward"/></barline>'

_NOTE = re.compile(
    r"(?P<stop>~?)(?P<chord>\+?)(?P<name>[A-Gr])(?P<alter>#|b|)(?P<octave>\d?)/(?P<beats>[\d/]+)(?P<start>~?)"
)


def notes(
    text: str, voice: int = 1, staff: int = 1, inside: str = "", attributes: str = "", instrument: str = ""
) -> str:
    """Return notes such as `C#4/2` (of two beats), `r/1` (a rest), `+E4/2` (in a chord), `C4/4~ ~C4/1` (tied)."""
    return "".join(
        _note(_NOTE.fullmatch(each), voice, staff, inside, attributes, instrument) for each in text.split()
    )  # fmt: skip


def _note(found, voice, staff, inside, attributes, instrument) -> str:
    alter = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>", "": ""}[found["alter"]]
    pitch = f"<pitch><step>{found['name']}</step>{alter}<octave>{found['octave']}</octave></pitch>"
    ticks = DIVISIONS * Fraction(found["beats"])
    ties = ('<tie type="stop"/>' if found["stop"] else "") + ('<tie type="start"/>' if found["start"] else "")
    instrument = f'<instrument id="{instrument}"/>' if instrument else ""
    kind = ("<chord/>" if found["chord"] else "") + ("<rest/>" if found["name"] == "r" else pitch)
    return (
        f"<note {attributes}>{inside}{kind}"
        f"<duration>{ticks}</duration>{ties}{instrument}<voice>{voice}</voice><staff>{staff}</staff></note>"
    )


def back(beats: int) -> str:
    """Return to an earlier place in the bar."""
    return f"<backup><duration>{DIVISIONS * beats}</duration></backup>"


def bar(*content: str) -> str:
    """Return the content of a bar: elements, and notes as `notes` takes them."""
    return "".join(each if each.startswith("<") or not each else notes(each) for each in content)


def attributes(meter: str = "", fifths: int | None = None, more: str = "") -> str:
    """Return an `attributes` element."""
    key = "" if fifths is None else f"<key><fifths>{fifths}</fifths></key>"
    beats, _, unit = meter.partition("/")
    time = f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>" if meter else ""
    return f"<attributes>{key}{time}{more}</attributes>"


def transpose(chromatic: int, diatonic: int | None = None, octaves: int = 0, more: str = "") -> str:
    """Return a `transpose` element."""
    steps = "" if diatonic is None else f"<diatonic>{diatonic}</diatonic>"
    octave = f"<octave-change>{octaves}</octave-change>" if octaves else ""
    return f"<transpose>{steps}<chromatic>{chromatic}</chromatic>{octave}{more}</transpose>"


def words(*texts: str, more: str = "") -> str:
    """Return a direction with words, or with the signs `<segno/>` and `<coda/>`."""
    kinds = (each if each.startswith("<") else f"<words>{each}</words>" for each in texts)
    return "<direction>" + "".join(f"<direction-type>{each}</direction-type>" for each in kinds) + f"{more}</direction>"


def sound(**signs: str) -> str:
    """Return a `sound` element."""
    return "<sound" + "".join(f' {name}="{value}"' for name, value in signs.items()) + "/>"


def ending(numbers: str, content: str, right: str = REPEAT, stop: str = "stop") -> str:
    """Return a bar under the bracket of an ending, with the sign `right` at its end."""
    mark = '<ending number="{}" type="{}"/>'
    left = f'<barline location="left">{mark.format(numbers, "start")}</barline>'
    repeat = '<repeat direction="backward"/>' if right == REPEAT else ""
    return bar(left, content, f'<barline location="right">{mark.format(numbers, stop)}{repeat}</barline>')


def xml_score(
    *parts: list[str], declared: dict[int, str] | None = None, head: str = "", timewise: bool = False
) -> bytes:
    """Return a score of parts, each a list of bars. `declared` holds instruments for the part list, by part from 1."""
    instruments = declared or {}
    listed = "".join(
        f'<score-part id="P{at}"><part-name>Part {at}</part-name>{instruments.get(at, "")}</score-part>'
        for at in range(1, len(parts) + 1)
    )
    divisions = f"<attributes><divisions>{DIVISIONS}</divisions></attributes>"
    marked = [[divisions + bar(bars[0]), *bars[1:]] for bars in parts]
    if timewise:
        rows = [
            [(number, bars[at]) for number, bars in enumerate(marked, 1) if at < len(bars)]
            for at in range(max(map(len, marked)))
        ]
        body = "".join(
            f'<measure number="{at}">'
            + "".join(f'<part id="P{number}">{each}</part>' for number, each in row)
            + "</measure>"
            for at, row in enumerate(rows, 1)
        )
    else:
        body = "".join(
            f'<part id="P{number}">'
            + "".join(f'<measure number="{at}">{each}</measure>' for at, each in enumerate(bars, 1))
            + "</part>"
            for number, bars in enumerate(marked, 1)
        )
    root = "score-timewise" if timewise else "score-partwise"
    return f'<{root} version="4.0">{head}<part-list>{listed}</part-list>{body}</{root}>'.encode()


def read(*parts: list[str], **named) -> Score:
    """Return the score that is read from these parts, given as `xml_score` takes them."""
    return read_notation(xml_score(*parts, **named), "a.musicxml")


NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def played(score: Score, part: int = 0) -> str:
    """Return the note names of a part in order."""
    return " ".join(NAMES[note.pitch % 12] for note in score.parts[part].notes)


def timed(score: Score, part: int = 0) -> list[tuple[Fraction, int, Fraction]]:
    """Return onset, pitch and duration of each note of a part."""
    return [(note.onset, note.pitch, note.duration) for note in score.parts[part].notes]


_XML = """<?xml version="1.0" encoding="{encoding}"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">
<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>Flöte</part-name></score-part></part-list>
<part id="P1"><measure number="1"><attributes><divisions>1</divisions></attributes>{barline}
<note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration></note>
<barline location="right"><repeat direction="backward"/></barline></measure></part></score-partwise>"""


def xml(encoding: str = "UTF-8", barline: str = "") -> str:
    """Return a file with a bar of one note that is repeated, as programs write it; `barline` is at its beginning."""
    return _XML.format(encoding=encoding, barline=barline)


def packed(**members: bytes) -> bytes:
    """Return an archive with these files, `score_xml` for `score.xml`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_xml", ".xml").replace("_txt", ".txt"), data)
    return stream.getvalue()
