"""Write a score in a format, and count what the written file lacks by reading it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from composer import formats
from composer.api import ComposerError, EncodeError, ReadError, Representation, Score, Source, UsageError
from composer.cli.convert.losses import VOICES_LOST, lost_notes, lost_signs
from composer.cli.convert.pieces import FoundPiece, notation_of
from composer.cli.output.booklet import COLLECTIONS
from composer.cli.output.encoders import encode_piece
from composer.cli.render.text import join_names
from composer.formats import Format, WriteSettings, all_formats, provenance
from composer.formats.read import read_playable
from composer.music.rounding import has_note_values, rounded

Losses = Counter[str]
Write = Callable[[FoundPiece], tuple[bytes, Losses]]
"""Returns a piece in a format, and what was lost since it was read, by phrase. Raises ComposerError."""


def make_writer(
    chosen: Format, soundfont: str = "", progress: Callable[[float], object] | None = None
) -> tuple[Write, bool]:
    """Return the function that writes pieces in a format, and whether a file may hold many. Raises UsageError.

    `progress` is called with the share of a piece that is rendered as sound.
    """
    if soundfont and not chosen.rendered_from:
        raise UsageError(
            f"--soundfont has no effect on `{chosen.name}`",
            "use --to wav, or leave out --soundfont",
            flags=("--soundfont",),
        )
    settings = WriteSettings(soundfont=soundfont, progress=progress)
    if chosen.write is not None:
        return lambda piece: _write_music(chosen, piece, settings), chosen.name in COLLECTIONS
    kind = notation_of(chosen)
    if kind is None:
        raise UsageError(f"music cannot be written as `{chosen.name}`", f"use --to {written_formats()}")
    return lambda piece: _write_notation(kind, piece), True


def is_written(found: Format) -> bool:
    """Return whether music can be written in a format."""
    return found.write is not None or notation_of(found) is not None


def written_formats() -> str:
    """Return the names of the formats that music can be written in, as a list in words."""
    return join_names(sorted(name for name, each in all_formats().items() if is_written(each)), "or")


def _write_music(chosen: Format, piece: FoundPiece, settings: WriteSettings) -> tuple[bytes, Losses]:
    assert isinstance(piece.score, Score)
    score = piece.score
    try:
        # MIDI keeps all times, and text formats those that can be read
        music = score if chosen.binary or has_note_values(score) else rounded(score)
        data = formats.write(chosen.name, music, settings)
    except EncodeError:
        data = formats.write(chosen.name, rounded(score), settings)
    losses = Losses(score.losses)
    if chosen.read is not None:
        written = Source(Path(f"again{chosen.suffixes[0]}"), piece.name, data=data, temporary=True)
        again = _read_back(written, chosen)
        losses += lost_notes(score, again) + lost_signs(score, again)
        losses += _lost_voices(piece, chosen, data, again)
    if piece.made_by is not None and chosen.mark is not None:
        return provenance.mark(chosen.name, data, piece.made_by.changed_by("convert")), losses
    losses["provenance left out"] += piece.made_by is not None
    return data, +losses


def _lost_voices(piece: FoundPiece, chosen: Format, data: bytes, again: Score) -> Losses:
    """Count the voices of MusicXML that share a staff and are not voices in a file of notation, which reads `again`."""
    from composer.formats.musicxml.reader import read_voices

    if not piece.notation or chosen.name not in ("abc", "musicxml"):
        return Losses()
    shared = [voice for staff in read_voices(piece.notation, piece.name) if len(staff) > 1 for voice in staff]
    if not shared:
        return Losses()
    if chosen.name == "musicxml":
        written = [voice for staff in read_voices(data, piece.name) for voice in staff]
    else:
        written = [frozenset((note.onset, note.pitch) for note in part.notes) for part in again.parts]
    return Losses({VOICES_LOST: sum(voice not in written for voice in shared)})


def _read_back(written: Source, chosen: Format) -> Score:
    """Return the score in a written file. Raises ComposerError that does not blame the file it was made from."""
    try:
        return next(iter(read_playable(written)))
    except ReadError as error:
        raise ComposerError(
            f"the {chosen.name} written for it cannot be read again: {error.message}", "choose another format with --to"
        ) from error


def _write_notation(kind: type[Representation], piece: FoundPiece) -> tuple[bytes, Losses]:
    """Return a piece in the notation of a representation, whose vocabulary is that of the piece alone."""
    assert isinstance(piece.score, Score)
    assert kind.native is not None
    representation = kind()
    encoded = representation.from_score(piece.score)
    representation.fit([encoded])
    data = encode_piece(representation, representation.prime(encoded), kind.native)
    again = representation.score(replace(encoded, title="", labels={}))
    if again is None or not again.is_audible:
        raise ComposerError(f"{piece.name} has no notes that `{kind.name}` can write", "use --to midi")
    losses = Losses(representation.losses(encoded)) + lost_signs(piece.score, again)
    losses["provenance left out"] += piece.made_by is not None
    return data, +losses
