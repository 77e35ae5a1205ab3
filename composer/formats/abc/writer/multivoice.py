"""Write a Score as one tune with several voices and every note, on any grid that ABC has lengths for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice
from math import ceil
from statistics import fmean
from typing import NamedTuple

from composer.api import EncodeError, Part, Score, Tempo
from composer.formats.abc.dialect.tables import BARS_PER_LINE, CHORD_KINDS, unit_of
from composer.formats.abc.elements import Tone
from composer.formats.abc.header import heading
from composer.formats.abc.note_names import key_signature, plainest_key, tone
from composer.formats.abc.reader.structure import MAX_BARS
from composer.formats.abc.writer.bar_text import FINEST, BarSpan, Span, bar_text
from composer.formats.abc.writer.melody import snap
from composer.formats.abc.writer.voice_split import MAX_VOICES, in_ticks, too_many_voices_error, voices_of
from composer.music import chords
from composer.music.bars import Bar, bars, notated_end, with_short_end
from composer.music.keys import BEAT, WHOLE, Signature, Time, parse_meter
from composer.music.tempo_map import first_tempo
from composer.music.voices.notation import Segment, gaps, segments, shown_rests
from composer.music.voices.polyphony import clef_of, polyphonic_voices
from composer.music.voices.staves import StaffGroup, clef_octaves, hidden_rests, staff_groups


@dataclass(frozen=True, slots=True)
class _Voice:
    """A voice of a part on a staff of its `group`, with the ticks between which its rests are shown."""

    number: int
    segments: Sequence[Segment[int]]
    rests: Sequence[tuple[int, int]]
    part: Part
    staff: int
    clef: str
    group: int = 0


class _Signs(NamedTuple):
    """Chord symbols, tempos and fermatas by tick."""

    symbols: Mapping[int, str]
    tempos: Mapping[int, str]
    fermatas: Collection[int]


def write_voices(score: Score) -> str:
    """Return `score` as a file with one tune, with one or more voices per part.

    Parts are on the staves that their notation names. Without one, a part with a few voices, such as a chorale, is
    written as these, two on a staff. Other music is split into as few
    voices as possible. The tune reads back note for note. Percussion is on MIDI channel 10. Chord symbols are above the
    first voice, whose notes are split and tied there, or above rests if there are no notes. A bar that a change of
    meter cuts short gets its own meter; a change of key inside a bar takes effect in the next. Raises EncodeError for a
    silent score or one with more than MAX_VOICES voices or MAX_BARS bars, and for rhythms and meters that ABC cannot
    write.
    """
    if not score.is_audible:
        raise EncodeError("the score has no notes to write as ABC", "use music with a melody")
    parts = [part for part in score.parts if part.notes]
    layout = _layout(replace(score, parts=tuple(parts), bar_numbers=()))
    voices = _voices(parts, layout[-1].end) or [_Voice(1, (), ((0, layout[-1].end),), Part(), 0, "treble")]
    unit = WHOLE // int(unit_of(layout[0].time).partition("/")[2])
    signs = _Signs(_symbols(score), _tempo_changes(score, layout, voices[0].segments), {*map(snap, score.fermatas)})
    below = signs._replace(symbols={}, tempos={})
    texts = [list(_bars(voice, layout, unit, below if voice.number > 1 else signs)) for voice in voices]
    lines = [*_header(score, layout[0], voices), *_systems(texts)]
    return "\n".join(lines) + "\n"


def _voices(parts: Sequence[Part], end: int) -> list[_Voice]:
    """Return the voices of all parts in music that ends at the tick `end`."""
    voices: list[_Voice] = []
    for group, staves in enumerate(staff_groups(parts)):
        part = staves[0][0]
        found = [*_notated_voices(staves, end)] if part.notation is not None else _voices_of_part(part, end)
        if len(voices) + len(found) > MAX_VOICES:
            raise too_many_voices_error()
        voices += [replace(each, number=number, group=group) for number, each in enumerate(found, len(voices) + 1)]
    return voices


def _notated_voices(staves: StaffGroup, end: int) -> Iterator[_Voice]:
    """Yield the voices of parts on the staves that their notation names; those of one part are on the same staff."""
    for staff, parts in enumerate(staves):
        clef = next((part.notation.clef for part in parts if part.notation and part.notation.clef), "")
        for part in parts:
            hidden = [(snap(one), snap(other)) for one, other in hidden_rests(part)]
            for layer, events in enumerate(voices_of(part.notes)):
                content = [Segment(*event) for event in events]
                own = clef or ("perc" if part.percussion else _clef(content))
                rests = [] if layer else [*gaps(hidden, 0, end)]
                yield _Voice(0, content, rests, part, staff, own)


def _voices_of_part(part: Part, end: int) -> list[_Voice]:
    if polyphonic := polyphonic_voices(part):
        content = [[*segments(map(in_ticks, voice.notes))] for voice in polyphonic]
        staves, clefs = [voice.staff for voice in polyphonic], [voice.clef for voice in polyphonic]
        rests = shown_rests([[each[:2] for each in voice] for voice in content], staves, 0, end)
    else:
        content = [[Segment(*event) for event in events] for events in voices_of(part.notes)]
        clefs = ["perc" if part.percussion else _clef(voice) for voice in content]
        staves = [list(dict.fromkeys(clefs)).index(clef) for clef in clefs]
        rests = [[] if staff in staves[:at] else [(0, end)] for at, staff in enumerate(staves)]
    columns = zip(content, rests, staves, clefs, strict=True)
    return [_Voice(0, voice, shown, part, staff, clef) for voice, shown, staff, clef in columns]


def _clef(voice: Sequence[Segment[int]]) -> str:
    return clef_of([fmean(segment.pitches) for segment in voice])


def _layout(score: Score) -> list[BarSpan]:
    """Return the bars of a score, in ticks, with their meters and keys."""
    found = list(islice(bars(score, as_notated=True), MAX_BARS + 1))
    if len(found) > MAX_BARS:
        raise EncodeError(f"the score has more than {MAX_BARS} bars, which is too long for ABC", "write MIDI")
    keys = [(key.onset, key_signature(key)) for key in sorted(score.keys, key=lambda key: key.onset)]
    keys = keys or [(Fraction(0), plainest_key(score.notes) if score.notes else Signature())]
    onsets = [onset for onset, _ in keys]
    return [
        BarSpan(*_ticks(bar), _time(bar), keys[max(bisect_right(onsets, bar.start) - 1, 0)][1], bar.pulse)
        for bar in with_short_end(found, score)
    ]


def _ticks(bar: Bar) -> tuple[int, int]:
    begin, end = bar.start * BEAT, bar.end * BEAT
    if begin.denominator > 1 or end.denominator > 1:
        raise EncodeError(
            f"a bar line at beat {float(bar.end):g} cannot be written in ABC", "quantize the score, or write MIDI"
        )
    return int(begin), int(end)


def _time(bar: Bar) -> Time:
    """Return the bar's own meter. Raises EncodeError for one that ABC does not have."""
    meter = Time(bar.own_meter.numerator, bar.own_meter.denominator)
    if parse_meter(str(meter)) is None:
        raise EncodeError(f"a meter of {meter} cannot be written in ABC", "write MIDI or MusicXML")
    return meter


