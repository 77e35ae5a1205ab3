"""What a score says of itself that a model may be told."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction

from composer.api import Meter, Score


def labels_of(score: Score) -> dict[str, str]:
    """The meter of a score that keeps one, and the key and mode that it begins in: `3/4`, `Am`, `minor`."""
    from composer.formats.abc.keys import key_name

    meters = {(meter.numerator, meter.denominator) for meter in score.meters}
    labels = {"meter": "{}/{}".format(*meters.pop())} if len(meters) == 1 else {}
    with suppress(IndexError, KeyError):  # a score without a key, or in a mode without a name in ABC
        labels |= {"key": key_name(score.keys[0].sharps, score.keys[0].mode), "mode": score.keys[0].mode}
    return labels


def meters_of(labels: Mapping[str, str]) -> tuple[Meter, ...]:
    """The meter that labels name, for a score; none where they name none."""
    numerator, slash, denominator = labels.get("meter", "").partition("/")
    return (Meter(Fraction(0), int(numerator), int(denominator)),) if slash else ()


def transposed(labels: Mapping[str, str], shift: int) -> dict[str, str]:
    """The labels of a piece that is moved by `shift` semitones."""
    from composer.formats.abc.keys import key_name, parse_key

    moved = dict(labels)
    key = parse_key(moved.pop("key", ""))
    if key is not None:
        moved["key"] = key_name((key.sharps + 7 * shift + 6) % 12 - 6, key.mode)
    return moved
