"""A recipe: all that the bytes of a piece depend on, in plain data, and the way back from it to what was asked.

It is what `--resume` compares, what a file says of how it was made, and what `composer replay` composes by. What of an
`Asked` belongs to it is listed here, so that nothing new is forgotten.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from composer import __version__
from composer.api import GenerationContext, ReadError, Representation, SequenceSpec, Step, StepKind, UsageError
from composer.cli.render import text
from composer.formats.provenance import Provenance, can_hold
from composer.registry import plugins as registry

if TYPE_CHECKING:
    from composer.checkpoints.load import LoadedModel
    from composer.cli.gen.plan import Asked
    from composer.generation.generate import Request
    from composer.generation.temperature import TemperatureCurve

__all__ = ["ELSEWHERE", "KINDS", "TOLD", "Recorded", "asked_again", "check", "made_with", "provenance_of", "recipe"]

TOLD = (
    "representation", "length", "seed", "filters", "conditions", "wishes", "free", "format", "writing", "device",
    "width", "max_copy",
)  # fmt: skip
"""The fields of an Asked on which the bytes of a piece depend, each under its own name in a recipe."""

ELSEWHERE = {
    "count": "a piece does not depend on how many there are, but on the width",
    "choice": "a piece that was chosen is as it would be alone",
    "prime": "its steps are told, which the file may not hold for ever",
    "prime_text": "its steps are told",
    "recorded": "what a recipe told before",
    "output": "where it goes changes nothing of it but the format, which is told",
    "force": "where it goes changes nothing of it",
    "resume": "where it goes changes nothing of it",
    "checkpoint": "the digest of the model is told, wherever it is",
    "provenance": "what is told is there or not",
}
"""The other fields, and why they are not told."""

KINDS: dict[str, type] = {
    "representation": str, "model": str, "plugins": dict, "device": str, "numpy": str, "torch": str,
    "format": str, "seed": int, "number": int, "width": int, "length": int, "max_copy": int, "free": bool,
    "filters": dict, "conditions": dict, "wishes": dict, "writing": dict,
    "primer": str, "tune": str, "labels": dict,
}  # fmt: skip
"""What a piece tells, and of which kind that is."""
FILTERS = ("temperature", "top_k", "top_p", "min_p")
NEEDED = ("representation", "model", "device", "format", "seed", "width")
"""What every piece tells."""

MOST = 64 * 1024 * 1024
"""The most bytes that the steps of a primer may take."""


class Recorded(NamedTuple):
    """What a piece was composed from, as a recipe tells it: packed steps, and the labels that it had for that."""

    primer: str = ""
    tune: str = ""
    labels: Mapping[str, str] = {}

    def given(self, representation: Representation, length: int | None) -> GenerationContext:
        """The same for composing. Raises UsageError where the steps are not of the `representation`."""
        primer = tuple(_unpacked(self.primer, representation.spec))
        if not self.tune:
            return GenerationContext(length, primer, labels=self.labels)
        tune = representation.decode(_unpacked(self.tune, representation.spec))
        return GenerationContext(length, primer, dataclasses.replace(tune, labels=self.labels))


def recipe(
    asked: Asked,
    model: LoadedModel,
    request: Request,
    given: GenerationContext,
    labels: Mapping[str, str],
    form: str,
    device: str,
) -> dict[str, Any]:
    """All that the bytes of pieces in the format `form` depend on, of which the first has the seed that is told."""
    told = {name: getattr(asked, name) for name in TOLD}
    decided = {
        "seed": request.seed,
        "width": request.rows,
        "conditions": dict(request.conditions),
        "format": form,
        "primer": _packed(given.primer),
        "tune": _packed(model.representation.prime(given.tune)) if given.tune is not None else "",
        "labels": dict(labels),
    }
    return {**{name: _plain(value) for name, value in {**told, **decided}.items()}, **made_with(model, device)}


def provenance_of(told: Mapping[str, Any], piece: int, number: int) -> Provenance:
    """What the file of a piece says: the recipe that is `told`, with its own seed, and without what nobody asked for.

    It was composed as number `piece`, and stands in its file as number `number`.
    """
    facts = {name: value for name, value in told.items() if not _is_nothing(value)}
    facts["seed"] = told["seed"] + piece - 1
    if number != 1:
        facts["number"] = number
    return Provenance(facts.pop("program"), facts)


def made_with(model: LoadedModel, device: str) -> dict[str, Any]:
    """What composes here and now: `model` with its plugins, on `device`, with the library that multiplies."""
    header = model.header
    library = "numpy" if device == "cpu" else "torch"
    return {
        "program": __version__,
        "model": model.digest,
        "plugins": {name: registry.distribution(name) for name in (header.representation, header.model)},
        "device": device.partition(":")[0],
        library: _version(library),
    }


def check(facts: Mapping[str, Any], name: str) -> None:
    """Raise ReadError where what the file `name` tells of a piece cannot be what made it."""
    for fact in _faults(facts):
        raise ReadError(
            f"what {name} says of how it was made is damaged: `{fact}` is missing, or makes no sense",
            "take the file as it was written",
        )


def asked_again(facts: Mapping[str, Any], checkpoint: Path, device: str) -> Asked:
    """What was asked, by the recipe of one piece. Raises ComposerError for what nobody can have asked."""
    from composer.cli.gen import temperature
    from composer.cli.gen.plan import Asked
    from composer.formats import WriteSettings
    from composer.registry import options

    kind = registry.representation(facts["representation"])
    filters = dict(facts.get("filters", {}))
    if "temperature" in filters:
        filters["temperature"] = temperature.parse(str(filters["temperature"]))
    return Asked(
        representation=kind.name,
        length=facts.get("length"),
        seed=facts["seed"],
        filters=filters,
        conditions=[f"{name}={value}" for name, value in facts.get("conditions", {}).items()],
        wishes=options.parse(kind.Controls, _pairs(facts.get("wishes", {})), f"representation `{kind.name}`"),
        free=facts.get("free", False),
        format=facts["format"],
        writing=options.parse(WriteSettings, _pairs(facts.get("writing", {})), "what writes"),
        checkpoint=checkpoint,
        device=device,
        width=facts["width"],
        max_copy=facts.get("max_copy"),
        recorded=Recorded(facts.get("primer", ""), facts.get("tune", ""), facts.get("labels", {})),
        provenance=False,
    )


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str | Mapping | Sequence) and not value)


def _plain(value: Any) -> Any:
    """A value as JSON has it; of a dataclass, the fields that are not as they are by default, in words."""
    from composer.generation.temperature import TemperatureCurve

    if isinstance(value, TemperatureCurve):
        return _curve(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: (getattr(value, field.name), field.default) for field in dataclasses.fields(value)}
        return {name: text.as_option_value(given) for name, (given, default) in fields.items() if given != default}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _curve(curve: TemperatureCurve) -> str:
    """A curve as `temperature.parse` takes it, to the last digit."""
    return f"{curve.first}..{curve.last}" + (f"/{curve.steps}" if curve.steps else "")


def _faults(facts: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong, by name; only as long as nothing is, what comes after it can be looked at."""
    from composer.cli.commands.gen import RANGES

    yield from (fact for fact in NEEDED if fact not in facts)
    yield from (fact for fact, kind in KINDS.items() if fact in facts and type(facts[fact]) is not kind)
    filters = facts.get("filters", {})
    yield from (fact for fact in filters if fact not in FILTERS)
    for fact, (lowest, highest, _) in RANGES.items():
        value = {**facts, **filters}.get(fact, lowest)
        kinds = (int,) if type(lowest) is int else (int, float)
        if type(value) not in kinds or not lowest <= value <= highest:
            yield fact
    yield from (fact for fact in ("number", "width") if facts.get(fact, 1) < 1)
    for fact in ("conditions", "labels"):
        if not all(isinstance(value, str) for value in facts.get(fact, {}).values()):
            yield fact
    if not can_hold(facts["format"]):
        yield "format"


def _pairs(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in values.items()]


def _version(library: str) -> str:
    import importlib

    return str(importlib.import_module(library).__version__)


def _packed(steps: Sequence[Step]) -> str:
    """Steps as a short text; nothing for none."""
    if not steps:
        return ""
    import base64
    import zlib

    return base64.b64encode(zlib.compress(json.dumps(steps, separators=(",", ":")).encode(), 9)).decode()


def _unpacked(text: str, spec: SequenceSpec) -> Iterator[Step]:
    """The steps that were packed. Raises UsageError where they are none of `spec`."""
    if not text:
        return
    import base64
    import zlib

    try:
        decoder = zlib.decompressobj()
        steps = json.loads(decoder.decompress(base64.b64decode(text, validate=True), MOST))
        frames = spec.kind is StepKind.FRAMES
        for step in steps:
            units = step if frames else [step]
            if not all(type(unit) is int and 0 <= unit < spec.size for unit in units):
                raise ValueError
            yield tuple(step) if frames else step
    except (ValueError, TypeError, RecursionError, zlib.error) as error:
        raise UsageError(
            "the opening that was recorded is not of this model", "give the model that composed it with --checkpoint"
        ) from error
