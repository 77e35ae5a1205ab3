"""Guard calls of plugins: an exception or an invalid result is one error that names the plugin and the method.

A guarded class is a subclass that wraps each method of the interface that its plugin defines. Objects that such a
method returns, such as decoders, constraints, networks and samplers, are guarded too: they change their class in place,
since a proxy would hide their type. Errors for the user (ComposerError), Ctrl-C and lack of memory pass through.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from composer.api import ComposerError, Model, PluginError, Representation
from composer.registry import model_checks, position_checks
from composer.registry import result_checks as check
from composer.registry.result_checks import InvalidResult

AUTHOR_HINT = "report this to the plugin's author; --debug prints the traceback"

_OUT_OF_MEMORY = ("out of memory", "not enough memory", "allocate memory")
"""Phrases of torch and the system; their errors are handled where a smaller batch can help."""


class Owner(NamedTuple):
    """The plugin that an object comes from; `distribution` is the name and version of its package."""

    name: str
    distribution: str

    def __str__(self) -> str:
        return f"plugin `{self.name}` ({self.distribution})"

    def failed(self, method: str, reason: str) -> PluginError:
        """Return the error for a `method` that failed for a `reason`."""
        return PluginError(f"{self} failed in {method}: {reason}", AUTHOR_HINT)


class _Method(NamedTuple):
    """How the result of a method is checked; `guards` are the methods of the object that it returns."""

    check: Callable[..., Any] | None = None
    guards: Mapping[str, _Method] = {}
    iterates: bool = False
    """Whether the result is an iterable whose items are checked one by one, as the caller takes them."""


DECODER = {"push": _Method(check.events), "finish": _Method(check.events)}
CONSTRAINT = {
    "start": _Method(check.state_number),
    "step": _Method(check.state_number),
    "allowed": _Method(check.allowed),
    "features": _Method(position_checks.feature_row),
    "ends": _Method(position_checks.truth),
    "complete": _Method(check.ending),
}
SAMPLER = {
    "initial_state": _Method(),
    "advance": _Method(),
    "sample": _Method(model_checks.draw),
    "run": _Method(model_checks.block),
    "gather_rows": _Method(),
    "log_prob": _Method(model_checks.log_prob),
}
NETWORK = {
    **SAMPLER,
    "phases": _Method(model_checks.phases),
    "start_phase": _Method(),
    "loss": _Method(model_checks.loss),
    "evaluate": _Method(model_checks.measurement),
    "likelihood": _Method(model_checks.measurement),
    "hidden_states": _Method(model_checks.hidden_states),
}
REPRESENTATION = {
    "__init__": _Method(),
    "read": _Method(check.piece_or_rejection, iterates=True),
    "fit": _Method(),
    "encode": _Method(check.whole_piece),
    "encode_packed": _Method(check.packed),
    "decode": _Method(check.piece),
    "prime": _Method(check.primer),
    "text": _Method(check.text),
    "decoder": _Method(check.decoder, DECODER),
    "state": _Method(check.json_state),
    "restore": _Method(),
    "variants": _Method(check.piece, iterates=True),
    "variants_in": _Method(check.piece, iterates=True),
    "training_view": _Method(check.piece),
    "default_conditions": _Method(check.names),
    "losses": _Method(check.counts),
    "score": _Method(check.score),
    "times": _Method(check.times),
    "from_score": _Method(check.piece),
    "primer_from_score": _Method(check.piece),
    "constraint": _Method(check.constraint, CONSTRAINT),
    "plan": _Method(position_checks.optional_text),
    "plans": _Method(position_checks.weights),
    "plan_labels": _Method(check.labels),
    "step_features": _Method(position_checks.feature_rows),
    "max_steps": _Method(check.length),
    "estimated_steps": _Method(check.optional_length),
    "control_labels": _Method(check.labels),
}
MODEL = {
    "__init__": _Method(),
    "check": _Method(),
    "suggest": _Method(model_checks.suggestion),
    "network": _Method(model_checks.network, NETWORK),
    "sampler": _Method(model_checks.sampler, SAMPLER),
}


def guard_representation(
    kind: type[Representation], owner: Owner, unpickle: Callable[[str, Mapping[str, Any]], Representation]
) -> type[Representation]:
    """Return a guarded subclass of `kind` with the owner's name.

    The subclass is in no module, so its instances are pickled as arguments of `unpickle`: their name and attributes.
    """

    def reduce(self: Representation) -> tuple[Any, ...]:
        return unpickle, (self.name, self.__dict__)

    members = _wrapped(kind, REPRESENTATION, owner)
    members["spec"] = property(_guarded(kind.spec.fget, owner, "spec", _Method(check.spec)))  # type: ignore[attr-defined]
    return _subclass(kind, {**members, "name": owner.name, "__reduce__": reduce})


def guard_model(kind: type[Model], owner: Owner) -> type[Model]:
    """Return a guarded subclass of `kind` with the owner's name."""
    return _subclass(kind, {**_wrapped(kind, MODEL, owner), "name": owner.name})


