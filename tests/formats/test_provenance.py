"""Provenance: a round trip through each format, without effect on the music."""

import re
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
from composer.formats.abc.provenance import MAX_LINE, StreamMarker
from composer.formats.midi.reader import read_midi
from composer.formats.provenance import Provenance

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
    lines = [line for line in after.splitlines() if b"composer " not in line and b"miscellaneous" not in line]
    if name == "midi":
        start = after.index(b"\x00\xff\x7f")
        rest = after[:start] + after[start:].partition(PROVENANCE.text.encode())[2]
        assert rest[:18] + rest[22:] == before[:18] + before[22:]  # between these is the length of the track
    else:
        assert lines == before.splitlines()


def test_midi_music_is_unchanged():
    assert read_midi(marked("midi"), "tune") == read_midi(plain("midi"), "tune")


@pytest.mark.parametrize("length", [1, 100, 127, 128, 16_383, 16_384, 100_000])
def test_midi_event_of_any_length(length, tmp_path):
    expected = Provenance("1", {"primer": "x" * length})
    (tmp_path / "tune.mid").write_bytes(marked("midi", expected))
    events = [event for event in mido.MidiFile(tmp_path / "tune.mid").tracks[0] if event.is_meta]
    found = [bytes(event.data) for event in events if event.type == "sequencer_specific"]
    assert found == [b"\x7d" + expected.text.encode()]
    assert not [event for event in events if event.type == "text"]
    assert provenance.read((tmp_path / "tune.mid").read_bytes(), "tune") == [expected]


def test_each_tune_of_a_file_has_its_own():
    data = marked("abc", PROVENANCE) + b"\n" + marked("abc", Provenance("1.2", {"seed": 6}))
    assert [each.facts["seed"] for each in provenance.read(data, "tunes")] == [5, 6]
    assert provenance.read(data.replace(b"\n", b"\r\n"), "tunes") == provenance.read(data, "tunes")


def test_other_notes_are_not_provenance():
    assert provenance.read(b"X:1\nN:composer of the tune is unknown to me\nK:C\nCDE|\n", "tune") == []


class TestInTunes:
    def test_a_short_line_and_the_record_at_the_end(self):
        lines = (
            marked("abc", Provenance("1.2", {"representation": "abc", "seed": 7, "title": "x"})).decode().split("\n")
        )
        assert lines[1] == "N:composer 1.2 abc seed 7 ea2ba723"
        assert lines[-2:] == ['%%composer 1.2 {"representation":"abc","seed":7,"title":"x"}', ""]

    @pytest.mark.parametrize("value", ["x" * 500, "a b, " * 100, " " * 60])
    def test_the_lines_of_the_record_are_short(self, value):
        expected = Provenance("1.2", {"seed": 5, "primer": value})
        data = marked("abc", expected)
        assert max(map(len, data.splitlines())) <= MAX_LINE
        assert provenance.read(data, "tune") == [expected]

    def test_blanks_at_the_ends_of_lines_may_be_lost(self):
        expected = Provenance("1.2", {"seed": 5, "title": "a b, c  " * 50})
        stripped = b"".join(line.rstrip() + b"\n" for line in marked("abc", expected).splitlines())
        assert provenance.read(stripped, "tune") == [expected]

    def test_the_blank_line_after_a_tune_stays_after_it(self):
        assert provenance.mark("abc", plain("abc") + b"\n", PROVENANCE) == marked("abc") + b"\n"
        assert marked("abc").startswith(plain("abc")[:4])

    @pytest.mark.parametrize(
        "facts", [{}, {"representation": "a\nX:2"}, {"representation": 5, "seed": "7"}, {"seed": -1}, {"seed": True}]
    )
    def test_the_short_line_has_only_what_fits(self, facts):
        data = marked("abc", Provenance("1.2", facts))
        assert data.splitlines()[1].startswith(b"N:composer 1.2 ")
        assert len(data.splitlines()[1].split()) == 3
        assert [each.facts for each in provenance.read(data, "tune")] == [facts]

    @pytest.mark.parametrize(
        ("old", "new"), [(rb'"seed":5', b'"seed":6'), (rb"%%composer", b"%%"), (rb"\w{8}\nT:", b"00000000\nT:")]
    )
    def test_a_record_that_was_edited_or_removed(self, old, new):
        with pytest.raises(ReadError, match=r"recorded for `composer 1.2 seed 5 \w{8}` in tune are missing, edited or"):
            provenance.read(re.sub(old, new, marked("abc")), "tune")

    def test_the_record_of_another_tune(self):
        one, other = marked("abc"), marked("abc", Provenance("1.2", {"seed": 6}))
        swapped = one[: one.index(b"%%")] + other[other.index(b"%%") :]
        with pytest.raises(ReadError, match=r"`composer 1.2 seed 5 \w{8}` in tune are missing, edited or"):
            provenance.read(swapped, "tune")

    def test_a_record_without_its_short_line_is_read(self):
        lines = marked("abc").splitlines(keepends=True)
        assert provenance.read(b"".join([lines[0], *lines[2:]]), "tune") == [PROVENANCE]


