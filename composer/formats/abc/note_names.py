"""Spell MIDI numbers and keys as ABC notes and keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby

from composer.api import Key, Note
from composer.formats.abc.elements import Tone
from composer.music.keys import (
    LETTERS,
    MODE_ALIASES,
    Signature,
    fifth,
    has_minor_third,
    key_name,
    key_names,
    parse_key,
    pitch,
)


def key_signature(key: Key) -> Signature:
    """Return the signature of `key`: major if ABC has no such mode, C if it has too many sharps or flats."""
    mode = MODE_ALIASES.get(key.mode, key.mode)
    try:
        name = key_name(key.sharps, mode)
    except KeyError:
        name = key_name(key.sharps)
    return parse_key(name) or Signature()


OTHER_ACCIDENTALS = "key signatures with other accidentals written as accidentals"


@cache
def plain_key(key: Signature) -> Signature:
    """Return the key without explicit accidentals whose signature is most like that of `key`: G lydian for `G ^c`.

    Of several, it is one with the same tonic, then with the same mode, then with few sharps or flats.
    """
    if key.plain:
        return key

    def difference(other: Signature) -> tuple[int, bool, bool, int]:
        differing = sum(one != two for one, two in zip(key.alters, other.alters, strict=True))
        return differing, other.tonic != key.tonic, other.mode != key.mode, abs(other.sharps)

    return min((other for other in map(parse_key, key_names()) if other is not None), key=difference)


def count_other_accidentals(keys: Iterable[Signature]) -> int:
    """Return how many of the `keys` of a voice, in order, no plain key has the signature of."""
    return sum(key.alters != plain_key(key).alters for key, _ in groupby(keys))


def plainest_key(notes: Sequence[Note]) -> Signature:
    """Return the key that writes `notes` with the fewest accidentals, preferably with the last note as its tonic."""
    names = (key_name(sharps, mode) for sharps in range(-4, 5) for mode in ("major", "minor"))
    keys = [key for key in map(parse_key, names) if key is not None]

    def strangeness(key: Signature) -> tuple[int, bool, int]:
        scale = {pitch(step, alter) % 12 for step, alter in enumerate(key.alters)}
        tonic = pitch(LETTERS.index(key.tonic[0]), key.tonic.count("#") - key.tonic.count("b")) % 12
        return sum(note.pitch % 12 not in scale for note in notes), notes[-1].pitch % 12 != tonic, abs(key.sharps)

    return min(keys, key=strangeness)


def tone(midi: int, key: Signature) -> Tone:
    """Spell a MIDI number in `key`."""
    step, alter = _spell(midi % 12, key)
    return step + 7 * (midi // 12), alter


@cache
def _spell(pitch_class: int, key: Signature) -> Tone:
    """Return the note of the key or, failing that, the one nearest on the line of fifths to the key's center.

    The center is two fifths above the tonic in major and half a fifth in minor, so that the fourth is raised rather
    than the fifth lowered, and minor keys raise the sixth and seventh and lower the second. Ties go with the key's own
    sharps or flats.
    """
    tonic = fifth(LETTERS.index(key.tonic[0]), key.tonic.count("#") - key.tonic.count("b"))
    center = 2 * tonic + (1 if has_minor_third(key.mode) else 4)
    own = 1 if key.sharps >= 0 else -1

    def strangeness(tone: Tone) -> tuple[bool, int, bool]:
        return tone[1] != key.alters[tone[0] % 7], abs(2 * fifth(*tone) - center), tone[1] == -own

    tones = ((step, alter) for step in range(-1, 8) for alter in (-1, 0, 1))
    return min((tone for tone in tones if pitch(*tone) == pitch_class), key=strangeness)
