"""ABC files: recognize, read tune by tune, and write a score."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from composer.api import ReadError, RejectedPiece, Score, Source, Tempo
from composer.formats.limits import exceeded_limit
from composer.formats.settings import WriteSettings

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TUNE = re.compile(rb"(?:\A(?:\xff\xfe|\xfe\xff|\xef\xbb\xbf)?|[\r\n])[XK]:")


def is_abc(data: bytes) -> bool:
    """Return whether `data` is text with a line that begins with `X:` or `K:`."""
    if data[:2] in _UTF16:
        data = data.replace(b"\0", b"")
    return b"\0" not in data and bool(_TUNE.search(data))


def read_pieces(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score | RejectedPiece]]:
    """Yield the name and score of each tune."""
    from composer.formats.abc.reader.lexer import split_tunes
    from composer.formats.abc.reader.score import ImpossibleLength, NoNotes, read_tune

    for position, tune in enumerate(split_tunes(source.text(), source.label), 1):
        first_line = tune.lines[0] if tune.lines else ""
        number = first_line[2:].strip() if first_line.startswith("X:") else ""
        name = f"{source.label}: tune {number or position}"
        try:
            score = read_tune(tune)
            fault = exceeded_limit(score)
            yield name, RejectedPiece(fault, name, f"line {tune.first}") if fault else score
        except (ImpossibleLength, NoNotes) as error:
            yield name, RejectedPiece(error.reason, name, error.place, error.hint or "")
        except (ReadError, ArithmeticError, ValueError, RecursionError) as error:
            yield name, RejectedPiece(str(error), name, f"line {tune.first}")


def unscored(source: Source) -> Iterator[Mapping[str, int]]:
    """Count what each tune has that a score has no place for, such as lyrics, by phrase as in `Score.losses`."""
    from composer.formats.abc.reader.lexer import split_tunes
    from composer.formats.abc.reader.parser import parse_tune

    for tune in split_tunes(source.text(), source.label):
        try:
            yield +parse_tune(tune).unscored
        except ReadError:  # it has no score either
            yield {}


def write(score: Score, settings: WriteSettings) -> bytes:
    """Return `score` as a file of one tune."""
    from composer.formats.abc.writer.score import write

    if settings.title:
        score = replace(score, title=settings.title)
    if settings.tempo is not None:
        score = replace(score, tempos=(Tempo(Fraction(0), settings.tempo),))
    if settings.instrument is not None:
        score = replace(score, parts=tuple(replace(part, program=settings.instrument) for part in score.parts))
    return write(score).encode("utf-8", "replace")
