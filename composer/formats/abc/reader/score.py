"""Read ABC 2.1 as found in the wild as a Score, with repeats unrolled and tied notes joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import TypeVar

from composer.api import ChordSymbol, Key, Meter, Note, Part, ReadError, Score, Tempo, TempoUnit, VoiceNotation
from composer.formats.abc.elements import Instrument, Sound, Tune
from composer.formats.abc.note_names import OTHER_ACCIDENTALS, count_other_accidentals, plain_key
from composer.formats.abc.reader import structure
from composer.formats.abc.reader.bar_numbers import bar_numbers, written_numbers
from composer.formats.abc.reader.bars import Bar
from composer.formats.abc.reader.guesses import guesses
from composer.formats.abc.reader.lexer import Diagnostic, TuneText, split_tunes
from composer.formats.abc.reader.notation import notation, voice_notations
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.abc.reader.playback import UNLIKE_VOICES, played_bars, tune_bars
from composer.formats.abc.reader.sections import written_sections
from composer.formats.abc.reader.structure import ordered_sections
from composer.formats.abc.reader.tempo import INVALID, WrittenTempo, has_number, parse_tempo
from composer.formats.abc.reader.tokens import TOO_LONG
from composer.formats.abc.text_escapes import decode_text
from composer.formats.fermatas import note_beginnings
from composer.music.bars import lost_silent_bars
from composer.music.keys import BEAT, Time, pitch
from composer.music.tempo_map import DEFAULT_BPM

__all__ = ["read_score"]


class ImpossibleLength(ReadError):
    """A tune has a note or rest that is too long: `reason` names it, `place` says where: `line 12, column 7`."""

    def __init__(self, found: Diagnostic) -> None:
        self.reason, self.place = found.message, f"line {found.line}, column {found.column}"
        super().__init__(f"{self.reason}, at {self.place}")


class NoNotes(ReadError):
    """A tune without notes, or with none in the range of MIDI: `reason` says which, `place` where and which notes."""

    def __init__(self, line: int, pitches: Sequence[int]) -> None:
        self.reason, self.place, hint = "no notes", f"line {line}", None
        if pitches:
            from composer.music.scales import pitch_span

            self.reason, hint = "no notes in the range of MIDI", "transpose it"
            self.place += f": {pitch_span(min(pitches), max(pitches))}; MIDI has {pitch_span(0, 127)}"
        super().__init__(f"the tune at line {line} has {self.reason}", hint)


def read_score(text: str) -> Score:
    """Return the first tune in `text`. Raises ReadError as `read_tune` does."""
    found = split_tunes(text)
    if not found:
        raise ReadError("no tune in the text", "an ABC tune starts with `X:1` and has a `K:` line")
    return read_tune(found[0])


def read_tune(text: TuneText, problems: list[Diagnostic] | None = None) -> Score:
    """Return a tune as a Score, and add its errors to `problems`.

    Raises ReadError if it has no notes or chords, and ImpossibleLength.
    """
    tune = parse_tune(text)
    if problems is not None:
        problems += tune.diagnostics
    return score_of(tune, problems)


def score_of(tune: Tune, problems: list[Diagnostic] | None = None) -> Score:
    """Return a parsed tune as a Score. Raises ReadError as `read_tune` does."""
    if too_long := next((each for each in tune.diagnostics if each.kind == TOO_LONG), None):
        raise ImpossibleLength(too_long)
    losses = Counter(tune.losses)
    found_in_order: list[Diagnostic] = []
    losses[INVALID] += tempo_of(tune) is None and has_number(tune.tempo)
    voices: dict[str, tuple[list[Bar], list[Bar]]] = {}
    sounding: dict[str, tuple[Note, ...]] = {}
    sections: dict[str, list[structure.Section]] = {}
    for name, found in tune_bars(tune, found_in_order, losses).items():
        sections[name] = ordered_sections(tune, found, found_in_order)
        voices[name] = found, played_bars(tune, found, found_in_order, losses)
        if notes := _notes(voices[name][1], losses):
            sounding[name] = notes
    if problems is not None:
        problems += found_in_order
    guessed = guesses(tune, [*tune.diagnostics, *found_in_order])
    losses += guessed.counts
    names = [*sounding, *(name for name, (_, played) in voices.items() if _chords(played))]
    if not names:
        layers = [layer for _, played in voices.values() for layer in _layers(played)]
        raise NoNotes(tune.text.first, [pitch(*tone) for layer in layers for _, sound in layer for tone in sound.tones])
    written, first = voices[names[0]]
    losses[OTHER_ACCIDENTALS] += count_other_accidentals(
        key for key in (tune.key, *(bar.key for bar in written)) if key
    )
    written_as = voice_notations(tune, {name: played for name, (_, played) in voices.items() if name in sounding})
    parts = tuple(_part(tune, name, notes, written_as.get(name)) for name, notes in sounding.items())
    tempos = _tempos(tune, [*voices.values()])
    time = tune.time or Time(free=True)
    numbers = written_numbers(time, written)
    is_shared = not losses[UNLIKE_VOICES]  # else the notation of one voice is not that of others
    score = Score(
        parts=parts,
        chords=_chords(first),
        tempos=tuple(Tempo(at, tempo.bpm) for at, tempo in tempos),
        meters=_meters(time, written, first),
        keys=_keys(tune, written, first),
        pickup=_pickup(time, first),
        title=tune.title,
        losses={phrase: count for phrase, count in losses.items() if count},
        places=guessed.places,
        composers=tune.composers,
        tempo_units=tuple(TempoUnit(at, tempo.unit) for at, tempo in tempos if tempo.unit),
        sections=tuple(written_sections(sections[names[0]], first)),
        fermatas=note_beginnings((at for _, played in voices.values() for at in _fermatas(played)), parts),
        bar_numbers=bar_numbers(numbers, first),
        notation=notation(written, first, numbers, rhythm_of(tune)) if is_shared else None,
    )
    starts = accumulate((bar.ticks for bar in first[:-1]), initial=0)
    return replace(score, losses=lost_silent_bars(score, (Fraction(start, BEAT) for start in starts)))


def _part(tune: Tune, label: str, notes: tuple[Note, ...], notation: VoiceNotation | None) -> Part:
    instrument = tune.instruments.get(label) or Instrument()
    if instrument.percussion and tune.drums:
        notes = tuple(sorted(note._replace(pitch=tune.drums.get(note.pitch, note.pitch)) for note in notes))
    return Part(notes, instrument.name, instrument.program or 0, instrument.percussion, notation)


@lru_cache(maxsize=65536)
def beats(ticks: int) -> Fraction:
    """Convert ticks to beats."""
    return Fraction(ticks, BEAT)


def _notes(played: Sequence[Bar], losses: Counter[str]) -> tuple[Note, ...]:
    """Return the notes of a voice and its overlays, joining tied notes if the same pitch follows at once."""
    return tuple(sorted(note for layer in _layers(played) for note in _joined(layer, losses)))


def _layers(played: Sequence[Bar]) -> Iterator[list[tuple[int, Sound]]]:
    """Yield the sounds of the voice, and of each layer of its overlays, with their onsets in ticks."""
    layers: list[list[tuple[int, Sound]]] = [[]]
    start = 0
    for bar in played:
        layers += [[] for _ in range(len(bar.overlays) + 1 - len(layers))]
        for layer, sounds in zip(layers, (bar.sounds, *bar.overlays), strict=False):
            now = start
            for sound in sounds:
                layer.append((now, sound))
                now += sound.ticks
        start += bar.ticks
    yield from layers


def _joined(timed: Iterable[tuple[int, Sound]], losses: Counter[str]) -> Iterator[Note]:
    held: dict[int, int] = {}
    before = 0
    for now, sound in (*timed, (-1, _NOTHING)):
        pitches = [pitch(step, alter) for step, alter in sound.tones]
        tied = {pitch(step, alter) for step, alter in sound.ties}
        going: dict[int, int] = {}
        if now == before:
            ends = [(each, held.pop(each, now), now + sound.ticks) for each in pitches]
        else:
            ends = [(each, now, now + sound.ticks) for each in pitches]
        lasting = [(each, begin, before) for each, begin in held.items()]
        for each, begin, end in ends:
            if each in tied:
                going[each] = begin
            else:
                lasting.append((each, begin, end))
        for each, begin, end in lasting:
            if 0 <= each <= 127:
                yield Note(beats(begin), each, beats(end - begin))
            else:
                losses["notes outside the MIDI range left out"] += 1
        held, before = going, now + sound.ticks


_NOTHING = Sound((), 0, 0, 0)
"""The end of a voice, after any time."""


def _chords(found: Sequence[Bar]) -> tuple[ChordSymbol, ...]:
    starts: list[tuple[int, str]] = []
    now = 0
    for bar in found:
        for sound in bar.sounds:
            if sound.chord:
                starts.append((now, sound.chord))
            now += sound.ticks
    ends = [*(at for at, _ in starts[1:]), now][: len(starts)]
    return tuple(
        ChordSymbol(beats(at), beats(end - at), symbol)
        for (at, symbol), end in zip(starts, ends, strict=True)
        if is_chord(symbol)
    )


def _fermatas(played: Sequence[Bar]) -> Iterator[Fraction]:
    for layer in _layers(played):
        yield from (beats(now) for now, sound in layer if sound.fermata and sound.tones)


@lru_cache(maxsize=4096)
def is_chord(symbol: str) -> bool:
    """Return whether `symbol` is the name of a chord and not other text."""
    from composer.music import chords

    return chords.parse(symbol) is not None


_FOUR_FOUR = Time(4, 4)


def _meters(time: Time, written: Sequence[Bar], played: Sequence[Bar]) -> tuple[Meter, ...]:
    """Return the meters. Bars before the first meter have none, so a jump back to them restores the default of 4/4."""
    in_force = _in_force(written, lambda bar: bar.time, time)
    meters = [] if time.free else [Meter(Fraction(0), time.numerator, time.denominator)]
    now = 0
    for bar in played:
        each = in_force[id(bar)]
        if each is time and each.free and meters:
            each = _FOUR_FOUR
        if not each.free:
            meter = Meter(beats(now), each.numerator, each.denominator)
            if not meters or (meters[-1].numerator, meters[-1].denominator) != (meter.numerator, meter.denominator):
                _append_change(meters, meter)
        now += bar.ticks
    return tuple(meters)


def _keys(tune: Tune, written: Sequence[Bar], played: Sequence[Bar]) -> tuple[Key, ...]:
    """Return the keys; those with explicit accidentals by the most similar one without, since a score has no others."""
    assert tune.key is not None
    in_force = _in_force(written, lambda bar: bar.key, tune.key)
    first = plain_key(tune.key)
    keys = [Key(Fraction(0), first.sharps, first.mode)]
    now = 0
    for bar in played:
        each = plain_key(in_force[id(bar)])
        if (each.sharps, each.mode) != (keys[-1].sharps, keys[-1].mode):
            _append_change(keys, Key(beats(now), each.sharps, each.mode))
        now += bar.ticks
    return tuple(keys)


Value = TypeVar("Value")
Change = TypeVar("Change", Meter, Key)


def _append_change(changes: list[Change], change: Change) -> None:
    """Append a change, which replaces one at the same onset."""
    if changes and changes[-1].onset == change.onset:
        changes.pop()
    changes.append(change)


def _in_force(written: Sequence[Bar], change: Callable[[Bar], Value | None], first: Value) -> dict[int, Value]:
    """Return what is in force in each bar as written, by the bar's identity; it is also so after a jump to the bar."""
    found, value = {}, first
    for bar in written:
        value = change(bar) or value
        found[id(bar)] = value
    return found


