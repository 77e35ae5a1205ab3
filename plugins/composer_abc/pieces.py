"""Read the tunes of a text as pieces: rewritten in the dialect, raw, or as a primer; and melodies of other music."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from composer.api import EncodeError, Piece, ReadError, RejectedPiece, Score, Source
from composer.formats.provenance import without_provenance
from composer.formats.read import MUSIC_SUFFIXES, music_suffix, read_scores
from composer_abc import titles

if TYPE_CHECKING:
    from composer.formats.abc.dialect.normalize import NormalizedTune
    from composer.formats.abc.reader.lexer import TuneText

NUMBER_LINE = re.compile(r"X:[^\n]*(\n|$)")
"""The line with a tune's number."""

_OTHER_SUFFIXES = frozenset(MUSIC_SUFFIXES) - {".abc"}


def is_text(source: Source) -> bool:
    """Return whether `source` is to be read as ABC or any text, by its content, else its suffix."""
    found = music_suffix(source)
    return found == ".abc" if found else source.path.suffix.lower() not in _OTHER_SUFFIXES


def melody_pieces(source: Source, piece_of: Callable[[Score], Piece[str]]) -> Iterator[Piece[str] | RejectedPiece]:
    """Yield the melodies of music in other formats as tunes of the dialect, which `piece_of` writes."""
    for name, score in read_scores(source):
        if isinstance(score, RejectedPiece):
            yield score
            continue
        try:
            yield replace(piece_of(score), source=name)
        except EncodeError as error:
            yield RejectedPiece(error.message.removeprefix("the score "), name)


def dialect_pieces(text: str, source: Source) -> Iterator[Piece[str] | RejectedPiece]:
    """Yield the tunes of a text, rewritten in the dialect."""
    from composer.formats.abc.reader.lexer import split_tunes

    for number, tune in enumerate(split_tunes(text, source.label), 1):
        first = tune.lines[0] if tune.lines else ""
        numbered = first[2:].strip() if first.startswith("X:") else ""
        read = _infill_piece if source.infill else _dialect_piece
        yield _read_or_reject(read, tune, f"{source.label}: tune {numbered or number}")


def raw_pieces(text: str, source: Source) -> Iterator[Piece[str] | RejectedPiece]:
    """Yield each block of lines between blank ones as a piece; blocks without notes are rejected."""
    from composer.formats.abc.reader.lexer import TuneText

    lines, start = text.split("\n"), 0
    for stop, line in enumerate([*lines, ""]):
        if line.strip():
            continue
        if stop > start:
            block = TuneText(tuple(without_provenance(lines[start:stop])), start + 1)
            yield _read_or_reject(_raw_piece, block, source.label)
        start = stop + 1


def _read_or_reject(
    read: Callable[[TuneText, str], Piece[str] | RejectedPiece], tune: TuneText, name: str
) -> Piece[str] | RejectedPiece:
    """Read one tune; if it breaks the reader, reject it, so that the others in its file are read."""
    try:
        return read(tune, name)
    except ReadError as error:
        return RejectedPiece("too long", name, f"line {tune.first}: {error.message}")
    except (ArithmeticError, ValueError, RecursionError) as error:
        return RejectedPiece("unreadable tune", name, f"line {tune.first}: {error}")


def _dialect_piece(tune: TuneText, name: str) -> Piece[str] | RejectedPiece:
    from composer.formats.abc.dialect.normalize import normalize

    return _piece(normalize(tune, name), name)


def _infill_piece(tune: TuneText, name: str) -> Piece[str] | RejectedPiece:
    from composer.formats.abc.dialect.primer import normalized_infill

    normal = normalized_infill(tune, name)
    return _piece(normal, name) if isinstance(normal, RejectedPiece) else _piece(_with_letters(normal), name)


def _piece(normal: NormalizedTune | RejectedPiece, name: str) -> Piece[str] | RejectedPiece:
    if isinstance(normal, RejectedPiece):
        return normal
    labels = {"rhythm": normal.rhythm, "meter": normal.meter, "key": normal.key, "mode": normal.mode}
    known = {kind: label for kind, label in labels.items() if label}
    return Piece(normal.text, normal.title, name, known, normal.losses)


