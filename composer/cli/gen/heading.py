"""The heading of a primer or of a tune to infill, which pieces made from it keep: title, composers, tempo, program."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from itertools import chain, pairwise, repeat
from typing import NamedTuple

from composer.api import Piece, ReadError, Representation, Score, Source
from composer.check.loss_phrases import summary
from composer.cli.gen.default_candidates import is_music
from composer.formats import Format, WriteSettings, detect
from composer.formats.abc.writer.melody import melody_of
from composer.formats.read import music_suffix, read_scores
from composer.formats.settings import FASTEST, SLOWEST
from composer.music.tempo_map import first_tempo

KEY_CHANGES = "changes of key left out"
"""The phrase for changes of key in `losses`, as in scores that are written in ABC."""


class Heading(NamedTuple):
    """The heading of the tune `label`, with `tempo` in BPM and the note that it counts, as in WriteSettings.

    `instrument` is the General MIDI program of its melody; None if it is the usual one, or not kept. `losses` counts
    what else the file says about the tune, by phrase as in `Score.losses`.
    """

    label: str = ""
    title: str = ""
    composers: tuple[str, ...] = ()
    tempo: float | None = None
    tempo_unit: str = ""
    losses: Mapping[str, int] = {}
    instrument: int | None = None

    def written(self, writing: WriteSettings, chosen: Format, *, native: bool) -> tuple[WriteSettings, list[str]]:
        """Return `writing` with this heading where it has no other, and a note on what pieces in a format do not keep.

        What is `native` to a representation and not ABC, such as tokens, has no heading.
        """
        losses = Counter(self.losses)
        has_heading = not native or chosen.name == "abc"
        keeps_composers = has_heading and "composers" not in chosen.leaves_out
        has_tempo = self.tempo is not None and writing.tempo is None
        keeps_tempo = has_heading and self.tempo is not None and SLOWEST <= self.tempo <= FASTEST
        if has_heading:
            title = writing.title or self.title
            names = [" ".join(each.split()) for each in self.composers] if keeps_composers else []
            writing = dataclasses.replace(writing, title=title, composers="\n".join(filter(None, names)))
        else:
            losses["titles left out"] += bool(self.title)
        if has_heading and writing.instrument is None:
            writing = dataclasses.replace(writing, instrument=self.instrument)
        if has_tempo and keeps_tempo:
            writing = dataclasses.replace(writing, tempo=self.tempo, tempo_unit=self.tempo_unit)
        losses["tempos left out"] += has_tempo and not keeps_tempo
        if not keeps_composers:
            losses["composers left out"] += len(self.composers)
        return writing, [f"{self.label}: {summary(losses)}"] if (losses := +losses) else []


def read_score(representation: Representation, source: Source, piece: Piece) -> tuple[Score, Mapping[str, int]] | None:
    """Return the score that `piece` is made from, and what the score has no place for; None if there is no score."""
    if not is_music(representation) or not music_suffix(source):
        return None
    is_text = keeps_text(representation, source)
    source = dataclasses.replace(source, fragment=False)
    kind = detect(source.bytes())
    besides = kind.unscored(source) if kind is not None and kind.unscored is not None else iter(())
    try:
        for (name, music), lost in zip(read_scores(source), chain(besides, repeat({})), strict=False):
            if isinstance(music, Score) and piece.source in ("", name, source.label):
                return music, lost
    except ReadError:
        if not is_text:  # a text to continue may be only the beginning of a tune
            raise
    return None


def keeps_text(representation: Representation, source: Source) -> bool:
    """Return whether the representation keeps the text of the tune in `source`, so that it needs no score."""
    return representation.native == "abc" and music_suffix(source) == ".abc"


def heading_of(representation: Representation, source: Source, score: Score, besides: Mapping[str, int]) -> Heading:
    """Return the heading of a score in `source`.

    A representation of ABC text has the title in its text, and no place for composers and tempos. It continues the
    melody, so that it keeps the instrument of this. What of an ABC text it leaves out besides changes of key is known
    from the piece.
    """
    key_changes = sum(one[1:] != other[1:] for one, other in pairwise(score.keys))
    if keeps_text(representation, source):
        return Heading(source.label, losses=+Counter({KEY_CHANGES: key_changes}))
    if representation.native == "abc":
        lost = {"composers left out": len(score.composers), "tempos left out": len(score.tempos)}
        return Heading(source.label, losses=lost, instrument=melody_of(score).program or None)
    losses = Counter(besides)
    losses["meter changes left out"] += sum(one[1:] != other[1:] for one, other in pairwise(score.meters))
    losses[KEY_CHANGES] += key_changes
    if not score.tempos:
        return Heading(source.label, score.title, score.composers, losses=+losses)
    first = first_tempo(score)
    losses["tempos left out"] += sum(one.bpm != other.bpm for one, other in pairwise(score.tempos))
    unit = next((each.length for each in score.tempo_units if each.onset == first.onset), Fraction(1))
    tempo_unit = "" if unit == 1 else str(unit / 4)
    return Heading(source.label, score.title, score.composers, first.bpm, tempo_unit, +losses)
