"""Whether all ranks are about to learn the same: a rank that is not would spoil what the others learn, silently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import composer
from composer.api import ComposerError

if TYPE_CHECKING:
    from composer.training.loop import TrainingRun


def check_same_on_all_ranks(run: TrainingRun) -> None:
    """Raise ComposerError where ranks differ in what decides the weights; all ranks call this together."""
    ours = json.dumps(reproducibility_facts(run), default=str)
    first, *others = (json.loads(text) for text in run.group.all_gather_bytes(ours.encode()))
    for rank, theirs in enumerate(others, 1):
        differing = [what for what, value in theirs.items() if value != first[what]]
        if differing:
            raise ComposerError(
                f"ranks 0 and {rank} do not have the same {differing[0]}",
                "start all of them with the same command, the same files and the same version of this program",
            )


def reproducibility_facts(run: TrainingRun) -> Mapping[str, Any]:
    """By its name, all that decides the weights."""
    return {
        "version of composer": composer.__version__,
        "representation": [run.representation.name, run.representation.version, asdict(run.representation.options)],
        "pieces": run.data.encoded_digest,
        "model": [run.model.name, run.model.version, asdict(run.config)],
        "settings": asdict(run.settings),
        "wish to go on": run.resume,
    }
