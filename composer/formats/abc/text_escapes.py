r"""Characters in texts of ABC: `\'e`, `&eacute;` and `\u00e9` for é."""

from __future__ import annotations

import html
import re
import unicodedata

_ACCENTS = {
    "`": "\N{COMBINING GRAVE ACCENT}", "'": "\N{COMBINING ACUTE ACCENT}", "^": "\N{COMBINING CIRCUMFLEX ACCENT}",
    "~": "\N{COMBINING TILDE}", '"': "\N{COMBINING DIAERESIS}", "u": "\N{COMBINING BREVE}", "v": "\N{COMBINING CARON}",
    "H": "\N{COMBINING DOUBLE ACUTE ACCENT}", "c": "\N{COMBINING CEDILLA}", "r": "\N{COMBINING RING ABOVE}",
    "=": "\N{COMBINING MACRON}", ".": "\N{COMBINING DOT ABOVE}", ";": "\N{COMBINING OGONEK}",
}  # fmt: skip
_LETTERS = {
    "AE": "Æ", "ae": "æ", "AA": "Å", "aa": "å", "OE": "Œ", "oe": "œ", "/O": "Ø", "/o": "ø", "/D": "Đ", "/d": "đ",
    "/L": "Ł", "/l": "ł", "DH": "Ð", "dh": "ð", "TH": "Þ", "th": "þ", "ss": "ß",
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(?:(?P<mark>[\\%&])|(?P<code>u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})|(?P<octal>[0-3][0-7]{2})"
    r"|(?P<letter>[A-Za-z/]{2})|(?P<accent>[`'^~\"uvHcr=.;])(?P<base>[A-Za-z]))"
    r"|(?P<entity>&\#?[A-Za-z0-9]{1,31};)"
)


def decode_text(text: str) -> str:
    r"""Return a title or other text with its escapes (ABC 2.1, section 8.2) and HTML entities as characters.

    Text that is no escape, such as a lone `\` or `&`, stays.
    """
    if "\\" not in text and "&" not in text:
        return text
    return unicodedata.normalize("NFC", _ESCAPE.sub(_decode, text))


def _decode(match: re.Match[str]) -> str:
    if match["mark"]:
        return match["mark"]
    if match["entity"]:
        return html.unescape(match["entity"])
    if code := match["code"] or "":
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else match[0]
    if match["octal"]:
        return chr(int(match["octal"], 8))
    if letters := match["letter"]:
        accented = len(letters) == 2 and letters[0] in _ACCENTS
        return _LETTERS.get(letters) or (_accented(letters[1], letters[0]) if accented else match[0])
    return _accented(match["base"], match["accent"])


def _accented(base: str, accent: str) -> str:
    return unicodedata.normalize("NFC", base + _ACCENTS[accent])
