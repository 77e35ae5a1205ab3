"""Write chord symbols over a tune in ABC: `"G"` before notes; every other character stays, but for older symbols."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from composer.api import ReadError
from composer.formats.abc.elements import Sound, Tune
from composer.formats.abc.note_names import plain_key
from composer.formats.abc.reader.bars import Bar, bars
from composer.formats.abc.reader.lexer import Token, TuneText, block_lines, field_of, strip_comment, tokens
from composer.formats.abc.reader.parser import parse_tune
from composer.music import chords
from composer.music.direction_words import read_direction
from composer.music.harmony import Segment, choose_chords
from composer.music.keys import BEAT, Signature, Time, pitch

ON_BEAT = 2.0
"""Weight of a note that starts its segment, compared with others of its length."""
_BEFORE_NOTE = {"grace", "decoration", "text", "slur", "tuplet"}
"""Tokens between which and their note nothing is written."""


_OPENING = {'"', "{"}
"""Signs that begin a text or grace notes; unclosed, they are tokens of their own."""


class AddedChords(NamedTuple):
    """A tune with chord symbols: its text, how many were written, and how many older ones were replaced."""

    text: str
    written: int
    replaced: int


def add_chords(text: TuneText) -> AddedChords:
    """Return a tune with a chord symbol for each bar or half bar in which the chord changes.

    The melody is the first voice that has notes. Raises ReadError if there is none.
    """
    tune = parse_tune(text)
    voice = next((found for found in map(bars, tune.voices.values()) if any(_has_notes(bar) for bar in found)), None)
    if voice is None:
        raise ReadError(f"the tune at line {text.first} has no notes", "use a tune with a melody")
    places, segments = list[Sound](), list[Segment]()
    for place, segment in _segments(tune, voice):
        places.append(place)
        segments.append(segment)
    symbols = dict[tuple[int, int], str]()
    last = ""
    for place, segment, symbol in zip(places, segments, choose_chords(segments), strict=True):
        if symbol and (symbol != last or segment.starts_bar):
            symbols[place.line, place.column] = symbol
        last = symbol
    lines = list(text.lines)
    replaced = Counter[str]()
    for at, line in _music_lines(text):
        own = {column: symbol for (number, column), symbol in symbols.items() if number == text.first + at}
        lines[at] = _with_symbols(line, own, replaced)
    return AddedChords("".join(f"{line}\n" for line in lines), len(symbols), replaced["chords"])


def unclosed_sign(text: TuneText) -> Token | None:
    """Return the first `"` or `{` of a tune's music that nothing closes; None if there is none.

    Another `"` written after it would change what the rest of its line means.
    """
    return next(
        (
            token
            for at, line in _music_lines(text)
            for token in tokens(strip_comment(line), text.first + at)
            if token.kind == "unknown" and token.text in _OPENING
        ),
        None,
    )


def _music_lines(text: TuneText) -> Iterator[tuple[int, str]]:
    """Yield the index and text of each line that is no field, and not in a block of text."""
    words = block_lines(text.lines)
    for at, line in enumerate(text.lines):
        if at not in words and field_of(strip_comment(line), 1) is None:
            yield at, line


def _has_notes(bar: Bar) -> bool:
    return any(sound.tones for sound in bar.sounds)


def _segments(tune: Tune, voice: Sequence[Bar]) -> Iterator[tuple[Sound, Segment]]:
    """Yield the first sound and the notes of each bar, or half bar if a sound starts there.

    A pickup belongs to no bar and has no chord. Keys with explicit accidentals are read as in scores.
    """
    key, time = plain_key(tune.key or Signature()), tune.time or Time()
    first = True
    for bar in voice:
        key, time = plain_key(bar.key or key), bar.time or time
        is_pickup = first and bar.ticks < time.bar
        first = False
        if is_pickup or not bar.sounds:
            continue
        starts, now = list[int](), 0
        for sound in bar.sounds:
            starts.append(now)
            now += sound.ticks
        half = time.bar // 2 if time.numerator in (4, 6, 12, 2) and time.bar >= 2 * BEAT else 0
        if now != time.bar or half not in starts:
            half = 0
        ends_section = bar.close is not None and bool(bar.close.ends or bar.close.starts or bar.close.strong)
        for begin, end in ((0, half), (half, now)) if half else ((0, now),):
            inside = [(at, sound) for at, sound in zip(starts, bar.sounds, strict=True) if begin <= at < end]
            ends = ends_section and inside[-1] == (starts[-1], bar.sounds[-1])
            yield inside[0][1], Segment(_weights(inside, begin), begin == 0, key, ends)


def _weights(sounds: Sequence[tuple[int, Sound]], begin: int) -> dict[int, float]:
    """Return the weight of each pitch class among sounds and their starts.

    That of a note is its length in beats, or the square root of it for longer ones.
    """
    found = defaultdict[int, float](float)
    for at, sound in sounds:
        length = sound.ticks / BEAT
        weight = (length**0.5 if length > 1 else length) * (ON_BEAT if at == begin else 1.0)
        for tone in sound.tones[-1:]:
            found[pitch(*tone) % 12] += weight
    return dict(found)


def _is_symbol(text: str) -> bool:
    """Return whether a text stands for a chord, known or not, or for none."""
    meant = chords.resembles_chord(text) and read_direction(text) is None
    return meant or chords.parse(text) is not None or chords.is_no_chord(text)


def _with_symbols(line: str, symbols: dict[int, str], replaced: Counter[str]) -> str:
    """Return a line with `symbols` by the column of their note, without the chord symbols it had; count these."""
    music, before = strip_comment(line), list[Token]()
    inserted, removed = dict[int, str](), list[Token]()
    for token in tokens(music, 1):
        if token.kind == "text" and _is_symbol(token.text[1:-1]):
            removed.append(token)
        if token.column in symbols:
            at = token.column
            for earlier in reversed(before):
                if earlier.kind not in _BEFORE_NOTE or earlier.column + len(earlier.text) != at:
                    break
                at = earlier.column
            inserted[at - 1] = symbols[token.column]
        before.append(token)
    replaced["chords"] += len(removed)
    gone = {place for token in removed for place in range(token.column - 1, token.column - 1 + len(token.text))}
    written = []
    for at, character in enumerate(line):
        if at in inserted:
            written.append(f'"{inserted[at]}"')
        if at not in gone:
            written.append(character)
    return "".join(written)
