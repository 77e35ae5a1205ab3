"""Labels from scores: meter, key, mode, pickup, fermatas and the ends of phrases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from composer.api import Key, Meter, Piece, Score
from composer.formats.midi.beats import signs
from composer.formats.midi.tracks import MidiFile

__all__ = [
    "FERMATAS",
    "LABELS",
    "LAST_KEY",
    "PHRASES",
    "fermatas_of",
    "keys_from_labels",
    "labels_of",
    "last_key_labels",
    "meters_of",
    "phrase_ends",
    "phrase_labels",
    "pickup_of",
    "sometimes_unknown",
    "transposed",
]

LABELS = ("meter", "key", "mode")
"""The labels of music that a model can be conditioned on."""


def labels_of(music: Score | MidiFile) -> dict[str, str]:
    """Return the meter of music with a single one, and the key and mode at the start: `3/4`, `Am`, `minor`.

    The length of a pickup in beats is a label too, for writing bars.
    """
    if isinstance(music, MidiFile):
        return dict(_labels_of_midi(music.division, tuple(music.meters), tuple(music.keys)))
    return _labels(music.meters, music.keys, music.pickup)


@lru_cache(2**8)
def _labels_of_midi(
    division: int, meters: Sequence[tuple[int, int, int]], keys: Sequence[tuple[int, int, str]]
) -> dict[str, str]:
    """Cached, since files of a collection share meters and keys."""
    return _labels(*signs(division, meters, keys))


def _labels(meters: Iterable[Meter], keys: Sequence[Key], pickup: Fraction) -> dict[str, str]:
    different = {(meter.numerator, meter.denominator) for meter in meters}
    labels = {"meter": "{}/{}".format(*different.pop())} if len(different) == 1 else {}
    return labels | _key_labels(keys) | ({"pickup": str(pickup)} if pickup else {})


def _key_labels(keys: Sequence[Key]) -> dict[str, str]:
    """Return the name and mode of the first of `keys`; nothing if there is none, or its mode has no name in ABC."""
    from composer.music.keys import key_name

    with suppress(IndexError, KeyError):
        return {"key": key_name(keys[0].sharps, keys[0].mode), "mode": keys[0].mode}
    return {}


LAST_KEY = "last_key"
"""The label with the key at the end, if the key changes."""


def last_key_labels(music: Score | MidiFile) -> dict[str, str]:
    """Return the label of the key at the last note, for a tune whose end stays; none if it is that of the start."""
    if isinstance(music, MidiFile):
        beats = music.span[2] / Fraction(music.division)
        _, keys, _ = signs(music.division, music.meters, music.keys)
    else:
        beats, keys = music.duration, music.keys
    first, last = (_key_labels(found) for found in (keys, [key for key in keys if key.onset < beats][-1:]))
    return {LAST_KEY: last["key"]} if last and last != first else {}


def meters_of(labels: Mapping[str, str]) -> tuple[Meter, ...]:
    """Return the meter in `labels`, for a score, if there is one."""
    numerator, slash, denominator = labels.get("meter", "").partition("/")
    return (Meter(Fraction(0), int(numerator), int(denominator)),) if slash else ()


def pickup_of(labels: Mapping[str, str]) -> Fraction:
    """Return the length in beats of the pickup in `labels`, or 0."""
    return Fraction(labels.get("pickup", 0))


FERMATAS, PHRASES = "fermatas", "phrases"
"""The labels with the beats of fermatas, and of the last notes of phrases, as in `3 15/2`."""
UNKNOWN_PHRASES, UNKNOWN_KEYS = 3, 8
"""One in so many training pieces with phrases, or a key, is trained as if they were unknown."""


def phrase_labels(music: Score | MidiFile) -> dict[str, str]:
    """Return the labels with the beats of the fermatas and phrase ends in `music`; none without any."""
    if not isinstance(music, Score):
        return {}
    signs = {FERMATAS: music.fermatas, PHRASES: music.phrase_ends}
    return {name: " ".join(map(str, beats)) for name, beats in signs.items() if beats}


def sometimes_unknown(piece: Piece, content: bytes, names: Collection[str] = (FERMATAS, PHRASES)) -> Piece:
    """Return a piece with this `content` for training; some pieces lose their phrases or key.

    In generation these may be unknown. Only the labels `names` are lost.
    """
    import hashlib  # loads OpenSSL, which takes time at every start

    digest = hashlib.blake2b(content, digest_size=8).digest()
    rest, phrases = divmod(int.from_bytes(digest, "little"), UNKNOWN_PHRASES)
    lost = {FERMATAS, PHRASES} if not phrases else set()
    lost |= {"key"} if rest % UNKNOWN_KEYS == 0 else set()
    labels = {name: value for name, value in piece.labels.items() if name not in lost.intersection(names)}
    return replace(piece, labels=labels) if len(labels) < len(piece.labels) else piece


def fermatas_of(labels: Mapping[str, str]) -> tuple[Fraction, ...]:
    """Return the beats of the fermatas in `labels`."""
    return tuple(map(Fraction, labels.get(FERMATAS, "").split()))


def phrase_ends(labels: Mapping[str, str]) -> tuple[Fraction, ...]:
    """Return the beats of the phrase ends in `labels`, else of the fermatas.

    Those of several voices count once: within a beat, that of the first.
    """
    ends: list[Fraction] = []
    for at in map(Fraction, labels.get(PHRASES, labels.get(FERMATAS, "")).split()):
        if not ends or at > ends[-1] + 1:
            ends.append(at)
    return tuple(ends)


def keys_from_labels(labels: Mapping[str, str]) -> tuple[Key, ...]:
    """Return the key in `labels`, for a score, if there is one."""
    if not labels.get("key"):
        return ()
    from composer.music.keys import parse_key

    key = parse_key(labels["key"])
    return (Key(Fraction(0), key.sharps, key.mode),) if key is not None else ()


def transposed(labels: Mapping[str, str], shift: int) -> dict[str, str]:
    """Return the labels of a piece transposed by `shift` semitones."""
    from composer.music.keys import key_name, parse_key
    from composer.music.transposition import transposed_sharps

    moved = dict(labels)
    key = parse_key(moved.pop("key", ""))
    if key is not None:
        moved["key"] = key_name(transposed_sharps(key.sharps, shift), key.mode)
    return moved
