"""Music as it is written, and playing passages of it in another order: ties are joined after that."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, TypeVar

from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo

SignT = TypeVar("SignT", Tempo, Meter, Key)


class WrittenNote(NamedTuple):
    """A note before its ties are joined. `voice` names its voice within the staff."""

    onset: Fraction
    pitch: int
    duration: Fraction
    voice: str = ""
    tied_before: bool = False
    tied_after: bool = False
    velocity: int = 80


class Passage(NamedTuple):
    """A stretch of written music, in beats."""

    start: Fraction
    end: Fraction


@dataclass(frozen=True)
class Staff:
    """The notes of one part, by onset, and what is left out of it: the beat and a phrase."""

    notes: Sequence[WrittenNote]
    name: str = ""
    program: int = 0
    percussion: bool = False
    dropped: Sequence[tuple[Fraction, str]] = ()


@dataclass(frozen=True)
class WrittenMusic:
    """What a file holds, in the order in which it is written. `chords` are onsets and symbols, "" for none."""

    staves: Sequence[Staff] = ()
    tempos: Sequence[Tempo] = ()
    meters: Sequence[Meter] = ()
    keys: Sequence[Key] = ()
    chords: Sequence[tuple[Fraction, str]] = ()
    bar_starts: Sequence[Fraction] = ()
    end: Fraction = Fraction(0)
    title: str = ""
    losses: Counter[str] = field(default_factory=Counter)


def passages(starts: Sequence[Fraction], end: Fraction, order: Iterable[int]) -> list[Passage]:
    """Return what is played: the stretches that begin at `starts`, of which the last goes on to `end`, in `order`."""
    ends = [*starts[1:], end]
    played: list[Passage] = []
    last = -2
    for at in order:
        if at == last + 1 and played:
            played[-1] = played[-1]._replace(end=ends[at])
        else:
            played.append(Passage(starts[at], ends[at]))
        last = at
    return played


def play(music: WrittenMusic, played: Sequence[Passage]) -> Score:
    """Return the score in which the passages are `played` one after the other.

    Notes that exceed their passage end with it. At each jump, tempo, meter and key are those of the bar as written.
    """
    losses = Counter(music.losses)
    last, end = max(played, key=lambda passage: passage.end)  # where grace notes after the last note are counted
    parts = []
    for staff in music.staves:
        losses.update(phrase for at, phrase in staff.dropped for _ in _times(last if at >= end else at, played))
        notes = join_ties(play_notes(staff.notes, played))
        if doubled := len(notes) - len(set(notes)):
            losses["notes doubled in unison left out"] += doubled
        if notes:
            program = 0 if staff.percussion else staff.program
            parts.append(Part(tuple(sorted(set(notes))), staff.name, program, staff.percussion))
    score = Score(
        tuple(parts),
        (),
        tuple(_play_signs(music.tempos, played)),
        tuple(_play_signs(music.meters, played)),
        tuple(_play_signs(music.keys, played)),
        _pickup(music, played),
        music.title,
        dict(losses),
    )
    chords = _play_chords(music.chords, played, score.duration)
    return Score(score.parts, chords, *(getattr(score, name) for name in Score.__slots__[2:]))


def play_notes(notes: Sequence[WrittenNote], played: Sequence[Passage]) -> list[WrittenNote]:
    """Return `notes`, which are in order of onset, as the passages are played."""
    onsets = [note.onset for note in notes]
    result: list[WrittenNote] = []
    now = Fraction(0)
    for start, end in played:
        shift = now - start
        for note in notes[bisect_left(onsets, start) : bisect_left(onsets, end)]:
            duration = min(note.duration, end - note.onset)
            result.append(note._replace(onset=note.onset + shift, duration=duration))
        now += end - start
    return result


def count_notes(notes: Sequence[WrittenNote], played: Sequence[Passage]) -> int:
    """Return how many notes `play_notes` returns, without making them."""
    onsets = [note.onset for note in notes]
    return sum(bisect_left(onsets, end) - bisect_left(onsets, start) for start, end in played)


def join_ties(notes: Iterable[WrittenNote]) -> list[Note]:
    """Return `notes`, which are in order of onset, with each tied note joined to the one that it goes on from.

    That note has the same pitch and ends where the tied one begins; one of the same voice is preferred.
    """
    joined: list[Note] = []
    tied: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for note in notes:
        waiting = tied[note.pitch]
        before = _tied_from(note, waiting, joined) if note.tied_before else None
        if before is None:
            joined.append(Note(note.onset, note.pitch, note.duration, note.velocity))
            at = len(joined) - 1
        else:
            waiting.remove(before)
            at = before[1]
            joined[at] = joined[at]._replace(duration=joined[at].duration + note.duration)
        if note.tied_after:
            waiting.append((note.voice, at))
    return joined


def _tied_from(note: WrittenNote, waiting: list[tuple[str, int]], joined: list[Note]) -> tuple[str, int] | None:
    adjacent = [each for each in waiting if joined[each[1]].end == note.onset]
    return next((each for each in adjacent if each[0] == note.voice), adjacent[0] if adjacent else None)


def _times(at: Fraction, played: Sequence[Passage]) -> Iterator[Fraction]:
    """Yield each beat at which the written beat `at` is played."""
    now = Fraction(0)
    for start, end in played:
        if start <= at < end:
            yield now + at - start
        now += end - start


def _play_signs(signs: Sequence[SignT], played: Sequence[Passage]) -> Iterator[SignT]:
    """Yield `signs` as the passages are played, without those that change nothing."""
    onsets = [sign.onset for sign in signs]
    now, last = Fraction(0), None
    for start, end in played:
        before = bisect_right(onsets, start)
        inside = [(start, signs[before - 1])] if before else []
        inside += [(sign.onset, sign) for sign in signs[before : bisect_left(onsets, end)]]
        for at, sign in inside:
            if last is None or sign[1:] != last[1:]:
                last = sign._replace(onset=now + at - start)
                yield last
        now += end - start


def _play_chords(
    chords: Sequence[tuple[Fraction, str]], played: Sequence[Passage], end: Fraction
) -> tuple[ChordSymbol, ...]:
    """Return the chord symbols, each lasting until the next, the last to `end` or to that of its passage."""
    sounding = sorted((onset, symbol) for at, symbol in chords for onset in _times(at, played))
    length = sum((stop - start for start, stop in played), Fraction(0))
    last = end if sounding and end > sounding[-1][0] else length
    ends = [*(onset for onset, _ in sounding[1:]), last]
    symbols = (ChordSymbol(onset, until - onset, name) for (onset, name), until in zip(sounding, ends, strict=False))
    return tuple(symbol for symbol in symbols if symbol.symbol and symbol.duration > 0)


def _pickup(music: WrittenMusic, played: Sequence[Passage]) -> Fraction:
    """Return the length of the first bar if it is incomplete and others follow, else 0."""
    starts = music.bar_starts
    if len(starts) < 2 or not music.meters or music.meters[0].onset > starts[0] or played[0].start > starts[0]:
        return Fraction(0)
    length = starts[1] - starts[0]
    return length if length < music.meters[0].bar else Fraction(0)
