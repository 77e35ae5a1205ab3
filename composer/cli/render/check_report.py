"""Reports of `composer check`: lines like a compiler's, grouped on a terminal, or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from composer.check.collection import FileDiagnosis
from composer.check.fix import FixNote, FixResult
from composer.cli.console import Console
from composer.cli.render.text import count_noun, wrap_prose

MESSAGE_COLUMN, MIN_MESSAGE = 23, 20
"""Where messages begin on a terminal, and the least columns that they are wrapped to."""


@dataclass(slots=True)
class Total:
    """Numbers of files, pieces and problems by severity."""

    files: int = 0
    pieces: int = 0
    severities: Counter[str] = field(default_factory=Counter)

    def add(self, diagnosis: FileDiagnosis) -> None:
        """Add a file."""
        self.files += 1
        self.pieces += diagnosis.pieces
        self.severities.update(each.severity for each in diagnosis.problems)

    @property
    def problems(self) -> int:
        """The number of problems."""
        return sum(self.severities.values())

    def summary(self) -> str:
        """Summarize in one line."""
        checked = f"{count_noun(self.files, 'file')} with {count_noun(self.pieces, 'piece')}"
        found = [count_noun(self.severities[name], name) for name in ("error", "warning") if self.severities[name]]
        return f"{checked}: {', '.join(found) or 'no problems'}"


class Report:
    """Shows problems to the user."""

    def found(self, diagnosis: FileDiagnosis) -> None:
        """Report the problems of a file."""

    def fixed(self, diagnosis: FileDiagnosis, path: Path | None, done: FixResult) -> None:
        """Report what was fixed, and written to `path`."""

    def close(self, total: Total) -> None:
        """Finish after the last file."""


def make_report(console: Console, as_json: bool) -> Report:
    """Return the report for stdout."""
    return _Json(console) if as_json else _Grouped(console) if console.stdout_is_terminal else _Lines(console)


@dataclass(slots=True)
class _Lines(Report):
    """A line per problem in the format of compilers, which editors can jump to."""

    console: Console

    def found(self, diagnosis: FileDiagnosis) -> None:
        lines = [
            f"{_at(diagnosis.file, each.line, each.column)}{each.severity}: {_plain(each.message)}\n"
            for each in diagnosis.problems
        ]
        if lines:
            self.console.write("".join(lines))

    def fixed(self, diagnosis: FileDiagnosis, path: Path | None, done: FixResult) -> None:
        for word, note in _notes(path, done):
            self.console.write(f"{_at(diagnosis.file, note.line)}{word}: {_plain(note.message)}\n")
        if path:
            self.console.say(f"wrote {path}")


class _Grouped(Report):
    """Problems grouped by file and tune, in color, for a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.canvas = console.rich_console(console.stdout)

    def found(self, diagnosis: FileDiagnosis) -> None:
        from rich.text import Text

        if not diagnosis.problems:
            return
        text = Text(f"{_plain(diagnosis.file) or 'input'}\n", "bold")
        tune = ""
        for each in diagnosis.problems:
            name = _plain(f"{each.tune} {each.title}")
            if name and name != tune:
                text.append(f"  {name}\n", "not bold cyan")
            tune = name or tune
            place = f"{each.line}:{each.column}" if each.line else ""
            text.append(f"    {place:>8}  ", "not bold dim")
            text.append(f"{each.severity:<7}", "bold red" if each.severity == "error" else "bold yellow")
            text.append(f"  {self._wrapped(each.message)}\n", "not bold")
        self._print(text)

    def fixed(self, diagnosis: FileDiagnosis, path: Path | None, done: FixResult) -> None:
        from rich.text import Text

        text = Text()
        for word, note in _notes(path, done):
            text.append(f"    {note.line or '':>8}  ", "dim")
            text.append(f"{word:<9}", "bold green" if word == "fixed" else "bold magenta")
            text.append(f"  {self._wrapped(note.message)}\n")
        self._print(text)
        if path:
            self.console.say(f"wrote {path}")

    def _wrapped(self, message: str) -> str:
        """Return a message in the lines of its column, if there is room for one."""
        text, width = _plain(message), self.console.width - MESSAGE_COLUMN
        lines = wrap_prose(text, width) if width >= MIN_MESSAGE else [text]
        return f"\n{' ' * MESSAGE_COLUMN}".join(lines)

    def _print(self, text: Any) -> None:
        with self.canvas.capture() as drawn:
            self.canvas.print(text, end="", soft_wrap=True)
        self.console.write_rendered(drawn.get())


@dataclass(slots=True)
class _Json(Report):
    """One JSON document at the end."""

    console: Console
    problems: list[dict[str, Any]] = field(default_factory=list)
    fixes: list[dict[str, Any]] = field(default_factory=list)

    def found(self, diagnosis: FileDiagnosis) -> None:
        self.problems += [{"file": diagnosis.file, **asdict(each)} for each in diagnosis.problems]

    def fixed(self, diagnosis: FileDiagnosis, path: Path | None, done: FixResult) -> None:
        notes = {
            "changes": [asdict(note) for note in done.changes if path],
            "left": [asdict(note) for note in done.left],
        }
        self.fixes.append({"file": diagnosis.file, "output": str(path) if path else None, **notes})

    def close(self, total: Total) -> None:
        counts = {f"{name}s": total.severities[name] for name in ("error", "warning")}
        found = {"problems": self.problems, "fixed": self.fixes}
        document = {"files": total.files, "pieces": total.pieces, **counts, **found}
        self.console.write_json(document, indent=2)


def _notes(path: Path | None, done: FixResult) -> list[tuple[str, FixNote]]:
    """Return what was fixed, if a copy was written to `path`, and what is left, each with that word."""
    return [*(("fixed", note) for note in done.changes if path), *(("not fixed", note) for note in done.left)]


def _at(file: str, line: int, column: int = 0) -> str:
    """Format a place like a compiler, with a space after it."""
    places: Sequence[str] = [str(number) for number in (line, column) if number]
    return ":".join([*([file] if file else []), *places]) + (": " if file else "")


def _plain(text: str) -> str:
    """Return `text`, which may quote a file, as one printable line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
