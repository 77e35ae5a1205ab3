"""Plan a run of `composer gen`: which model generates what, with which constraint, and where it goes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import CheckpointError, ComposerError, Constraint, GenerationContext, Representation, UsageError
from composer.api.sampling.params import SamplingParams
from composer.checkpoints import load as load_checkpoint
from composer.checkpoints import selection, store
from composer.checkpoints.load import LoadedModel
from composer.cli.console import Console
from composer.cli.gen import conditions
from composer.cli.gen.complete_primer import check_primer
from composer.cli.gen.default_candidates import candidates_per_piece, is_music, make_judge
from composer.cli.gen.endings import endings_of, recorded_ending
from composer.cli.gen.options import GenOptions
from composer.cli.gen.particles import kept_flags, particles_of
from composer.cli.gen.recipe import recipe
from composer.cli.gen.start import start_of
from composer.cli.output.destination import Output, plan_output
from composer.cli.output.files import REPLACE_HINT
from composer.cli.output.targets import ToStdout
from composer.cli.representation_argument import find_representation
from composer.distributed import environment
from composer.distributed.environment import ProcessInfo
from composer.generation.plans import PlannedConstraints, constraint_of
from composer.generation.request import GenerationRequest
from composer.system import device as devices

if TYPE_CHECKING:
    from composer.api.ranking import Ranking
    from composer.cli.output.run_record import RunRecord
    from composer.generation.candidates import Judge
    from composer.generation.endings import Endings
    from composer.generation.request import AcceptPiece


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is decided before the first piece is generated.

    `request` has the pieces that this process generates; `share` counts those of an earlier run too. Pieces that
    `accept` rejects are generated again. With a `ranking`, only the best pieces are written; with a `judge`, each piece
    is the best of a few candidates. `labels` describe the pieces: those of the prompt, the controls and the conditions.
    `record` is kept beside the output. The `constraint` is for pieces in this `context`.
    """

    options: GenOptions
    model: LoadedModel
    request: GenerationRequest
    constraint: Constraint | PlannedConstraints | None
    output: Output
    labels: Mapping[str, str]
    share: int
    record: RunRecord | None
    accept: AcceptPiece | None = None
    ranking: Ranking | None = None
    judge: Judge | None = None
    context: GenerationContext = GenerationContext()  # noqa: RUF009
    endings: Endings | None = None


@contextmanager
def planned(options: GenOptions, console: Console, process: ProcessInfo) -> Iterator[Plan]:
    """Check everything that can be checked, and load the model; each process plans its own share of the pieces.

    The output stays reserved until the end of the context. Raises NameInUse if another run writes it, ComposerError.
    """
    kind = find_representation(options.representation, "gen")
    output = plan_output(
        kind, console, options.writing, count=options.written, format_name=options.format, output=options.output,
        playing=options.play, replayed=options.context is not None,
    )  # fmt: skip
    with output.target.reserve(process.rank) as lock:
        if lock is not None and lock.unsupported:
            console.warn(f"{lock.unsupported}; do not start a second run with the same --output")
        yield _make_plan(options, kind, output, console, process)


