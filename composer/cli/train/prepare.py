"""From the command line of `composer train` to a Run: which plugins, settings, pieces and name it means."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from composer.api import ComposerError, Model, OptionError, PairingError, ReadError, Representation, UsageError
from composer.checkpoints import store
from composer.checkpoints.file import Header
from composer.checkpoints.load import OpenCheckpoint, open_checkpoint
from composer.cli.inputs import hint_other_representation
from composer.data import dataset as dataset_module
from composer.data.corpus import NoMatchingFiles
from composer.data.splits import SplitSettings
from composer.distributed.group import ProcessGroup
from composer.registry import options
from composer.registry import plugins as registry
from composer.system import device
from composer.training import fine_tuning, presets
from composer.training.optimizer import choose_precision
from composer.training.resume import OriginalArguments, original_arguments, saved_header, state_path
from composer.training.run import TrainingRun
from composer.training.settings import Settings


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What the user asked for. `setting_flags` are the settings of training that have flags of their own, where
    given.
    """

    representation: str
    files: Sequence[str] = ()
    representation_options: Sequence[str] = ()
    model: str | None = None
    settings: Sequence[str] = ()
    setting_flags: Mapping[str, object] = field(default_factory=dict)
    split: SplitSettings = field(default_factory=SplitSettings)
    augment: bool = False
    name: str | None = None
    resume: bool = False
    force: bool = False
    origin: Path | None = None
    device: str = "auto"
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Plugins and settings that fit together."""

    representation: Representation
    model: Model
    config: Any
    settings: Settings
    origin: OpenCheckpoint | None = None


def prepare(
    asked: TrainOptions,
    progress: Callable[[int, int], object] | None = None,
    stop: Callable[[], bool] = lambda: False,
    group: ProcessGroup | None = None,
) -> TrainingRun:
    """Check all that can be checked, then read the pieces. Raises ComposerError with the way out.

    Of several processes in a `group`, the first one says where the model is kept and what it began with; all of them
    read and encode.
    """
    group = group or ProcessGroup()
    kind = registry.representation(asked.representation)
    if asked.preset is not None:
        asked = _with_preset(asked, presets.preset(asked.preset))
    where = device.resolve(asked.device)
    fresh = None if asked.resume else _from_checkpoint(asked) if asked.origin else _new_model(asked, kind)
    path = group.broadcast_object(lambda: _path(asked, kind))
    if fresh is not None:
        chosen, began = (
            fresh,
            OriginalArguments(tuple(asked.files), asked.split, asked.augment, fresh.origin is not None),
        )
    else:
        chosen, began = _resumed_choice(asked, kind, group.broadcast_object(lambda: saved_header(path)))
    if not began.arguments:
        raise UsageError("there is nothing to learn from", f"name files: composer train {kind.name} FILE...")
    chosen.settings.check(augment=began.augment)
    if chosen.settings.precision == "bf16":
        choose_precision("bf16", where)  # raises before pieces are read, which may take long
    try:
        data = dataset_module.prepare(
            chosen.representation,
            began.arguments,
            began.split,
            fitted=began.fitted,
            augment=began.augment,
            progress=progress,
            group=group,
        )
    except NoMatchingFiles as error:
        raise hint_other_representation(error, "composer train", began.arguments) from error
    _check_conditions(asked, chosen, data.spec.conditions)
    return TrainingRun(
        chosen.model,
        chosen.config,
        chosen.representation,
        data,
        path,
        chosen.settings,
        where,
        asked.resume,
        chosen.origin.checkpoint if chosen.origin else None,
        began.arguments,
        stop,
        group,
    )


def _check_conditions(asked: TrainOptions, chosen: ModelChoice, known: Mapping[str, Sequence[str]]) -> None:
    """Raise where the pieces are labelled for a model that takes no labels, or lack those that a preset is for."""
    if known and not chosen.model.conditional:
        raise PairingError(
            f"model `{chosen.model.name}` takes no conditions, but the pieces come with {', '.join(known)}",
            "leave out -o conditions, or use --model lstm or attn-lstm",
        )
    requires = presets.preset(asked.preset).requires if asked.preset else {}
    for name, how in requires.items():
        if name not in known:
            raise ReadError(f"the preset `{asked.preset}` is for pieces with an {name}, and these have none", how)


def _resumed_choice(
    asked: TrainOptions, kind: type[Representation], saved: Header
) -> tuple[ModelChoice, OriginalArguments]:
    """The model whose training goes on, and what it began with, but for what is asked anew."""
    chosen = _resumed_model(asked, kind, saved)
    began = original_arguments(saved, chosen.representation)
    return chosen, OriginalArguments(
        tuple(asked.files) or began.arguments,
        began.split if asked.split == SplitSettings() else asked.split,
        asked.augment or began.augment,
        began.fitted,
    )


def _with_preset(asked: TrainOptions, preset: presets.Preset) -> TrainOptions:
    """`asked` with the values of `preset` where the user gave none."""
    if asked.resume or asked.origin:
        raise UsageError("--preset begins a new model", "leave it out to go on with one")
    if preset.representation != asked.representation:
        raise UsageError(
            f"the preset `{preset.name}` is for `{preset.representation}`, not `{asked.representation}`",
            f"use it as `{preset.command}`",
        )
    model = asked.model or preset.model
    settings = {**(preset.model_settings if model == preset.model else {}), **preset.training}
    return dataclasses.replace(
        asked,
        representation_options=[*presets.as_pairs(preset.options), *asked.representation_options],
        model=model,
        settings=[*presets.as_pairs(settings), *asked.settings],
        split=dataclasses.replace(asked.split, **preset.split),
        augment=asked.augment or preset.augment,
    )


def _new_model(asked: TrainOptions, kind: type[Representation]) -> ModelChoice:
    """A new model."""
    model = registry.model(asked.model) if asked.model else registry.default_model(kind)
    registry.check_pair(kind, model)
    chosen = options.parse(kind.Options, asked.representation_options, f"representation `{kind.name}`")
    config, settings = _settings(asked, model, model.Config(), Settings())
    model.check(kind.kind, config)
    return ModelChoice(kind(chosen), model, config, settings)


def _resumed_model(asked: TrainOptions, kind: type[Representation], saved: Header) -> ModelChoice:
    """The model whose training goes on, with the settings it began with but for those that are given."""
    if saved.representation != kind.name:
        raise UsageError(
            f"that model composes `{saved.representation}`, not `{kind.name}`", "resume it under its own representation"
        )
    if asked.representation_options or asked.origin or asked.force or asked.model not in {None, saved.model}:
        raise UsageError("--resume keeps the model as it began", "leave out -o, --from, --force and --model")
    model = registry.model(saved.model)
    began = options.restore(kind.Options, saved.options, f"representation `{kind.name}`")
    before = options.restore(model.Config, saved.config, f"model `{model.name}`")
    settings = options.restore(Settings, saved.record["settings"], "training")
    config, settings = _settings(asked, model, before, settings)
    return ModelChoice(kind(began), model, config, settings)


def _from_checkpoint(asked: TrainOptions) -> ModelChoice:
    """A new model that begins where another one is, with settings that its weights fit."""
    assert asked.origin is not None
    path = store.resolve_model(asked.origin)
    origin = open_checkpoint(path, asked.representation, "train {} --from")
    if asked.representation_options or asked.model not in {None, origin.model.name}:
        raise UsageError("--from brings its own options and model", "leave out -o and --model")
    config, settings = _settings(asked, origin.model, origin.config, Settings())
    fine_tuning.check_fits(origin, config, path.stem)
    return ModelChoice(origin.representation, origin.model, config, settings, origin)


def _settings(asked: TrainOptions, model: Model, config: Any, settings: Settings) -> tuple[Any, Settings]:
    """Both with what `--set` and the named flags say; a key belongs to the model where it has one of that name."""
    of_model, of_training = typing.get_type_hints(model.Config), typing.get_type_hints(Settings)
    pairs: dict[bool, list[str]] = {True: [], False: []}
    for pair in asked.settings:
        key = pair.partition("=")[0].strip().replace("-", "_")
        if "=" in pair and key not in of_model and key not in of_training:
            raise OptionError(
                f"neither model `{model.name}` nor training has a setting `{key}`",
                _suggestion(key, [*of_model, *of_training]),
            )
        pairs[key in of_model].append(pair)
    config = _with_pairs(config, pairs[True], f"model `{model.name}`")
    settings = _with_pairs(settings, pairs[False], "training")
    return config, dataclasses.replace(settings, **asked.setting_flags)  # type: ignore[arg-type]


def _with_pairs(value: Any, pairs: Sequence[str], owner: str) -> Any:
    """`value` with the fields that `pairs` set."""
    parsed = options.parse(type(value), pairs, owner)
    keys = [pair.partition("=")[0].strip().replace("-", "_") for pair in pairs]
    return dataclasses.replace(value, **{key: getattr(parsed, key) for key in keys})


def _path(asked: TrainOptions, kind: type[Representation]) -> Path:
    """Where the model is kept. Raises ComposerError where another one is, which the user has not given up."""
    if asked.name is None:
        if asked.resume:
            return _latest(kind)
        numbers = ("", *(f"-{number}" for number in range(2, 10_000)))
        return next(path for number in numbers if not _name_taken(path := store.path_for(kind.name + number)))
    path = store.path_for(asked.name)
    if _name_taken(path) and not asked.resume and not asked.force:
        raise ComposerError(
            f"there is a model called `{asked.name}` already",
            "go on with it with --resume, replace it with --force, or choose another --name",
        )
    return path


def _latest(kind: type[Representation]) -> Path:
    """The newest own model of this representation."""
    for own in store.user_models():
        if own.header.representation == kind.name:
            return own.path
    raise ComposerError(f"there is no model for `{kind.name}` to go on with", "train one without --resume")


def _name_taken(path: Path) -> bool:
    return path.exists() or state_path(path).exists()


def _suggestion(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key, known, 1)
    return f"did you mean `{near[0]}`?" if near else "there are: " + ", ".join(known)
