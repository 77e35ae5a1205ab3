"""Representations of music without pitched notes, and of music in seconds, as a third party may write them."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from composer.api import (
    ChordSymbol,
    EncodeError,
    Note,
    Part,
    Piece,
    RejectedPiece,
    Representation,
    Score,
    SequenceSpec,
    StepKind,
    hookimpl,
)
from composer.formats.read import read_scores
from composer.music.tempo_map import TempoMap
from composer.registry import plugins as registry
from composer.registry.entry_points import EntryPoint

SOUNDS = (36, 38, 42)


class _Scores(Representation):
    """Reads scores of any format."""

    api, version, kind = 1, 1, StepKind.TOKENS
    suffixes, formats = (".mid", ".abc", ".musicxml"), ("midi", "musicxml", "abc")
    length = 64

    def read(self, source):
        for name, score in read_scores(source):
            if isinstance(score, RejectedPiece):
                yield score
                continue
            try:
                yield Piece(self.from_score(score).content, score.title, name)
            except EncodeError as error:
                yield RejectedPiece(error.message, name)

    def prime(self, piece):
        return list(piece.content)

    def decode(self, steps):
        return Piece(tuple(step for step in steps if step != self.spec.end))


class Drums(_Scores):
    """A step is an eighth, with a bit for each of three sounds."""

    name, summary = "drums", "drums in eighths"
    spec = property(lambda self: SequenceSpec(StepKind.TOKENS, size=9, end=8))

    def from_score(self, score):
        notes = [note for part in score.parts if part.percussion for note in part.notes if note.pitch in SOUNDS]
        if not notes:
            raise EncodeError("no drums")
        steps = [0] * (1 + max(round(2 * note.onset) for note in notes))
        for note in notes:
            steps[round(2 * note.onset)] |= 1 << SOUNDS.index(note.pitch)
        return Piece(tuple(steps), losses=score.losses)

    def score(self, piece):
        notes = (
            Note(Fraction(at, 2), pitch, Fraction(1, 2))
            for at, step in enumerate(piece.content)
            for bit, pitch in enumerate(SOUNDS)
            if step >> bit & 1
        )
        return Score((Part(tuple(notes), "Drums", percussion=True),))


class Chords(_Scores):
    """A step is a chord symbol for a bar."""

    name, summary = "chords", "chord symbols"
    vocabulary = ()

    def fit(self, pieces):
        self.vocabulary = sorted({symbol for piece in pieces for symbol in piece.content})

    @property
    def spec(self):
        return SequenceSpec(StepKind.TOKENS, size=1 + len(self.vocabulary), end=0)

    def from_score(self, score):
        if not score.chords:
            raise EncodeError("no chord symbols")
        return Piece(tuple(chord.symbol for chord in score.chords), losses=score.losses)

    def prime(self, piece):
        unknown = set(piece.content) - set(self.vocabulary)
        if unknown:
            raise EncodeError(f"unknown chords: {', '.join(sorted(unknown))}")
        return [1 + self.vocabulary.index(symbol) for symbol in piece.content]

    def decode(self, steps):
        return Piece(tuple(self.vocabulary[step - 1] for step in steps if step))

    def score(self, piece):
        symbols = (ChordSymbol(Fraction(4 * at), Fraction(4), symbol) for at, symbol in enumerate(piece.content))
        return Score((), tuple(symbols))

    def state(self):
        return {"vocabulary": self.vocabulary}

    def restore(self, state):
        self.vocabulary = state["vocabulary"]


class Performance(_Scores):
    """Notes of a quarter of a second, and shifts in time by 10 to 1,000 ms."""

    name, summary, absolute_time, length = "performance", "notes and time shifts", True, 200
    formats = ("midi", "musicxml")
    spec = property(lambda self: SequenceSpec(StepKind.TOKENS, size=229, end=228))

    def from_score(self, score):
        clock, now, steps = TempoMap(score.tempos), 0, []
        for note in score.notes:
            onset = round(100 * clock.seconds(note.onset))
            while onset > now:
                steps.append(127 + min(onset - now, 100))
                now += min(onset - now, 100)
            steps.append(note.pitch)
        return Piece(tuple(steps), losses=score.losses)

    def times(self, steps):
        now, times = Fraction(0), []
        for step in steps:
            times.append(now)
            now += Fraction(step - 127, 100) if 128 <= step < 228 else 0
        return times

    def score(self, piece):
        clock, steps = TempoMap(), piece.content
        onsets = (clock.beat(time) for time in self.times(steps))
        notes = (Note(onset, step, Fraction(1, 2)) for onset, step in zip(onsets, steps, strict=True) if step < 128)
        return Score((Part(tuple(notes)),))


class _Installed(EntryPoint):
    """An installed plugin, by the name of its class."""

    def load(self):
        return SimpleNamespace(composer_representation=hookimpl(lambda: globals()[self.value]))


@pytest.fixture
def unpitched(monkeypatch):
    """Install the three plugins."""
    known = dict(registry._plugins())
    for kind in (Drums, Chords, Performance):
        known[kind.name] = (_Installed(kind.name, kind.__name__, f"composer-{kind.name} 1.0"),)
    registry.load.cache_clear()
    monkeypatch.setattr(registry, "_plugins", lambda: known)
    yield
    monkeypatch.undo()
    registry.load.cache_clear()
