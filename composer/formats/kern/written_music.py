"""Music as written, and the score in which passages of it are played in another order, with ties joined."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple, TypeVar

from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo
from composer.formats.fermatas import note_beginnings
from composer.formats.musicxml.attributes import StaffPart, with_staves
from composer.music.bars import lost_silent_bars
from composer.music.tempo_map import DEFAULT_BPM
from composer.music.time_order import in_order

_TEMPO, _METER, _KEY = Tempo(Fraction(0), DEFAULT_BPM), Meter(Fraction(0), 4, 4), Key(Fraction(0), 0)
"""The signs of music before its first ones."""

MAX_PLAYED_NOTES = 100_000
"""With repeats written out."""

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
    """The notes of one part, by onset. `dropped` are the beats of skipped notes, each with its phrase.

    The clef is as in `VoiceNotation`. Staves of one instrument have the same `brace`, others 0.
    """

    notes: Sequence[WrittenNote]
    name: str = ""
    program: int = 0
    percussion: bool = False
    dropped: Sequence[tuple[Fraction, str]] = ()
    clef: str = ""
    brace: int = 0


@dataclass(frozen=True)
class WrittenMusic:
    """The music of a file, in written order.

    `chords` are onsets and symbols, "" for none; `fermatas` and `phrase_ends` are beats.
    """

    staves: Sequence[Staff] = ()
    tempos: Sequence[Tempo] = ()
    meters: Sequence[Meter] = ()
    keys: Sequence[Key] = ()
    chords: Sequence[tuple[Fraction, str]] = ()
    fermatas: Sequence[Fraction] = ()
    bar_starts: Sequence[Fraction] = ()
    end: Fraction = Fraction(0)
    title: str = ""
    losses: Counter[str] = field(default_factory=Counter)
    phrase_ends: Sequence[Fraction] = ()


def passages(starts: Sequence[Fraction], end: Fraction, order: Iterable[int]) -> list[Passage]:
    """Return the passages that begin at `starts`, of which the last ends at `end`, in `order`; neighbors are merged."""
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

    Notes that exceed their passage end with it. At each jump, tempo, meter and key are those of the bar as written, or
    120 BPM, 4/4 and C major before the first ones.
    """
    losses = Counter(music.losses)
    losses.update(_count_dropped(music.staves, played))
    instruments: dict[tuple[int, int], list[StaffPart]] = {}
    for number, staff in enumerate(music.staves):
        notes = join_ties(play_notes(staff.notes, played))
        unique = in_order(notes)
        if doubled := len(notes) - len(unique):
            losses["notes doubled in unison left out"] += doubled
        if notes:
            program = 0 if staff.percussion else staff.program
            part = Part(unique, staff.name, program, staff.percussion)
            own = instruments.setdefault((staff.brace, 0 if staff.brace else number), [])
            own.append(StaffPart(part, number, staff.clef))
    score = Score(
        with_staves([*instruments.values()]),
        (),
        tuple(_play_signs(music.tempos, played, _TEMPO)),
        tuple(_play_signs(music.meters, played, _METER)),
        tuple(_play_signs(music.keys, played, _KEY)),
        _pickup(music, played),
        music.title,
        dict(losses),
    )
    fermatas, phrase_ends = (
        note_beginnings(
            (at + shift for shift, _, inside in _slices(signs, played) for at in signs[inside]), score.parts
        )
        for signs in (music.fermatas, music.phrase_ends)
    )
    chords = _play_chords(music.chords, played, score.duration)
    score = replace(score, chords=chords, fermatas=fermatas, phrase_ends=phrase_ends)
    slices = _slices(music.bar_starts, played)
    starts = (at + shift for shift, _, inside in slices for at in music.bar_starts[inside])
    return replace(score, losses=lost_silent_bars(score, starts))


def play_notes(notes: Sequence[WrittenNote], played: Sequence[Passage]) -> list[WrittenNote]:
    """Return `notes`, which are in order of onset, as the passages are played."""
    result: list[WrittenNote] = []
    for shift, end, inside in _slices([note.onset for note in notes], played):
        for note in notes[inside]:
            duration = min(note.duration, end - note.onset)
            result.append(note._replace(onset=note.onset + shift, duration=duration))
    return result


def count_notes(notes: Sequence[WrittenNote], played: Sequence[Passage]) -> int:
    """Return how many notes `play_notes` returns, without making them."""
    return _count([note.onset for note in notes], played)


def _slices(onsets: Sequence[Fraction], played: Sequence[Passage]) -> Iterator[tuple[Fraction, Fraction, slice]]:
    """Yield of each passage how far it is moved, its written end, and the slice of the sorted `onsets` inside it."""
    now = Fraction(0)
    for start, end in played:
        yield now - start, end, slice(bisect_left(onsets, start), bisect_left(onsets, end))
        now += end - start


def _count(onsets: Sequence[Fraction], played: Sequence[Passage]) -> int:
    """Return how often the sorted `onsets` are played."""
    return sum(bisect_left(onsets, end) - bisect_left(onsets, start) for start, end in played)


def _count_dropped(staves: Sequence[Staff], played: Sequence[Passage]) -> Counter[str]:
    """Count the skipped notes of all staves as often as they are played, by phrase."""
    end = max((passage.end for passage in played), default=Fraction(0))
    final = sum(passage.end == end for passage in played)
    counts: Counter[str] = Counter()
    onsets: dict[str, list[Fraction]] = defaultdict(list)
    for staff in staves:
        for at, phrase in staff.dropped:
            if at < end:
                onsets[phrase].append(at)
            else:  # grace notes after the last note
                counts[phrase] += final
    for phrase, found in onsets.items():
        counts[phrase] += _count(sorted(found), played)
    return +counts


def join_ties(notes: Iterable[WrittenNote]) -> list[Note]:
    """Return `notes`, which are in order of onset, with each tied note joined to the one before it.

    The note before has the same pitch and ends where the tied one begins. One of the same voice is preferred.
    """
    joined: list[Note] = []
    open_ties: dict[tuple[int, Fraction], dict[str, deque[int]]] = defaultdict(dict)
    for note in notes:
        before = _take(open_ties.get((note.pitch, note.onset)), note.voice) if note.tied_before else None
        if before is None:
            at = len(joined)
            joined.append(Note(note.onset, note.pitch, note.duration, note.velocity))
        else:
            at = before
            joined[at] = joined[at]._replace(duration=joined[at].duration + note.duration)
        if note.tied_after:
            open_ties[note.pitch, joined[at].end].setdefault(note.voice, deque()).append(at)
    return joined


def _take(by_voice: dict[str, deque[int]] | None, voice: str) -> int | None:
    """Remove and return the first index of `voice`, else of another voice; None without any."""
    if not by_voice:
        return None
    chosen = voice if voice in by_voice else next(iter(by_voice))
    index = by_voice[chosen].popleft()
    if not by_voice[chosen]:
        del by_voice[chosen]
    return index


def _play_signs(signs: Sequence[SignT], played: Sequence[Passage], default: SignT) -> Iterator[SignT]:
    """Yield `signs` as the passages are played, without those that change nothing.

    `default` counts where the music jumps to a place before the first sign.
    """
    onsets = [sign.onset for sign in signs]
    now, last = Fraction(0), None
    for start, end in played:
        before = bisect_right(onsets, start)
        inside = [(start, signs[before - 1] if before else default)] if before or last is not None else []
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
    slices = _slices([onset for onset, _ in chords], played)
    sounding = [(onset + shift, symbol) for shift, _, inside in slices for onset, symbol in chords[inside]]
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