def _tempos(tune: Tune, voices: Sequence[tuple[Sequence[Bar], Sequence[Bar]]]) -> list[tuple[Fraction, WrittenTempo]]:
    """Return the tempos of all voices with their onsets, given the bars of voices as written and as played.

    A jump back to bars before the first tempo restores the default.
    """
    first = tempo_of(tune)
    changes = {0: first} if first else {}
    for written, played in voices:
        if not any(bar.tempos for bar in written):
            continue
        tempo, starts = first, {}
        for bar in written:
            starts[id(bar)] = tempo
            tempo = bar.tempos[-1][1] if bar.tempos else tempo
        now, tempo = 0, first
        for bar in played:
            start = starts[id(bar)]
            for offset, each in ((0, _DEFAULT_TEMPO if start is None and tempo is not None else start), *bar.tempos):
                if each is not None and each != tempo:
                    changes[now + offset] = tempo = each
            now += bar.ticks
    tempos: list[tuple[Fraction, WrittenTempo]] = []
    for at, each in sorted(changes.items()):
        if not tempos or tempos[-1][1].bpm != each.bpm:
            tempos.append((beats(at), each))
    return tempos


_DEFAULT_TEMPO = WrittenTempo(DEFAULT_BPM)


def _pickup(time: Time, found: Sequence[Bar]) -> Fraction:
    first = found[0].ticks if found else 0
    return beats(first) if not time.free and first < time.bar and len(found) > 1 else Fraction(0)


def tempo_of(tune: Tune) -> WrittenTempo | None:
    """Return the tempo of a tune; None if it has none."""
    return parse_tempo(tune.tempo, tune.unit or (tune.time or Time()).unit)


def rhythm_of(tune: Tune) -> str:
    """Return the rhythm of a tune, such as `jig`; empty if it has none."""
    return decode_text(tune.first("R")).strip()
