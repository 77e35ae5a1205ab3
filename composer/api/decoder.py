"""Interface of decoders: turn the steps of one piece into text or notes while they are generated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from composer.api.score import Note
from composer.api.sequence import AnyStep

Event = str | Note
"""Output of a decoder: text in the native format, or a complete note."""


class Decoder(Protocol):
    """Turns the steps of one piece into events while they are generated."""

    def push(self, step: AnyStep) -> Iterable[Event]:
        """Return the events that `step` completes."""
        ...

    def finish(self) -> Iterable[Event]:
        """Return the events that the end of the piece completes."""
        ...


class TextDecoder:
    """A decoder for representations whose steps are text."""

    def __init__(self, text: Callable[[Any], str], begin: str = "", end: str = "") -> None:
        self._text, self._begin, self._end = text, begin, end

    def push(self, step: AnyStep) -> Iterable[Event]:
        """Return the text of `step`, preceded by the opening text if it is the first."""
        text, self._begin = self._begin + self._text(step), ""
        return (text,) if text else ()

    def finish(self) -> Iterable[Event]:
        """Return the closing text."""
        text = self._begin + self._end
        return (text,) if text else ()
