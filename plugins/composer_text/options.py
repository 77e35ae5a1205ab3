"""What of texts is learnt, and what tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from composer.api import OptionError

PIECES = ("auto", "file", "gap", "blank", "row")
LABELS = ("folder", "file", "none")


@dataclass(frozen=True, slots=True)
class TextOptions:
    """What of texts is learnt, and what tells them apart."""

    piece: str = field(
        default="auto",
        metadata={
            "help": "what is a piece: `file`, a file or a row of a CSV; `gap`, what stands between two or more blank "
            "lines; `blank`, between blank lines; `row`, a line or a row; `auto`, a row, a file of up to 10,000 "
            "characters, or of a longer one `gap` where it has such and else `blank`"
        },
    )
    column: str = field(default="", metadata={"help": "the column of a CSV with the text, where it is not plain"})
    labels: tuple[str, ...] = field(
        default=(), metadata={"help": "columns of a CSV that are conditions, such as artist,genre"}
    )
    label: str = field(
        default="folder",
        metadata={
            "help": "what else is a condition: `folder`, the first below the one named; `file`, its name; `none`"
        },
    )
    label_name: str = field(default="artist", metadata={"help": "what that condition is called"})
    only: tuple[str, ...] = field(
        default=(), metadata={"help": "learn only what has these labels, such as artist:burns,artist:blake"}
    )
    lower: bool = field(default=False, metadata={"help": "turn capitals into small letters"})
    floor: int = field(default=1, metadata={"help": "learn no character that is there fewer times than this"})

    def __post_init__(self) -> None:
        if self.piece not in PIECES:
            raise OptionError(f"there is no piece `{self.piece}` in text", f"choose {' or '.join(PIECES)}")
        if self.label not in LABELS:
            raise OptionError(f"texts have no label by `{self.label}`", f"choose {' or '.join(LABELS)}")
        if not self.label_name.strip():
            raise OptionError("`label_name` cannot be empty", "give a word, such as artist")
        if self.floor < 1:
            raise OptionError(f"`floor` cannot be {self.floor}", "give a whole number above 0")
        for pair in self.only:
            if not all(part.strip() for part in pair.split(":", 1)):
                raise OptionError(f"`only` cannot be `{pair}`", "write a label and its value, such as artist:burns")

    @property
    def allowed_values(self) -> Mapping[str, frozenset[str]]:
        """What `only` asks for: for each label the values that may pass. A value alone is one of `label_name`."""
        wanted: dict[str, frozenset[str]] = {}
        for pair in self.only:
            name, colon, value = pair.partition(":")
            name, value = (name.strip(), value.strip()) if colon else (self.label_name, pair.strip())
            wanted[name] = wanted.get(name, frozenset()) | {value}
        return wanted
