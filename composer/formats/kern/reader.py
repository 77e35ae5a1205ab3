"""Read kern with converter21 and music21; compare the notes with those in the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from importlib import metadata
from typing import Any

from composer.api import Note, ReadError, RejectedPiece, Score, Source
from composer.api.limits import limit_hint
from composer.formats.kern.input_limits import check_kern
from composer.formats.kern.library import converter21, rejected_score
from composer.formats.kern.sections import played_passages
from composer.formats.kern.simplified import simplify
from composer.formats.kern.spines import KERN_HINT, Spines, read_spines
from composer.formats.kern.stream_score import written_music
from composer.formats.kern.written_music import (
    MAX_PLAYED_NOTES,
    Passage,
    WrittenMusic,
    WrittenNote,
    count_notes,
    join_ties,
    play,
    play_notes,
)
from composer.formats.limits import check_count, check_size, exceeded_limit
from composer.formats.musicxml.attributes import CLEF_CHANGES
from composer.formats.musicxml.cache import through_cache
from composer.formats.musicxml.library import quiet

MAX_BYTES = 32 * 1024 * 1024
"""The largest file."""

VERSION = 5
"""Part of the cache key; increase it whenever the same bytes give another score."""


def read_pieces(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score | RejectedPiece]]:
    """Yield the name and score of each score in the file, which may hold several one after the other.

    Sections and repeats are played out, ties are joined. Scores read before come from the cache. Raises
    ReadError; of several scores, one that cannot be read is rejected.
    """
    data, name = source.bytes(), source.label
    check_size(data, name, MAX_BYTES)
    scores = read_spines(check_kern(data, name), name)
    for number, spines in enumerate(scores, 1):
        label = name if len(scores) == 1 else f"{name}: score {number}"
        read = partial(read_score, spines, label)
        try:
            yield label, through_cache(spines.text.encode(), _reader(), read, temporary=source.temporary)
        except ReadError as error:
            if len(scores) == 1:
                raise
            yield label, rejected_score(error, label)


@cache
def _reader() -> str:
    versions = " ".join(metadata.version(name) for name in ("converter21", "music21"))
    return f"kern {VERSION}, converter21 and music21 {versions}"


def read_score(spines: Spines, name: str) -> Score:
    """Return the score of `spines` as it is played; its losses count the notes that differ from those of the text."""
    if not spines.notes:  # the library would take as long as for music
        raise _no_notes(name)
    played, left_out = played_passages(spines)
    count = count_notes(spines.notes, played)
    check_count(count, MAX_PLAYED_NOTES, "notes with its repeats written out", name, "correct its section order")
    signs = spines.signs
    parsed = written_music(_parsed(spines, name))
    music = replace(
        parsed,
        staves=spines.clefs.given_to(parsed.staves, spines.notes),
        tempos=signs.tempos,
        meters=signs.meters,
        keys=signs.keys,
        fermatas=sorted(spines.fermatas),
        phrase_ends=sorted(spines.phrase_ends),
        title=spines.title,
    )
    score = play(music, played)
    losses = Counter(score.losses) + left_out + differences(spines, music, played)
    losses[CLEF_CHANGES] += spines.clefs.changes
    score = replace(score, losses=dict(+losses))
    if not score.is_audible:
        raise _no_notes(name)
    if fault := exceeded_limit(score):
        raise ReadError(f"{name} {fault}", limit_hint("shorten it, or split it into smaller files"))
    return score


def _no_notes(name: str) -> ReadError:
    return ReadError(f"{name} has no notes", "choose a file with music in it")


def _parsed(spines: Spines, name: str) -> Any:
    """Return the music21 stream. Raises ReadError.

    If the spines are not aligned somewhere, what is before is tried first: converter21 refuses most such files, but
    takes time that grows with the square of their length.
    """
    if spines.misaligned:
        begun = spines.text.splitlines()[: spines.misaligned]
        ends = "\t".join(["*-"] * (begun[-1].count("\t") + 1))
        _convert(spines, "\n".join([*begun, ends, ""]), name)
    return _convert(spines, spines.text, name)


def _convert(spines: Spines, text: str, name: str) -> Any:
    """Return the music21 stream of a text, which is all of `spines` or their beginning.

    Any exception becomes a ReadError.
    """
    from composer.formats.musicxml.library import music21

    try:
        with quiet():
            stream = converter21().HumdrumConverter().parseData(simplify(text))
    except Exception as error:  # music21's own errors are worth showing, those of Python are not
        known = isinstance(error, music21().exceptions21.Music21Exception)
        reason = f": {' '.join(str(error).split())[:100]}" if known else ""
        raise ReadError(f"{name} cannot be read by converter21{reason}", KERN_HINT) from error
    if fault := " ".join(str(getattr(stream, "c21_parse_err", "") or "").split())[:160]:
        if spines.misaligned:
            place = f"at line {spines.misaligned}: the note lengths before it add up to different beats"
            raise ReadError(f"{name} is invalid kern {place}", KERN_HINT)
        raise ReadError(f"{name} is invalid kern: {fault}", KERN_HINT)
    return stream


def differences(spines: Spines, music: WrittenMusic, played: Sequence[Passage]) -> Counter[str]:
    """Count the notes of the text that are not in `music`, and those in `music` that the text does not hold."""
    written = [note for staff in music.staves for note in staff.notes]
    audible = [note for note in spines.notes if 0 <= note.pitch <= 127]
    if Counter(map(_written, audible)) == Counter(map(_written, written)):
        return Counter()
    expected = Counter(map(_place, join_ties(play_notes(audible, played))))
    found = Counter(_place(note) for staff in music.staves for note in join_ties(play_notes(staff.notes, played)))
    counts = {
        "notes in the spines that were not read": (expected - found).total(),
        "notes that were read but are not in the spines": (found - expected).total(),
    }
    return Counter({phrase: count for phrase, count in counts.items() if count})


def _written(note: WrittenNote) -> tuple[Fraction, int, bool, bool]:
    return note.onset, note.pitch, note.tied_before, note.tied_after


def _place(note: Note) -> tuple[Fraction, int]:
    return note.onset, note.pitch
