"""Rank candidates by likelihood, originality, form, or the ranking of a plugin."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import log
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from composer.api import Representation, Score, StepKind, Unsupported, UsageError
from composer.api.ranking import Rank, Ranking
from composer.cli.gen.options import RANKINGS
from composer.cli.render.text import count_noun
from composer.music.sounding import sounding_parts
from composer.registry import plugins as registry

if TYPE_CHECKING:
    from composer.checkpoints.load import LoadedModel


def make_ranking(name: str, model: LoadedModel, path: Path) -> Ranking:
    """Return the ranking `name` for pieces of `model`, loaded from `path`.

    Raises UsageError, CheckpointError, and PluginError for a broken plugin.
    """
    representation = model.representation
    if name == "likelihood":
        _check_likelihood(model)
        return Ranking(name, RANKINGS[name], _Likelihood(_held_out(model)), needs_score=False)
    if name == "originality":
        return Ranking(name, RANKINGS[name], _Originality(model, path.name))
    added = registry.extension("ranking", name, RANKINGS)
    ranking = added.value if added is not None else Ranking(name, RANKINGS[name], _form)
    if ranking.needs_score and type(representation).score is Representation.score:
        lacks = "no form" if name == "form" else f"no notes for --rank-by {name}"
        message = f"`{representation.name}` is not music, so it has {lacks}"
        raise UsageError(message, "use --rank-by likelihood", flags=("--rank-by",))
    return ranking


class _Originality:
    """Ranks a piece by its longest run of notes that is in the training data too."""

    def __init__(self, model: LoadedModel, name: str) -> None:
        from composer.cli.gen.copy_limit import known_melodies

        self._index = known_melodies(model, name, "--rank-by originality")

    def __call__(self, logp: Sequence[float], score: Score | None) -> Rank:
        from composer.analysis.copying import longest_copied_run

        run, notes = (longest_copied_run(score, self._index), _note_count(score)) if score is not None else (0, 0)
        return Rank((-run, notes), f"{count_noun(run, 'note')} in the longest copied run")


def _note_count(score: Score) -> int:
    return sum(len(part.notes) for part in sounding_parts(score))


class _Likelihood:
    """Ranks a piece by how close its mean log-probability is to `usual`, in nats; the highest is best if that is None.

    The likeliest pieces are loops: once a cycle has occurred twice, the third time is almost certain.
    """

    def __init__(self, usual: float | None) -> None:
        self._usual = usual

    def __call__(self, logp: Sequence[float], score: Score | None) -> Rank:
        mean = fmean(logp) if logp else 0.0
        text = f"{-mean / log(2):.2f} bits per step"
        if self._usual is None:
            return Rank((mean,), text)
        return Rank((-abs(mean - self._usual),), f"{text}, held-out music {-self._usual / log(2):.2f}")


def _held_out(model: LoadedModel) -> float | None:
    """Return the mean log-probability of a step of held-out music, in nats; None if it was not measured."""
    best, unit = model.header.record.get("best"), str(model.header.record.get("unit", ""))
    return -best if isinstance(best, float) and unit.startswith(("bits per", "nats per")) else None


def _form(logp: Sequence[float], score: Score | None) -> Rank:
    from composer.analysis.form import Form, form_of

    found = form_of(score) if score is not None else Form(0.0, 0.0, 0.0)
    faults = f" ({found})" if str(found) else ""
    return Rank((found.value,), f"{found.value:.2f}{faults}", found.is_flawless)


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
        f"model `{model.header.model}` cannot compute likelihoods",
        "use --rank-by originality or --rank-by form",
        flags=("--rank-by",),
    )
