"""Find and load plugins by name; only those used are imported.

Every plugin, built in or not, is an entry point in the group `composer` with the plugin's name. A built-in plugin wins
over others of its name; those, and plugins of several packages with one name, are called `distribution:name`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import pluggy

from composer.api import ComposerError, Model, PairingError, PluginError, Representation, UsageError, hooks
from composer.api.errors import suggest
from composer.registry.class_checks import check_class
from composer.registry.entry_points import EntryPoint, entry_points
from composer.registry.guard import AUTHOR_HINT, Owner, describe, guard_model, guard_representation

STRICT_VARIABLE = "COMPOSER_STRICT_PLUGINS"

OWN_DISTRIBUTION = "composer-cli"


class UnknownName(PluginError, UsageError):
    """An unknown plugin name (exit code 2)."""


class LoadedPlugin(NamedTuple):
    """A plugin's representation, model, or both; `error` says why one of them cannot be used."""

    plugin: EntryPoint
    representation: type[Representation] | None
    model: type[Model] | None
    error: PluginError | None = None


def plugin_names() -> list[str]:
    """Return the names of all plugins without loading them."""
    return sorted(_plugins())


def distribution(name: str) -> str:
    """Return name and version of the distribution of the plugin `name`; empty if there is none."""
    found = find(name)
    return found.distribution if found else ""


def is_built_in(plugin: EntryPoint) -> bool:
    """Return whether a plugin comes with the program."""
    return plugin.distribution.partition(" ")[0] == OWN_DISTRIBUTION


def representation(name: str) -> type[Representation]:
    """Return the representation called `name`. Raises PluginError with similar names if there is none."""
    loaded = _load_named(name)
    if loaded is None or loaded.representation is None:
        raise _missing("representation", name, loaded, [each.representation for each in load_all()])
    return loaded.representation


def model(name: str) -> Model:
    """Return the model called `name`. Raises PluginError with similar names if there is none."""
    loaded = _load_named(name)
    if loaded is None or loaded.model is None:
        raise _missing("model", name, loaded, [each.model for each in load_all()])
    return loaded.model()


def load_all(warn: Callable[[str], object] | None = None) -> Iterator[LoadedPlugin]:
    """Yield all plugins, by name. For one that does not load, `warn` gets a line that names its distribution.

    Without `warn`, that line goes to stderr. With COMPOSER_STRICT_PLUGINS=1 the error is raised instead.
    """
    for name in plugin_names():
        try:
            loaded = load(name)
            error = loaded.error
        except PluginError as caught:
            loaded, error = None, caught
        if error is not None:
            if os.environ.get(STRICT_VARIABLE) == "1":
                raise error
            (warn or _warn)(error.message)
        if loaded is not None:
            yield loaded


def check_pair(representation: type[Representation] | Representation, model: Model) -> None:
    """Raise PairingError, naming a pair that works, if `model` cannot be trained on `representation`.

    Only an instance of a representation knows whether it has position features.
    """
    if representation.kind in model.accepts:
        if representation.positional and not model.positional:
            raise PairingError(
                f"model `{model.name}` takes no position features, but `{representation.name}` has them",
                "leave out the option that adds them, or use --model lstm or attn-lstm",
            )
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


def default_model(representation: type[Representation] | Representation) -> Model:
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
    """Return all plugins by the names that they are called by; several for a name that is ambiguous."""
    found: dict[str, list[EntryPoint]] = {}
    # an entry point may be found twice, through two folders of the same distribution
    for entry in dict.fromkeys(entry_points(hooks.PROJECT)):
        found.setdefault(entry.name, []).append(entry)
    named: dict[str, tuple[EntryPoint, ...]] = {}
    for name, entries in found.items():
        first = next((entry for entry in entries if is_built_in(entry)), None)
        named[name] = (first,) if first else tuple(entries)
        if len(entries) > 1:
            named |= {_qualified(entry): (entry,) for entry in entries if entry is not first}
    return named


def _qualified(plugin: EntryPoint) -> str:
    return f"{plugin.distribution.partition(' ')[0]}:{plugin.name}"


def find(name: str) -> EntryPoint | None:
    """Return the plugin called `name`, which may name its distribution too. Raises PluginError if it is ambiguous."""
    entries = _plugins().get(name) or tuple(
        entry for entries in _plugins().values() for entry in entries[:1] if _qualified(entry) == name
    )
    if len(entries) > 1:
        packages = " and ".join(entry.distribution for entry in entries)
        names = " or ".join(f"`{_qualified(entry)}`" for entry in entries)
        raise PluginError(f"{packages} both have a plugin called `{name}`", f"use {names}, or uninstall one of them")
    return entries[0] if entries else None


def _load_named(name: str) -> LoadedPlugin | None:
    """Load the plugin called `name`; None if there is none."""
    if name in _plugins():
        return load(name)
    found = find(name)
    return load(found.name) if found else None


@cache
def load(name: str) -> LoadedPlugin:
    """Import a plugin and call its hooks. Raises PluginError that names its distribution, whatever fails."""
    plugin = find(name)
    assert plugin is not None
    owner = Owner(name, plugin.distribution)
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for music
            manager.register(plugin.load(), name)
            manager.check_pending()
            classes: list[Any] = [*manager.hook.composer_representation(), *manager.hook.composer_model()]
    except ComposerError as error:
        raise PluginError(f"{owner}: {error.message}", error.hint) from error
    except (Exception, SystemExit) as error:  # foreign code may raise anything, and must not end the program
        raise PluginError(
            f"{owner} does not load: {describe(error)}", f"upgrade or uninstall {plugin.distribution.partition(' ')[0]}"
        ) from error
    return _checked(plugin, owner, classes)


def _checked(plugin: EntryPoint, owner: Owner, classes: list[Any]) -> LoadedPlugin:
    """Return the usable classes of a plugin. Raises PluginError if there is none.

    Classes of other names belong to other entry points of the same module.
    """
    found, errors = list[Any](), list[PluginError]()
    for kind in classes:
        try:
            check_class(kind)
        except PluginError as error:
            errors.append(PluginError(f"{owner}: {error.message}", error.hint or AUTHOR_HINT))
        else:
            found += [kind] if kind.name == plugin.name else []
    if not found:
        raise (
            errors[0]
            if errors
            else PluginError(f"{owner}: its hooks return nothing called `{plugin.name}`", AUTHOR_HINT)
        )
    representations = [
        guard_representation(kind, owner, unpickle) for kind in found if issubclass(kind, Representation)
    ]
    models = [guard_model(kind, owner) for kind in found if issubclass(kind, Model)]
    return LoadedPlugin(plugin, next(iter(representations), None), next(iter(models), None), next(iter(errors), None))


def unpickle(name: str, attributes: Mapping[str, Any]) -> Representation:
    """Return an instance of the representation `name` that was pickled."""
    kind = representation(name)
    restored = kind.__new__(kind)
    restored.__dict__.update(attributes)
    return restored


def _missing(what: str, name: str, loaded: LoadedPlugin | None, classes: list[Any]) -> PluginError:
    """Return the error for a plugin without what was asked for, which may have been refused."""
    if loaded is not None and loaded.error is not None:
        return loaded.error
    names = [kind.name for kind in classes if kind is not None]
    return UnknownName(f"unknown {what} '{name}'", suggest(name, names, 3, 0.4))


def _warn(message: str) -> None:
    sys.stderr.write(f"warning: {message}\n")