def _make_plan(
    options: GenOptions, kind: type[Representation], output: Output, console: Console, process: ProcessInfo
) -> Plan:
    saved = _saved_record(options, output, process)
    share = environment.shard(range(1, options.written + 1), process.rank, process.world_size)
    try:
        numbers = output.target.pending(share, saved, force=options.force, is_single=process.is_single)
    except ComposerError as error:
        if options.resume and error.hint == REPLACE_HINT:
            error.message += ", and there is no interrupted run to resume"
        raise
    path = _model_path(options, kind)
    device = devices.resolve(options.device)
    local = device if process.is_single else environment.device_of(device, process, devices.cuda_devices())
    model = load_checkpoint.load_model(path, kind.name, local, settings=options.model_settings)
    if reason := devices.unused_cuda_warning(options.device):
        console.warn(reason)
    sampling = options.sampling.with_default_temperature(model.default_temperature)
    options = dataclasses.replace(options, sampling=sampling)  # so that the recipe has it
    context, labels, notes, writing = start_of(options, model.representation, output)
    options = dataclasses.replace(options, writing=writing)
    output = dataclasses.replace(output, settings=writing)
    if model.representation.uses_titles:
        from composer.checkpoints.training_melodies import training_titles

        context = dataclasses.replace(context, titles=training_titles(model.extra, path.name))
    candidates = candidates_per_piece(options, model.representation, context)
    planning_context = _planning_context(options, model, context)
    constraint = _constraint(options, model, planning_context)
    if options.context is None:
        _warn_if_too_short(options, model.representation, context, console)
    max_steps = model.representation.max_steps(options.controls, planning_context)
    request = GenerationRequest(
        length=max_steps,
        count=options.generated,
        seed=_seed(options, saved),
        sampling=_sampling(options, model, context, max_steps),
        primer=context.primer,
        conditions=_conditions(options, model),
        requested_batch_size=_batch_size(options, saved),
        numbers=None if options.selection.chosen else numbers,
        candidates=candidates,
        particles=particles_of(options, model, context),
        ending=recorded_ending(options),
    )
    endings = endings_of(options, model, context, {**labels, **request.conditions})
    accept, ranking = _accept(options, model, path, context), _ranking(options, model, path)
    made_by = recipe(options, model, request, context, labels, output.format.name, device)
    record = _record(made_by, options, output.target.record, request, endings, saved)
    check_primer(options, model, request, constraint)
    if options.context is None:
        _announce(console, options, output, path, request, notes)
    if options.provenance:
        output = dataclasses.replace(output, recipe=made_by)
    labels = {**labels, **request.conditions}
    judge = _judge(model, path, labels) if candidates > 1 else None
    return Plan(
        options, model, request, constraint, output, labels, len(share), record, accept, ranking, judge,
        planning_context, endings,
    )  # fmt: skip


def _constraint(
    options: GenOptions, model: LoadedModel, context: GenerationContext
) -> Constraint | PlannedConstraints | None:
    """Return what the pieces are constrained by. Raises UsageError, Unsatisfiable."""
    if not options.unconstrained:
        return constraint_of(model.representation, options.controls, context)
    if model.spec.features:
        raise UsageError(
            "--unconstrained does not work with this model: its constraints count the positions that it was trained on",
            "leave out --unconstrained",
            flags=("--unconstrained",),
        )
    return None


def _planning_context(options: GenOptions, model: LoadedModel, context: GenerationContext) -> GenerationContext:
    """Return the context that plans are chosen in: with position features, they follow conditions such as the meter."""
    if not model.spec.features:
        return context
    return dataclasses.replace(context, labels={**_conditions(options, model), **context.labels})


def _conditions(options: GenOptions, model: LoadedModel) -> Mapping[str, str]:
    """Return the conditions that were given, and those that follow from the controls."""
    known = model.spec.conditions
    labels = model.representation.control_labels(options.controls)
    return conditions.with_control_labels(conditions.parse_conditions(options.conditions, known), labels, known)


def _saved_record(options: GenOptions, output: Output, process: ProcessInfo) -> RunRecord | None:
    """Return the record of the run to resume, if there is one. Raises UsageError if none can be resumed."""
    target = output.target
    if options.selection.chosen and not process.is_single:
        raise UsageError(
            "--candidates does not work with several processes", "run it without `torchrun`", flags=("--candidates",)
        )
    if not (process.is_single or target.one_file_per_piece):
        hint = f"number the files: --output tunes/%d{output.format.suffixes[0]}"
        raise UsageError(f"{process.world_size} processes cannot write to one file", hint)
    if options.resume and isinstance(target, ToStdout):
        raise UsageError("--resume needs an output file", "add --output FILE")
    saved = None
    if options.resume and target.record is not None:
        from composer.cli.output.run_record import RunRecord

        saved = RunRecord.read(target.record)
    if options.force and options.resume and saved is None:
        raise UsageError(
            f"--resume --force continues an interrupted run, and {options.output} has none",
            "leave out --resume to overwrite existing files",
        )
    if not process.is_single and options.seed is None and saved is None:
        raise UsageError(f"{process.world_size} processes need the same --seed", "add --seed 1")
    return saved


def _model_path(options: GenOptions, kind: type[Representation]) -> Path:
    path = store.resolve_model(options.checkpoint) if options.checkpoint else store.default(kind.name)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder", f"name a model in it: --checkpoint {path / 'NAME.safetensors'}")
    return path


def _warn_if_too_short(
    options: GenOptions, representation: Representation, context: GenerationContext, console: Console
) -> None:
    """Warn if --length is less than the controls usually need."""
    needed = representation.estimated_steps(options.controls, context)
    if needed is not None and options.length is not None and options.length < needed:
        console.warn(
            f"these controls need about {needed} {representation.step_name}s; "
            f"with --length {options.length} the piece will be padded with rests or held notes"
        )


