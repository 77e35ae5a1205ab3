"""One tune's text into its header and, for each voice, elements with resolved pitches and lengths in ticks.

Everything that ABC 2.1 as found in the wild holds is understood here or left out knowingly; what makes no sense is
collected as diagnostics and never raised.
"""

from __future__ import annotations

import re
from fractions import Fraction

from composer.formats.abc.elements import PartMark, Tune
from composer.formats.abc.reader.lexer import Field, TuneText, block_lines, field_of, strip_comment, tokens
from composer.formats.abc.reader.tokens import HANDLERS, Voice, close_group
from composer.formats.abc.reader.transposition import SoundingPitch, unknown_property
from composer.music.keys import WHOLE, Signature, Time, parse_key, parse_meter

__all__ = ["parse_tune"]


_PART = re.compile(r"[A-Z]\d?\.?")
"""A part's name; other texts after `P:` are remarks, or even words that are sung."""


def parse_tune(text: TuneText) -> Tune:
    """The tune that `text` spells."""
    return _Parser(text).run()


class _Parser:
    def __init__(self, text: TuneText) -> None:
        self.tune = Tune(text)
        self.header_voice = Voice([], Signature())
        """What was said before any voice began, with which each of them begins."""
        self.voices: dict[str, Voice] = {}
        self.properties: dict[str, str] = {}
        """What `V:` fields said of voices that have not begun."""
        self.voice_name = ""
        self.in_body = False

    def run(self) -> Tune:
        """Read line after line."""
        tune = self.tune
        words = block_lines(tune.text.lines)
        keyed = any(line.startswith("K:") for at, line in enumerate(tune.text.lines) if at not in words)
        for at, raw in enumerate(tune.text.lines):
            number = tune.text.first + at
            if raw.startswith("%%") and at not in words:
                self._directive(raw[2:])
            line = strip_comment(raw)
            if not line.strip() or at in words:
                continue
            found = field_of(line, number)
            if found is None and keyed and not self.in_body:
                tune.add_diagnostic(number, 1, "text in the header", "words before the K: field are left out")
            elif found is None:
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
        elif found.name == "V":
            self._declare_voice(found)
        elif found.name in "MLQIUm":
            self._change(found)

    def _change(self, found: Field) -> None:
        """A field that changes what follows, in the header, on a line of the body, or inline."""
        tune, name, value = self.tune, found.name, found.value
        if name == "K":
            self._key(found)
        elif name == "M":
            self._meter(found)
        elif name == "L":
            self._length(found)
        elif name == "Q" and not tune.tempo:
            tune.tempo = value
        elif name == "V":
            self.voice_name = self._declare_voice(found)
        elif name == "I":
            self._directive(value)
        elif name in "Um":
            tune.add_diagnostic(found.line, found.column, "definition left out", f"`{name}:{value}` is not followed")
        elif name == "P" and self.in_body and _PART.fullmatch(value):
            self._voice().elements.append(PartMark(value.strip().rstrip("."), found.line, found.column))

    def _meter(self, found: Field) -> None:
        time = parse_meter(found.value)
        if time is None:
            self.tune.add_diagnostic(found.line, found.column, "unknown meter", f"`{found.value}` is no meter")
            return
        voice = self._voice_of_field()
        voice.time = time
        voice.elements.append(time)
        if self._applies_to_tune(voice):
            self.tune.time = time

    def _length(self, found: Field) -> None:
        length = _fraction(found.value)
        if length is None:
            self.tune.add_diagnostic(found.line, found.column, "unknown unit length", f"`{found.value}` is no length")
            return
        voice = self._voice_of_field()
        voice.unit = int(WHOLE * length)
        if self._applies_to_tune(voice):
            self.tune.unit = length

    def _key(self, found: Field) -> None:
        tune, voice = self.tune, self._voice_of_field()
        key = parse_key(found.value)
        if key is not None:
            voice.key = key
        elif not self.in_body:
            tune.add_diagnostic(found.line, found.column, "unknown key", f"`{found.value}` is no key")
        self._check(found)
        self._update_transposition(voice, voice.sounding_pitch.with_properties(found.value))

    def _declare_voice(self, found: Field) -> str:
        """The name of the voice that a `V:` field is about, its properties noted."""
        name, _, properties = found.value.partition(" ")
        name = name or "1"
        self._check(found)
        if name in self.voices:
            voice = self.voices[name]
            self._update_transposition(voice, voice.sounding_pitch.with_properties(properties))
        elif properties:
            self.properties[name] = properties
        return name

    def _directive(self, text: str) -> None:
        if "transpose" in text:
            voice = self._voice_of_field()
            self._update_transposition(voice, voice.sounding_pitch.with_directive(text))

    def _update_transposition(self, voice: Voice, sounding: SoundingPitch) -> None:
        """Let `voice` sound so, now that it or its key has changed."""
        voice.sounding_pitch, voice.transposition = sounding, sounding.transposition(voice.key)
        key = voice.transposition.key(voice.key)
        voice.elements.append(key)
        if self._applies_to_tune(voice):
            self.tune.key = key

    def _check(self, found: Field) -> None:
        if text := unknown_property(found.value):
            message = f"`{text}` is not understood"
            self.tune.add_diagnostic(found.line, found.column, "unknown transposition", message)

    def _applies_to_tune(self, voice: Voice) -> bool:
        """Whether what is said now is said of the tune: before any voice, or before the first one sounds."""
        return voice is self.header_voice or (voice.last is None and voice is next(iter(self.voices.values())))

    def _voice_of_field(self) -> Voice:
        """The voice that a field is about."""
        return self._voice() if self.voice_name or self.voices else self.header_voice

    def _voice(self) -> Voice:
        """The voice that music is for, begun where it is not yet."""
        tune, home, name = self.tune, self.header_voice, self.voice_name or "1"
        voice = self.voices.get(name)
        if voice is None:
            voice = Voice(tune.voices.setdefault(name, []), home.key, home.time, home.unit)
            self.voices[name] = voice
            self._update_transposition(voice, home.sounding_pitch.with_properties(self.properties.get(name, "")))
            if home.time is not None:
                voice.elements.append(home.time)
        return voice

    def _music(self, line: str, number: int) -> None:
        tune = self.tune
        if not self.in_body:
            if not tune.fields and number == tune.text.first:
                tune.add_diagnostic(number, 1, "no header", "the tune has no header fields")
            tune.add_diagnostic(number, 1, "no key", "the music begins before a K: field")
            self.in_body = True
        voice: Voice | None = None
        handlers = HANDLERS
        for token in tokens(line, number):
            if token.kind == "inline":
                text = token.text
                self._change(Field(text[1], text[3:-1].strip(), number, token.column + 1))
                # A voice begins with its music, so that one which is only named takes no other's place.
                voice = None
            else:
                voice = voice or self._voice_with_unit()
                handlers[token.kind](tune, voice, token)

    def _voice_with_unit(self) -> Voice:
        """The voice that music is for, with a unit length."""
        voice = self._voice()
        if not voice.unit:
            unit = (voice.time or Time(free=True)).unit
            voice.unit = int(WHOLE * unit)
            if self._applies_to_tune(voice):
                self.tune.unit = unit
        return voice

    def _end(self) -> None:
        tune = self.tune
        if not self.in_body:
            tune.add_diagnostic(tune.text.first, 1, "no key", "the tune has no K: field")
        for voice in self.voices.values():
            if voice.last is not None:
                close_group(tune, voice, voice.last.line, voice.last.column)
        tune.key = tune.key or Signature()


def _fraction(value: str) -> Fraction | None:
    match = re.match(r"(\d{1,4})\s*/\s*(\d{1,4})|1\b", value)
    if match is None or (match[2] and not (0 < int(match[2]) <= 256 and 0 < int(match[1]) <= 16)):
        return None
    return Fraction(int(match[1]), int(match[2])) if match[2] else Fraction(1)
