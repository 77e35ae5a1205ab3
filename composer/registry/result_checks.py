"""Checks of what plugins return. Each returns the valid result, or raises InvalidResult, which completes "it ...".

The first argument is the result, the second the object whose method returned it; then come the method's arguments.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from composer.api import Constraint, FrameRule, Note, Piece, RejectedPiece, Score, SequenceSpec, StepKind

MAX_ENDING = 100_000
"""Steps of a forced ending; more can only come from an automaton that never ends."""


GUARDED_SIZE = "_composer_guarded_size"
"""Attribute of guarded classes: the number of tokens in the vocabulary, or of units in a frame."""


class InvalidResult(Exception):
    """A result that the interface does not allow."""


def shown(value: object) -> str:
    """Return a value for a message, shortened."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def piece_or_rejection(value: Any, *_: Any) -> Any:
    """Check an item of `read`."""
    return value if isinstance(value, RejectedPiece) else piece(value)


def piece(value: Any, *_: Any) -> Any:
    """Check a piece: hashable content, labels and source of text."""
    expect(value, Piece, "a Piece")
    if not isinstance(value.source, str) or not isinstance(value.title, str):
        raise InvalidResult(f"the title and source of a piece must be str, not {shown((value.title, value.source))}")
    labels(value.labels)
    counts(value.losses)
    return value


def spec(value: Any, representation: Any) -> Any:
    """Check the description of the sequences."""
    expect(value, SequenceSpec, "a SequenceSpec")
    if value.kind is not representation.kind:
        raise InvalidResult(f"its kind is {value.kind}, but that of the class is {representation.kind}")
    if value.conditions:
        raise InvalidResult("it has conditions, which training takes from the labels of the pieces")
    if value.features and not representation.positional:
        raise InvalidResult(f"it has position features ({', '.join(value.features)}), but `positional` is False")
    return value


def steps(value: Any, representation: Any, *_: Any) -> Any:
    """Check that steps are ints, or ascending tuples of ints, within the spec."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise InvalidResult(f"it returned {shown(value)}, which is not a list of steps")
    return check_steps(value, representation.spec)


def primer(value: Any, representation: Any, *_: Any) -> Any:
    """Check the steps of a primer: without the end symbol, after which there is nothing to continue."""
    steps(value, representation)
    end = representation.spec.end
    if end is not None and end in value:
        raise InvalidResult(f"the end symbol {end} is in a primer, at step {value.index(end)}")
    return value


def whole_piece(value: Any, representation: Any, *_: Any) -> Any:
    """Check the steps of a whole piece: tokens end with the end symbol, and have no other."""
    steps(value, representation)
    end = representation.spec.end
    if end is not None and (not value or value[-1] != end):
        raise InvalidResult(f"the steps do not end with the end symbol {end}")
    if end is not None and value.index(end) < len(value) - 1:
        raise InvalidResult(f"the end symbol {end} comes before the end, at step {value.index(end)}")
    return value


def check_steps(value: Sequence[Any], described: SequenceSpec) -> Sequence[Any]:
    """Check steps against a spec."""
    if described.kind is StepKind.TOKENS:
        _check_ids(value, described.size, "token")
        return value
    for frame in value:
        if type(frame) is not tuple:
            raise InvalidResult(f"a frame must be a tuple of units, not {shown(frame)}")
        _check_ids(frame, described.size, "unit")
        if any(left >= right for left, right in pairwise(frame)):
            raise InvalidResult(f"the units of a frame must ascend without repeats: {shown(frame)}")
    return value


def _check_ids(ids: Sequence[Any], size: int, what: str) -> None:
    if not ids:
        return
    if set(map(type, ids)) != {int}:
        wrong = next(each for each in ids if type(each) is not int)
        raise InvalidResult(f"a {what} must be an int, not {shown(wrong)} ({type(wrong).__name__})")
    low, high = min(ids), max(ids)
    if low < 0 or high >= size:
        raise InvalidResult(f"{what} {low if low < 0 else high} is not from 0 to {size - 1}")


def packed(value: Any, *_: Any) -> Any:
    """Check steps as a dataset stores them."""
    return value if value is None else expect(value, bytes, "bytes or None")


def decoder(value: Any, *_: Any) -> Any:
    """Check that a decoder has both methods."""
    return expect_methods(value, "a decoder", "push", "finish")


def events(value: Any, *_: Any) -> Any:
    """Return a decoder's events as a tuple, all of them text or notes."""
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise InvalidResult(f"it returned {shown(value)}, which is not an iterable of text or notes")
    found = tuple(value)
    for event in found:
        if not isinstance(event, str | Note):
            raise InvalidResult(f"an event must be text or a Note, not {shown(event)}")
    return found


