"""Recipes: everything that the bytes of a piece depend on, as plain data, and the options from a recipe.

A recipe holds the options that are not marked `recorded=False` and differ from their defaults, the steps of the prompt,
and the model, plugins and libraries. `--resume` compares it, provenance holds it, and `composer replay` reads it.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from composer import __version__
from composer.api import (
    GenerationContext,
    OptionError,
    ReadError,
    Representation,
    SequenceSpec,
    Step,
    StepKind,
    UsageError,
)
from composer.api.limits import limit_hint, raised
from composer.api.sampling.params import SamplingParams, TemperatureRamp
from composer.cli.gen.options import GenOptions, RecordedContext
from composer.formats.provenance import Provenance, can_hold
from composer.generation.endings import ChosenEnding
from composer.registry import options as plugin_options
from composer.registry import plugins as registry

if TYPE_CHECKING:
    from composer.checkpoints.load import LoadedModel
    from composer.generation.request import Chosen, GenerationRequest

CONTEXT_TYPES: dict[str, type] = {
    "model": str, "plugins": dict, "device": str, "numpy": str, "torch": str, "number": int,
    "command_seed": int, "candidate": int, "primer": str, "tune": str, "labels": dict, "rules": int,
    "joint": bool, "choices": list, "ending": dict, "changed_by": str,
}  # fmt: skip
"""The facts of a recipe that are not options."""
REQUIRED = ("representation", "model", "device", "format", "seed", "batch_size")

OLD_NAMES = {"filters": "sampling", "wishes": "controls", "free": "unconstrained", "width": "batch_size"}
"""Facts that older versions named otherwise."""
OLD_CONTROLS = {"most_notes": "max_notes", "most_onsets": "max_onsets", "most_holds": "max_sustained"}

MAX_CHOICES = 1000
"""Of the phrases of a piece."""

MAX_PRIMER_BYTES = 4 * 1024 * 1024
"""Of the steps of a recorded primer, as JSON."""

MAX_ENDING = 2**53
"""The largest step or draw at which an ending begins: more than any run gets to, and it still fits into 64 bits."""

MAX_RECORDED = {"length": 100_000, "gibbs": 1000, "batch_size": 1024, "particles": 1024}
"""The largest numbers of a recipe with which it is followed: a file can ask for more than anybody would wait for.

A thousand rows take about a gigabyte of memory, and so do a thousand Gibbs steps in 64 rows.
"""

_IN_WORDS = {
    "length": "a length of", "gibbs": "--gibbs", "batch_size": "a batch size of", "particles": "--particles"
}  # fmt: skip


def recipe(
    options: GenOptions,
    model: LoadedModel,
    request: GenerationRequest,
    context: GenerationContext,
    labels: Mapping[str, str],
    format_name: str,
    device: str,
) -> dict[str, Any]:
    """Return the recipe of pieces in a format; its seed is that of the first one."""
    decided = {
        "seed": request.seed,
        "batch_size": request.batch_size,
        "conditions": dict(request.conditions),
        "format": format_name,
        "primer": pack_steps(context.primer),
        "tune": pack_steps(model.representation.prime(context.tune)) if context.tune is not None else "",
        "labels": dict(labels),
    }
    rules = context.rules or model.representation.rules
    if rules > 1:
        decided["rules"] = rules
    sampling = options.sampling
    if model.spec.kind is StepKind.FRAMES and not (sampling.is_default or sampling.per_unit):
        decided["joint"] = True  # older pieces were sampled unit by unit
    facts = {**_recorded(options), **decided, **made_with(model, device)}
    facts.pop("particles", None)
    if request.particles > 1:
        facts["particles"] = request.particles
    return {name: facts[name] for name in ("program", *fact_types()) if name in facts}


def provenance_of(recipe: Mapping[str, Any], piece: int, number: int, chosen: Chosen | None = None) -> Provenance:
    """Return what the file of a piece says: the recipe with its own seed, without empty facts.

    It was generated as number `piece` and is number `number` in its file. A piece that was `chosen` from candidates has
    a seed of its own, so that it can be reproduced without the others, whatever they would be ranked by. Unless it is
    the first candidate, this seed is not the one to give to the command, so the latter is recorded too. An `ending`
    that was chosen from several is recorded for the same reason.
    """
    facts = {name: value for name, value in recipe.items() if not _is_empty(value)}
    facts["seed"] = recipe["seed"] + piece - 1 if chosen is None else chosen.seed
    if chosen is not None and chosen.seed != chosen.first_seed:
        facts |= {"command_seed": chosen.first_seed, "candidate": chosen.candidate}
    if chosen is not None and chosen.ending is not None:
        facts["ending"] = chosen.ending._asdict()
    if number != 1:
        facts["number"] = number
    return Provenance(facts.pop("program"), facts)


def made_with(model: LoadedModel, device: str) -> dict[str, Any]:
    """Return the model with its plugins, the device, and the version of the library that computes."""
    header = model.header
    library = "numpy" if device == "cpu" else "torch"
    return {
        "program": __version__,
        "model": model.digest,
        "plugins": {name: registry.distribution(name) for name in (header.representation, header.model)},
        "device": device.partition(":")[0],
        library: _version(library),
    }


def current_names(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe of any version under the names of this one."""
    found = {OLD_NAMES.get(name, name): value for name, value in facts.items()}
    if "filters" in facts and isinstance(facts["filters"], dict):  # which held defaults too
        defaults = {field.name: _recorded_default(field) for field in dataclasses.fields(SamplingParams)}
        found["sampling"] = {name: each for name, each in facts["filters"].items() if defaults.get(name) != each}
    if isinstance(found.get("controls"), dict):
        found["controls"] = {OLD_CONTROLS.get(name, name): value for name, value in found["controls"].items()}
    return found


