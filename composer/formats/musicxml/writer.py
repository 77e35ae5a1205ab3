"""A Score as music21's measures, voices, ties and rests, and those as MusicXML."""

from __future__ import annotations

import contextlib
import io
import warnings
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from composer.api import ComposerError, Part, Score
from composer.music import chords
from composer.music.bars import COMMON_TIME, Bar, bars

if TYPE_CHECKING:
    from composer.formats import WriteSettings

_GRIDS: tuple[tuple[int, ...], ...] = ((), (8, 6), (4,))
"""Times are written as they are, or where no note values fit, on the nearest of these parts of a beat."""


class Event(NamedTuple):
    """Pitches that sound together within one bar, tied to what stands before or after it."""

    start: Fraction
    end: Fraction
    pitches: tuple[int, ...]
    tied_before: bool = False
    tied_after: bool = False


def to_musicxml(score: Score, settings: WriteSettings) -> bytes:
    """`score` as MusicXML. Raises ComposerError where music21 cannot write it in any way."""
    m21 = music21()
    exporter = m21.musicxml.m21ToXml.GeneralObjectExporter

    for grid in _GRIDS:
        try:
            with quiet():
                return bytes(exporter(_stream(score, settings, _snapper(grid))).parse())
        except m21.exceptions21.Music21Exception:
            continue
    raise ComposerError("this piece cannot be written as MusicXML", "write it as MIDI")


def music21() -> Any:
    """The library, which is slow to import and only in part typed."""
    import music21

    return music21


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep music21's remarks, which it makes as warnings and on stderr, from the terminal."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def name_of(pitch: int, sharps: int) -> tuple[str, int]:
    """The name and octave of a MIDI number in a key of `sharps`; `-` is a flat: 61 is C# 4, or D- 4 in flat keys.

    On the line of fifths, where C is 0 and G is 1, a key's notes are `sharps - 1` to `sharps + 5`; the five others are
    taken from both sides.
    """
    fifth = (7 * pitch - (sharps - 3)) % 12 + sharps - 3
    letter, accidental = "FCGDAEB"[(fifth + 1) % 7], (fifth + 1) // 7
    octave = (pitch - accidental) // 12 - 1
    return f"{letter}{'#' * accidental}{'-' * -accidental}", octave


Snap = Callable[[Fraction], Fraction]


def _snapper(grid: tuple[int, ...]) -> Snap:
    """A function that moves a time to the nearest of the `grid`'s parts of a beat."""

    def snap(time: Fraction) -> Fraction:
        nearest = (Fraction(round(time * steps), steps) for steps in grid)
        return min(nearest, key=lambda candidate: abs(candidate - time), default=time)

    return snap


def _stream(score: Score, settings: WriteSettings, snap: Snap) -> Any:
    m21 = music21()
    whole = m21.stream.Score()
    whole.metadata = m21.metadata.Metadata()
    whole.metadata.title = score.title
    layout = list(bars(score)) or [Bar(1, Fraction(0), COMMON_TIME.bar, COMMON_TIME)]
    parts = [part for part in score.parts if not part.percussion] or [Part()]
    for number, part in enumerate(parts, 1):
        staff = m21.stream.Part()
        program = part.program if settings.instrument is None else settings.instrument
        player = m21.instrument.instrumentFromMidiProgram(program)
        player.partId, player.instrumentId = f"P{number}", f"P{number}-I1"
        player.partName = part.name or None
        staff.insert(0, player)
        staff.partName = part.name
        for measure in _measures(part, score, layout, snap):
            staff.append(measure)
        whole.insert(0, staff)
    _add_signs(whole, score, settings, layout)
    return whole


def _measures(part: Part, score: Score, layout: list[Bar], snap: Snap) -> Iterator[Any]:
    """The measures of one part, filled with its notes."""
    m21 = music21()
    keys = sorted(score.keys, key=lambda key: key.onset)
    content = _by_bar(part, layout, snap)
    for index, bar in enumerate(layout):
        measure = m21.stream.Measure(number=bar.number)
        if bar.number == 0:
            measure.paddingLeft = float(bar.meter.bar - bar.length)
            measure.showNumber = m21.stream.enums.ShowNumber.NEVER
        sharps = next((key.sharps for key in reversed(keys) if key.onset <= bar.start), 0)
        voices = _voices(content[index])
        for at, voice in enumerate(voices, 1):
            target = measure if len(voices) == 1 else m21.stream.Voice(id=str(at))
            _fill(target, voice, bar, sharps)
            if target is not measure:
                measure.insert(0, target)
        yield measure


