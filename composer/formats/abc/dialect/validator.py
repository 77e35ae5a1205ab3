"""Whether a text is a tune in the dialect, and if not, where it first leaves it: the tables of `dialect`, applied."""

from __future__ import annotations

import re

from composer.formats.abc.dialect.tables import (
    ACCIDENTALS,
    BARS_PER_LINE,
    CHORD_KINDS,
    HIGHEST,
    KEYS,
    LOWEST,
    MAX_TONES,
    METERS,
    RHYTHMS,
    TITLE,
    beat_group,
    lengths,
    pair_step,
    unit_of,
)
from composer.formats.abc.elements import Tone
from composer.formats.abc.reader.lexer import Diagnostic
from composer.music.keys import MIDDLE_C, Signature, parse_key, parse_meter

__all__ = ["UNFINISHED", "validate"]

UNFINISHED = "the tune is not over"
"""The only fault of a text that a tune of the dialect may begin with."""


def validate(text: str) -> list[Diagnostic]:
    """What keeps `text` from being a tune in the dialect: nothing where it is one, else the first fault."""
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
    rf'(?P<symbol>"{_ROOT}(?:{"|".join(kind for kind in CHORD_KINDS.values() if kind)})?(?:/{_ROOT})?")'
    rf"|(?P<triplet>\(3(?:{_TONE}{_LENGTH}){{3}})|(?P<note>{_TONE}{_LENGTH})|(?P<rest>z{_LENGTH})"
    rf"|(?P<chord>\[(?:{_TONE}){{2,{MAX_TONES}}}\]{_LENGTH})|(?P<ending>\[[12])|(?P<mark>\|:|:\||\|\||\|\]|\|)"
    r"|(?P<broken>[<>])|(?P<tie>-)|(?P<blank> )|(?P<newline>\n)"
)
_PARTED = re.compile(rf"({_TONE})({_LENGTH})")
_SPELLED = re.compile(r"([_=^]?)([A-Ga-g])([,']*)")


def _header(text: str) -> tuple[int, str, str, Signature]:
    """Where the body begins, the rhythm, the meter and the key."""
    match = _HEADER.match(text)
    if match is None:
        raise _Fault(0, "the header is not T, R, M, L and K")
    title, rhythm, meter, unit, name = match.groups()
    time = parse_meter(meter) if meter in METERS else None
    key = parse_key(name) if name in KEYS else None
    if title is not None and (not TITLE.fullmatch(title) or title != " ".join(title.split())):
        raise _Fault(match.start(1), "a title that is not plain")
    if rhythm is not None and (rhythm not in RHYTHMS or (rhythm == "hornpipe" and meter not in ("2/4", "4/4"))):
        raise _Fault(match.start(2), "a rhythm that is not known")
    if time is None:
        raise _Fault(match.start(3), "a meter that is not known")
    if unit != unit_of(time):
        raise _Fault(match.start(4), "a unit length that does not belong to the meter")
    if key is None:
        raise _Fault(match.start(5), "a key that is not known")
    return match.end(), rhythm or "", meter, key