def fact_types() -> dict[str, type]:
    """Return every fact that a recipe may hold, with its type in JSON."""
    hints = typing.get_type_hints(GenOptions)
    return {field.name: _json_type(hints[field.name]) for field in _recorded_fields(GenOptions)} | CONTEXT_TYPES


def check(facts: Mapping[str, Any], name: str) -> None:
    """Raise ReadError if the recipe in the file `name` cannot be that of a piece, or asks for too much."""
    reason = next((f"`{fact}` is missing or invalid" for fact in _invalid_facts(facts)), None)
    if reason is None:
        try:
            options_from(facts)
        except OptionError as error:
            reason = error.message
    if reason is not None:
        raise ReadError(f"damaged provenance in {name}: {reason}", "restore the original file")
    for fact, limit in MAX_RECORDED.items():
        if (value := facts.get(fact, 0)) > raised(limit):
            hint = limit_hint("check where the file is from", value, limit)
            raise ReadError(f"{name} asks for {_IN_WORDS[fact]} {value:,}, more than {raised(limit):,}", hint)


def options_from(facts: Mapping[str, Any]) -> GenOptions:
    """Return the options by the recipe of one piece. Raises OptionError for invalid values."""
    kind = registry.representation(facts["representation"])
    values, hints = dict[str, Any](), typing.get_type_hints(GenOptions)
    for field in _recorded_fields(GenOptions):
        value, hint = facts.get(field.name), hints[field.name]
        if value is None:
            continue
        group = kind.Controls if field.name == "controls" else hint
        if dataclasses.is_dataclass(group):
            pairs = [f"{name}={plugin_options.as_option_value(each)}" for name, each in value.items()]
            if any(each.name == "is_recorded" for each in dataclasses.fields(group)):
                pairs.append("is_recorded=on")
            value = plugin_options.parse(group, pairs, "the recipe")
        elif field.name == "conditions":
            value = tuple(f"{name}={each}" for name, each in value.items())
        values[field.name] = value
    per_unit = kind.kind is StepKind.FRAMES and not facts.get("joint", False)
    values["sampling"] = _recorded_sampling(values.get("sampling", SamplingParams()), per_unit)
    names = ("primer", "tune", "labels", "rules", "choices", "ending")
    context = RecordedContext(**{name: facts[name] for name in names if name in facts})
    return GenOptions(**values, context=context, provenance=False)


def restore_context(recorded: RecordedContext, representation: Representation, length: int | None) -> GenerationContext:
    """Return what a piece was generated from. Raises UsageError if its steps are not of the `representation`."""
    primer = tuple(unpack_steps(recorded.primer, representation.spec))
    if not recorded.tune:
        return GenerationContext(length, primer, labels=recorded.labels, rules=recorded.rules)
    tune = representation.decode(unpack_steps(recorded.tune, representation.spec))
    tune = dataclasses.replace(tune, labels=recorded.labels)
    return GenerationContext(length, primer, tune, rules=recorded.rules)


def _recorded_fields(kind: type[Any]) -> Iterator[dataclasses.Field[Any]]:
    return (field for field in dataclasses.fields(kind) if field.metadata.get("recorded", True))


def _recorded(options: Any) -> dict[str, Any]:
    """Return the recorded fields of a dataclass that differ from their defaults, as JSON."""
    values = {field: getattr(options, field.name) for field in _recorded_fields(type(options))}
    return {field.name: _plain(value) for field, value in values.items() if value != _recorded_default(field)}


def _recorded_default(field: dataclasses.Field[Any]) -> Any:
    """Return the value that a recipe without this field means."""
    return field.metadata.get("recorded_default", field.default)


