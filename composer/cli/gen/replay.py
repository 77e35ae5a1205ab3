"""Reproduce generated files from their provenance, and say what is different now."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from composer.api import CheckpointError, DeviceError
from composer.checkpoints import store
from composer.cli.console import Console
from composer.cli.gen import recipe
from composer.cli.gen.plan import Plan, planned
from composer.cli.gen.replayed_work import WorkLimit, count_steps
from composer.cli.gen.run import generate_pieces
from composer.cli.output.targets import Target
from composer.cli.render.file_diff import common_length, difference
from composer.distributed.environment import ProcessInfo
from composer.formats import provenance
from composer.formats.midi.writer import older_versions
from composer.formats.provenance import Provenance
from composer.system import device as devices


@dataclass(frozen=True, slots=True)
class Replayed:
    """The pieces of a file in `format`, generated again, with their provenance in the file and now.

    `changes` are lines that say what is different now.
    """

    format: str
    pieces: Sequence[bytes]
    recorded: Sequence[Provenance]
    now: Sequence[Provenance]
    changes: Sequence[str]

    def data(self, before: bytes) -> bytes:
        """Return the file as it was `before` if its music is the same, else with its provenance now."""
        again = self._written_as(before)
        if again == before or not self.changes:
            return again
        return b"".join(provenance.mark(self.format, *each) for each in zip(self.pieces, self.now, strict=True))

    def difference(self, before: bytes) -> str:
        """Return where the file as it was `before` differs, in words; empty if it does not.

        Both have the recorded provenance, so that only changes in the music count.
        """
        again = self._written_as(before)
        return "" if again == before else difference(before, again, self.format)

    def _written_as(self, before: bytes) -> bytes:
        """Return the file, each piece as the version, this or an older one, wrote it that wrote `before`."""
        data = b""
        for piece, recorded in zip(self.pieces, self.recorded, strict=True):
            same = partial(common_length, before[len(data) :])
            data += max(self._versions(piece, recorded), key=same)
        return data

    def _versions(self, piece: bytes, recorded: Provenance) -> Iterator[bytes]:
        """Yield a piece with its provenance as this version writes it, then as older ones did."""
        for each in [piece, *(older_versions(piece) if self.format == "midi" else ())]:
            yield provenance.mark(self.format, each, recorded)
            yield from provenance.older_marks(self.format, each, recorded)


def reproduce(
    found: Sequence[Provenance], name: str, size: int, console: Console, checkpoint: Path | None = None
) -> Replayed:
    """Generate the pieces of the file `name` again, with the model at `checkpoint` or else the recorded one.

    Raises ReadError for invalid provenance, also if all pieces together ask for more than a file of `size` bytes may,
    and CheckpointError if a model is missing, both before anything is generated. Raises ReadError later if rejected
    attempts take too many steps.
    """
    pieces: list[bytes] = []
    now: list[Provenance] = []
    changes: dict[str, None] = {}
    current = [Provenance(each.program, recipe.current_names(each.facts)) for each in found]
    runs = list(_runs(current, name))
    work = WorkLimit(name, size)
    later = 0
    for run in runs[1:]:
        with _planned(run, name, console, checkpoint) as plan:
            later += count_steps(plan)
    for number, run in enumerate(runs):
        with _planned(run, name, console, checkpoint) as plan:
            if number == 0:
                work.add(later + count_steps(plan))
            counted = dataclasses.replace(plan, accept=work.counting_rejected(plan))
            generated, made_with = _reproduce_run(run, counted)
        pieces += generated
        for each in run:
            changes |= dict.fromkeys(_changes(each, made_with))
            now.append(_with_current(each, made_with))
    return Replayed(current[0].facts["format"], pieces, found, now, list(changes))


@dataclass
class _MemoryTarget(Target):
    """Keeps the pieces in memory."""

    pieces: dict[int, bytearray] = field(default_factory=dict)

    def write(self, number: int, data: bytes) -> None:
        self.pieces.setdefault(number, bytearray()).extend(data)

    def discard(self, number: int) -> None:
        self.pieces.pop(number, None)


def _runs(found: Iterable[Provenance], name: str) -> Iterator[list[Provenance]]:
    """Yield the pieces in groups that come from one run, to be generated in one batch again."""
    run: list[Provenance] = []
    for each in found:
        recipe.check(each.facts, name)
        if run and not _follows(each.facts, run[-1].facts):
            yield run
            run = []
        run.append(each)
    yield run


def _follows(facts: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Return whether a piece is a later one of the same run."""
    steps = facts.get("number", 1) - before.get("number", 1)
    same = {**facts, "number": 0, "seed": 0} == {**before, "number": 0, "seed": 0}
    return bool(same and steps > 0 and facts["seed"] - before["seed"] == steps)


