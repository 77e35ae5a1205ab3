"""Write the completion scripts, the man pages and the README's tune: `make docs`."""

from __future__ import annotations

import io
import re
import sys
from calendar import month_name
from pathlib import Path

from composer.checkpoints import store
from composer.cli.app import main
from composer.cli.command import COMMANDS
from composer.cli.completion.scripts import script
from composer.cli.console import Console
from composer.cli.docs import man_pages, pages

COMPLETIONS = {"bash": "composer.bash", "zsh": "_composer", "fish": "composer.fish", "powershell": "composer.ps1"}
"""The file name that each shell expects."""


def documents(root: Path) -> dict[Path, str]:
    """Return each generated file of the repository at `root` with its content.

    The README's tune is not one of them, since another processor may generate another tune.
    """
    found = {root / "completions" / name: script(shell) for shell, name in COMPLETIONS.items()}
    date = _date((root / "CHANGELOG.md").read_text("utf-8"))
    for name in ("", *COMMANDS):
        file = f"composer-{name}.1" if name else "composer.1"
        found[root / "man" / "man1" / file] = man_pages.command_page(name, date)
    for name in pages.summaries():
        found[root / "man" / "man7" / f"composer-{name}.7"] = man_pages.manual_page(name, date)
    return found


def write(root: Path) -> None:
    """Write every generated file, and a new tune into the README."""
    for path, content in documents(root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8", newline="\n")
    readme = root / "README.md"
    readme.write_text(with_tune(readme.read_text("utf-8")), "utf-8", newline="\n")


def with_tune(readme: str) -> str:
    """Return the README with the tune of its first `composer gen`, and the beginning of its roll, in the next block."""
    model = store.bundled("abc")
    found = re.search(r"^composer (gen abc .*) --output .*\n(?:.*\n)*?```text\n((?:.*\n)*?)```$", readme, re.M)
    if model is None or found is None:
        return readme
    tune = _run(*found[1].split(), "--checkpoint", str(model))
    title, roll, *_ = _run("show", "-", stdin=tune).split("\n\n")
    return readme[: found.start(2)] + f"{_cut(tune.strip())}\n\n{title}\n\n{roll}\n" + readme[found.end(2) :]


def _cut(text: str) -> str:
    """Return `text` without the lines of a tune's provenance after the first, and what goes beyond 80 columns."""
    text = re.sub(r"^(%%composer .*)(?:\n%%composer .*)+", r"\1...", text, flags=re.MULTILINE)
    return re.sub(r"^(.{77}).{4,}$", r"\1...", text, flags=re.MULTILINE)


def _run(*arguments: str, stdin: str = "") -> str:
    """Return what the program writes to stdout."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    console = Console(io.TextIOWrapper(io.BytesIO(stdin.encode())), out, err, {"COLUMNS": "80"})
    if main([*arguments], console) != 0:
        raise SystemExit(f"`composer {' '.join(arguments)}` fails")
    out.seek(0)
    return out.read()


def _date(changelog: str) -> str:
    """Return the date of the newest version in the changelog, as man pages write it."""
    found = re.search(r"^## .*?(\d{4})-(\d\d)-(\d\d)", changelog, re.MULTILINE)
    if found is None:
        raise SystemExit("CHANGELOG.md has no version with a date")
    return f"{month_name[int(found[2])]} {int(found[3])}, {found[1]}"


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
