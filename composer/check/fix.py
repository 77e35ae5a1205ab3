"""A file mended: small faults where they stand, bars and repeats by writing the tune anew in the regular dialect.

What is well is left as it is, letter by letter. What nobody can know is left too, and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from composer import formats
from composer.api import ComposerError, RejectedPiece, Source
from composer.check.abc_layout import number_of, without_blank_line
from composer.check.abc_patches import patch
from composer.check.abc_tunes import all_problems, tune_problems
from composer.check.problem import Problem
from composer.check.score_sanity import score_problems
from composer.check.text_encoding import decode, repair
from composer.formats import read as score_files
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.reader.lexer import TuneText, field_of, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.midi import reader as midi_reader

__all__ = ["FixNote", "FixResult", "fix"]


@dataclass(frozen=True, slots=True)
class FixNote:
    """What was done, or could not be, about the piece that begins at `line` (0: the file)."""

    line: int
    tune: str
    message: str


@dataclass(frozen=True, slots=True)
class FixResult:
    """What is to be written with `suffix`; None where nothing could be mended.

    `changes` say what was, and `left` what could not be.
    """

    data: bytes | None
    suffix: str = ""
    changes: tuple[FixNote, ...] = ()
    left: tuple[FixNote, ...] = ()


_UNFIXABLE_REASONS = {
    "duplicate": "which one to keep is for you to say",
    "music cut off": "take the blank line out, or give it an `X:` line",
    "tune without a number": "give it an `X:` line",
    "no tune": "a tune begins with an `X:` line",
}
"""Faults of a file that nobody else can mend, and what its owner can do."""


def fix(source: Source, problems: Sequence[Problem]) -> FixResult:
    """`source`, in which `problems` were found, without those that can be mended. Raises ReadError."""
    suffix = score_files.suffix_of(source)
    if suffix == ".mid":
        return _fix_midi(source)
    foreign = suffix == ".musicxml" or any(each.kind == "no music" for each in problems)
    found = decode(source.bytes()) if not foreign else None
    if found is None:
        return FixResult(None, left=tuple(FixNote(each.line, each.tune, each.message) for each in problems))
    changes = [FixNote(each.line, "", f"{each.kind}: written as UTF-8") for each in found.problems]
    text, left = repair(found.text), list[FixNote]()
    if suffix == ".abc" or source.path.suffix.lower() == ".abc":
        text = _fix_tunes(text, changes, left)
    left += [
        FixNote(each.line, each.tune, f"{each.kind}: {_UNFIXABLE_REASONS[each.kind]}")
        for each in problems
        if each.kind in _UNFIXABLE_REASONS
    ]
    data = text.encode("utf-8") if changes else None
    return FixResult(data, suffix or source.path.suffix.lower(), tuple(changes), tuple(left))


def _fix_midi(source: Source) -> FixResult:
    """The notes as they are read, written anew: what is damaged or hangs is gone, what is not music too."""
    try:
        score = midi_reader.read(source.bytes(), "the file")
        data = formats.write("midi", score)
        remaining = list(score_problems(midi_reader.read(data, "the file")))
    except ComposerError as error:
        return FixResult(None, left=(FixNote(0, "", error.message),))
    left = tuple(FixNote(0, "", each.message) for each in remaining)
    lost = [f"{count:,} {phrase}" for phrase, count in score.losses.items()]
    message = "; ".join(["written anew with its notes, tempos, meters and keys alone", *lost])
    return FixResult(data, ".mid", (FixNote(0, "", message),), left)


def _fix_tunes(text: str, changes: list[FixNote], left: list[FixNote]) -> str:
    """`text` with its tunes mended; `changes` and `left` are added to."""
    lines = text.split("\n")
    tunes = split_tunes(text)
    numbers = {number_of(tune) for tune in tunes}
    close = {tune.first for tune in without_blank_line(tunes)}
    seen: set[str] = set()
    # from the end, so that the lines of tunes that are to come stay where they are
    for tune, number in [*_numbered(tunes, numbers, seen)][::-1]:
        own, changed, why = _fix_tune(tune, number)
        if tune.first in close:
            own, changed = (
                ("", *own),
                ", ".join(["parted from the tune before by a blank line", *filter(None, [changed])]),
            )
        if changed:
            changes.append(FixNote(tune.first, number, changed))
            lines[tune.first - 1 : tune.first - 1 + len(tune.lines)] = own
        if why:
            left.append(FixNote(tune.first, number, why))
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


def _fix_tune(tune: TuneText, number: str) -> tuple[Sequence[str], str, str]:
    """The lines of a tune mended, what was changed, and why not all could be; both empty where it is well."""
    before = all_problems(parse_tune(tune))
    renumbered = number != number_of(tune)
    if not before and not renumbered:
        return tune.lines, "", ""
    text, done = patch(tune, number, before)
    after = all_problems(parse_tune(text))
    if not after:
        return text.lines, ", ".join(done), ""
    if len(after) > len(before) and not renumbered:
        return tune.lines, "", f"{before[0].kind}: what mends it would do more harm"
    normal = normalize(text)
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


def _header(text: TuneText, normal: NormalizedTune) -> Iterator[str]:
    """The fields of a tune before its music, with the dialect's own meter, unit length and key at their end."""
    for line in text.lines:
        if line.startswith("K:"):
            break
        if line.startswith("%") or (line[1:2] == ":" and line[0] not in _OWN):
            yield line
    yield from (line for line in normal.text.split("\n") if line[:2] in ("M:", "L:", "K:"))


def _body(normal: NormalizedTune) -> Iterator[str]:
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
