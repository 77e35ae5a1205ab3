"""One tune's text into its header and, for each voice, elements with resolved pitches and lengths in ticks.

Everything that ABC 2.1 as found in the wild holds is understood here or left out knowingly; what makes no sense is
collected as diagnostics and never raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from composer.formats.abc.keys import MIDDLE_C, WHOLE, Signature, Time, parse_key, parse_meter
from composer.formats.abc.lexer import NOTE, REST, Diagnostic, Field, Token, TuneText, field_of, strip_comment, tokens

__all__ = ["Element", "Mark", "PartMark", "Sound", "Tune", "parse_tune"]

Tone = tuple[int, int]
"""A step (see `keys`) and its alteration in semitones."""


@dataclass(slots=True)
class Sound:
    """A note, a chord of notes or, without tones, a rest, of `ticks`.

    `tie` says that it is tied to what follows. `group` is the number of the tuplet it belongs to, 0 for none, and
    `chord` the text of the chord symbol above it.
    """

    tones: tuple[Tone, ...]
    ticks: int
    line: int
    column: int
    chord: str = ""
    tie: bool = False
    group: int = 0


@dataclass(slots=True)
class Mark:
    """A bar line. `ends` counts the repeats it closes, `starts` says that one opens; `endings` are the passes that
    what follows is for, and `strong` tells `||` and `|]` from `|`.
    """  # fmt: skip

    text: str
    line: int
    column: int
    ends: int = 0
    starts: bool = False
    strong: bool = False
    endings: tuple[int, ...] = ()


@dataclass(slots=True)
class PartMark:
    """`P:A` in the body: here the part of that name begins."""

    name: str
    line: int
    column: int


Element = Sound | Mark | PartMark | Time | Signature


@dataclass(slots=True)
class Tune:
    """A tune as written. `key`, `time`, `unit` and `tempo` (a text) are those in force where the music begins.

    `voices` holds the elements of each voice in the order in which they came; `tuplets` the p, q and r of each
    numbered tuplet.
    """

    text: TuneText
    fields: list[Field] = field(default_factory=list)
    key: Signature | None = None
    time: Time | None = None
    unit: Fraction | None = None
    tempo: str = ""
    order: str = ""
    voices: dict[str, list[Element]] = field(default_factory=dict)
    tuplets: list[tuple[int, int, int]] = field(default_factory=lambda: [(1, 1, 1)])
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def first(self, name: str) -> str:
        """The value of the first field `name` of the header; empty where there is none."""
        return next((found.value for found in self.fields if found.name == name), "")

    def complain(self, line: int, column: int, kind: str, message: str = "") -> None:
        """Add a diagnostic."""
        self.diagnostics.append(Diagnostic(line, column, kind, message))


def parse_tune(text: TuneText) -> Tune:
    """The tune that `text` spells."""
    return _Parser(text).run()


@dataclass(slots=True)
class _Voice:
    """Where a voice stands while it is read."""

    elements: list[Element]
    key: Signature
    accidentals: dict[int, int] = field(default_factory=dict)
    tied: dict[int, int] = field(default_factory=dict)
    last: Sound | None = None
    broken: str = ""
    tuplet: tuple[int, int] = (1, 1)
    left: int = 0
    group: int = 0
    chord: str = ""
    stack: list[Sound] | None = None
    stack_at: Token | None = None
    muted: bool = False


_TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_ALTERS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}


class _Parser:
    def __init__(self, text: TuneText) -> None:
        self.tune = Tune(text)
        self.voices: dict[str, _Voice] = {}
        self.voice: _Voice | None = None
        self.voice_name = ""
        self.in_body = False

    def run(self) -> Tune:
        """Read line after line."""
        tune = self.tune
        for number, raw in enumerate(tune.text.lines, tune.text.first):
            line = strip_comment(raw)
            if not line.strip():
                continue
            found = field_of(line, number)
            if found is None:
                self._music(line, number)
            elif self.in_body:
                self._change(found)
            else:
                self._header(found)
        self._end()
        return tune

    def _header(self, found: Field) -> None:
        tune = self.tune
        tune.fields.append(found)
        if found.name == "P":
            tune.order = found.value
        elif found.name == "K":
            self._change(found)
            self.in_body = True
        elif found.name in "MLQ":
            self._change(found)

    def _change(self, found: Field) -> None:
        """A field that changes what follows, in the header, on a line of the body, or inline."""
        tune, name, value = self.tune, found.name, found.value
        if name == "K":
            self._key(found)
        elif name == "M":
            self._meter(found)
        elif name == "L":
            tune.unit = _fraction(value) or tune.unit
            if _fraction(value) is None:
                tune.complain(found.line, found.column, "unknown unit length", f"`{value}` is no length")
        elif name == "Q" and not tune.tempo:
            tune.tempo = value
        elif name == "V":
            self._select(value.split()[0] if value.split() else "1")
        elif name == "P" and self.in_body:
            self._voice().elements.append(PartMark(value.strip().rstrip("."), found.line, found.column))

    def _meter(self, found: Field) -> None:
        tune = self.tune
        time = parse_meter(found.value)
        if time is None:
            tune.complain(found.line, found.column, "unknown meter", f"`{found.value}` is no meter")
        elif not self._sounded():
            tune.time = time
        elif self.voice is not None:
            self.voice.elements.append(time)
            tune.time = tune.time or time

    def _key(self, found: Field) -> None:
        tune = self.tune
        key = parse_key(found.value)
        if key is None:
            if tune.key is None:
                tune.complain(found.line, found.column, "unknown key", f"`{found.value}` is no key")
                tune.key = parse_key("")
            return
        if not self._sounded():
            tune.key = key
        if self.voice is not None:
            self.voice.key = key
            self.voice.elements.append(key)

    def _sounded(self) -> bool:
        return any(voice.last is not None for voice in self.voices.values())

    def _select(self, name: str) -> None:
        self.voice_name = name
        self.voice = self.voices.get(name)

    def _voice(self) -> _Voice:
        if self.voice is None:
            elements = self.tune.voices.setdefault(self.voice_name or "1", [])
            self.voice = _Voice(elements, self.tune.key or Signature())
            self.voices[self.voice_name] = self.voice
        return self.voice

    def _music(self, line: str, number: int) -> None:
        tune = self.tune
        if not self.in_body:
            if not tune.fields and number == tune.text.first:
                tune.complain(number, 1, "no header", "the tune has no header fields")
            tune.complain(number, 1, "no key", "the music begins before a K: field")
            self.in_body = True
        voice = self._voice()
        handlers = _HANDLERS
        for token in tokens(line, number):
            if token.kind == "inline":
                text = token.text
                self._change(Field(text[1], text[3:-1].strip(), number, token.column + 1))
                voice = self._voice()
            else:
                handlers[token.kind](tune, voice, token, self._unit())

    def _unit(self) -> int:
        tune = self.tune
        unit = tune.unit
        if unit is None:
            unit = tune.unit = (tune.time or Time(free=True)).unit
        return int(WHOLE * unit)

    def _end(self) -> None:
        tune = self.tune
        if not self.in_body:
            tune.complain(tune.text.first, 1, "no key", "the tune has no K: field")
        for voice in self.voices.values():
            if voice.last is not None:
                _close_group(tune, voice, voice.last.line, voice.last.column)
        tune.key = tune.key or Signature()


def _fraction(value: str) -> Fraction | None:
    match = re.match(r"(\d+)\s*/\s*(\d+)|1\b", value)
    if match is None or (match[2] and not (0 < int(match[2]) <= 256 and 0 < int(match[1]) <= 16)):
        return None
    return Fraction(int(match[1]), int(match[2])) if match[2] else Fraction(1)


@cache
def read_note(text: str) -> tuple[str, int, int, int]:
    """A note's accidental, its step and its length as a fraction's two numbers."""
    match = NOTE.fullmatch(text)
    assert match is not None, text
    accidental, letter, marks, length = match.groups()
    step = MIDDLE_C + "CDEFGABcdefgab".index(letter) + 7 * (marks.count("'") - marks.count(","))
    return accidental, step, *read_length(length)


@cache
def read_length(text: str) -> tuple[int, int]:
    """A length string (`3/2`, `/`, `//`, or empty) as a fraction's two numbers."""
    numerator, _, rest = text.partition("/")
    if not _:
        return int(text or 1), 1
    denominator = 1
    for part in rest.split("/"):
        denominator *= int(part or 2)
    return int(numerator or 1), denominator