def _recorded_sampling(sampling: SamplingParams, per_unit: bool) -> SamplingParams:
    """Return the sampling parameters of a recipe, in which no temperature means 1, whatever the model's default is."""
    return dataclasses.replace(sampling.with_default_temperature(1.0), per_unit=per_unit)


def _plain(value: Any) -> Any:
    if isinstance(value, TemperatureRamp):
        return str(value)
    return _recorded(value) if dataclasses.is_dataclass(value) else value


def _is_empty(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str | Mapping | Sequence) and not value)


def _json_type(hint: Any) -> type:
    """Return the type in JSON of an option; those of dataclasses, and conditions by name, are objects."""
    plain = next((each for each in (hint, *typing.get_args(hint)) if each in {str, int, bool}), dict)
    return dict if typing.get_origin(hint) is tuple else plain


def _invalid_facts(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the facts that are missing or of a wrong type; after the first, the others may not be safe to look at."""
    yield from (fact for fact in REQUIRED if fact not in facts)
    yield from (fact for fact, kind in fact_types().items() if fact in facts and type(facts[fact]) is not kind)
    yield from (fact for fact in ("number", "batch_size", "rules", "candidate") if facts.get(fact, 1) < 1)
    for fact in ("conditions", "labels"):
        if not all(isinstance(value, str) for value in facts.get(fact, {}).values()):
            yield fact
    ending = facts.get("ending", {})
    numbers = all(type(value) is int and 0 <= value <= MAX_ENDING for value in ending.values())
    if ending and not (ending.keys() == {*ChosenEnding._fields} and numbers):
        yield "ending"
    choices = facts.get("choices", ())
    if len(choices) > MAX_CHOICES or not all(map(_is_choice, choices)):
        yield "choices"
    if not can_hold(facts["format"]):
        yield "format"


def _is_choice(value: Any) -> bool:
    """Return whether `value` may be a choice: a number from 1, or the steps and labels after an edit."""
    if isinstance(value, dict) and value.keys() == {"steps", "labels"} and isinstance(value["labels"], dict):
        return isinstance(value["steps"], str) and all(isinstance(each, str) for each in value["labels"].values())
    return type(value) is int and value > 0


def _version(library: str) -> str:
    import importlib

    return str(importlib.import_module(library).__version__)


def pack_steps(steps: Sequence[Step]) -> str:
    """Return steps as a short text; empty for none."""
    if not steps:
        return ""
    import base64
    import zlib

    return base64.b64encode(zlib.compress(json.dumps(steps, separators=(",", ":")).encode(), 9)).decode()


def count_packed(text: object) -> int | None:
    """Return the number of recorded steps; None if they are damaged."""
    import zlib

    try:
        return len(_unpack(text)) if isinstance(text, str) else None
    except (ValueError, TypeError, RecursionError, UsageError, zlib.error):
        return None


def _unpack(text: str) -> Any:
    """Return what a packed text holds. Raises UsageError if it is too large, ValueError or zlib.error if damaged."""
    import base64
    import zlib

    limit = raised(MAX_PRIMER_BYTES)
    data = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), limit + 1)
    if len(data) > limit:
        raise _too_large("the recorded primer is")
    return json.loads(data)


def _too_large(what: str) -> UsageError:
    fault = f"{what} larger than {raised(MAX_PRIMER_BYTES) // 2**20} MB"
    return UsageError(fault, limit_hint("check where the file is from"))


def unpack_edits(texts: Iterable[str], spec: SequenceSpec) -> Iterator[tuple[Step, ...]]:
    """Yield the steps of each packed edit. Raises UsageError if they do not fit `spec`, or are too large together."""
    room = raised(MAX_PRIMER_BYTES)
    for text in texts:
        steps = tuple(unpack_steps(text, spec))
        room -= len(json.dumps(steps, separators=(",", ":")))
        if room < 0:
            raise _too_large("the recorded edits are together")
        yield steps


def unpack_steps(text: str, spec: SequenceSpec) -> Iterator[Step]:
    """Yield the steps in a packed text. Raises UsageError if they are not steps of `spec` before its end."""
    if not text:
        return
    import zlib

    try:
        steps = _unpack(text)
        frames = spec.kind is StepKind.FRAMES
        for step in steps:
            units = step if frames else [step]
            if not all(type(unit) is int and 0 <= unit < spec.size and unit != spec.end for unit in units):
                raise ValueError
            yield tuple(step) if frames else step
    except (ValueError, TypeError, RecursionError, zlib.error) as error:
        raise UsageError(
            "the recorded primer does not fit this model", "use --checkpoint FILE with the model that generated it"
        ) from error
