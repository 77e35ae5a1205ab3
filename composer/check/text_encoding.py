"""Decode text of unknown encoding, and report problems with it."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from composer.check.problem import Problem, Severity


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text with line feeds, and the problems of its encoding."""

    text: str
    problems: tuple[Problem, ...] = ()


def decode(data: bytes) -> DecodedText | None:
    """Decode each line with its most likely encoding; None for binary data."""
    found = _utf16(data) or _eight_bits(data)
    if found is None:
        return None
    text = found.text.replace("\r\n", "\n").replace("\r", "\n")
    return DecodedText(text, (*found.problems, *_characters(text)))


def repair(text: str) -> str:
    """Remove control characters, and undo UTF-8 that was once decoded as Windows-1252."""
    text = _CONTROL.sub("", text)
    return _GARBLED.sub(lambda match: match[0].encode("cp1252", "replace").decode("utf-8", "replace"), text)


_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def _utf16(data: bytes) -> DecodedText | None:
    """Decode UTF-16, recognized by its byte-order mark or by every other byte being zero; else None."""
    name = _MARKS.get(data[:2])
    if name is None:
        pairs = max(len(data[:4096]) // 2, 1)
        zeros = [data[:4096][at::2].count(0) / pairs for at in (0, 1)]
        name = "utf-16-be" if zeros[0] > 0.5 > zeros[1] else "utf-16-le" if zeros[1] > 0.5 > zeros[0] else None
    if name is None:
        return None
    text = data.decode(name, "replace").removeprefix("\ufeff")
    return DecodedText(text, (_warning(1, 1, "not UTF-8", "encoded as UTF-16, which many programs cannot read"),))


def _eight_bits(data: bytes) -> DecodedText | None:
    """Decode UTF-8 or a single-byte encoding; None for data with zero bytes."""
    if b"\0" in data:
        return None
    problems = []
    if data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
        problems.append(_warning(1, 1, "byte-order mark", "byte-order mark, which UTF-8 does not need"))
    try:
        return DecodedText(data.decode("utf-8"), tuple(problems))
    except UnicodeDecodeError:
        text, problem = _line_by_line(data)
        return DecodedText(text, (*problems, problem))


def _line_by_line(data: bytes) -> tuple[str, Problem]:
    """Decode text that is not all UTF-8, and report the first such place."""
    codec, name = _single_byte(data)
    lines: list[str] = []
    not_utf8: list[tuple[int, int]] = []
    mixed = False
    for number, line in enumerate(re.split(rb"\r\n?|\n", data), 1):
        try:
            lines.append(line.decode("utf-8"))
            mixed = mixed or not line.isascii()
        except UnicodeDecodeError as error:
            lines.append(line.decode(codec, "replace"))
            not_utf8.append((number, len(line[: error.start].decode("utf-8")) + 1))
    line_number, column = not_utf8[0]
    count = f", {len(not_utf8)} lines" if len(not_utf8) > 1 else ""
    message = f"not UTF-8, probably {name}{count}{'; other lines are UTF-8' if mixed else ''}"
    kind = "mixed encodings" if mixed else "not UTF-8"
    return "\n".join(lines), _warning(line_number, column, kind, message)


_CODECS = {"cp1252": "Windows-1252", "mac-roman": "Mac OS Roman", "cp850": "DOS (code page 850)"}
_COMMON_LETTERS = frozenset("àâäáãåæçèéêëìíîïñòóôöõøœùúûüßÀÂÄÁÅÆÇÈÉÊËÍÎÑÓÔÖØÚÛÜ’‘“”–—…©°")


def _single_byte(data: bytes) -> tuple[str, str]:
    """Return the codec, and its name, that decodes most bytes above 127 as common Western letters."""
    high = bytes(byte for byte in data if byte >= 0x80)

    def common(codec: str) -> int:
        return sum(character in _COMMON_LETTERS for character in high.decode(codec, "replace"))

    best = max(_CODECS, key=common)
    if best == "cp1252" and not any(0x80 <= byte < 0xA0 for byte in high):
        return "latin-1", "Latin-1"
    return best, _CODECS[best]


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")
_GARBLED = re.compile(
    r"[ÂÃ][\u0080-\u00bf\u2018-\u201e\u2020-\u2026\u2030\u2039\u203a\u20ac\u0152\u0153\u0160\u0161\u017d\u017e\u0192\u02c6\u02dc\u2122]"
)


def _characters(text: str) -> list[Problem]:
    """Return problems for control characters and wrongly decoded characters, with their count."""
    problems = []
    for pattern, kind, noun in (
        (_CONTROL, "control character", "control character"),
        (_GARBLED, "garbled character", "UTF-8 wrongly decoded as Windows-1252"),
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
