"""Model card: the facts in a checkpoint's header, and the text beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from composer.api import StepKind
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.default_temperature import default_temperature
from composer.cli.render.text import count_noun, duration, file_size
from composer.registry.options import as_option_value
from composer.system.files import read_regular

MAX_BYTES = 1_000_000
"""Of the text beside a checkpoint."""


def card(path: Path, width: int = 80) -> str:
    """Return the card of the checkpoint at `path`, wrapped at `width` (at least 40): header facts, then `NAME.md`."""
    header, width = checkpoint_file.read_header(path), max(width, 40)
    record = header.record
    tokens = header.spec.kind == StepKind.TOKENS
    size = f"vocabulary of {header.spec.size:,} tokens" if tokens else f"frames of {header.spec.size:,} units"
    facts = {
        "generates": f"{header.representation}, version {header.representation_version}",
        "model": f"{header.model}, {size}",
        "file": f"{path} ({file_size(path.stat().st_size)}), written by composer {header.program}",
        "trained on": _data(record),
        "quality": f"{record['reported']:.3f} {record.get('unit', '')} on held-out pieces"
        if record.get("reported")
        else "",
        "training": _training(record),
        "sampling": f"temperature {default_temperature(record):g} by default",
        "conditions": "; ".join(f"{name}: {', '.join(values)}" for name, values in header.spec.conditions.items()),
        "options": _pairs(header.options),
        "config": _pairs(header.config),
        "settings": _pairs(record.get("settings", {})),
    }
    lines = [path.stem, *fact_lines(facts, width)]
    beside = path.with_suffix(".md")
    lines += ["", read_regular(beside, MAX_BYTES).decode("utf-8", "replace").rstrip()] if beside.is_file() else []
    return "\n".join(lines) + "\n"


def fact_lines(facts: Mapping[str, str], width: int) -> Iterator[str]:
    """Yield a table of facts by name, wrapped at `width`, without those that are empty."""
    names = min(max(map(len, facts), default=0), 20)
    for name, text in facts.items():
        indent = f"  {name:<{names}}  "
        yield from textwrap.wrap(text, max(width, 40), initial_indent=indent, subsequent_indent=" " * len(indent))


def _data(record: Mapping[str, Any]) -> str:
    pieces = record.get("pieces", {})
    train = pieces.get("train", 0)
    held = sum(pieces.values()) - train
    named = " ".join(record.get("data", ()))
    return (
        f"{count_noun(train, 'piece')}, {f'{held:,}' if held else 'none'} held out; from {named}" if pieces else named
    )


def _training(record: Mapping[str, Any]) -> str:
    if "update" not in record:
        return ""
    updates, best = record.get("updates", record["update"]), record["update"]
    best_after = f", best after {best:,}" if best != updates else ""
    ended = record.get("reason", "not finished")
    took = f", {duration(record['seconds'])}" if "seconds" in record else ""
    where = "".join(f" {word} {record[key]}" for word, key in (("on", "device"), ("in", "precision")) if key in record)
    return f"{count_noun(updates, 'update')}{best_after}{took}{where}; {ended}"


def _pairs(values: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={as_option_value(value)}" for key, value in values.items())
