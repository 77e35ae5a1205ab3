"""Compare composer's reading of MusicXML and kern with music21's, with converter21 for kern: notes and length.

music21 plays repeats in its own way. So a file that differs is read once more without any signs of playback order: if
both then agree, only that order differs. If they do not, the sums of the `<duration>` elements decide.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

from agreement.durations import notes_by_duration
from agreement.playing import Notes, Playing, differences, evenly, of_score

from composer.api import ComposerError, RejectedPiece, Score, Source
from composer.formats.read import read_scores

ASPECTS = ("notes", "length")

_ORDER = re.compile(
    rb"<(repeat|ending|segno|coda)\b[^>]*(?:/>|>[^<]*</\1>)|<words\b[^>]*>[^<]*</words>|<measure-repeat\b.*?</measure-repeat>"
    rb"|(?<=<sound )[^>]*?(?=/?>)",
    re.DOTALL,
)
_KERN_ORDER = re.compile(rb"^\*>.*\n|:\|?!|!\|?:|(?<==)[:|!]+", re.MULTILINE)
_CUE = re.compile(rb"<note\b(?:(?!</note>).)*?<cue\s*/>.*?</note>", re.DOTALL)


def without_cues(data: bytes) -> bytes:
    """Return MusicXML with rests for its cue notes, which are not to be played."""
    return _CUE.sub(lambda note: re.sub(rb"<pitch>.*?</pitch>", b"<rest/>", note[0], flags=re.DOTALL), data)


def without_order(data: bytes) -> bytes:
    """Return a file without repeats, endings, jumps, and sections in any order."""
    return _ORDER.sub(b"", data) if data.lstrip()[:1] == b"<" else _KERN_ORDER.sub(b"", data)


CAUSES: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("cue notes, which music21 plays", without_cues),
    ("order of repeats and jumps", without_order),
    ("cue notes and order", lambda data: without_order(without_cues(data))),
)


MUSIC21 = "music21 does not follow `<duration>` and `<tie>`"

UNEQUAL = "parts with measures of unequal length"


def compare(collections: dict[str, list[Path]], limit: int) -> None:
    """Print the tables for collections of files, of at most `limit` files each, taken evenly."""
    names = [*(name for name, _ in CAUSES), MUSIC21, UNEQUAL]
    print(
        f"| collection | files | same | {' | '.join(names)} | refused by music21 | refused by composer | unexplained |"
    )
    print("|---|---|---|" + "---|" * (len(names) + 3))
    details = []
    for name, files in collections.items():
        found: Counter[str] = Counter()
        chosen = evenly(files, limit)
        for file in chosen:
            result, detail = outcome(file)
            found[result] += 1
            if detail:
                details.append(f"{file.name}: {result}: {detail}")
        columns = ["same", *names, "refused by music21", "refused by composer", "unexplained"]
        print(f"| {name} | {len(chosen):,} | {' | '.join(f'{found[column]:,}' for column in columns)} |", flush=True)
    print("\n" + "\n".join(f"- {detail}" for detail in details))


def outcome(file: Path) -> tuple[str, str]:
    """Return `same`, the cause of a difference, who refuses the file, or `unexplained`, and details."""
    data = contents(file)
    try:
        ours = read(data, file)
    except ComposerError as error:
        return "refused by composer", error.message
    try:
        theirs = reference(data, file)
    except Exception as error:  # whatever music21 raises
        return "refused by music21", f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"
    if not differences(ours, theirs, ASPECTS):
        return "same", ""
    for name, edit in CAUSES:
        plain = edit(data)
        if plain != data and not differences(read(plain, file), reference(plain, file), ASPECTS):
            return name, ""
    if data.lstrip()[:1] == b"<":
        plain = without_order(data)
        ours = read(plain, file)
        for cause, by_majority in ((MUSIC21, False), (UNEQUAL, True)):
            if not differences(ours, Playing(notes_by_duration(plain, by_majority)), ASPECTS):
                return cause, ""
    return "unexplained", _first_difference(ours, theirs)


def contents(file: Path) -> bytes:
    """Return the text of a file, out of its archive if it is in one, in UTF-8."""
    data = file.read_bytes()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if name.endswith((".xml", ".musicxml"))]
            data = archive.read(next(name for name in names if "META" not in name))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = re.sub(r"(<\?xml[^>]*?) encoding=\S+?(?=[ ?])", r"\1", data.decode("utf-16"), count=1).encode()
    return data


def read(data: bytes, file: Path) -> Playing:
    """Return what composer reads, without percussion. Raises ComposerError."""
    suffix = ".krn" if file.suffix == ".krn" else ".musicxml"
    _, score = next(iter(read_scores(Source(file.with_suffix(suffix), data=data))))
    if isinstance(score, RejectedPiece):
        raise ComposerError(score.reason)
    return of_score(Score(tuple(part for part in score.parts if not part.percussion)))


def reference(data: bytes, file: Path) -> Playing:
    """Return what music21 reads: pitched notes as they sound, with repeats played and ties joined."""
    from music21 import converter

    text = data.decode("utf-8-sig", "replace")
    stream: Any
    if file.suffix == ".krn":
        from converter21 import HumdrumConverter

        stream = HumdrumConverter().parseData(text)
    else:
        stream = converter.parseData(text, format="musicxml")
    return Playing(sorted(note for part in stream.parts or [stream] for note in _notes(part)))


def _notes(part: Any) -> Notes:
    from music21 import harmony, repeat

    part = part.toSoundingPitch()
    with suppress(repeat.ExpanderException):
        part = part.expandRepeats()
    found: Notes = []
    for each in part.stripTies().flatten().notes:
        if each.duration.isGrace or isinstance(each, harmony.Harmony) or not hasattr(each, "pitches"):
            continue
        found += [(Fraction(each.offset), pitch.midi, Fraction(each.quarterLength)) for pitch in each.pitches]
    return found


def _first_difference(ours: Playing, theirs: Playing) -> str:
    left, right = Counter(ours.notes), Counter(theirs.notes)
    only = [sorted((a - b).elements()) for a, b in ((left, right), (right, left))]
    shown = (
        " ".join(f"{float(onset):g}:{pitch}:{float(length):g}" for onset, pitch, length in each[:3]) for each in only
    )
    return f"{len(only[0])} notes only here ({next(shown)}), {len(only[1])} only in music21 ({next(shown)})"
