"""Causes for which composer and abc2midi read a tune differently: each an edit that takes the cause away.

An edit writes out what the standard, ABC 2.1, says, or takes out what it leaves open, or what abc2midi adds. It changes
nothing else. So if both programs agree about the edited tune, the cause explains the difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Cause(NamedTuple):
    """Why two programs differ: whose it is (`abc2midi` or `the file`), the rule, and the edit that takes it away.

    An edit that is `exact` keeps what the standard says: composer must read the edited tune like the original.
    """

    name: str
    whose: str
    rule: str
    edit: Callable[[str], str]
    exact: bool = False


_SKIPPED = r'"[^"\n]*"|![^!\n|]*!|\[[A-Za-z]:[^\]\n]*\]|^[A-Za-z+][ \t]*:(?![|:]).*$|%.*$'
"""Text, decorations, fields and comments: no music."""


def _in_music(pattern: str, change: Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    """Return an edit that changes matches of `pattern` in the music of a tune."""
    compiled = re.compile(rf"(?P<skipped>{_SKIPPED})|{pattern}", re.MULTILINE)

    def edit(text: str) -> str:
        header, body = split(text)
        return header + compiled.sub(lambda match: match[0] if match["skipped"] else change(match), body)

    return edit


def split(text: str) -> tuple[str, str]:
    """Return the header of a tune, up to its `K:` field, and the rest."""
    key = re.search(r"^K:.*\n?", text, re.MULTILINE)
    end = key.end() if key else 0
    return text[:end], text[end:]


def _without(pattern: str) -> Callable[[str], str]:
    return _in_music(pattern, lambda match: "")


_NOTE = r"[\^_=]*[A-Ga-g][,']*"
_LENGTH = r"\d*(?:/\d*)*"
_ORNAMENT = re.compile(r"!(?:trill|roll|fermata|invertedfermata|mordent|lowermordent|uppermordent|pralltriller|turn|"
                       r"turnx|invertedturn|invertedturnx|trem\d|arpeggio|slide|\d?/*)!")  # fmt: skip


_ORNAMENT_LETTERS = rf"[~.HLMOPRSTJuvk]+(?=[ \t]*(?:[\[({{xz]|{_NOTE}|\"))"


def _without_ornaments(text: str) -> str:
    header, body = split(text)
    return _without(_ORNAMENT_LETTERS)(header + _ORNAMENT.sub("", body))


def _without_rhythm(text: str) -> str:
    return re.sub(r"^R:.*\n|\[R:[^\]\n]*\]", "", text, flags=re.MULTILINE)


_JUMP = r"(?:d\.? ?[cs]\.?|da ?capo|dal ?segno|fine|fin|end|segno|coda|to ?coda|da ?coda|al ?coda)[ .a-z]*"
_JUMP_TEXT = re.compile(rf'"[\^_<>@ ]*{_JUMP}"|!{_JUMP}!|(?<![A-Za-z])[OS](?=[ \t]*[|:\]]|[ \t]*$)', re.I | re.M)


def _without_jumps(text: str) -> str:
    header, body = split(text)
    return header + _JUMP_TEXT.sub("", body)


_BAR = re.compile(
    rf"(?P<skipped>(?!^P:)(?:{_SKIPPED}))|(?P<part>^P:.*$)|"
    r"(?P<bar>(?:\[(?=[|:]))?[|:]*(?:\||:(?=:)|(?<=:):)[|:]*(?:\](?![A-Za-z^_=]))?[|:]*)"
    r"[ \t]*(?:\[?(?P<ending>\d)[\d,\-]*)?|\[(?P<alone>\d)[\d,\-]*",
    re.MULTILINE,
)
_NOT_MUSIC = re.compile(r"(?:[ \t\n]+|^[A-Za-z+][ \t]*:(?![|:]).*\n|%.*\n|\\[ \t]*\n)*", re.MULTILINE)


def _with_starts(text: str) -> str:
    """Write `|:` where a repeat without one begins: after the latest double bar line or end of a repeat."""
    header, body = split(text)
    ordered = re.search(r"^P:", header, re.MULTILINE) is not None
    inserts: set[int] = set()
    start, opened, last = 0, False, 0
    for match in _BAR.finditer(body):
        if match["skipped"]:
            continue
        if match["alone"]:
            last = int(match["alone"])
            continue
        if match["part"]:
            if ordered:
                start, opened, last = match.end(), False, 0
            continue
        bar, ending = match["bar"], int(match["ending"] or 0)
        ends = bar.startswith(":")
        starts = bar.endswith(":") and bar != ":"
        strong = "||" in bar or "]" in bar or "[" in bar
        if ends and last <= 1 and not opened and (start or ordered):
            inserts.add(_NOT_MUSIC.match(body, start).end())  # type: ignore[union-attr]
        if starts or (ends and not ending) or (strong and not ending and (not opened or last > 1)):
            start, opened, last = match.end(), starts, 0
        last = ending or last
    for at in sorted(inserts, reverse=True):
        body = f"{body[:at]} |: {body[at:]}"
    return header + body


_GROUP = re.compile(
    rf"(?P<skipped>{_SKIPPED})|\{{[^}}\n]*\}}|\((?P<tuplet>\d)(?::\d*){{0,2}}|(?P<broken>[<>]+)|"
    rf"(?:\[[^\]|\n:]*\]|{_NOTE}|[xz])(?P<length>{_LENGTH})",
    re.MULTILINE,
)


def _without_undefined_rhythm(text: str) -> str:
    """Take out `>` and `<` between notes of unequal length, in a chain, or at the border of a tuplet."""
    header, body = split(text)
    taken: list[tuple[int, int]] = []
    before: tuple[str, bool, bool] = ("", False, False)
    sign: re.Match[str] | None = None
    left = 0
    for match in _GROUP.finditer(body):
        if match["skipped"] or (match["length"] is None and not match["tuplet"] and not match["broken"]):
            continue
        if match["tuplet"]:
            left = int(match["tuplet"])
        elif match["broken"]:
            sign = match
        else:
            group = (match["length"].replace("/2", "/"), left > 0, sign is not None)
            if sign is not None and (group[:2] != before[:2] or before[2]):
                taken.append(sign.span())
            before, sign, left = group, None, max(left - 1, 0)
    if sign is not None:
        taken.append(sign.span())
    for start, end in reversed(taken):
        body = body[:start] + body[end:]
    return header + body


def _without_open_repeats(text: str) -> str:
    """Take out each `|:` after which no repeat ends before the next one begins."""
    header, body = split(text)
    opens: list[tuple[int, int]] = []
    last: re.Match[str] | None = None
    for match in _BAR.finditer(body):
        bar = match["bar"]
        if not bar:
            continue
        if bar.startswith(":"):
            last = None
        if bar.endswith(":") and bar != ":":
            if last is not None:
                opens.append(last.span("bar"))
            last = None if bar.startswith(":") else match
    if last is not None:
        opens.append(last.span("bar"))
    for start, end in reversed(opens):
        body = f"{body[:start]}{body[start:end].rstrip(':')}{body[end:]}"
    return header + body


def _without_last_repeat(text: str) -> str:
    """Write `|]` for `:|` at the end of the last ending of a repeat."""
    header, body = split(text)
    marks = [match for match in _BAR.finditer(body) if match["bar"] or match["alone"]]
    ending, taken = 0, []
    for match in marks:
        if ending > 1 and (match["bar"] or "").startswith(":") and not match["ending"]:
            taken.append(match)
        ending = int(match["ending"] or match["alone"] or 0) or (ending if match["bar"] == "|" else 0)
    for match in reversed(taken):
        start, end = match.span("bar")
        opens = " |:" if match["bar"].endswith(":") else ""
        body = f"{body[:start]}|]{opens}{body[end:]}"
    return header + body


def _with_unit_in_tempo(text: str) -> str:
    """Write the unit length into tempos that are a number alone."""
    length = re.search(r"^L:[ \t]*(\d+/\d+)", text, re.MULTILINE)
    meter = re.search(r"^M:[ \t]*(\d+)/(\d+)", text, re.MULTILINE)
    short = meter is not None and int(meter[1]) / int(meter[2]) < 0.75
    unit = length[1] if length else "1/16" if short else "1/8"
    return re.sub(r"^Q:[ \t]*(\d+)[ \t]*$", rf"Q:{unit}=\1", text, flags=re.MULTILINE)


def _without_unisons(text: str) -> str:
    def once(match: re.Match[str]) -> str:
        notes = re.findall(rf"{_NOTE}{_LENGTH}-?", match["inside"])
        return f"[{''.join(dict.fromkeys(notes))}]"

    return _in_music(r"\[(?P<inside>[A-Ga-g,'\^_=\d/ -]+)\]", once)(text)


def _with_tuplet_ratio(text: str) -> str:
    """Write out the ratio of tuplets of 5, 7 and 9 notes: in the time of 3 in a compound meter, else of 2."""
    compound = re.search(r"^M:[ \t]*(?:6|9|12)/", text, re.MULTILINE)
    count = 3 if compound else 2
    return _in_music(r"\((?P<notes>[579])(?!:|\d)", lambda match: f"({match['notes']}:{count}:{match['notes']}")(text)


def _decoded(text: str) -> str:
    """Decode the quoted-printable of an e-mail."""
    return re.sub(r"=20$|=\n", "", text, flags=re.MULTILINE).replace("=3D", "=")


def _without_line_ends(text: str) -> str:
    header, body = split(text)
    return header + re.sub(r"(![a-zA-Z0-9.()<>+]+!)|!", lambda match: match[1] or "", body)


def _with_bars_at_line_starts(text: str) -> str:
    return re.sub(r"^:(?=[ \t]*[A-Ga-g])", "|:", text, flags=re.MULTILINE)


def _with_whole_chords(text: str) -> str:
    pattern = rf"\[(?P<notes>(?:{_NOTE}{_LENGTH}-?)+(?=\(\d)|(?=\"[^\"\n]*\"[ \t])|[ \t]+)"
    return _in_music(pattern, lambda match: f"[{match['notes']}]" if match["notes"].strip() else "")(text)


def _sub(pattern: str, replacement: str) -> Callable[[str], str]:
    return _in_music(pattern, lambda match: replacement)


def _liberal(text: str) -> str:
    """Write unusual bar lines in the usual way."""
    for pattern, usual in (
        (r"(?<![|:])\|\|:(?!\|)", "|:"),
        (r"\|\|\|:", "|| |:"),
        (r":\|\|?:", "::"),
        (r"(?<![|:])\|:\|(?![|:])", ":|"),
        (r":\]", ":|]"),
        (r"\|\|(?=[12][ \t(A-Ga-g])", "|"),
    ):
        text = _sub(pattern, usual)(text)
    return text


CAUSES: tuple[Cause, ...] = (
    Cause("text of an e-mail, `=20` and `=3D`", "the file", "2: this is no ABC", _decoded),
    Cause("`!` at the end of a line", "the file", "6.1.1: only after `I:linebreak`", _without_line_ends),
    Cause("two signs for one, `|:|||:`", "the file", "4.8: the first repeat has no end", _sub(r"\|:\|\|\|:", "|:")),
    Cause("line that begins with `:`", "the file", "4.8: no bar line", _with_bars_at_line_starts),
    Cause("no such key, `K:Bn`", "the file", "3.1.14: keys", lambda text: text.replace("K:Bn", "K:B")),
    Cause("chord without `]`, or `[` alone", "the file", "4.17: chords", _with_whole_chords),
    Cause(
        "ornaments, fermatas and tremolos played as several or longer notes", "abc2midi",
        "4.14: a decoration is a sign; it does not say which notes to play", _without_ornaments,
    ),
    Cause("notes of a hornpipe dotted", "abc2midi", "3.1.15: `R:` names the rhythm", _without_rhythm),
    Cause(
        "D.C., D.S., fine and coda ignored", "abc2midi", "4.14: `!D.C.!` and its like direct the order of playing",
        _without_jumps,
    ),
    Cause(
        "sign cut in two by the end of a line, `|` and `1`", "abc2midi", "2.2.6: `\\` joins the lines",
        lambda text: re.sub(r"\\[ \t]*\n[ \t]*(?=[:\d])", "", text), exact=True,
    ),
    Cause(
        "invisible bar line `[|]` beside another", "abc2midi", "4.8: it is not printed", _sub(r"\[\|\]", ""), True,
    ),
    Cause(
        "unusual bar lines, such as `||:`, `|:|`, `:|:`, `:]`, `||1`", "abc2midi", "4.8: read bar lines liberally",
        _liberal, exact=True,
    ),
    Cause(
        "repeats without `|:` played from the beginning", "abc2midi",
        "4.8: from the latest double bar line or end of a repeat", _with_starts, exact=True,
    ),
    Cause(
        "number in `Q:80` read as quarter notes", "abc2midi", "10.1: it counts unit lengths", _with_unit_in_tempo,
        exact=True,
    ),
    Cause(
        "tuplets of 5, 7 or 9 notes in the time of 3", "abc2midi", "4.13: of 2, except in compound meters",
        _with_tuplet_ratio, exact=True,
    ),
    Cause(
        "broken rhythm after a tie sign ignored", "abc2midi", "4.11: the tie sign follows the note",
        _sub(r"-(?=[ \t]*[<>])", ""), exact=True,
    ),
    Cause("unison sounded twice", "abc2midi", "4.17: one pitch at one time", _without_unisons, exact=True),
    Cause(
        "repeat sign after the last ending", "the file", "4.9: no further pass has an ending", _without_last_repeat,
        exact=True,
    ),
    Cause("broken rhythm between unequal notes", "the file", "4.4: the result is undefined", _without_undefined_rhythm),
    Cause("`|:` without an end", "the file", "4.8: `|:` begins what `:|` ends", _without_open_repeats),
    Cause(
        "tie into a second ending", "the file", "4.11: a tie joins two successive notes",
        _sub(r"-(?=[ \t]*\|?[ \t]*\[?1)", ""),
    ),
)  # fmt: skip