def _raw_piece(text: TuneText, name: str) -> Piece[str] | RejectedPiece:
    from composer.formats.abc.dialect.tables import rhythm_of
    from composer.formats.abc.elements import Sound
    from composer.formats.abc.reader.parser import parse_tune
    from composer.music.keys import Time

    tune = parse_tune(text)
    number = tune.first("X").strip()
    name = f"{name}: {f'tune {number}' if number else f'line {text.first}'}"
    if not any(isinstance(each, Sound) and each.tones for part in tune.voices.values() for each in part):
        return RejectedPiece("no notes", name, f"line {text.first}" if number else "")
    time, key = tune.time or Time(free=True), tune.key
    labels = {
        "rhythm": rhythm_of(tune.first("R"), tune.title),
        "meter": "" if time.free else str(time),
        "key": key.name if key else "",
        "mode": key.mode if key else "",
    }
    known = {kind: label for kind, label in labels.items() if label}
    return Piece(text.text, tune.title, name, known)


def primer_pieces(text: str, source: Source, raw: bool) -> Iterator[Piece[str] | RejectedPiece]:
    """Yield a primer: unchanged if a tune of the dialect may start with it, else rewritten if it has notes.

    A finished tune is kept whole: another part may follow after `:|`, nothing after `|]`. Provenance is removed.
    Further tunes in the text come after it, as whole ones.
    """
    from composer.formats.abc.reader.lexer import split_tunes

    tunes = [] if raw else split_tunes(text)
    primer = _primer_piece(text, tunes, source, raw)
    yield primer
    if isinstance(primer, Piece):
        yield from (_read_or_reject(_dialect_piece, tune, source.label) for tune in tunes[1:])


def _primer_piece(text: str, tunes: Sequence[TuneText], source: Source, raw: bool) -> Piece[str] | RejectedPiece:
    from composer.formats.abc.dialect.primer import dialect_primer, normalized_primer

    if tunes and tunes[0].lines[0].startswith("X:"):
        text = NUMBER_LINE.sub("", tunes[0].text, count=1)
    text = "\n".join(without_provenance(text.split("\n")))
    if raw:
        return Piece(text, source=source.label)
    legal = dialect_primer(text)
    rewritten = normalized_primer(tunes[0], source.label) if tunes and legal is None else None
    if isinstance(rewritten, RejectedPiece):
        return rewritten
    if rewritten is None:
        return Piece(legal or text, source=source.label)
    return Piece(rewritten.text, rewritten.title, source.label, losses=_with_letters(rewritten).losses)


def _with_letters(normal: NormalizedTune) -> NormalizedTune:
    """Count the letters of the title that the dialect writes without their accents."""
    letters = titles.count_accented(normal.title)
    return replace(normal, losses={**normal.losses, titles.LETTERS_REPLACED: letters}) if letters else normal


def in_other_keys(piece: Piece[str], raw: bool, only: str = "") -> Iterator[Piece[str]]:
    """Yield a tune in other keys, or in those with as many signs as the key `only`; raw text is otherwise unchanged."""
    from composer.formats.abc.dialect.transpose import transpositions
    from composer.formats.abc.raw_transpose import text_transpositions

    text = piece.content
    moved = text_transpositions(text, only) if raw else ((each.text, each.key) for each in transpositions(text, only))
    for text, key in moved:
        yield Piece(text, piece.title, f"{piece.source} in {key}", {**piece.labels, "key": key})


def from_score(score: Score, raw: bool, *, as_primer: bool) -> Piece[str]:
    """Return a score as a tune of the dialect, with a number if it is `raw`. Raises EncodeError."""
    from composer.formats.abc.writer.score import dialect_with_losses

    text, losses = dialect_with_losses(score, as_primer=as_primer)
    return Piece(f"X:1\n{text}" if raw else text, score.title, labels=_header_labels(text), losses=losses)


def _header_labels(text: str) -> dict[str, str]:
    """Return the meter, key and mode in the header of a tune of the dialect."""
    from composer.music.keys import parse_key

    meter, key = (re.search(rf"^{field}:(.*)$", text, re.MULTILINE) for field in "MK")
    signature = parse_key(key[1]) if key else None
    labels = {"meter": meter[1] if meter else ""}
    return labels | ({"key": signature.name, "mode": signature.mode} if signature is not None else {})