def _scaled(tune: Tune, token: Token, unit: int, numerator: int, denominator: int) -> int:
    if not denominator:
        tune.complain(token.line, token.column, "impossible length", f"`{token.text}` has an impossible length")
        return unit
    ticks, rest = divmod(unit * numerator, denominator)
    if rest or not 0 < ticks <= 64 * WHOLE:
        tune.complain(token.line, token.column, "impossible length", f"`{token.text}` has an impossible length")
        return max(1, min(ticks, 64 * WHOLE))
    return ticks


def _note(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    accidental, step, numerator, denominator = read_note(token.text)
    letter = step % 7
    if accidental:
        alter = voice.accidentals[letter] = _ALTERS[accidental]
    else:
        known = voice.accidentals.get(letter, voice.key.alters[letter])
        alter = voice.tied.get(step, known) if voice.tied else known
    ticks = _scaled(tune, token, unit, numerator, denominator)
    sound = Sound(((step, alter),), ticks, token.line, token.column)
    if voice.stack is None:
        _sound(tune, voice, sound)
    else:
        voice.stack.append(sound)


def _rest(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    match = REST.fullmatch(token.text)
    assert match is not None, token
    if match[1] == "y":
        return
    numerator, denominator = read_length(match[2])
    if match[1] in "ZX":
        bar = (tune.time or Time()).bar
        for count in range(min(max(numerator, 1), 999)):
            if count:
                voice.elements.append(Mark("|", token.line, token.column))
            _sound(tune, voice, Sound((), bar, token.line, token.column))
    elif voice.stack is None:
        _sound(tune, voice, Sound((), _scaled(tune, token, unit, numerator, denominator), token.line, token.column))


def _sound(tune: Tune, voice: _Voice, sound: Sound) -> None:
    """Place a sound in time: broken rhythm, tuplets, the chord symbol before it."""
    ticks = sound.ticks
    if voice.broken:
        share = 1 << len(voice.broken)
        ticks = ticks * (2 * share - 1) // share if voice.broken[0] == "<" else ticks // share
        voice.broken = ""
    if voice.left:
        ticks = ticks * voice.tuplet[1] // voice.tuplet[0]
        sound.group = voice.group
        voice.left -= 1
    sound.ticks = ticks
    if voice.chord:
        sound.chord, voice.chord = voice.chord, ""
    voice.tied = {}
    voice.last = sound
    if not voice.muted:
        voice.elements.append(sound)


def _open(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    if voice.stack is not None:
        tune.complain(token.line, token.column, "unbalanced brackets", "a chord opens inside a chord")
    voice.stack, voice.stack_at = [], token


def _close(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    stack, voice.stack = voice.stack, None
    if stack is None:
        tune.complain(token.line, token.column, "unbalanced brackets", "a `]` closes nothing")
        return
    if not stack:
        tune.complain(token.line, token.column, "empty chord", "a chord without notes")
        return
    numerator, denominator = read_length(token.text[1:])
    ticks = _scaled(tune, token, stack[0].ticks, numerator, denominator)
    tones = tuple(sorted({sound.tones[0] for sound in stack}))
    at = voice.stack_at or token
    tie = any(sound.tie for sound in stack)
    chord = next((sound.chord for sound in stack if sound.chord), "")
    voice.chord = voice.chord or chord
    sound = Sound(tones, ticks, at.line, at.column)
    _sound(tune, voice, sound)
    if tie:
        _tie(tune, voice, token, unit)


def _tie(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    if voice.stack:
        voice.stack[-1].tie = True
    elif voice.last is None or not voice.last.tones:
        tune.complain(token.line, token.column, "dangling tie", "a tie follows no note")
    else:
        voice.last.tie = True
        voice.tied = dict(voice.last.tones)


def _bar(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    text = token.text.lstrip(".")
    if text == ":":
        tune.complain(token.line, token.column, "unknown character", "a `:` that is no bar line")
        return
    lines = text.rstrip("0123456789,-.")
    mark = Mark(lines, token.line, token.column, endings=_passes(text[len(lines) :]))
    before, bars, after = re.fullmatch(r"(:*)(.*?)(:*)", lines).groups()  # type: ignore[union-attr]
    if not bars:
        mark.ends, mark.starts = 1, True
    else:
        mark.ends, mark.starts = len(before), bool(after)
        mark.ends = mark.ends or int(":" in bars.strip("[]|:") or "|:" in bars)
    mark.strong = "||" in bars or "]" in bars or "[" in bars
    _place(tune, voice, mark)


def _ending(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    _place(tune, voice, Mark("", token.line, token.column, endings=_passes(token.text.lstrip("["))))


def _place(tune: Tune, voice: _Voice, mark: Mark) -> None:
    if voice.stack is not None:
        at = voice.stack_at or Token("", "", mark.line, mark.column)
        tune.complain(at.line, at.column, "unbalanced brackets", "a chord is not closed")
        for sound in voice.stack:
            _sound(tune, voice, sound)
        voice.stack = None
    _close_group(tune, voice, mark.line, mark.column)
    voice.accidentals = {}
    voice.muted = False
    voice.elements.append(mark)


def _close_group(tune: Tune, voice: _Voice, line: int, column: int) -> None:
    if voice.broken:
        tune.complain(line, column, "broken rhythm without a partner", "a note is owed after broken rhythm")
        voice.broken = ""
    if voice.left:
        tune.complain(line, column, "incomplete tuplet", f"a tuplet lacks {voice.left} of its notes")
        voice.left = 0


def _passes(text: str) -> tuple[int, ...]:
    passes: list[int] = []
    for part in re.split(r"[,.]", text):
        first, _, last = part.partition("-")
        if first:
            passes += range(int(first), min(int(last or first), int(first) + 16) + 1)
    return tuple(passes)


def _tuplet(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    p, q, r = ([int(part or 0) for part in token.text[1:].split(":")] + [0, 0])[:3]
    if voice.left:
        tune.complain(token.line, token.column, "incomplete tuplet", f"a tuplet lacks {voice.left} of its notes")
    if p < 2:
        tune.complain(token.line, token.column, "unknown tuplet", f"`{token.text}` is no tuplet")
        return
    q = q or _TUPLETS.get(p) or (3 if (tune.time or Time()).compound else 2)
    voice.tuplet, voice.left = (p, q), r or p
    tune.tuplets.append((p, q, r or p))
    voice.group = len(tune.tuplets) - 1


def _broken(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    last = voice.last
    if last is None or voice.broken:
        tune.complain(token.line, token.column, "broken rhythm without a partner", f"`{token.text}` follows no note")
        return
    share = 1 << len(token.text)
    last.ticks = last.ticks * (2 * share - 1) // share if token.text[0] == ">" else last.ticks // share
    voice.broken = token.text


def _text(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    content = token.text[1:-1].strip()
    if content and content[0] not in "^_<>@":
        voice.chord = content


def _overlay(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    voice.muted = True


def _nothing(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    """Grace notes have no time of their own, and slurs, decorations and continuations no sound."""


def _unknown(tune: Tune, voice: _Voice, token: Token, unit: int) -> None:
    tune.complain(token.line, token.column, "unknown character", f"`{token.text}` means nothing here")


_HANDLERS = {
    "note": _note, "rest": _rest, "open": _open, "close": _close, "tie": _tie, "bar": _bar, "ending": _ending,
    "tuplet": _tuplet, "broken": _broken, "text": _text, "overlay": _overlay, "grace": _nothing, "slur": _nothing,
    "decoration": _nothing, "continuation": _nothing, "unknown": _unknown,
}  # fmt: skip
