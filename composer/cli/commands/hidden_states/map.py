"""`composer map`: a collection on a plane, with clusters of similar pieces."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import OptionError, ReadError, UsageError
from composer.api.fields import check_ranges, option
from composer.cli.options_from import OptionsCommand
from composer.cli.render.text import count_noun

if TYPE_CHECKING:
    from composer.analysis.hidden_states.collection import Collection as PieceCollection
    from composer.analysis.hidden_states.collection import PieceInfo
    from composer.analysis.hidden_states.run import HiddenStateModel
    from composer.cli.console import Console
    from composer.cli.render.map_svg import PieceMap

SUFFIXES = (".svg", ".json")


@dataclass(frozen=True, slots=True)
class MapOptions:
    """Options of `composer map`. Raises UsageError, OptionError."""

    files: tuple[str, ...] = option(
        help="Files, folders, globs, zip archives, corpus:NAME, or - for stdin.", argument="FILE...", repeated=True
    )
    output: Path | None = option(None, "Output file; the suffix is .svg or .json.", "--output", "-o", metavar="FILE")
    clusters: int | None = option(
        None, "Number of clusters. [default: chosen for the best separation]",
        metavar="N", minimum=1, maximum=100, hint="use 1 to 100",
    )  # fmt: skip
    checkpoint: Path | None = option(
        None, "Model name or file. [default: the one that generated the first file]", "-c", metavar="NAME"
    )
    seed: int = option(
        1, "Random seed of the search for clusters.",
        metavar="N", minimum=0, maximum=2**63 - 1, hint="use a whole number from 0 to 9223372036854775807",
    )  # fmt: skip
    force: bool = option(False, "Overwrite the output file.")
    quiet: bool = option(False, "Print only results, warnings and errors.", "-q")

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.output is None:
            raise UsageError("composer map needs an output file", "add --output map.svg")
        if self.output.suffix.lower() not in SUFFIXES:
            hint = f"use --output {self.output.with_suffix('.svg').name or 'map.svg'}"
            raise UsageError(f"a map can only be .svg or .json: '{self.output.name}'", hint)


def map(console: "Console", options: MapOptions) -> None:  # noqa: A001 - the command's name
    """Draw a map of a collection by similarity.

    Each piece is a point, and similar pieces are near each other. Similarity is that of `composer similar`. Distances
    between far points mean little: the layout (t-SNE) only keeps neighbors together. Point at a piece in a web browser
    to read its title. Colors mark clusters. The legend lists the labels that are more common in each cluster than
    elsewhere. The message at the end gives the silhouette: near 1 the clusters are well separated, near 0 they overlap.
    """
    from composer.cli import hidden_state_vectors
    from composer.cli.output.files import check_replaceable, save
    from composer.cli.render.map_svg import svg

    assert options.output is not None
    console.quiet = options.quiet
    check_replaceable(options.output, force=options.force)
    read_stdin = cache(console.read_bytes)
    model = hidden_state_vectors.choose(console, options.files, options.checkpoint, read_stdin)
    found = hidden_state_vectors.vectors_of(console, model, options.files, read_stdin)
    if len(found.pieces) < 2:
        raise ReadError("a map needs at least 2 pieces, but got only 1", "name more files, or a folder")
    if (options.clusters or 0) > len(found.pieces):
        raise OptionError(
            f"--clusters {options.clusters} is more than the {len(found.pieces)} pieces",
            "leave out --clusters",
            flags=("--clusters",),
        )
    drawn, silhouette = _draw(console, found, options, model)
    as_json = options.output.suffix.lower() == ".json"
    text = _json(drawn, found, silhouette) if as_json else svg(drawn)
    save(options.output, text.encode("utf-8", "replace"), replace=options.force)
    console.say(f"{options.output}: {drawn.caption} (silhouette {silhouette:.2f})")
    for number, description in enumerate(drawn.descriptions):
        size = count_noun(int((drawn.clusters == number).sum()), "piece")
        console.say(f"{number + 1:>3}: {size}{f', {description}' if description else ''}")


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("map", map, MapOptions, summary)


def _draw(
    console: "Console", found: "PieceCollection", options: MapOptions, model: "HiddenStateModel"
) -> "tuple[PieceMap, float]":
    """Return the map of a collection, and the silhouette of its clusters."""
    from composer.analysis.hidden_states.clusters import describe, find_clusters
    from composer.analysis.hidden_states.layout import lay_out, principal_components
    from composer.analysis.hidden_states.piece_vectors import standardized
    from composer.cli.hidden_state_vectors import name_of
    from composer.cli.render.map_svg import PieceMap
    from composer.cli.render.reading_progress import ReadingProgress

    points = principal_components(standardized(found.vectors))
    with ReadingProgress(console) as progress:
        finding = partial(progress.update_share, "finding clusters")
        clusters = find_clusters(points, options.clusters, options.seed, finding)
        places = lay_out(points, partial(progress.update_share, "placing the pieces"))
    caption = f"{count_noun(len(found.pieces), 'piece')}, {count_noun(clusters.number, 'cluster')}, model {model.name}"
    descriptions = describe(_labels(found.pieces, model.representation.labels), clusters.of_piece)
    names = [name_of(piece) for piece in found.pieces]
    return PieceMap(caption, names, places, clusters.of_piece, descriptions), clusters.silhouette


def _labels(pieces: "Sequence[PieceInfo]", names: Collection[str]) -> list[dict[str, str]]:
    """Return the labels of each piece with these `names`, by default all, and its file if that holds other pieces too.

    Labels without a name here, such as the length of a pickup, say nothing by their value alone.
    """
    files = [Path(piece.name.partition(": ")[0]).name for piece in pieces]
    sizes = Counter(files)
    labels = []
    for piece, file in zip(pieces, files, strict=True):
        own = {name: value for name, value in piece.labels.items() if name in names or not names}
        labels.append({**own, "file": file} if sizes[file] > 1 else own)
    return labels


def _json(drawn: "PieceMap", found: "PieceCollection", silhouette: float) -> str:
    clusters = [
        {"cluster": number + 1, "pieces": int((drawn.clusters == number).sum()), "typical": description}
        for number, description in enumerate(drawn.descriptions)
    ]
    pieces = [
        {
            "piece": piece.name, "title": piece.title, "x": round(float(x), 4), "y": round(float(y), 4),
            "cluster": int(cluster) + 1,
        }
        for piece, (x, y), cluster in zip(found.pieces, drawn.places, drawn.clusters, strict=True)
    ]  # fmt: skip
    return json.dumps({"silhouette": round(silhouette, 4), "clusters": clusters, "pieces": pieces}, indent=2) + "\n"
