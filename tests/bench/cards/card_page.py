"""Write the card of a bundled model as Markdown."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from card_runs import Bundled, comparison_command, generation_command, likelihood_command

from composer.analysis.metrics import COPYING, MUSIC, TEXT, VALIDITY, Metric
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.default_temperature import ENTRY, default_temperature
from composer.cli.render.text import count_noun, duration, join_names
from composer.registry import plugins as registry
from composer.registry.options import as_option_value

WIDTH = 120
LINES = 8
"""Number of lines of a poem that are shown. Of music, a whole tune is shown, or the first system of many voices."""
REASONS = 3
"""Number of reasons for rejecting pieces that are named."""

GLUE = "\N{NO-BREAK SPACE}"

ALWAYS = ("copying", "validity")
"""Groups of metrics that are always shown."""

COPIES = {
    "copied": (
        "{generated} of the generated pieces share a run of 16 or more notes with the training data; "
        "{corpus} of the pieces in the data share one with another piece."
    ),
    "lines_copied": (
        "{generated} of the generated lines occur in the data; {corpus} of the lines in the data occur in another "
        "piece."
    ),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """The commands that `train` a model, and what was measured: `likelihood`, `comparison` and `pieces` by seed."""

    train: Sequence[Sequence[str]]
    likelihood: Mapping[str, Any]
    comparison: Mapping[str, Any]
    pieces: Sequence[str]


def page(model: Bundled, figures: Figures, prose: Mapping[str, Any]) -> str:
    """Return a card. `prose` has `summary`, `data`, `rights` and `strengths`."""
    generated = figures.comparison["generated"]["pieces"]
    blocks = [
        f"# The bundled `{model.name}` model",
        filled(prose["summary"]),
        _facts(model, figures.likelihood, prose),
        "## Strengths and weaknesses",
        *(filled(text) for text in prose["strengths"].strip().split("\n\n")),
        "## Comparison with the data",
        *_compared(figures.comparison),
        "## Reproduce these figures",
        code(
            "".join(
                f"{wrap_command(['composer', *each])}\n"
                for each in (likelihood_command(model), comparison_command(model, generated))
            )
        ),
        _folder_note(model),
        "## Train it again",
        code("".join(f"{wrap_command(each)}\n" for each in figures.train)),
        filled(
            "The exact weights depend on the processor and the version of torch, so a retrained model differs "
            "slightly, but its quality is similar."
        ),
        "## Five pieces",
        filled(_pieces_note(model)),
        *(code(shortened(piece), "abc" if _is_music(model) else "text") for piece in figures.pieces),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def near(comparison: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many means lie within one standard deviation of the corpus's, and of how many that is known."""
    distances = [row["distance"] for row in comparison["metrics"].values() if row["distance"] is not None]
    return sum(abs(distance) <= 1 for distance in distances), len(distances)


def wrap_command(command: Sequence[str]) -> str:
    """Return a shell command on lines of the page's width."""
    lines = [""]
    for part in _options_with_values(command):
        if lines[-1] and len(lines[-1]) + len(part) + 3 > WIDTH:
            lines.append("   ")
        lines[-1] += f" {part}" if lines[-1] else part
    return " \\\n".join(lines)


def shortened(piece: str) -> str:
    """Return the part of a piece that is shown."""
    if piece.startswith("X:"):
        head, *systems = re.split(r"^(?=\[V:1\])", piece.strip("\n"), flags=re.MULTILINE)
        return head + "".join(systems[:1])
    return "\n".join(piece.strip("\n").splitlines()[:LINES])


def code(text: str, kind: str = "") -> str:
    """Return a fenced block, with a fence that is not in the text."""
    fence = "```" if "```" not in text else "~~~~"
    return f"{fence}{kind}\n{text.rstrip()}\n{fence}"


def filled(text: str) -> str:
    """Return prose in lines of the page's width; text in backticks is not wrapped."""
    glued = re.sub(r"`[^`]*`", lambda quoted: quoted[0].replace(" ", GLUE), " ".join(text.split()))
    return textwrap.fill(glued, WIDTH, break_long_words=False, break_on_hyphens=False).replace(GLUE, " ")


def _facts(model: Bundled, likelihood: Mapping[str, Any], prose: Mapping[str, Any]) -> str:
    header = model.header
    weights = checkpoint_file.load(model.path, half=True).weights
    kinds = {"float16": "fp16", "float32": "fp32"}
    stored = join_names(sorted({kinds.get(array.dtype.name, array.dtype.name) for array in weights.values()}))
    size, number = model.path.stat().st_size / 1e6, sum(array.size for array in weights.values())
    version = f"version {header.representation_version}"
    rows = {
        "Representation": f"`{header.representation}`, {version}: {_pairs(header.options)}",
        "Model": f"`{header.model}`: {_pairs(header.config)}; {number:,} weights in {stored}",
        "File": f"{size:.1f} MB, SHA-256 `{model.digest[:16]}`",
        "Data": prose["data"],
        "Rights": prose["rights"],
        "Pieces": _pieces(model.record),
        "Conditions": "; ".join(f"`{name}`: {', '.join(values)}" for name, values in header.spec.conditions.items()),
        "Sampling": _sampling(model.record),
        "Likelihood": _likelihood(model.record, likelihood),
        "Training": _training(model.record),
    }
    lines = [f"| {name} | {' '.join(text.split())} |" for name, text in rows.items() if text]
    return "\n".join(["| | |", "|---|---|", *lines])


