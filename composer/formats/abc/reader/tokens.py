"""Apply the tokens of a music line to a voice: one handler per kind of token."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from composer.formats.abc.elements import Element, Instrument, Mark, Overlay, Sign, Sound, Tone, Tune
from composer.formats.abc.reader.lexer import REST, Token
from composer.formats.abc.reader.note_text import ALTERS, read_length, read_note
from composer.formats.abc.reader.quoted_text import PLACES, UNKNOWN_CHORDS, read_chord
from composer.formats.abc.reader.transposition import SoundingPitch, Transposition
from composer.music.direction_words import read_direction
from composer.music.keys import WHOLE, Signature, Time


@dataclass(slots=True)
class Voice:
    """The state of a voice while it is read. `unit` is in ticks, 0 if not yet known.

    `written_tones` are those of the last sound, before transposition. `accidentals` are those of the bar, by letter (0
    to 6) or, if they `propagate` in their octave only, by step. `tuplet_rest` is the remainder of lengths that are not
    whole ticks, and `tuplet_crosses` the first bar line inside the tuplet. `overlay_bars` is how many bars an overlay
    still has, and `above` what the voice above it held before; `in_passage` is set from `(&` to `&)`.
    """

    elements: list[Element]
    key: Signature
    time: Time | None = None
    unit: int = 0
    sounding_pitch: SoundingPitch = field(default_factory=SoundingPitch)
    transposition: Transposition = field(default_factory=Transposition)
    written_tones: tuple[Tone, ...] = ()
    accidentals: dict[int, int] = field(default_factory=dict)
    tied: dict[int, int] = field(default_factory=dict)
    last: Sound | None = None
    broken: str = ""
    tuplet: tuple[int, int] = (1, 1)
    tuplet_left: int = 0
    tuplet_rest: int = 0
    tuplet_crosses: Mark | None = None
    group: int = 0
    chord: str = ""
    fermata: bool = False
    open_chord: list[Sound] | None = None
    open_chord_token: Token | None = None
    propagate: str = "pitch"
    instrument: Instrument = field(default_factory=Instrument)
    clef: str = ""
    overlay_bars: int = 0
    in_passage: bool = False
    above: tuple[Sound | None, dict[int, int], tuple[Tone, ...]] = (None, {}, ())


Handler = Callable[[Tune, Voice, Token], None]
"""Applies a token to a voice; the tune collects diagnostics and tuplets."""

_TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}


TOO_LONG = "length out of range"
"""The kind of the diagnostic of a length that no note or rest has, so that nobody knows what was meant."""
LONGEST, MOST_BARS = 64, 999
"""The whole notes of a note, and the bars of a rest."""


def _ticks(tune: Tune, token: Token, unit: int, numerator: int, denominator: int) -> int:
    """Return a length in ticks: 0 if it is written as 0, which `_sound` leaves out."""
    if not unit or (numerator == 0 and denominator):
        return 0
    ticks, rest = divmod(unit * numerator, denominator) if denominator else (unit, 1)
    if ticks > LONGEST * WHOLE:
        message = f"`{token.text}` is longer than {LONGEST} whole notes"
        tune.report(token.line, token.column, TOO_LONG, message)
        return LONGEST * WHOLE
    if rest or not ticks:
        tune.report(token.line, token.column, "impossible length", f"impossible note length `{token.text}`")
        return max(1, ticks)
    return ticks


def _note(tune: Tune, voice: Voice, token: Token) -> None:
    accidental, step, numerator, denominator = read_note(token.text)
    letter = step % 7
    place = step if voice.propagate == "octave" else letter
    if accidental:
        alter = ALTERS[accidental]
        if voice.propagate != "not":
            voice.accidentals[place] = alter
    else:
        known = voice.accidentals.get(place, voice.key.alters[letter])
        alter = voice.tied.get(step, known) if voice.tied else known
    ticks = _ticks(tune, token, voice.unit, numerator, denominator)
    sound = Sound(((step, alter),), ticks, token.line, token.column)
    if voice.open_chord is None:
        _sound(tune, voice, sound)
    else:
        voice.open_chord.append(sound)


def _rest(tune: Tune, voice: Voice, token: Token) -> None:
    match = REST.fullmatch(token.text)
    assert match is not None, token
    if match[1] == "y":
        return
    numerator, denominator = read_length(match[2])
    if match[1] in "ZX":
        bar = (voice.time or Time()).bar
        if numerator > MOST_BARS:
            message = f"the rest `{token.text}` is longer than {MOST_BARS} bars"
            tune.report(token.line, token.column, TOO_LONG, message)
        for count in range(min(max(numerator, 1), MOST_BARS)):
            if count:
                voice.elements.append(Mark("|", token.line, token.column))
            _sound(tune, voice, Sound((), bar, token.line, token.column, hidden=match[1] == "X"))
    elif voice.open_chord is None:
        ticks = _ticks(tune, token, voice.unit, numerator, denominator)
        _sound(tune, voice, Sound((), ticks, token.line, token.column, hidden=match[1] == "x"))


def _sound(tune: Tune, voice: Voice, sound: Sound) -> None:
    """Add a sound to the voice, with broken rhythm, tuplet, chord symbol and transposition applied."""
    ticks = sound.ticks
    if not ticks:
        tune.losses["notes of no length left out"] += len(sound.tones)
        tune.report(sound.line, sound.column, "note of no length", "a note of no length is left out")
        return
    if voice.broken:
        share = 1 << len(voice.broken)
        ticks = ticks * (2 * share - 1) // share if voice.broken[0] == "<" else ticks // share
        voice.broken = ""
    if voice.tuplet_left:
        ticks, voice.tuplet_rest = divmod(ticks * voice.tuplet[1] + voice.tuplet_rest, voice.tuplet[0])
        sound.group = voice.group
        voice.tuplet_left -= 1
        if mark := voice.tuplet_crosses:
            message = "the tuplet before this bar line goes on after it"
            tune.report(mark.line, mark.column, "tuplet across a bar line", message)
            voice.tuplet_crosses = None
    sound.ticks = ticks
    if voice.chord:
        sound.chord, voice.chord = voice.chord, ""
    sound.fermata, voice.fermata = voice.fermata, False
    voice.tied, voice.written_tones = dict(sound.ties), sound.tones
    if voice.transposition.semitones:
        sound.tones = tuple(map(voice.transposition.tone, sound.tones))
        sound.ties = tuple(map(voice.transposition.tone, sound.ties))
        sound.chord = voice.transposition.chord(sound.chord)
    voice.last = sound
    voice.elements.append(sound)
    if voice.overlay_bars:
        tune.overlay_notes += len(sound.tones)


def _open(tune: Tune, voice: Voice, token: Token) -> None:
    if voice.open_chord is not None:
        tune.report(token.line, token.column, "unbalanced brackets", "`[` inside a chord")
    voice.open_chord, voice.open_chord_token = [], token


def _close(tune: Tune, voice: Voice, token: Token) -> None:
    stack, voice.open_chord = voice.open_chord, None
    if stack is None:
        tune.report(token.line, token.column, "unbalanced brackets", "`]` without `[`")
        return
    if not stack:
        tune.report(token.line, token.column, "empty chord", "chord without notes")
        return
    numerator, denominator = read_length(token.text[1:])
    ticks = _ticks(tune, token, stack[0].ticks, numerator, denominator)
    tones = tuple(sorted({sound.tones[0] for sound in stack}))
    at = voice.open_chord_token or token
    ties = tuple(sorted({tone for sound in stack for tone in sound.ties}))
    chord = next((sound.chord for sound in stack if sound.chord), "")
    voice.chord = voice.chord or chord
    _sound(tune, voice, Sound(tones, ticks, at.line, at.column, ties=ties))


def _tie(tune: Tune, voice: Voice, token: Token) -> None:
    if voice.open_chord:
        voice.open_chord[-1].ties = voice.open_chord[-1].tones
    elif voice.last is None or not voice.last.tones:
        tune.report(token.line, token.column, "dangling tie", "no note before the tie")
    else:
        voice.last.ties = voice.last.tones
        voice.tied = dict(voice.written_tones)


def _bar(tune: Tune, voice: Voice, token: Token) -> None:
    text = token.text.lstrip(".")
    if text == ":":
        tune.report(token.line, token.column, "unknown character", "`:` is not a bar line")
        return
    lines = text.rstrip("0123456789,-.")
    mark = Mark(lines, token.line, token.column, endings=_passes(tune, token, text[len(lines) :]))
    before, bars, after = re.fullmatch(r"(:*)(.*?)(:*)", lines).groups()  # type: ignore[union-attr]
    if not bars:
        mark.ends, mark.starts = 1, True
    else:
        mark.ends, mark.starts = len(before), bool(after)
        mark.ends = mark.ends or int(":" in bars.strip("[]|:") or "|:" in bars)
    mark.strong = "||" in bars or "]" in bars or "[" in bars
    _place(tune, voice, mark)


def _ending(tune: Tune, voice: Voice, token: Token) -> None:
    endings = _passes(tune, token, token.text.lstrip("["))
    _place(tune, voice, Mark("", token.line, token.column, endings=endings))


def _place(tune: Tune, voice: Voice, mark: Mark) -> None:
    if voice.open_chord is not None:
        at = voice.open_chord_token or Token("", "", mark.line, mark.column)
        tune.report(at.line, at.column, "unbalanced brackets", "`[` without `]`")
        for sound in voice.open_chord:
            _sound(tune, voice, sound)
        voice.open_chord = None
    _close_broken(tune, voice, mark.line, mark.column)
    if voice.tuplet_left:
        voice.tuplet_crosses = voice.tuplet_crosses or mark
    voice.accidentals = {}
    if voice.overlay_bars:
        voice.overlay_bars -= 1
        if not voice.overlay_bars:
            voice.last, voice.tied, voice.written_tones = voice.above
    voice.elements.append(mark)


def close_group(tune: Tune, voice: Voice, line: int, column: int) -> None:
    """End an incomplete tuplet or broken rhythm at an overlay or the end of the tune, with a diagnostic."""
    _close_broken(tune, voice, line, column)
    _close_tuplet(tune, voice, line, column)


def _close_tuplet(tune: Tune, voice: Voice, line: int, column: int) -> None:
    if voice.tuplet_left:
        place = voice.tuplet_crosses or Mark("", line, column)
        message = f"tuplet lacks {voice.tuplet_left} of its notes"
        tune.report(place.line, place.column, "incomplete tuplet", message)
    voice.tuplet_left, voice.tuplet_crosses = 0, None


def _close_broken(tune: Tune, voice: Voice, line: int, column: int) -> None:
    if voice.broken:
        tune.report(line, column, "broken rhythm without a partner", "no note after `>` or `<`")
        voice.broken = ""


def _passes(tune: Tune, token: Token, text: str) -> tuple[int, ...]:
    """Return the passes of an ending such as `1,3-4`; without any from 1 up, its bars are always played."""
    passes: list[int] = []
    for part in re.split(r"[,.]", text):
        first, _, last = part.partition("-")
        if first:
            passes += range(max(int(first), 1), min(int(last or first), int(first) + 16) + 1)
    if text.strip(",.-") and not passes:
        tune.report(token.line, token.column, "impossible ending", f"no pass has the number of the ending `{text}`")
    return tuple(passes)


def _tuplet(tune: Tune, voice: Voice, token: Token) -> None:
    p, q, r = ([int(part or 0) for part in token.text[1:].split(":")] + [0, 0])[:3]
    _close_tuplet(tune, voice, token.line, token.column)
    if p < 1 or (p == 1 and not q):
        tune.report(token.line, token.column, "unknown tuplet", f"invalid tuplet `{token.text}`")
        return
    q = q or _TUPLETS.get(p) or (3 if (voice.time or Time()).compound else 2)
    voice.tuplet, voice.tuplet_left, voice.tuplet_rest = (p, q), r or p, 0
    tune.tuplets.append((p, q, r or p))
    voice.group = len(tune.tuplets) - 1


def _broken(tune: Tune, voice: Voice, token: Token) -> None:
    last = voice.last
    if last is None or voice.broken:
        tune.report(token.line, token.column, "broken rhythm without a partner", f"no note before `{token.text}`")
        return
    share = 1 << len(token.text)
    last.ticks = last.ticks * (2 * share - 1) // share if token.text[0] == ">" else last.ticks // share
    voice.broken = token.text


def _text(tune: Tune, voice: Voice, token: Token) -> None:
    content = token.text[1:-1].strip()
    if direction := read_direction(content.lstrip(PLACES)):
        voice.elements.append(Sign(direction))
    elif chord := read_chord(content):
        voice.chord = chord.symbol
        tune.losses[UNKNOWN_CHORDS] += not chord.is_known
    elif content:
        tune.unscored["annotations left out"] += 1


def _decoration(tune: Tune, voice: Voice, token: Token) -> None:
    name = (tune.symbols.get(token.text, "") if len(token.text) == 1 else token.text[1:-1]).strip("!+")
    voice.fermata |= name == "fermata"
    if direction := read_direction(name):
        voice.elements.append(Sign(direction))
    elif not name and token.text not in _DEFINED:
        tune.unscored["symbols without a definition left out"] += 1
    elif name != "fermata":
        tune.unscored["decorations left out"] += 1


_DEFINED = frozenset(".~HLMOPSTuv")
"""The symbols that ABC defines as decorations; `U:` defines others, and without it they may be letters of words."""


def _overlay(tune: Tune, voice: Voice, token: Token) -> None:
    close_group(tune, voice, token.line, token.column)
    begins, ends = token.text == "(&", token.text == "&)"
    if begins or ends:
        voice.in_passage = begins
    if ends and voice.overlay_bars:
        voice.overlay_bars = 0
        voice.last, voice.tied, voice.written_tones = voice.above
    elif not (begins or ends):
        if not voice.overlay_bars:
            voice.above = voice.last, voice.tied, voice.written_tones
        voice.overlay_bars = _UNTIL_END if voice.in_passage else len(token.text)
        voice.accidentals, voice.tied = {}, {}
    voice.elements.append(Overlay(len(token.text), begins, ends))


_UNTIL_END = 1 << 30
"""More bars than a passage of overlays can have; `&)` ends it."""


def _grace(tune: Tune, voice: Voice, token: Token) -> None:
    """Leave out grace notes, which take no time."""
    tune.losses["grace notes left out"] += sum(character in "ABCDEFGabcdefg" for character in token.text)


def _ignore(tune: Tune, voice: Voice, token: Token) -> None:
    """Skip slurs and continuations, which make no sound, and count the slurs."""
    tune.unscored["slurs left out"] += token.text.endswith("(")


def _unknown(tune: Tune, voice: Voice, token: Token) -> None:
    tune.report(token.line, token.column, "unknown character", f"unexpected `{token.text}`")


HANDLERS: dict[str, Handler] = {
    "note": _note, "rest": _rest, "open": _open, "close": _close, "tie": _tie, "bar": _bar, "ending": _ending,
    "tuplet": _tuplet, "broken": _broken, "text": _text, "overlay": _overlay, "grace": _grace, "slur": _ignore,
    "decoration": _decoration, "continuation": _ignore, "unknown": _unknown,
}  # fmt: skip
