"""What the user names on the command line, as sources to read: files, folders, globs, archives, music21's corpora.

tunes.abc  a/folder  'a/**/*.abc'  tunes.zip  corpus:ryansMammoth  'corpus:essenFolksong/erk*.abc'  -
"""

from __future__ import annotations

import glob
import os
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from composer.api import ReadError, Source

MAX_ARCHIVE = 1024 * 1024 * 1024
"""The most bytes that the members of one archive may expand to."""

_CORPUS = "corpus:"


def stdin() -> bytes:
    """All of stdin. Raises ReadError where it is closed, or cannot be read."""
    if sys.stdin is None or sys.stdin.closed:
        raise ReadError("stdin is closed", "name a file in place of -")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise ReadError(f"cannot read stdin: {error.strerror or error}", "name a file in place of -") from error


def sources(
    arguments: Sequence[str], suffixes: Sequence[str], typed: Callable[[], bytes] = stdin
) -> Iterator[Source | ReadError]:
    """The sources that `arguments` name, in a fixed order; a ReadError stands for one that cannot be opened.

    A file that is named is taken whatever its suffix; in folders, archives and corpora, `suffixes` choose. Hidden
    files are passed over. `typed` gives what `-` stands for. Raises ReadError, before anything is read, for an
    argument that names nothing.
    """
    for place in _places(arguments):
        yield from _open(place, suffixes, typed)


def files(arguments: Sequence[str], suffixes: Sequence[str]) -> Iterator[Source | ReadError]:
    """The files that `sources` would read, unread: an archive stands for its members, and `-` for stdin."""
    for place in _places(arguments):
        if place != "-" and (place.startswith(_CORPUS) or Path(place).is_dir()):
            yield from _open(place, suffixes, stdin)
        else:
            yield Source(Path(place), name=place)


def public_name(argument: str) -> str:
    """What an argument may be called in a file that leaves this machine: a corpus, or the last name of a path."""
    if argument == "-" or argument.startswith(_CORPUS):
        return argument
    return Path(argument).expanduser().resolve().name


def located(argument: str) -> str:
    """The same argument as it can be given from any folder."""
    return argument if argument == "-" or argument.startswith(_CORPUS) else str(Path(argument).expanduser().absolute())


def _places(arguments: Sequence[str]) -> Iterator[str]:
    """What `arguments` name, patterns expanded. Raises ReadError, before the first, where one names nothing."""
    if not arguments:
        raise ReadError("there is nothing to read", "name files, folders, or corpus:NAME")
    for places in [_expanded(argument) for argument in arguments]:
        yield from places


def _expanded(argument: str) -> list[str]:
    """The argument itself, or the files that a pattern matches. Raises ReadError where there are none."""
    if not argument:  # a path of no letters is the current folder, and a variable of the shell may be empty
        raise ReadError("the name of a file is empty", "name the current folder as `.`")
    if argument == "-":
        return [argument]
    if argument.startswith(_CORPUS):
        _corpus_folder(argument)
        return [argument]
    path = Path(argument).expanduser()
    if path.exists():
        return [str(path)]
    if glob.has_magic(argument):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if matches:
            return matches
        raise ReadError(f"nothing matches {argument}", "check the folder, and put the pattern in quotes")
    hint = "check its spelling"
    if path.parent.is_dir():
        near = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], 1)
        hint = f"did you mean {path.parent / near[0]}?" if near else hint
    raise ReadError(f"there is no file or folder {argument}", hint)


def _open(place: str, suffixes: Sequence[str], typed: Callable[[], bytes]) -> Iterator[Source | ReadError]:
    path = Path(place)
    if place == "-":
        yield Source(Path("-"), name="stdin", data=typed())
    elif place.startswith(_CORPUS):
        folder, pattern = _corpus_folder(place)
        yield from _folder(folder, suffixes, f"{_CORPUS}{folder.name}/", pattern)
    elif path.is_dir():
        yield from _folder(path, suffixes)
    elif path.suffix.lower() == ".zip":
        yield from _archive(path, suffixes)
    else:
        yield Source(path, name=place)


def _folder(root: Path, suffixes: Sequence[str], prefix: str = "", pattern: str = "*") -> Iterator[Source | ReadError]:
    """The files below `root` that match, folder by folder, by name."""
    failures: list[OSError] = []
    for folder, below, names in os.walk(root, onerror=failures.append):
        below[:] = sorted(name for name in below if not _hidden(name))
        for name in sorted(names):
            path = Path(folder) / name
            inside = path.relative_to(root).as_posix()
            if _hidden(name) or path.suffix.lower() not in suffixes or not fnmatch(inside, pattern):
                continue
            if path.is_file():  # a pipe of that name would be waited for
                yield Source(path, name=prefix + inside if prefix else str(path), root=root)
    for failure in failures:
        yield ReadError(f"cannot read {failure.filename}: {failure.strerror}")


def _archive(path: Path, suffixes: Sequence[str]) -> Iterator[Source | ReadError]:
    """The members of a zip archive. None is unpacked to the disk, and together they are at most MAX_ARCHIVE."""
    try:
        with zipfile.ZipFile(path) as archive:
            total = 0
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                inside = _inside(info)
                if info.is_dir() or inside.suffix.lower() not in suffixes or any(map(_hidden, inside.parts)):
                    continue
                found = _member(archive, info, path, MAX_ARCHIVE - total)
                total += len(found.data or b"") if isinstance(found, Source) else 0
                yield found
    except (OSError, zipfile.BadZipFile) as error:
        yield ReadError(f"{path} cannot be read as a zip archive: {error}")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, room: int) -> Source | ReadError:
    name = f"{path}/{info.filename}"
    source = Source(path / _inside(info), name=name, root=path)
    most = min(room, source.limit)
    try:
        with archive.open(info) as file:
            data = file.read(most + 1)
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError, ValueError) as error:
        return ReadError(f"{name} cannot be read: {error}")
    except Exception as error:  # zlib.error and its kin of other compressions share no base
        return ReadError(f"{name} cannot be unpacked: {error}")
    if len(data) > most:
        return ReadError(f"{name} is too large to unpack in memory", "unpack the archive and name its folder")
    return Source(source.path, name=name, root=path, data=data)


def _inside(info: zipfile.ZipInfo) -> Path:
    """Where a member stands below its archive, whatever its name says of roots and parents."""
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    return Path(*[part for part in parts if part not in ("/", "..")])


def _corpus_folder(argument: str) -> tuple[Path, str]:
    """The folder and the pattern of `corpus:NAME[/GLOB]`. Raises ReadError with the nearest names."""
    name, _, pattern = argument.removeprefix(_CORPUS).partition("/")
    found = find_spec("music21")
    if found is None or not found.submodule_search_locations:
        raise ReadError(f"{argument} needs music21, which is not installed", "install it with: pip install music21")
    corpora = Path(next(iter(found.submodule_search_locations))) / "corpus"
    folders = {entry.name.lower(): entry for entry in corpora.iterdir() if entry.is_dir() and entry.name[0] not in "_."}
    if name.lower() not in folders:
        near = get_close_matches(name.lower(), list(folders), 3, 0.4) or sorted(folders)
        raise ReadError(
            f"music21 has no corpus `{name}`",
            "did you mean " + " or ".join(f"corpus:{folders[match].name}" for match in near[:3]) + "?",
        )
    return folders[name.lower()], pattern or "*"


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
