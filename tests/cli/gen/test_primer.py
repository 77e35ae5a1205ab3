"""Primers: where they come from, and what the whole piece takes from them."""

import os
import string
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from small_plugins import Letters

from composer import formats
from composer.api import Piece, Source, Tempo
from composer.cli.gen.primer import read_primer, read_whole_piece
from composer.formats.abc.reader.score import read_score
from composer.formats.midi.reader import read_midi
from composer.music.bars import bars
from composer.registry import plugins as registry
from composer_abc import Abc


@pytest.mark.parametrize("name", ["abc", "grid", "pianoroll", "text"])
def test_empty_primer(composer, tmp_path, name):
    (tmp_path / "empty.abc").write_bytes(b"")
    for arguments, hint in (
        (("--prime", "-"), "check the command before the pipe"),
        (("--prime", tmp_path / "empty.abc"), "use another primer"),
        (("--prime-text", ""), ""),
    ):
        composer("gen", name, *arguments).failed("is empty", "nothing to continue", hint)


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="open files have no names")  # noqa: PTH112
def test_primer_from_a_named_pipe(composer):
    ours, theirs = os.pipe()
    os.write(theirs, b"M:6/8\nL:1/8\nK:D\nd2d A2F|")
    os.close(theirs)
    result = composer("gen", "abc", "-q", "--no-provenance", "--seed", "2", "--bars", "4", "--prime", f"/dev/fd/{ours}")
    os.close(ours)
    assert "M:6/8\nL:1/8\nK:D\nd2d A2F|" in result.out


OPENING = b"X:1\nM:6/8\nL:1/8\nK:D\nA|d2d A2F|dfa dfa|d6|d6|\n"
PLAIN = ("-q", "--no-provenance", "--seed", "2")


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_piece_continues_in_meter_and_key_of_the_primer(composer, name):
    options = ("--prime", "-", "--bars", "6", "--format", "midi")
    score = read_midi(composer("gen", name, *options, *PLAIN, stdin=OPENING).data, "it")
    assert (score.meters[-1].numerator, score.pickup, score.keys[0].sharps) == (6, Fraction(1, 2), 2)
    assert [*bars(score)][-1].number == 6


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
@pytest.mark.parametrize(
    ("form", "control", "written"),
    [
        ("abc", ("--key", "Bb"), b"K:Bb\n"),
        ("abc", ("--scale", "E dorian"), b"K:Edor\n"),
        ("abc", ("--key", "A", "--scale", "dorian", "--prime", "-"), b"K:Ador\n"),
        ("musicxml", ("--key", "Bb"), b"<fifths>-2</fifths>"),
    ],
)
def test_key_control_is_written(composer, name, form, control, written):
    assert written in composer("gen", name, *control, "--bars", "6", "--format", form, *PLAIN, stdin=OPENING).data


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_primed_piece_is_reproduced(composer, tmp_path, name):
    piece = tmp_path / "piece.mid"
    composer("gen", name, "-q", "--seed", "3", "--prime", "-", "--bars", "6", "--output", piece, stdin=OPENING)
    assert composer("replay", piece, "-q").code == 0


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_infill_keeps_the_pickup(composer, name):
    options = ("--prime", "-", "--keep-bars", "2", "--format", "midi")
    score = read_midi(composer("gen", name, *options, *PLAIN, stdin=OPENING).data, "it")
    assert [note.pitch for part in score.parts for note in part.notes if note.onset < score.pickup] == [69]


class Recording(Letters):
    """Remembers what it read."""

    letters = ("a", "b")

    def read(self, source):
        self.source = source
        return super().read(source)


@pytest.mark.parametrize(
    ("given", "typed"), [({"text": "ab"}, True), ({"file": "a.txt"}, False), ({"file": "-"}, False)]
)
def test_representations_can_tell_typed_text_from_files(tmp_path, monkeypatch, given, typed):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("ab")
    console, representation = SimpleNamespace(read_bytes=lambda: b"ab", say=print), Recording()
    assert read_primer(representation, console, **given).steps == (1, 2)
    assert (representation.source.fragment, representation.source.typed) == (True, typed)
    assert read_whole_piece(representation, console, **given)[0].content == "ab"
    assert (representation.source.fragment, representation.source.typed) == (False, typed)
    assert bool(representation.source.path.suffix) == (given == {"file": "a.txt"})


