"""Files that people really have, and no music can be made of: one line that names file and fault, and a hint."""

import io
import struct
import zipfile

import pytest

END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x90\x3c\x50\x60\x80\x3c\x00"
"""Middle C for 96 ticks."""


def midi(*tracks, kind=1, division=96):
    header = struct.pack(">4sIHHH", b"MThd", 6, kind, len(tracks), division)
    return header + b"".join(struct.pack(">4sI", b"MTrk", len(track + END)) + track + END for track in tracks)


def riff(data):
    return struct.pack("<4sI4s4sI", b"RIFF", len(data) + 12, b"RMID", b"data", len(data)) + data


def bomb(megabytes):
    """A packed score whose member is blanks without end."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>',
        )
        with archive.open("score.xml", "w") as member:
            for _ in range(megabytes):
                member.write(b" " * 2**20)
    return stream.getvalue()


def doctype(declaration):
    return f'<?xml version="1.0"?><!DOCTYPE a [{declaration}]><score-partwise>&a;</score-partwise>'.encode()


FAULTS = {
    "empty.mid": (b"", "is empty"),
    "silent.mid": (midi(b"\x00\xc0\x00"), "has no notes"),
    "drums.mid": (midi(b"\x00\x99\x26\x50\x60\x89\x26\x00"), "only drums"),
    "still.mid": (midi(NOTE, division=0), "0 ticks per beat"),
    "far.mid": (midi(NOTE + b"\x84\xe2\xad\x00" + NOTE[1:]), "silent for"),  # 10 million ticks on
    "patterns.mid": (midi(NOTE, NOTE, kind=2), "format 2"),
    "cut.musicxml": (b'<?xml version="1.0"?><score-partwise><part-list>', "invalid XML at line 1"),
    "entity.musicxml": (doctype('<!ENTITY a "aaaa">'), "declares its own document type"),
    "external.musicxml": (doctype('<!ENTITY a SYSTEM "file:///etc/hostname">'), "declares its own document type"),
    "bomb.mxl": (bomb(64), "unpacks to more than"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("representation", ["grid", "pianoroll"])
def test_a_file_without_music(composer, tmp_path, name, representation):
    data, words = FAULTS[name]
    (tmp_path / name).write_bytes(data)
    composer("train", representation, tmp_path / name).failed(name, words)


@pytest.mark.parametrize("name", FAULTS)
def test_such_a_file_among_good_ones_costs_only_itself(composer, tmp_path, name):
    (tmp_path / name).write_bytes(FAULTS[name][0])
    (tmp_path / "good.mid").write_bytes(midi(NOTE))
    done = composer("train", "pianoroll", tmp_path, "--max-updates", "1", "--set", "hidden=4", "-q")
    assert done.code == 0
    assert name in composer("train", "pianoroll", tmp_path, "--max-updates", "1", "--set", "hidden=4").err


@pytest.mark.parametrize("name", FAULTS)
def test_such_a_file_as_a_primer(composer, tmp_path, name, pianist):
    (tmp_path / name).write_bytes(FAULTS[name][0])
    composer("gen", "pianoroll", "--checkpoint", pianist, "--prime", tmp_path / name).failed(name, FAULTS[name][1])


def test_a_midi_file_that_is_riff_is_read(composer, tmp_path):
    (tmp_path / "windows.mid").write_bytes(riff(midi(NOTE)))
    assert composer("train", "pianoroll", tmp_path, "--max-updates", "1", "--set", "hidden=4").code == 0


def test_a_folder_without_a_readable_file(composer, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    for representation in ("abc", "grid", "pianoroll", "text"):
        composer("train", representation, tmp_path).failed(
            " files in ", "to read files with other suffixes, name each file"
        )


@pytest.mark.parametrize(("command", "more"), [("train", ()), ("eval", ()), ("eval", ("--generated", "1"))])
def test_files_of_another_representation(composer, tmp_path, command, more):
    for name in ("a.mid", "b.mid", "c.jpg"):
        (tmp_path / name).write_bytes(b"")
    composer(command, "text", tmp_path, *more).failed(
        f"files in {tmp_path} (found 2 .mid, 1 .jpg files)", f"composer {command} pianoroll {tmp_path}"
    )
    for name in ("a.abc", "b.abc"):
        (tmp_path / name).write_bytes(b"")
    composer(command, "text", tmp_path, *more).failed(f"composer {command} abc {tmp_path}")


def test_the_command_for_files_of_another_representation_can_be_pasted(composer, tmp_path):
    folder = tmp_path / "my tunes"
    folder.mkdir()
    (folder / "a.abc").write_bytes(b"")
    composer("train", "text", folder).failed(f"composer train abc '{folder}'")


@pytest.mark.parametrize("name", ["a.abc", "a.mid"])
def test_empty_music_has_one_hint(composer, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"")
    hint = "hint: use a file with notes: ABC, MIDI, MusicXML, MEI or kern"
    convert = ("convert", path, "-o", tmp_path / "b.musicxml")
    for command in (("show", path), ("play", path), convert, ("harmonize", path), ("train", "abc", path)):
        composer(*command).failed(f"{path} is empty", hint)


class TestTables:
    def test_without_the_column(self, composer, tmp_path):
        (tmp_path / "songs.csv").write_text("artist,words\nme,la la la\nyou,do re mi\n")
        composer("train", "text", tmp_path / "songs.csv", "-O", "column=rhymes").failed(
            "`rhymes`", "`artist`", "`words`"
        )

    def test_with_zeros(self, composer, tmp_path):
        (tmp_path / "songs.csv").write_bytes(b"text\nla\0la\n")
        composer("train", "text", tmp_path / "songs.csv").failed("songs.csv is not a text file")

    def test_with_one_row(self, composer, tmp_path):
        (tmp_path / "songs.csv").write_text("text\nla la la\n")
        done = composer("train", "text", tmp_path / "songs.csv", "--max-updates", "1", "--set", "hidden=4")
        assert done.code == 0
        assert "only 1 piece, too few to hold some out" in done.err


def test_a_text_of_one_character(composer, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    composer("train", "text", tmp_path / "a.txt").failed("only one character")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("range=100-20", "100-20"),
        ("stack=0", "invalid value for `stack`: '0'"),
        ("steps=0", "invalid value for `steps`: '0'"),
        ("steps=1000", "invalid value for `steps`: '1000'"),
        ("onsets=maybe", "invalid value for `onsets`"),
        ("offgrid=bend", "invalid value for `offgrid`"),
    ],
)
def test_options_that_make_no_sense(composer, tmp_path, option, words):
    (tmp_path / "good.mid").write_bytes(midi(NOTE))
    composer("train", "pianoroll", tmp_path, "-O", option).failed(words, code=2)


def test_a_range_that_the_model_does_not_compose(composer, pianist):
    asked = ("gen", "pianoroll", "--checkpoint", pianist, "--range", "110-120")
    composer(*asked).failed(
        "--range 110-120 has none of the model's pitches", "(21-108)", "use --range A0-C8, or a part of it"
    )


def test_a_part_that_no_file_has(composer, tmp_path):
    (tmp_path / "good.mid").write_bytes(midi(b"\x00\xff\x03\x05Flute" + NOTE))
    composer("train", "pianoroll", tmp_path, "-O", "parts=harp").failed("no part `harp`", "Flute")


def test_a_primer_longer_than_the_piece(composer, tmp_path, pianist):
    (tmp_path / "long.mid").write_bytes(midi(NOTE * 40))
    asked = ("--prime", tmp_path / "long.mid", "--length", "8")
    composer("gen", "pianoroll", "--checkpoint", pianist, *asked).failed("the primer, which has", "--length", code=2)


@pytest.fixture
def pianist(composer, tmp_path, home):
    """A model of piano-rolls that has learned one note."""
    (tmp_path / "note.mid").write_bytes(midi(NOTE))
    composer(
        "train", "pianoroll", tmp_path / "note.mid", "--max-updates", "1", "--set", "hidden=4", "--name", "pianist"
    )
    return home / "models" / "pianist.safetensors"
