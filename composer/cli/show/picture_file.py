"""Write what `composer show` shows as a picture file: a piano roll, sheet music or a training curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import Note, Score, UsageError
from composer.cli.output.files import check_replaceable, new_folder_note, save
from composer.cli.render.text import count_noun, join_names
from composer.pictures.extra import KINDS

if TYPE_CHECKING:
    from composer.analysis.surprisal import Surprisal
    from composer.api import Piece
    from composer.checkpoints.load import LoadedModel
    from composer.cli.console import Console
    from composer.cli.render.step_layout import Timeline
    from composer.pictures.roll import RollPiece


@dataclass(frozen=True)
class PictureFile:
    """A picture file to be written; `kind` is `roll` or `sheet`, None for what is usual for its suffix."""

    path: Path
    kind: str | None
    force: bool
    console: Console

    def __post_init__(self) -> None:
        if self.suffix not in KINDS:
            problem = f"unknown suffix '{self.path.suffix}'" if self.path.suffix else f"{self.path} has no suffix"
            raise UsageError(problem, f"use {join_names(KINDS, 'or')}, such as --output {self.path.stem or 'roll'}.svg")
        check_replaceable(self.path, force=self.force)

    @property
    def suffix(self) -> str:
        """The suffix in small letters."""
        return self.path.suffix.lower()

    @property
    def is_sheet(self) -> bool:
        """Whether to engrave sheet music; PDF files hold it unless a roll is asked for."""
        return (self.kind or ("sheet" if self.suffix == ".pdf" else "roll")) == "sheet"

    def write_pieces(self, pieces: Sequence[RollPiece]) -> None:
        """Draw the pieces. Raises ComposerError if a library is missing, or nothing can be drawn."""
        if self.is_sheet:
            from composer.pictures.rasterize import combine
            from composer.pictures.sheet import engrave

            paged = self.suffix == ".pdf"
            pages = [page for piece in pieces for page in engrave(piece.score, paged=paged)]
            self._save(combine(pages, self.suffix), count_noun(len(pages), "page") if paged else "")
            return
        from composer.pictures.roll import draw_rolls

        data, omitted = draw_rolls(pieces, self.suffix)
        self._save(data)
        if omitted:
            self.console.say(f"{self.path}: {count_noun(omitted, 'bar')} left out; --tune N draws one piece")

    def write_curve(self, model: Path) -> None:
        """Draw the training curve of the model. Raises UsageError, CheckpointError, ComposerError."""
        from composer.checkpoints import file as checkpoint_file
        from composer.checkpoints.store import PRETRAINED
        from composer.pictures.curves import draw_curve

        if self.kind is not None:
            raise UsageError(f"{model.stem} is a model, not a piece", "leave out --picture to draw its training curve")
        header = checkpoint_file.read_header(model)
        train = f"composer train {header.representation} FILES --name mine; composer show mine --output {self.path}"
        bundled = "bundled models have none; " if model.parent == PRETRAINED else ""
        hint = f"{bundled}train your own: {train}"
        self._save(draw_curve(header.record, model.stem, self.suffix, hint))

    def _save(self, data: bytes, note: str = "") -> None:
        folder = new_folder_note(self.path.parent)
        save(self.path, data, replace=self.force)
        self.console.say(f"wrote {self.path}{f': {note}' if note else ''}{folder}")


def as_roll_piece(score: Score, name: str) -> RollPiece:
    """Return a score with the facts that are drawn under its title."""
    from composer.cli.render.facts import facts
    from composer.pictures.roll import RollPiece

    return RollPiece(score, name, " · ".join(facts(score)))


def with_surprisal(model: LoadedModel, piece: Piece, found: Surprisal, name: str) -> RollPiece:
    """Return a piece whose notes are colored by surprisal. Raises UsageError without notes, Unsupported."""
    from composer.cli.render.step_layout import Timeline
    from composer.cli.render.surprisal import LEVELS
    from composer.pictures.roll import RollPiece, Surprise

    score = model.representation.score(piece)
    if score is None:
        raise UsageError("text has no notes to draw", "leave out --output to color the text in the terminal")
    bits_of = _bits_of(Timeline.of(model.representation, found.steps, found.bits), score)
    facts = f"{found.total:,.1f} bits, {found.mean:.2f} bits per step, model {name}"
    return RollPiece(score, piece.title or piece.source, facts, Surprise(bits_of, LEVELS))


def _bits_of(timeline: Timeline, score: Score) -> Callable[[Note], float]:
    """Return a function for the bits of the most surprising step from the onset of a note to the next onset."""
    from composer.music.sounding import sounding_parts

    onsets = sorted({note.onset for part in sounding_parts(score) for note in part.notes})
    until: dict[Fraction, Fraction] = dict(zip(onsets, [*onsets[1:], score.duration], strict=True))

    def bits(note: Note) -> float:
        return max(timeline.during(note.onset, until[note.onset]), default=0.0)

    return bits
