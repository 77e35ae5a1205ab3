"""The configuration file: TOML with a table for each command, such as `[gen]`, and each representation: `[gen.abc]`.

It is changed line by line, so that comments stay.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from composer.api import ComposerError
from composer.api.limits import read_up_to
from composer.system.files import NotAFile, open_file_or_device, write_atomic

MAX_BYTES = 1_000_000
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?")
_ENTRY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")

Key = tuple[str, ...]
"""The parts of a key: `("gen", "abc", "temp")`."""


class ConfigFile(NamedTuple):
    """A configuration file, its text and its tables."""

    path: Path
    text: str = ""
    tables: Mapping[str, Any] = {}

    def values(self) -> Iterator[tuple[Key, Any]]:
        """Yield each key with its value; an empty table is a value too."""
        yield from _flat((), self.tables)

    def place(self, key: Key) -> str:
        """Return where a key is, for messages: `/home/me/config.toml, line 3`."""
        for length in range(len(key), 0, -1):
            for number, found, _ in _lines(self.text):
                if found[:length] == key[:length]:
                    return f"{self.path}, line {number}"
        return str(self.path)

    def with_value(self, key: Key, value: Any) -> str:
        """Return the text with the value of a key set. Raises ComposerError if it is written in an unusual way."""
        line = f"{_written(key[-1:])} = {literal(value)}"
        lines, table = self.text.splitlines(), key[:-1]
        numbers = {(found, is_entry): number for number, found, is_entry in _lines(self.text)}
        if (key, True) in numbers:
            lines[numbers[key, True] - 1] = line
        elif (table, False) in numbers:
            lines.insert(numbers[table, False], line)
        else:
            lines += [*([""] if lines else []), f"[{_written(table)}]", line]
        return self._checked(lines, key, value)

    def without(self, key: Key) -> str:
        """Return the text without a key. Raises ComposerError if it is written in an unusual way."""
        lines = self.text.splitlines()
        for number, found, is_entry in _lines(self.text):
            if found == key and is_entry:
                del lines[number - 1]
                break
        return self._checked(lines, key, None)

    def write(self, text: str) -> None:
        """Write the text, atomically. Raises ComposerError."""
        try:
            write_atomic(self.path, text.encode())
        except OSError as error:
            raise ComposerError(
                f"cannot write {self.path}: {error.strerror or error}", "set COMPOSER_CONFIG to another file"
            ) from error

    def _checked(self, lines: list[str], key: Key, value: Any) -> str:
        """Return the lines as text if they say what they should."""
        text = "".join(f"{line}\n" for line in lines)
        wanted = {found: kept for found, kept in self.values() if found != key and kept != {}}
        if value is not None:
            wanted[key] = value
        try:
            found = {each: kept for each, kept in _flat((), tomllib.loads(text)) if kept != {}}
        except tomllib.TOMLDecodeError:
            found = {}
        if found != wanted:
            name = ".".join(key)
            raise ComposerError(f"{self.place(key)}: cannot change {name} in a table of this form", "edit the file")
        return text


def load(path: Path) -> ConfigFile:
    """Read a configuration file; one that is missing is empty. Raises ComposerError if it is not valid TOML."""
    try:
        with open_file_or_device(path) as file:  # a device has no end
            data = read_up_to(file, MAX_BYTES)
        if len(data) > MAX_BYTES:
            raise ComposerError(f"{path} is larger than {MAX_BYTES:,} bytes", "set COMPOSER_CONFIG to another file")
        text = data.decode("utf-8")
        return ConfigFile(path, text, tomllib.loads(text))
    except FileNotFoundError:
        return ConfigFile(path)
    except IsADirectoryError as error:
        raise ComposerError(f"{path} is a folder", "remove it, or set COMPOSER_CONFIG to a file") from error
    except NotAFile as error:
        raise ComposerError(f"{path} is a pipe or socket, not a file", "set COMPOSER_CONFIG to a file") from error
    except OSError as error:
        raise ComposerError(f"cannot read {path}: {error.strerror or error}", "check its permissions") from error
    except UnicodeDecodeError as error:
        raise ComposerError(f"{path} is not UTF-8 text", "write it again, or delete it") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.fullmatch(r"(.*) \(at line (\d+), column \d+\)", str(error))
        where, reason = (f"{path}, line {found[2]}", found[1]) if found else (str(path), str(error))
        raise ComposerError(
            f"{where}: not valid TOML: {reason[:1].lower()}{reason[1:]}", "correct the line, or delete the file"
        ) from error


def literal(value: Any) -> str:
    """Return a value as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flat(key: Key, value: Any) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, dict) and (value or not key):
        for name, each in value.items():
            yield from _flat((*key, name), each)
    else:
        yield key, value


def _lines(text: str) -> Iterator[tuple[int, Key, bool]]:
    """Yield the number of each line that names a key or a table, that name, and whether it is a key."""
    table: Key = ()
    for number, line in enumerate(text.splitlines(), 1):
        if found := _HEADER.fullmatch(line):
            table = _parts(found[1])
            yield number, table, False
        elif found := _ENTRY.match(line):
            yield number, (*table, *_parts(found[1])), True


def _parts(text: str) -> Key:
    return tuple(part.strip("\"'") for part in _PART.findall(text))


def _written(key: Key) -> str:
    return ".".join(part if re.fullmatch(r"[\w-]+", part, re.ASCII) else json.dumps(part) for part in key)
