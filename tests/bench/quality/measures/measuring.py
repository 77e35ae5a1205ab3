"""Measure a model on all test pieces, then on ten groups of them for the confidence interval."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from json import loads
from pathlib import Path
from typing import Any

from ..commands import files, flag, process, tidy, without, words
from ..training.store import Store, measure_key
from ..training.trainings import Failed, Limits, complaint
from .intervals import Group, parted


def measure(command: str, key: str, store: Store, limits: Limits) -> dict[str, Any]:
    """Complete a measure of the model of `key`; return the output of `eval --json` and of its groups.

    Each figure is saved at once, with the digest of its model. Raises Failed.
    """
    name = measure_key(key, command)
    found = store.measured(name)
    model = store.identity(key)
    if found.get("model") != model:
        found = {"command": tidy(command), "model": model, "groups": []}
    asked = [*words(command, {"DATA": limits.data}), "--checkpoint", str(store.model(key)), "--json", "--quiet"]
    if "found" not in found:
        print(f"  {tidy(command)}", flush=True)
        found["found"] = loads(run(asked))
        store.keep_measured(name, found)
    if not limits.intervals:
        return found
    if "parts" not in found:
        pieces = _pieces(asked, command)
        found["parts"] = parted(pieces, contiguous="--stream" in asked)
        store.keep_measured(name, found)
    for part in found["parts"][len(found["groups"]) :]:
        if len(found["parts"]) > 1:
            found["groups"].append(_of_part(asked, part, store.home / "parts" / f"{name}.txt"))
            store.keep_measured(name, found)
    return found


def groups(found: dict[str, Any]) -> list[Group]:
    """Return the groups of a measure if it is complete, else none."""
    return [Group(each["value"], each["steps"]) for each in found["groups"]] if is_complete(found) else []


def is_complete(found: dict[str, Any]) -> bool:
    """Whether all groups are measured. A single piece has none."""
    parts = len(found.get("parts", ()))
    return parts > 0 and len(found["groups"]) == (parts if parts > 1 else 0)


def _of_part(asked: Sequence[str], part: Sequence[str], listing: Path) -> dict[str, Any]:
    """Measure some of the pieces."""
    listing.parent.mkdir(exist_ok=True)
    listing.write_text("".join(f"test {piece}\n" for piece in part), "utf-8")
    arguments = [*without(asked, "--split", "--part"), "--split", str(listing)]
    found = loads(run(arguments))
    if found["pieces"] != len(part):
        raise Failed(f"only {found['pieces']} of {len(part)} pieces were measured")
    return {name: found[name] for name in ("value", "stderr", "steps", "pieces")}


def _pieces(asked: Sequence[str], command: str) -> list[str]:
    """Return the names of the pieces that the model can encode, in order."""
    from composer.analysis.selection import select_pieces
    from composer.api import EncodeError
    from composer.checkpoints.load import open_checkpoint
    from composer.data.corpus import read

    opened = open_checkpoint(Path(asked[asked.index("--checkpoint") + 1]))
    listing = flag(command, "--split")
    corpus = read(opened.representation, files(asked))
    pieces = select_pieces(
        opened.checkpoint.header, opened.representation, None, corpus.pieces, Path(listing) if listing else None,
        flag(command, "--part"),
    ).pieces  # fmt: skip
    names = []
    for piece in pieces:
        try:
            opened.representation.encode(piece)
        except EncodeError:
            continue
        names.append(piece.source)
    if len(set(names)) < len(names):
        raise Failed("two pieces have the same name, so they cannot be divided into groups")
    return names


def run(arguments: Sequence[str]) -> str:
    """Return what a command prints. Raises Failed with its error."""
    done = subprocess.run(process(arguments), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(complaint(done.stderr))
    return done.stdout
