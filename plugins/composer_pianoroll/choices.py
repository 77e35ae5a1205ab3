"""Controls that are one of a few words."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from composer.api.fields import flags_of, invalid_value, option

_WORD = "is_one_of_choices"


def choice(choices: tuple[str, ...], help: str) -> Any:  # noqa: A002
    """Return the field of a control that is one of `choices`, or empty for its default."""
    return option("", help, metavar="CHOICE", choices=choices, **{_WORD: True})


def check_choices(controls: Any) -> None:
    """Raise OptionError for the first field made by `choice` whose value is neither empty nor one of its choices."""
    for field in fields(controls):
        value = getattr(controls, field.name)
        if value and field.metadata.get(_WORD) and value not in field.metadata["choices"]:
            flag = flags_of(field)[0]
            raise invalid_value(
                flag, value, "use " + ", or ".join(f"{flag} {each}" for each in field.metadata["choices"])
            )
