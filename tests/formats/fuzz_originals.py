"""Small music files with a bit of everything, in each format."""

from __future__ import annotations

import io
import zipfile
from fractions import Fraction

from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo
from composer.formats import write

ABC = """X:1
T:The Mended Gate
R:jig
M:6/8
L:1/8
K:Edor
|: "Em"EFG (3BAG [EG]2 | e>d B/c/d ^A3 :|1 B6 :|2 {c}B6 |]
P:B
|: (2GA z3 | ~e3 "D"d2 c | V:2
w: one two
|: E2- E [K:G] G,, c'' :|

X:2
T:Stray
M:C|
L:1/4
Q:1/4=120
K:none
z | A B c d | e4 ||
"""
FEATURES = r"""%abc-2.1
%%MIDI program 24
M:3/4
L:1/8
U:T=!D.C. al Fine!
m:~n2=n/o/n/m/

X:1
T:Caf\'e &eacute; \u266d
Q:"Slow" 3/8 1/8=60
P:A(AB)2.C
V:* octave=-1
V:1	clef=treble-8 name="One"
V:2 clef=perc
%%MIDI channel 10
%%MIDI drummap ^g 42
I:propagate-accidentals octave
K:D exp _B^g
P:A
V:1
|:(&A6|B6 & C6|D6 &)|[1 ^c6 & E6 & G,4:|c2(3:2:4de/f/g!To Coda!z2|
[Q:1/4=90]~A2 ~B2 (5:4:5cdefg|d0 [FA]0 z6!fine!|
V:2
|:^g6|g6|[1 z6:|^g6|Z2|
P:B
[V:1] S"E7/f+"c3-"^Fine"c3|(1:2:2CC T d2|]
[V:2] x6|y {g}^^g6 & & __a6|]
V:*
[K:Gm clef=bass transpose=2][M:C|]
V:1
P:C
(2GA|Bc de && f4|g4:::|A4::|

A2 B2 c2|d6|

X:2
K:
ABc|
"""
TABLES = (
    'sep=;\r\nartist;song;link;text\r\nA;One;/a;"la; la\r\nla"\r\nB;Two;/b;3,5\r\n',
    '"sep=\t"\nyear\tlyric\n1790\tone, "two"\n1791\tthree; four\n',
    "sep=;;;\nartist,song,link,text\nA,One,/a,la la\n",
)
CSV = 'author,title,lyrics\nA. Body,"One, two","A line\nand ""another"""\nN. Body,Three,only one\n'
KERN = """**kern|**kern
*M3/4|*M3/4
*k[b-]|*k[b-]
*clefF4|*clefG2
=1|=1
2.D|(4d
.|8e
.|8f
.|4a)
=2|=2
*^|*
4F|4r|4cc 4a
*v|*v|*
2F|6f
.|3%1g
==|==
*-|*-
""".replace("|", "\t")
MEI = """<?xml version="1.0" encoding="UTF-8"?>
<mei xmlns="http://www.music-encoding.org/ns/mei" meiversion="5.0"><meiHead><fileDesc><titleStmt><title>Fuzz</title>
</titleStmt><pubStmt/></fileDesc></meiHead><music><body><mdiv><score>
<scoreDef meter.count="3" meter.unit="4" keysig="1f"><staffGrp><staffDef n="1" lines="5" clef.shape="G" clef.line="2"
trans.diat="-1" trans.semi="-2"/></staffGrp></scoreDef><section>
<measure n="1" left="rptstart"><staff n="1"><layer n="1"><note pname="c" oct="5" dur="4" tie="i"/>
<tuplet num="3" numbase="2"><note pname="c" oct="5" dur="8" tie="t"/><note pname="e" oct="5" dur="8"/>
<note pname="f" accid="s" oct="5" dur="8"/></tuplet><chord dur="8" dots="1"><note pname="g" oct="4"/>
<note pname="b" oct="4"/></chord><rest dur="16"/></layer></staff><tempo tstamp="1" mm="90" mm.unit="4"/></measure>
<ending n="1"><measure n="2" right="rptend"><staff n="1"><layer n="1"><mRpt/></layer></staff></measure></ending>
<ending n="2"><measure n="3" right="end"><staff n="1"><layer n="1"><note pname="a" oct="4" dur="2" dots="1"/></layer>
</staff><dir tstamp="1">D.C. al Fine</dir></measure></ending></section></score></mdiv></body></music></mei>
"""


