"""Validate a text against the dialect: the rules of `tables`, independent of the automaton in `grammar`."""

from __future__ import annotations

import re

from composer.formats.abc.dialect import tables
from composer.formats.abc.elements import Tone
from composer.formats.abc.reader.lexer import Diagnostic
from composer.music.keys import MIDDLE_C, Signature, parse_key, parse_meter

UNFINISHED = "unfinished tune"
"""The only fault of a text that a tune of the dialect may start with."""


def validate(text: str) -> list[Diagnostic]:
    """Return the first fault that keeps `text` from being a tune of the dialect, or an empty list."""
    try:
        _Body(*_header(text)).run(text)
    except _Fault as fault:
        before = text[: fault.at]
        line, column = before.count("\n") + 1, fault.at - (before.rfind("\n") + 1) + 1
        return [Diagnostic(line, column, fault.kind)]
    return []


class _Fault(Exception):
    def __init__(self, at: int, kind: str) -> None:
        super().__init__(kind)
        self.at, self.kind = at, kind


_HEADER = re.compile(r"(?:T:(.*)\n)?(?:R:(.*)\n)?M:(.*)\nL:(.*)\nK:(.*)\n")
_TONE = r"[_=^]?(?:[A-G],{0,2}|[a-g]'{0,2})"
_LENGTH = r"(?:\d+(?:/\d+)?|/\d+)?"
_ROOT = r"[A-G][#b]?"
_TOKEN = re.compile(
    rf'(?P<symbol>"{_ROOT}(?:{"|".join(kind for kind in tables.CHORD_KINDS.values() if kind)})?(?:/{_ROOT})?")'
    rf"|(?P<triplet>\(3(?:{_TONE}{_LENGTH}){{3}})|(?P<note>{_TONE}{_LENGTH})|(?P<rest>z{_LENGTH})"
    rf"|(?P<chord>\[(?:{_TONE}){{2,{tables.MAX_TONES}}}\]{_LENGTH})|(?P<ending>\[[12])|(?P<mark>\|:|:\||\|\||\|\]|\|)"
    r"|(?P<broken>[<>])|(?P<tie>-)|(?P<blank> )|(?P<newline>\n)"
)
_TONE_AND_LENGTH = re.compile(rf"({_TONE})({_LENGTH})")
_SPELLED = re.compile(r"([_=^]?)([A-Ga-g])([,']*)")


def _header(text: str) -> tuple[int, str, str, Signature]:
    """Return where the body starts, the rhythm, the meter and the key."""
    match = _HEADER.match(text)
    if match is None:
        raise _Fault(0, "header fields other than T, R, M, L and K, in this order")
    title, rhythm, meter, unit, name = match.groups()
    time = parse_meter(meter) if meter in tables.METERS else None
    key = parse_key(name) if name in tables.KEYS else None
    if title is not None and (not tables.TITLE.fullmatch(title) or title != " ".join(title.split())):
        raise _Fault(match.start(1), "unsupported character or blank in the title")
    if rhythm is not None and (rhythm not in tables.RHYTHMS or (rhythm == "hornpipe" and meter not in ("2/4", "4/4"))):
        raise _Fault(match.start(2), "unknown rhythm")
    if time is None:
        raise _Fault(match.start(3), "unknown meter")
    if unit != tables.unit_of(time):
        raise _Fault(match.start(4), "wrong unit length for the meter")
    if key is None:
        raise _Fault(match.start(5), "unknown key")
    return match.end(), rhythm or "", meter, key


