"""Hostile inputs and the commands that meet them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import hostile_files as files
from hostile_files import MEGABYTE


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


ZERO = "/dev/zero"
TRAIN = ("--model", "markov", "--max-updates", "1")
SMALL = ("--length", "80", "--candidates", "1", "-q")

CASES: Sequence[Case] = (
    *(
        Case("device", files.nothing, arguments, True)
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
            ("eval", "abc", ZERO, "--generated", ZERO),
            ("plugins", ZERO),
            ("gen", "text", "--prime", "/dev/urandom"),
            ("train", "pianoroll", "/dev/urandom"),
            ("train", "text", "/dev/urandom"),
            ("check", "/dev/urandom"),
        )
    ),
    *(
        Case("device on stdin", files.nothing, arguments, True, stdin=ZERO)
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
    Case("device as list", files.tune, ("train", "abc", "tune.abc", "--split", ZERO), True),
    Case("device as model", files.tune, ("train", "abc", "tune.abc", "--from", ZERO), True),
    Case("device as preset", files.tune, ("train", "abc", "tune.abc", "--preset", ZERO), True),
    Case("pipe and device in a folder", files.pipes, ("check", "tunes")),
    Case("pipe and device in a folder", files.pipes, ("train", "abc", "tunes", *TRAIN), False),
    Case("zip: one of 2 GB", files.zip_of_zeros("a.zip", [2048 * MEGABYTE], "{}.abc"), ("check", "a.zip"), True),
    Case("zip: 40 of 128 MB", files.zip_of_zeros("a.zip", [128 * MEGABYTE] * 40, "{}.abc"), ("check", "a.zip"), True),
    Case(
        "zip: 40 of 128 MB",
        files.zip_of_zeros("a.zip", [128 * MEGABYTE] * 40, "{}.txt"),
        ("train", "text", "a.zip"),
        True,
    ),
    Case("zip: 2,000 overlapping", files.overlapping_zip, ("check", "overlap.zip")),
    Case("zip: 300,000 members", files.zip_of_many("a.zip", 300_000), ("check", "a.zip"), True),
    Case("zip: 90,000 members", files.zip_of_many("a.zip", 90_000), ("check", "a.zip"), True),
    Case("mxl: 2 GB", files.zip_of_zeros("a.mxl", [2048 * MEGABYTE], "score.xml"), ("check", "a.mxl"), True),
    Case("kern: 1 million notes", files.file_of("a.krn", lambda: files.kern(1_000_000)), ("check", "a.krn"), True),
    Case("kern: 90,000 notes", files.file_of("a.krn", lambda: files.kern(90_000)), ("check", "a.krn"), True),
    Case("kern: 24,000 notes", files.file_of("a.krn", lambda: files.kern(24_000)), ("check", "a.krn"), False),
    Case("kern: 79,000 tokens", files.file_of("a.krn", lambda: files.wide_kern(19_800, 3)), ("check", "a.krn"), False),
    Case("kern: 96,000 notes by sections", files.file_of("a.krn", lambda: files.kern_sections(4)), ("check", "a.krn")),
    Case("kern: 20,000 spines", files.file_of("a.krn", lambda: files.wide_kern(4, 20_000)), ("check", "a.krn"), True),
    Case("kern: splits 16 times", files.file_of("a.krn", files.splitting_kern), ("check", "a.krn"), True),
    Case(
        "kern: line of 30 MB",
        files.file_of("a.krn", lambda: files.kern(1, "4c " * (10 * MEGABYTE))),
        ("check", "a.krn"),
        True,
    ),
    Case(
        "kern: 30 MB of blank lines",
        files.file_of("a.krn", lambda: files.kern(1) + "\n" * (30 * MEGABYTE)),
        ("check", "a.krn"),
    ),
    Case(
        "kern: 30 MB of comments",
        files.file_of("a.krn", lambda: "!! a\n" * (6 * MEGABYTE) + files.kern(1)),
        ("check", "a.krn"),
    ),
    *(
        Case(f"abc: {name}", files.file_of("a.abc", content), arguments)
        for name, content in {
            "line of 50 MB": lambda: files.ABC_HEADER + "C" * (50 * MEGABYTE),
            "50 MB of bars": lambda: files.ABC_HEADER + "CDEF|" * (10 * MEGABYTE),
            "50 MB of lines": lambda: files.ABC_HEADER + "CDEF|\n" * (8 * MEGABYTE),
            "1 MB of notes": lambda: files.ABC_HEADER + ("CDEF GABc|" * 8 + "\n") * 13_000,
            "50 MB of title": lambda: "X:1\nT:" + "a" * (50 * MEGABYTE) + "\nK:C\nCDEF|\n",
            "1 million fields": lambda: "X:1\n" + "W:a\n" * 1_000_000 + "K:C\nCDEF|\n",
            "1 MB of (": lambda: files.ABC_HEADER + "(" * MEGABYTE + "CDEF|",
            "1 MB of {": lambda: files.ABC_HEADER + "{c" * (MEGABYTE // 2) + "CDEF|",
            "1 MB of one chord": lambda: files.ABC_HEADER + "[" + "C" * MEGABYTE + "]|",
            "1 MB of one symbol": lambda: files.ABC_HEADER + '"' + "C" * MEGABYTE + '"C|',
            "100,000 digits": lambda: files.ABC_HEADER + "C" + "9" * 100_000 + "|",
            "nested repeats": lambda: files.ABC_HEADER + "|:CDEF:" * 40_000 + "|",
            "100,000 repeats": lambda: files.ABC_HEADER + "|" + ":" * 100_000 + "CDEF GABc" + ":" * 100_000 + "|",
            "parts 99(99(99(A)))": lambda: "X:1\nP:((((A99)99)99)99)99\nM:4/4\nL:1/8\nK:C\nP:A\nCDEF GABc|\n",
            "20,000 voices": lambda: files.ABC_HEADER + "".join(f"V:{n}\nC4 C4|\n" for n in range(20_000)),
            "20,000 meters": lambda: files.ABC_HEADER + "".join(f"[M:{n}/4]C4|\n" for n in range(20_000)),
            "10,000 tunes": lambda: files.many_tunes(10_000),  # more take longer, as they should
            "50 MB of X:": lambda: "X:1\n" * (12 * MEGABYTE),
            "50 MB of %": lambda: "%" * (50 * MEGABYTE) + "\n" + files.TUNE,
            "macros": lambda: "X:1\nm:n=nnnnnnnnnnnnnnnn\n" * 1000 + "K:C\nn|\n",
            "50,000 equal notes": lambda: files.equal_notes(50_000),
        }.items()
        for arguments in (("check", "a.abc"), ("show", "a.abc"))
    ),
    *(
        Case(f"abc: {name}", files.file_of("a.abc", content), ("train", "abc", "a.abc", *TRAIN))
        for name, content in {
            "line of 50 MB": lambda: files.ABC_HEADER + "C" * (50 * MEGABYTE),
            "50 MB of lines": lambda: files.ABC_HEADER + "CDEF|\n" * (8 * MEGABYTE),
            "1 MB of notes": lambda: files.ABC_HEADER + ("CDEF GABc|" * 8 + "\n") * 13_000,
            "10,000 tunes": lambda: files.many_tunes(10_000),
        }.items()
    ),
    *(
        Case(f"text: {name}", files.file_of("a.txt", content), arguments)
        for name, content in {
            "line of 200 MB": lambda: "a" * (200 * MEGABYTE),
            "40 MB of lines": lambda: files.lines(3 * MEGABYTE),
            "40 MB of line ends": lambda: "\n" * (40 * MEGABYTE),
            "all characters": lambda: "".join(map(chr, range(32, 0xD800))) * 20,
        }.items()
        for arguments in (("check", "a.txt"), ("gen", "text", "--prime", "a.txt", *SMALL))
    ),
    *(
        Case(f"text: {name}", files.file_of("a.txt", content), ("train", "text", "a.txt", *TRAIN))
        for name, content in {
            "line of 200 MB": lambda: "a" * (200 * MEGABYTE),
            "7 MB of lines": lambda: files.lines(MEGABYTE // 2),  # to train on more takes longer, as it should
            "40 MB of line ends": lambda: "\n" * (40 * MEGABYTE),
            "all characters": lambda: "".join(map(chr, range(32, 0xD800))) * 20,
        }.items()
    ),
    Case(
        "csv: field of 50 MB",
        files.file_of("a.csv", lambda: 'text\n"' + "a" * (50 * MEGABYTE) + '"\n'),
        ("train", "text", "a.csv", *TRAIN),
    ),
    Case("midi: 1 million notes", files.file_of("a.mid", lambda: files.midi(1_000_000)), ("check", "a.mid"), True),
    Case("midi: 400,000 notes", files.file_of("a.mid", lambda: files.midi(90_000)), ("check", "a.mid")),
    Case("midi: 30 million notes", files.file_of("a.mid", lambda: files.midi(30_000_000)), ("check", "a.mid"), True),
    Case("midi: 90,000 notes", files.file_of("a.mid", lambda: files.midi(90_000)), ("originality", "a.mid")),
    Case(
        "midi: 90,000 notes",
        files.file_of("a.mid", lambda: files.midi(90_000)),
        ("gen", "grid", "--prime", "a.mid", *SMALL),
    ),
    Case(
        "musicxml: 9,000 bars", files.file_of("a.musicxml", lambda: files.musicxml(9000, 16)), ("check", "a.musicxml")
    ),
    Case(
        "musicxml: 30 MB of notes",
        files.file_of("a.musicxml", lambda: files.musicxml(1, 370_000)),
        ("check", "a.musicxml"),
        True,
    ),
    *(
        Case(f"musicxml: {name}", files.file_of("a.musicxml", content), ("check", "a.musicxml"))
        for name, content in {
            "149,000 notes in a bar": lambda: files.musicxml(1, 149_000, divisions=4),
            "149,000 notes in 9,312 bars": lambda: files.musicxml(9312, 16, divisions=4),
            "480,000 notes by repeats": lambda: files.musicxml(1, 30_000, divisions=64, times=16),
        }.items()
    ),
    Case(
        "musicxml: 100,000 bars",
        files.file_of("a.musicxml", lambda: files.musicxml(100_000, 1)),
        ("check", "a.musicxml"),
        True,
    ),
    Case("mei: 49,000 notes", files.file_of("a.mei", lambda: files.mei(1, 49_000)), ("check", "a.mei"), False),
    Case("mei: 4,900 bars", files.file_of("a.mei", lambda: files.mei(4900, 10)), ("check", "a.mei"), False),
    Case("mei: 300,000 notes", files.file_of("a.mei", lambda: files.mei(1, 300_000)), ("check", "a.mei"), True),
    *(
        Case("50,000 equal notes", files.file_of("a.abc", lambda: files.equal_notes(50_000)), arguments)
        for arguments in (
            ("originality", "a.abc"),
            ("originality", "a.abc", "--corpus", "a.abc"),
            ("gen", "abc", "--prime", "a.abc", *SMALL),
            ("convert", "a.abc", "-o", "b.mid"),
            ("harmonize", "a.abc", "--style", "chords", "-o", "b.abc"),
        )
    ),
    Case("replay: length", files.recorded({"length": 10**9}), ("replay", "made.abc"), True),
    Case(
        "replay: length and candidates",
        files.recorded({"length": 10**8, "unconstrained": True}),
        ("replay", "made.abc"),
        True,
    ),
    Case("replay: batch size", files.recorded({"batch_size": 10**9}), ("replay", "made.abc"), True),
    Case(
        "replay: batch size 4096", files.recorded({"batch_size": 4096}), ("replay", "made.abc"), True, "more than 1,024"
    ),
    Case("replay: steps", files.recorded({"batch_size": 64, "length": 90_000}), ("replay", "made.abc"), True, "steps"),
    Case("replay: bars", files.recorded({"controls": {"bars": 100_000}}), ("replay", "made.abc"), True),
    Case("replay: batch size 150", files.recorded({"batch_size": 150}), ("replay", "made.abc")),
    Case("replay: number", files.recorded({"number": 10**18}), ("replay", "made.abc")),
    Case("replay: 100 pieces", files.recorded({"length": 50}, 100), ("replay", "made.abc"), True),
    Case(
        "replay: primer",
        files.recorded({"primer": files.packed(b"[" + b"1," * 20_000_000 + b"1]")}),
        ("replay", "made.abc"),
        True,
    ),
    Case(
        "replay: primer of 1 million",
        files.recorded({"primer": files.packed(b"[" + b"20," * 1_000_000 + b"1]")}),
        ("replay", "made.abc"),
        True,
    ),
    Case(
        "replay: nested primer",
        files.recorded({"primer": files.packed(b"[" * 10_000_000)}),
        ("replay", "made.abc"),
        True,
    ),
    *(Case(f"replay: gibbs {n}", files.recorded({"gibbs": n}), ("replay", "made.abc"), True) for n in (9999, 10**6)),
    Case("replay: particles", files.recorded({"particles": 4096}), ("replay", "made.abc"), True, "more than 1,024"),
    *(
        Case(f"checkpoint: {name}", files.file_of("m.safetensors", content), arguments, True)
        for name, content in {
            "hidden=10**9": files.with_config(hidden=10**9),
            "layers=10**9": files.with_config(layers=10**9),
            "window=10**9": files.with_config(window=10**9),
            "embedding=10**8": files.with_config(embedding=10**8),
            "hidden=30000": files.with_config(hidden=30_000),
            "spec size 10**9": lambda: files.with_spec_size(10**9),
            "header of 4 GB": lambda: (1 << 32).to_bytes(8, "little") + b"{" * 100,
            "header of 2**63": lambda: (1 << 63).to_bytes(8, "little") + b"{" * 100,
            "header of [": lambda: (4 * MEGABYTE).to_bytes(8, "little") + b"[" * (4 * MEGABYTE),
        }.items()
        for arguments in (
            ("gen", "abc", "--checkpoint", "m.safetensors", *SMALL),
            ("train", "abc", "tune.abc", "--from", "m.safetensors", "--max-updates", "1"),
        )
    ),
    Case(
        "checkpoint: 20 GB of holes", files.sparse(20 << 30), ("gen", "abc", "--checkpoint", "huge.safetensors"), True
    ),
    Case("checkpoint: 20 GB of holes", files.sparse(20 << 30), ("show", "huge.safetensors")),
    Case(
        "train: hidden=10**7",
        files.tune,
        ("train", "abc", "tune.abc", "--set", "hidden=10000000", "--max-updates", "1"),
        True,
    ),
    *(
        Case("bad files among models", files.bad_models, arguments, False, words)
        for arguments, words in (
            (("gen", "abc", "--length", "80", "--candidates", "1"), ""),
            (("plugins",), "dangling"),
            (("train", "abc", "tune.abc", *TRAIN), ""),
        )
    ),
    *(
        Case(f"models folder is {kind}", files.models_is(kind), arguments, False)
        for kind in ("file", "loop", "dangling", "pipe", "locked")
        for arguments in (("gen", "abc", *SMALL), ("plugins",))
    ),
)
