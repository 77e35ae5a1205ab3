"""Rank candidates by likelihood, originality or form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import log
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from composer.api import Representation, Score, StepKind, Unsupported, UsageError
from composer.cli.render.text import count_noun
from composer.music.sounding import sounding_parts

if TYPE_CHECKING:
    from composer.checkpoints.load import LoadedModel


class Ranking(NamedTuple):
    """How good a piece is: the highest `key` is best; `text` says it."""

    key: tuple[float, ...]
    text: str


Ranker = Callable[[Sequence[float], Score | None], Ranking]
"""Ranks a piece by the log-probabilities of its sampled steps, in nats, and its score."""


def make_ranker(rank_by: str, model: LoadedModel, path: Path) -> Ranker:
    """Return the ranker for pieces of `model`, loaded from `path`. Raises UsageError, CheckpointError."""
    representation = model.representation
    if rank_by == "likelihood":
        _check_likelihood(model)
        return _likelihood
    if rank_by == "form":
        if type(representation).score is Representation.score:
            raise UsageError(f"`{representation.name}` is not music, so it has no form", "use --rank-by likelihood")
        return _form
    from composer.analysis.copying import longest_copied_run
    from composer.cli.gen.copy_limit import known_melodies

    index = known_melodies(representation, path, "--rank-by originality")

    def originality(logp: Sequence[float], score: Score | None) -> Ranking:
        run, notes = (longest_copied_run(score, index), _note_count(score)) if score is not None else (0, 0)
        return Ranking((-run, notes), f"{count_noun(run, 'note')} in the longest copied run")

    return originality


def _note_count(score: Score) -> int:
    return sum(len(part.notes) for part in sounding_parts(score))


def _likelihood(logp: Sequence[float], score: Score | None) -> Ranking:
    mean = fmean(logp) if logp else 0.0
    return Ranking((mean,), f"{-mean / log(2):.2f} bits per step")


def _form(logp: Sequence[float], score: Score | None) -> Ranking:
    from composer.analysis.form import Form, form_of

    found = form_of(score) if score is not None else Form(0.0, 0.0, 0.0)
    parts = f"repeats {found.returns:.2f}, phrases {found.phrases:.2f}"
    parts += f", cadence {found.cadence:.1f}" if found.cadence is not None else ""
    tie_breaker = fmean(logp) if logp else 0.0
    return Ranking((found.mean, tie_breaker), f"{found.mean:.2f} ({parts})")


def _check_likelihood(model: LoadedModel) -> None:
    """Raise UsageError for a model without likelihoods."""
    import numpy as np

    tokens = model.spec.kind is StepKind.TOKENS
    empty = np.zeros(1, int) if tokens else np.zeros((1, model.spec.size), np.uint8)
    with suppress(Unsupported):
        features = {"features": np.zeros((1, len(model.spec.features)), int)} if model.spec.features else {}
        model.sampler.log_prob(model.sampler.initial_state([{}], **features), empty)
        return
    raise UsageError(
        f"model `{model.header.model}` cannot compute likelihoods", "use --rank-by originality or --rank-by form"
    )
