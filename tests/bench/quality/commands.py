"""Parse and change the commands of a stage, which are as a user would type them in the benchmark's folder.

In a command, `$DATA` is the data folder and `$BEFORE` the model of the previous training. Files that the benchmark
makes itself, such as `nottingham.txt`, are in the folder where all commands run. Options follow the files.
"""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Mapping, Sequence

PROGRAM = "composer"
LONE = frozenset({"--augment", "--stream", "--resume", "--force", "--json", "--quiet"})
"""Options without a value."""
KEYED = frozenset({"--set", "-O", "--option"})
"""Options with a value KEY=VALUE, which may be repeated."""


def words(command: str, places: Mapping[str, object] | None = None) -> list[str]:
    """Return the arguments of `composer` in a command, with `$DATA` and `$BEFORE` replaced.

    Raises ValueError if it is not a command of this program.
    """
    found = shlex.split(command)
    if len(found) < 3 or found[0] != PROGRAM:
        raise ValueError(f"`{command}` is not a `{PROGRAM}` command")
    for name, value in (places or {}).items():
        found = [word.replace(f"${name}", str(value)) for word in found]
    return found[1:]


def process(arguments: Sequence[str]) -> list[str]:
    """Return the command line to run them with this Python."""
    return [sys.executable, "-m", "composer", *arguments]


def digest(*parts: object) -> str:
    """Return a short digest of `parts`, the same on every machine."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]


def tidy(command: str) -> str:
    """Return the command on one line."""
    return " ".join(command.split())


def flag(command: str, name: str) -> str | None:
    """Return the value of an option; None if it is not given."""
    found = words(command)
    joined = [word.removeprefix(f"{name}=") for word in found if word.startswith(f"{name}=")]
    return found[found.index(name) + 1] if name in found[:-1] else next(iter(joined), None)


def is_seeded(command: str) -> bool:
    """Whether a command sets a seed."""
    return flag(command, "--seed") is not None or any(
        word.rpartition("--set=")[2].startswith("seed=") for word in words(command)
    )


def files(arguments: Sequence[str]) -> list[str]:
    """Return the files: all arguments between the representation and the first option."""
    found = list(arguments[2:])
    for number, word in enumerate(found):
        if word.startswith("-"):
            return found[:number]
    return found


def without(arguments: Sequence[str], *names: str) -> list[str]:
    """Return the arguments without these options and their values."""
    return [word for part in parted(arguments) if part[0] not in names for word in part]


def changed(command: str, change: str) -> str:
    """Return the command with the options of `change`, replacing those that set the same."""
    parts = parted(shlex.split(command))
    for part in parted(shlex.split(change)):
        same = [number for number, other in enumerate(parts) if _sets(other) == _sets(part)]
        if same:
            parts[same[0]] = part
        else:
            parts.append(part)
    return shlex.join([word for part in parts for word in part])


def parted(arguments: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each option with its value, and each other word alone."""
    found: list[tuple[str, ...]] = []
    rest = iter(arguments)
    for word in rest:
        takes = word.startswith("-") and word not in LONE and "=" not in word
        found.append((word, next(rest, "")) if takes else (word,))
    return found


def _sets(part: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a part of a command sets."""
    return (part[0], part[1].partition("=")[0]) if part[0] in KEYED else part[:1]
