"""Make a TrainingRun from the options of `composer train`: plugins, settings, data and path."""

from __future__ import annotations

import dataclasses
import shlex
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer.api import ComposerError, Model, OptionError, PairingError, ReadError, Representation, UsageError
from composer.api.errors import suggest
from composer.checkpoints import store
from composer.checkpoints.default_temperature import ENTRY as DEFAULT_TEMPERATURE
from composer.checkpoints.file import Header
from composer.checkpoints.load import OpenCheckpoint, check_version, open_checkpoint
from composer.cli.inputs import hint_other_representation
from composer.cli.representation_argument import find_representation
from composer.cli.train import automatic, names
from composer.cli.train.options import TrainOptions
from composer.data import dataset
from composer.data.conditions import MissingLabel
from composer.data.corpus import NoMatchingFiles, Rejections
from composer.data.splits import SplitSettings
from composer.distributed.group import ProcessGroup
from composer.registry import options as plugin_options
from composer.registry import plugins as registry
from composer.system import device
from composer.training import presets
from composer.training.fine_tuning import check_fits
from composer.training.optimizer import choose_precision
from composer.training.resume import OriginalArguments, check_network, original_arguments, saved_header
from composer.training.run import TrainingRun
from composer.training.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Plugins and settings that fit together."""

    representation: Representation
    model: Model
    config: Any
    settings: Settings
    origin: OpenCheckpoint | None = None


def prepare(
    options: TrainOptions, held: names.Reservations, progress: Callable[[int, int], object] | None = None,
    stop: Callable[[], bool] = lambda: False, group: ProcessGroup | None = None,
) -> TrainingRun:  # fmt: skip
    """Check everything that can be checked, then read the pieces. Raises ComposerError with a hint.

    In a `group`, the main process chooses the path and reads the state to resume; all processes prepare the data.
    The name of the model stays reserved until `held` is closed.
    """
    group = group or ProcessGroup()
    kind = find_representation(options.representation, "train")
    _check_combination(options)
    if options.preset is not None:
        options = _with_preset(options, presets.preset(options.preset))
    resolved = device.resolve(options.device)
    new = None if options.resume else _from_checkpoint(options) if options.origin else _new_model(options, kind)
    path = group.broadcast_object(lambda: names.choose_path(options, kind, held))
    if new is not None:
        choice = new
        fitted = new.origin.checkpoint.header.spec if new.origin is not None else None
        conditions = _conditions(options, kind, new.model) if fitted is None else None
        data = OriginalArguments(options.files, options.split_settings, options.augment, fitted, conditions)
        before = new.origin.checkpoint.header.record if new.origin is not None else {}
        record: Mapping[str, Any] = {}
    else:
        saved = group.broadcast_object(lambda: saved_header(path))
        choice, data = _resumed(options, kind, saved, path)
        before = record = saved.record
    output = group.broadcast_object(lambda: names.choose_output(options, path, record, held))
    if not data.arguments:
        raise UsageError("no training data given", f"for example: composer train {kind.name} tunes/")
    choice.settings.check(augment=data.augment)
    if choice.settings.precision == "bf16":
        choose_precision("bf16", resolved)  # raises before pieces are read, which may take long
    try:
        prepared = dataset.prepare(
            choice.representation, data.arguments, data.split,
            fitted=data.fitted, augment=data.augment, conditions=data.conditions, progress=progress, group=group,
        )  # fmt: skip
    except NoMatchingFiles as error:
        raise hint_other_representation(error, "composer train", data.arguments) from error
    except MissingLabel as error:
        raise _missing_label(options, error) from error
    _check_held_out(prepared)
    if automatic.is_automatic(options):
        choice = _suited_to_data(choice, prepared, options)
    origin = choice.origin.checkpoint if choice.origin else None
    default_temp = before.get(DEFAULT_TEMPERATURE) if options.default_temp is None else options.default_temp
    return TrainingRun(
        choice.model, choice.config, choice.representation, prepared, path, choice.settings, resolved,
        options.resume, origin, output and output.path, default_temp, stop, group,
        replace_output=output is not None and output.replace,
    )  # fmt: skip


def _check_held_out(data: dataset.Dataset) -> None:
    """Raise ReadError if files are named for validation, but none of their pieces can be used."""
    if not data.split.valid_files or data.report.pieces["valid"]:
        return
    reasons = Rejections(dict(data.report.rejected), {key: list(places) for key, places in data.report.places.items()})
    skipped = reasons.most_common() or "all are skipped"
    raise ReadError(
        f"no piece of the --valid files can be used; {skipped}",
        "name other files after --valid, or leave it out to hold out a tenth of the pieces",
    )


def _suited_to_data(choice: ModelChoice, data: dataset.Dataset, options: TrainOptions) -> ModelChoice:
    """Return the choice with the settings that the model suggests for this much data, if it suggests any."""
    found = automatic.suggested(choice.model, data.spec, data.size, options.setting_flags)
    if found is None:
        return choice
    return dataclasses.replace(choice, config=found[0], settings=found[1])


def _conditions(options: TrainOptions, kind: type[Representation], model: Model) -> tuple[str, ...] | None:
    """Return the labels that a new model is conditioned on, None for those that the representation chooses.

    Raises PairingError for a model without conditions, and OptionError for labels that no piece can have.
    """
    if not options.conditions:
        return options.conditions if model.conditional else ()
    if not model.conditional:
        raise PairingError(
            f"model `{model.name}` takes no conditions", "leave out --conditions, or use --model lstm or attn-lstm"
        )
    for name in options.conditions if kind.labels else ():
        if name not in kind.labels:
            near = suggest(name, kind.labels)
            raise OptionError(f"pieces of `{kind.name}` have no label '{name}'", near)
    return options.conditions


def _missing_label(options: TrainOptions, error: MissingLabel) -> ComposerError:
    """Return `error`, or that of the preset that needs the label."""
    requires = presets.preset(options.preset).requires if options.preset else {}
    if error.name not in requires:
        return error
    return ReadError(f"preset `{options.preset}` needs pieces with the label `{error.name}`", requires[error.name])


def _with_preset(options: TrainOptions, preset: presets.Preset) -> TrainOptions:
    """Return the options with the values of `preset` where the user gave none."""
    if preset.representation != options.representation:
        raise UsageError(
            f"preset `{preset.name}` is for `{preset.representation}`, not `{options.representation}`",
            f"composer train {preset.representation} {shlex.join(options.files) or 'tunes/'} --preset {preset.name}",
        )
    model = options.model or preset.model
    settings = {**(preset.model_settings if model == preset.model else {}), **preset.training}
    return dataclasses.replace(
        options,
        representation_options=(*presets.as_pairs(preset.options), *options.representation_options),
        model=model,
        settings=(*presets.as_pairs(settings), *options.settings),
        shares=preset.split,
        augment=options.augment or preset.augment,
        conditions=_preset_conditions(options, preset),
    )


def _preset_conditions(options: TrainOptions, preset: presets.Preset) -> tuple[str, ...] | None:
    """Return the labels to condition on: those of `preset`, if it has any. Raises UsageError if the user's lack one."""
    if options.conditions is None:
        return tuple(preset.requires) or None
    for name in preset.requires:
        if name not in options.conditions:
            raise UsageError(f"preset `{preset.name}` has the condition {name}", f"add {name} to --conditions")
    return options.conditions


