"""From what a player wants to the automaton of it, or to the wishes that clash where no tune has them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from composer.api import Constraint, Step, Unsatisfiable
from composer.formats.abc.dialect.dances import DANCES
from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.grammar.controls import Wanted
from composer.formats.abc.grammar.infill import Keeping
from composer.formats.abc.grammar.messages import contradiction, place_of
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.bar_ranges import NONE, KeptBars
from composer.music.keys import pitch
from composer.music.scales import pitch_name

__all__ = ["Asking"]

_WHY = {
    frozenset({"key", "mode"}): "the key is in another mode",
    frozenset({"key", "scale"}): "they begin on different notes",
    frozenset({"range", "scale"}): "no note of that scale is in that range",
}


@dataclass(frozen=True, slots=True)
class Asking:
    """What can be asked of a model that knows the characters of `vocabulary`, where tunes begin with `primer`.

    Of the tune `text`, where there is one, the bars that are `kept` stay as they are.
    """

    vocabulary: Vocabulary
    primer: Sequence[Step] = ()
    text: str = ""
    kept: KeptBars = NONE

    def automaton(self, wanted: Wanted) -> Constraint:
        """The automaton of the tunes that have what is `wanted`.

        Raises Unsatisfiable where there is none, naming the fewest wishes that clash with one another or the opening.
        """
        wanted = replace(wanted, opening=self.text or self.vocabulary.text(self.primer))
        try:
            return self._attempt(wanted)
        except Unsatisfiable:
            for count in range(len(wanted.words) + 1):
                for names in combinations(wanted.words, count):
                    self._try(wanted.only(names))
            raise

    def _attempt(self, wanted: Wanted) -> Constraint:
        if self.text:
            return Keeping(self.vocabulary, self.text, self.kept, wanted)
        automaton = Automaton(self.vocabulary, wanted)
        automaton.start(self.primer)
        return automaton

    def _try(self, wanted: Wanted) -> None:
        """Raise Unsatisfiable for `wanted`, none of whose wishes can be left out, where no tune has that."""
        named = [f"--{name} {value}" for name, value in wanted.words.items()]
        try:
            automaton = Automaton(self.vocabulary, wanted)
        except Unsatisfiable as error:
            if len(named) < 2:
                raise self._unknown(wanted) if named else error from error
            raise Unsatisfiable(f"{_listed(named)} clash: {_why(wanted)}", "leave one of them out") from error
        if not named or not self.text:
            at, _ = automaton.follow(self.primer)
            if at == len(self.primer):
                return
            if not named:
                automaton.start(self.primer)
            text = automaton.text(self.primer)
            why = contradiction(text, at, wanted.words, "the opening")
            raise Unsatisfiable(
                f"{_listed(named)} and the opening clash{f': {why}' if why else f' with {place_of(text, at)}'}",
                "leave out the wish, or go on from another opening",
            )
        try:
            Keeping(self.vocabulary, self.text, self.kept, wanted)
        except Unsatisfiable as error:
            raise Unsatisfiable(
                f"{_listed(named)} and --keep-bars {self.kept.text} clash: {error.message}",
                error.hint or f"leave out --{' or --'.join(wanted.words)}, or keep other bars",
            ) from error

    def _unknown(self, wanted: Wanted) -> Unsatisfiable:
        """The error for a single wish that the model has no symbols for, with what it has."""
        [(name, value)] = wanted.words.items()
        plain = Automaton(self.vocabulary)
        heading = plain.heading
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


def _why(wanted: Wanted) -> str:
    """Why no tune has what is `wanted`, two wishes or more that go together where one is left out."""
    names = frozenset(wanted.words)
    if names == {"meter", "rhythm"}:
        return f"a {wanted.rhythm} is in {' or '.join(DANCES[wanted.rhythm].meters)}"
    return _WHY.get(names, "no tune has them both" if len(names) == 2 else "no tune has them all")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
