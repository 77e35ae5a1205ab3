"""Check the spelling of ABC signs that the reader understands or skips: bar lines, part names and chord symbols."""

from __future__ import annotations

import re
from collections.abc import Iterator

from composer.check.problem import Problem, Severity
from composer.formats.abc.elements import Mark, PartMark, Tune
from composer.formats.abc.reader.lexer import Field, Token, block_lines, field_of, strip_comment, tokens
from composer.formats.abc.reader.structure import expand_order
from composer.music import chords
from composer.music.direction_words import read_direction


def notation_problems(tune: Tune) -> Iterator[Problem]:
    """Yield bar lines, part names and orders, and chord symbols that other programs read differently or not at all."""
    orders = [field for field in tune.fields if field.name == "P"]
    for field in orders:
        yield from _order(tune, field)
    order = expand_order(tune.order)
    for found in _names(tune):
        yield from _part(found, order) if isinstance(found, Field) else _chord(found)
    for elements in tune.voices.values():
        for element in elements:
            if isinstance(element, Mark):
                yield from _bar_line(element)


def _names(tune: Tune) -> Iterator[Field | Token]:
    """Yield the part names of the body as fields, and its texts in quotes as tokens."""
    lines = tune.text.lines
    skipped = block_lines(lines)
    headers = {field.line for field in tune.fields}
    for at, raw in enumerate(lines):
        number, line = tune.text.first + at, strip_comment(raw)
        if at in skipped or number in headers:
            continue
        if (field := field_of(line, number)) is not None:
            if field.name == "P":
                yield field
            continue
        for token in tokens(line, number):
            if token.kind == "inline" and token.text[1] == "P":
                yield Field("P", token.text[3:-1].strip(), number, token.column + 1)
            elif token.kind == "text":
                yield token


_COLONS = re.compile(r":{3,}")


def regular_bar_line(text: str) -> str:
    """Return `::` for `:::` and the like, which have no other meaning; else `text` itself."""
    return "::" if _COLONS.fullmatch(text) else text


def _bar_line(mark: Mark) -> Iterator[Problem]:
    plain = mark.text.strip(":")
    if (plain and ":" not in plain and plain != "|||") or mark.text in ("", "::"):
        return
    if regular_bar_line(mark.text) != mark.text:
        message = f"unusual bar line `{mark.text}`; write `{regular_bar_line(mark.text)}`"
    else:
        reading = ":" * mark.ends + "|" + ":" * mark.starts if mark.ends or mark.starts else "||"
        message = f"unusual bar line `{mark.text}`, read as `{reading}`"
    yield Problem(mark.line, mark.column, "unusual bar line", message, Severity.WARNING)


_NAME = re.compile(r"[A-Z]\d?\.?")
_NEARLY_NAME = re.compile(r"[^\w\s]?([A-Za-z])(?![A-Za-z])\S{0,4}")


def _part(field: Field, order: str) -> Iterator[Problem]:
    """Yield a problem if a part name is invalid: one that looks like a name, or any if there is an order."""
    value = field.value
    if not value or _NAME.fullmatch(value) or read_direction(value):
        return
    nearly = _NEARLY_NAME.fullmatch(value)
    if nearly or order:
        letter = nearly[1].upper() if nearly else "A"
        rest = f", so the order `{order}` cannot refer to it" if order else ""
        message = f"`{value}` is not a part name{rest}; write one letter, such as `P:{letter}`"
        yield Problem(field.line, field.column, "invalid part name", message, Severity.WARNING)


def _order(tune: Tune, field: Field) -> Iterator[Problem]:
    """Yield the problem of an order of parts that cannot be read, or that names parts that the tune lacks."""
    order = expand_order(field.value)
    if not field.value:
        return
    if not order:
        message = f"`{field.value}` is not a part order; write letters and repeat counts, such as `P:A2B2`"
        yield Problem(field.line, field.column, "invalid part order", message, Severity.WARNING)
        return
    known = {each.name for elements in tune.voices.values() for each in elements if isinstance(each, PartMark)}
    missing = [name for name in dict.fromkeys(order) if name not in known]
    if missing and known:
        message = f"the tune has no part {' or '.join(missing)}; the rest of the order `{field.value}` is played"
        yield Problem(field.line, field.column, "missing part", message, Severity.WARNING)
    elif missing:
        message = f"the order `{field.value}` is ignored, since no part begins with a line such as `P:{missing[0]}`"
        yield Problem(field.line, field.column, "missing part", message, Severity.WARNING)


_OLD_BASS = re.compile(r"(?<=/)[A-Ga-g][+-]$")


def standard_chord(symbol: str) -> str:
    """Return a chord symbol with the accidental of its bass in the standard form: `E7/F#` for `E7/f+`."""
    return _OLD_BASS.sub(lambda match: match[0][0].upper() + ("#" if match[0][1] == "+" else "b"), symbol)


def _chord(token: Token) -> Iterator[Problem]:
    symbol = token.text[1:-1].strip()
    plain = symbol.removeprefix("(").removesuffix(")")
    if chords.parse(symbol) is not None:
        if standard_chord(plain) != plain:
            message = f"invalid chord symbol `{symbol}`; write `{standard_chord(plain)}`"
            yield Problem(token.line, token.column, "invalid chord symbol", message, Severity.WARNING)
        return
    if chords.resembles_chord(symbol) and read_direction(symbol) is None:
        if symbol.startswith("H"):
            hint = f"; H is the German name of B, so write `B{symbol[1:]}`"
        else:
            guesses = (re.sub(r"[/()]", "", symbol), symbol.partition("/")[0])
            guess = next((each for each in guesses if chords.parse(each) is not None), "")
            hint = f"; write a chord such as `{guess or 'Am7/G'}`, or begin other text with `^`"
        message = f"unknown chord symbol `{symbol}`, ignored{hint}"
        yield Problem(token.line, token.column, "unknown chord symbol", message, Severity.WARNING)