def _new_model(options: TrainOptions, kind: type[Representation]) -> ModelChoice:
    model = automatic.choose_model(options, kind)
    registry.check_pair(kind, model)
    given = _representation_options(options, kind)
    config, settings = _settings(options, model, model.Config(), Settings())
    model.check(kind.kind, config)
    if options.model is None and automatic.is_automatic(options):
        given = automatic.with_positions(given, options.representation_options, kind, model)
    representation = kind(given)
    registry.check_pair(representation, model)
    return ModelChoice(representation, model, config, settings)


def _representation_options(options: TrainOptions, kind: type[Representation]) -> Any:
    """Return the representation's options. Raises OptionError."""
    pairs, owner = options.representation_options, f"representation `{kind.name}`"
    for pair in pairs:
        if _key(pair) == "conditions" and "conditions" not in typing.get_type_hints(kind.Options):
            labels = pair.partition("=")[2].strip() or ",".join(kind.labels) or "LABELS"
            raise OptionError(f"{owner} has no option `conditions`", f"use --conditions {labels}")
    return plugin_options.parse(kind.Options, pairs, owner, "-O")


def _check_combination(options: TrainOptions) -> None:
    """Raise UsageError for an option that --resume or --from excludes."""
    excluded: dict[str, object] = {
        "--preset": options.preset,
        "-O": options.representation_options,
        "--conditions": options.conditions is not None,
    }
    if options.resume:
        excluded |= {"--from": options.origin, "--force": options.force and options.output is None}
    mode = "--resume" if options.resume else "--from"
    flag = next((flag for flag, value in excluded.items() if value), None)
    if flag and (options.resume or options.origin):
        raise UsageError(f"{flag} cannot be combined with {mode}", f"leave out {flag} or {mode}", flags=(flag,))


