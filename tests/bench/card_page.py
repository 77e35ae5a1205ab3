"""The card of a bundled model as a page of Markdown."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from card_runs import Bundled, comparing, composing, costing

from composer.analysis.metrics import COPYING, MUSIC, TEXT, VALIDITY, Metric
from composer.checkpoints import file as checkpoint_file
from composer.cli.render.text import as_option_value, count_noun, duration, join_names
from composer.registry import plugins as registry

WIDTH = 120
LINES = 8
"""So many lines of a poem are shown; of music, all of a tune, and of many voices the first system."""
REASONS = 3
"""So many reasons for leaving pieces out are named."""

GLUE = "\N{NO-BREAK SPACE}"

ALWAYS = ("copying", "validity")
"""What is told however near it is."""

COPIES = {
    "copied": (
        "{composed} of the pieces that it composes share a run of 16 notes or more with what it was taught; "
        "of the pieces of its data, {corpus} do with another of them."
    ),
    "lines_copied": (
        "{composed} of the lines that it composes stand in its data; of the lines of a piece of its data, {corpus} "
        "stand in another."
    ),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told of a model: the commands by which it is `made`, what a step `costs` it, how what it composes is
    `beside` its data, and `pieces` by their seeds.
    """

    made: Sequence[Sequence[str]]
    costs: Mapping[str, Any]
    beside: Mapping[str, Any]
    pieces: Sequence[str]


def page(model: Bundled, figures: Figures, prose: Mapping[str, Any]) -> str:
    """All of a card. `prose` has `summary`, `data`, `terms` and `writes`."""
    composed = figures.beside["composed"]["pieces"]
    blocks = [
        f"# The bundled model for `{model.name}`",
        filled(prose["summary"]),
        _facts(model, figures.costs, prose),
        "## What it is good and bad at",
        *(filled(text) for text in prose["writes"].strip().split("\n\n")),
        "## Beside the music that it was taught" if _is_music(model) else "## Beside the words that it was taught",
        *_beside(figures.beside),
        "## To get these figures again",
        code("".join(f"{written(['composer', *each])}\n" for each in (costing(model), comparing(model, composed)))),
        _where(model),
        "## To make it again",
        code("".join(f"{written(each)}\n" for each in figures.made)),
        filled(
            "Weights depend on the processor and on the version of torch in their last bits, so that a model made "
            "again is another one, but as good."
        ),
        "## Five pieces, unselected",
        filled(_shown(model)),
        *(code(shortened(piece), "abc" if _is_music(model) else "text") for piece in figures.pieces),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def near(beside: Mapping[str, Any]) -> tuple[int, int]:
    """How many means lie within one deviation of the corpus's, and of how many that can be told."""
    distances = [row["distance"] for row in beside["measures"].values() if row["distance"] is not None]
    return sum(abs(distance) <= 1 for distance in distances), len(distances)


def written(command: Sequence[str]) -> str:
    """A command as it is typed, on lines that a page is wide enough for."""
    lines = [""]
    for part in _together(command):
        if lines[-1] and len(lines[-1]) + len(part) + 3 > WIDTH:
            lines.append("   ")
        lines[-1] += f" {part}" if lines[-1] else part
    return " \\\n".join(lines)


def shortened(piece: str) -> str:
    """As much of a piece as is shown."""
    if piece.startswith("X:"):
        head, *systems = re.split(r"^(?=\[V:1\])", piece.strip("\n"), flags=re.MULTILINE)
        return head + "".join(systems[:1])
    return "\n".join(piece.strip("\n").splitlines()[:LINES])


def code(text: str, kind: str = "") -> str:
    """A fenced block, with fences that the text itself does not have."""
    fence = "```" if "```" not in text else "~~~~"
    return f"{fence}{kind}\n{text.rstrip()}\n{fence}"


def filled(text: str) -> str:
    """Prose in lines of a page; what stands in backticks stays on one."""
    whole = re.sub(r"`[^`]*`", lambda quoted: quoted[0].replace(" ", GLUE), " ".join(text.split()))
    return textwrap.fill(whole, WIDTH, break_long_words=False, break_on_hyphens=False).replace(GLUE, " ")


def _facts(model: Bundled, costs: Mapping[str, Any], prose: Mapping[str, Any]) -> str:
    header = model.header
    weights = checkpoint_file.load(model.path, half=True).weights
    kinds = {"float16": "fp16", "float32": "fp32"}
    stored = join_names(sorted({kinds.get(array.dtype.name, array.dtype.name) for array in weights.values()}))
    size, number = model.path.stat().st_size / 1e6, sum(array.size for array in weights.values())
    rows = {
        "Composes": f"`{header.representation}`, version {header.representation_version}: {_pairs(header.options)}",
        "Model": f"`{header.model}`: {_pairs(header.config)}; {number:,} weights in {stored}",
        "File": f"{size:.1f} MB, SHA-256 `{model.digest[:16]}`",
        "Data": prose["data"],
        "Terms": prose["terms"],
        "Pieces": _pieces(model.record),
        "Conditions": "; ".join(f"`{name}`: {', '.join(values)}" for name, values in header.spec.conditions.items()),
        "Quality": _quality(model.record, costs),
        "Training": _training(model.record),
    }
    told = [f"| {name} | {' '.join(text.split())} |" for name, text in rows.items() if text]
    return "\n".join(["| | |", "|---|---|", *told])


def _pieces(record: Mapping[str, Any]) -> str:
    pieces, refused = record["pieces"], sorted(record["refused"].items(), key=lambda item: -item[1])
    keys = ", each in all keys that fit" if record["augmented"] else ""
    held = "by a digest of their content" if isinstance(record["split"].get("valid"), float) else "as a list says"
    told = [f"{pieces['train']:,} were learnt from{keys}; {pieces['valid']:,} were held back {held}"]
    if pieces["test"]:
        told.append(f"{pieces['test']:,} more were kept for a test")
    if record["duplicates"]:
        told.append(f"{record['duplicates']:,} more {'was a copy' if record['duplicates'] == 1 else 'were copies'}")
    if refused:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in refused[:REASONS])
        more = f", and {count_noun(len(refused) - REASONS, 'other reason')}" if len(refused) > REASONS else ""
        told.append(f"{sum(record['refused'].values()):,} could not be written so ({reasons}{more})")
    return "; ".join(told)


