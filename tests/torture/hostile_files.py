"""Files that try to take all memory, all time, or the whole program with them."""

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

MEGABYTE = 1 << 20
PRETRAINED = Path(__file__).parents[2] / "composer" / "pretrained"
TUNE = "X:1\nT:A\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG FEDC|CDEF GABc|c8|]\n"
ABC_HEADER = "X:1\nT:A\nM:4/4\nL:1/8\nK:C\n"


def make_removable(folder: Path) -> None:
    """Make everything in `folder` removable."""
    for each in folder.rglob("*"):
        if each.is_dir() and not each.is_symlink():
            with suppress(OSError):
                each.chmod(0o700)


def file_of(name: str, content: Callable[[], str | bytes]) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        data = content()
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)

    return write


def nothing(folder: Path) -> None:
    """Make nothing: the input is a device."""


def tune(folder: Path) -> None:
    (folder / "tune.abc").write_text(TUNE)


# ---- archives ----


def zip_of_zeros(name: str, sizes: Sequence[int], inside: str) -> Callable[[Path], object]:
    """An archive whose members expand to so many zeros."""

    def write(folder: Path) -> None:
        zeros = bytes(MEGABYTE)
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, size in enumerate(sizes):
                with archive.open(inside.format(number), "w", force_zip64=True) as member:
                    for _ in range(size // MEGABYTE):
                        member.write(zeros)

    return write


def zip_of_many(name: str, count: int) -> Callable[[Path], object]:
    """An archive of so many empty tunes."""

    def write(folder: Path) -> None:
        with zipfile.ZipFile(folder / name, "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}.abc", "")

    return write


def overlapping_zip(folder: Path) -> None:
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


def kern(records: int, token: str = "4c") -> str:
    return "**kern\n*M4/4\n" + "".join(f"{token}\n" for _ in range(records)) + "*-\n"


def wide_kern(records: int, spines: int) -> str:
    """One spine of notes, and so many of words."""
    record = "\t".join(["4c"] + ["la"] * spines) + "\n"
    return "\t".join(["**kern"] + ["**text"] * spines) + "\n" + record * records


def kern_sections(times: int) -> str:
    """A section of 24,000 sixteenths that is played so many times."""
    return f"**kern\n*>[{','.join('A' * times)}]\n*>A\n" + "16c\n" * 24_000 + "*-\n"


def splitting_kern() -> str:
    lines, width = ["**kern"], 1
    while width < 1 << 16:
        lines.append("\t".join(["*^"] * width))
        width *= 2
        lines.append("\t".join(["4c"] * width))
    return "\n".join(lines)


def midi(notes: int) -> bytes:
    track = b"\x00\x90\x3c\x50\x60\x80\x3c\x00" * notes + b"\x00\xff\x2f\x00"
    return struct.pack(">4sIHHH", b"MThd", 6, 0, 1, 96) + struct.pack(">4sI", b"MTrk", len(track)) + track


def musicxml(bars: int, notes: int, divisions: int = 1, times: int = 1) -> str:
    """Bars of so many equal notes; each of the bars is played `times` times."""
    note = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note>"
    begin = f"<attributes><divisions>{divisions}</divisions></attributes>"
    end = f'<barline><repeat direction="backward" times="{times}"/></barline>' if times > 1 else ""
    inside = "".join(f'<measure number="{bar}">{begin}{note * notes}{end}</measure>' for bar in range(bars))
    return (
        '<score-partwise><part-list><score-part id="P"><part-name/></score-part></part-list>'
        f'<part id="P">{inside}</part></score-partwise>'
    )


def mei(bars: int, notes: int) -> str:
    """So many bars of so many notes."""
    note = '<note pname="c" oct="4" dur="4"/>'
    bar = '<measure n="{}"><staff n="1"><layer>' + note * notes + "</layer></staff></measure>"
    return (
        '<mei xmlns="http://www.music-encoding.org/ns/mei" meiversion="5.0"><music><body><mdiv><score><scoreDef>'
        '<staffGrp><staffDef n="1" lines="5"/></staffGrp></scoreDef><section>'
        f"{''.join(map(bar.format, range(bars)))}</section></score></mdiv></body></music></mei>"
    )


def lines(count: int) -> str:
    return "so it goes on\n" * count


def many_tunes(count: int) -> str:
    return "\n".join(TUNE.replace("X:1", f"X:{number}") for number in range(1, count + 1))


def equal_notes(count: int) -> str:
    return ABC_HEADER + ("CCCC CCCC|" * 8 + "\n") * (count // 64)


# ---- provenance ----


def recorded(facts: dict[str, object], pieces: int = 1) -> Callable[[Path], object]:
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


def packed(text: bytes) -> str:
    return base64.b64encode(zlib.compress(text, 9)).decode()


# ---- checkpoints ----


def checkpoint(change: Callable[[dict[str, object], dict[str, object]], object], name: str = "abc") -> bytes:
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


def with_config(**config: object) -> Callable[[], bytes]:
    return lambda: checkpoint(lambda facts, table: facts["config"].update(config))  # type: ignore[attr-defined]


def with_spec_size(size: int) -> bytes:
    return checkpoint(lambda facts, table: facts["spec"].update(size=size))  # type: ignore[attr-defined]


def sparse(size: int) -> Callable[[Path], object]:
    """A checkpoint that claims one array of `size` bytes, all holes."""

    def write(folder: Path) -> None:
        def claim(facts: dict[str, object], table: dict[str, object]) -> None:
            metadata = table["__metadata__"]
            table.clear()
            table["__metadata__"] = metadata
            table["embed.weight"] = {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}

        data = checkpoint(claim)
        header = data[: 8 + int.from_bytes(data[:8], "little")]
        path = folder / "huge.safetensors"
        path.write_bytes(header)
        os.truncate(path, len(header) + size)

    return write


# ---- folders of models and of the cache ----


def bad_models(folder: Path) -> None:
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
    tune(folder)


def models_is(kind: str) -> Callable[[Path], object]:
    """The folder of models is itself something else."""

    def write(folder: Path) -> None:
        tune(folder)
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


def pipes(folder: Path) -> None:
    (folder / "tunes").mkdir()
    os.mkfifo(folder / "tunes" / "a.abc")
    (folder / "tunes" / "b.abc").symlink_to("/dev/zero")
    (folder / "tunes" / "c.abc").symlink_to(folder / "tunes" / "c.abc")
    (folder / "tunes" / "d.abc").write_text(TUNE)
