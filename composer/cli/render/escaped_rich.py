"""Rich console whose output has no control characters but those of rich itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from composer.system.escaping import escape

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.text import Text


def escaped_console(**options: Any) -> Console:
    """Return a rich console that escapes all text, whether it gets it as a string, a Text or a table.

    It takes neither markup nor emoji names from strings; `options` are the others of rich's console.
    """
    from rich.console import Console
    from rich.segment import Segment

    class EscapedConsole(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for text, style, control in super().render(renderable, options):
                yield Segment(text if control else escape(text), style, control)

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(escape(text), **options)  # so that tables leave room for it

    return EscapedConsole(highlight=False, markup=False, emoji=False, **options)