def _symbols(score: Score) -> dict[int, str]:
    """Return the chord symbols by tick; other text becomes an annotation.

    So does the end of a chord without another one, since abc2midi takes a chord symbol `N.C.` for a mistake.
    """
    found: dict[int, str] = {}
    for each in score.chords:
        chord = chords.parse(each.symbol)
        text = chord.symbol if chord else "^" + _plain(each.symbol)
        found.setdefault(snap(each.onset), text)
    return {snap(at): f"^{chords.NO_CHORD}" for at in chords.ends_of_chords(score.chords, notated_end(score))} | found


def _plain(text: str) -> str:
    """Return `text` on one line, without characters that would end it."""
    return " ".join("".join(character for character in text if character not in '"%\\[]').split())


def _header(score: Score, first: BarSpan, voices: Sequence[_Voice]) -> Iterator[str]:
    yield "X:1"
    yield from heading(score)
    yield f"M:{first.time}"
    yield f"L:{unit_of(first.time)}"
    if score.tempos:
        yield f"Q:{tempo_field(first_tempo(score), counted_notes(score))}"
    yield from _chord_names(score)
    if len(voices) > 1:
        yield f"%%score {_staves(voices)}"
    yield f"K:{first.key.name}"
    named = set[tuple[int, int, str]]()
    for voice in voices:
        has_clef = voice.part.notation is not None and bool(voice.part.notation.clef)
        if len(voices) > 1 or voice.part.percussion or has_clef:
            name = _plain(voice.part.name)
            place = voice.group, voice.staff, name  # where several voices have one name, as those of a chord
            yield f"V:{voice.number} clef={voice.clef}" + (f' name="{name}"' if name and place not in named else "")
            named.add(place)
        if voice.part.percussion:
            yield "%%MIDI channel 10"
        elif voice.part.program:
            yield f"%%MIDI program {voice.part.program}"


def _tempo_changes(score: Score, layout: Sequence[BarSpan], segments: Sequence[Segment[int]]) -> dict[int, str]:
    """Return the tempos after the first by tick: where they are, or at the next note if ABC cannot split there."""
    if not score.tempos:
        return {}
    places = sorted({*(bar.start for bar in layout), *(at for segment in segments for at in segment[:2])})
    before, counted = first_tempo(score), counted_notes(score)
    changes: dict[int, str] = {}
    for each in sorted(score.tempos):
        at = each.onset * BEAT
        if each.onset <= before.onset or at >= layout[-1].end:
            continue
        if at.denominator > 1 or at % FINEST:
            after = bisect_left(places, at)
            if after == len(places):
                continue
            at = Fraction(places[after])
        changes[int(at)] = tempo_field(each, counted)
    return changes