def _pieces(record: Mapping[str, Any]) -> str:
    pieces, rejected = record["pieces"], sorted(record["refused"].items(), key=lambda item: -item[1])
    keys = " in all keys that fit" if record["augmented"] else ""
    held_out = "by a digest of their content" if isinstance(record["split"].get("valid"), float) else "by a list"
    facts = [f"{pieces['train']:,} for training{keys}, {pieces['valid']:,} held out {held_out}"]
    if pieces["test"]:
        facts.append(f"{pieces['test']:,} for testing")
    if record["duplicates"]:
        facts.append(f"skipped {count_noun(record['duplicates'], 'duplicate')}")
    if rejected:
        reasons = ", ".join(f"{reason}: {count:,}" for reason, count in rejected[:REASONS])
        more = f", and {count_noun(len(rejected) - REASONS, 'other reason')}" if len(rejected) > REASONS else ""
        facts.append(f"{sum(record['refused'].values()):,} cannot be represented ({reasons}{more})")
    return "; ".join(facts)


def _likelihood(record: Mapping[str, Any], likelihood: Mapping[str, Any]) -> str:
    value, reported = f"{likelihood['value']:.3f}", f"{record['reported']:.3f}"
    error = f" ± {likelihood['stderr']:.3f}" if likelihood["stderr"] else ""
    pieces = f"{count_noun(likelihood['pieces'], 'held-out piece')} ({likelihood['steps']:,} steps)"
    trained = "" if reported == value else f"; {reported} during training"
    return f"{value}{error} {likelihood['unit']} on {pieces}, each from the initial state{trained}"


def _sampling(record: Mapping[str, Any]) -> str:
    """Return the default temperature."""
    if record.get(ENTRY) is None:
        return "temperature 1 by default, which samples from the model unchanged"
    return f"temperature {default_temperature(record):g} by default; `--temp 1` samples from the model unchanged"


def _training(record: Mapping[str, Any]) -> str:
    settings, origin = record["settings"], record["from"]
    after = f", after {origin['update']:,} in an earlier run" if origin else ""
    rate = f"{settings['optimizer']} at {settings['lr']:g}, {settings['schedule']}"
    best = "" if record["best_update"] == record["updates"] else f"; best after {record['best_update']:,}"
    return (
        f"{record['updates']:,} updates with {settings['batch_size']} x {settings['seq_length']} steps{after}{best}; "
        f"{rate}; {duration(record['seconds'])} on {record['device']} in {record['precision']}"
    )


def _compared(comparison: Mapping[str, Any]) -> Iterator[str]:
    within, known = near(comparison)
    lie = f"All {known} means lie" if within == known else f"{within} of {known} means lie"
    shown = "The table shows" if within == known else "The table shows the others and"
    yield filled(
        f"{comparison['generated']['pieces']} pieces, generated with seed {comparison['seed']} at temperature "
        f"{comparison['temperature']:g}, compared with the {comparison['corpus']['pieces']:,} pieces of the data: "
        f"means and standard deviations. {lie} within one standard deviation of the data's mean. {shown} what is copied"
        f"{' and valid' if VALIDITY[0].name in comparison['metrics'] else ''}:"
    )
    rows = list(_rows(comparison["metrics"]))
    yield "| | generated | data | distance in SD |\n|---|---|---|---|\n" + "\n".join(
        f"| {' | '.join(row)} |" for row in rows
    )
    yield filled(" ".join([*_copies(comparison["metrics"]), *_incomplete(comparison["generated"])]))


def _rows(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for metric in (*MUSIC, *TEXT, *COPYING, *VALIDITY):
        row = metrics.get(metric.name)
        if row is None:
            continue
        distance = row["distance"]
        if metric.group in ALWAYS or (distance is not None and abs(distance) > 1):
            shown = "–" if distance is None else f"{distance:+.2f}"
            yield metric.label, _summary(row["generated"], metric), _summary(row["corpus"], metric), shown


def _summary(side: Mapping[str, float] | None, metric: Metric) -> str:
    if side is None:
        return "–"
    if metric.is_share:
        return f"{side['mean']:.1%} ± {100 * side['deviation']:.1f}"
    return f"{side['mean']:.2f} ± {side['deviation']:.2f}"


def _copies(metrics: Mapping[str, Any]) -> Iterator[str]:
    for name, sentence in COPIES.items():
        row = metrics.get(name)
        if row and row["generated"] and row["corpus"]:
            yield sentence.format(**{side: f"{row[side]['mean']:.1%}" for side in ("generated", "corpus")})


def _incomplete(generated: Mapping[str, int]) -> Iterator[str]:
    if generated["silent"]:
        yield f"{generated['silent']} of the generated pieces are empty."
    if generated["cut"]:
        yield f"{generated['cut']} of the generated pieces were cut at the maximum length."


def _folder_note(model: Bundled) -> str:
    folder = "" if model.folder is None else "Run these commands in the folder with these files. "
    return filled(f"{folder}The second command prints all metrics.")


def _pieces_note(model: Bundled) -> str:
    command = shlex.join(["composer", *generation_command(model, 1)])
    formats = registry.representation(model.header.representation).formats
    note = "The first lines of each." if not _is_music(model) else ""
    if "midi" in formats and model.header.spec.kind.name == "FRAMES":
        note = "The first bars of each; without `--format abc`, the output is MIDI that you can play."
    return f"`{command}`, and so on to `--seed 5`. {note}"


def _is_music(model: Bundled) -> bool:
    return "midi" in registry.representation(model.header.representation).formats


def _pairs(values: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={as_option_value(value)}" for key, value in values.items() if value not in (None, "", []))


def _options_with_values(command: Iterable[str]) -> Iterator[str]:
    """Yield the parts of a command, each option with its value."""
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
