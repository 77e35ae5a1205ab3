"""Files that try to take all memory, all time, or the whole program with them, and the commands that meet them."""

from __future__ import annotations

import base64
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MEGABYTE = 1 << 20
PRETRAINED = Path(__file__).parents[2] / "composer" / "pretrained"
TUNE = "X:1\nT:A\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG FEDC|CDEF GABc|c8|]\n"
ABC_HEADER = "X:1\nT:A\nM:4/4\nL:1/8\nK:C\n"


class Case(NamedTuple):
    """An input that `make` writes into a folder, and the command that is given it there.

    It must end with an error if `fails`, else without one; None is either. stderr must contain `words`.
    """

    name: str
    make: Callable[[Path], object]
    arguments: Sequence[str]
    fails: bool | None = None
    words: str = ""
    stdin: str = ""

    def unexpected(self, code: int, stderr: str) -> str:
        """Return in what the end of the command is not as promised; empty if it is."""
        if self.fails is not None and self.fails != (code != 0):
            return f"exit code {code}"
        return "" if self.words in stderr else f"no word of `{self.words}`"


def make_removable(folder: Path) -> None:
    """Make everything in `folder` removable."""
    for each in folder.rglob("*"):
        if each.is_dir() and not each.is_symlink():
            with suppress(OSError):
                each.chmod(0o700)


def _file(name: str, content: Callable[[], str | bytes]) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        data = content()
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)

    return write


def _nothing(folder: Path) -> None:
    """Make nothing: the input is a device."""


def _tune(folder: Path) -> None:
    (folder / "tune.abc").write_text(TUNE)


# ---- archives ----


