"""The commands of a stage, as a user would type them in the bench's folder, and what else is typed to keep them apart.

In a command, `$DATA` is the folder of data and `$BEFORE` the model of the training before it; files that the bench
makes itself, such as `nottingham.txt`, stand in the folder that all commands are run in. Options follow the files.
"""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Mapping, Sequence

PROGRAM = "composer"
LONE = frozenset({"--augment", "--stream", "--resume", "--force", "--json", "--quiet"})
"""Flags that no value follows."""
KEYED = frozenset({"--set", "-o", "--option"})
"""Flags whose value is KEY=VALUE, so that they stand several times."""


def words(command: str, places: Mapping[str, object] | None = None) -> list[str]:
    """The arguments of `composer` in a command, with what stands for `$DATA` and `$BEFORE` in them.

    Raises ValueError where it is no command of this program.
    """
    found = shlex.split(command)
    if len(found) < 3 or found[0] != PROGRAM:
        raise ValueError(f"`{command}` is no command of `{PROGRAM}`")
    for name, value in (places or {}).items():
        found = [word.replace(f"${name}", str(value)) for word in found]
    return found[1:]


def process(arguments: Sequence[str]) -> list[str]:
    """The same as a process to start, with this Python."""
    return [sys.executable, "-m", "composer", *arguments]


def digest(*parts: object) -> str:
    """A short name for what is made of `parts`; it has nothing of the machine in it."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]


def tidy(command: str) -> str:
    """The command on one line, however it is broken in its file."""
    return " ".join(command.split())


def flag(command: str, name: str) -> str | None:
    """The value of a flag; None where it is not given."""
    found = words(command)
    joined = [word.removeprefix(f"{name}=") for word in found if word.startswith(f"{name}=")]
    return found[found.index(name) + 1] if name in found[:-1] else next(iter(joined), None)


def is_seeded(command: str) -> bool:
    """Whether a command names a seed of its own."""
    return flag(command, "--seed") is not None or any(
        word.rpartition("--set=")[2].startswith("seed=") for word in words(command)
    )


def files(arguments: Sequence[str]) -> list[str]:
    """The files among the arguments: all between the representation and the first option."""
    found = list(arguments[2:])
    for number, word in enumerate(found):
        if word.startswith("-"):
            return found[:number]
    return found


def without(arguments: Sequence[str], *names: str) -> list[str]:
    """The arguments without these flags and their values."""
    return [word for part in parted(arguments) if part[0] not in names for word in part]


def changed(command: str, change: str) -> str:
    """The command with the flags of `change`, each in the place of one that sets the same, else at the end."""
    parts = parted(shlex.split(command))
    for part in parted(shlex.split(change)):
        same = [number for number, other in enumerate(parts) if _sets(other) == _sets(part)]
        if same:
            parts[same[0]] = part
        else:
            parts.append(part)
    return shlex.join([word for part in parts for word in part])


def parted(arguments: Sequence[str]) -> list[tuple[str, ...]]:
    """Each flag with its value, and each other word, alone."""
    found: list[tuple[str, ...]] = []
    rest = iter(arguments)
    for word in rest:
        takes = word.startswith("-") and word not in LONE and "=" not in word
        found.append((word, next(rest, "")) if takes else (word,))
    return found


def _sets(part: tuple[str, ...]) -> tuple[str, ...]:
    """What a part of a command sets; of two that set the same, one is too many."""
    return (part[0], part[1].partition("=")[0]) if part[0] in KEYED else part[:1]
