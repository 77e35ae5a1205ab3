"""Control characters become text, and nothing else changes."""

import io
import sys
from contextlib import redirect_stderr

import pytest

from composer.system.escaping import EscapedStream, escape, escape_bytes, escape_file_name, escape_line

TEXT = "Søren's Märchen, 夢 👩‍🎤 \\x1b [red]\tnext\r\nline\n"
"""Text that stays as it is; the singer is two characters with a joiner."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TEXT, TEXT),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b31m\x7f\x00", r"\x9b31m\x7f\x00"),
        ("good\rbad", r"good\rbad"),
        ("\u202egpj\u2066\u200f\u061c", r"\u202egpj\u2066\u200f\u061c"),
        ("a\u2028b\u2029c\x85d\x0be", r"a\u2028b\u2029c\x85d\x0be"),
        ("caf\udce9\ud800", r"caf\xe9\ud800"),
    ],
)
def test_escaped(text, shown):
    assert escape(text) == shown
    assert escape(shown) == shown


def test_every_control_character():
    kept = {code for code in (*range(0x20), *range(0x7F, 0xA0)) if escape(chr(code)) == chr(code)}
    assert kept == {0x09, 0x0A}


def test_file_names():
    assert escape_file_name("\x1b[31m\n\x9b\u202egpj.abc") == "%1B[31m%0A%C2%9B%E2%80%AEgpj.abc"
    assert escape_file_name("Märchen 100%, caf\udce9.abc") == "Märchen 100%, caf\udce9.abc"


def test_one_line():
    assert escape_line("a\r\nb\n\x1b") == r"a\r\nb\n\x1b"


def test_bytes():
    assert escape_bytes("T:é\x1b\n".encode() + b"\x9b\xff") == "T:é\\x1b\n\\x9b\\xff".encode()


def test_stream():
    raw = io.StringIO()
    stream = EscapedStream(raw)
    with redirect_stderr(stream):
        print("\x1b[31mred", file=sys.stderr)
        sys.stderr.buffer.write("\x9bé\n".encode())
    assert raw.getvalue() == "\\x1b[31mred\n\\x9bé\n"
