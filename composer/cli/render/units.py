"""`composer show --units`: what single units of a model respond to, in color, as signs, or as JSON."""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from composer.analysis.hidden_states.music_features import music_features
from composer.analysis.hidden_states.run import HiddenStateModel, encode, load
from composer.analysis.hidden_states.text_features import text_features
from composer.analysis.hidden_states.unit_activations import UnitActivations, unit_activations
from composer.analysis.surprisal import step_onsets
from composer.api import Piece, ReadError, RejectedPiece, Score, Source, Step, StepKind
from composer.cli import inputs
from composer.cli.model_choice import choose_model
from composer.cli.render.piano_roll import GUTTER, MIN_WIDTH, roll, roll_text
from composer.cli.render.roll_layout import System, lay_out
from composer.cli.render.skipped import warn_of_skipped
from composer.cli.render.step_layout import Timeline, step_texts
from composer.cli.render.text import count_noun
from composer.system.escaping import escape

if TYPE_CHECKING:
    from rich.text import Text

    from composer.cli.console import Console

SIGNS = "▁▂▃▄▅▆▇█"
"""Activations without color, from the lowest to the highest of the unit."""

DISTANCES = (-0.6, -0.2, 0.2, 0.6)
"""Distances from the unit's median at which the color changes, as shares of the greatest; one less than COLORS."""

COLORS = ("white on #2456a6", "black on #9cc3ee", "", "black on #f5c27a", "white on #bf3a2b")
"""Backgrounds from far below the median to far above it; what is near it has none, so that the unusual stands out."""

SIXTEEN_COLORS = ("white on blue", "black on cyan", "", "black on yellow", "white on red")

