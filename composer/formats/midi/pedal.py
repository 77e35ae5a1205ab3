"""Apply the sustain pedal to notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONTROLLER = 64
DOWN = 64
"""The pedal is down from this controller value on."""

_PITCH = 1 << 48
"""More ticks than any file has, to combine a pitch and a tick in one number."""


def sustained(notes: NDArray[Any], moves: Sequence[tuple[int, int]]) -> NDArray[Any]:
    """Return `notes` (n, 4), of start, end (in ticks), pitch and velocity, with ends extended by the pedal.

    `moves` are the pedal's (tick, value), in order. A note that ends while the pedal is down lasts until the pedal
    goes up or its pitch is struck again, else until the last note-off.
    """
    import numpy as np

    if not len(notes) or not any(value >= DOWN for _, value in moves):
        return notes
    ticks, values = np.array(moves, np.int64).T
    starts, ends, pitches = notes[:, 0], notes[:, 1], notes[:, 2]
    latest = np.searchsorted(ticks, ends, "right") - 1
    held = (latest >= 0) & (values[latest] >= DOWN)
    up = ticks[values < DOWN]
    released = _after(up, np.searchsorted(up, ends, "right"), int(ends.max()))
    strikes = np.sort(pitches * _PITCH + starts)
    again = _after(strikes, np.searchsorted(strikes, pitches * _PITCH + ends), 1 << 62) - pitches * _PITCH
    result = notes.copy()
    result[:, 1] = np.where(held, np.minimum(released, again), ends)
    return result


def _after(ascending: NDArray[Any], at: NDArray[Any], otherwise: int) -> NDArray[Any]:
    """Return the values of `ascending` at the indices `at`, and `otherwise` beyond its end."""
    import numpy as np

    values: NDArray[Any] = np.append(ascending, otherwise)[at]
    return values
