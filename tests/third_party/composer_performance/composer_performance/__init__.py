"""The performance representation: piano performances as events, with exact timing and velocity.

The 413 events of Oore et al. 2018 are in `events.py`, the automaton that keeps pieces valid in `constraint.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

from composer.api import (
    Constraint,
    GenerationContext,
    Note,
    OptionError,
    Part,
    Piece,
    RejectedPiece,
    Representation,
    Score,
    SequenceSpec,
    Source,
    Step,
    StepKind,
    Tempo,
    hookimpl,
)
from composer.api.fields import check_ranges, option
from composer.formats.read import MUSIC_SUFFIXES, read_scores
from composer.music.keys import key_names
from composer.music.scales import SCALES, parse_range, parse_scale, pitches_of
from composer.music.tempo_map import DEFAULT_BPM, TempoMap
from composer.toolkit.representations.note_controls import key_labels
from composer.toolkit.representations.quantize import NotEncodable
from composer.toolkit.representations.score_labels import keys_from_labels, labels_of, transposed
from composer.toolkit.representations.score_parts import losses_of, pitched_parts
from composer_performance.constraint import PerformanceConstraint
from composer_performance.events import (
    END,
    SIZE,
    TICKS_PER_SECOND,
    EventPlayer,
    PlayedNote,
    bin_of,
    encode,
    nearest_tick,
    seconds,
    velocity_of,
    without_overlaps,
)

__all__ = ["Performance", "PerformanceControls", "PerformanceOptions"]

MAX_SECONDS = 6 * 3600
"""Longest performance that is encoded."""
USUAL_EVENTS, MOST_EVENTS = 40, 120
"""Events per second of usual and of the densest piano music."""


@dataclass(frozen=True, slots=True)
class PerformanceOptions:
    """How to read performances, and how far `--augment` changes them."""

    pedal: bool = option(True, "notes last as long as the sustain pedal holds them")
    transpose: int = option(3, "largest transposition with --augment, in semitones", minimum=0, maximum=12)
    stretch: float = option(5.0, "largest change of tempo with --augment, in percent", minimum=0, maximum=50)

    def __post_init__(self) -> None:
        check_ranges(self, "-O")


@dataclass(frozen=True, slots=True)
class PerformanceControls:
    """Controls on a performance; an empty string or 0 means no restriction. Raises OptionError."""

    duration: float = option(
        0.0, "Duration in seconds, including the primer; 0 = any.", metavar="SECONDS", minimum=0, maximum=3600
    )
    max_notes: int = option(
        0, "Maximum number of notes sounding at once; 0 = no limit.", metavar="N", minimum=0, maximum=128
    )
    range: str = option("", "Lowest and highest pitch, such as 48-84 or C3-C6.", metavar="LOW-HIGH")
    key: str = option("", "Use only notes of this key, such as G, Am or Ddor.", choices=key_names)
    scale: str = option(
        "",
        "Use only notes of this scale: 'D dorian', or blues together with --key.",
        choices=[scale for scale in SCALES if " " not in scale],
    )

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.duration and self.duration * TICKS_PER_SECOND < 1:
            raise OptionError(f"invalid value for --duration: {self.duration:g}", "use 0.1 seconds or more")
        if self.range:
            parse_range(self.range)
        parse_scale(self.scale, self.key)

    @property
    def total(self) -> int | None:
        """The duration in ticks, None for any."""
        return round(self.duration * TICKS_PER_SECOND) if self.duration else None

    def pitches(self) -> tuple[int, ...]:
        """Return the allowed pitches. Raises Unsatisfiable if there is none."""
        within = parse_range(self.range) if self.range else None
        return pitches_of(range(128), within, parse_scale(self.scale, self.key))


Notes = tuple[PlayedNote, ...]


class Performance(Representation[Notes, PerformanceOptions, PerformanceControls]):
    """Performances as tokens. The content of a piece is its notes, in ticks of 8 ms, sorted and without overlaps.

    The vocabulary is fixed: the end symbol and the 413 events. All pitched parts of a score become one.
    """

    api, name, version = 1, "performance", 1
    summary = "performances with exact timing and velocity, as MIDI-like events"
    kind = StepKind.TOKENS
    suffixes = MUSIC_SUFFIXES
    formats = ("midi",)
    step_name = "event"
    absolute_time = True
    labels = ("key", "mode")
    Options = PerformanceOptions
    Controls = PerformanceControls

    def read(self, source: Source) -> Iterator[Piece[Notes] | RejectedPiece]:
        for name, score in read_scores(source, pedal=self.options.pedal):
            yield score if isinstance(score, RejectedPiece) else self._read(score, name)

    def _read(self, score: Score, name: str) -> Piece[Notes] | RejectedPiece:
        try:
            return self._piece(score, name)
        except NotEncodable as error:
            return error.as_rejection(name)

    def _piece(self, score: Score, name: str) -> Piece[Notes]:
        """Return the notes of `score` at the times at which they sound. Raises NotEncodable."""
        parts = pitched_parts(score)
        times = TempoMap(score.tempos)
        played = []
        for note in (note for part in parts for note in part.notes):
            start, end = (nearest_tick(times.seconds(beat)) for beat in (note.onset, note.end))
            if end > MAX_SECONDS * TICKS_PER_SECOND:
                raise NotEncodable("too long", f"more than {MAX_SECONDS // 3600} hours")
            played.append(PlayedNote(start, note.pitch, max(end, start + 1), bin_of(note.velocity)))
        notes, dropped = without_overlaps(played)
        losses = losses_of(score, parts, {"notes struck twice at the same time left out": dropped})
        labels = {label: value for label, value in labels_of(score).items() if label in self.labels}
        return Piece(notes, score.title, name, labels, losses)

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.TOKENS, SIZE, END)

    def prime(self, piece: Piece[Notes]) -> list[Step]:
        return list(encode(piece.content))

    def decode(self, steps: Iterable[Step]) -> Piece[Notes]:
        player = EventPlayer()
        notes = [note for step in steps if isinstance(step, int) and (note := player.play(step)) is not None]
        return Piece(without_overlaps([*notes, *player.finish()])[0])

    def decoder(self, number: int = 1) -> NoteDecoder:
        return NoteDecoder()

    def variants(self, piece: Piece[Notes]) -> Iterator[Piece[Notes]]:
        """Yield the piece transposed and stretched in all ways."""
        shifts = range(-self.options.transpose, self.options.transpose + 1)
        percents = sorted({self.options.stretch * part for part in (-1, -0.5, 0, 0.5, 1)})
        for percent in percents:
            stretched = _stretched(piece.content, 1 + Fraction(percent) / 100)
            for shift in shifts:
                moved = tuple(note._replace(pitch=note.pitch + shift) for note in stretched)
                if (shift or percent) and all(0 <= note.pitch < 128 for note in moved):
                    source = f"{piece.source} by {shift:+} and {percent:+g} %"
                    yield Piece(moved, piece.title, source, transposed(piece.labels, shift))

    def score(self, piece: Piece[Notes]) -> Score | None:
        notes = tuple(map(as_note, piece.content))
        keys = keys_from_labels(piece.labels)
        return (
            Score((Part(notes),), tempos=(Tempo(Fraction(0), DEFAULT_BPM),), keys=keys, title=piece.title)
            if notes
            else None
        )

    def times(self, steps: Sequence[Step]) -> Sequence[Fraction]:
        player, times = EventPlayer(), []
        for step in steps:
            times.append(seconds(player.now))
            if isinstance(step, int):
                player.play(step)
        return times

    def from_score(self, score: Score) -> Piece[Notes]:
        return self._piece(score, score.title or "the score")

    def constraint(
        self, controls: PerformanceControls | None = None, context: GenerationContext | None = None
    ) -> Constraint:
        controls = controls or PerformanceControls()
        return PerformanceConstraint(controls.pitches(), controls.max_notes or 128, controls.total)

    def max_steps(self, controls: PerformanceControls | None, context: GenerationContext) -> int:
        if context.length or controls is None or not controls.duration:
            return super().max_steps(controls, context)
        return len(context.primer) + ceil(MOST_EVENTS * controls.duration) + 2 * 128

    def estimated_steps(self, controls: PerformanceControls | None, context: GenerationContext) -> int | None:
        return ceil(USUAL_EVENTS * controls.duration) if controls is not None and controls.duration else None

    def control_labels(self, controls: PerformanceControls | None) -> Mapping[str, str]:
        return key_labels(controls.scale, controls.key) if controls is not None else {}


class NoteDecoder:
    """Decodes events to notes while they are generated."""

    def __init__(self) -> None:
        self._player = EventPlayer()

    def push(self, step: Step) -> Iterable[Note]:
        """Return the note that `step` ends."""
        note = self._player.play(step) if isinstance(step, int) else None
        return (as_note(note),) if note is not None else ()

    def finish(self) -> Iterable[Note]:
        """Return the notes that still sound."""
        return map(as_note, self._player.finish())


def as_note(note: PlayedNote) -> Note:
    """Return `note` in beats at 120 BPM: two a second."""
    return Note(2 * seconds(note.start), note.pitch, 2 * seconds(note.end - note.start), velocity_of(note.bin))


def _stretched(notes: Notes, factor: Fraction) -> Notes:
    """Return `notes` with all times multiplied by `factor`."""
    moved = (note._replace(start=round(note.start * factor), end=round(note.end * factor)) for note in notes)
    return without_overlaps(moved)[0] if factor != 1 else notes


@hookimpl
def composer_representation() -> type[Performance]:
    """Return this plugin's representation."""
    return Performance


@hookimpl
def composer_presets() -> Path:
    """Return the folder of this plugin's presets."""
    return Path(__file__).parent / "presets"