def _by_bar(part: Part, layout: list[Bar], snap: Snap) -> dict[int, list[Event]]:
    """The notes of `part` in each bar: chords gathered, and cut with ties at the bar lines."""
    together: dict[tuple[Fraction, Fraction], set[int]] = defaultdict(set)
    for note in part.notes:
        start, end = snap(note.onset), snap(note.end)
        if start < end:
            together[start, end].add(note.pitch)
    starts = [bar.start for bar in layout]
    content: dict[int, list[Event]] = defaultdict(list)
    for (start, end), pitches in sorted(together.items()):
        index = bisect_right(starts, start) - 1
        at = start
        while at < end and index < len(layout):
            until = min(end, layout[index].end)
            content[index].append(Event(at, until, tuple(sorted(pitches)), at > start, until < end))
            at, index = until, index + 1
    return content


def _voices(events: Iterable[Event]) -> list[list[Event]]:
    """`events` as few voices in which nothing overlaps; one empty voice where there are none."""
    voices: list[list[Event]] = [[]]
    for event in sorted(events, key=lambda event: (event.start, -event.pitches[-1])):
        free = next((voice for voice in voices if not voice or voice[-1].end <= event.start), None)
        if free is None:
            voices.append(free := [])
        free.append(event)
    return voices


def _fill(target: Any, events: list[Event], bar: Bar, sharps: int) -> None:
    """Put `events` into a measure or voice, with rests between them."""
    m21 = music21()
    at = bar.start
    for event in [*events, Event(bar.end, bar.end, ())]:
        if at < event.start:
            target.insert(at - bar.start, m21.note.Rest(quarterLength=event.start - at))
        at = event.end
        if not event.pitches:
            continue
        pitches = [_pitch(pitch, sharps) for pitch in event.pitches]
        length = event.end - event.start
        made = (
            m21.note.Note(pitches[0], quarterLength=length)
            if len(pitches) == 1
            else m21.chord.Chord(pitches, quarterLength=length)
        )
        if event.tied_before or event.tied_after:
            kinds = {(False, True): "start", (True, True): "continue", (True, False): "stop"}
            made.tie = m21.tie.Tie(kinds[event.tied_before, event.tied_after])
        target.insert(event.start - bar.start, made)


def _pitch(pitch: int, sharps: int) -> Any:
    name, octave = name_of(pitch, sharps)
    return music21().pitch.Pitch(name, octave=octave)


def _add_signs(whole: Any, score: Score, settings: WriteSettings, layout: list[Bar]) -> None:
    """Meters and keys in every part; tempo and chord symbols above the first."""
    m21 = music21()
    starts = [bar.start for bar in layout]

    def place(staff: Any, onset: Fraction, sign: Any) -> None:
        index = max(bisect_right(starts, onset) - 1, 0)
        if onset < layout[index].end:
            staff.getElementsByClass("Measure")[index].insert(onset - starts[index], sign)

    for staff in whole.parts:
        shown = None
        for bar in layout:
            if bar.meter != shown:
                shown = bar.meter
                place(staff, bar.start, m21.meter.TimeSignature(f"{shown.numerator}/{shown.denominator}"))
        for signature in score.keys:
            sign = m21.key.KeySignature(signature.sharps)
            place(staff, signature.onset, sign.asKey(signature.mode) if signature.mode in _MODES else sign)
    first = whole.parts[0]
    tempos = (
        [(t.onset, t.bpm) for t in score.tempos if t.bpm > 0]
        if settings.tempo is None
        else [(Fraction(0), settings.tempo)]
    )
    for onset, bpm in tempos:
        place(first, onset, m21.tempo.MetronomeMark(number=round(bpm, 3), referent=1))
    for symbol in score.chords:
        chord = chords.parse(symbol.symbol)
        if chord is None:
            place(first, symbol.onset, m21.expressions.TextExpression(symbol.symbol))
            continue
        root, bass = chord.root.replace("b", "-"), chord.bass.replace("b", "-")
        kind = chords.MUSIC21.get(chord.kind, chord.kind)
        place(first, symbol.onset, m21.harmony.ChordSymbol(root=root, bass=bass, kind=kind))


_MODES = frozenset({"major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "locrian"})