def _check_model(options: TrainOptions, model: str, name: str) -> None:
    """Raise OptionError if --model is another than that of the model called `name`."""
    if options.model not in {None, model}:
        raise OptionError(f"'{name}' was trained with model `{model}`, which cannot be changed", "leave out --model")


def _resumed(
    options: TrainOptions, kind: type[Representation], saved: Header, path: Path
) -> tuple[ModelChoice, OriginalArguments]:
    """Return the model and the data of the saved training of the checkpoint at `path`, changed by the options given."""
    name = path.stem
    if saved.representation != kind.name:
        raise UsageError(
            f"'{name}' is a training run for `{saved.representation}`, not `{kind.name}`",
            f"composer train {saved.representation} --name {shlex.quote(name)} --resume",
        )
    _check_model(options, saved.model, name)
    model = registry.model(saved.model)
    check_version(kind.name, saved.representation_version, kind.version)
    check_version(model.name, saved.model_version, model.version)
    saved_options = plugin_options.restore(kind.Options, saved.options, f"representation `{kind.name}`")
    saved_config = plugin_options.restore(model.Config, saved.config, f"model `{model.name}`")
    check_network(path, saved, model, saved_config)
    saved_settings = plugin_options.restore(Settings, saved.record["settings"], "training")
    config, settings = _settings(options, model, saved_config, saved_settings)
    choice = ModelChoice(kind(saved_options), model, config, settings)
    data = original_arguments(saved, choice.representation)
    return choice, OriginalArguments(
        options.files or data.arguments,
        data.split if options.split_settings == SplitSettings() else options.split_settings,
        options.augment or data.augment,
        data.fitted,
        data.conditions,
    )


def _from_checkpoint(options: TrainOptions) -> ModelChoice:
    """Return the model to fine-tune, with settings that its weights fit."""
    assert options.origin is not None
    path = store.resolve_model(options.origin)
    name = f" --name {shlex.quote(options.name)}" if options.name else ""
    origin = open_checkpoint(path, options.representation, f"train {{}} {shlex.join(options.files)}{name} --from")
    _check_model(options, origin.model.name, path.stem)
    config, settings = _settings(options, origin.model, origin.config, Settings())
    check_fits(origin, config, path.stem)
    return ModelChoice(origin.representation, origin.model, config, settings, origin)


def _settings(options: TrainOptions, model: Model, config: Any, settings: Settings) -> tuple[Any, Settings]:
    """Return both, changed by `--set` and the named flags; a key that both have belongs to the model."""
    of_model, of_training = typing.get_type_hints(model.Config), typing.get_type_hints(Settings)
    pairs: dict[bool, list[str]] = {True: [], False: []}
    for pair in options.settings:
        key = _key(pair)
        if "=" in pair and key and key not in of_model and key not in of_training:
            hint = suggest(key, [*of_model, *of_training])
            hint = hint if hint.startswith("did") else f"list the settings with: composer plugins {model.name}"
            raise OptionError(f"model `{model.name}` and training have no setting '{key}'", hint)
        pairs[key in of_model].append(pair)
    config = _with_pairs(config, pairs[True], f"model `{model.name}`")
    settings = _with_pairs(settings, pairs[False], "training")
    return config, dataclasses.replace(settings, **options.setting_flags)  # type: ignore[arg-type]


def _with_pairs(value: Any, pairs: Sequence[str], owner: str) -> Any:
    """Return `value` with the fields that `pairs` set."""
    parsed = plugin_options.parse(type(value), pairs, owner)
    return dataclasses.replace(value, **{key: getattr(parsed, key) for key in map(_key, pairs)})


def _key(pair: str) -> str:
    return pair.partition("=")[0].strip().replace("-", "_")
