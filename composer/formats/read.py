"""Read files of any format as scores, by content rather than suffix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from composer.api import ReadError, RejectedPiece, Representation, Score, Source
from composer.api.limits import VARIABLE
from composer.formats import FORMATS, Format, detect
from composer.formats.table import format_of, plugin_formats

__all__ = ["MUSIC_SUFFIXES", "empty_error", "is_music", "music_suffix", "read_playable", "read_scores"]


def _suffixes(among: Iterable[Format]) -> tuple[str, ...]:
    return tuple(end for each in among if each.read for end in (*each.suffixes, *each.read_suffixes))


MUSIC_SUFFIXES = _suffixes(FORMATS.values())
"""The usual suffixes of music files in built-in formats."""


def music_suffixes() -> tuple[str, ...]:
    """Return the usual suffixes of music files, those in formats of plugins last."""
    return tuple(dict.fromkeys((*MUSIC_SUFFIXES, *_suffixes(plugin_formats().values()))))


def suffixes_of(representation: Representation | type[Representation]) -> tuple[str, ...]:
    """Return the suffixes of files that a representation reads.

    One that reads all built-in formats of music reads those of plugins too, since `read_scores` does.
    """
    own = representation.suffixes
    return tuple(dict.fromkeys((*own, *music_suffixes()))) if set(MUSIC_SUFFIXES) <= set(own) else own


def no_music_hint() -> str:
    """Return the hint for a file without music: the formats that are read."""
    more = [f"{name} ({each.suffixes[0]})" for name, each in plugin_formats().items() if each.read]
    return ", ".join(["use a file with notes: ABC, MIDI, MusicXML, MEI", *more]) + " or kern"


def read_scores(source: Source, *, pedal: bool = False) -> Iterator[tuple[str, Score | RejectedPiece]]:
    """Yield the name and score of each piece in `source`, or a RejectedPiece.

    With `pedal`, notes of MIDI files last as long as the sustain pedal holds them. Raises ReadError if the source as a
    whole is not music.
    """
    data = source.bytes()
    if not data.strip():
        raise empty_error(source)
    found = detect(data)
    if found is None or found.read is None:
        raise no_music_error(source)
    yield from found.read(replace(source, data=data), pedal=pedal)


def is_music(source: Source) -> bool:
    """Return whether `source` is in one of the formats that are read here, damaged or not."""
    return detect(source.bytes()) is not None


def music_suffix(source: Source) -> str:
    """Return the usual suffix of the music that `source` holds, such as `.mid`; empty if it is not music."""
    found = detect(source.bytes())
    return found.suffixes[0] if found else ""


def read_playable(source: Source, skipped: list[RejectedPiece] | None = None) -> Iterator[Score]:
    """Yield the pieces of `source`, and add rejected ones to `skipped` as they are met.

    Raises ReadError with the first reason if no piece is left.
    """
    rejected, found = None, False
    for _, score in read_scores(source):
        if isinstance(score, RejectedPiece):
            rejected = rejected or score
            if skipped is not None:
                skipped.append(score)
        else:
            found = True
            yield score
    if not found:
        raise no_music_error(source, rejected)


def located_reason(rejected: RejectedPiece) -> str:
    """Return why a piece was rejected, and where, if that is known: `bar too long (line 12, column 7)`."""
    reason, place = rejected.reason, rejected.detail
    return f"{reason} ({place})" if place and place not in reason else reason


def empty_error(source: Source) -> ReadError:
    """Return the error for a source of music without any content."""
    return ReadError(f"{source.label} is empty", no_music_hint())


def not_as_named(source: Source) -> str:
    """Return a phrase for a source that its suffix calls music, but not its content; empty if it is as named."""
    named = format_of(source.path)
    if named is None or named.read is None or detect(source.bytes()) is not None:
        return ""
    return f"it is damaged, or it is not {named.summary.partition(',')[0]}"


def no_music_error(source: Source, rejected: RejectedPiece | None = None) -> ReadError:
    """Return the error for a source without music, or whose first piece was `rejected`.

    The hint is that of the reason if it says how to raise a limit.
    """
    if rejected is None and (wrong := not_as_named(source)):
        return ReadError(f"no music in {source.label}: {wrong}", "check that its suffix is right, or export it again")
    reason, _, hint = rejected.reason.rpartition(": ") if rejected else ("", "", "")
    if rejected and VARIABLE not in hint:
        reason, hint = located_reason(rejected), ""
    return ReadError(
        f"no music in {source.label}{f': {reason}' if reason else ''}",
        hint or (rejected and rejected.hint) or no_music_hint(),
    )
