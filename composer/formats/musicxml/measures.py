"""The measures of a part in music21, with voices, ties and rests, on one or two staves."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from statistics import fmean
from typing import Any, NamedTuple

from composer.api import Note, Part
from composer.formats.musicxml.library import music21
from composer.music.as_written import AsWritten, Ties
from composer.music.bars import Bar
from composer.music.keys import name_of_fifth, spell_in_key
from composer.music.voices.hands import hands
from composer.music.voices.notation import Segment, gaps, rest_lengths, segments, shown_rests
from composer.music.voices.polyphony import clef_of, polyphonic_voices
from composer.music.voices.staves import StaffGroup, clef_octaves, hidden_rests

Snap = Callable[[Fraction], Fraction]
Span = tuple[Fraction, Fraction]


class Event(NamedTuple):
    """Simultaneous pitches within one bar, those that are tied to others, and whether they have a fermata."""

    start: Fraction
    end: Fraction
    pitches: tuple[int, ...]
    tied_before: frozenset[int] = frozenset()
    tied_after: frozenset[int] = frozenset()
    fermata: bool = False


class _Voice(NamedTuple):
    """The events of a voice in one bar, its rests in order, and its stems: `up`, `down` or as usual.

    `number` is 0 for the only voice of a bar.
    """

    events: Sequence[Event]
    rests: Sequence[_Rest]
    number: int = 0
    stem: str = ""


class _Rest(NamedTuple):
    """Silence within one bar, `hidden` if it needs no rest."""

    start: Fraction
    end: Fraction
    hidden: bool


class _Staff(NamedTuple):
    """The voices of each bar, and the name of the clef, empty if it is left to the reader."""

    clef: str
    bars: Sequence[Sequence[_Voice]]


def measures_by_staff(group: StaffGroup, written: AsWritten, snap: Snap, *, by_hand: bool = False) -> list[list[Any]]:
    """Return the measures of each staff of an instrument, with times rounded by `snap`.

    Parts are written as their notation says. Without one, a polyphonic part has its voices on one or two staves, with
    clefs. Other music is on one staff, as chords, or `by_hand` on two if it needs two clefs. Bars in which the notes of
    a voice overlap have further voices, without rests.
    """
    part = group[0][0]
    if part.notation is not None:
        staves = [*_numbered(_notated_staff(staff, written, snap, alone=len(group) == 1) for staff in group)]
    else:
        ties = written.ties_of(part)
        staves = _polyphonic_staves(part, written, snap, ties)
        staves = staves or _other_staves(part, written, snap, ties, by_hand=by_hand)
    keys = sorted(written.score.keys, key=lambda key: key.onset, reverse=True)
    found = []
    for staff in staves:
        measures = []
        for bar, voices in zip(written.bars, staff.bars, strict=True):
            sharps = next((key.sharps for key in keys if key.onset <= bar.start and not part.percussion), 0)
            measures.append(_measure(bar, voices, sharps))
        if staff.clef:
            measures[0].insert(0, _clef(staff.clef))
        found.append(measures)
    return found


_CLEF_SIGNS = {
    "treble": "G2", "alto": "C3", "tenor": "C4", "bass": "F4", "soprano": "C1", "mezzo": "C2", "baritone": "F3",
}  # fmt: skip
_CLEF = re.compile(r"([a-z]+)([1-5]?).*")


def _clef(name: str) -> Any:
    """Return music21's clef for the name of one, as in `VoiceNotation`."""
    m21 = music21()
    match = _CLEF.fullmatch(name)
    assert match is not None, name
    if match[1] == "perc":
        return m21.clef.PercussionClef()
    usual = _CLEF_SIGNS[match[1]]
    return m21.clef.clefFromString(usual[0] + (match[2] or usual[1]), clef_octaves(name))


def name_of(pitch: int, sharps: int) -> tuple[str, int]:
    """Return music21's name and octave of a MIDI number in a key of `sharps`: 61 is C# 4, or D- 4 in flat keys."""
    fifth, octave = spell_in_key(pitch, sharps)
    return name_of_fifth(fifth, flat="-"), octave


def _notated_staff(parts: Sequence[Part], written: AsWritten, snap: Snap, *, alone: bool) -> _Staff:
    """Return the staff with the voices `parts`, each of which shows its rests unless they are hidden.

    One of several staves has a clef in any case.
    """
    clef = next((part.notation.clef for part in parts if part.notation and part.notation.clef), "")
    pitches = [note.pitch for part in parts for note in part.notes]
    clef = clef or ("perc" if parts[0].percussion else "" if alone else clef_of(pitches))
    end = written.bars[-1].end
    rests = [[*gaps([(snap(one), snap(other)) for one, other in hidden_rests(part)], _START, end)] for part in parts]
    if len(parts) == 1:
        return _Staff(clef, _with_chords(parts[0].notes, written, snap, rests[0], written.ties_of(parts[0])))
    content = [_by_bar(_chords(part.notes, snap), written, snap, written.ties_of(part)) for part in parts]
    bars = []
    for index, bar in enumerate(written.bars):
        layers = [_without_overlaps(events[index]) for events in content]
        voices = [
            _Voice(own[0], [*_rests(own[0], shown, bar)], number)
            for number, (own, shown) in enumerate(zip(layers, rests, strict=True), 1)
        ]
        overlays = [events for own in layers for events in own[1:]]
        voices += [_Voice(events, [*_rests(events, (), bar)], at) for at, events in enumerate(overlays, len(parts) + 1)]
        bars.append(_with_stems(voices))
    return _Staff(clef, bars)