def _quality(record: Mapping[str, Any], costs: Mapping[str, Any]) -> str:
    value, reported = f"{costs['value']:.3f}", f"{record['reported']:.3f}"
    error = f" ± {costs['stderr']:.3f}" if costs["stderr"] else ""
    over = f"over the {count_noun(costs['pieces'], 'piece')} held back, {costs['steps']:,} steps, each piece met afresh"
    chosen = "" if reported == value else f"; {reported} as it was trained"
    return f"{value}{error} {costs['unit']}, {over}{chosen}"


def _training(record: Mapping[str, Any]) -> str:
    settings, began = record["settings"], record["from"]
    after = f", after {began['update']:,} of an earlier one" if began else ""
    rate = f"{settings['optimizer']} at {settings['lr']:g}, {settings['schedule']}"
    best = (
        ""
        if record["best_update"] == record["updates"]
        else f", the best of them the one after {record['best_update']:,}"
    )
    return (
        f"{record['updates']:,} steps of {settings['batch_size']} rows of {settings['seq_length']}{after}{best}; "
        f"{rate}; {duration(record['seconds'])} on {record['device']} in {record['precision']}"
    )


def _beside(beside: Mapping[str, Any]) -> Iterator[str]:
    within, known = near(beside)
    lie = f"All {known} means lie" if within == known else f"Of {known} means, {within} lie"
    here = "Here is" if within == known else "Here are those that do not, and"
    yield filled(
        f"{beside['composed']['pieces']} pieces, composed with seed {beside['seed']} at temperature "
        f"{beside['temperature']:g}, beside the {beside['corpus']['pieces']:,} of its data, each side by its mean and "
        f"standard deviation. {lie} within one deviation of the data's. {here} what is copied"
        f"{' and valid' if VALIDITY[0].name in beside['measures'] else ''}:"
    )
    rows = list(_rows(beside["measures"]))
    head = "| | composed | data | deviations apart |\n|---|---|---|---|\n"
    yield head + "\n".join(f"| {' | '.join(row)} |" for row in rows)
    yield filled(" ".join([*_copies(beside["measures"]), *_unwhole(beside["composed"])]))


def _rows(measured: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for measure in (*MUSIC, *TEXT, *COPYING, *VALIDITY):
        row = measured.get(measure.name)
        if row is None:
            continue
        distance = row["distance"]
        if measure.group in ALWAYS or (distance is not None and abs(distance) > 1):
            apart = "–" if distance is None else f"{distance:+.2f}"
            yield measure.label, _spread(row["composed"], measure), _spread(row["corpus"], measure), apart


def _spread(side: Mapping[str, float] | None, measure: Metric) -> str:
    if side is None:
        return "–"
    if measure.is_share:
        return f"{side['mean']:.1%} ± {100 * side['deviation']:.1f}"
    return f"{side['mean']:.2f} ± {side['deviation']:.2f}"


def _copies(measured: Mapping[str, Any]) -> Iterator[str]:
    for name, sentence in COPIES.items():
        row = measured.get(name)
        if row and row["composed"] and row["corpus"]:
            yield sentence.format(**{side: f"{row[side]['mean']:.1%}" for side in ("composed", "corpus")})


def _unwhole(composed: Mapping[str, int]) -> Iterator[str]:
    if composed["silent"]:
        yield f"{composed['silent']} of those composed have nothing in them."
    if composed["cut"]:
        yield f"{composed['cut']} of those composed were not over at the most steps that a piece may take."


def _where(model: Bundled) -> str:
    place = "" if model.folder is None else "They are run in the folder of these files. "
    return filled(f"{place}The second prints every mean, not only those above.")


def _shown(model: Bundled) -> str:
    command = shlex.join(["composer", *composing(model, 1)])
    formats = registry.representation(model.header.representation).formats
    how = "Of each, the first lines." if not _is_music(model) else ""
    if "midi" in formats and model.header.spec.kind.name == "FRAMES":
        how = "Of each, the first bars; without `--format abc` it is MIDI, that can be heard."
    return f"`{command}`, and so on to `--seed 5`. {how}"


def _is_music(model: Bundled) -> bool:
    return "midi" in registry.representation(model.header.representation).formats


def _pairs(values: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={as_option_value(value)}" for key, value in values.items() if value not in (None, "", []))


def _together(command: Iterable[str]) -> Iterator[str]:
    """The parts of a command, each flag with its value."""
    flag = ""
    for part in command:
        if part.startswith("-"):
            if flag:
                yield flag
            flag = part
        else:
            yield f"{flag} {shlex.quote(part)}".strip()
            flag = ""
    if flag:
        yield flag
