"""Controls of the text representation."""

from __future__ import annotations

from dataclasses import dataclass

from composer.api.fields import check_ranges, option


@dataclass(frozen=True, slots=True)
class TextControls:
    """Controls on a text."""

    repeat_limit: int | None = option(
        None,
        "Maximum number of times in a row that a passage of 1 to 16 words may occur. [default: 2]",
        metavar="N", minimum=1, maximum=1000, hint="use 1 to 1,000; most poems have 2",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_ranges(self)
