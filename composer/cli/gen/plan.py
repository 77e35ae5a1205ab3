"""From the command line of `composer gen` to a Plan: which model composes what, by which rules, and where it goes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import CheckpointError, Constraint, GenerationContext, Representation, UsageError
from composer.checkpoints import load as load_checkpoint
from composer.checkpoints import store
from composer.checkpoints.load import LoadedModel
from composer.cli.console import Console
from composer.cli.gen import conditions
from composer.cli.gen.recipe import recipe
from composer.cli.output import destination
from composer.cli.output.destination import Delivery
from composer.cli.output.targets import ToStdout
from composer.distributed import environment
from composer.distributed.environment import ProcessInfo
from composer.formats import WriteSettings
from composer.generation.generate import Request
from composer.registry import plugins as registry
from composer.system import device as devices

if TYPE_CHECKING:
    from composer.cli.gen.ranking import Choice, Scorer
    from composer.cli.gen.recipe import Recorded
    from composer.cli.output.run_record import Record
    from composer.generation.generate import Judge

__all__ = ["Asked", "Plan", "planned"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked for. `filters` are those of a Request, by name; `wishes` those of the representation.

    `recorded` stands for an opening where a piece is composed again. Each field is listed in `composer.cli.gen.recipe`.
    """

    representation: str
    count: int = 1
    length: int | None = None
    seed: int | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    conditions: Sequence[str] = ()
    wishes: Any = None
    free: bool = False
    prime: str | None = None
    prime_text: str | None = None
    format: str | None = None
    output: str | None = None
    force: bool = False
    resume: bool = False
    writing: WriteSettings = WriteSettings()  # noqa: RUF009
    checkpoint: Path | None = None
    device: str = "auto"
    width: int = 0
    choice: Choice | None = None
    max_copy: int | None = None
    recorded: Recorded | None = None
    provenance: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is decided before anything is composed.

    `request` names the pieces that this process composes; together with those that an earlier run left, they are
    `share`. What the `judge` refuses is composed again; where there is a `choice`, only the best of all are kept.
    `labels` are what the pieces are: as they begin, and as was asked for. `record` is kept beside the output.
    """

    player: LoadedModel
    request: Request
    constraint: Constraint | None
    delivery: Delivery
    labels: Mapping[str, str]
    share: int
    record: Record | None
    judge: Judge | None = None
    choice: tuple[Choice, Scorer] | None = None


def planned(asked: Asked, console: Console, among: ProcessInfo) -> Plan:
    """Check all that can be checked, and open the model. Raises ComposerError with the way out.

    Of several processes, each plans its own share of the pieces.
    """
    kind = registry.representation(asked.representation)
    outgoing = destination.plan(
        kind, console, asked.writing, count=asked.count, format_name=asked.format, output=asked.output
    )
    saved = _saved(asked, outgoing, among)
    share = environment.shard(range(1, asked.count + 1), among.rank, among.world_size)
    numbers = outgoing.target.claim(share, saved, force=asked.force, alone=among.is_single)
    path = _model(asked, kind)
    device = devices.resolve(asked.device)
    mine = device if among.is_single else environment.device_of(device, among, devices.cuda_devices())
    model = load_checkpoint.load_model(path, kind.name, mine)
    if reason := devices.unused_cuda_warning(asked.device):
        console.warn(reason)
    given, labels = _given(asked, model.representation, console)
    constraint = None if asked.free else model.representation.constraint(asked.wishes, given)
    if asked.recorded is None:
        _warn_of_room(asked, model.representation, given, console)
    most = model.representation.max_steps(asked.wishes, given)
    request = Request(
        length=most,
        count=asked.choice.take if asked.choice else asked.count,
        seed=_seed(asked, saved),
        primer=given.primer,
        conditions=_conditions(asked, model),
        width=asked.width,
        numbers=None if asked.choice else numbers,
        **_filters(asked, model, given, most),
    )
    judge, choice = _choosing(asked, model, path, given)
    told = recipe(asked, model, request, given, labels, outgoing.format.name, device)
    record = _record(told, asked, outgoing.target.record, request.count, saved)
    if asked.recorded is None:
        _introduce(console, asked, outgoing, path, request)
    if asked.provenance:
        outgoing = dataclasses.replace(outgoing, recipe=told)
    labels = {**labels, **request.conditions}
    return Plan(model, request, constraint, outgoing, labels, len(share), record, judge, choice)


def _conditions(asked: Asked, model: LoadedModel) -> Mapping[str, str]:
    """What the model is told of the piece: what was given, and what was wished."""
    known = model.spec.conditions
    wished = model.representation.control_labels(asked.wishes)
    return conditions.with_wished(conditions.given(asked.conditions, known), wished, known)


def _saved(asked: Asked, outgoing: Delivery, among: ProcessInfo) -> Record | None:
    """The record of the run that the user wants to go on with, if there is one. Raises UsageError where none can be."""
    target = outgoing.target
    if not (among.is_single or target.apart):
        raise UsageError(
            f"{among.world_size} processes cannot write one stream",
            f"number the files: --output tunes/%0{len(str(asked.count))}d{outgoing.format.suffixes[0]}",
        )
    if asked.choice and not among.is_single:
        raise UsageError(
            f"{among.world_size} processes cannot choose together", "choose in one process, or leave out --take"
        )
    if asked.resume and isinstance(target, ToStdout):
        raise UsageError("what went to stdout cannot be gone on with", "name a file: --output FILE")
    saved = None
    if asked.resume and target.record is not None:
        from composer.cli.output.run_record import Record

        saved = Record.read(target.record)
    if not among.is_single and asked.seed is None and saved is None:
        raise UsageError(f"{among.world_size} processes need one seed", "give all of them the same --seed")
    return saved


def _model(asked: Asked, kind: type[Representation]) -> Path:
    path = store.resolve_model(asked.checkpoint) if asked.checkpoint else store.default(kind.name)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder", "name a model in it, which ends in .safetensors")
    return path


def _given(
    asked: Asked, representation: Representation, console: Console
) -> tuple[GenerationContext, Mapping[str, str]]:
    """What the piece is composed from, and the labels that it has for that. Raises UsageError."""
    if asked.recorded is not None:
        return asked.recorded.given(representation, asked.length), asked.recorded.labels
    wished = representation.control_labels(asked.wishes)
    keeps = bool(getattr(asked.wishes, "keep_bars", ""))
    if asked.free and asked.wishes not in (None, representation.Controls()):
        raise UsageError("--free does away with the rules that keep to wishes", "leave out --free, or the wishes")
    if asked.prime is None and asked.prime_text is None:
        if keeps:
            raise UsageError("--keep-bars needs a tune of which to keep bars", "give it with --prime FILE")
        return GenerationContext(asked.length), wished
    from composer.cli.gen import primer

    if keeps:
        tune = primer.whole(representation, console, asked.prime, asked.prime_text)
        return GenerationContext(asked.length, tune=tune), {**tune.labels, **wished}
    begun = primer.given(representation, console, asked.prime, asked.prime_text)
    return GenerationContext(asked.length, begun.steps, labels=begun.labels), {**begun.labels, **wished}


def _warn_of_room(asked: Asked, representation: Representation, given: GenerationContext, console: Console) -> None:
    """Say where what is wished for takes more room than there is, as a rule, so that the rest will be rests."""
    likely = representation.estimated_steps(asked.wishes, given)
    if likely is not None and asked.length is not None and asked.length < likely:
        console.warn(
            f"what is wished for takes about {likely} {representation.step_name}s; where --length {asked.length} is not"
            " enough, the rest of it will be rests"
        )


def _filters(asked: Asked, model: LoadedModel, given: GenerationContext, most: int) -> Mapping[str, Any]:
    """The filters of a Request, a temperature that changes laid over the piece that is asked for."""
    if isinstance(asked.filters.get("temperature", 1.0), int | float):
        return asked.filters
    from composer.cli.gen import temperature

    likely = model.representation.estimated_steps(asked.wishes, given)
    length = min((each for each in (likely, asked.length) if each), default=None)
    begun = len(given.primer)
    return temperature.spread(asked.filters, model.header.record, length=length, most=most, begun=begun)


def _choosing(
    asked: Asked, model: LoadedModel, path: Path, given: GenerationContext
) -> tuple[Judge | None, tuple[Choice, Scorer] | None]:
    """Who refuses pieces, and who chooses among them, where anybody does. Raises UsageError, CheckpointError."""
    judge = choice = None
    if asked.max_copy is not None:
        from composer.cli.gen import copy_limit

        if given.tune is not None:
            raise UsageError("--max-copy does not know bars that are kept", "leave out --max-copy or --keep-bars")
        judge = copy_limit.limit(asked.max_copy, model.representation, path, given.primer)
    if asked.choice is not None:
        from composer.cli.gen import ranking

        choice = asked.choice, ranking.scorer(asked.choice.by, model, path)
    return judge, choice


def _seed(asked: Asked, saved: Record | None) -> int:
    """The seed that was given, else that of the run to go on with, else a new one."""
    if asked.seed is not None:
        return asked.seed
    new = int.from_bytes(os.urandom(4)) >> 1
    return int(saved.asked["seed"]) if saved is not None and "seed" in saved.asked else new


def _introduce(console: Console, asked: Asked, outgoing: Delivery, path: Path, request: Request) -> None:
    """Say who composes, and what the user cannot know of how."""
    bundled = path == store.bundled(asked.representation)
    composing = "the bundled model" if bundled else path.stem
    if asked.seed is None:
        console.say(f"{composing}, seed {request.seed}; the same again with --seed {request.seed}")
    elif asked.checkpoint is None and not bundled:
        console.say(f"{composing}, your newest model")
    if outgoing.drawn:
        console.say(
            f"this is {outgoing.format.name}, drawn because a terminal cannot play it; "
            f"pipe it on, or write it with --output tune{outgoing.format.suffixes[0]}"
        )


def _record(
    told: Mapping[str, Any], asked: Asked, path: Path | None, count: int, saved: Record | None
) -> Record | None:
    """What is kept at `path`, beside the output, of a run of `count` pieces by the recipe that is `told`.

    Raises UsageError where the run that was `saved` was another one.
    """
    if path is None:
        return None
    from composer.cli.output.run_record import Record

    told = {**told, "count": count, "provenance": asked.provenance}
    if saved is None:
        return Record(path, told)
    saved.check(told)
    return saved
