"""Choosing: of many pieces, which are the best, and what that goes by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from math import log
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from composer.api import Representation, Score, StepKind, Unsupported, UsageError
from composer.cli.render.text import count_noun

if TYPE_CHECKING:
    from composer.checkpoints.load import LoadedModel

__all__ = ["BY", "Choice", "Judgement", "Scorer", "asked", "scorer"]

BY = ("likelihood", "originality", "form")
"""What pieces can be chosen by."""

MOST = 1_000_000
"""So many pieces may be composed to choose from."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Of `take` pieces, the best `keep` are kept, `by` one of BY."""

    take: int
    keep: int
    by: str


class Judgement(NamedTuple):
    """How good a piece is: of all `ranks`, the highest is the best; and the same in words."""

    ranks: tuple[float, ...]
    words: str


Scorer = Callable[[Sequence[float], Score | None], Judgement]
"""How good a piece is by the log-probabilities, in nats, of the steps that were drawn, and by how it sounds."""


def asked(take: int | None, keep: int | None, by: str | None, *, count: int, resume: bool) -> Choice | None:
    """The choice that the options come to; None where there is none. Raises UsageError."""
    if take is None:
        for name, value in (("--keep", keep), ("--by", by)):
            if value is not None:
                raise UsageError(f"{name} has nothing to choose from", "say of how many pieces, as in --take 20")
        return None
    keep, by = 1 if keep is None else keep, BY[0] if by is None else by
    if by not in BY:
        near = get_close_matches(by, BY, 1, cutoff=0.5)
        raise UsageError(
            f"pieces cannot be chosen by `{by}`", f"did you mean `{near[0]}`?" if near else "give " + ", ".join(BY)
        )
    if not 1 <= take <= MOST:
        raise UsageError(f"--take cannot be {take}", f"give 1 to {MOST}")
    if not 1 <= keep <= take:
        raise UsageError(f"of {count_noun(take, 'piece')}, {keep} cannot be kept", f"give --keep 1 to {take}")
    if count != 1:
        raise UsageError(
            "--count and --take are two numbers of pieces", "give --take for how many to compose, and --keep of these"
        )
    if resume:
        raise UsageError("a choice cannot be gone on with", "leave out --resume; with --force, all is composed anew")
    return Choice(take, keep, by)


def scorer(by: str, player: LoadedModel, path: Path) -> Scorer:
    """Who says how good the pieces of `player` are, whose model is at `path`. Raises UsageError, CheckpointError."""
    representation = player.representation
    if by == "likelihood":
        _check_likelihood(player)
        return _likelihood
    if by == "form":
        if type(representation).score is Representation.score:
            raise UsageError(f"`{representation.name}` is no music, and has no form", "choose --by likelihood")
        return _form
    from composer.analysis.copying import copied
    from composer.cli.gen.copy_limit import known_melodies

    index = known_melodies(representation, path, "--by originality")

    def originality(logp: Sequence[float], score: Score | None) -> Judgement:
        run, notes = (copied(score, index), len(score.notes)) if score is not None else (0, 0)
        return Judgement((-run, notes), f"{count_noun(run, 'note')} in a row as in a tune that was taught")

    return originality


def _likelihood(logp: Sequence[float], score: Score | None) -> Judgement:
    mean = fmean(logp) if logp else 0.0
    return Judgement((mean,), f"{mean:.3f} nats, or {-mean / log(2):.2f} bits, a step")


def _form(logp: Sequence[float], score: Score | None) -> Judgement:
    from composer.analysis.form import Form, form_of

    found = form_of(score) if score is not None else Form(0.0, 0.0, 0.0)
    parts = f"returns {found.returns:.2f}, phrases {found.phrases:.2f}, cadence {found.cadence:.1f}"
    likelier = fmean(logp) if logp else 0.0  # of equals, the better
    return Judgement((found.mean, likelier), f"{found.mean:.2f} of 1 ({parts})")


def _check_likelihood(player: LoadedModel) -> None:
    """Raise UsageError for a model that does not know how likely a step is."""
    import numpy as np

    tokens = player.spec.kind is StepKind.TOKENS
    empty = np.zeros(1, int) if tokens else np.zeros((1, player.spec.size), np.uint8)
    with suppress(Unsupported):
        player.sampler.log_prob(player.sampler.initial_state([{}]), empty)
        return
    raise UsageError(
        f"model `{player.header.model}` does not know how likely its pieces are", "choose --by originality or form"
    )
