"""Text and Markdown in mdoc, the language of man pages."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", '"': "\\(dq", "`": "\\(ga", "\1": "\\fB", "\2": "\\fI", "\3": "\\fR"}
"""What roff would take for a command, and control characters that stand for bold, italic and roman here."""

MAX_BYTES = 80
"""Longer lines of mdoc are bad style."""

BLOCKS = {
    "bullet_list_open": ".Bl -bullet -compact",
    "list_item_open": ".It",
    "bullet_list_close": ".El",
    "ordered_list_open": ".Bl -enum -compact",
    "ordered_list_close": ".El",
    "table_open": ".Bl -tag -width Ds",
    "table_close": ".El",
}
INLINE = {"strong_open": "\1", "em_open": "\2", "strong_close": "\3", "em_close": "\3", "softbreak": " "}


def prose(text: str) -> list[str]:
    """Return text in short lines, a new line for each sentence, as mdoc wants it. Code in backquotes is bold."""
    text = re.sub("`([^`]+)`", "\1\\1\3", " ".join(text.split()))
    sentences = re.split(r"(?<=[.?!]) ", text)
    return [line for sentence in sentences for line in _source_lines(sentence)]


def _source_lines(sentence: str) -> Iterator[str]:
    """Yield a sentence in escaped lines of at most MAX_BYTES, of about 64 characters each."""
    for line in textwrap.wrap(sentence, 64, break_on_hyphens=False):
        fits = len(literal(line)) <= MAX_BYTES
        yield from map(literal, [line] if fits else textwrap.wrap(line, 40, break_on_hyphens=False))


def literal(line: str) -> str:
    """Return a line of text with what roff would take for a command escaped."""
    line = "".join(ESCAPES.get(character, character) for character in line)
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line


def heading(title: str, section: int, summary: str, date: str) -> list[str]:
    """Return the beginning of a page, as of `date` (`November 21, 2026`)."""
    head = [f".Dd {date}", f".Dt {title.upper()} {section}", ".Os", ".Sh NAME", f".Nm {title}"]
    return [*head, f".Nd {literal(summary)}"]


def tagged(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return a list of terms, each a macro with its argument, and their explanations."""
    return [BLOCKS["table_open"], *(line for term, text in rows for line in (f".It {term}", *prose(text))), ".El"]


def see_also(names: Sequence[tuple[str, int]]) -> list[str]:
    """Return the section of references to other pages, and the end of the page."""
    found = [f".Xr {name} {section}" for name, section in sorted(names, key=lambda each: (each[1], each[0]))]
    return [".Sh SEE ALSO", *(f"{line} ," for line in found[:-1]), found[-1], ""]


def from_markdown(text: str) -> list[str]:
    """Return the description and the sections of a page in Markdown, without its title.

    A table of two columns becomes a list of terms.
    """
    from markdown_it import MarkdownIt

    lines = [".Sh DESCRIPTION"]
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for at, token in enumerate(tokens):
        if token.type == "fence":
            lines += [".Bd -literal -offset indent", *map(literal, token.content.splitlines()), ".Ed"]
        elif token.type == "inline":
            lines += _placed(_inline(token), tokens[at - 1], tokens[at - 2].type, follows_heading=lines[-1][:2] == ".S")
        elif token.type in BLOCKS:
            lines.append(BLOCKS[token.type])
    return lines


def _placed(text: str, parent: Any, before: str, *, follows_heading: bool) -> list[str]:
    """Return the text of a heading, paragraph or cell, which `parent` opens."""
    if parent.type == "heading_open":
        return {"h1": [], "h2": [f".Sh {literal(text.upper())}"]}.get(parent.tag, [f".Ss {literal(text)}"])
    if parent.type == "th_open":
        return []
    if parent.type == "td_open" and before == "tr_open":
        return [f".It {literal(text)}"]
    return [
        *([".Pp"] if parent.type == "paragraph_open" and not parent.hidden and not follows_heading else []),
        *prose(text),
    ]


def _inline(token: Any) -> str:
    """Return the text of a token, with control characters for its fonts."""
    parts, address = [], ""
    for child in token.children:
        address = child.attrs.get("href", address)
        is_code = child.type == "code_inline"
        closing = f" <{address}>" if child.type == "link_close" else child.content
        parts.append(f"\1{child.content}\3" if is_code else INLINE.get(child.type, closing))
    return "".join(parts)
