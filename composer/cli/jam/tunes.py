"""Compose bar by bar: endless music, or the answer to a phrase, with settings that may change at any bar."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from composer.api import ComposerError, GenerationContext, Score, Step, StepKind, Unsatisfiable
from composer.api.sampling.params import SamplingParams
from composer.checkpoints.load import LoadedModel
from composer.cli.gen.conditions import with_control_labels
from composer.cli.gen.default_candidates import score_of
from composer.cli.gen.hints import hint_for_silence
from composer.cli.jam.bars import JamBar, Position, cut, last_start
from composer.generation.generate import generate
from composer.generation.plans import constraint_of
from composer.generation.request import Finished, GenerationRequest

STEPS_PER_LOOK = 8
"""After so many steps, what was generated is read as a score again, to see whether another bar is complete."""
MAX_SILENT = 20
"""Pieces without a note in a row after which the model is given up."""
MIN_ANSWER, MAX_ANSWER = 2, 8
"""The bars of an answer, which otherwise is as long as the phrase."""
_OCTAVE = 12


@dataclass(frozen=True, slots=True)
class Settings:
    """What the player changes during a jam; an empty `density`, in onsets per beat, is free."""

    temperature: float
    density: str = ""


class TuneComposer:
    """Composes with a model; `controls` and `conditions` hold for all music, and `bpm`, if given, is its tempo."""

    def __init__(
        self,
        model: LoadedModel,
        sampling: SamplingParams,
        seed: int,
        controls: Any = None,
        conditions: Mapping[str, str] | None = None,
        bpm: float | None = None,
        titles: Sequence[str] = (),
    ) -> None:
        self.model, self.bpm = model, bpm
        self._sampling, self._seed, self._titles = sampling, seed, titles
        self._controls = controls if controls is not None else model.representation.Controls()
        self._conditions = dict(conditions or {})

    @property
    def has_density(self) -> bool:
        """Whether the representation has a control for the note density."""
        return hasattr(self._controls, "density")

    @property
    def has_end(self) -> bool:
        """Whether pieces end by themselves; others are continued."""
        representation = self.model.representation
        return representation.kind is StepKind.TOKENS or representation.positional

    def endless(self, settings: Settings, position: Position | None = None) -> Iterator[JamBar | None]:
        """Yield bars without end: the rest of the piece at `position`, then new pieces, and None after each step.

        A piece without an end of its own is continued from its second half. Raises ComposerError.
        """
        silent = 0
        while True:
            last, position = None, position or self._new_piece()
            for bar in self._bars(position, self._controls_for(settings), settings):
                last = bar.position if bar is not None else last
                yield bar
            silent = 0 if last is not None or position.played else silent + 1
            if silent >= MAX_SILENT:
                hint = hint_for_silence(dataclasses.replace(self._sampling, temperature=settings.temperature))
                raise ComposerError(f"{MAX_SILENT} pieces in a row have no notes", hint)
            position = None if self.has_end or last is None else self._second_half(last)

    def answer(self, phrase: Score, settings: Settings) -> Iterator[JamBar | None]:
        """Yield an answer to a phrase: as many bars, in its key and range as far as the model allows.

        None is yielded after each step. Raises ComposerError if the representation cannot express the phrase.
        """
        representation = self.model.representation
        piece = representation.primer_from_score(phrase)
        steps, played = tuple(representation.prime(piece)), _in_bars(phrase)
        heard = score_of(representation, steps, piece.labels)
        shift = _highest_first(phrase) - _highest_first(heard) if heard is not None and heard.notes else 0
        bar = phrase.meters[0].bar
        count = min(max(int(played / bar), MIN_ANSWER), MAX_ANSWER)
        position = Position(self._next_seed(), steps, played, labels=dict(piece.labels))
        wanted = _like(heard or phrase, int(played / bar) + count)
        left = count
        for names in (("bars", "key", "range"), ("bars", "range"), ("key", "range"), ("range",), ("bars",), ()):
            controls = self._controls_for(settings, {name: wanted[name] for name in names})
            with suppress(Unsatisfiable):
                for each in self._bars(position, controls, settings):
                    if each is None:
                        yield None
                        continue
                    yield dataclasses.replace(each.transposed(shift), position=None)
                    left -= 1
                    if not left:
                        return
                if left < count:
                    return
        raise ComposerError("the model cannot continue this phrase", "play another one")

    def _bars(self, position: Position, controls: Any, settings: Settings) -> Iterator[JamBar | None]:
        """Yield the bars of the piece at `position` from there on, and None after each step.

        Raises Unsatisfiable, ComposerError.
        """
        representation = self.model.representation
        spec = self.model.spec
        given = {**self._conditions, **position.labels} if spec.features else position.labels
        context = GenerationContext(
            primer=position.steps, labels=given, plan=position.plan or None, titles=self._titles
        )
        plan_labels = representation.plan_labels(position.plan or "") if position.plan else {}
        labels = {**plan_labels, **representation.control_labels(controls)}
        request = GenerationRequest(
            length=max(representation.max_steps(controls, context), len(position.steps) + 1),
            seed=position.seed,
            sampling=dataclasses.replace(self._sampling, temperature=settings.temperature),
            primer=position.steps,
            conditions=with_control_labels(self._conditions, labels, spec.conditions),
        )
        constraint = constraint_of(representation, controls, context)
        yield from _BarReader(self.model, position, labels, self.bpm).bars(
            generate(self.model.sampler, spec, request, constraint)
        )

    def _controls_for(self, settings: Settings, wanted: Mapping[str, Any] | None = None) -> Any:
        """Return the controls with the density of the settings, and with those of `wanted` that are still free."""
        values = {name: value for name, value in (wanted or {}).items() if not getattr(self._controls, name, True)}
        if settings.density and self.has_density:
            values["density"] = settings.density
        return dataclasses.replace(self._controls, **values)

    def _new_piece(self) -> Position:
        return Position(self._next_seed())

    def _next_seed(self) -> int:
        self._seed += 1
        return self._seed - 1

    def _second_half(self, position: Position) -> Position:
        """Return a new piece that begins with the second half of the one that ends at `position`."""
        steps = position.steps[len(position.steps) // 2 :]
        score = score_of(self.model.representation, steps, position.labels)
        return Position(self._next_seed(), steps, _in_bars(score) if score is not None else Fraction(0))


class _BarReader:
    """Reads the steps of one piece as bars, while they are generated."""

    def __init__(self, model: LoadedModel, position: Position, labels: Mapping[str, str], bpm: float | None) -> None:
        self._model, self._position, self._bpm = model, position, bpm
        self._labels = {**labels, **position.labels}
        self._steps: list[Step] = []
        self._looks: list[tuple[int, Fraction]] = []
        """After how many steps the music was complete up to which beat."""

    def bars(self, events: Iterator[Any]) -> Iterator[JamBar | None]:
        """Yield each bar when the next one is complete too, since its notes may be tied over the bar line.

        None is yielded after each step, so that composing can be stopped there.
        """
        plan, looked = self._position.plan, len(self._position.steps)
        for event in events:
            if isinstance(event, Finished):
                break
            self._steps += event.steps
            plan = event.plan or plan
            yield None
            if len(self._steps) >= looked + STEPS_PER_LOOK:
                looked = len(self._steps)
                yield from self._complete(plan, is_over=False)
        yield from self._complete(plan, is_over=True)

    def _complete(self, plan: str | None, *, is_over: bool) -> Iterator[JamBar]:
        """Yield the bars that are complete, or all that are left."""
        representation = self._model.representation
        labels = {**(representation.plan_labels(plan) if plan else {}), **self._labels}
        score = score_of(representation, self._steps, labels)
        if score is None or not score.is_audible:
            return
        stop = last_start(score)
        if is_over or not self._looks or stop > self._looks[-1][1]:
            before = self._looks[-1][1] if self._looks else Fraction(0)
            self._looks.append((len(self._steps), stop))
        elif not is_over:
            return
        played = self._position.played
        for bar in cut(score, played, None if is_over else before, self._bpm):
            played += bar.length
            steps = self._steps[: self._steps_until(played)]
            position = Position(self._position.seed, tuple(steps), played, plan, self._position.labels)
            self._position = position
            yield dataclasses.replace(bar, position=position)

    def _steps_until(self, beat: Fraction) -> int:
        """Return after how many steps the music was complete up to `beat`."""
        return next((steps for steps, complete in self._looks if complete >= beat), len(self._steps))


def _in_bars(score: Score) -> Fraction:
    """Return the length of `score` in whole bars and the pickup, in beats."""
    bar = score.meters[0].bar if score.meters else Fraction(4)
    return ceil((score.duration - score.pickup) / bar) * bar + score.pickup


def _highest_first(score: Score) -> int:
    """Return the highest of the notes that begin first."""
    first = score.notes[0].onset
    return max(note.pitch for note in score.notes if note.onset == first)


def _like(score: Score, bars: int) -> dict[str, Any]:
    """Return controls for music in the key and range of `score`, at least an octave, with so many bars in all."""
    from composer.analysis.cadence import tonic_of
    from composer.music.keys import MODE_FIFTHS, key_name

    pitches = [note.pitch for note in score.notes]
    low, high = min(pitches), max(pitches)
    low = max(min(low, (low + high - _OCTAVE) // 2), 0)
    high = min(max(high, low + _OCTAVE), 127)
    tonic = tonic_of(score)
    mode = "minor" if tonic.minor else "major"
    sharps = (7 * tonic.pitch_class - MODE_FIFTHS[mode] + 6) % 12 - 6
    return {"bars": bars, "key": key_name(sharps, mode), "range": f"{low}-{high}"}