@contextmanager
def _planned(run: Sequence[Provenance], name: str, console: Console, checkpoint: Path | None) -> Iterator[Plan]:
    """Plan to generate the pieces of a run again, into memory. Raises ComposerError."""
    facts = run[0].facts
    device = _device(facts["device"])
    path = store.resolve_model(checkpoint) if checkpoint is not None else _model(facts, name)
    options = dataclasses.replace(recipe.options_from(facts), checkpoint=path, device=device)
    numbers = [each.facts.get("number", 1) for each in run]
    with planned(options, console, ProcessInfo()) as plan:
        yield dataclasses.replace(
            plan,
            request=dataclasses.replace(
                plan.request, seed=facts["seed"] - numbers[0] + 1, numbers=numbers, count=len(run)
            ),
            output=dataclasses.replace(plan.output, as_piano_roll=False, target=_MemoryTarget()),
            share=len(run),
        )


def _reproduce_run(run: Sequence[Provenance], plan: Plan) -> tuple[list[bytes], Mapping[str, Any]]:
    """Return the pieces of a run without provenance, and what they were made with now."""
    generate_pieces(plan)
    target = plan.output.target
    assert isinstance(target, _MemoryTarget)
    pieces = [bytes(target.pieces[each.facts.get("number", 1)]) for each in run]
    return pieces, recipe.made_with(plan.model, plan.options.device)


def _device(recorded: str) -> str:
    """Return the recorded kind of device, or the best one here if there is none."""
    try:
        return devices.resolve(recorded)
    except DeviceError:
        return devices.resolve()


def _model(facts: Mapping[str, Any], name: str) -> Path:
    """Return the path of the recorded model. Raises CheckpointError if it is missing."""
    if path := store.with_digest(facts["representation"], facts["model"]):
        return path
    raise CheckpointError(
        f"the model that generated {name} is missing (digest {facts['model'][:12]}...)",
        _hint_for_missing(facts["representation"]),
    )


def _hint_for_missing(representation: str) -> str:
    """Return which model may be a later version of a missing one: the bundled one, else the user's newest."""
    if store.bundled(representation) is not None:
        return (
            "a bundled model whose rules have changed since may give another piece, even with the same weights: try it "
            f"with --checkpoint {representation}, or use --checkpoint FILE to give the one that was used"
        )
    if (newest := store.newest(representation)) is not None:
        name = shlex.quote(newest.name.removesuffix(store.SUFFIX))
        return f"training a model further changes its digest: try your newest with --checkpoint {name}"
    return "use --checkpoint FILE to give the model"


def _changes(recorded: Provenance, made_with: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each thing that is different now."""
    then, now = {**recorded.facts, "program": recorded.program}, made_with
    if then["program"] != now["program"]:
        yield f"composer: recorded {then['program']}, now {now['program']}"
    if then["model"] != now["model"]:
        yield f"model: recorded {then['model'][:12]}, now {now['model'][:12]}"
    if then["device"] != now["device"]:
        yield f"device: recorded {then['device']}, now {now['device']}"
    for plugin in {**then.get("plugins", {}), **now["plugins"]}:
        before, after = (each.get("plugins", {}).get(plugin) for each in (then, now))
        if before != after:
            yield f"plugin {plugin}: recorded {before or 'unused'}, now {after or 'unused'}"
    for library in ("numpy", "torch"):
        if library in then and library in now and then[library] != now[library]:
            yield f"{library}: recorded {then[library]}, now {now[library]}"
    for unknown in sorted(then.keys() - recipe.fact_types().keys() - {"program"}):
        yield f"unknown fact `{unknown}` in the provenance, ignored"


def _with_current(recorded: Provenance, made_with: Mapping[str, Any]) -> Provenance:
    """Return the provenance of a piece that was generated with other things than recorded."""
    kept = {name: value for name, value in recorded.facts.items() if name not in ("numpy", "torch")}
    facts = {**kept, **made_with}
    return Provenance(facts.pop("program"), facts)