MAX_SYSTEMS = 8
"""Maximum number of systems of a piano roll per piece on a terminal."""


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A piece with the units to show; `texts` are those of its steps if it is written, else it has a `score`."""

    piece: Piece
    steps: Sequence[Step]
    units: Sequence[UnitActivations]
    heading: str
    texts: Sequence[str] = ()
    score: Score | None = None


def show(
    console: Console, source: Source, checkpoint: Path | None, tune: int | None, limit: int,
    units: Sequence[int], as_json: bool,
) -> None:  # fmt: skip
    """Show units of a model over piece `tune` of `source`, else over the first `limit` pieces.

    Raises ReadError, CheckpointError, EncodeError, UsageError for a unit that the model does not have, and Unsupported
    if it has no hidden states.
    """
    skipped = list[RejectedPiece]()

    def read(path: Path) -> tuple[HiddenStateModel, Sequence[Piece], Iterator[Piece]]:
        model = load(path)
        skipped.clear()  # another model may read what this one does not
        pieces = inputs.pieces(source, model.representation, skipped=skipped)
        chosen = list(islice(pieces, tune - 1, tune) if tune is not None else islice(pieces, limit))
        for piece in chosen:
            encode(model, piece, labeled=True)
        return model, chosen, pieces

    model, chosen, pieces = choose_model(source, checkpoint, read, console)
    if not chosen:
        raise ReadError(f"{source.label} has no piece {tune}", "use a lower number; the first piece is --tune 1")
    found = [_measure(model, piece, units) for piece in chosen]
    if as_json:
        console.write(json.dumps([_to_json(model, each) for each in found], indent=2) + "\n")
    else:
        console.write_rendered("\n".join(_picture(console, model, each) for each in found))
    more = tune is None and next(pieces, None) is not None
    warn_of_skipped(console, skipped)
    if more:
        console.say(f"{source.label} has more pieces: --tune N shows one, --limit N shows more")


def _measure(model: HiddenStateModel, piece: Piece, units: Sequence[int]) -> _Shown:
    representation = model.representation
    score, steps = representation.score(piece), representation.encode(piece)
    steps = steps[:-1] if model.spec.kind is StepKind.TOKENS else steps
    texts = list[str]()
    features: Mapping[str, NDArray[np.float64]]
    if representation.native == representation.formats[0] or score is None:
        texts, score = step_texts(representation, steps)[0], None
        features = text_features(texts, representation.native)
    else:
        features = music_features(score, step_onsets(representation, steps))
    count, shown = unit_activations(model, piece, features, units)
    noun = representation.step_name
    heading = f"{count_noun(len(steps), noun)}, {count_noun(count, 'unit')}, model {model.name}"
    return _Shown(piece, steps, shown, heading, texts, score)


def _to_json(model: HiddenStateModel, shown: _Shown) -> dict[str, Any]:
    units = [
        {
            "unit": each.response.unit, "follows": each.response.feature or None, "r": round(each.response.r, 4),
            "steps": each.response.steps, "activations": [round(float(value), 4) for value in each.activations],
        }
        for each in shown.units
    ]  # fmt: skip
    texts = {"texts": list(shown.texts)} if shown.score is None else {}
    return {"piece": shown.piece.source, "title": shown.piece.title, "model": model.name, **texts, "units": units}


def _picture(console: Console, model: HiddenStateModel, shown: _Shown) -> str:
    """Return a piece as stdout can show it."""
    canvas = console.rich_console(console.stdout)
    colored = canvas.is_terminal and canvas.color_system is not None and not canvas.no_color
    name = shown.piece.title or shown.piece.source if shown.score is None else ""
    heading = f"{name}: {shown.heading}" if name else shown.heading
    if not colored:
        width, systems = console.width, MAX_SYSTEMS if console.stdout_is_terminal else None
        body = _plain_text(shown, width) if shown.score is None else _plain_roll(model, shown, width, systems)
        return escape(f"{heading}\n{body}")
    palette = COLORS if canvas.color_system in {"truecolor", "256"} else SIXTEEN_COLORS
    with canvas.capture() as drawn:
        canvas.print(heading, soft_wrap=True, markup=False)
        if shown.score is None:
            for unit in shown.units:
                canvas.print(_colored_text(shown.texts, unit, palette), soft_wrap=True)
        else:
            for text in _colored_roll(model, shown, console.width, palette):
                canvas.print(text, end="")
            canvas.print()
    return drawn.get()


def _follows(unit: UnitActivations) -> str:
    """Return what a unit follows, and how much of that is by correlation."""
    response = unit.response
    if not response.feature:
        return f"unit {response.unit}: follows no feature of this piece"
    return f"unit {response.unit}: {response.feature}, r = {response.r:+.2f} over {count_noun(response.steps, 'step')}"


def _plain_legend(unit: UnitActivations) -> str:
    return f"{_follows(unit)}; {SIGNS[0]} {unit.lowest:+.2f}, {SIGNS[-1]} {unit.highest:+.2f}"


def _legend(unit: UnitActivations, palette: Sequence[str]) -> Text:
    from rich.text import Text

    text = Text.assemble((_follows(unit), "bold"), "  ")
    low, *between, high = palette
    for value, styles in ((unit.lowest, [low, between[0]]), (unit.median, [between[-1], high]), (unit.highest, [])):
        text.append(f"{value:+.2f}{' ' * bool(styles)}")
        for style in styles:
            text.append("  ", style)
        text.append(" " * bool(styles))
    return text


def _colored_text(texts: Sequence[str], unit: UnitActivations, palette: Sequence[str]) -> Text:
    """Return the legend of a unit and the text below it, each step on the color of its activation."""
    text = _legend(unit, palette).append("\n")
    for chunk, value in zip(texts, unit.activations, strict=True):
        style = _style(unit, float(value), palette)
        for letter in chunk:
            if letter == "\n":
                text.append(" ", style).append("\n")
            else:
                text.append(_visible(letter), style)
    return text.append("" if text.plain.endswith("\n") else "\n")


def _style(unit: UnitActivations, value: float, palette: Sequence[str]) -> str:
    return palette[bisect(DISTANCES, unit.distance(value))]


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"


def _plain_text(shown: _Shown, width: int) -> str:
    """Return each unit with the text, and below each of its lines a line of signs."""
    from rich.cells import cell_len

    blocks = []
    for unit in shown.units:
        lines, above, below = [_plain_legend(unit)], "", ""
        for chunk, value in zip(shown.texts, unit.activations, strict=True):
            sign = SIGNS[unit.level(float(value), len(SIGNS))]
            for letter in chunk:
                ends, columns = letter == "\n", 1 if letter == "\n" else cell_len(_visible(letter))
                if len(below) + columns > width:
                    lines, above, below = [*lines, above.rstrip(), below], "", ""
                above, below = above + ("" if ends else _visible(letter)), below + sign * columns
                if ends:
                    lines, above, below = [*lines, above.rstrip(), below], "", ""
        lines += [above.rstrip(), below] if below else []
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _strip(system: System, timeline: Timeline, draw: Callable[[float], str]) -> Iterator[str]:
    """Yield what `draw` returns for the mean activation of the steps in each column of a system."""
    for column in range(system.columns):
        begin = system.start + column * system.cell
        values = timeline.during(begin, begin + system.cell)
        yield draw(sum(values) / len(values)) if values else " "


def _systems(score: Score, width: int, max_systems: int | None) -> Iterator[System]:
    return islice(lay_out(score, max(width, MIN_WIDTH) - GUTTER), max_systems)


def _timelines(model: HiddenStateModel, shown: _Shown) -> list[tuple[UnitActivations, Timeline]]:
    representation = model.representation
    return [(each, Timeline.of(representation, shown.steps, each.activations.tolist())) for each in shown.units]


def _plain_roll(model: HiddenStateModel, shown: _Shown, width: int, max_systems: int | None) -> str:
    """Return the piano roll in plain characters, with a row of signs for each unit below each system."""
    assert shown.score is not None
    caption, *drawn, rest = roll_text(shown.score, width, max_systems)
    timelines = _timelines(model, shown)
    parts = [*(_plain_legend(unit) + "\n" for unit in shown.units), caption]
    for text, system in zip(drawn, _systems(shown.score, width, max_systems), strict=True):
        parts.append(text)
        for unit, timeline in timelines:
            signs = _strip(system, timeline, lambda value, unit=unit: SIGNS[unit.level(value, len(SIGNS))])  # type: ignore[misc]
            parts.append(f"\n{unit.response.unit:>{GUTTER - 1}} {''.join(signs)}")
    return "".join([*parts, rest])


def _colored_roll(model: HiddenStateModel, shown: _Shown, width: int, palette: Sequence[str]) -> Iterator[Text]:
    """Yield the piano roll in color, with a colored row for each unit below each system."""
    from rich.text import Text

    assert shown.score is not None
    caption, *drawn, rest = roll(shown.score, width, MAX_SYSTEMS)
    timelines = _timelines(model, shown)
    for unit in shown.units:
        yield _legend(unit, palette).append("\n")
    yield caption
    for text, system in zip(drawn, _systems(shown.score, width, MAX_SYSTEMS), strict=True):
        yield text
        for unit, timeline in timelines:
            row = Text(no_wrap=True, end="").append(f"\n{unit.response.unit:>{GUTTER - 1}} ", "dim")
            for style in _strip(system, timeline, lambda value, unit=unit: _style(unit, value, palette)):  # type: ignore[misc]
                row.append(" ", style)
            yield row
    yield rest