MUSICXML = """<score-timewise version="4.0"><part-list><score-part id="P1"><part-name>Horn</part-name></score-part>
</part-list><measure number="0"><part id="P1"><attributes><divisions>16</divisions><key><fifths>1</fifths></key>
<time><beats>3+2</beats><beat-type>8</beat-type></time><clef><sign>G</sign></clef><transpose><diatonic>-4</diatonic>
<chromatic>-7</chromatic><octave-change>1</octave-change></transpose></attributes><sound tempo="90"/><note><pitch>
<step>G</step><octave>4</octave></pitch><duration>5</duration><tie type="start"/><voice>1</voice><type>eighth</type>
<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification></note></part>
</measure><measure><part id="P1"><barline location="left"><repeat direction="forward"/><ending number="1-2"
type="start"/></barline><direction><direction-type><segno/></direction-type></direction><harmony><root><root-step>F
</root-step><root-alter>1</root-alter></root><kind text="m7">minor-seventh</kind><offset>8</offset></harmony><note>
<pitch><step>G</step><octave>4</octave></pitch><duration>40</duration><tie type="stop"/></note><backup><duration>40
</duration></backup><note><cue/><pitch><step>B</step><alter>-0.5</alter><octave>3</octave></pitch><duration>40
</duration><voice>2</voice><staff>2</staff></note><barline><ending number="1-2" type="stop"/><repeat times="3"
direction="backward"/></barline></part></measure><measure><part id="P1"><attributes><measure-style><measure-repeat
type="start">1</measure-repeat></measure-style></attributes><forward><duration>40</duration></forward><direction>
<direction-type><words>D.S. al Coda</words></direction-type><sound dalsegno="1"/></direction></part></measure>
</score-timewise>"""


def originals() -> dict[str, bytes]:
    """Small files with a bit of everything."""
    notes = tuple(Note(Fraction(at, 3), 60 + at * 5 % 17, Fraction(1 + at % 4, 2)) for at in range(40))
    score = Score(
        (Part(notes, "Tune", 73), Part(notes[::3], "Drums", 0, percussion=True), Part(notes[::2], "Bass", 32)),
        (ChordSymbol(Fraction(0), Fraction(4), "Gm/Bb"),), (Tempo(Fraction(0), 100.0), Tempo(Fraction(8), 90.0)),
        (Meter(Fraction(0), 3, 4), Meter(Fraction(9), 6, 8)), (Key(Fraction(0), -2, "minor"),), Fraction(1), "Fuzz",
    )  # fmt: skip
    xml = write("musicxml", score)
    repeat = b'<barline location="right"><repeat direction="backward" times="2"/></barline></measure>'
    return {
        "a.mid": write("midi", score),
        "b.mid": midi(IRREGULAR, division=b"\xe7\x28"),
        "c.mid": midi(IRREGULAR, IRREGULAR, kind=2, tracks=9),
        "a.musicxml": xml,
        "b.musicxml": xml.replace(b"</measure>", repeat, 2),
        "c.musicxml": MUSICXML.encode(),
        "a.mxl": packed({"score.xml": xml}),
        "a.krn": KERN.encode(),
        "a.mei": MEI.encode(),
        "a.abc": ABC.encode(),
        "b.abc": FEATURES.encode(),
        "a.csv": CSV.encode(),
        **{f"{at}.csv": text.encode("utf-8-sig") for at, text in enumerate(TABLES)},
        "9.csv": TABLES[0].encode("utf-16"),
        "a.txt": (ABC + CSV).encode(),
        "b.txt": FEATURES.encode("utf-16"),
    }


IRREGULAR = bytes.fromhex(
    "00 ff 51 00"  # an empty tempo
    "00 ff 58 02 06 03"  # a short meter
    "00 ff 03 04 83 5e 83 8b"  # a title in Shift-JIS
    "00 90 3c 50"
    "10 f0 03 43 10 f7"  # system-exclusive bytes, after which running status goes on
    "10 40 50"
    "00 f8 10 43 50"  # a clock message
    "00 ff 51 05 07 a1 20 00 00"  # a long tempo
    "20 b0 7b 00"  # all notes off
    "00 99 24 64 10 24 00"
    "00 e0 00 40 00 c0 49"
    "8f 00 ff 2f 00"
)


def midi(*data: bytes, kind: int = 1, tracks: int = 1, division: bytes = b"\x00\x60") -> bytes:
    """Return a MIDI file of these tracks, with a stated number of tracks and track lengths that are too long."""
    chunks = b"".join(b"MTrk" + (len(track) + 7).to_bytes(4, "big") + track for track in data)
    return b"MThd\0\0\0\6" + kind.to_bytes(2, "big") + tracks.to_bytes(2, "big") + division + chunks


def packed(members: dict[str, bytes]) -> bytes:
    """Return a zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()
