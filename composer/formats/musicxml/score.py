"""A score from the bars of MusicXML: played in order, with ties joined, and signatures restored at each jump."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo, TempoUnit
from composer.api.limits import raised
from composer.formats.fermatas import note_beginnings
from composer.formats.limits import MAX_NOTES
from composer.formats.musicxml.attributes import StaffPart, bar_length, clef_of_notes, with_staves
from composer.formats.musicxml.elements import Bar, Line, WrittenNote
from composer.formats.musicxml.playback import Passage, bar_signs, notation, numbers_as_played, passages
from composer.music.bars import lost_silent_bars, notated_end
from composer.music.playback_order import MAX_BARS, BarSigns, playback_order
from composer.music.tempo_map import DEFAULT_BPM
from composer.music.time_order import in_order, in_time

OPEN_TIES = "ties without an end left out"

_FOUR_FOUR = (4, 4)
TOO_MANY_BARS = f"bars after the first {MAX_BARS:,} left out"


Value = TypeVar("Value")
_Changes = list[tuple[Fraction, Value]]
"""Changes within a bar, by beat."""


class _Played(NamedTuple):
    """A passage that is played from beat `now` on, for the time `number`."""

    now: Fraction
    passage: Passage
    number: int


class _Layout(NamedTuple):
    """The bars of all parts together: `meters` and `lengths` of each, and the passages with their signs and order.

    Of the `order`, which may be endless, only the first MAX_BARS are `played`. `losses` counts what is left out.
    """

    meters: list[_Changes[tuple[int, int]]]
    lengths: list[Fraction]
    places: list[Passage]
    signs: list[BarSigns]
    order: list[int]
    played: list[_Played]
    losses: Counter[str]


Voice = frozenset[tuple[Fraction, int]]
"""The beats at which the notes of a voice begin, as played, and their pitches."""


def voices_by_staff(parts: Sequence[Sequence[Bar]]) -> list[list[Voice]]:
    """Return the voices of each staff, given the bars of each part as written."""
    played = _lay_out(parts).played
    found: list[list[Voice]] = []
    for part in parts:
        staves: defaultdict[int, defaultdict[str, set[tuple[Fraction, int]]]] = defaultdict(lambda: defaultdict(set))
        for note in _notes_as_played(part, played):
            if not note.continues:
                staves[note.line.staff][note.voice].add((note.onset, note.pitch))
        found += [[*map(frozenset, voices.values())] for voices in staves.values()]
    return found


def build_score(parts: Sequence[Sequence[Bar]], title: str) -> Score:
    """Return the score of parts with their bars as written. Bars with the same number begin together."""
    meters, lengths, places, signs, order, played, losses = _lay_out(parts)
    written = notation(parts, places, signs, order, _full(meters)) if len(order) <= MAX_BARS else None
    instruments = [[*_sounding_parts(part, played, losses)] for part in parts]
    tempos = [_first([part[at].tempos for part in parts if at < len(part)]) for at in range(len(meters))]
    changes = [*_of_tempo(_changes(played, tempos, (DEFAULT_BPM, Fraction(0))))]
    keys = _keys(parts)
    score = Score(
        with_staves(instruments),
        tempos=tuple(Tempo(at, bpm) for at, (bpm, _) in changes),
        meters=tuple(Meter(at, *meter) for at, meter in _changes(played, meters, _FOUR_FOUR)),
        keys=tuple(Key(at, *key) for at, key in _changes(played, keys, (0, "major"))),
        pickup=_pickup(meters, lengths),
        title=title,
        bar_numbers=numbers_as_played(written),
        notation=written,
        tempo_units=tuple(TempoUnit(at, unit) for at, (_, unit) in changes if unit),
    )  # fmt: skip
    chords = tuple(_chords(parts, played, notated_end(score)))
    lost = {phrase: number for phrase, number in losses.items() if number}
    score = replace(score, chords=chords, losses=lost, fermatas=note_beginnings(_fermatas(parts, played), score.parts))
    starts = (each.now for each in played if each.passage.start == 0)
    return replace(score, losses=lost_silent_bars(score, starts))


def _lay_out(parts: Sequence[Sequence[Bar]]) -> _Layout:
    """Return the layout of parts with their bars as written."""
    count = max(map(len, parts), default=0)
    meters = [_first([part[at].meters for part in parts if at < len(part)]) for at in range(count)]
    lengths = _lengths(parts, meters)
    places = passages(parts, lengths)
    signs, lost = bar_signs(parts, places)
    order = playback_order(signs, limit=10 * MAX_BARS)
    losses = Counter({**lost, TOO_MANY_BARS: max(len(order) - MAX_BARS, 0)})
    return _Layout(meters, lengths, places, signs, order, list(_played(places, order[:MAX_BARS])), losses)


def _first(changes: Sequence[_Changes[Value]]) -> _Changes[Value]:
    """Merge the changes of all parts in a bar; at the same beat, that of the first part counts."""
    found: dict[Fraction, Value] = {}
    for each in reversed(changes):
        found.update(each)
    return sorted(found.items(), key=lambda change: change[0])


def _lengths(parts: Sequence[Sequence[Bar]], meters: Sequence[_Changes[tuple[int, int]]]) -> list[Fraction]:
    """Return the length of each bar: that of most parts among those that all notes fit in.

    Of lengths that as many parts have, it is that of the meter or else the longest. Empty bars have that of the meter.
    """
    found = []
    for at, full in enumerate(_full(meters)):
        bars = [part[at] for part in parts if at < len(part) and part[at].length]
        least = max((bar.last_note for bar in bars), default=Fraction(0))
        counts = Counter(bar.length for bar in bars if bar.length >= least)
        found.append(max(counts, key=lambda length: (counts[length], length == full, length), default=full))
    return found


def _full(meters: Sequence[_Changes[tuple[int, int]]]) -> list[Fraction]:
    """Return the length of each bar's meter."""
    found, meter = [], _FOUR_FOUR
    for changes in meters:
        meter = changes[-1][1] if changes else meter
        found.append(bar_length(meter))
    return found


