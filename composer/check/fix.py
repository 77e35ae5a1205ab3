"""A file mended: small faults where they stand, bars and repeats by writing the tune anew in the regular dialect.

What is well is left as it is, letter by letter. What nobody can know is left too, and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from composer import formats
from composer.api import ComposerError, RejectedPiece, Source
from composer.check.abc_layout import number_of, running_on
from composer.check.abc_patches import patched
from composer.check.abc_tunes import all_problems, tune_problems
from composer.check.problem import Problem
from composer.check.score_sanity import sounding_problems
from composer.check.text_encoding import decoded, repaired
from composer.formats import read as score_files
from composer.formats.abc.dialect.normalize import Normal, normalise
from composer.formats.abc.reader.lexer import TuneText, field_of, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.midi import reader as midi_reader

__all__ = ["Mended", "Note", "mended"]


@dataclass(frozen=True, slots=True)
class Note:
    """What was done, or could not be, about the piece that begins at `line` (0: the file)."""

    line: int
    tune: str
    message: str


@dataclass(frozen=True, slots=True)
class Mended:
    """What is to be written with `suffix`; None where nothing could be mended.

    `changes` say what was, and `left` what could not be.
    """

    data: bytes | None
    suffix: str = ""
    changes: tuple[Note, ...] = ()
    left: tuple[Note, ...] = ()


_BEYOND = {
    "duplicate": "which one to keep is for you to say",
    "music cut off": "take the blank line out, or give it an `X:` line",
    "tune without a number": "give it an `X:` line",
    "no tune": "a tune begins with an `X:` line",
}
"""Faults of a file that nobody else can mend, and what its owner can do."""


def mended(source: Source, problems: Sequence[Problem]) -> Mended:
    """`source`, in which `problems` were found, without those that can be mended. Raises ReadError."""
    suffix = score_files.suffix_of(source)
    if suffix == ".mid":
        return _midi(source)
    foreign = suffix == ".musicxml" or any(each.kind == "no music" for each in problems)
    found = decoded(source.bytes()) if not foreign else None
    if found is None:
        return Mended(None, left=tuple(Note(each.line, each.tune, each.message) for each in problems))
    changes = [Note(each.line, "", f"{each.kind}: written as UTF-8") for each in found.problems]
    text, left = repaired(found.text), list[Note]()
    if suffix == ".abc" or source.path.suffix.lower() == ".abc":
        text = _tunes(text, changes, left)
    left += [
        Note(each.line, each.tune, f"{each.kind}: {_BEYOND[each.kind]}") for each in problems if each.kind in _BEYOND
    ]
    data = text.encode("utf-8") if changes else None
    return Mended(data, suffix or source.path.suffix.lower(), tuple(changes), tuple(left))


def _midi(source: Source) -> Mended:
    """The notes as they are read, written anew: what is damaged or hangs is gone, what is not music too."""
    try:
        score = midi_reader.read(source.bytes(), "the file")
        data = formats.write("midi", score)
        remaining = list(sounding_problems(midi_reader.read(data, "the file")))
    except ComposerError as error:
        return Mended(None, left=(Note(0, "", error.message),))
    left = tuple(Note(0, "", each.message) for each in remaining)
    lost = [f"{count:,} {phrase}" for phrase, count in score.losses.items()]
    message = "; ".join(["written anew with its notes, tempos, meters and keys alone", *lost])
    return Mended(data, ".mid", (Note(0, "", message),), left)


def _tunes(text: str, changes: list[Note], left: list[Note]) -> str:
    """`text` with its tunes mended; `changes` and `left` are added to."""
    lines = text.split("\n")
    tunes = split_tunes(text)
    numbers = {number_of(tune) for tune in tunes}
    close = {tune.first for tune in running_on(tunes)}
    seen: set[str] = set()
    # from the end, so that the lines of tunes that are to come stay where they are
    for tune, number in [*_numbered(tunes, numbers, seen)][::-1]:
        own, changed, why = _tune(tune, number)
        if tune.first in close:
            own, changed = (
                ("", *own),
                ", ".join(["parted from the tune before by a blank line", *filter(None, [changed])]),
            )
        if changed:
            changes.append(Note(tune.first, number, changed))
            lines[tune.first - 1 : tune.first - 1 + len(tune.lines)] = own
        if why:
            left.append(Note(tune.first, number, why))
    changes.sort(key=lambda note: note.line)
    left.sort(key=lambda note: note.line)
    return "\n".join(lines)


def _numbered(tunes: Sequence[TuneText], taken: set[str], seen: set[str]) -> Iterator[tuple[TuneText, str]]:
    """Each tune with its number, or with a free one where it has none or another tune has it."""
    free = 1 + max((int(number) for number in taken if number.isdecimal() and len(number) < 9), default=0)
    for tune in tunes:
        number = number_of(tune)
        if not number.isdecimal() or number in seen:
            number, free = str(free), free + 1
        seen.add(number)
        yield tune, number


def _tune(tune: TuneText, number: str) -> tuple[Sequence[str], str, str]:
    """The lines of a tune mended, what was changed, and why not all could be; both empty where it is well."""
    before = all_problems(parse_tune(tune))
    renumbered = number != number_of(tune)
    if not before and not renumbered:
        return tune.lines, "", ""
    text, done = patched(tune, number, before)
    after = all_problems(parse_tune(text))
    if not after:
        return text.lines, ", ".join(done), ""
    if len(after) > len(before) and not renumbered:
        return tune.lines, "", f"{before[0].kind}: what mends it would do more harm"
    normal = normalise(text)
    if isinstance(normal, RejectedPiece):
        where = f" ({normal.detail})" if normal.detail else ""
        return text.lines, ", ".join(done), f"it cannot be written anew: {normal.reason}{where}"
    anew = TuneText((*_header(text, normal), *_body(normal)), tune.first)
    if tune_problems(parse_tune(anew)):
        return text.lines, ", ".join(done), f"{after[0].kind} at line {after[0].line}: {after[0].message}"
    changes = ["written anew" + _left_out(text), *normal.changes, *done]
    return anew.lines, ", ".join(changes), ""


_OWN = frozenset("MLKPVUmI")
"""Fields that the tune written anew has of its own, or no use for."""


def _header(text: TuneText, normal: Normal) -> Iterator[str]:
    """The fields of a tune before its music, with the dialect's own meter, unit length and key at their end."""
    for line in text.lines:
        if line.startswith("K:"):
            break
        if line.startswith("%") or (line[1:2] == ":" and line[0] not in _OWN):
            yield line
    yield from (line for line in normal.text.split("\n") if line[:2] in ("M:", "L:", "K:"))


def _body(normal: Normal) -> Iterator[str]:
    lines = normal.text.rstrip("\n").split("\n")
    begin = next(number for number, line in enumerate(lines) if line.startswith("K:"))
    yield from lines[begin + 1 :]


def _left_out(text: TuneText) -> str:
    """What of a tune the dialect has no signs for."""
    body = [line for line in text.lines if field_of(line, 1) is None and not line.startswith("%")]
    found = {
        "grace notes": any("{" in line for line in body),
        "decorations": any(character in line for line in body for character in "!~"),
        "words": any(line.startswith(("w:", "W:")) for line in text.lines),
    }
    names = [name for name, there in found.items() if there]
    listed = " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])
    return f" without its {listed}" if names else ""
