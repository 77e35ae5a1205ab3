"""Settings that suit the data: chosen by the model if the user chooses neither a preset nor settings."""

from __future__ import annotations

import dataclasses
import shlex
import typing
from contextlib import suppress
from typing import Any

from composer.api import DataSize, Model, OptionError, PluginError, Representation, SequenceSpec
from composer.cli.train.options import TrainOptions
from composer.registry import plugins as registry
from composer.registry.guard import AUTHOR_HINT
from composer.training.presets import as_pairs
from composer.training.run import TrainingRun
from composer.training.settings import Settings

MODEL = "attn-lstm"
POSITIONS = "positions"
SHOWN = ("hidden", "dropout", "batch_size")


def is_automatic(options: TrainOptions) -> bool:
    """Return whether the settings are chosen to suit the data: those of a new model without --preset and --set."""
    return not (options.preset or options.settings or options.resume or options.origin)


def choose_model(options: TrainOptions, kind: type[Representation]) -> Model:
    """Return the model that the user named, else the default."""
    if options.model:
        return registry.model(options.model)
    return registry.default_model(kind, MODEL) if is_automatic(options) else registry.default_model(kind)


def with_positions(value: Any, pairs: tuple[str, ...], kind: type[Representation], model: Model) -> Any:
    """Return options of the representation `kind` with `positions`, if it has this option and the model uses them.

    `pairs` are those that the user gave; they stay, and one of them may rule positions out.
    """
    given = {pair.partition("=")[0].strip() for pair in pairs}
    if not model.positional or POSITIONS in given or typing.get_type_hints(kind.Options).get(POSITIONS) is not bool:
        return value
    with suppress(OptionError):
        changed = dataclasses.replace(value, **{POSITIONS: True})
        if kind(changed).positional:
            return changed
    return value


def suggested(model: Model, spec: SequenceSpec, size: DataSize, flags: dict[str, Any]) -> tuple[Any, Settings] | None:
    """Return the settings that `model` suggests, changed by the `flags` of the user; None if it suggests none.

    Raises PluginError for settings that do not exist, and OptionError for invalid ones.
    """
    found = model.suggest(spec, size)
    if not found:
        return None
    of_model, of_training = (set(typing.get_type_hints(kind)) for kind in (model.Config, Settings))
    if unknown := [name for name in found if name not in of_model | of_training]:
        raise PluginError(f"model `{model.name}` suggests an unknown setting '{unknown[0]}'", AUTHOR_HINT)
    config = model.Config(**{name: value for name, value in found.items() if name in of_model})
    settings = Settings(**{**{name: value for name, value in found.items() if name not in of_model}, **flags})
    model.check(spec.kind, config)
    return config, settings


def describe(run: TrainingRun) -> str:
    """Return the line that says what was chosen, with the settings that depend most on the size of the data.

    It is empty if the model suggests nothing.
    """
    found = run.model.suggest(run.data.spec, run.data.size)
    if not found:
        return ""
    shown = [name for name in SHOWN if name in found] or list(found)[: len(SHOWN)]
    chosen = {name: getattr(run.config if hasattr(run.config, name) else run.settings, name) for name in shown}
    pairs = " ".join(as_pairs({"model": run.model.name, **chosen}))
    return f"settings that suit the data: {pairs} (all: composer show {shlex.quote(run.path.stem)})"
