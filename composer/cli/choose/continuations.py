"""Continue a piece phrase by phrase, so that the choices alone reproduce it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from composer.api import Constraint, GenerationContext, Step, StepKind
from composer.cli.choose.ending import Ending, ended
from composer.cli.choose.phrases import PhraseEnd, phrase_end
from composer.cli.gen import recipe
from composer.cli.gen.plan import Plan
from composer.generation.generate import generate
from composer.generation.plans import PlannedConstraints, constraint_of
from composer.generation.request import Finished

Choice = int | Mapping[str, Any]
"""The number of a continuation, from 1, or what an edit made of the piece: its packed `steps` and its `labels`."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A piece so far, with the `choices` that made it.

    `form` is the plan that its first continuation drew, if the model has plans, `labels` are those of a prompt or an
    edit, and `begin` is where the last phrase begins. Nothing follows once the piece has `ended`.
    """

    steps: tuple[Step, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    form: str = ""
    begin: int = 0
    ended: bool = False
    choices: tuple[Choice, ...] = ()


class Continuations:
    """The continuations of drafts: each is a function of the plan, of the draft and of its number."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._representation = plan, plan.model.representation
        self._constraints: tuple[Draft | None, Constraint | PlannedConstraints | None] = None, None

    def start(self) -> Draft:
        """Return the piece before its first choice: the prompt, if there is one."""
        return Draft(self._plan.request.primer, self._plan.labels, begin=len(self._plan.request.primer))

    def option(self, draft: Draft, number: int) -> Draft:
        """Return the draft with continuation `number`. Raises Unsatisfiable if none is allowed."""
        plan, begin = self._plan, len(draft.steps)
        choices = (*draft.choices, number)
        if draft.ended or begin >= plan.request.length:
            return dataclasses.replace(draft, begin=begin, ended=True, choices=choices)
        seed = _seed(f"choice {plan.request.seed} {len(choices)} {number}")
        request = dataclasses.replace(plan.request, seed=seed, primer=draft.steps, numbers=None, candidates=1)
        steps, form, ends = list[Step](), draft.form, None
        for event in generate(plan.model.sampler, plan.model.spec, request, self._constraint(draft)):
            if isinstance(event, Finished):
                break
            form, steps = event.plan, [*steps, *event.steps]
            ends = ends or self._phrase_end(draft, form)
            if len(steps) > begin and (end := ends(steps, begin)) is not None:
                return Draft(tuple(steps[:end]), draft.labels, form, begin, choices=choices)
        return Draft(tuple(steps), draft.labels, form, begin, ended=True, choices=choices)

    def edited(self, draft: Draft, steps: Sequence[Step], labels: Mapping[str, str]) -> Draft:
        """Return an edited draft, of which a new form is drawn. Raises Unsatisfiable if nothing can follow it."""
        choice = {"steps": recipe.pack_steps(steps), "labels": dict(labels)}
        asked = self._representation.control_labels(self._plan.options.controls)
        known = {**labels, **asked, **self._plan.request.conditions}
        found = Draft(tuple(steps), known, begin=len(steps), choices=(*draft.choices, choice))
        constraint = self._constraint(found)
        if isinstance(constraint, PlannedConstraints):
            constraint.of_seed(self._plan.request.seed)
        elif constraint is not None:
            constraint.start(found.steps)
        return found

    def follow(self, choices: Sequence[Choice]) -> Draft:
        """Return the draft that recorded choices lead to. Raises UsageError for an edit that does not fit the model."""
        draft = self.start()
        packed = (choice["steps"] for choice in choices if isinstance(choice, Mapping))
        edits = recipe.unpack_edits(packed, self._plan.model.spec)
        for choice in choices:
            if isinstance(choice, Mapping):
                draft = self.edited(draft, next(edits), choice["labels"])
            else:
                draft = self.option(draft, choice)
        return draft

    def labels(self, draft: Draft) -> Mapping[str, str]:
        """Return what is known of a draft."""
        return {**self._representation.plan_labels(draft.form), **draft.labels}

    def completed(self, draft: Draft) -> Ending:
        """Return the steps with a shortest valid ending. Frames can end anywhere."""
        if draft.ended or self._plan.model.spec.kind is StepKind.FRAMES:
            return Ending(draft.steps)
        context = GenerationContext(labels=self.labels(draft), rules=self._plan.context.rules)
        constraint = self._representation.constraint(None, context)
        if constraint is None:
            return Ending(draft.steps)
        return ended(self._representation, constraint, draft.steps)

    def _phrase_end(self, draft: Draft, form: str) -> PhraseEnd:
        return phrase_end(self._representation, self.labels(dataclasses.replace(draft, form=form)))

    def _constraint(self, draft: Draft) -> Constraint | PlannedConstraints | None:
        """Return the constraint of all continuations of a draft, in its form if it has one."""
        plan = self._plan
        if plan.options.unconstrained:
            return None
        if self._constraints[0] is not draft:
            labels = {**plan.context.labels, **self.labels(draft)}
            context = dataclasses.replace(plan.context, primer=draft.steps, labels=labels)
            found = constraint_of(self._representation, plan.options.controls, context)
            if draft.form:
                forms = {draft.form: 1}
                found = PlannedConstraints(self._representation, plan.options.controls, context, forms)
            self._constraints = draft, found
        return self._constraints[1]


def _seed(text: str) -> int:
    """Return a seed of 63 bits, a digest of `text`."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
