"""Read the primer that a piece continues, or the tune that it is an infill of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from composer.api import Piece, ReadError, RejectedPiece, Representation, Score, Source, Step
from composer.check.loss_phrases import summary
from composer.cli import inputs
from composer.cli.console import Console
from composer.cli.gen.heading import Heading, heading_of, keeps_text, read_score
from composer.cli.render.skipped import skipped_text
from composer.cli.render.text import count_noun
from composer.formats.read import no_music_hint
from composer.music.bars import count_bars

MAX_BYTES = 16 * 1024 * 1024
"""Of a primer: a model continues what fits its memory of the last few hundred steps."""

NoPrimer = Callable[[Source, Representation, RejectedPiece | None], ReadError]
"""Returns the error for a source with nothing to continue, with the first piece that was rejected, if any was."""


class Primer(NamedTuple):
    """The steps to continue, the labels of their piece, and notes on what of it is lost or ignored.

    The `heading` is what the steps do not hold.
    """

    steps: tuple[Step, ...] = ()
    labels: Mapping[str, str] = {}
    notes: Sequence[str] = ()
    heading: Heading = Heading()


class InfilledTune(NamedTuple):
    """The tune to infill, with notes and the heading as in Primer."""

    piece: Piece
    notes: Sequence[str]
    heading: Heading = Heading()


def read_primer(
    representation: Representation,
    console: Console,
    file: str | None = None,
    text: str | None = None,
    controls: Any = None,
) -> Primer:
    """Return the primer in a file (`-` for stdin) or a text; an empty one without either.

    Music that the representation does not read is converted by way of a score. The end of a complete piece is dropped
    if the `controls` ask for more. Raises ReadError if there is nothing, or
    no music, in it, EncodeError for symbols that the model does not know.
    """
    if text is None and file is None:
        return Primer()
    source = _source(console, file, text, fragment=True)
    piece, begun, notes = _first(representation, source, _no_primer)
    steps, note = representation.continued(begun, controls)
    notes = [*notes, *([f"{source.label}: {note}"] if note else [])]
    found = read_score(representation, source, piece)
    heading = heading_of(representation, source, *found) if found is not None else Heading()
    return Primer(tuple(steps), piece.labels, notes, heading)


def primer_of(representation: Representation, source: Source, no_primer: NoPrimer) -> Primer:
    """Return the primer in a source, as `read_primer` does; `no_primer` returns the error if there is none."""
    piece, steps, notes = _first(representation, source, no_primer)
    return Primer(steps, piece.labels, notes)


def read_whole_piece(
    representation: Representation,
    console: Console,
    file: str | None = None,
    text: str | None = None,
    flags: Sequence[str] = (),
) -> InfilledTune:
    """Return the whole piece in a file or a text, for infill. Raises as `read_primer` does.

    If --keep-bars is one of the `flags`, a note says how bars are counted if `composer show` numbers them differently.
    """
    source = _source(console, file, text, fragment=False)
    piece, _, notes = _first(representation, source, _no_primer)
    if (found := read_score(representation, source, piece)) is None:
        return InfilledTune(piece, notes)
    heading = heading_of(representation, source, *found)
    if keeps_text(representation, source):
        return InfilledTune(piece, notes, heading)
    if "--keep-bars" in flags and found[0].bar_numbers:
        notes = [*notes, f"{source.label}: {_numbering(found[0])}"]
    return InfilledTune(_in_first_meter(piece, found[0]), notes, heading)


def _in_first_meter(piece: Piece, score: Score) -> Piece:
    """Return `piece` with the first meter of its `score` if it has none, since the meter changes."""
    if "meter" in piece.labels or not score.meters:
        return piece
    _, numerator, denominator = score.meters[0]
    return replace(piece, labels={**piece.labels, "meter": f"{numerator}/{denominator}"})


def _numbering(score: Score) -> str:
    """Return a note that the bars of the piece are not counted by the numbers that `composer show` prints."""
    bars = count_noun(count_bars(score), "bar")
    return f"counting {bars} as played, with repeats; `composer show` numbers them as written"


def _source(console: Console, file: str | None, text: str | None, *, fragment: bool) -> Source:
    """Return the prompt, read once, since a pipe cannot be read twice. Raises ReadError if it is empty."""
    if text is not None:
        name, data = "--prime-text", text.encode("utf-8", "surrogateescape")
    elif file == "-":
        name, data = "stdin", console.read_bytes()
    else:
        assert file is not None
        name, data = file, Source(Path(file), name=file, limit=MAX_BYTES).bytes()
    if not data:
        why, hint = (", so there is nothing to continue", "use another primer") if fragment else ("", no_music_hint())
        raise ReadError(f"{name} is empty{why}", "check the command before the pipe" if file == "-" else hint)
    path = Path("-" if file == "-" else name)
    typed = text is not None
    return Source(path, name=name, data=data, fragment=fragment, infill=not fragment, typed=typed, limit=MAX_BYTES)


def _first(
    representation: Representation, source: Source, no_primer: NoPrimer
) -> tuple[Piece, tuple[Step, ...], Sequence[str]]:
    """Return the first piece of `source`, its steps, and what is lost or ignored."""
    from_score, no_pieces = (representation.primer_from_score, no_primer) if source.fragment else (None, None)
    skipped = list[RejectedPiece]()
    pieces = inputs.pieces(source, representation, from_score, no_pieces, skipped)
    piece = next(pieces)
    notes = [skipped_text(each) for each in skipped]
    steps = tuple(representation.prime(piece))
    if source.fragment and not steps:
        raise no_primer(source, representation, None)
    losses = representation.losses(piece)
    notes += [f"{source.label}: {summary(losses)}"] if losses else []
    if next(pieces, None) is not None:
        notes.append(f"{source.label} contains several pieces; using the first")
    return piece, steps, notes


def _no_primer(source: Source, representation: Representation, rejected: RejectedPiece | None) -> ReadError:
    if rejected is None:
        return ReadError(f"nothing to continue in {source.label}", "use another primer")
    reason = f"{rejected.reason} ({rejected.detail})" if rejected.detail else rejected.reason
    hint = rejected.hint or "fix it, or use another primer"
    return ReadError(f"cannot use {source.label} as a primer: {reason}", hint)
