"""Find and load plugins by name; only those used are imported.

Every plugin, built in or not, is an entry point in the group `composer` with the plugin's name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import pluggy

from composer.api import API_VERSION, ComposerError, Model, PairingError, PluginError, Representation, UsageError, hooks
from composer.api.errors import suggest
from composer.registry.entry_points import EntryPoint, entry_points

STRICT_VARIABLE = "COMPOSER_STRICT_PLUGINS"


class UnknownName(PluginError, UsageError):
    """An unknown plugin name (exit code 2)."""


class LoadedPlugin(NamedTuple):
    """A plugin's representation, model, or both."""

    plugin: EntryPoint
    representation: type[Representation] | None
    model: type[Model] | None


def plugin_names() -> list[str]:
    """Return the names of all plugins without loading them."""
    return sorted(_plugins())


def distribution(name: str) -> str:
    """Return name and version of the distribution of the plugin `name`; empty if there is none."""
    found = _plugins().get(name)
    return found[0].distribution if found else ""


def representation(name: str) -> type[Representation]:
    """Return the representation called `name`. Raises PluginError with similar names if there is none."""
    found = _load(name).representation if name in _plugins() else None
    if found is None:
        raise _unknown("representation", name, [loaded.representation for loaded in load_all()])
    return found


def model(name: str) -> Model:
    """Return the model called `name`. Raises PluginError with similar names if there is none."""
    found = _load(name).model if name in _plugins() else None
    if found is None:
        raise _unknown("model", name, [loaded.model for loaded in load_all()])
    return found()


def load_all(warn: Callable[[str], object] | None = None) -> Iterator[LoadedPlugin]:
    """Yield all plugins, by name. For one that does not load, `warn` gets a line that names its distribution.

    Without `warn`, that line goes to stderr. With COMPOSER_STRICT_PLUGINS=1 the error is raised instead.
    """
    for name in plugin_names():
        try:
            yield _load(name)
        except PluginError as error:
            if os.environ.get(STRICT_VARIABLE) == "1":
                raise
            (warn or _warn)(error.message)


def check_pair(representation: type[Representation], model: Model) -> None:
    """Raise PairingError, naming a pair that works, if `model` cannot be trained on `representation`."""
    if representation.kind in model.accepts:
        return
    try:
        hint = f"use --model {default_model(representation).name} with `{representation.name}`"
    except PairingError:
        hint = "install a model that accepts them"
    raise PairingError(
        f"model `{model.name}` is for {' or '.join(sorted(model.accepts))}, "
        f"but `{representation.name}` has {representation.kind}",
        hint,
    )


def default_model(representation: type[Representation]) -> Model:
    """Return the model to train by default: `lstm` if it fits, else the first that does."""
    try:
        candidate = model("lstm")
        if representation.kind in candidate.accepts:
            return candidate
    except PluginError:
        pass
    for loaded in load_all():
        if loaded.model and representation.kind in loaded.model.accepts:
            return loaded.model()
    raise PairingError(f"no installed model is for {representation.kind}", "install a plugin with one")


@cache
def _plugins() -> dict[str, tuple[EntryPoint, ...]]:
    """Return all plugins by name; several for a name that several distributions use."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    # an entry point may be found twice, through two folders of the same distribution
    for entry in dict.fromkeys(entry_points(hooks.PROJECT)):
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


@cache
def _load(name: str) -> LoadedPlugin:
    """Import a plugin and call its hooks. Raises PluginError that names its distribution, whatever fails."""
    plugin, *others = _plugins()[name]
    if others:
        raise PluginError(
            f"two plugins are called `{name}`: from {plugin.distribution} and {others[0].distribution}",
            "uninstall one of them",
        )
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    try:
        manager.register(plugin.load(), name)
        manager.check_pending()
        classes: list[Any] = [*manager.hook.composer_representation(), *manager.hook.composer_model()]
        _check(plugin, classes)
    except ComposerError as error:
        raise PluginError(f"plugin `{name}` of {plugin.distribution}: {error.message}", error.hint) from error
    except (Exception, SystemExit) as error:  # foreign code may raise anything, and must not end the program
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(
            f"plugin `{name}` of {plugin.distribution} does not load ({reason})", "upgrade or uninstall that package"
        ) from error
    named = [kind for kind in classes if kind.name == name]
    return LoadedPlugin(
        plugin,
        next((kind for kind in named if issubclass(kind, Representation)), None),
        next((kind for kind in named if issubclass(kind, Model)), None),
    )


def _check(plugin: EntryPoint, classes: list[Any]) -> None:
    for kind in classes:
        if not (isinstance(kind, type) and issubclass(kind, Representation | Model)):
            raise PluginError(f"its hook returned {kind!r}, which is neither a representation nor a model class")
        version = getattr(kind, "api", None)
        if not isinstance(version, int):
            raise PluginError(f"{kind.__name__} has no API version", "add `api = 1` to it")
        if version > API_VERSION:
            raise PluginError(
                f"it needs API version {version}, but this program has {API_VERSION}", "upgrade composer-cli"
            )
    if not any(kind.name == plugin.name for kind in classes):
        raise PluginError(f"its hooks return nothing called `{plugin.name}`")


def _unknown(what: str, name: str, classes: list[Any]) -> PluginError:
    names = [kind.name for kind in classes if kind is not None]
    return UnknownName(f"unknown {what} '{name}'", suggest(name, names, 3, 0.4))


def _warn(message: str) -> None:
    sys.stderr.write(f"warning: {message}\n")
