"""The pages of section 7 of the manual: a Markdown file each, which `make docs` turns into a man page."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "manual"


def summaries() -> dict[str, str]:
    """Return each page's name and what its title says of it, such as `train models on your own music`."""
    return {path.stem: _summary(path) for path in sorted(FOLDER.glob("*.md"))}


def text(name: str) -> str:
    """Return the Markdown of a page."""
    return (FOLDER / f"{name}.md").read_text("utf-8")


def _summary(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline().partition(": ")[2].strip()
