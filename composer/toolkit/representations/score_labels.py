"""What a score says of itself that a model may be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache

from composer.api import Key, Meter, Score
from composer.formats.midi.reader import signs
from composer.formats.midi.tracks import MidiFile


def labels_of(music: Score | MidiFile) -> dict[str, str]:
    """The meter of music that keeps one, and the key and mode that it begins in: `3/4`, `Am`, `minor`.

    The length of a pickup, in beats, is a label too: what is barred again needs it.
    """
    if isinstance(music, MidiFile):
        return dict(_labels_of_midi(music.division, tuple(music.meters), tuple(music.keys)))
    return _labels(music.meters, music.keys, music.pickup)


@lru_cache(2**8)
def _labels_of_midi(
    division: int, meters: Sequence[tuple[int, int, int]], keys: Sequence[tuple[int, int, str]]
) -> dict[str, str]:
    """The labels of a file. Most files of a collection have the meter and the key of one before."""
    return _labels(*signs(division, meters, keys))


def _labels(meters: Iterable[Meter], keys: Sequence[Key], pickup: Fraction) -> dict[str, str]:
    from composer.music.keys import key_name

    different = {(meter.numerator, meter.denominator) for meter in meters}
    labels = {"meter": "{}/{}".format(*different.pop())} if len(different) == 1 else {}
    with suppress(IndexError, KeyError):  # a score without a key, or in a mode without a name in ABC
        labels |= {"key": key_name(keys[0].sharps, keys[0].mode), "mode": keys[0].mode}
    return labels | ({"pickup": str(pickup)} if pickup else {})


def meters_of(labels: Mapping[str, str]) -> tuple[Meter, ...]:
    """The meter that labels name, for a score; none where they name none."""
    numerator, slash, denominator = labels.get("meter", "").partition("/")
    return (Meter(Fraction(0), int(numerator), int(denominator)),) if slash else ()


def pickup_of(labels: Mapping[str, str]) -> Fraction:
    """The length in beats of the pickup that labels name; 0 where they name none."""
    return Fraction(labels.get("pickup", 0))


def keys_from_labels(labels: Mapping[str, str]) -> tuple[Key, ...]:
    """The key that labels name, for a score; none where they name none."""
    if not labels.get("key"):
        return ()
    from composer.music.keys import parse_key

    key = parse_key(labels["key"])
    return (Key(Fraction(0), key.sharps, key.mode),) if key is not None else ()


def transposed(labels: Mapping[str, str], shift: int) -> dict[str, str]:
    """The labels of a piece that is moved by `shift` semitones."""
    from composer.music.keys import key_name, parse_key

    moved = dict(labels)
    key = parse_key(moved.pop("key", ""))
    if key is not None:
        moved["key"] = key_name((key.sharps + 7 * shift + 6) % 12 - 6, key.mode)
    return moved
