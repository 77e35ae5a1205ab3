"""When a constraint is asked how it completes a piece, so that this fits the maximum length."""

from __future__ import annotations

STEPS_TO_CLOSE, SPARE_STEPS = 100, 30
"""How many steps before its maximum length, and before it would not fit any more, a piece is checked at every step for
whether its constraint must close it.
"""


def next_check(limit: int, length: int, completion: int) -> int:
    """Return the length at which a piece of `length` steps, which now needs `completion` more, is checked again.

    That is soon if there is little room left below `limit`: each step takes one, and may make the completion longer.
    """
    spare = limit - length - completion
    every_step = limit - STEPS_TO_CLOSE + 1
    return length + max(min((spare - SPARE_STEPS) // 2, every_step - length), 1)
