"""Build the constraint that enforces a player's controls, or name the controls that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from composer.api import Step, Unsatisfiable
from composer.formats.abc.dialect.dances import DANCES
from composer.formats.abc.grammar.automaton import Automaton, describe_place
from composer.formats.abc.grammar.controls import TuneControls
from composer.formats.abc.grammar.infill import InfillConstraint, header_conflict
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.bar_ranges import NO_BARS, BarRanges
from composer.music.keys import pitch
from composer.music.scales import pitch_name

__all__ = ["ConstraintBuilder"]

_REASONS = {
    frozenset({"key", "mode"}): "the key has another mode",
    frozenset({"key", "scale"}): "they have different tonics",
    frozenset({"range", "scale"}): "no note of the scale is in the range",
}


@dataclass(frozen=True, slots=True)
class ConstraintBuilder:
    """Constraints for a model with this `vocabulary`, on tunes that start with `primer`.

    With `text`, the constraint infills that tune and keeps its bars `keep_bars`.
    """

    vocabulary: Vocabulary
    primer: Sequence[Step] = ()
    text: str = ""
    keep_bars: BarRanges = NO_BARS

    def build(self, controls: TuneControls) -> Automaton | InfillConstraint:
        """Return the constraint for `controls`.

        Raises Unsatisfiable if no tune satisfies them; it names as few controls as possible that contradict each other,
        the primer or the kept bars.
        """
        controls = replace(controls, primer=self.text or self.vocabulary.text(self.primer))
        try:
            return self._build(controls)
        except Unsatisfiable:
            for count in range(len(controls.arguments) + 1):
                for names in combinations(controls.arguments, count):
                    self._check(controls.only(names))
            raise

    def _build(self, controls: TuneControls) -> Automaton | InfillConstraint:
        if self.text:
            return InfillConstraint(self.vocabulary, self.text, self.keep_bars, controls)
        automaton = Automaton(self.vocabulary, controls)
        automaton.start(self.primer)
        return automaton

    def _check(self, controls: TuneControls) -> None:
        """Raise Unsatisfiable if no tune satisfies `controls`, all of which take part in the contradiction."""
        options = [f"--{name}" for name in controls.arguments]
        given = [f"--{name} {value}" for name, value in controls.arguments.items()]
        try:
            automaton = Automaton(self.vocabulary, controls)
        except Unsatisfiable as error:
            if len(given) < 2:
                raise self._unknown_to_model(controls) if given else error from error
            first, last = _join(given[:-1], "and"), given[-1]
            verb = "contradicts" if len(given) == 2 else "contradict"
            raise Unsatisfiable(
                f"{first} {verb} {last}: {_reason(controls)}", f"leave out {_join(options, 'or')}", flags=options
            ) from error
        if not given:
            self._build(controls)
            return
        contradict = f"{_join(given, 'and')} {'contradicts' if len(given) == 1 else 'contradict'}"
        if not self.text:
            at, _ = automaton.longest_prefix(self.primer)
            if at == len(self.primer):
                return
            text = automaton.text(self.primer)
            reason = header_conflict(text, at, controls.arguments)
            raise Unsatisfiable(
                f"{contradict} the primer{f', which {reason}' if reason else f' at {describe_place(text, at)}'}",
                f"leave out {_join(options, 'or')}, or use another primer",
                flags=(*options, "--prime", "--prime-text"),
            )
        try:
            InfillConstraint(self.vocabulary, self.text, self.keep_bars, controls)
        except Unsatisfiable as error:
            raise Unsatisfiable(
                f"{contradict} --keep-bars {self.keep_bars.text}: {error.message}",
                error.hint or f"leave out {_join(options, 'or')}, or keep other bars",
                flags=(*options, "--keep-bars"),
            ) from error

    def _unknown_to_model(self, controls: TuneControls) -> Unsatisfiable:
        """Return the error for a single control that the model's characters cannot satisfy, with what they can."""
        [(name, value)] = controls.arguments.items()
        plain = Automaton(self.vocabulary)
        header, steps = plain.header, plain.vocabulary.steps
        known = {
            "key": header.keys,
            "meter": header.meters,
            "rhythm": [each for each in header.rhythms if set(header.meters) & set(DANCES[each].meters)],
            "range": (f"{pitch_name(pitch(steps[0], 0))}-{pitch_name(pitch(steps[-1], 0))}",) if steps else (),
        }
        choices = ", ".join(known.get(name, ()))
        hint = f"use --range {choices}, or a part of it" if name == "range" else f"choose from {choices}"
        return Unsatisfiable(
            f"the model lacks the characters for --{name} {value}",
            hint if choices else "use another --checkpoint",
            flags=(f"--{name}",),
        )


def _reason(controls: TuneControls) -> str:
    """Return why no tune satisfies `controls`, at least two, any of which could be left out to resolve it."""
    names = frozenset(controls.arguments)
    if names == {"meter", "rhythm"}:
        return f"a {controls.rhythm} is in {' or '.join(DANCES[controls.rhythm].meters)}"
    return _REASONS.get(names, "no tune satisfies " + ("both" if len(names) == 2 else "all of them"))


def _join(names: Sequence[str], word: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
