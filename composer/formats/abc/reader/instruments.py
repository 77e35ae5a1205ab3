"""Instruments of voices, from their names, `%%MIDI` directives and percussion clefs."""

from __future__ import annotations

import re
from dataclasses import replace

from composer.formats.abc.elements import Instrument
from composer.formats.abc.reader.note_text import ALTERS, read_note
from composer.formats.abc.text_escapes import decode_text
from composer.music.keys import pitch

_PROGRAM = re.compile(r"\s*MIDI[ \t=]+program[ \t]+(?:\d{1,2}[ \t]+)?(\d{1,3})\b")
_CHANNEL = re.compile(r"\s*MIDI[ \t=]+channel[ \t]+(\d{1,2})\b")
_VOICE = re.compile(r"\s*MIDI[ \t=]+voice\b.*\binstrument=(\d{1,3})\b")
_DRUM = re.compile(r"\s*(?:MIDI[ \t=]+drummap|percmap)[ \t=]+((?:\^\^?|__?|=|)[A-Ga-g][,']{0,9})[ \t]+(\d{1,3})(?!\S)")
_CLEF = re.compile(r"(?:(?<![\w=])clef=\"?|(?<!\S))(perc(?:ussion)?\b)|(?<![\w=])clef=")
_NAME = re.compile(r'(?<![\w=])(?:name|nm)=(?:"([^"]*)"|([^\s"]+))')
_NAMES = re.compile(r'(?<!clef=)"[^"]*"')

PERCUSSION_CHANNEL = 10


def with_directive(instrument: Instrument, text: str) -> Instrument:
    """Apply a directive such as `MIDI program 40`, `MIDI program 2 40` (with a channel) or `MIDI channel 10`."""
    if (match := _PROGRAM.match(text)) and int(match[1]) < 128:
        return replace(instrument, program=int(match[1]))
    if (match := _VOICE.match(text)) and 0 < int(match[1]) <= 128:
        return replace(instrument, program=int(match[1]) - 1)
    if match := _CHANNEL.match(text):
        return replace(instrument, percussion=int(match[1]) == PERCUSSION_CHANNEL)
    return instrument


def read_drum(text: str) -> tuple[int, int] | None:
    """Return the written pitch and the drum of `MIDI drummap ^g 42` or `percmap ^g 42`, both as MIDI numbers."""
    match = _DRUM.match(text)
    if match is None or int(match[2]) > 127:
        return None
    accidental, step, *_ = read_note(match[1])
    return pitch(step, ALTERS.get(accidental, 0)), int(match[2])


def with_properties(instrument: Instrument, properties: str) -> Instrument:
    """Apply the name and the clef of a `K:` or `V:` field: `clef=perc` is percussion."""
    if match := _NAME.search(properties):
        instrument = replace(instrument, name=_plain(match[1] or match[2] or ""))
    properties = _NAMES.sub("", properties)
    clef = _CLEF.search(properties)
    return replace(instrument, percussion=clef[1] is not None) if clef else instrument


def _plain(name: str) -> str:
    r"""Return a name with its escapes as characters, on one line: `\n` in it breaks lines on paper."""
    return " ".join(decode_text(name.replace("\\n", " ")).split())
