"""Music files as pieces to play, with their scores for the piano roll."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

from composer.api import ReadError, RejectedPiece, Score, Source
from composer.audio.wav import is_wav
from composer.cli.inputs import playable_scores
from composer.formats import WriteSettings, detect
from composer.formats.midi.writer import write_midi
from composer.formats.read import no_music_hint
from composer.playback.choose import Playable

WAV_SUFFIX = ".wav"


class Tune(NamedTuple):
    """A piece to play, and its score if it can be drawn."""

    piece: Playable
    score: Score | None


def tunes_of(source: Source, skipped: list[RejectedPiece] | None = None) -> Iterator[Tune]:
    """Yield the pieces of a source, and add those that cannot be read to `skipped`. Raises ReadError.

    A MIDI file is played as it is: with all its controllers, and at its own times. Other music is played as the MIDI
    file that it would be written as.
    """
    data = source.bytes()
    if is_wav(data):
        yield Tune(Playable.of_wav(data, source.label), None)
        return
    scores = (score for score in playable_scores(source, skipped) if score.is_audible)
    found = detect(data)
    if found is not None and found.name == "midi":
        yield _midi_file(data, source.label, next(scores, None))
        return
    found_notes = False
    for score in scores:
        found_notes = True
        name = f"{source.label}: {score.title}" if score.title else source.label
        drawn = dataclasses.replace(score, title=score.title or source.label)
        yield Tune(Playable.of_midi(write_midi(score, WriteSettings()), name), drawn)
    if not found_notes:
        raise ReadError(f"no notes in {source.label}", no_music_hint())


def _midi_file(data: bytes, name: str, score: Score | None) -> Tune:
    """Return a MIDI file as it is, or the regular file of its score if mido cannot follow it. Raises ReadError."""
    if score is None:
        raise ReadError(f"no notes in {name}", no_music_hint())
    drawn = dataclasses.replace(score, title=score.title or name)
    try:
        return Tune(Playable.of_midi(data, name), drawn)
    except ReadError:
        return Tune(Playable.of_midi(write_midi(score, WriteSettings()), name), drawn)
