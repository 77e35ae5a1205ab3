"""Facts of a score above its piano roll: keys, meter, tempo, size, range and duration."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice, pairwise

from composer.api import Key, Score
from composer.cli.render.text import count_noun
from composer.music.bars import bars, count_bars
from composer.music.keys import MODE_FIFTHS, name_of_fifth, spell_in_key
from composer.music.tempo_map import TempoMap

MAX_CHANGES = 3
"""Changes of key that are named."""


def facts(score: Score) -> Iterator[str]:
    """Yield the keys, meter, tempo, size, range and duration of `score`, each as a short text."""
    if score.keys:
        yield _keys(score)
    if score.meters:
        yield f"{score.meters[0].numerator}/{score.meters[0].denominator}"
    if score.tempos:
        yield f"♩ = {score.tempos[0].bpm:.5g}"
    if not score.is_audible:
        yield "no notes"
        return
    pitches = [note.pitch for part in score.parts if not part.percussion for note in part.notes]
    yield _size(score, len(pitches))
    yield _bars(score)
    if pitches:
        sharps = score.keys[0].sharps if score.keys else 0
        yield "–".join(pitch_name(pitch, sharps) for pitch in sorted({min(pitches), max(pitches)}))
    minutes, seconds = divmod(max(round(TempoMap(score.tempos).seconds(score.duration)), 1), 60)
    yield f"{minutes}:{seconds:02}"


def count_written_bars(score: Score) -> int:
    """Return the number of bars of `score` as written, with silent ones at the end and without its pickup."""
    if not score.bar_numbers:
        return count_bars(score, as_notated=True)
    return max((bar.written for bar in bars(score, as_notated=True)), default=0)


def pitch_name(pitch: int, sharps: int) -> str:
    """Return a pitch, a MIDI number, in a key signature of `sharps`: `F♯4`."""
    fifth, octave = spell_in_key(pitch, sharps)
    return f"{name_of_fifth(fifth, '♯', '♭')}{octave}"


def _keys(score: Score) -> str:
    """Return the first key of `score`, and those that follow with their bars as written: `C major, A major from bar 4`.

    A change that is played again with a repeat counts once.
    """
    first, *later = score.keys
    found, changes = deque(bars(score)), dict[str, None]()
    for before, key in pairwise((first, *later)):
        while len(found) > 1 and found[1].start <= key.onset:
            found.popleft()
        if key[1:] != before[1:] and found and key.onset < found[0].end:
            changes[f"{_name(key)} from bar {found[0].written}"] = None
    changes.pop(f"{_name(first)} from bar 1", None)  # as with a D.C.
    named = [_name(first), *islice(changes, MAX_CHANGES)]
    more = count_noun(len(changes) - MAX_CHANGES, "more change") if len(changes) > MAX_CHANGES else ""
    return ", ".join(named) + (f" and {more}" if more else "")


def _name(key: Key) -> str:
    return f"{name_of_fifth(key.sharps + MODE_FIFTHS.get(key.mode, 0), '♯', '♭')} {key.mode}"


def _bars(score: Score) -> str:
    """Return how many bars there are: as written, and as played if these are more."""
    played, written = count_bars(score, as_notated=True), count_written_bars(score)
    return count_noun(written, "bar") + (f" ({played} with repeats)" if played > written else "")


def _size(score: Score, pitched: int) -> str:
    """Return how many notes there are, else drum notes, else chords."""
    if pitched:
        return count_noun(pitched, "note")
    drums = sum(len(part.notes) for part in score.parts)
    return count_noun(drums, "drum note") if drums else count_noun(len(score.chords), "chord")
