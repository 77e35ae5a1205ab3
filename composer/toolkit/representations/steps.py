"""The nearest step of a grid, and the error for music that does not fit a grid."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

from composer.api import EncodeError, RejectedPiece
from composer.music.scales import pitch_span

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLACK = Fraction(1, 8)
"""Tolerance in steps: many MIDI files end a note one tick before the next."""

_Time = TypeVar("_Time", int, "NDArray[Any]")


def nearest_step(time: _Time, unit: int) -> _Time:
    """Return the step nearest to `time`, in units, of which a step has `unit`.

    Rounds half up, so that the result does not depend on the position.
    """
    return (2 * time + unit) // (2 * unit)


class NotEncodable(EncodeError):
    """A score that cannot be put on a grid. `reason` can be counted, `detail` says where."""

    def __init__(
        self, reason: str, detail: str = "", hint: str = "use other music, or other options with --option"
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason, hint)
        self.reason, self.detail = reason, detail

    def as_rejection(self, name: str) -> RejectedPiece:
        return RejectedPiece(self.reason, name, self.detail)


class OutOfRange(NotEncodable):
    """A score all of whose notes, from MIDI pitch `low` to `high`, are outside of `lowest` to `highest`."""

    def __init__(self, low: int, high: int, lowest: int, highest: int) -> None:
        detail = f"{pitch_span(low, high)}; the range is {pitch_span(lowest, highest)}"
        super().__init__("no notes in the range", detail, "transpose it")

    def as_rejection(self, name: str) -> RejectedPiece:
        return RejectedPiece(self.reason, name, self.detail, self.hint or "")
