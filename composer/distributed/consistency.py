"""Check that all ranks are about to train the same: a rank that differs would silently spoil the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from composer.api import ComposerError
from composer.distributed.group import ProcessGroup


def check(group: ProcessGroup, facts: Mapping[str, Any]) -> None:
    """Raise ComposerError if ranks differ in one of the `facts`, by name; all ranks call this together."""
    main, *others = group.all_gather_object({name: json.dumps(value, default=str) for name, value in facts.items()})
    for rank, theirs in enumerate(others, 1):
        differing = [name for name, value in theirs.items() if value != main[name]]
        if differing:
            raise ComposerError(
                f"ranks 0 and {rank} do not have the same {differing[0]}",
                "start all of them with the same command, the same files and the same version of this program",
            )
