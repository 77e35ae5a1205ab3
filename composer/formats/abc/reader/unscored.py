"""Count the fields that a score has no place for, such as lyrics."""

from __future__ import annotations

import re

from composer.formats.abc.elements import Tune
from composer.formats.abc.reader.lexer import Field
from composer.formats.unscored import OTHER_FIELDS

_UNSCORED = {
    **dict.fromkeys("wW", "lines of lyrics left out"),
    "s": "lines of symbols left out",
    **{letter: OTHER_FIELDS.format(letter) for letter in "ABDFGHNORSZ"},
}
"""What is counted of fields that a score has no place for."""
_PROVENANCE = re.compile(r"composer \d")


def count_unscored(tune: Tune, field: Field, *, in_body: bool) -> None:
    """Count a field of a tune, which is in its header or `in_body`, unless a score has a place for it."""
    is_other_title = field.name == "T" and (in_body or tune.first("T"))
    phrase = "further titles left out" if is_other_title else _UNSCORED.get(field.name)
    if field.name == "C" and in_body:
        phrase = OTHER_FIELDS.format("C")
    if phrase and field.value and not (field.name == "N" and _PROVENANCE.match(field.value)):
        tune.unscored[phrase] += 1