_START = Fraction(0)


def _numbered(staves: Iterable[_Staff]) -> Iterator[_Staff]:
    """Yield the staves of one instrument, with other numbers for the voices of each."""
    above = 0
    for clef, bars in staves:
        yield _Staff(clef, [[each._replace(number=each.number + above) for each in voices] for voices in bars])
        above += max(len(voices) for voices in bars)


def _with_stems(voices: Sequence[_Voice]) -> list[_Voice]:
    """Return the voices of a bar on one staff that show anything, or else the first, with the stems of two voices."""
    active = [each for each in voices if each.events or not all(rest.hidden for rest in each.rests)] or voices[:1]
    stems = ("up", "down") if len(active) == 2 else [""] * len(active)
    return [each._replace(stem=stem) for each, stem in zip(active, stems, strict=True)]


def _polyphonic_staves(part: Part, written: AsWritten, snap: Snap, ties: Ties) -> list[_Staff]:
    """Return the staves with the voices of `part`; none if it is not polyphonic."""
    voices = polyphonic_voices(part)
    content = [[*segments(_snapped(voice.notes, snap))] for voice in voices]
    spans = [[(each.start, each.end) for each in chords] for chords in content]
    places = [voice.staff for voice in voices]
    shown = shown_rests(spans, places, written.bars[0].start, written.bars[-1].end)
    events = [_by_bar(chords, written, snap, ties) for chords in content]
    staves = {}
    for voice in voices:
        own = [number for number, place in enumerate(places) if place == voice.staff]
        bars = []
        for index, bar in enumerate(written.bars):
            every = [_Voice(events[at][index], [*_rests(events[at][index], shown[at], bar)], at + 1) for at in own]
            bars.append(_with_stems(every))
        staves[voice.staff] = _Staff(voice.clef, bars)
    return [staves[place] for place in sorted(staves)]


def _other_staves(part: Part, written: AsWritten, snap: Snap, ties: Ties, *, by_hand: bool) -> list[_Staff]:
    """Return the staff of music that is not polyphonic, or `by_hand` the two staves of a keyboard."""
    if by_hand and (found := hands(part)):
        return [_hand(clef, replace(part, notes=tuple(own)), written, snap, ties) for clef, own in found.items()]
    bars = _with_chords(part.notes, written, snap, _everywhere(written), ties)
    return [_Staff("perc" if part.percussion else "", bars)]


def _hand(clef: str, part: Part, written: AsWritten, snap: Snap, ties: Ties) -> _Staff:
    """Return the staff of one hand, with its two voices if it is polyphonic, else with chords."""
    staves = _polyphonic_staves(part, written, snap, ties)
    if len(staves) == 1:
        return staves[0]
    return _Staff(clef, _with_chords(part.notes, written, snap, _everywhere(written), ties))


def _everywhere(written: AsWritten) -> Sequence[Span]:
    return [(written.bars[0].start, written.bars[-1].end)]


def _chords(notes: Iterable[Note], snap: Snap) -> Iterator[Segment[Fraction]]:
    """Yield the notes that begin and end together as chords."""
    together: dict[Span, set[int]] = defaultdict(set)
    for start, end, pitch in _snapped(notes, snap):
        together[start, end].add(pitch)
    for span, pitches in sorted(together.items()):
        yield Segment(*span, tuple(sorted(pitches)))


def _with_chords(
    notes: Iterable[Note], written: AsWritten, snap: Snap, rests: Sequence[Span], ties: Ties
) -> list[list[_Voice]]:
    """Return as few voices in each bar as possible, the highest with stems up. Only the first shows `rests`."""
    content = _by_bar(_chords(notes, snap), written, snap, ties)
    bars = []
    for index, bar in enumerate(written.bars):
        voices = _without_overlaps(content[index])
        shown = [rests, *([] for _ in voices[1:])]
        if len(voices) == 1:
            bars.append([_Voice(voices[0], [*_rests(voices[0], shown[0], bar)])])
            continue
        heights = [fmean(pitch for event in events for pitch in event.pitches) for events in voices]
        stems = ["up" if height == max(heights) else "down" for height in heights]
        columns = enumerate(zip(voices, shown, stems, strict=True), 1)
        bars.append([_Voice(own, [*_rests(own, rests, bar)], number, stem) for number, (own, rests, stem) in columns])
    return bars


