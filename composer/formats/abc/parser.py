"""One tune's text into its header and, for each voice, elements with resolved pitches and lengths in ticks.

Everything that ABC 2.1 as found in the wild holds is understood here or left out knowingly; what makes no sense is
collected as diagnostics and never raised.
"""

from __future__ import annotations

import re
from fractions import Fraction

from composer.formats.abc.elements import PartMark, Tune
from composer.formats.abc.keys import WHOLE, Signature, Time, parse_key, parse_meter
from composer.formats.abc.lexer import Field, TuneText, field_of, strip_comment, tokens
from composer.formats.abc.voice import HANDLERS, Voice, close_group

__all__ = ["parse_tune"]


_PART = re.compile(r"[A-Z]\d?\.?")
"""A part's name; other texts after `P:` are remarks, or even words that are sung."""


def parse_tune(text: TuneText) -> Tune:
    """The tune that `text` spells."""
    return _Parser(text).run()


class _Parser:
    def __init__(self, text: TuneText) -> None:
        self.tune = Tune(text)
        self.voices: dict[str, Voice] = {}
        self.voice: Voice | None = None
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
        elif name == "P" and self.in_body and _PART.fullmatch(value):
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

    def _voice(self) -> Voice:
        if self.voice is None:
            elements = self.tune.voices.setdefault(self.voice_name or "1", [])
            self.voice = Voice(elements, self.tune.key or Signature())
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
        handlers = HANDLERS
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
                close_group(tune, voice, voice.last.line, voice.last.column)
        tune.key = tune.key or Signature()


def _fraction(value: str) -> Fraction | None:
    match = re.match(r"(\d+)\s*/\s*(\d+)|1\b", value)
    if match is None or (match[2] and not (0 < int(match[2]) <= 256 and 0 < int(match[1]) <= 16)):
        return None
    return Fraction(int(match[1]), int(match[2])) if match[2] else Fraction(1)
