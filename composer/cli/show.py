"""`composer show`: music as a piano-roll, or a checkpoint as its model's card."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import ReadError, UsageError

if TYPE_CHECKING:
    from composer.api import Source
    from composer.cli.console import Console


def show(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="ABC, MIDI or MusicXML, a checkpoint, or - for music from stdin.")
    ],
    tune: Annotated[int | None, typer.Option(metavar="N", help="Draw the N-th piece of the file only.")] = None,
    most: Annotated[int, typer.Option("--most", metavar="N", help="Draw at most so many pieces.")] = 3,
) -> None:
    """Draw music as a piano-roll, or print a model's card.

    In a roll, time runs to the right and pitch upwards.
    """
    from composer.api import Source

    console: Console = context.obj
    if (tune is not None and tune < 1) or most < 1:
        raise UsageError("pieces are counted from 1", "give 1 or more")
    path = Path(file)
    if path.suffix == ".safetensors":
        console.write(card(path))
        return
    source = Source(path, name="stdin", data=console.read_bytes()) if file == "-" else Source(path, name=file)
    _draw(console, source, tune, most)


def card(path: Path) -> str:
    """What a checkpoint is: the facts in its header, and the text `NAME.md` beside it where there is one."""
    from composer.core import checkpoint

    header = checkpoint.read_header(path)
    facts: dict[str, object] = {
        "composes": f"{header.representation} (version {header.representation_version})",
        "model": header.model,
        "made by": f"composer {header.program}",
        "size": f"{path.stat().st_size / 1e6:.1f} MB",
        "sequence": f"{header.spec.kind}, {header.spec.size} symbols or units",
    }
    for name, values in (("options", header.options), ("settings", header.config), ("training", header.record)):
        facts[name] = _listed(values)
    conditions = {name: ", ".join(values) for name, values in header.spec.conditions.items()}
    facts["conditions"] = _listed(conditions)
    lines = [f"{path.stem}", *(f"  {name:<10}  {value}" for name, value in facts.items() if value)]
    beside = path.with_suffix(".md")
    text = f"\n{beside.read_text('utf-8').rstrip()}\n" if beside.is_file() else ""
    return "\n".join(lines) + "\n" + text


def _draw(console: Console, source: Source, tune: int | None, most: int) -> None:
    from composer.cli import music

    scores = music.scores(source)
    if tune is not None:
        chosen = list(islice(scores, tune - 1, tune))
        if not chosen:
            raise ReadError(f"there is no piece {tune} in {source.label}", "they are counted from 1")
    else:
        chosen = list(islice(scores, most))
    more = tune is None and next(scores, None) is not None
    console.write("\n".join(console.drawing(score) for score in chosen))
    if more:
        console.say(f"there are more pieces in {source.label}; draw one with --tune N, or more with --most N")


def _listed(values: object) -> str:
    """A mapping as `key=value` pairs."""
    from collections.abc import Mapping

    if not isinstance(values, Mapping):
        return str(values)
    return ", ".join(f"{key}={_listed(value)}" for key, value in values.items() if value not in (None, "", {}, []))
