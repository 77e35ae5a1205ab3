"""Type parameters of pieces and representations: content, options and controls. Each is Any where it is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    ContentT = TypeVar("ContentT", default=Any)
    ContentT_co = TypeVar("ContentT_co", covariant=True, default=Any)
    OptionsT = TypeVar("OptionsT", default=Any)
    ControlsT = TypeVar("ControlsT", default=Any)
else:  # defaults came with Python 3.13, and no package is imported for them
    from typing import TypeVar

    ContentT, OptionsT, ControlsT = map(TypeVar, ("ContentT", "OptionsT", "ControlsT"))
    ContentT_co = TypeVar("ContentT_co", covariant=True)

__all__ = ["ContentT", "ContentT_co", "ControlsT", "OptionsT"]
