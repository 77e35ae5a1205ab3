"""`composer similar`: the nearest pieces by the hidden state of a model."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import CheckpointError
from composer.api.fields import check_ranges, option
from composer.cli.options_from import OptionsCommand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from composer.analysis.hidden_states.collection import Collection, PieceInfo
    from composer.analysis.hidden_states.run import HiddenStateModel
    from composer.cli.console import Console


@dataclass(frozen=True, slots=True)
class SimilarOptions:
    """Options of `composer similar`. Raises OptionError."""

    files: tuple[str, ...] = option(
        help="Files, folders, globs, zip archives, corpus:NAME, or - for stdin.", argument="FILE...", repeated=True
    )
    corpus: tuple[str, ...] = option(
        (),
        "Compare with these files, after the other files. [default: the training data, if it comes with music21]",
        metavar="FILE...", repeated=True,
    )  # fmt: skip
    checkpoint: Path | None = option(
        None, "Model name or file. [default: the one that generated the file]", "-c", metavar="NAME"
    )
    limit: int = option(
        5, "Number of similar pieces.", "-n", metavar="N", minimum=1, maximum=1000, hint="use 1 to 1,000"
    )
    as_json: bool = option(False, "Print JSON.", "--json")
    quiet: bool = option(False, "Print only results, warnings and errors.", "-q")

    def __post_init__(self) -> None:
        check_ranges(self)


def similar(console: "Console", options: SimilarOptions) -> None:
    """Find the most similar pieces, as a model hears them.

    The model reads each piece in a common key. The mean and spread of its hidden units are compared, so similar pieces
    have much of their rhythm, intervals and form in common. Similarity ranges from -1 to 1. Two random pieces score
    about 0, identical pieces 1. Identical pieces are left out.

    The first time, the model reads all pieces, which may take minutes. The results are cached.
    """
    from functools import cache

    from composer.cli import hidden_state_vectors

    console.quiet = options.quiet
    read_stdin = cache(console.read_bytes)
    model = hidden_state_vectors.choose(console, options.files, options.checkpoint, read_stdin)
    corpus = options.corpus or _training_data(model, options.files)
    queries = hidden_state_vectors.vectors_of(console, model, options.files, read_stdin)
    fewer = "" if options.corpus else "; to compare with fewer pieces, use --corpus FILES"
    console.say(f"comparing with {', '.join(corpus)} by model {model.name}{fewer}")
    reference = hidden_state_vectors.vectors_of(console, model, corpus, read_stdin)
    nearest = list(_nearest(queries, reference, options.limit))
    if options.as_json:
        found = [
            {**_to_json(piece), "similar": [{**_to_json(near), "similarity": value} for near, value in row]}
            for piece, row in zip(queries.pieces, nearest, strict=True)
        ]
        document = {"model": model.name, "corpus": list(corpus), "pieces": len(reference.pieces), "found": found}
        console.write(json.dumps(document, indent=2) + "\n")
        return
    for piece, row in zip(queries.pieces, nearest, strict=True):
        lines = [f"  {value:5.2f}  {hidden_state_vectors.name_of(near)}\n" for near, value in row]
        nothing = "  no other piece to compare it with\n"
        console.write(f"{hidden_state_vectors.name_of(piece)}\n{''.join(lines) or nothing}")


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("similar", similar, SimilarOptions, summary)


def _training_data(model: "HiddenStateModel", files: Sequence[str]) -> tuple[str, ...]:
    """Return the training data of a model. Raises CheckpointError if only its name is known."""
    data = model.record.get("data")
    if isinstance(data, list) and data and all(isinstance(each, str) and each.startswith("corpus:") for each in data):
        return tuple(data)
    raise CheckpointError(
        f"the training data of model {model.name} does not come with music21",
        f"name what to compare with: composer similar {shlex.join(files[:1])} --corpus FOLDER",
    )


def _to_json(piece: "PieceInfo") -> dict[str, Any]:
    return {"piece": piece.name, "title": piece.title}


def _nearest(queries: "Collection", reference: "Collection", limit: int) -> "Iterator[list[tuple[PieceInfo, float]]]":
    """Yield the `limit` most similar other pieces for each query, with their similarity."""
    import numpy as np

    from composer.analysis.hidden_states.piece_vectors import similarities

    for piece, row in zip(queries.pieces, similarities(queries.vectors, reference.vectors), strict=True):
        others = (int(index) for index in np.argsort(-row, kind="stable"))
        near = [index for index in others if reference.pieces[index].digest != piece.digest][:limit]
        yield [(reference.pieces[index], round(float(row[index]), 4)) for index in near]