@contextmanager
def guarding(owner: Owner, what: str) -> Iterator[None]:
    """Raise PluginError for whatever goes wrong in `what`, which is a method or another part of the plugin."""
    try:
        yield
    except InvalidResult as error:
        raise owner.failed(what, str(error)) from error
    except ComposerError:
        raise
    except (Exception, SystemExit) as error:  # foreign code may raise anything, and must not end the program
        if _is_out_of_memory(error):
            raise
        raise owner.failed(what, describe(error)) from error


def guard_function(
    function: Callable[..., Any], owner: Owner, name: str, result: Callable[..., Any], *, iterates: bool = False
) -> Callable[..., Any]:
    """Return a plain `function`, called `name` in errors, with its exceptions and its result guarded.

    If it `iterates`, `result` checks each item.
    """

    def method(_: None, *args: Any, **named: Any) -> Any:
        return function(*args, **named)

    return functools.partial(_guarded(method, owner, name, _Method(result, iterates=iterates)), None)


def describe(error: BaseException) -> str:
    """Return the type and the text of an error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _wrapped(kind: type[Any], methods: Mapping[str, _Method], owner: Owner) -> dict[str, Any]:
    """Return guarded versions of the `methods` that `kind` does not have from our own interface."""
    return {
        name: _guarded(getattr(kind, name), owner, name, method)
        for name, method in methods.items()
        if hasattr(kind, name) and not _is_default(kind, name)
    }


def _is_default(kind: type[Any], name: str) -> bool:
    """Return whether a method is that of the interface, which callers may compare it with."""
    owner = next(base for base in kind.__mro__ if name in base.__dict__)
    return owner is object or owner.__module__.startswith("composer.api.")


def _guarded(function: Callable[..., Any], owner: Owner, name: str, method: _Method) -> Callable[..., Any]:
    """Return `function` with its exceptions and its result guarded."""

    @functools.wraps(function)
    def call(self: Any, *args: Any, **named: Any) -> Any:
        try:
            result = function(self, *args, **named)
            if method.iterates:
                return _iterate(self, result, owner, name, method)
            if method.check is not None:
                result = method.check(result, self, *args, **named)
        except ComposerError:
            raise
        except InvalidResult as error:
            raise owner.failed(name, str(error)) from error
        except (Exception, SystemExit) as error:
            if _is_out_of_memory(error):
                raise
            raise owner.failed(name, describe(error)) from error
        if method.guards and result is not None:
            spec = args[0] if isinstance(self, Model) else self.spec
            _guard_object(result, method.guards, owner, spec.size)
        return result

    return call


def _iterate(self: Any, items: Iterable[Any], owner: Owner, name: str, method: _Method) -> Iterator[Any]:
    assert method.check is not None
    with guarding(owner, name):
        if not isinstance(items, Iterable):
            raise InvalidResult(f"it returned {check.shown(items)}, which is not an iterable")
        remaining = iter(items)
    while True:
        with guarding(owner, name):
            try:
                item = next(remaining)
            except StopIteration:
                return
            item = method.check(item, self)
        yield item


def _guard_object(value: Any, methods: Mapping[str, _Method], owner: Owner, size: int) -> None:
    """Give `value` a guarded subclass of its own class; `size` is the number of tokens or units."""
    kind = type(value)
    if hasattr(kind, check.GUARDED_SIZE):  # the plugin returned the same object before
        return
    if (kind, owner, size) not in _guarded_types:
        members = _wrapped(kind, methods, owner)
        _guarded_types[kind, owner, size] = _subclass(kind, {**members, check.GUARDED_SIZE: size, "__slots__": ()})
    try:
        value.__class__ = _guarded_types[kind, owner, size]
    except TypeError as error:  # of a type whose layout Python fixes, such as a namespace
        raise PluginError(f"{owner}: {kind.__name__} must be an ordinary class", AUTHOR_HINT) from error


_guarded_types: dict[tuple[type[Any], Owner, int], type[Any]] = {}
"""Guarded subclasses by class, owner and size."""


def _subclass(kind: type[Any], members: Mapping[str, Any]) -> type[Any]:
    """Return a subclass of `kind` that looks like it in messages."""
    own = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__, **members}
    return types.new_class(kind.__name__, (kind,), exec_body=lambda namespace: namespace.update(own))


def _is_out_of_memory(error: BaseException) -> bool:
    """As `composer.system.out_of_memory.is_oom`, but without torch."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error).lower() for phrase in _OUT_OF_MEMORY)
