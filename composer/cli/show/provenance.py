"""Show how the pieces of a file were generated, from their provenance."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from composer.api import ReadError, Source
from composer.cli.console import Console
from composer.cli.gen import recipe
from composer.cli.render.model_card import fact_lines
from composer.cli.render.text import count_noun
from composer.cli.show.selection import Selection, Wanted
from composer.formats import detect, provenance
from composer.formats.provenance import Provenance
from composer.registry.options import as_option_value

FIRST = ("representation", "model", "seed", "candidate")
"""The facts that come first in a table."""

NAMES = {"tune": "kept music", "primer": "prompt", "writing": "output", "number": "number in file"}
"""What facts are called that are not named after their option."""


def show(console: Console, source: Source, wanted: Wanted, *, as_json: bool) -> None:
    """Show the provenance of the selected pieces as tables or as JSON. Raises ReadError if none has any."""
    found = detect(source.bytes())
    texts = provenance.texts_of_pieces(source, found) if found is not None else []
    if not any(texts):
        raise provenance.missing(source.label)
    numbered = enumerate(texts, 1)
    if wanted.tune is not None and wanted.tune > len(texts):
        raise ReadError(f"{source.label} has no piece {wanted.tune}", f"use --tune 1 to --tune {len(texts)}")
    selected = islice(numbered, wanted.limit) if wanted.tune is None else [(wanted.tune, texts[wanted.tune - 1])]
    pieces = [(number, Provenance.parse(text, source.label) if text else None) for number, text in selected]
    if as_json:
        console.write_json([_document(number, made_by) for number, made_by in pieces if made_by], indent=1)
    else:
        several = len(texts) > 1
        blocks = (_block(number if several else 0, made_by, console.width) for number, made_by in pieces)
        console.write("\n".join(blocks))
    Selection(source, [], wanted.tune is None and next(numbered, None) is not None, console).report_more()


def _document(piece: int, made_by: Provenance) -> Mapping[str, Any]:
    return {**recipe.current_names(made_by.facts), "program": made_by.program, "piece": piece}


def _block(number: int, made_by: Provenance | None, width: int) -> str:
    """Return a table of a piece, under its number unless that is 0."""
    lines = [f"piece {number}"] if number else []
    lines += fact_lines(_facts(made_by), width) if made_by else ["  no provenance"]
    return "".join(f"{line}\n" for line in lines)


def _facts(made_by: Provenance) -> dict[str, str]:
    """Return the facts as text, by what a reader calls them."""
    facts = recipe.current_names(made_by.facts)
    if "command_seed" in facts:
        candidate = f"{facts.get('candidate')} (its own seed: {facts.get('seed')})"
        facts |= {"seed": facts.pop("command_seed"), "candidate": candidate}
    facts = {**{name: facts[name] for name in FIRST if name in facts}, **facts}
    shown = {NAMES.get(name, name.replace("_", " ")): _text(name, value, facts) for name, value in facts.items()}
    return {"made by": f"composer {made_by.program}", **shown}


def _text(name: str, value: Any, facts: Mapping[str, Any]) -> str:
    if name == "model":
        return _model(facts.get("representation"), value)
    if name in {"primer", "tune"}:
        steps = recipe.count_packed(value)
        return "damaged" if steps is None else count_noun(steps, "step")
    if name == "choices" and isinstance(value, list):
        return ", ".join(str(each) if isinstance(each, int) else "edit" for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={as_option_value(each)}" for key, each in value.items())
    return as_option_value(value)


def _model(representation: object, digest: object) -> str:
    """Return the name of the recorded model, if it is still there, and the beginning of its digest."""
    from composer.checkpoints import store

    known = isinstance(representation, str) and isinstance(digest, str)
    path = store.with_digest(str(representation), str(digest)) if known else None
    return f"{path.stem if path else 'none of your models'} (digest {str(digest)[:12]})"
