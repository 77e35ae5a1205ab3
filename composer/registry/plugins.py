"""Find and load plugins by name; only those used are imported.

Every plugin, built in or not, is an entry point in the group `composer` with the plugin's name. A built-in plugin wins
over others of its name; those, and plugins of several packages with one name, are called `distribution:name`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import pluggy

from composer.api import ComposerError, Model, PairingError, PluginError, Representation, UsageError, hooks
from composer.api.errors import suggest
from composer.api.file_format import Format, provide_formats
from composer.registry.class_checks import check_class
from composer.registry.entry_points import EntryPoint, entry_points
from composer.registry.guard import AUTHOR_HINT, Owner, describe, guard_model, guard_representation
from composer.registry.names import by_name, find_named, unambiguous
from composer.registry.reporting import report_unusable

STRICT_VARIABLE = "COMPOSER_STRICT_PLUGINS"

OWN_DISTRIBUTION = "composer-cli"

_NOUNS = {"presets": "preset", "pretrained": "pretrained model"}
"""Kinds of extensions that are called otherwise in errors."""


class UnknownName(PluginError, UsageError):
    """An unknown plugin name (exit code 2)."""


class Extension(NamedTuple):
    """A `value` that a plugin of a `distribution` adds to a built-in table under a `name` of its own."""

    name: str
    distribution: str
    value: Any


class LoadedPlugin(NamedTuple):
    """What a plugin brings; `error` says why one of these cannot be used.

    `extensions` are formats, presets and others by kind, a key of `hooks.EXTENSIONS`, and name.
    """

    plugin: EntryPoint
    representation: type[Representation] | None
    model: type[Model] | None
    error: PluginError | None = None
    extensions: Mapping[str, Mapping[str, Any]] = {}


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
        raise _missing("representation", name, loaded, [each.representation for each in load_all(_ignore)])
    return loaded.representation


def model(name: str) -> Model:
    """Return the model called `name`. Raises PluginError with similar names if there is none."""
    loaded = _load_named(name)
    if loaded is None or loaded.model is None:
        raise _missing("model", name, loaded, [each.model for each in load_all(_ignore)])
    return loaded.model()


def _ignore(message: str) -> None:
    """Do not report a plugin that does not load, as the error that follows is enough."""


def load_all(report: Callable[[str], object] | None = None) -> Iterator[LoadedPlugin]:
    """Yield all plugins, by name. For one that does not load, `report` gets a line that names its distribution.

    Without `report`, that line goes to `report_unusable`. With COMPOSER_STRICT_PLUGINS=1 the error is raised instead.
    """
    return _load_each(plugin_names(), report or report_unusable)


def _load_each(names: Iterable[str], report: Callable[[str], object]) -> Iterator[LoadedPlugin]:
    for name in names:
        try:
            loaded = load(name)
            error = loaded.error
        except PluginError as caught:
            loaded, error = None, caught
        if error is not None:
            if os.environ.get(STRICT_VARIABLE) == "1":
                raise error
            report(error.message)
            _reported.add(error.message)
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


def default_model(representation: type[Representation] | Representation, first: str = "lstm") -> Model:
    """Return the model to train by default: the one called `first` if it fits, else any other that does."""
    try:
        candidate = model(first)
        if representation.kind in candidate.accepts:
            return candidate
    except PluginError:
        pass
    for loaded in load_all():
        if loaded.model and representation.kind in loaded.model.accepts:
            return loaded.model()
    raise PairingError(f"no installed model accepts {representation.kind}", "install a plugin that provides one")


@cache
def _plugins() -> dict[str, tuple[EntryPoint, ...]]:
    """Return all plugins by the names that they are called by; several for a name that is ambiguous."""
    # an entry point may be found twice, through two folders of the same distribution
    found = dict.fromkeys(entry_points(hooks.PROJECT))
    built_in = {entry.name: (entry,) for entry in found if is_built_in(entry)}
    return built_in | by_name((entry for entry in found if not is_built_in(entry)), taken=built_in)


def find(name: str) -> EntryPoint | None:
    """Return the plugin called `name`, which may name its distribution too. Raises PluginError if it is ambiguous."""
    return find_named(name, _plugins(), "plugin")


def extensions(
    kind: str, taken: Collection[str] = (), loaded: Iterable[LoadedPlugin] | None = None
) -> dict[str, Extension]:
    """Return what plugins add of a `kind`, a key of `hooks.EXTENSIONS`, by the names that it is called by.

    Names in `taken` are those of built-in ones, which win. `loaded` are the plugins to look in, by default all.
    """
    if loaded is None and kind != "format":  # these are looked for whenever a file is unknown
        report_broken()
    return unambiguous(_extensions(kind, taken, loaded))


def extension(kind: str, name: str, taken: Collection[str] = ()) -> Extension | None:
    """Return what is called `name`, None if no plugin has it. Raises PluginError if it is ambiguous or broken."""
    found = find_named(name, _extensions(kind, taken), _NOUNS.get(kind, kind))
    entries = _plugins().get(name, ())
    if found is None and len(entries) == 1 and not is_built_in(entries[0]) and (error := load(name).error):
        raise error
    return found


def _extensions(
    kind: str, taken: Collection[str], loaded: Iterable[LoadedPlugin] | None = None
) -> dict[str, tuple[Extension, ...]]:
    found: dict[tuple[str, str], Extension] = {}
    for each in _third_party()[0] if loaded is None else loaded:
        distribution = each.plugin.distribution
        for name, value in each.extensions.get(kind, {}).items():
            # two plugins of one module bring the same presets and models
            found.setdefault((distribution, name), Extension(name, distribution, value))
    return by_name(found.values(), taken)


def report_broken() -> None:
    """Warn of plugins that do not load, unless that was done before."""
    for message in _third_party()[1]:
        if message not in _reported:
            report_unusable(message)


def _third_party() -> tuple[tuple[LoadedPlugin, ...], tuple[str, ...]]:
    """Return the plugins that do not come with the program, and a message for each that does not load."""
    return _load_once(tuple(plugin for plugin in unambiguous(_plugins()).items() if not is_built_in(plugin[1])))


@cache
def _load_once(
    named: tuple[tuple[str, EntryPoint], ...],
) -> tuple[tuple[LoadedPlugin, ...], tuple[str, ...]]:
    """Load plugins by name; one that does not load is not tried again for each file that may be in its format."""
    found, messages = list[LoadedPlugin](), list[str]()
    for name, _ in named:
        try:
            loaded = load(name)
        except PluginError as error:
            messages.append(error.message)
        else:
            found.append(loaded)
            messages += [loaded.error.message] if loaded.error is not None else []
    return tuple(found), tuple(messages)


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
            module = plugin.load()
            manager.register(module, name)
            manager.check_pending()
            classes: list[Any] = [*manager.hook.composer_representation(), *manager.hook.composer_model()]
            brought = {
                kind: found[0]
                for kind, hook in hooks.EXTENSIONS.items()
                if (found := getattr(manager.hook, hook.__name__)())
            }
    except ComposerError as error:
        raise PluginError(f"{owner}: {error.message}", error.hint) from error
    except (Exception, SystemExit) as error:  # foreign code may raise anything, and must not end the program
        raise PluginError(
            f"{owner} failed to load: {describe(error)}",
            f"upgrade or uninstall {plugin.distribution.partition(' ')[0]}",
        ) from error
    if not (classes or brought):
        raise PluginError(f"{owner}: {_no_hooks(module)}", AUTHOR_HINT)
    return _checked(plugin, owner, classes, brought)


def _no_hooks(module: Any) -> str:
    """Say why the hooks of a module return nothing."""
    unmarked = [name for name in vars(hooks) if name.startswith("composer_") and callable(getattr(module, name, None))]
    marker = f"{hooks.PROJECT}_impl"
    unmarked = [name for name in unmarked if not hasattr(getattr(module, name), marker)]
    return f"`{unmarked[0]}` is not marked with @hookimpl" if unmarked else "its hooks return nothing"


def _checked(plugin: EntryPoint, owner: Owner, classes: list[Any], brought: Mapping[str, Any]) -> LoadedPlugin:
    """Return what is usable of a plugin. Raises PluginError if nothing is.

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
    extensions: Mapping[str, Mapping[str, Any]] = {}
    if brought:
        from composer.registry.extension_checks import checked_extensions

        extensions, wrong = checked_extensions(brought, plugin.name, owner)
        errors += wrong
    if not (found or extensions):
        raise (errors[0] if errors else PluginError(f"{owner}: {_named_otherwise(classes, plugin.name)}", AUTHOR_HINT))
    representations = [
        guard_representation(kind, owner, unpickle) for kind in found if issubclass(kind, Representation)
    ]
    models = [guard_model(kind, owner) for kind in found if issubclass(kind, Model)]
    first_error = next(iter(errors), None)
    return LoadedPlugin(plugin, next(iter(representations), None), next(iter(models), None), first_error, extensions)


def _named_otherwise(classes: list[Any], name: str) -> str:
    """Say what a plugin's hooks return instead of something called `name`."""
    found = " and ".join(f"`{kind.name}`" for kind in classes)
    return f"its hooks return {found}, not `{name}`" if found else f"its hooks return nothing called `{name}`"


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


_reported: set[str] = set()
"""Warnings that were given before."""


class _Formats:
    """The formats of plugins, for `composer.formats`, which cannot import the registry."""

    def formats(self, taken: Collection[str]) -> Mapping[str, Format]:
        return {name: each.value._replace(name=name) for name, each in extensions("format", taken).items()}

    def format(self, name: str, taken: Collection[str]) -> Format | None:
        found = extension("format", name, taken)
        return found.value._replace(name=name) if found is not None else None

    def distributions(self) -> Sequence[str]:
        return sorted({each.distribution for each in extensions("format").values()})


provide_formats(_Formats())