def _pickup(meters: Sequence[_Changes[tuple[int, int]]], lengths: Sequence[Fraction]) -> Fraction:
    """Return the length of the first bar if it is shorter than its meter, else 0."""
    if len(lengths) < 2 or not meters[0]:
        return Fraction(0)
    return lengths[0] if lengths[0] < bar_length(meters[0][0][1]) else Fraction(0)


def _played(places: Sequence[Passage], order: Sequence[int]) -> Iterator[_Played]:
    now, times = Fraction(0), Counter[int]()
    for at in order:
        times[at] += 1
        yield _Played(now, places[at], times[at])
        now += places[at].end - places[at].start


def _changes(played: Sequence[_Played], written: Sequence[_Changes[Value]], default: Value) -> _Changes[Value]:
    """Return the changes as played. What is in force in a bar as written is so too after a jump to the bar.

    `default` is in force in bars before the first change.
    """
    in_force: list[Value | None] = []
    value: Value | None = None
    for changes in written:
        in_force.append(value)
        value = changes[-1][1] if changes else value
    found: dict[Fraction, Value] = {}
    current: Value | None = None
    for now, (bar, start, end), _ in played:
        changes = written[bar]
        first = bisect_right(changes, start, key=_beat)
        inside = changes[first : bisect_left(changes, end, first, key=_beat)]
        for at, each in ((start, changes[first - 1][1] if first else in_force[bar]), *inside):
            then = default if each is None and current is not None else each
            if then is not None and then != current:
                found[now + at - start] = current = then
    return list(found.items())


def _of_tempo(changes: _Changes[tuple[float, Fraction]]) -> Iterator[tuple[Fraction, tuple[float, Fraction]]]:
    """Yield the changes that are more than another mark for the same tempo."""
    before = 0.0
    for at, (bpm, unit) in changes:
        if bpm != before:
            yield at, (bpm, unit)
            before = bpm


_Event = TypeVar("_Event", WrittenNote, tuple[Fraction, str], tuple[Fraction])


def _between(events: Sequence[_Event], start: Fraction, end: Fraction) -> Sequence[_Event]:
    """Return those of the `events` of a bar, in order of time, from beat `start` to before beat `end`."""
    first = bisect_left(events, start, key=_beat)
    return events[first : bisect_left(events, end, first, key=_beat)]


def _beat(event: tuple[Any, ...]) -> Fraction:
    """Return the beat of an event, which is its first field."""
    beat: Fraction = event[0]
    return beat


def _keys(parts: Sequence[Sequence[Bar]]) -> list[_Changes[tuple[int, str]]]:
    """Return the changes of key in each bar: those of most parts, or of the first of as many; modes from any of these.

    Parts differ since horns and timpani, for example, may have no key signature. Percussion does not count.
    """
    count = max(map(len, parts), default=0)
    pitched = [part for part in parts if any(not note.line.percussion for bar in part for note in bar.notes)]
    alike: defaultdict[tuple[object, ...], list[Sequence[Bar]]] = defaultdict(list)
    for part in pitched or parts:
        alike[tuple(tuple((at, sharps) for at, (sharps, _) in bar.keys) for bar in part)].append(part)
    most = max(alike, key=lambda keys: (any(keys), len(alike[keys])), default=())
    group = alike.get(most, [])
    chosen = next((part for part in group if any(mode for bar in part for _, (_, mode) in bar.keys)), None)
    chosen = chosen or next(iter(group), ())
    keys = [[(at, (sharps, mode or "major")) for at, (sharps, mode) in bar.keys] for bar in chosen]
    return keys + [[] for _ in range(count - len(keys))]


