"""Bytes as text, whatever wrote them, and what is odd about the encoding."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from composer.check.problem import Problem, Severity

__all__ = ["DecodedText", "decode", "repair"]


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text with a line feed after each line, whether it held any other character than UTF-8 has, and what is odd."""

    text: str
    problems: tuple[Problem, ...] = ()


def decode(data: bytes) -> DecodedText | None:
    """`data` as text, each line in the encoding that it seems to be in; None where it is no text at all."""
    found = _utf16(data) or _eight_bits(data)
    if found is None:
        return None
    text = found.text.replace("\r\n", "\n").replace("\r", "\n")
    return DecodedText(text, (*found.problems, *_characters(text)))


def repair(text: str) -> str:
    """`text` without control characters, and with what was once decoded wrongly decoded anew."""
    return _GARBLED.sub(
        lambda match: match[0].encode("cp1252", "replace").decode("utf-8", "replace"), _CONTROL.sub("", text)
    )


_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def _utf16(data: bytes) -> DecodedText | None:
    """`data` as UTF-16, by its mark, or because every other byte of the Latin letters in it is zero."""
    name = _MARKS.get(data[:2])
    if name is None:
        pairs = max(len(data[:4096]) // 2, 1)
        zeros = [data[:4096][at::2].count(0) / pairs for at in (0, 1)]
        name = "utf-16-be" if zeros[0] > 0.5 > zeros[1] else "utf-16-le" if zeros[1] > 0.5 > zeros[0] else None
    if name is None:
        return None
    text = data.decode(name, "replace").removeprefix("\ufeff")
    return DecodedText(text, (_warning(1, 1, "not UTF-8", "the text is in UTF-16, which many programs do not read"),))


def _eight_bits(data: bytes) -> DecodedText | None:
    """`data` as UTF-8, or as the single bytes of the nineties; None where zeros say that it is no text."""
    if b"\0" in data:
        return None
    problems = []
    if data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
        problems.append(
            _warning(1, 1, "byte-order mark", "the text begins with a byte-order mark, which UTF-8 needs not")
        )
    try:
        return DecodedText(data.decode("utf-8"), tuple(problems))
    except UnicodeDecodeError:
        text, problem = _line_by_line(data)
        return DecodedText(text, (*problems, problem))


def _line_by_line(data: bytes) -> tuple[str, Problem]:
    """A text that is not UTF-8 throughout, and where that shows first."""
    codec, name = _single_byte(data)
    lines: list[str] = []
    foreign: list[tuple[int, int]] = []
    mixed = False
    for number, line in enumerate(re.split(rb"\r\n?|\n", data), 1):
        try:
            lines.append(line.decode("utf-8"))
            mixed = mixed or not line.isascii()
        except UnicodeDecodeError as error:
            lines.append(line.decode(codec, "replace"))
            foreign.append((number, len(line[: error.start].decode("utf-8")) + 1))
    line_number, column = foreign[0]
    count = f", as in {len(foreign)} lines" if len(foreign) > 1 else ""
    if mixed:
        message = f"this is no UTF-8 and seems to be {name}{count}, though other lines are UTF-8"
        return "\n".join(lines), _warning(line_number, column, "mixed encodings", message)
    message = f"this is no UTF-8 and seems to be {name}{count}"
    return "\n".join(lines), _warning(line_number, column, "not UTF-8", message)


_CODECS = {"cp1252": "Windows-1252", "mac-roman": "Mac OS Roman", "cp850": "DOS (code page 850)"}
_COMMON_LETTERS = frozenset("àâäáãåæçèéêëìíîïñòóôöõøœùúûüßÀÂÄÁÅÆÇÈÉÊËÍÎÑÓÔÖØÚÛÜ’‘“”–—…©°")


def _single_byte(data: bytes) -> tuple[str, str]:
    """The codec in which the bytes beyond ASCII are most often letters of Western languages, and its name."""
    high = bytes(byte for byte in data if byte >= 0x80)

    def usual(codec: str) -> int:
        return sum(character in _COMMON_LETTERS for character in high.decode(codec, "replace"))

    best = max(_CODECS, key=usual)
    if best == "cp1252" and not any(0x80 <= byte < 0xA0 for byte in high):
        return "latin-1", "Latin-1"
    return best, _CODECS[best]


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")
_GARBLED = re.compile(
    r"[ÂÃ][\u0080-\u00bf\u2018-\u201e\u2020-\u2026\u2030\u2039\u203a\u20ac\u0152\u0153\u0160\u0161\u017d\u017e\u0192\u02c6\u02dc\u2122]"
)


def _characters(text: str) -> list[Problem]:
    """The first control character, the first character that was decoded wrongly once, and how many there are."""
    problems = []
    for pattern, kind, noun in (
        (_CONTROL, "control character", "a control character"),
        (_GARBLED, "garbled character", "UTF-8 that was once read as Windows-1252"),
    ):
        matches = list(pattern.finditer(text))
        if not matches:
            continue
        first = matches[0]
        line, column = text.count("\n", 0, first.start()) + 1, first.start() - text.rfind("\n", 0, first.start())
        more = f", the first of {len(matches):,}" if len(matches) > 1 else ""
        shown = f" (U+{ord(first[0]):04X})" if len(first[0]) == 1 else f": `{first[0]}`"
        problems.append(_warning(line, column, kind, f"{noun}{shown}{more}"))
    return problems


def _warning(line: int, column: int, kind: str, message: str) -> Problem:
    return Problem(line, column, kind, message, Severity.WARNING)