def test_infill_of_typed_tokens(composer):
    tokens = "67 _ _ _ 69 _ _ _ 71 _ _ _ 72 _ _ _ 74 _ _ _ 76 _ _ _ 78 _ _ _ 79 _ _ _"
    result = composer("gen", "grid", "--prime-text", tokens, "--keep-bars", "1", "--format", "tokens", *PLAIN)
    assert result.out.startswith(tokens[: tokens.index("74")]), result.err


def test_a_given_title_and_tempo_replace_those_of_the_infilled_tune(composer, tmp_path):
    (tmp_path / "a.abc").write_text("X:1\nT:Old\nM:4/4\nL:1/8\nQ:1/4=80\nK:C\nC8|D8|E8|\n")
    infill = ("gen", "grid", "--prime", tmp_path / "a.abc", "--keep-bars", "1-2", "--format", "abc", *PLAIN)
    own = composer(*infill).out
    assert "\nT:Old\n" in own
    assert "\nQ:1/4=80\n" in own
    given = composer(*infill, "--title", "New", "--tempo", "100").out
    assert "\nT:New\n" in given
    assert "\nQ:1/4=100\n" in given


HEADED = b"X:1\nT:Old\nT:Older\nC:Bach, J. S.\nC:Anna\nO:Leipzig\nM:3/4\nL:1/8\nQ:3/8=100\nK:C\nC6|D6|E6|F6|\n"


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_a_continued_piece_keeps_title_composers_and_tempo(composer, name):
    result = composer("gen", name, "--prime", "-", "--bars", "6", "--seed", "2", "--format", "abc", stdin=HEADED)
    for field in ("T:Old", "C:Bach, J. S.", "C:Anna", "Q:3/8=100"):
        assert f"\n{field}\n" in result.out
    assert "stdin: 1 further title, 1 field O: left out\n" in result.err
    assert composer("replay", "-", stdin=result.data).data == result.data


def test_a_tempo_in_quarter_notes_replaces_that_of_a_continued_piece(composer):
    options = ("--bars", "5", "--format", "abc", "--tempo", "90", "--title", "New")
    out = composer("gen", "grid", "--prime", "-", *options, *PLAIN, stdin=HEADED).out
    assert "\nQ:1/4=90\n" in out
    assert "\nT:New\nC:Bach, J. S.\n" in out


@pytest.mark.parametrize(
    ("form", "lost"), [("midi", "2 composers"), ("tokens", "1 title, 1 tempo, 2 composers"), ("musicxml", "")]
)
def test_what_a_format_has_no_place_for_is_said(composer, form, lost):
    tune = HEADED.replace(b"T:Older\n", b"").replace(b"O:Leipzig\n", b"")
    result = composer("gen", "grid", "--prime", "-", "--bars", "5", "--format", form, "--seed", "2", stdin=tune)
    assert (f"stdin: {lost} left out\n" in result.err) if lost else ("left out" not in result.err)
    assert b"Q:" not in result.data


@pytest.mark.parametrize("form", ["midi", "musicxml"])
@pytest.mark.parametrize("options", [("--bars", "6"), ("--keep-bars", "1-2")])
def test_what_the_dialect_has_no_place_for_is_said(composer, form, options):
    result = composer("gen", "abc", "--prime", "-", *options, stdin=formats.write(form, read_score(HEADED.decode())))
    lost = "1 tempo" if form == "midi" else "2 composers, 1 tempo"
    assert f"stdin: {lost} left out\n" in result.err
    assert "\nC:" not in result.out


@pytest.mark.parametrize("options", [("--bars", "6"), ("--keep-bars", "1-2")])
@pytest.mark.parametrize("form", ["midi", "musicxml"])
def test_the_instrument_of_the_melody_stays_in_abc(composer, options, form):
    low = "V:1\nC6|D6|E6|F6|\nV:2\n%%MIDI program 32\nC,,6|C,,6|C,,6|C,,6|\n"
    score = read_score(HEADED.decode().replace("C6|D6|E6|F6|\n", low.replace("V:1\n", "V:1\n%%MIDI program 73\n")))
    command = ("gen", "abc", "--prime", "-", *options, "--seed", "2")
    result = composer(*command, stdin=formats.write(form, score))
    assert result.out.count("\n%%MIDI program 73\n") == 1
    assert composer("replay", "-", stdin=result.data).data == result.data
    chosen = composer(*command, "--instrument", "41", stdin=formats.write(form, score)).out
    assert "\n%%MIDI program 41\n" in chosen
    assert "program 73" not in chosen


