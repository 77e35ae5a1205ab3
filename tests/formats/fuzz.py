"""Read mutated files of every format: each gives pieces, rejections or one ReadError, quickly and in little memory.

    python tests/formats/fuzz.py [--count 300] [--seed 0] [FILE ...]

Mutates the FILEs, or small built-in ones, and prints per suffix how many were read, rejected and errors, the longest
time, and the growth of memory. Exits with 1, and names the files, for any other outcome.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from composer.api import (
    ChordSymbol,
    Key,
    Meter,
    Note,
    Part,
    Piece,
    ReadError,
    RejectedPiece,
    Representation,
    Score,
    Source,
    Tempo,
)
from composer.formats import write
from composer_abc import Abc
from composer_grid import Grid
from composer_pianoroll import Pianoroll
from composer_text import Text

MAX_SECONDS = 5.0
"""CPU time per file."""
MAX_SIZE = 1_000_000
"""Of a mutated file, in bytes, since a huge one may take its time."""
MAX_GROWTH = 500 * 1024 * 1024
MEMORY_LIMIT = 3 * 1024 * 1024 * 1024
"""Of this process, so that no mutation takes the whole machine."""

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


class TooLong(BaseException):
    """Raised by the alarm; a BaseException, so that readers do not catch it."""


def main() -> int:
    """Mutate and read files, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=300, help="mutations of each kind")
    parser.add_argument("--only", default="", help="one suffix")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    kinds: dict[str, list[bytes]] = {}
    for name, data in [(path.name, path.read_bytes()) for path in given.files] or fixtures().items():
        if given.only in ("", Path(name).suffix):
            kinds.setdefault(Path(name).suffix, []).append(data)
    signal.signal(signal.SIGPROF, too_long)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))
    broken = 0
    with tempfile.TemporaryDirectory() as home:
        os.environ["COMPOSER_HOME"] = home
        for suffix, originals in kinds.items():
            for data in originals[:3]:
                outcome(suffix, data)  # libraries loaded for the first files are not growth
            broken += fuzz(suffix, originals, given.count, random.Random(f"{given.seed}{suffix}"))
    return 1 if broken else 0


def fuzz(suffix: str, originals: list[bytes], count: int, chance: random.Random) -> int:
    """Read `count` mutations, print a line, and return the number of other outcomes."""
    before, slowest, broken = memory(), 0.0, 0
    outcomes: Counter[str] = Counter()
    for number in range(count):
        data = mutate(chance.choice(originals), chance)
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
        try:
            outcomes[outcome(suffix, data)] += 1
        except (Exception, TooLong) as error:
            broken += 1
            kept = Path(tempfile.gettempdir(), f"fuzz-{number}{suffix}")
            kept.write_bytes(data)
            print(f"BROKEN {kept}: {type(error).__name__}: {error}")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, time.process_time() - began)
    growth = memory() - before
    print(f"{suffix:10} {dict(outcomes)}, slowest {slowest:.2f} s, {growth / 2**20:.0f} MB more")
    return broken + (growth > MAX_GROWTH)


def outcome(suffix: str, data: bytes) -> str:
    """Return whether `data` was `read`, `rejected` or an `error`."""
    source = Source(Path(f"a{suffix}"), name=f"a{suffix}", data=data)
    try:
        items = list(items_of(source, suffix))
    except ReadError as error:
        if "\n" in error.message or not error.message or not error.hint:
            raise ValueError(f"not one line and a hint: {error.message!r}, {error.hint!r}") from error
        return "error"
    return "read" if any(not isinstance(item, RejectedPiece) for item in items) else "rejected"