def _zip_of_zeros(name: str, sizes: Sequence[int], inside: str) -> Callable[[Path], object]:
    """An archive whose members expand to so many zeros."""

    def write(folder: Path) -> None:
        zeros = bytes(MEGABYTE)
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, size in enumerate(sizes):
                with archive.open(inside.format(number), "w") as member:
                    for _ in range(size // MEGABYTE):
                        member.write(zeros)

    return write


def _zip_of_many(name: str, count: int) -> Callable[[Path], object]:
    """An archive of so many empty tunes."""

    def write(folder: Path) -> None:
        with zipfile.ZipFile(folder / name, "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}.abc", "")

    return write


def _overlapping_zip(folder: Path) -> None:
    """An archive whose 2,000 directory entries all point to the same 4 MB member."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = TUNE.encode() + b"%" * (4 * MEGABYTE) + b"\n"
    data = packed.compress(content) + packed.flush()
    checksum, local, entries = zlib.crc32(content), b"", b""
    name = b"00000.abc"
    facts = (20, 0, 8, 0, 0, checksum, len(data), len(content), len(name), 0)
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, *facts) + name + data
    count = 2000
    for number in range(count):
        entry = (0x02014B50, 20, *facts, 0, 0, 0, 0, 0)
        entries += struct.pack("<IHHHHHHIIIHHHHHII", *entry) + b"%05d.abc" % number
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(entries), len(local), 0)
    (folder / "overlap.zip").write_bytes(local + entries + end)


# ---- notation ----


def _kern(records: int, token: str = "4c") -> str:
    return "**kern\n*M4/4\n" + "".join(f"{token}\n" for _ in range(records)) + "*-\n"


def _wide_kern() -> str:
    return "\t".join(["**kern"] * 20_000) + "\n" + ("\t".join(["4c"] * 20_000) + "\n") * 20


def _splitting_kern() -> str:
    lines, width = ["**kern"], 1
    while width < 1 << 16:
        lines.append("\t".join(["*^"] * width))
        width *= 2
        lines.append("\t".join(["4c"] * width))
    return "\n".join(lines)


def _midi(notes: int) -> bytes:
    track = b"\x00\x90\x3c\x50\x60\x80\x3c\x00" * notes + b"\x00\xff\x2f\x00"
    return struct.pack(">4sIHHH", b"MThd", 6, 0, 1, 96) + struct.pack(">4sI", b"MTrk", len(track)) + track


def _musicxml(bars: int, notes: int) -> str:
    note = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note>"
    inside = "".join(f'<measure number="{bar}">{note * notes}</measure>' for bar in range(bars))
    return (
        '<score-partwise><part-list><score-part id="P"><part-name/></score-part></part-list>'
        f'<part id="P">{inside}</part></score-partwise>'
    )


def _mei(notes: int) -> str:
    note = '<note pname="c" oct="4" dur="4"/>'
    return (
        '<mei xmlns="http://www.music-encoding.org/ns/mei"><music><body><mdiv><score><scoreDef><staffGrp>'
        '<staffDef n="1" lines="5"/></staffGrp></scoreDef><section><measure n="1"><staff n="1"><layer>'
        f"{note * notes}</layer></staff></measure></section></score></mdiv></body></music></mei>"
    )


def _many_tunes(count: int) -> str:
    return "\n".join(TUNE.replace("X:1", f"X:{number}") for number in range(1, count + 1))


def _equal_notes(count: int) -> str:
    return ABC_HEADER + ("CCCC CCCC|" * 8 + "\n") * (count // 64)


# ---- provenance ----


def _recorded(facts: dict[str, object], pieces: int = 1) -> Callable[[Path], object]:
    """A tune that says that the bundled model made it, by these settings."""

    def write(folder: Path) -> None:
        import hashlib

        model = hashlib.sha256((PRETRAINED / "abc.safetensors").read_bytes()).hexdigest()
        texts = []
        for number in range(1, pieces + 1):
            known = {
                "representation": "abc", "seed": number, "format": "abc", "batch_size": 1, "model": model,
                "plugins": {}, "device": "cpu", "numpy": "2", "rules": 2, "number": number,
            }  # fmt: skip
            line = "N:composer 0.1.0 " + json.dumps({**known, **facts}, separators=(",", ":"))
            texts.append(TUNE.replace("X:1\n", f"X:{number}\n{line}\n"))
        (folder / "made.abc").write_text("\n".join(texts))

    return write


def _packed(text: bytes) -> str:
    return base64.b64encode(zlib.compress(text, 9)).decode()


# ---- checkpoints ----


def _checkpoint(change: Callable[[dict[str, object], dict[str, object]], object], name: str = "abc") -> bytes:
    """The bundled model after `change` to its facts and to its table of arrays."""
    data = (PRETRAINED / f"{name}.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + size])
    facts = json.loads(table["__metadata__"]["composer"])
    change(facts, table)
    table["__metadata__"]["composer"] = json.dumps(facts)
    text = json.dumps(table).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def _with_config(**config: object) -> Callable[[], bytes]:
    return lambda: _checkpoint(lambda facts, table: facts["config"].update(config))  # type: ignore[attr-defined]


def _with_spec_size(size: int) -> bytes:
    return _checkpoint(lambda facts, table: facts["spec"].update(size=size))  # type: ignore[attr-defined]


def _sparse(size: int) -> Callable[[Path], object]:
    """A checkpoint that claims one array of `size` bytes, all holes."""

    def write(folder: Path) -> None:
        def claim(facts: dict[str, object], table: dict[str, object]) -> None:
            metadata = table["__metadata__"]
            table.clear()
            table["__metadata__"] = metadata
            table["embed.weight"] = {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}

        data = _checkpoint(claim)
        header = data[: 8 + int.from_bytes(data[:8], "little")]
        path = folder / "huge.safetensors"
        path.write_bytes(header)
        os.truncate(path, len(header) + size)

    return write


# ---- folders of models and of the cache ----


def _bad_models(folder: Path) -> None:
    """A folder of models with a dangling link, a loop, a pipe, a device, a folder and a file that nobody may read."""
    models = folder / "home" / "models"
    models.mkdir(parents=True, mode=0o700)
    (models / "dangling.safetensors").symlink_to(folder / "nowhere")
    (models / "loop.safetensors").symlink_to(models / "loop.safetensors")
    os.mkfifo(models / "pipe.safetensors")
    (models / "device.safetensors").symlink_to("/dev/zero")
    (models / "folder.safetensors").mkdir()
    (models / "locked.safetensors").write_bytes(b"")
    (models / "locked.safetensors").chmod(0)
    (models / "empty.safetensors").write_bytes(b"")
    _tune(folder)


def _models_is(kind: str) -> Callable[[Path], object]:
    """The folder of models is itself something else."""

    def write(folder: Path) -> None:
        _tune(folder)
        models = folder / "home" / "models"
        models.parent.mkdir(mode=0o700)
        if kind == "file":
            models.write_text("")
        elif kind == "loop":
            models.symlink_to(models)
        elif kind == "dangling":
            models.symlink_to(folder / "nowhere")
        elif kind == "pipe":
            os.mkfifo(models)
        elif kind == "locked":
            models.mkdir(mode=0)

    return write


def _pipes(folder: Path) -> None:
    (folder / "tunes").mkdir()
    os.mkfifo(folder / "tunes" / "a.abc")
    (folder / "tunes" / "b.abc").symlink_to("/dev/zero")
    (folder / "tunes" / "c.abc").symlink_to(folder / "tunes" / "c.abc")
    (folder / "tunes" / "d.abc").write_text(TUNE)


ZERO = "/dev/zero"
TRAIN = ("--model", "markov", "--epochs", "1")
SMALL = ("--length", "40", "--candidates", "1", "-q")

CASES: Sequence[Case] = (
    *(
        Case("device", _nothing, arguments, True)
        for arguments in (
            ("check", ZERO),
            ("show", ZERO),
            ("convert", ZERO, "-o", "a.mid"),
            ("originality", ZERO),
            ("replay", ZERO),
            ("harmonize", ZERO),
            ("gen", "abc", "--prime", ZERO),
            ("gen", "abc", "--checkpoint", ZERO),
            ("gen", "text", "--prime", ZERO),
            ("train", "abc", ZERO),
            ("train", "text", ZERO),
            ("eval", "abc", ZERO),
            ("eval", "abc", "--generated", ZERO, "--against", ZERO),
            ("plugins", ZERO),
            ("gen", "text", "--prime", "/dev/urandom"),
            ("train", "pianoroll", "/dev/urandom"),
            ("train", "text", "/dev/urandom"),
            ("check", "/dev/urandom"),
        )
    ),
    *(
        Case("device on stdin", _nothing, arguments, True, stdin=ZERO)
        for arguments in (
            ("check", "-"),
            ("show", "-"),
            ("convert", "-", "-o", "a.mid"),
            ("replay", "-"),
            ("gen", "abc", "--prime", "-"),
            ("train", "text", "-"),
            ("originality", "-"),
            ("harmonize", "-"),
        )
    ),
    Case("device as list", _tune, ("train", "abc", "tune.abc", "--split", ZERO), True),
    Case("device as model", _tune, ("train", "abc", "tune.abc", "--from", ZERO), True),
    Case("device as preset", _tune, ("train", "abc", "tune.abc", "--preset", ZERO), True),
    Case("pipe and device in a folder", _pipes, ("check", "tunes")),
    Case("pipe and device in a folder", _pipes, ("train", "abc", "tunes", *TRAIN), False),
    Case("zip: one of 2 GB", _zip_of_zeros("a.zip", [2048 * MEGABYTE], "{}.abc"), ("check", "a.zip"), True, "a.zip"),
    Case(
        "zip: 40 of 128 MB", _zip_of_zeros("a.zip", [128 * MEGABYTE] * 40, "{}.abc"), ("check", "a.zip"), True, "a.zip"
    ),
    Case(
        "zip: 40 of 128 MB", _zip_of_zeros("a.zip", [128 * MEGABYTE] * 40, "{}.txt"), ("train", "text", "a.zip"), True
    ),
    Case("zip: 2,000 overlapping", _overlapping_zip, ("check", "overlap.zip"), None, "overlap.zip"),
    Case("zip: 300,000 members", _zip_of_many("a.zip", 300_000), ("check", "a.zip"), True),
    Case("mxl: 2 GB", _zip_of_zeros("a.mxl", [2048 * MEGABYTE], "score.xml"), ("check", "a.mxl"), True, "a.mxl"),
    Case("kern: 1 million notes", _file("a.krn", lambda: _kern(1_000_000)), ("check", "a.krn"), True),
    Case("kern: 190,000 notes", _file("a.krn", lambda: _kern(190_000)), ("check", "a.krn")),
    Case("kern: 15,000 notes", _file("a.krn", lambda: _kern(15_000)), ("check", "a.krn")),
    Case("kern: 20,000 spines", _file("a.krn", _wide_kern), ("check", "a.krn"), True),
    Case("kern: splits 16 times", _file("a.krn", _splitting_kern), ("check", "a.krn"), True),
    Case("kern: line of 30 MB", _file("a.krn", lambda: _kern(1, "4c " * (10 * MEGABYTE))), ("check", "a.krn"), True),
    Case("kern: 30 MB of blank lines", _file("a.krn", lambda: _kern(1) + "\n" * (30 * MEGABYTE)), ("check", "a.krn")),
    Case("kern: 30 MB of comments", _file("a.krn", lambda: "!! a\n" * (6 * MEGABYTE) + _kern(1)), ("check", "a.krn")),
    *(
        Case(f"abc: {name}", _file("a.abc", content), arguments)
        for name, content in {
            "line of 50 MB": lambda: ABC_HEADER + "C" * (50 * MEGABYTE),
            "50 MB of bars": lambda: ABC_HEADER + "CDEF|" * (10 * MEGABYTE),
            "50 MB of lines": lambda: ABC_HEADER + "CDEF|\n" * (8 * MEGABYTE),
            "1 MB of notes": lambda: ABC_HEADER + ("CDEF GABc|" * 8 + "\n") * 13_000,
            "50 MB of title": lambda: "X:1\nT:" + "a" * (50 * MEGABYTE) + "\nK:C\nCDEF|\n",
            "1 million fields": lambda: "X:1\n" + "W:a\n" * 1_000_000 + "K:C\nCDEF|\n",
            "1 MB of (": lambda: ABC_HEADER + "(" * MEGABYTE + "CDEF|",
            "1 MB of {": lambda: ABC_HEADER + "{c" * (MEGABYTE // 2) + "CDEF|",
            "1 MB of one chord": lambda: ABC_HEADER + "[" + "C" * MEGABYTE + "]|",
            "1 MB of one symbol": lambda: ABC_HEADER + '"' + "C" * MEGABYTE + '"C|',
            "100,000 digits": lambda: ABC_HEADER + "C" + "9" * 100_000 + "|",
            "nested repeats": lambda: ABC_HEADER + "|:CDEF:" * 40_000 + "|",
            "100,000 repeats": lambda: ABC_HEADER + "|" + ":" * 100_000 + "CDEF GABc" + ":" * 100_000 + "|",
            "parts 99(99(99(A)))": lambda: "X:1\nP:((((A99)99)99)99)99\nM:4/4\nL:1/8\nK:C\nP:A\nCDEF GABc|\n",
            "20,000 voices": lambda: ABC_HEADER + "".join(f"V:{n}\nC4 C4|\n" for n in range(20_000)),
            "20,000 meters": lambda: ABC_HEADER + "".join(f"[M:{n}/4]C4|\n" for n in range(20_000)),
            "50,000 tunes": lambda: _many_tunes(50_000),
            "50 MB of X:": lambda: "X:1\n" * (12 * MEGABYTE),
            "50 MB of %": lambda: "%" * (50 * MEGABYTE) + "\n" + TUNE,
            "macros": lambda: "X:1\nm:n=nnnnnnnnnnnnnnnn\n" * 1000 + "K:C\nn|\n",
            "50,000 equal notes": lambda: _equal_notes(50_000),
        }.items()
        for arguments in (("check", "a.abc"), ("show", "a.abc"))
    ),
    *(
        Case(f"abc: {name}", _file("a.abc", content), ("train", "abc", "a.abc", *TRAIN))
        for name, content in {
            "line of 50 MB": lambda: ABC_HEADER + "C" * (50 * MEGABYTE),
            "50 MB of lines": lambda: ABC_HEADER + "CDEF|\n" * (8 * MEGABYTE),
            "1 MB of notes": lambda: ABC_HEADER + ("CDEF GABc|" * 8 + "\n") * 13_000,
            "50,000 tunes": lambda: _many_tunes(50_000),
        }.items()
    ),
    *(
        Case(f"text: {name}", _file("a.txt", content), arguments)
        for name, content in {
            "line of 200 MB": lambda: "a" * (200 * MEGABYTE),
            "40 MB of lines": lambda: "so it goes on\n" * (3 * MEGABYTE),
            "40 MB of line ends": lambda: "\n" * (40 * MEGABYTE),
            "all characters": lambda: "".join(map(chr, range(32, 0xD800))) * 20,
        }.items()
        for arguments in (
            ("check", "a.txt"),
            ("gen", "text", "--prime", "a.txt", *SMALL),
            ("train", "text", "a.txt", *TRAIN),
        )
    ),
    Case(
        "csv: field of 50 MB",
        _file("a.csv", lambda: 'text\n"' + "a" * (50 * MEGABYTE) + '"\n'),
        ("train", "text", "a.csv", *TRAIN),
    ),
    Case("midi: 1 million notes", _file("a.mid", lambda: _midi(1_000_000)), ("check", "a.mid"), True),
    Case("midi: 400,000 notes", _file("a.mid", lambda: _midi(90_000)), ("check", "a.mid")),
    Case("midi: 30 million notes", _file("a.mid", lambda: _midi(30_000_000)), ("check", "a.mid"), True),
    Case("midi: 90,000 notes", _file("a.mid", lambda: _midi(90_000)), ("originality", "a.mid")),
    Case("midi: 90,000 notes", _file("a.mid", lambda: _midi(90_000)), ("gen", "grid", "--prime", "a.mid", *SMALL)),
    Case("musicxml: 9,000 bars", _file("a.musicxml", lambda: _musicxml(9000, 16)), ("check", "a.musicxml")),
    Case("musicxml: 30 MB of notes", _file("a.musicxml", lambda: _musicxml(1, 370_000)), ("check", "a.musicxml")),
    Case("musicxml: 100,000 bars", _file("a.musicxml", lambda: _musicxml(100_000, 1)), ("check", "a.musicxml"), True),
    Case("mei: 49,000 notes", _file("a.mei", lambda: _mei(49_000)), ("check", "a.mei")),
    Case("mei: 300,000 notes", _file("a.mei", lambda: _mei(300_000)), ("check", "a.mei"), True),
    *(
        Case("50,000 equal notes", _file("a.abc", lambda: _equal_notes(50_000)), arguments)
        for arguments in (
            ("originality", "a.abc"),
            ("originality", "a.abc", "--against", "a.abc"),
            ("gen", "abc", "--prime", "a.abc", *SMALL),
            ("convert", "a.abc", "-o", "b.mid"),
            ("harmonize", "a.abc", "-q"),
        )
    ),
    Case("replay: length", _recorded({"length": 10**9}), ("replay", "made.abc"), True),
    Case(
        "replay: length and candidates",
        _recorded({"length": 10**8, "unconstrained": True}),
        ("replay", "made.abc"),
        True,
    ),
    Case("replay: batch size", _recorded({"batch_size": 10**9}), ("replay", "made.abc"), True),
    Case("replay: batch size 4096", _recorded({"batch_size": 4096}), ("replay", "made.abc")),
    Case("replay: number", _recorded({"number": 10**18}), ("replay", "made.abc")),
    Case("replay: 20,000 pieces", _recorded({"length": 50}, 20_000), ("replay", "made.abc"), True),
    Case(
        "replay: primer",
        _recorded({"primer": _packed(b"[" + b"1," * 20_000_000 + b"1]")}),
        ("replay", "made.abc"),
        True,
    ),
    Case(
        "replay: primer of 1 million",
        _recorded({"primer": _packed(b"[" + b"20," * 1_000_000 + b"1]")}),
        ("replay", "made.abc"),
        True,
    ),
    Case("replay: nested primer", _recorded({"primer": _packed(b"[" * 10_000_000)}), ("replay", "made.abc"), True),
    Case("replay: gibbs", _recorded({"gibbs": 10**6}), ("replay", "made.abc"), True),
    Case("replay: particles", _recorded({"particles": 4096}), ("replay", "made.abc")),
    *(
        Case(f"checkpoint: {name}", _file("m.safetensors", content), arguments, True)
        for name, content in {
            "hidden=10**9": _with_config(hidden=10**9),
            "layers=10**9": _with_config(layers=10**9),
            "window=10**9": _with_config(window=10**9),
            "embedding=10**8": _with_config(embedding=10**8),
            "hidden=30000": _with_config(hidden=30_000),
            "spec size 10**9": lambda: _with_spec_size(10**9),
            "header of 4 GB": lambda: (1 << 32).to_bytes(8, "little") + b"{" * 100,
            "header of 2**63": lambda: (1 << 63).to_bytes(8, "little") + b"{" * 100,
            "header of [": lambda: (4 * MEGABYTE).to_bytes(8, "little") + b"[" * (4 * MEGABYTE),
        }.items()
        for arguments in (
            ("gen", "abc", "--checkpoint", "m.safetensors", *SMALL),
            ("train", "abc", "tune.abc", "--from", "m.safetensors", "--max-updates", "1"),
        )
    ),
    Case("checkpoint: 20 GB of holes", _sparse(20 << 30), ("gen", "abc", "--checkpoint", "huge.safetensors"), True),
    Case("checkpoint: 20 GB of holes", _sparse(20 << 30), ("show", "huge.safetensors")),
    Case(
        "train: hidden=10**7",
        _tune,
        ("train", "abc", "tune.abc", "--set", "hidden=10000000", "--max-updates", "1"),
        True,
    ),
    *(
        Case("bad files among models", _bad_models, arguments, False, words)
        for arguments, words in (
            (("gen", "abc", "--length", "40", "--candidates", "1"), ""),
            (("plugins",), "dangling"),
            (("train", "abc", "tune.abc", *TRAIN), ""),
        )
    ),
    *(
        Case(f"models folder is {kind}", _models_is(kind), arguments, False)
        for kind in ("file", "loop", "dangling", "pipe", "locked")
        for arguments in (("gen", "abc", *SMALL), ("plugins",))
    ),
)