class _Body:
    """Reads the body; `at` is the place in the text, `position` that in the bar, in ticks."""

    def __init__(self, begin: int, rhythm: str, meter: str, key: Signature) -> None:
        time = parse_meter(meter)
        assert time is not None
        self.at, self.hornpipe, self.key = begin, rhythm == "hornpipe", key
        self.bar, self.group = time.bar, beat_group(time)
        self.lengths = lengths(unit_of(time))
        self.unit = self.lengths[""]
        self.pair_step = pair_step(rhythm) * self.unit
        self.position = 0
        self.start: int | None = None
        """Where in the bar parts begin and end; None until the first bar line tells."""
        self.phase = "part"
        """`part` where a part begins, `bars` inside it, `second` where `[2` must come, `end` after the last line."""
        self.repeat, self.ending = False, 0
        self.breaks = False
        """Whether the line must end here."""
        self.filled, self.whole = 0, False
        """The full bars of this line, and whether this bar began at its beginning."""
        self.fresh, self.blank, self.symbol, self.may_end_first = True, False, False, False
        """After a bar line or line end; after a blank; after a chord symbol; after a bar line where `[1` may come."""
        self.plain: int | None = None
        """Where the last note began, if a broken pair may begin with it."""
        self.owed = ""
        self.last: tuple[Tone, ...] | None = None
        self.tied: tuple[Tone, ...] | None = None
        self.accidentals: dict[int, int] = {}
        self.seen: set[str] = set()

    def run(self, text: str) -> None:
        """Read to the end. Raises _Fault."""
        while self.at < len(text):
            match = _TOKEN.match(text, self.at)
            if match is None:
                raise self._fault("a character that means nothing here")
            kind = match.lastgroup or ""
            self._bound(kind, match[0])
            getattr(self, f"_{kind}")(match[0])
            self.seen.add(kind)
            if self.hornpipe and {"chord", "broken"} <= self.seen:
                raise self._fault("broken rhythm and chords in one hornpipe")
            self.at = match.end()
        over = self.phase == "end" or (self.phase == "part" and self.closed == ":|" and not self.repeat)
        if not over or self.breaks:
            raise self._fault(UNFINISHED)

    closed = ""
    """The mark that closed the last part."""

    def _fault(self, kind: str) -> _Fault:
        return _Fault(self.at, kind)

    def _bound(self, kind: str, text: str) -> None:
        """What must come next, after some tokens."""
        sound = kind in ("note", "rest", "chord", "triplet")
        if self.phase == "end" and not self.breaks:
            raise self._fault("something after the end")
        if self.symbol and not sound:
            raise self._fault("a chord symbol over nothing")
        if self.owed and kind != "note":
            raise self._fault("broken rhythm without a partner")
        if self.breaks != (kind == "newline"):
            raise self._fault("a line that should end here" if self.breaks else "a line that should not end here")
        if self.phase == "second" and not self.breaks and text != "[2":
            raise self._fault("a first ending without a second")
        if self.tied is not None and not sound and text not in ("|", " ", "\n") and kind != "symbol":
            raise self._fault("a tie to nothing")

    def _newline(self, text: str) -> None:
        self.breaks, self.filled = False, 0

    def _blank(self, text: str) -> None:
        if self.fresh or self.blank or self.position % self.group or self.position == self.bar:
            raise self._fault("a blank that is not at a beat")
        self.blank, self.last, self.plain = True, None, None

    def _symbol(self, text: str) -> None:
        self._element()
        self.symbol = True

    def _element(self) -> None:
        """Something begins: after a blank where it does so at a beat inside a bar."""
        if not (self.symbol or self.fresh or self.owed) and (self.position % self.group == 0) != self.blank:
            raise self._fault("a blank is missing at a beat")
        self.fresh = self.blank = self.may_end_first = False
        self.phase = "bars"

    def _sound(self, tones: tuple[Tone, ...], ticks: int) -> None:
        if self.tied is not None and self.tied != tones:
            raise self._fault("a tie to another note")
        self.tied, self.last, self.symbol, self.plain = None, tones or None, False, None
        self.position += ticks
        if self.position > self.bar:
            raise self._fault("a bar that is too long")

    def _length(self, text: str) -> int:
        if text not in self.lengths:
            raise self._fault("a length that is not known")
        return self.lengths[text]

    def _tone(self, text: str) -> Tone:
        match = _SPELLED.fullmatch(text)
        assert match is not None
        accidental, letter, marks = match.groups()
        step = MIDDLE_C + "CDEFGABcdefgab".index(letter) + 7 * (marks.count("'") - marks.count(","))
        if not LOWEST <= step <= HIGHEST:
            raise self._fault("a note out of range")
        if accidental:
            self.accidentals[step % 7] = ACCIDENTALS[accidental]
        return step, self.accidentals.get(step % 7, self.key.alters[step % 7])

    def _note(self, text: str) -> None:
        match = _PARTED.fullmatch(text)
        assert match is not None
        if self.owed and match[2]:
            raise self._fault("broken rhythm without a partner")
        self._element()
        begin, owed, self.owed = self.position, self.owed, ""
        ticks = self._length(match[2])
        self._sound((self._tone(match[1]),), {"": ticks, ">": ticks // 2, "<": ticks * 3 // 2}[owed])
        if not match[2] and not owed and begin % self.pair_step == 0:
            self.plain = begin

    def _broken(self, text: str) -> None:
        if self.plain is None or self.plain + 2 * self.unit > self.bar:
            raise self._fault("broken rhythm where it cannot be")
        self.position = self.plain + (self.unit * 3 // 2 if text == ">" else self.unit // 2)
        self.owed, self.plain, self.last = text, None, None

    def _rest(self, text: str) -> None:
        self._element()
        self._sound((), self._length(text[1:]))

    def _chord(self, text: str) -> None:
        self._element()
        inner, _, length = text[1:].partition("]")
        tones = tuple(self._tone(tone) for tone in re.findall(_TONE, inner))
        if list(tones) != sorted(set(tones)):
            raise self._fault("a chord whose notes do not ascend")
        self._sound(tones, self._length(length))

    def _triplet(self, text: str) -> None:
        self._element()
        notes = _PARTED.findall(text[2:])
        if len({length for _, length in notes}) > 1:
            raise self._fault("a triplet of unequal notes")
        for tone, length in notes:
            self._sound((self._tone(tone),), self._length(length) * 2 // 3)

    def _tie(self, text: str) -> None:
        if self.last is None:
            raise self._fault("a tie after no note")
        self.tied, self.last, self.plain = self.last, None, None

    def _ending(self, text: str) -> None:
        if text == "[1" and not (self.may_end_first and self.repeat and not self.ending):
            raise self._fault("a first ending where none can be")
        if text == "[2":
            if self.phase != "second":
                raise self._fault("a second ending where none can be")
            self.position, self.whole = 0, True
        self.ending, self.phase, self.may_end_first = int(text[1]), "bars", False

    def _mark(self, text: str) -> None:
        if text == "|:":
            if self.phase != "part" or self.repeat:
                raise self._fault("a repeat that opens inside a part")
            self.repeat = True
            return
        if self.fresh or self.blank:
            raise self._fault("a bar line after nothing")
        if self.start is None:
            self.start = self.position = (self.bar - self.position) % self.bar or self.bar
            self.start %= self.bar
            self.position, self.whole = self.bar, self.start == 0
        if text == "|":
            self._line()
        else:
            self._close(text, self.start)
        self.fresh, self.last, self.plain, self.accidentals = True, None, None, {}
        self.filled += self.whole
        self.whole = self.position == 0
        self.breaks = text != "|" or self.filled == BARS_PER_LINE

    def _line(self) -> None:
        if self.position != self.bar:
            raise self._fault("a bar that does not fill its meter")
        self.position, self.may_end_first = 0, True

    def _close(self, text: str, start: int) -> None:
        """The end of a part, or of a first ending, which is where the part began in the bar."""
        full = self.position == self.bar
        if self.position % self.bar != start and not (full and text == "|]"):
            raise self._fault("a part that does not end where it began in the bar")
        goes_back = self.repeat and self.ending != 2
        if (text == ":|") != goes_back:
            raise self._fault("a part that does not close as it opened")
        self.closed = text
        self.position = start
        if self.ending == 1:
            self.phase = "second"
        else:
            self.phase = "end" if text == "|]" else "part"
            self.repeat, self.ending = False, 0