def _sampling(options: GenOptions, model: LoadedModel, context: GenerationContext, max_steps: int) -> SamplingParams:
    """Return the sampling parameters, with a temperature ramp laid over the expected length of the piece."""
    ramp = options.sampling.ramp
    if ramp is None:
        return options.sampling
    needed = model.representation.estimated_steps(options.controls, context)
    length = min((each for each in (needed, options.length) if each), default=None)
    length = length or min(_mean_length(model.header.record) or max_steps, max_steps)
    return dataclasses.replace(options.sampling, temperature=ramp.over(length - len(context.primer)))


def _mean_length(record: Mapping[str, Any]) -> int | None:
    """Return the mean steps of a training piece, if the record of the training has it."""
    pieces, steps = (record.get(name, {}).get("train") for name in ("pieces", "counted"))
    return round(steps / pieces) if pieces and steps else None


def _accept(options: GenOptions, model: LoadedModel, path: Path, context: GenerationContext) -> AcceptPiece | None:
    """Return what rejects copies, if --max-copy was given. Raises UsageError, CheckpointError."""
    if options.max_copy is None:
        return None
    from composer.cli.gen.copy_limit import copy_limit

    if context.tune is not None:
        kept = kept_flags(options.controls)[0]
        raise UsageError(
            f"--max-copy and {kept} cannot be used together", "leave out one of them", flags=("--max-copy", kept)
        )
    return copy_limit(options.max_copy, model, path.name, context.primer)


def _ranking(options: GenOptions, model: LoadedModel, path: Path) -> Ranking | None:
    """Return what ranks candidates, if there are any. Raises UsageError, CheckpointError."""
    if not options.selection.chosen:
        return None
    from composer.cli.gen.ranking import make_ranking

    default = "form" if is_music(model.representation) else "likelihood"
    return make_ranking(options.selection.rank_by or default, model, path)


def _judge(model: LoadedModel, path: Path, labels: Mapping[str, str]) -> Judge:
    """Return what chooses among the default candidates."""
    from composer.cli.gen.ranking import make_ranking

    return make_judge(model.representation, make_ranking("form", model, path), labels)


def _seed(options: GenOptions, saved: RunRecord | None) -> int:
    """Return the seed that was given, else that of the run to resume, else a random one."""
    if options.seed is not None:
        return options.seed
    new = int.from_bytes(os.urandom(4)) >> 1
    return int(saved.recipe["seed"]) if saved is not None and "seed" in saved.recipe else new


def _batch_size(options: GenOptions, saved: RunRecord | None) -> int:
    """Return the batch size that was given, else that of the run to resume, else 0 for an automatic one."""
    return options.batch_size or (int(saved.recipe.get("batch_size", 0)) if saved is not None else 0)


def _announce(
    console: Console, options: GenOptions, output: Output, path: Path, request: GenerationRequest, notes: Sequence[str]
) -> None:
    """Say what is lost of the primer, which model is used, and what the user cannot know otherwise."""
    for note in notes:
        console.say(note)
    model = f"bundled {path.stem} model" if path == store.bundled(path.stem) else f"model {path.stem}"
    if options.seed is None:
        how = f" (reproduce with --seed {request.seed})" if options.choose is None else ""
        console.say(f"{model}, seed {request.seed}{how}")
    elif options.checkpoint is None and store.is_own(path):
        chosen = options.representation in selection.chosen_models()
        console.say(f"{model} ({'set by `composer models use`' if chosen else 'your newest'})")
    if output.as_piano_roll and not options.play and options.choose is None:
        suffix = output.format.suffixes[0]
        console.say(
            f"{output.format.name.upper()} is binary, so here is a piano roll; "
            f"pipe it to a player or use --output tune{suffix}"
        )


def _record(
    facts: Mapping[str, Any],
    options: GenOptions,
    path: Path | None,
    request: GenerationRequest,
    endings: Endings | None,
    saved: RunRecord | None,
) -> RunRecord | None:
    """Return the record to keep at `path`, that of the run to resume if there is one.

    Raises UsageError if that run had another recipe.
    """
    if path is None:
        return None
    from composer.cli.output.run_record import RunRecord

    first = {"candidates": request.candidates} if request.candidates > 1 else {}  # compared first, as it changes others
    if endings is not None:
        first["ending_tries"] = endings.tries
    facts = {**first, **facts, "count": request.count, "provenance": options.provenance}
    if saved is None:
        return RunRecord(path, facts)
    saved.check(facts)
    return saved