def counted_notes(score: Score) -> dict[Fraction, Fraction]:
    """Return the lengths, in beats, of the notes that tempos count, by onset of the tempo."""
    return {each.onset: each.length for each in reversed(score.tempo_units) if each.length}


def tempo_field(tempo: Tempo, counted: Mapping[Fraction, Fraction]) -> str:
    """Return the value of a `Q:` field for a tempo, in the note that it counts, else in quarter notes.

    There are as many decimals as two need in quarter notes, and more if the note is longer.
    """
    unit = counted.get(tempo.onset, Fraction(1))
    decimals = 2 + len(str(ceil(unit) - 1)) * (unit > 1)
    count = min(max(tempo.bpm, 4), 1000) / float(unit)
    of_whole = unit / 4
    return f"{of_whole.numerator}/{of_whole.denominator}={count:.{min(decimals, 5)}f}".rstrip("0").rstrip(".")


def _chord_names(score: Score) -> Iterator[str]:
    """Define the kinds of chords that abc2midi does not know by name."""
    found = [chord for chord in (chords.parse(each.symbol) for each in score.chords) if chord]
    names = {(chord.kind, chord.quality.partition("(")[0]) for chord in found}
    for _, name in sorted(names):
        chord = chords.parse(f"C{name}")
        if chord is not None and name not in CHORD_KINDS.values():
            yield f"%%MIDI chordname {name} {' '.join(map(str, chord.intervals))}"


def _staves(voices: Sequence[_Voice]) -> str:
    """Return the voices grouped by staves and braces: `[1 2 {(3 4) 5}]`."""
    staves: dict[int, dict[int, list[str]]] = {}
    for voice in voices:
        staves.setdefault(voice.group, {}).setdefault(voice.staff, []).append(str(voice.number))
    parts = []
    for part in staves.values():
        each = [f"({' '.join(names)})" if len(names) > 1 else names[0] for names in part.values()]
        parts.append(f"{{{' '.join(each)}}}" if len(each) > 1 else each[0])
    return f"[{' '.join(parts)}]" if len(parts) > 1 else parts[0]


def _systems(texts: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of the tune: a few bars of each voice, one below the other."""
    last = len(texts[0])
    for begin in range(0, last, BARS_PER_LINE):
        end = min(begin + BARS_PER_LINE, last)
        for number, text in enumerate(texts, 1):
            voice = f"[V:{number}] " if len(texts) > 1 else ""
            yield voice + "|".join(text[begin:end]) + ("|]" if end == last else "|")


def _bars(voice: _Voice, layout: Sequence[BarSpan], unit: int, signs: _Signs) -> Iterator[str]:
    before = layout[0]
    for bar, spans in zip(layout, _spans(voice, layout, signs), strict=True):
        change = f"[M:{bar.time}]" if bar.time != before.time else ""
        change += f"[K:{bar.key.name}]" if bar.key != before.key else ""
        yield change + bar_text(spans, bar, unit)
        before = bar


def _spans(voice: _Voice, layout: Sequence[BarSpan], signs: _Signs) -> Iterator[list[Span]]:
    """Yield the spans of each bar, cut where notes and rests start or end and at chord symbols and tempos."""
    symbols, tempos, fermatas = signs
    edges = chain((segment[:2] for segment in voice.segments), voice.rests)
    cuts = sorted({*symbols, *tempos, *chain.from_iterable(edges)})
    begins = {segment.start: segment for segment in voice.segments}
    shown = deque(voice.rests)
    octave = 12 * clef_octaves(voice.clef)
    now, sounding, tones = 0, Segment(0, 0, ()), dict[int, Tone]()
    for bar in layout:
        spans = []
        while now < bar.end:
            begun = begins.get(now)
            if begun:
                # a note that is tied over a change of key keeps its name
                held = {pitch: tones[pitch] for pitch in begun.tied_before}
                sounding, tones = begun, {pitch: tone(pitch - octave, bar.key) for pitch in begun.pitches} | held
            elif now >= sounding.end:
                tones = {}
            after = bisect_right(cuts, now)
            until = min(bar.end, cuts[after]) if after < len(cuts) else bar.end
            while shown and shown[0][1] <= now:
                shown.popleft()
            tied = tones if until < sounding.end else sounding.tied_after
            span = Span(until - now, tuple(tones.values()), frozenset(tones[pitch] for pitch in tied if tones))
            hidden = not tones and not (shown and shown[0][0] <= now)
            fermata = begun is not None and now in fermatas
            spans.append(
                span._replace(symbol=symbols.get(now, ""), tempo=tempos.get(now, ""), fermata=fermata, hidden=hidden)
            )
            now = until
        yield spans