class TestOfOlderVersions:
    """The whole record was an `N:` line in ABC and a text event in MIDI."""

    TUNE = b'X:1\nN:composer 0.1.0 {"representation":"abc","seed":7}\nM:4/4\nL:1/8\nK:C\nC8|]\n'
    EVENT = b'\x00\xff\x01\x31composer 0.1.0 {"representation":"grid","seed":7}'

    def test_abc(self):
        expected = Provenance("0.1.0", {"representation": "abc", "seed": 7})
        assert provenance.read(self.TUNE, "tune") == [expected]
        number, _, music = self.TUNE.split(b"\n", 2)
        assert [*provenance.older_marks("abc", number + b"\n" + music, expected)] == [self.TUNE]

    def test_midi(self):
        expected = Provenance("0.1.0", {"representation": "grid", "seed": 7})
        (data,) = provenance.older_marks("midi", plain("midi"), expected)
        assert self.EVENT in data
        assert provenance.read(data, "tune") == [expected]

    def test_old_and_new_tunes_in_a_file(self):
        data = self.TUNE + b"\n" + marked("abc") + b"\n" + self.TUNE
        assert [each.facts["seed"] for each in provenance.read(data, "tunes")] == [7, 5, 7]


@settings(deadline=None)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), name=st.sampled_from(MARKED_FORMATS))
def test_damaged_files_give_provenance_or_an_error(at, byte, name):
    data = bytearray(marked(name))
    data[at % len(data)] = byte
    with suppress(ReadError):
        assert all(isinstance(each, Provenance) for each in provenance.read(bytes(data), "tune"))


@given(cuts=st.lists(st.integers(0, 200), max_size=5))
def test_abc_is_marked_while_streaming(cuts):
    text, streamed = plain("abc"), StreamMarker(PROVENANCE.text.encode())
    ends = [*sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [streamed.push(text[start:stop]) for start, stop in zip([0, *ends], ends, strict=False)]
    assert b"".join([*pieces, streamed.finish()]) == marked("abc")


def test_streaming_waits_for_the_number_and_line_ends_only():
    streamed = StreamMarker(PROVENANCE.text.encode())
    assert streamed.push(b"X:1") == b""
    assert re.fullmatch(rb"X:1\nN:composer 1.2 seed 5 \w{8}\nM", streamed.push(b"\nM"))
    assert streamed.push(b":4/4") == b":4/4"
    assert streamed.push(b"\n") == b""
    assert streamed.push(b"K:C\n") == b"\nK:C"
    assert streamed.finish().startswith(b"\n%%composer 1.2 {")


@pytest.mark.parametrize("options", [{}, {"text": "raw"}])
def test_provenance_is_not_training_data(options):
    from composer.registry import plugins as registry

    kind = registry.representation("abc")
    read = [
        next(kind(kind.Options(**options)).read(Source(Path("tune.abc"), data=data))).content
        for data in (marked("abc"), plain("abc"))
    ]
    assert read[0] == read[1]


@pytest.mark.parametrize("music", ["CDEF G", "CDEF GABc|", "CDEF GABc|d2_e4|]", "|:CDEF GABc:|"])
def test_provenance_in_a_primer_is_ignored(music):
    from composer.registry import plugins as registry

    abc = registry.representation("abc")()
    tune = f"X:1\nM:4/4\nL:1/8\nK:C\n{music}\n".encode()
    (piece,) = abc.read(Source(Path("opening.abc"), data=provenance.mark("abc", tune, PROVENANCE), fragment=True))
    (same,) = abc.read(Source(Path("opening.abc"), data=tune, fragment=True))
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