def test_a_tempo_that_cannot_be_set_is_left_out(composer):
    fast = replace(read_score(HEADED.decode()), tempos=(Tempo(Fraction(0), 1500.0),))
    data = formats.write("midi", fast)
    result = composer("gen", "grid", "--prime", "-", "--bars", "5", "--format", "abc", stdin=data)
    assert "stdin: 1 tempo left out\n" in result.err
    assert "\nQ:" not in result.out


def test_heading_is_that_of_the_tune_that_is_continued(composer):
    """The first one has no notes."""
    broken = b"X:1\nT:Broken\nM:4/4\nL:1/8\nK:C\n|\n\n"
    out = composer("gen", "grid", "--prime", "-", "--bars", "5", "--format", "abc", *PLAIN, stdin=broken + HEADED).out
    assert "\nT:Old\n" in out


@pytest.mark.parametrize("suffix", [".abc", ".musicxml"])
@pytest.mark.parametrize("name", ["grid", "abc"])
def test_bars_of_repeats_are_counted_as_played_without_notation(tmp_path, name, suffix):
    tune = "X:1\nM:4/4\nL:1/8\nK:C\n|:C8|D8:|E8|\n"
    path = tmp_path / f"a{suffix}"
    path.write_bytes(tune.encode() if suffix == ".abc" else formats.write("musicxml", read_score(tune)))
    representation = registry.representation(name)()
    known = [Piece(string.printable)] if name == "abc" else representation.read(Source(path))
    representation.fit(known)
    notes = read_whole_piece(representation, SimpleNamespace(), str(path), flags=["--keep-bars"])[1]
    assert not read_whole_piece(representation, SimpleNamespace(), str(path))[1]
    said = [note.partition(": ")[2].partition(";")[0] for note in notes]
    assert said == ([] if name == "abc" and suffix == ".abc" else ["counting 5 bars as played, with repeats"])


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_plain_words_are_no_music(composer, tmp_path, name):
    (tmp_path / "words.txt").write_text("the quick brown fox jumps\n")
    composer("gen", name, "--prime", tmp_path / "words.txt").failed("no music in", "words.txt")


def test_a_primer_with_nothing_to_continue(composer, tmp_path):
    (tmp_path / "number.abc").write_text("X:1\n")
    composer("gen", "abc", "--prime", tmp_path / "number.abc").failed("nothing to continue in", "number.abc")


MARKED = "X:1\nT:Café\nC:Anna\nR:reel\nM:4/4\nL:1/8\nK:G\n!trill!G2BG dGBG|A2FA G4|\n"


def test_what_an_abc_primer_loses_is_counted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.abc").write_text(f"{MARKED}\n{MARKED.replace('X:1', 'X:2')}", "utf-8")
    representation = Abc()
    representation.fit([Piece(string.printable)])
    assert read_primer(representation, SimpleNamespace(), "a.abc").notes == [
        "a.abc: 1 decoration, 1 field C: left out; 1 letter in titles replaced",
        "a.abc contains several pieces; using the first",
    ]
    (tmp_path / "whole.abc").write_text(MARKED.replace("R:", "Q:1/4=90\nR:"), "utf-8")
    assert read_whole_piece(representation, SimpleNamespace(), "whole.abc")[1] == [
        "whole.abc: 1 decoration, 1 field C:, 1 field Q: left out; 1 letter in titles replaced"
    ]


@pytest.mark.parametrize("suffix", [".abc", ".musicxml", ".mid"])
@pytest.mark.parametrize("name", ["abc", "grid", "pianoroll"])
def test_changes_of_key_are_counted(composer, tmp_path, name, suffix):
    tune = "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|c4|[K:A]ABcd|[K:A]e2c2|A4|]\n"
    path = tmp_path / f"tune{suffix}"
    kind = {".musicxml": "musicxml", ".mid": "midi"}.get(suffix)
    path.write_bytes(formats.write(kind, read_score(tune)) if kind else tune.encode())
    for options in (("--bars", "8"), ("--keep-bars", "1-3", "--particles", "2")):
        result = composer("gen", name, "--prime", path, "--candidates", "1", *PLAIN[1:], *options)
        assert result.err.count(f"{path}: 1 change of key left out\n") == 1, result.err
