"""What wishes for notes on a grid come to: bars in steps, the meter of a tune, and which wish stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

from composer.api import OptionError, Piece, Score, Unsatisfiable
from composer.formats.bars import wished_meter
from composer.formats.curves import parse_curve
from composer.formats.keeping import parse_kept, spans
from composer.formats.labels import meters_of, pickup_of
from composer.formats.scales import key_of, parse_range, parse_scale, pitch_name

MOST_BARS = 1000
HELP: Mapping[str, str] = {
    "range": "The lowest and highest pitch to strike, such as 48-84 or C3-C6.",
    "key": "Notes of this key only, as ABC spells it: G, Am, Ddor.",
    "scale": "Notes of this scale only: 'D dorian', or blues and a --key.",
    "bars": "Exactly so many bars, after a pickup if there is one.",
    "meter": "How long a bar is, such as 6/8; else as in the opening, else 4/4.",
    "density": "Notes begun a beat: 2, or 1..4 from beginning to end.",
    "keep_bars": "Bars of the tune in --prime that stay as they are, such as 4-8, counted as they are played; a pickup "
    "stays too. A range, key or scale is for the others alone.",
}
"""What `composer gen` says of the wishes that such representations share."""


def check(wishes: object) -> None:
    """Raise OptionError where one of the wishes in HELP, fields of `wishes` by these names, means nothing."""
    given = {name: getattr(wishes, name) for name in HELP}
    if given["range"]:
        parse_range(given["range"])
    parse_scale(given["scale"], given["key"])
    wished_meter(given["meter"])
    if not 0 <= given["bars"] <= MOST_BARS:
        raise OptionError(f"--bars cannot be {given['bars']}", f"give a number up to {MOST_BARS}, or 0 for any")
    if given["density"] and not parse_curve(given["density"], "--density").highest:
        raise OptionError("a piece cannot have a density of 0", "give a number of notes a beat, such as 0.5")
    if given["keep_bars"]:
        parse_kept(given["keep_bars"])


def labels_of_meter(meter: str) -> Mapping[str, str]:
    """The label of pieces in a meter that is wished for; none where there is none."""
    if not meter:
        return {}
    found = wished_meter(meter)
    return {"meter": f"{found.numerator}/{found.denominator}"}


def labels_of_key(scale: str, key: str) -> Mapping[str, str]:
    """The labels of pieces in a scale or key that is wished for; none where that is no key."""
    found = key_of(scale, key)
    return {"key": found.name, "mode": found.mode} if found is not None else {}


def steps_of_bars(bars: int, meter: str, opening: Mapping[str, str], per_beat: Fraction, together: int = 1) -> int:
    """How many steps so many bars take, in whole groups of `together`, with the pickup before them; 0 for no bars.

    The meter is the wished one, else that of the labels `opening`, which say how long a pickup is. Raises Unsatisfiable
    where they are not whole steps.
    """
    if not bars:
        return 0
    meters = () if meter else meters_of(opening)
    time, begun = meters[0] if meters else wished_meter(meter), pickup_of(opening)
    bar = time.bar * per_beat
    # a pickup that ends between two steps counts up to the first, so that no bar comes after the last
    steps = bars * bar + (floor(begun * per_beat) if begun < time.bar else 0)
    if bar.denominator > 1 or steps % together:
        other = f"the opening, in {time.numerator}/{time.denominator}," if meters else f"--meter {meter or '4/4'}"
        raise Unsatisfiable(
            f"--bars {bars} and {other} clash: they are not whole steps of the model, of which"
            f" {float(per_beat):g} are a beat",
            "ask for another meter, or more bars",
        )
    return int(steps)


def in_meter(tune: Piece, meter: str, keep_bars: str) -> Piece:
    """`tune` in its own meter, or in the one that is wished where it has none. Raises Unsatisfiable for two meters."""
    wished, own = labels_of_meter(meter), tune.labels.get("meter")
    if own and own != wished.get("meter", own):
        raise Unsatisfiable(
            f"--keep-bars {keep_bars} and --meter {meter} clash: the tune is in {own}", "leave out --meter"
        )
    return replace(tune, labels={**tune.labels, **wished})


def kept_steps(keep_bars: str, score: Score, per_beat: Fraction) -> list[int]:
    """The steps of the bars that stay, ascending. Raises Unsatisfiable where there are no such bars."""
    stay = spans(parse_kept(keep_bars), score)
    return sorted({step for start, end in stay for step in range(floor(start * per_beat), ceil(end * per_beat))})


def stretches(steps: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending steps as stretches: the first of each, and the one after its last."""
    found: list[tuple[int, int]] = []
    for step in steps:
        first = found.pop()[0] if found and found[-1][1] == step else step
        found.append((first, step + 1))
    return found


def clash_of_held(pitch: int, keep_bars: str, within: str, scale: str, key: str) -> Unsatisfiable:
    """The error where `pitch` is held into the bars that stay, and a range or a scale has no such note."""
    if within and pitch not in parse_range(within):
        other = f"--range {within}"
    else:
        other = f"--scale {scale}" if scale else f"--key {key}"
    return Unsatisfiable(
        f"--keep-bars {keep_bars} and {other} clash: {pitch_name(pitch)} is held into the bars that stay",
        "keep the bar before them too, or leave out one of the two",
    )