def _chords(parts: Sequence[Sequence[Bar]], played: Sequence[_Played], end: Fraction) -> Iterator[ChordSymbol]:
    """Yield the chord symbols, each lasting until the next, the last to the beat `end` or to that of all bars."""
    found: dict[Fraction, str] = {}
    for part in reversed(parts):
        for now, (bar, start, stop), _ in played:
            if bar < len(part):
                found.update((now + at - start, symbol) for at, symbol in _between(part[bar].chords, start, stop))
    if not found:
        return
    onsets = sorted(found)
    if end <= onsets[-1]:
        last = played[-1]
        end = last.now + last.passage.end - last.passage.start
    for onset, until in zip(onsets, [*onsets[1:], end], strict=True):
        if found[onset] and until > onset:
            yield ChordSymbol(onset, until - onset, found[onset])


def _fermatas(parts: Sequence[Sequence[Bar]], played: Sequence[_Played]) -> Iterator[Fraction]:
    """Yield the beats of notes with a fermata in each part."""
    for part in parts:
        for now, (bar, start, stop), _ in played:
            if bar < len(part):
                yield from (now + at - start for (at,) in _between(part[bar].fermatas, start, stop))


def _sounding_parts(part: Sequence[Bar], played: Sequence[_Played], losses: Counter[str]) -> Iterator[StaffPart]:
    """Yield the parts of the score that one part of the file makes: one for each staff and instrument."""
    notes = _notes_as_played(part, played, losses)
    lines: defaultdict[Line, list[Note]] = defaultdict(list)
    for line, each in _joined(notes, losses):
        lines[line].append(each)
    clefs: defaultdict[int, list[str]] = defaultdict(list)
    for staff, clef in (each for bar in part for each in bar.clefs):
        clefs[staff].append(clef)
    for line in sorted(lines, key=lambda line: (line.staff, line.percussion)):
        clef = clef_of_notes(clefs[line.staff], percussion=line.percussion)
        yield StaffPart(Part(in_order(lines[line]), line.name, line.program, line.percussion), line.staff, clef)


def _notes_as_played(
    part: Sequence[Bar], played: Sequence[_Played], losses: Counter[str] | None = None
) -> list[WrittenNote]:
    """Return the notes of a part at the beats at which they are played, and add what its bars lack to `losses`."""
    notes: list[WrittenNote] = []
    max_notes = raised(MAX_NOTES)
    for now, (bar, start, end), number in played:
        if bar >= len(part) or len(notes) > max_notes:
            continue
        written = part[bar]
        if start == 0 and losses is not None:
            losses.update(written.losses)
        whole = start == 0 and end >= written.length
        shift = now - start
        notes += [
            note._replace(onset=shift + note.onset)
            for note in (written.notes if whole else _between(written.notes, start, end))
            if not note.passes or number in note.passes
        ]
    return notes


def _joined(notes: Sequence[WrittenNote], losses: Counter[str]) -> Iterator[tuple[Line, Note]]:
    """Yield the notes of a part with ties joined.

    A tie leads to the note of the same pitch at its end that is in the same voice, or else in another one. Ties that
    this note does not end are counted in `losses`.
    """
    ordered = sorted(notes, key=lambda note: in_time(note.onset))
    found: list[tuple[Line, Note]] = []
    held: dict[tuple[int, bool], dict[str, int]] = {}
    at = 0
    while at < len(ordered):
        onset = ordered[at].onset
        stop = at + 1
        while stop < len(ordered) and ordered[stop].onset == onset:
            stop += 1
        group, at = ordered[at:stop], stop
        targets = _tie_targets(group, held, found)
        for number, note in enumerate(group):
            target = targets.get(number)
            if target is None:
                target = len(found)
                losses[OPEN_TIES] += _ends_open_tie(note, held, found)
                found.append((note.line, Note(note.onset, note.pitch, note.duration, note.velocity)))
            else:
                line, before = found[target]
                found[target] = line, before._replace(duration=before.duration + note.duration)
            if note.continued:
                held.setdefault((note.pitch, note.line.percussion), {})[note.voice] = target
    return iter(found)


def _ends_open_tie(
    note: WrittenNote, held: Mapping[tuple[int, bool], dict[str, int]], found: Sequence[tuple[Line, Note]]
) -> bool:
    """Return whether a tie of the same voice leads to `note`, which does not end it."""
    target = held.get((note.pitch, note.line.percussion), {}).get(note.voice)
    return target is not None and not note.continues and found[target][1].end == note.onset


def _tie_targets(
    group: Sequence[WrittenNote], held: Mapping[tuple[int, bool], dict[str, int]], found: Sequence[tuple[Line, Note]]
) -> dict[int, int]:
    """Return the held notes that notes at one onset continue, and take them out of `held`; first in each voice."""
    targets: dict[int, int] = {}
    for same_voice in (True, False):
        for number, note in enumerate(group):
            voices = held.get((note.pitch, note.line.percussion))
            if not note.continues or number in targets or not voices:
                continue
            among = [note.voice] if same_voice else list(voices)
            for voice in among:
                if voice in voices and found[voices[voice]][1].end == note.onset:
                    targets[number] = voices.pop(voice)
                    break
    return targets
