"""The decoder of the abc representation, which streams a tune character by character."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from composer.api import Event
from composer_abc.pieces import NUMBER_LINE

__all__ = ["AbcDecoder"]


class AbcDecoder:
    """Streams a tune by character, after its number; it completes the last line and adds a blank one."""

    def __init__(self, character: Callable[[int], str], number: int) -> None:
        """`character` returns the character of a step."""
        self._character, self.number = character, number
        self.number_line: str | None = ""
        """The text so far, while it may still be the piece's own `X:` line, which is replaced."""
        self.last = ""

    def push(self, step: int) -> Iterable[Event]:
        """Return the character, or nothing while the number line may still go on."""
        character = self._character(step)
        if self.number_line is None:
            return self._out(character)
        self.number_line += character
        if "X:".startswith(self.number_line[:2]) and not self.number_line.endswith("\n"):
            return ()
        return self._out(self._open())

    def finish(self) -> Iterable[Event]:
        """Return the rest of the last line and a blank one."""
        text = self._open() if self.number_line is not None else ""
        last = (text or self.last)[-1:]
        return self._out(text + ("\n" if last == "\n" else "\n\n"))

    def _open(self) -> str:
        text, self.number_line = self.number_line or "", None
        return f"X:{self.number}\n" + NUMBER_LINE.sub("", text, count=1)

    def _out(self, text: str) -> Iterable[Event]:
        self.last = text[-1:] or self.last
        return (text,) if text else ()
