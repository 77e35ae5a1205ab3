"""Parse a tune into its header and, for each voice, elements with resolved pitches and lengths in ticks.

It accepts ABC 2.1 as found in the wild. Errors are collected as diagnostics and never raised.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce

from composer.formats.abc.elements import Element, Instrument, PartMark, Sound, TempoChange, Tune
from composer.formats.abc.reader.instruments import read_drum, with_directive, with_properties
from composer.formats.abc.reader.lexer import Field, TuneText, block_lines, check_tune, field_of, strip_comment, tokens
from composer.formats.abc.reader.macros import Macro, expand_macros, parse_macro
from composer.formats.abc.reader.note_text import read_unit
from composer.formats.abc.reader.staves import StaffPlace, read_clef, read_staves
from composer.formats.abc.reader.tempo import IN_WORDS, INVALID, has_number, has_words, parse_tempo
from composer.formats.abc.reader.tokens import HANDLERS, Voice, close_group
from composer.formats.abc.reader.transposition import SoundingPitch, unknown_property
from composer.formats.abc.reader.unscored import count_unscored
from composer.music.keys import WHOLE, Signature, Time, parse_key, parse_meter

__all__ = ["parse_tune"]

_PART = re.compile(r"[A-Z]\d?\.?")
"""A part's name; other text after `P:` is a remark or even lyrics."""

_ALL_VOICES = "*"


def parse_tune(text: TuneText) -> Tune:
    """Parse the text of a tune. Raises ReadError if it is too long."""
    check_tune(text)
    return _Parser(text).run()