def _rests(events: Iterable[Event], shown: Sequence[Span], bar: Bar) -> Iterator[_Rest]:
    """Yield where a voice is silent in `bar`, cut where its rests begin or end to be shown."""
    at = bar.start
    for event in [*events, Event(bar.end, bar.end, ())]:
        first = max(bisect_right(shown, (at, at)) - 1, 0)
        for begin, stop in shown[first : bisect_right(shown, (event.start, event.start))]:
            start, end = max(begin, at), min(stop, event.start)
            if start < end:
                if at < start:
                    yield _Rest(at, start, hidden=True)
                yield _Rest(start, end, hidden=False)
                at = end
        if at < event.start:
            yield _Rest(at, event.start, hidden=True)
        at = event.end


def _snapped(notes: Iterable[Note], snap: Snap) -> list[tuple[Fraction, Fraction, int]]:
    """Return the start, end and pitch of notes in order, without those that are too short."""
    times = ((snap(note.onset), snap(note.end), note.pitch) for note in notes)
    return sorted({note for note in times if note[0] < note[1]})


def _by_bar(chords: Iterable[Segment[Fraction]], written: AsWritten, snap: Snap, ties: Ties) -> dict[int, list[Event]]:
    """Return chords by bar, split with ties at bar lines; `ties` are of notes that were split before.

    Fermatas are at their beginning.
    """
    layout, fermatas = written.bars, frozenset(map(snap, written.score.fermatas))
    starts = [bar.start for bar in layout]
    content: dict[int, list[Event]] = defaultdict(list)
    for start, end, pitches, before, after in chords:
        index = bisect_right(starts, start) - 1
        at = start
        while at < end and index < len(layout):
            until = min(end, layout[index].end)
            opened = before | {pitch for pitch in pitches if (at, pitch) in ties.before}
            closed = after | {pitch for pitch in pitches if (end, pitch) in ties.after}
            tied_before = opened if at == start else frozenset(pitches)
            tied_after = closed if until == end else frozenset(pitches)
            content[index].append(Event(at, until, pitches, tied_before, tied_after, at == start and start in fermatas))
            at, index = until, index + 1
    return content


def _without_overlaps(events: Iterable[Event]) -> list[list[Event]]:
    """Distribute `events` over as few voices as possible without overlaps; at least one voice."""
    voices: list[list[Event]] = [[]]
    for event in sorted(events, key=lambda event: (event.start, -event.pitches[-1])):
        free = next((voice for voice in voices if not voice or voice[-1].end <= event.start), None)
        if free is None:
            voices.append(free := [])
        free.append(event)
    return voices


def _measure(bar: Bar, voices: Sequence[_Voice], sharps: int) -> Any:
    m21 = music21()
    measure = m21.stream.Measure(number=bar.number)
    if bar.number == 0:
        measure.paddingLeft = float(bar.meter.bar - bar.length)
        measure.showNumber = m21.stream.enums.ShowNumber.NEVER
    elif bar.length < bar.meter.bar:  # else music21 fills it with a rest
        measure.paddingRight = float(bar.meter.bar - bar.length)
    for voice in voices:
        target = m21.stream.Voice(id=str(voice.number)) if voice.number else measure
        _fill(target, voice, bar, sharps)
        if target is not measure:
            measure.insert(0, target)
    return measure


def _fill(target: Any, voice: _Voice, bar: Bar, sharps: int) -> None:
    """Fill a measure or voice with the notes and rests of `voice`."""
    m21 = music21()
    missing = bar.meter.bar - bar.length if bar.number == 0 else 0  # a pickup is the end of a bar
    for rest in voice.rests:
        at = rest.start - bar.start
        for length in rest_lengths(at + missing, rest.end - bar.start + missing, bar.meter.bar, bar.pulse):
            made = m21.note.Rest(quarterLength=length)
            made.style.hideObjectOnPrint = rest.hidden
            target.insert(at, made)
            at += length
    for event in voice.events:
        target.insert(event.start - bar.start, _chord(event, voice.stem, sharps))


def _chord(event: Event, stem: str, sharps: int) -> Any:
    """Return a note or chord of music21 with its ties and fermata."""
    m21 = music21()
    notes = []
    for pitch in event.pitches:
        name, octave = name_of(pitch, sharps)
        note = m21.note.Note(m21.pitch.Pitch(name, octave=octave), quarterLength=event.end - event.start)
        before, after = pitch in event.tied_before, pitch in event.tied_after
        if before or after:
            note.tie = m21.tie.Tie(
                {(False, True): "start", (True, True): "continue", (True, False): "stop"}[before, after]
            )
        notes.append(note)
    made = notes[0] if len(notes) == 1 else _chord_class()(notes, quarterLength=event.end - event.start)
    if stem:
        made.stemDirection = stem
    if event.fermata:
        fermata = m21.expressions.Fermata()
        fermata.placement, fermata.type = None, "upright"  # in MusicXML, the type says that it is above
        made.expressions.append(fermata)
    return made


@cache
def _chord_class() -> Any:
    """Return music21's chord with notes that are sorted in place: for each chord, the exporter sorts a deep copy."""

    class Chord(music21().chord.Chord):  # type: ignore[misc]
        def sortAscending(self, *, inPlace: bool = False) -> Any:  # noqa: N802, N803 - music21's names
            self.sortDiatonicAscending(inPlace=True)
            return None if inPlace else self

    return Chord
