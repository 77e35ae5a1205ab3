"""Fix a file: small problems in place, bars and repeats by rewriting the tune in the regular dialect.

Correct tunes stay unchanged, character by character. Problems without a clear fix stay too and are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from composer import formats
from composer.api import ComposerError, RejectedPiece, Source
from composer.check.abc_layout import number_of, without_blank_line
from composer.check.abc_patches import patch
from composer.check.abc_tunes import all_problems, tune_problems
from composer.check.loss_phrases import counted
from composer.check.problem import Problem
from composer.check.score_sanity import score_problems
from composer.check.text_encoding import decode, repair
from composer.formats import detect
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.reader.lexer import TuneText, field_of, split_tunes
from composer.formats.abc.reader.parser import parse_tune
from composer.formats.midi.reader import read_midi


@dataclass(frozen=True, slots=True)
class FixNote:
    """A change to the piece that begins at `line` (0: the file), or a problem that is left."""

    line: int
    tune: str
    message: str


@dataclass(frozen=True, slots=True)
class FixResult:
    """The fixed file and its suffix; `data` is None if nothing could be fixed. `left` lists what could not be."""

    data: bytes | None
    suffix: str = ""
    changes: tuple[FixNote, ...] = ()
    left: tuple[FixNote, ...] = ()


_UNFIXABLE_REASONS = {
    "duplicate": "delete one of them",
    "music outside tunes": "remove the blank line, or begin a tune with an `X:` line",
    "tune without a number": "add an `X:` line",
    "no tune": "a tune begins with an `X:` line",
}
"""Problems of a file that only its owner can fix, and how."""


_AMBIGUOUS_KINDS = frozenset({
    "unusual bar line", "unknown chord symbol", "invalid part name", "invalid part order", "missing part",
    "jump beside a part order", "part name used twice", "invalid tempo",
})  # fmt: skip
"""Kinds whose fix depends on what was meant, and that are no reason to rewrite the tune."""


def fix(source: Source, problems: Sequence[Problem]) -> FixResult:
    """Fix those of the `problems` found in `source` that can be fixed. Raises ReadError."""
    data = source.bytes()
    kind = detect(data)
    if kind is not None and kind.name == "midi":
        return _fix_midi(data)
    is_text = (kind is None or kind.name == "abc") and not any(each.kind == "no music" for each in problems)
    found = decode(data) if is_text else None
    if found is None:
        return FixResult(None, left=tuple(FixNote(each.line, each.tune, each.message) for each in problems))
    changes = [FixNote(each.line, "", each.kind) for each in found.problems]
    text, left = repair(found.text), list[FixNote]()
    if kind is not None or source.path.suffix.lower() == ".abc":
        text = _fix_tunes(text, changes, left)
    for each in problems:
        if reason := _UNFIXABLE_REASONS.get(each.kind):
            left.append(FixNote(each.line, each.tune, f"{each.kind}: {reason}"))
    suffix = kind.suffixes[0] if kind is not None else source.path.suffix.lower()
    return FixResult(text.encode("utf-8") if changes else None, suffix, tuple(changes), tuple(left))


def _fix_midi(data: bytes) -> FixResult:
    """Rewrite the notes, tempos, meters and keys that can be read; everything else is lost."""
    try:
        score = read_midi(data, "the file")
        data = formats.write("midi", score)
        remaining = list(score_problems(read_midi(data, "the file")))
    except ComposerError as error:
        return FixResult(None, left=(FixNote(0, "", error.message),))
    left = tuple(FixNote(0, "", each.message) for each in remaining)
    lost = [counted(count, phrase) for phrase, count in score.losses.items()]
    message = "; ".join(["rewritten with notes, tempos, meters and keys only", *lost])
    return FixResult(data, ".mid", (FixNote(0, "", message),), left)


def _fix_tunes(text: str, changes: list[FixNote], left: list[FixNote]) -> str:
    """Fix the tunes of `text`; add to `changes` and `left`."""
    lines = text.split("\n")
    tunes = split_tunes(text)
    numbers = {number_of(tune) for tune in tunes}
    close = {tune.first for tune in without_blank_line(tunes)}
    # from the end, so that line numbers of earlier tunes stay valid
    for tune, number in [*_numbered(tunes, numbers)][::-1]:
        own, changed, why = _fix_tune(tune, number)
        if tune.first in close:
            own, changed = ("", *own), ", ".join(["added a blank line before the tune", *filter(None, [changed])])
        if changed:
            changes.append(FixNote(tune.first, number, changed))
            lines[tune.first - 1 : tune.first - 1 + len(tune.lines)] = own
        if why:
            left.append(FixNote(tune.first, number, why))
    changes.sort(key=lambda note: note.line)
    left.sort(key=lambda note: note.line)
    return "\n".join(lines)


def _numbered(tunes: Sequence[TuneText], taken: set[str]) -> Iterator[tuple[TuneText, str]]:
    """Yield each tune with its number, or with a free one if it has none or the number is taken."""
    seen: set[str] = set()
    free = 1 + max((int(number) for number in taken if number.isdecimal() and len(number) < 9), default=0)
    for tune in tunes:
        number = number_of(tune)
        if not number.isdecimal() or number in seen:
            number, free = str(free), free + 1
        seen.add(number)
        yield tune, number


def _fix_tune(tune: TuneText, number: str) -> tuple[Sequence[str], str, str]:
    """Return the lines of a fixed tune, what was changed, and why not everything could be fixed."""
    before = all_problems(parse_tune(tune))
    renumbered = number != number_of(tune)
    if not before and not renumbered:
        return tune.lines, "", ""
    text, done = patch(tune, number, before)
    after = all_problems(parse_tune(text))
    if all(each.kind in _AMBIGUOUS_KINDS for each in after):
        why = f"line {after[0].line}: {after[0].message}" if after else ""
        return text.lines, ", ".join(done), why
    if len(after) > len(before) and not renumbered:
        return tune.lines, "", f"{before[0].kind}: unchanged, since a fix would cause other problems"
    normal = normalize(text)
    if isinstance(normal, RejectedPiece):
        where = f" ({normal.detail})" if normal.detail else ""
        return text.lines, ", ".join(done), f"{normal.reason}{where}"
    body = normal.text.rstrip("\n").partition("\nK:")[2].split("\n")[1:]
    rewritten = replace(tune, lines=(*_header(text, normal), *body))
    if tune_problems(parse_tune(rewritten)):
        return text.lines, ", ".join(done), f"line {after[0].line}: {after[0].message}"
    changes = ["rewritten" + _left_out(text), *normal.changes, *done]
    return rewritten.lines, ", ".join(changes), ""


_OWN = frozenset("MLKPVUmI")
"""Fields that the rewritten tune replaces or does not need."""


def _header(text: TuneText, normal: NormalizedTune) -> Iterator[str]:
    """Yield the header of a tune with the dialect's meter, unit length and key at its end."""
    for line in text.lines:
        if line.startswith("K:"):
            break
        if line.startswith("%") or (line[1:2] == ":" and line[0] not in _OWN):
            yield line
    yield from (line for line in normal.text.split("\n") if line[:2] in ("M:", "L:", "K:"))


def _left_out(text: TuneText) -> str:
    """Return what the dialect cannot express, as ` without its ...`."""
    body = [line for line in text.lines if field_of(line, 1) is None and not line.startswith("%")]
    found = {
        "grace notes": any("{" in line for line in body),
        "decorations": any(character in line for line in body for character in "!~"),
        "words": any(line.startswith(("w:", "W:")) for line in text.lines),
    }
    names = [name for name, there in found.items() if there]
    return f" without its {' and '.join(filter(None, [', '.join(names[:-1]), *names[-1:]]))}" if names else ""
