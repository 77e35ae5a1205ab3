"""Provenance: a round trip through each format, without effect on the music."""

import shutil
import subprocess
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer import formats
from composer.api import Note, Part, ReadError, Score, Source, Tempo
from composer.formats import provenance
from composer.formats.midi.reader import read_midi
from composer.formats.provenance import Provenance, StreamMarker

SCORE = Score(
    (Part(tuple(Note(Fraction(beat), 60 + beat, Fraction(1)) for beat in range(8))),),
    tempos=(Tempo(Fraction(0), 100.0), Tempo(Fraction(4), 80.0)),
    title="A Scale",
)
PROVENANCE = Provenance("1.2", {"seed": 5, "title": 'Rock & "Roll" <100%> é'})
MARKED_FORMATS = [name for name in formats.FORMATS if provenance.can_hold(name)]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@cache
def plain(name):
    return formats.write(name, SCORE)


def marked(name, expected=PROVENANCE):
    return provenance.mark(name, plain(name), expected)


def test_formats_that_hold_provenance():
    assert MARKED_FORMATS == ["abc", "midi", "musicxml"]


@pytest.mark.parametrize("name", MARKED_FORMATS)
@settings(deadline=None)  # the first MusicXML waits for music21
@given(facts=st.dictionaries(st.text(max_size=8), values, max_size=4))
def test_round_trip(name, facts):
    expected = Provenance("1.2.dev3+x", facts)
    assert provenance.read(marked(name, expected), "tune") == [expected]
    assert formats.detect(marked(name, expected)).name == name


@given(facts=st.dictionaries(st.text(max_size=8), values, max_size=4))
def test_text_is_one_line_of_plain_ascii(facts):
    text = Provenance("1", facts).text
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set("%&<>")


@pytest.mark.parametrize("name", MARKED_FORMATS)
def test_the_rest_of_the_file_is_unchanged(name):
    before, after = plain(name), marked(name)
    lines = [line for line in after.splitlines() if b"composer 1.2 " not in line and b"miscellaneous" not in line]
    if name == "midi":
        start = after.index(b"\x00\xff\x01")
        rest = after[:start] + after[start:].partition(PROVENANCE.text.encode())[2]
        assert rest[:18] + rest[22:] == before[:18] + before[22:]  # between these is the length of the track
    else:
        assert lines == before.splitlines()


def test_midi_music_is_unchanged():
    assert read_midi(marked("midi"), "tune") == read_midi(plain("midi"), "tune")


@pytest.mark.parametrize("length", [1, 100, 127, 128, 16_383, 16_384, 100_000])
def test_midi_text_of_any_length(length, tmp_path):
    expected = Provenance("1", {"primer": "x" * length})
    (tmp_path / "tune.mid").write_bytes(marked("midi", expected))
    texts = [message.text for message in mido.MidiFile(tmp_path / "tune.mid").tracks[0] if message.type == "text"]
    assert texts == [expected.text]
    assert provenance.read((tmp_path / "tune.mid").read_bytes(), "tune") == [expected]


def test_each_tune_of_a_file_has_its_own():
    data = marked("abc", PROVENANCE) + b"\n" + marked("abc", Provenance("1.2", {"seed": 6}))
    assert [each.facts["seed"] for each in provenance.read(data, "tunes")] == [5, 6]
    assert provenance.read(data.replace(b"\n", b"\r\n"), "tunes") == provenance.read(data, "tunes")


def test_other_notes_are_not_provenance():
    assert provenance.read(b"X:1\nN:composer of the tune is unknown to me\nK:C\nCDE|\n", "tune") == []


@pytest.mark.parametrize("name", MARKED_FORMATS)
@pytest.mark.parametrize("broken", [b'{"seed":', b'["seed"', b'{"se\xffd"', b""])
def test_damaged_provenance_is_an_error(name, broken):
    with pytest.raises(ReadError, match=r"damaged provenance in tune"):
        provenance.read(marked(name).replace(b'{"seed"', broken), "tune")


@settings(deadline=None)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), name=st.sampled_from(MARKED_FORMATS))
def test_damaged_files_give_provenance_or_an_error(at, byte, name):
    data = bytearray(marked(name))
    data[at % len(data)] = byte
    with suppress(ReadError):
        assert all(isinstance(each, Provenance) for each in provenance.read(bytes(data), "tune"))


@given(cuts=st.lists(st.integers(0, 200), max_size=5))
def test_abc_is_marked_while_streaming(cuts):
    text, streamed = plain("abc"), StreamMarker(PROVENANCE)
    ends = [*sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [streamed.push(text[start:stop]) for start, stop in zip([0, *ends], ends, strict=False)]
    assert b"".join([*pieces, streamed.finish()]) == marked("abc")


def test_streaming_waits_for_the_number_only():
    streamed = StreamMarker(PROVENANCE)
    assert streamed.push(b"X:1") == b""
    assert streamed.push(b"\nM") == f"X:1\nN:{PROVENANCE.text}\nM".encode()
    assert streamed.push(b":4/4") == b":4/4"


@pytest.mark.parametrize("options", [{}, {"text": "raw"}])
def test_provenance_is_not_training_data(options):
    from composer.registry import plugins as registry

    kind = registry.representation("abc")
    read = [
        next(kind(kind.Options(**options)).read(Source(Path("tune.abc"), data=data))).content
        for data in (marked("abc"), plain("abc"))
    ]
    assert read[0] == read[1]


def test_provenance_in_a_primer_is_ignored():
    from composer.registry import plugins as registry

    abc = registry.representation("abc")()
    marked_data, plain_data = (
        f"X:1\n{line}M:4/4\nL:1/8\nK:C\nCDEF G".encode() for line in (f"N:{PROVENANCE.text}\n", "")
    )
    (piece,) = abc.read(Source(Path("opening.abc"), data=marked_data, fragment=True))
    (same,) = abc.read(Source(Path("opening.abc"), data=plain_data, fragment=True))
    assert piece.content == same.content


@pytest.mark.skipif(not shutil.which("abc2midi"), reason="abc2midi is not installed")
@pytest.mark.parametrize("length", [10, 1_000, 50_000])
def test_abc2midi_does_not_complain(length):
    data = marked("abc", Provenance("1", {"primer": "x" * length, "title": "50% [|: & %%MIDI"}))
    output = subprocess.run(["abc2midi", "-", "-c"], input=data, capture_output=True, check=True).stdout.decode()
    assert "warning" not in output.lower()
    assert "error" not in output.lower()


@pytest.mark.skipif(not shutil.which("abcm2ps"), reason="abcm2ps is not installed")
def test_abcm2ps_neither_complains_nor_prints_it(tmp_path):
    (tmp_path / "tune.abc").write_bytes(marked("abc"))
    done = subprocess.run(["abcm2ps", "tune.abc", "-O", "tune.ps"], cwd=tmp_path, capture_output=True, check=True)
    assert b"error" not in done.stdout + done.stderr
    assert b"warning" not in done.stdout + done.stderr
    assert b"Rock" not in (tmp_path / "tune.ps").read_bytes()