def items_of(source: Source, suffix: str) -> Iterator[object]:
    """Read with every representation for this suffix."""
    if suffix == ".csv":
        yield from Text().read(source)
        return
    readers: tuple[Representation, ...] = (Pianoroll(), Grid(), *([Abc()] if suffix == ".abc" else []))
    for reader in readers:
        for item in reader.read(source):
            yield item
            if isinstance(item, Piece) and not isinstance(reader, Abc):
                reader.fit([item])
                reader.encode(item)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Apply one to four mutations; XML mostly stays well-formed, since it is rejected otherwise."""
    if data.startswith(b"PK") and chance.random() < 0.7:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        return packed({name: mutate(content, chance) for name, content in members.items()})
    mutations = WELL_FORMED_MUTATIONS if data.startswith(b"<") and chance.random() < 0.8 else MUTATIONS
    for _ in range(chance.choice([1, 1, 2, 4])):
        data = chance.choice(mutations)(data, chance)[:MAX_SIZE]
    return data


def place(data: bytes, chance: random.Random, max_length: int = 64) -> slice:
    """A random range of bytes."""
    at = chance.randrange(len(data) + 1)
    return slice(at, at + chance.randrange(1, max_length))


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 2, 8]) if data else 0):
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def remove_bytes(data: bytes, chance: random.Random) -> bytes:
    gone = place(data, chance)
    return data[: gone.start] + data[gone.stop :]


def insert_noise(data: bytes, chance: random.Random) -> bytes:
    at = place(data, chance)
    return data[: at.start] + chance.randbytes(at.stop - at.start) + data[at.start :]


def repeat_bytes(data: bytes, chance: random.Random) -> bytes:
    at = place(data, chance)
    return data[: at.stop] + data[at] * chance.choice([1, 2, 500]) + data[at.stop :]


def swap_bytes(data: bytes, chance: random.Random) -> bytes:
    first, second = sorted([chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)])
    length = chance.randrange(1, 64)
    return data[:first] + data[second : second + length] + data[first:second] + data[second + length :]


def insert_huge_number(data: bytes, chance: random.Random) -> bytes:
    numbers = list(re.finditer(rb"\d+", data))
    if not numbers:
        return data
    at = chance.choice(numbers)
    number = chance.choice([b"0", b"-1", b"1e9", b"99999", b"4294967295", b"9" * 40, b"0.3333", b"1/0", b"NaN", b"inf"])
    return data[: at.start()] + number + data[at.end() :]


def insert_huge_size(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    size = chance.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\x80\0"])
    return data[:at] + size + data[at + len(size) :]


def change_lines(data: bytes, chance: random.Random) -> bytes:
    """Remove, repeat or exchange lines, which mostly stays well-formed."""
    lines = data.split(b"\n")
    for _ in range(chance.choice([1, 4])):
        one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        lines[one : one + 1] = chance.choice([[], [lines[one]] * 2, [lines[other]], [lines[one]] * 300])
        lines = lines or [b""]
    return b"\n".join(lines)


ELEMENTS = re.compile(
    rb"<(note|barline|attributes|harmony)\b.*?</\1>|<([a-z-]+)[^<>]*>[^<>]*</\2>|<[^<>]*/>", re.DOTALL
)


def change_elements(data: bytes, chance: random.Random) -> bytes:
    """Remove, repeat or exchange XML elements, which stays well-formed."""
    elements = list(re.finditer(ELEMENTS, data))
    if not elements:
        return data
    one, other = chance.choice(elements), chance.choice(elements)
    instead = chance.choice([b"", one[0] * 2, one[0] * 100, other[0], other[0] + one[0]])
    return data[: one.start()] + instead + data[one.end() :]


def nest(data: bytes, chance: random.Random) -> bytes:
    tags = list(re.finditer(rb"<[a-z-]+[^>/]*>|[(\[{|:\"]", data))
    if not tags:
        return data
    tag = chance.choice(tags)
    return data[: tag.start()] + tag[0] * chance.choice([10, 3000]) + data[tag.end() :]


SIGNS = (
    b"(&", b"&)", b"&", b"&&", b":::", b"::", b"[1", b"|2", b"|:", b"\n\n", b"\nP:A\n", b"[V:2]", b"\nV:*\n", b"(3:2:7",
    b"!D.S. al Coda!", b"!coda!", b"[Q:1/4 1/8=50]", b"\n%%MIDI drummap c 36\n", b"[K:F clef=perc]", b"sep=;\n",
    b'"', b"\\", b"\xff\xfe", b"\xef\xbb\xbf", b"\xff\x51\x00", b"\xf0\x02\x00\xf7", b"\xf8", b"\xb0\x7b\x00", b"MTrk",
    b"\xff\x2f\x00",
)  # fmt: skip


def insert_signs(data: bytes, chance: random.Random) -> bytes:
    """Insert signs that mean something to a reader, where they may make no sense."""
    for _ in range(chance.choice([1, 3])):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.choice(SIGNS) + data[at:]
    return data


MUTATIONS = (
    insert_signs, insert_signs,
    flip_bits, flip_bits, truncate, remove_bytes, insert_noise, repeat_bytes, swap_bytes, insert_huge_number,
    insert_huge_number, change_lines, change_lines, change_lines, insert_huge_number, insert_huge_size, nest,
)  # fmt: skip


WELL_FORMED_MUTATIONS = (change_elements, change_elements, insert_huge_number)


def fixtures() -> dict[str, bytes]:
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


def memory() -> int:
    """Return the peak memory of this process in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def too_long(*_: object) -> None:
    """Handle the alarm."""
    raise TooLong(f"more than {MAX_SECONDS:g} s")


if __name__ == "__main__":
    sys.exit(main())