class _Body:
    """Reads the body. `at` is an index into the text, `position` the position in the bar in ticks."""

    def __init__(self, begin: int, rhythm: str, meter: str, key: Signature) -> None:
        time = parse_meter(meter)
        assert time is not None
        self.at, self.hornpipe, self.key = begin, rhythm == "hornpipe", key
        self.bar, self.group = time.bar, tables.beat_group(time)
        self.lengths = tables.lengths(tables.unit_of(time))
        self.unit = self.lengths[""]
        self.pair_step = tables.pair_step(rhythm) * self.unit
        self.position = 0
        self.start: int | None = None
        """Where in the bar parts start and end; None until the first bar line."""
        self.phase = "part"
        """`part` at the start of a part, `bars` inside it, `second` before `[2`, `end` after the last line."""
        self.repeat, self.ending = False, 0
        self.line_ends = False
        """Whether the line must end here."""
        self.full_bars, self.full = 0, False
        """The full bars in this line, and whether this bar started at its beginning."""
        self.fresh, self.after_blank, self.after_symbol, self.may_end_first = True, False, False, False
        """After a bar line or line end; after a blank; after a chord symbol; where `[1` may follow."""
        self.pair_start: int | None = None
        """Where the last note started, if it may be the first of a broken pair."""
        self.broken = ""
        self.last: tuple[Tone, ...] | None = None
        self.tied: tuple[Tone, ...] | None = None
        self.accidentals: dict[int, int] = {}
        self.seen: set[str] = set()

    def run(self, text: str) -> None:
        """Read to the end. Raises _Fault."""
        while self.at < len(text):
            match = _TOKEN.match(text, self.at)
            if match is None:
                raise self._fault("unexpected character")
            kind = match.lastgroup or ""
            self._check(kind, match[0])
            getattr(self, f"_{kind}")(match[0])
            self.seen.add(kind)
            if self.hornpipe and {"chord", "broken"} <= self.seen:
                raise self._fault("chords and broken rhythm in one hornpipe")
            self.at = match.end()
        over = self.phase == "end" or (self.phase == "part" and self.closed == ":|" and not self.repeat)
        if not over or self.line_ends:
            raise self._fault(UNFINISHED)

    closed = ""
    """The mark that closed the last part."""

    def _fault(self, kind: str) -> _Fault:
        return _Fault(self.at, kind)

    def _check(self, kind: str, text: str) -> None:
        """Raise _Fault if a token may not follow the ones before."""
        sound = kind in ("note", "rest", "chord", "triplet")
        if self.phase == "end" and not self.line_ends:
            raise self._fault("text after the end")
        if self.after_symbol and not sound:
            raise self._fault("chord symbol without a note")
        if self.broken and kind != "note":
            raise self._fault("broken rhythm without a partner")
        if self.line_ends != (kind == "newline"):
            raise self._fault("missing line end" if self.line_ends else "misplaced line end")
        if self.phase == "second" and not self.line_ends and text != "[2":
            raise self._fault("first ending without a second")
        if self.tied is not None and not sound and text not in ("|", " ", "\n") and kind != "symbol":
            raise self._fault("tie to nothing")

    def _newline(self, text: str) -> None:
        self.line_ends, self.full_bars = False, 0

    def _blank(self, text: str) -> None:
        if self.fresh or self.after_blank or self.position % self.group or self.position == self.bar:
            raise self._fault("blank off the beat")
        self.after_blank, self.last, self.pair_start = True, None, None

    def _symbol(self, text: str) -> None:
        self._element()
        self.after_symbol = True

    def _element(self) -> None:
        """Start an element, which needs a blank before it on a beat inside a bar."""
        on_beat = self.position % self.group == 0
        if not (self.after_symbol or self.fresh or self.broken) and on_beat != self.after_blank:
            raise self._fault("missing blank at a beat")
        self.fresh = self.after_blank = self.may_end_first = False
        self.phase = "bars"

    def _sound(self, tones: tuple[Tone, ...], ticks: int) -> None:
        if self.tied is not None and self.tied != tones:
            raise self._fault("tie to a different note")
        self.tied, self.last, self.after_symbol, self.pair_start = None, tones or None, False, None
        self.position += ticks
        if self.position > self.bar:
            raise self._fault("bar too long")

    def _length(self, text: str) -> int:
        if text not in self.lengths:
            raise self._fault("unknown note length")
        return self.lengths[text]

    def _tone(self, text: str) -> Tone:
        match = _SPELLED.fullmatch(text)
        assert match is not None
        accidental, letter, marks = match.groups()
        step = MIDDLE_C + "CDEFGABcdefgab".index(letter) + 7 * (marks.count("'") - marks.count(","))
        if not tables.LOWEST <= step <= tables.HIGHEST:
            raise self._fault("note out of range")
        if accidental:
            self.accidentals[step % 7] = tables.ACCIDENTALS[accidental]
        return step, self.accidentals.get(step % 7, self.key.alters[step % 7])

    def _note(self, text: str) -> None:
        match = _TONE_AND_LENGTH.fullmatch(text)
        assert match is not None
        if self.broken and match[2]:
            raise self._fault("broken rhythm without a partner")
        self._element()
        begin, broken, self.broken = self.position, self.broken, ""
        ticks = self._length(match[2])
        self._sound((self._tone(match[1]),), {"": ticks, ">": ticks // 2, "<": ticks * 3 // 2}[broken])
        if not match[2] and not broken and begin % self.pair_step == 0:
            self.pair_start = begin

    def _broken(self, text: str) -> None:
        if self.pair_start is None or self.pair_start + 2 * self.unit > self.bar:
            raise self._fault("misplaced broken rhythm")
        self.position = self.pair_start + (self.unit * 3 // 2 if text == ">" else self.unit // 2)
        self.broken, self.pair_start, self.last = text, None, None

    def _rest(self, text: str) -> None:
        self._element()
        self._sound((), self._length(text[1:]))

    def _chord(self, text: str) -> None:
        self._element()
        inner, _, length = text[1:].partition("]")
        tones = tuple(self._tone(tone) for tone in re.findall(_TONE, inner))
        if list(tones) != sorted(set(tones)):
            raise self._fault("chord notes not in ascending order")
        self._sound(tones, self._length(length))

    def _triplet(self, text: str) -> None:
        self._element()
        notes = _TONE_AND_LENGTH.findall(text[2:])
        if len({length for _, length in notes}) > 1:
            raise self._fault("triplet of unequal notes")
        for tone, length in notes:
            self._sound((self._tone(tone),), self._length(length) * 2 // 3)

    def _tie(self, text: str) -> None:
        if self.last is None:
            raise self._fault("tie after no note")
        self.tied, self.last, self.pair_start = self.last, None, None

    def _ending(self, text: str) -> None:
        if text == "[1" and not (self.may_end_first and self.repeat and not self.ending):
            raise self._fault("misplaced first ending")
        if text == "[2":
            if self.phase != "second":
                raise self._fault("misplaced second ending")
            self.position, self.full = 0, True
        self.ending, self.phase, self.may_end_first = int(text[1]), "bars", False

    def _mark(self, text: str) -> None:
        if text == "|:":
            if self.phase != "part" or self.repeat:
                raise self._fault("repeat starting inside a part")
            self.repeat = True
            return
        if self.fresh or self.after_blank:
            raise self._fault("empty bar")
        if self.start is None:
            self.start = self.position = (self.bar - self.position) % self.bar or self.bar
            self.start %= self.bar
            self.position, self.full = self.bar, self.start == 0
        if text == "|":
            self._line()
        else:
            self._close(text, self.start)
        self.fresh, self.last, self.pair_start, self.accidentals = True, None, None, {}
        self.full_bars += self.full
        self.full = self.position == 0
        self.line_ends = text != "|" or self.full_bars == tables.BARS_PER_LINE

    def _line(self) -> None:
        if self.position != self.bar:
            raise self._fault("incomplete bar")
        self.position, self.may_end_first = 0, True

    def _close(self, text: str, start: int) -> None:
        """End a part or its first ending, at the position of the bar where the part started."""
        full = self.position == self.bar
        if self.position % self.bar != start and not (full and text == "|]"):
            raise self._fault("part ending at the wrong position in the bar")
        goes_back = self.repeat and self.ending != 2
        if (text == ":|") != goes_back:
            raise self._fault("wrong bar line at the end of a part")
        self.closed = text
        self.position = start
        if self.ending == 1:
            self.phase = "second"
        else:
            self.phase = "end" if text == "|]" else "part"
            self.repeat, self.ending = False, 0
