"""Options of the text representation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from composer.api.errors import suggest
from composer.api.fields import check_ranges, invalid_setting, invalid_value, option

PIECES = ("auto", "file", "gap", "blank", "row")
LABELS = ("folder", "file", "none")
LINE_NUMBERS = ("drop", "keep")


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How to split, clean and label texts."""

    piece: str = option(
        "auto",
        "what makes a piece: `file`, a file or CSV row; `row`, a line or CSV row; `gap`, text between two or more "
        "blank lines; `blank`, text between blank lines; `auto`, like `file` for CSV and files of up to 10,000 "
        "characters, else like `gap` if the file has one, else like `blank`",
    )
    column: str = option(
        "",
        "name of the text column in a CSV, if not detected; common names, like `lyric` and `text`, are interchangeable",
        metavar="NAME",
    )
    labels: tuple[str, ...] = option((), "CSV columns to use as labels, such as artist,genre", metavar="COLUMNS")
    label: str = option("folder", "label from the path: `folder`, the first subfolder; `file`, the file name; `none`")
    label_name: str = option("artist", "name of that label")
    only: tuple[str, ...] = option(
        (), "use only pieces with these labels, such as artist:burns,artist:blake", metavar="LABEL:VALUE"
    )
    lower: bool = option(False, "convert to lower case")
    floor: int = option(1, "how often a character must occur to be in the vocabulary", minimum=1)
    line_numbers: str = option("drop", "numbers in the margin that count the lines of a poem: `drop` or `keep`")

    def __post_init__(self) -> None:
        if self.piece not in PIECES:
            raise invalid_value("`piece`", self.piece, suggest(self.piece, PIECES))
        if self.label not in LABELS:
            raise invalid_value("`label`", self.label, suggest(self.label, LABELS))
        if self.line_numbers not in LINE_NUMBERS:
            raise invalid_value("`line_numbers`", self.line_numbers, suggest(self.line_numbers, LINE_NUMBERS))
        if not self.label_name.strip():
            raise invalid_setting(self, "label_name", "use a word", "-O")
        check_ranges(self, "-O")
        for pair in self.only:
            if not all(part.strip() for part in pair.split(":", 1)):
                raise invalid_value("`only`", pair, "use LABEL:VALUE, such as -O only=artist:burns")


class LabelFilter:
    """Accepts pieces by the labels in the option `only`, ignoring case; a value alone is one of `label_name`."""

    def __init__(self, options: TextOptions) -> None:
        self.accepted: dict[str, set[str]] = {}
        for pair in options.only:
            name, colon, value = pair.partition(":")
            name, value = (name.strip(), value.strip()) if colon else (options.label_name, pair.strip())
            self.accepted.setdefault(name, set()).add(value.casefold())

    def rejection(self, labels: Mapping[str, str]) -> str:
        """Return why a piece with these `labels` is skipped; empty if it is not."""
        for name, values in self.accepted.items():
            value = labels.get(name, "")
            if value.casefold() not in values:
                return f"{name} is `{value}`" if value else f"no {name}"
        return ""
