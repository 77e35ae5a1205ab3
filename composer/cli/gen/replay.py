"""Composing again what provenance tells of, and telling what is not as it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from composer.api import CheckpointError, DeviceError
from composer.checkpoints import store
from composer.cli.console import Console
from composer.cli.gen import recipe
from composer.cli.gen.plan import planned
from composer.cli.gen.run import compose
from composer.cli.output.run_record import Record
from composer.cli.render.file_diff import difference
from composer.distributed.environment import ProcessInfo
from composer.formats import provenance
from composer.formats.provenance import Provenance
from composer.registry import plugins as registry
from composer.system import device as devices

__all__ = ["Replayed", "again"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The pieces of a file in `format` as they were composed again, with what was and what is told of each.

    `changes` are lines that say what is not as it was then.
    """

    format: str
    pieces: Sequence[bytes]
    then: Sequence[Provenance]
    now: Sequence[Provenance]
    changes: Sequence[str]

    def data(self, before: bytes) -> bytes:
        """The file: just as it was `before`, where its music is the same; else telling what made it now."""
        same = self._marked(self.then)
        return same if same == before or not self.changes else self._marked(self.now)

    def difference(self, before: bytes) -> str:
        """Where the file as it was `before` is another, in words; empty where it is not.

        What it says of how it was made is taken as it stands, so that it hides nothing that was changed in the music.
        """
        same = self._marked(self.then)
        return difference(before, same, self.format) if same != before else ""

    def _marked(self, told: Iterable[Provenance]) -> bytes:
        return b"".join(provenance.mark(self.format, *each) for each in zip(self.pieces, told, strict=True))


def again(found: Sequence[Provenance], name: str, console: Console, checkpoint: Path | None = None) -> Replayed:
    """Compose again what was `found` in the file `name`, by the model at `checkpoint` or else the one that made it.

    Raises ReadError for what nobody can have composed, CheckpointError where the model is gone.
    """
    pieces: list[bytes] = []
    now: list[Provenance] = []
    changes: dict[str, None] = {}
    for run in _runs(found, name):
        composed, made_with = _composed(run, name, console, checkpoint)
        pieces += composed
        for each in run:
            changes |= dict.fromkeys(_changes(each, made_with))
            now.append(_as_now(each, made_with))
    return Replayed(found[0].facts["format"], pieces, found, now, list(changes))


@dataclass
class _InMemory:
    """A target that holds each piece as it comes."""

    apart: ClassVar[bool] = False
    record: ClassVar[None] = None
    before: int = 0
    pieces: dict[int, bytearray] = field(default_factory=dict)

    def claim(self, numbers: range, saved: Record | None, *, force: bool, alone: bool) -> Iterable[int]:
        return numbers

    def begin(self, record: Record | None) -> None:
        pass

    def write(self, number: int, data: bytes) -> None:
        self.pieces.setdefault(number, bytearray()).extend(data)

    def end(self, number: int) -> None:
        pass

    def drop(self, number: int) -> None:
        self.pieces.pop(number, None)

    def close(self, *, finished: bool) -> None:
        pass


def _runs(found: Iterable[Provenance], name: str) -> Iterator[list[Provenance]]:
    """What was found, in stretches of pieces that were composed in one run, to be composed side by side again."""
    run: list[Provenance] = []
    for each in found:
        recipe.check(each.facts, name)
        if run and not _follows(each.facts, run[-1].facts):
            yield run
            run = []
        run.append(each)
    yield run


def _follows(facts: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether a piece is a later one of the same run, by what is told of both."""
    steps = facts.get("number", 1) - before.get("number", 1)
    same = {**facts, "number": 0, "seed": 0} == {**before, "number": 0, "seed": 0}
    return bool(same and steps > 0 and facts["seed"] - before["seed"] == steps)


def _composed(
    run: Sequence[Provenance], name: str, console: Console, checkpoint: Path | None
) -> tuple[list[bytes], Mapping[str, Any]]:
    """The pieces of a run, without what they told, and what they are made with now."""
    facts = run[0].facts
    registry.representation(facts["representation"])  # which a model that is not here would only hide
    device = _device(facts["device"])
    path = store.resolve_model(checkpoint) if checkpoint is not None else _model(facts, name)
    plan = planned(recipe.asked_again(facts, path, device), console, ProcessInfo())
    numbers = [each.facts.get("number", 1) for each in run]
    target = _InMemory()
    compose(
        dataclasses.replace(
            plan,
            request=dataclasses.replace(
                plan.request, seed=facts["seed"] - numbers[0] + 1, numbers=numbers, count=len(run)
            ),
            delivery=dataclasses.replace(plan.delivery, drawn=False, target=target),
            share=len(run),
        )
    )
    return [bytes(target.pieces[number]) for number in numbers], recipe.made_with(plan.player, device)


def _device(then: str) -> str:
    """The kind of device of then; where there is none here, whatever there is."""
    try:
        return devices.resolve(then)
    except DeviceError:
        return devices.resolve()


def _model(facts: Mapping[str, Any], name: str) -> Path:
    """The model that has the digest that is told. Raises CheckpointError where there is none."""
    if path := store.with_digest(facts["representation"], facts["model"]):
        return path
    raise CheckpointError(
        f"the model that composed {name}, of digest {facts['model'][:12]}..., is neither among yours nor bundled",
        "say where it is with --checkpoint FILE; one that was trained anew, or longer, is another",
    )


def _changes(told: Provenance, made_with: Mapping[str, Any]) -> Iterator[str]:
    """What is not as it was then, a line for each."""
    then, now = {**told.facts, "program": told.program}, made_with
    if then["program"] != now["program"]:
        yield f"it was composed by composer {then['program']}, and this is composer {now['program']}"
    if then["model"] != now["model"]:
        yield f"it was composed by the model of digest {then['model'][:12]}..., not {now['model'][:12]}..."
    if then["device"] != now["device"]:
        yield f"it was composed on {then['device']}, not {now['device']}"
    for plugin in {**then.get("plugins", {}), **now["plugins"]}:
        before, after = (each.get("plugins", {}).get(plugin) for each in (then, now))
        if before != after:
            yield f"plugin {plugin} was from {before or 'nowhere'}, and is from {after or 'nowhere'}"
    for library in ("numpy", "torch"):
        if library in then and library in now and then[library] != now[library]:
            yield f"{library} was {then[library]}, and is {now[library]}"
    for unknown in sorted(then.keys() - recipe.KINDS.keys() - {"program"}):
        yield f"it says `{unknown}`, which this version of the program does not know"


def _as_now(told: Provenance, made_with: Mapping[str, Any]) -> Provenance:
    """What a piece tells that was composed again with other things than then."""
    kept = {name: value for name, value in told.facts.items() if name not in ("numpy", "torch")}
    facts = {**kept, **made_with}
    return Provenance(facts.pop("program"), facts)
