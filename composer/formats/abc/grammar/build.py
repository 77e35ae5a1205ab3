"""From what a player wants to the automaton of it, or to the wishes that clash where no tune has them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from composer.api import Constraint, Step, Unsatisfiable
from composer.formats.abc.dialect.dances import DANCES
from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.grammar.controls import TuneControls
from composer.formats.abc.grammar.infill import InfillConstraint
from composer.formats.abc.grammar.messages import header_conflict, place_of
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.bar_ranges import NO_BARS, BarRanges
from composer.music.keys import pitch
from composer.music.scales import pitch_name

__all__ = ["ConstraintBuilder"]

_REASONS = {
    frozenset({"key", "mode"}): "the key is in another mode",
    frozenset({"key", "scale"}): "they begin on different notes",
    frozenset({"range", "scale"}): "no note of that scale is in that range",
}


@dataclass(frozen=True, slots=True)
class ConstraintBuilder:
    """What can be asked of a model that knows the characters of `vocabulary`, where tunes begin with `primer`.

    Of the tune `text`, where there is one, the bars that are `keep_bars` stay as they are.
    """

    vocabulary: Vocabulary
    primer: Sequence[Step] = ()
    text: str = ""
    keep_bars: BarRanges = NO_BARS

    def build(self, controls: TuneControls) -> Constraint:
        """The automaton of the tunes that have what is `controls`.

        Raises Unsatisfiable where there is none, naming the fewest wishes that clash with one another or the opening.
        """
        controls = replace(controls, opening=self.text or self.vocabulary.text(self.primer))
        try:
            return self._build(controls)
        except Unsatisfiable:
            for count in range(len(controls.words) + 1):
                for names in combinations(controls.words, count):
                    self._check(controls.only(names))
            raise

    def _build(self, controls: TuneControls) -> Constraint:
        if self.text:
            return InfillConstraint(self.vocabulary, self.text, self.keep_bars, controls)
        automaton = Automaton(self.vocabulary, controls)
        automaton.start(self.primer)
        return automaton

    def _check(self, controls: TuneControls) -> None:
        """Raise Unsatisfiable for `controls`, none of whose wishes can be left out, where no tune has that."""
        named = [f"--{name} {value}" for name, value in controls.words.items()]
        try:
            automaton = Automaton(self.vocabulary, controls)
        except Unsatisfiable as error:
            if len(named) < 2:
                raise self._unknown_to_model(controls) if named else error from error
            raise Unsatisfiable(f"{_listed(named)} clash: {_reason(controls)}", "leave one of them out") from error
        if not named or not self.text:
            at, _ = automaton.longest_prefix(self.primer)
            if at == len(self.primer):
                return
            if not named:
                automaton.start(self.primer)
            text = automaton.text(self.primer)
            why = header_conflict(text, at, controls.words, "the opening")
            raise Unsatisfiable(
                f"{_listed(named)} and the opening clash{f': {why}' if why else f' with {place_of(text, at)}'}",
                "leave out the wish, or go on from another opening",
            )
        try:
            InfillConstraint(self.vocabulary, self.text, self.keep_bars, controls)
        except Unsatisfiable as error:
            raise Unsatisfiable(
                f"{_listed(named)} and --keep-bars {self.keep_bars.text} clash: {error.message}",
                error.hint or f"leave out --{' or --'.join(controls.words)}, or keep other bars",
            ) from error

    def _unknown_to_model(self, controls: TuneControls) -> Unsatisfiable:
        """The error for a single wish that the model has no symbols for, with what it has."""
        [(name, value)] = controls.words.items()
        plain = Automaton(self.vocabulary)
        heading = plain.header
        steps = plain.vocabulary.steps
        known = {
            "key": heading.keys,
            "meter": heading.meters,
            "rhythm": [each for each in heading.rhythms if set(heading.meters) & set(DANCES[each].meters)],
            "range": (f"{pitch_name(pitch(steps[0], 0))} to {pitch_name(pitch(steps[-1], 0))}",) if steps else (),
        }
        there = ", ".join(known.get(name, ()))
        return Unsatisfiable(
            f"--{name} {value} cannot be had: the model has no symbols for it",
            f"it knows {there}" if there else "ask another model",
        )


def _reason(controls: TuneControls) -> str:
    """Why no tune has what is `controls`, two wishes or more that go together where one is left out."""
    names = frozenset(controls.words)
    if names == {"meter", "rhythm"}:
        return f"a {controls.rhythm} is in {' or '.join(DANCES[controls.rhythm].meters)}"
    return _REASONS.get(names, "no tune has them both" if len(names) == 2 else "no tune has them all")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