class _Parser:
    def __init__(self, text: TuneText) -> None:
        self.tune = Tune(text)
        self.header_voice = Voice([], Signature())
        """The settings before any voice starts, which all voices inherit."""
        self.voices: dict[str, Voice] = {}
        self.properties: dict[str, str] = {}
        """Properties from `V:` fields of voices that have not started, the latest first."""
        self.directives: dict[str, list[str]] = {}
        """Directives after `V:` fields of the header, by voice."""
        self.voice_name = self.declared_voice = ""
        self.in_body = self.for_all_voices = False
        self.macros: list[Macro] = []
        self.cut_bar = False
        """Whether the line before ended in a bar line and a backslash, so that the bar line may go on."""

    def run(self) -> Tune:
        tune = self.tune
        self._file_header()
        if tune.text.lost:
            tune.losses["lines of music after a blank line left out"] = tune.text.lost
        skipped = block_lines(tune.text.lines)
        has_key = any(line.startswith("K:") for at, line in enumerate(tune.text.lines) if at not in skipped)
        for at, raw in enumerate(tune.text.lines):
            number = tune.text.first + at
            if raw.startswith("%%") and at not in skipped:
                self._directive(raw[2:])
            line = strip_comment(raw)
            if not line.strip() or at in skipped:
                continue
            field = field_of(line, number)
            if field is not None:
                count_unscored(self.tune, field, in_body=self.in_body)
            if field is None and has_key and not self.in_body:
                tune.report(number, 1, "text in the header", "text before the `K:` field is ignored")
            elif field is None:
                self._music(line, number)
            elif self.in_body:
                self._change(field)
            else:
                self._header(field)
        self._end()
        return tune

    def _file_header(self) -> None:
        """Apply the fields and directives of the file's header; they are not reported in each tune again."""
        for number, raw in enumerate(self.tune.text.header, 1):
            if raw.startswith("%%"):
                self._directive(raw[2:])
            elif (field := field_of(strip_comment(raw), number)) is not None:
                self.tune.inherited.append(field)
                count_unscored(self.tune, field, in_body=self.in_body)
                if field.name in "MLQIUm":
                    self._change(field)
        self.tune.diagnostics.clear()

    def _header(self, field: Field) -> None:
        tune = self.tune
        tune.fields.append(field)
        if field.name == "P":
            tune.order = field.value
        elif field.name == "K":
            self._change(field)
            self.in_body = True
        elif field.name == "V":
            self._declare_voice(field)
        elif field.name in "MLQIUm":
            self._change(field)

    def _change(self, field: Field) -> None:
        """Apply a field of the header or the body to the music after it, after `V:*` in all voices."""
        current = self.voice_name
        voices = [*self.voices] if self.for_all_voices and field.name in "KML" else []
        for self.voice_name in voices or [current]:
            self._apply(field)
        if voices:
            self.voice_name = current

    def _apply(self, field: Field) -> None:
        name, value = field.name, field.value
        if name == "K":
            self._key(field)
        elif name == "M":
            self._meter(field)
        elif name == "L":
            self._length(field)
        elif name == "Q":
            self._tempo(field)
        elif name == "V":
            self.voice_name = self._declare_voice(field)
        elif name == "I":
            self._directive(value)
        elif name in "Um":
            self._define(field)
        elif name == "P" and self.in_body and _PART.fullmatch(value):
            self._voice().elements.append(PartMark(value.strip().rstrip("."), field.line, field.column))

    def _define(self, field: Field) -> None:
        """Define a symbol for a decoration (`U:`) or a macro (`m:`)."""
        symbol, equals, decoration = field.value.partition("=")
        if field.name == "U" and equals:
            self.tune.symbols[symbol.strip()] = decoration.strip()
        elif field.name == "m" and (macro := parse_macro(field.value)) is not None:
            self.macros.append(macro)
        else:
            message = f"`{field.name}:{field.value}` is ignored, since it defines nothing"
            self.tune.report(field.line, field.column, "empty definition", message)

    def _tempo(self, field: Field) -> None:
        """Set the tune's tempo, or change it in the current voice once any music has sounded."""
        self.tune.unscored[IN_WORDS] += has_words(field.value)
        if any(voice.last is not None for voice in self.voices.values()):
            voice = self._voice()
            tempo = parse_tempo(field.value, Fraction(voice.unit, WHOLE) if voice.unit else Fraction(1, 8))
            if tempo is not None:
                voice.elements.append(TempoChange(tempo))
            elif has_number(field.value):
                self.tune.losses[INVALID] += 1
                message = f"invalid tempo `{field.value}`, ignored"
                self.tune.report(field.line, field.column, "invalid tempo", message)
        elif not self.tune.tempo or any(character.isdecimal() for character in field.value):
            self.tune.tempo = field.value

    def _meter(self, field: Field) -> None:
        time = parse_meter(field.value)
        if time is None:
            self.tune.report(field.line, field.column, "unknown meter", f"invalid meter `{field.value}`")
            return
        voice = self._voice_of_field()
        voice.time = time
        voice.elements.append(time)
        if self._applies_to_tune(voice):
            self.tune.time = time

    def _length(self, field: Field) -> None:
        length = read_unit(field.value)
        if length is None:
            self.tune.report(field.line, field.column, "unknown unit length", f"invalid note length `{field.value}`")
            return
        voice = self._voice_of_field()
        voice.unit = int(WHOLE * length)
        if self._applies_to_tune(voice):
            self.tune.unit = length

    def _key(self, field: Field) -> None:
        tune, voice = self.tune, self._voice_of_field()
        key = parse_key(field.value)
        if key is not None:
            voice.key = key
        elif not self.in_body and field.value and not _PROPERTY.match(field.value):
            tune.report(field.line, field.column, "unknown key", f"unknown key `{field.value}`")
        self._check(field)
        self._update_properties(voice, field.value)

    def _declare_voice(self, field: Field) -> str:
        """Apply the properties of a `V:` field, `V:*` to all voices, and return the name of the voice that goes on."""
        name, *rest = field.value.split(None, 1)[:2] or ["1"]
        properties = rest[0] if rest else ""
        self._check(field)
        self.for_all_voices = name == _ALL_VOICES
        if self.for_all_voices:
            self.declared_voice = ""
            for voice in (self.header_voice, *self.voices.values()):
                self._update_properties(voice, properties)
            return self.voice_name
        self.declared_voice = name
        if name in self.voices:
            self._update_properties(self.voices[name], properties)
        elif properties:
            self.properties[name] = f"{properties} {self.properties.get(name, '')}".strip()
        return name

    def _update_properties(self, voice: Voice, properties: str) -> None:
        self._update_transposition(voice, voice.sounding_pitch.with_properties(properties))
        self._update_instrument(voice, with_properties(voice.instrument, properties))
        clef = read_clef(properties) or voice.clef
        if voice.last is None:
            voice.clef = clef
        elif clef != voice.clef:
            self.tune.unscored["changes of clef left out"] += 1

    def _directive(self, text: str) -> None:
        if drum := read_drum(text):
            self.tune.drums[drum[0]] = drum[1]
        elif staves := read_staves(text):
            self._place(staves)
        elif "transpose" in text:
            voice = self._voice_of_field()
            self._update_transposition(voice, voice.sounding_pitch.with_directive(text))
        elif text.lstrip().startswith("MIDI") and not self.in_body and self.declared_voice:
            self.directives.setdefault(self.declared_voice, []).append(text)
        elif text.lstrip().startswith("MIDI"):
            voice = self._voice_of_field()
            self._update_instrument(voice, with_directive(voice.instrument, text))
        elif match := _PROPAGATE.match(text):
            for voice in (self.header_voice, *self.voices.values()):
                voice.propagate = match[1]

    def _place(self, staves: dict[str, StaffPlace]) -> None:
        """Set the staves of the voices, which a score has no changes of."""
        if not any(voice.last is not None for voice in self.voices.values()):
            self.tune.staves = staves
        elif staves != self.tune.staves:
            self.tune.unscored["changes of staves left out"] += 1

    def _update_instrument(self, voice: Voice, instrument: Instrument) -> None:
        """Set what plays a voice; a score has one instrument for a part, so later changes are left out."""
        if voice.last is None:
            voice.instrument = instrument
        elif instrument != voice.instrument:
            self.tune.losses["changes of instrument left out"] += 1

    def _update_transposition(self, voice: Voice, sounding: SoundingPitch) -> None:
        """Update a voice's transposition after its properties or its key changed."""
        voice.sounding_pitch, voice.transposition = sounding, sounding.transposition(voice.key)
        key = voice.transposition.key(voice.key)
        voice.elements.append(key)
        if self._applies_to_tune(voice):
            self.tune.key = key

    def _check(self, field: Field) -> None:
        if text := unknown_property(field.value):
            self.tune.report(field.line, field.column, "unknown transposition", f"unsupported transposition `{text}`")

    def _applies_to_tune(self, voice: Voice) -> bool:
        """Return whether a change also applies to the tune: before any voice, or before the first one sounds."""
        return voice is self.header_voice or (voice.last is None and voice is next(iter(self.voices.values())))

    def _voice_of_field(self) -> Voice:
        return self._voice() if self.voice_name or self.voices else self.header_voice

    def _voice(self) -> Voice:
        """Return the current voice, and start it if needed."""
        tune, home, name = self.tune, self.header_voice, self.voice_name or "1"
        voice = self.voices.get(name)
        if voice is None:
            voice = Voice(tune.voices.setdefault(name, []), home.key, home.time, home.unit)
            self.voices[name] = voice
            properties = self.properties.get(name, "")
            instrument = with_properties(home.instrument, properties)
            voice.instrument = reduce(with_directive, self.directives.get(name, []), instrument)
            voice.propagate, voice.clef = home.propagate, read_clef(properties) or home.clef
            self._update_transposition(voice, home.sounding_pitch.with_properties(properties))
            if home.time is not None:
                voice.elements.append(home.time)
        return voice

    def _music(self, line: str, number: int) -> None:
        tune = self.tune
        if not self.in_body:
            if not tune.fields and number == tune.text.first:
                tune.report(number, 1, "no header", "the tune has no header fields")
            tune.report(number, 1, "no key", "music before the `K:` field")
            self.in_body = True
        if self.for_all_voices:
            message = f"`V:*` sets all voices and names none: the music after it goes on in voice `{self.voice_name}`"
            tune.report(number, 1, "music after `V:*`", message)
            self.for_all_voices = False
        voice: Voice | None = None
        handlers = HANDLERS
        if self.macros:
            line = expand_macros(line, self.macros)
        if self.cut_bar and _REST_OF_BAR.match(line):
            line = "|" + line.lstrip()
        self.cut_bar = bool(_CUT_BAR.search(line))
        for token in tokens(line, number):
            if token.kind == "inline":
                text = token.text
                self._change(Field(text[1], text[3:-1].strip(), number, token.column + 1))
                # a voice starts with its music, so that one that is only named does not become the first
                voice = None
            else:
                voice = voice or self._voice_with_unit()
                handlers[token.kind](tune, voice, token)

    def _voice_with_unit(self) -> Voice:
        """Return the current voice, and set its unit length if needed."""
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
            tune.report(tune.text.first, 1, "no key", "the tune has no `K:` field")
        for voice in self.voices.values():
            if voice.last is not None:
                close_group(tune, voice, voice.last.line, voice.last.column)
        # a voice may have been named, or given a part mark, long before its music
        tune.voices = dict(sorted(tune.voices.items(), key=lambda voice: _first_sound(voice[1])))
        tune.instruments = {name: voice.instrument for name, voice in self.voices.items()}
        tune.clefs = {name: voice.clef for name, voice in self.voices.items() if voice.clef}
        tune.key = tune.key or Signature()


def _first_sound(elements: Sequence[Element]) -> tuple[int, int]:
    """Return the line and column of the first sound; voices without sounds come last."""
    return next(((each.line, each.column) for each in elements if isinstance(each, Sound)), (1 << 40, 0))


_PROPERTY = re.compile(r"\w+=|(?:treble|alto|tenor|bass|perc)")
"""The beginning of a `K:` field that names no key, and leaves the signature empty."""
_CUT_BAR = re.compile(r"(?<![\]|:])[\]:]*\|[\]|:]*[ \t]*\\[ \t]*$")
"""A bar line and a backslash at the end of a line; matched from where its signs begin, so that many of them take no
time that grows with the square of their number."""
_REST_OF_BAR = re.compile(r"[ \t]*(?:\d|:(?![|:]))")
_PROPAGATE = re.compile(r"\s*propagate-accidentals[\s=]+(not|octave|pitch)\b")