def json_state(value: Any, *_: Any) -> Any:
    """Check that a state is the same after a round trip through JSON, in which tuples become lists."""
    expect(value, dict, "a dict")
    try:
        restored = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidResult(f"the state is not JSON: {error}") from error
    for key, part in value.items():
        if key not in restored or restored[key] != _with_lists(part):
            raise InvalidResult(f"JSON changes {shown(key)} in the state; use str keys, lists, numbers, str and None")
    return value


def text(value: Any, *_: Any) -> Any:
    """Check the text of a piece."""
    return expect(value, str, "a str")


def names(value: Any, *_: Any) -> Any:
    """Check names, of which there may be none."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidResult(f"it returned {shown(value)}, which is not a list of names")
    found = list(value)
    if not all(isinstance(name, str) for name in found):
        raise InvalidResult(f"names are str, not {shown(found)}")
    return found


def counts(value: Any, *_: Any) -> Any:
    """Check counts by phrase."""
    return _expect_by_text(value, int, "losses")


def labels(value: Any, *_: Any) -> Any:
    """Check labels: text by text."""
    return _expect_by_text(value, str, "labels")


def score(value: Any, representation: Any, *_: Any) -> Any:
    """Check a score, which may be None: at 120 BPM if the representation has absolute time."""
    if value is not None and expect(value, Score, "a Score or None") and representation.absolute_time:
        for tempo in value.tempos:
            if tempo.bpm != 120:
                raise InvalidResult(f"with `absolute_time`, scores must be at 120 BPM, not {tempo.bpm:g}")
    return value


def times(value: Any, _: Any, steps: Sequence[Any]) -> Any:
    """Check the onsets of `steps`, which may be None: a number for each, in any order."""
    if value is None:
        return value
    expect(value, Sequence, "a list of onsets or None")
    if len(value) != len(steps):
        raise InvalidResult(f"it returned {len(value):,} onsets for {len(steps):,} steps")
    for time in value:
        if not isinstance(time, int | float | Fraction) or not 0 <= time < math.inf:
            raise InvalidResult(f"an onset must be a number from 0, not {shown(time)}")
    return value


def constraint(value: Any, *_: Any) -> Any:
    """Check a constraint, which may be None."""
    return value if value is None else expect(value, Constraint, "a Constraint or None")


def state_number(value: Any, *_: Any) -> Any:
    """Check the state of an automaton."""
    return value if type(value) is int else expect(value, int, "an int")


def allowed(value: Any, constraint: Any, *_: Any) -> Any:
    """Check what may come next: steps of the spec, and not none."""
    if type(value) is int:
        if value > 0:
            if value >> getattr(constraint, GUARDED_SIZE):
                raise InvalidResult(f"the mask allows step {value.bit_length() - 1}, which the spec does not have")
            return value
        raise InvalidResult("no step is allowed" if value == 0 else f"a mask cannot be negative: {value}")
    return expect(value, FrameRule, "a mask (int) or a FrameRule")


def ending(value: Any, *_: Any) -> Any:
    """Check a forced ending."""
    expect(value, Sequence, "a list of steps")
    if len(value) > MAX_ENDING:
        raise InvalidResult(f"the ending has {len(value):,} steps, more than {MAX_ENDING:,}")
    return value


def length(value: Any, *_: Any) -> Any:
    """Check a length in steps."""
    if type(value) is not int or value < 1:
        raise InvalidResult(f"a length must be a positive int, not {shown(value)}")
    return value


def optional_length(value: Any, *_: Any) -> Any:
    """Check a length in steps, which may be None."""
    return value if value is None else length(value)


def expect(value: Any, kind: type[Any], what: str) -> Any:
    """Return `value`, which must be of a `kind`, called `what` in the message."""
    if not isinstance(value, kind):
        raise InvalidResult(f"it returned {shown(value)}, not {what}")
    return value


def expect_methods(value: Any, what: str, *names: str) -> Any:
    """Return `value`, which must have the methods `names` of `what`."""
    missing = [name for name in names if not callable(getattr(value, name, None))]
    if missing:
        raise InvalidResult(f"it returned {shown(value)}, which lacks {', '.join(missing)} of {what}")
    return value


def _expect_by_text(value: Any, kind: type[Any], what: str) -> Any:
    """Return `value`, which must map str to `kind`; `what` names its items in the message."""
    expect(value, Mapping, "a mapping")
    for name, item in value.items():
        if not isinstance(name, str) or not isinstance(item, kind):
            raise InvalidResult(f"{what} are {kind.__name__} by str, not {shown(name)}: {shown(item)}")
    return value


def _with_lists(value: Any) -> Any:
    """Return JSON data with lists in place of tuples."""
    if isinstance(value, list | tuple):
        return [_with_lists(each) for each in value]
    return {key: _with_lists(each) for key, each in value.items()} if isinstance(value, dict) else value
