"""Find what the user names on the command line: files, folders, globs, archives, music21's corpora, stdin.

tunes.abc  a/folder  'a/**/*.abc'  tunes.zip  corpus:ryansMammoth  'corpus:essenFolksong/erk*.abc'  -
"""

from __future__ import annotations

import glob
import os
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from composer.api import ReadError, Source
from composer.api.limits import limit_hint, raised, read_up_to
from composer.api.source import MAX_SOURCE_BYTES, missing_file_error
from composer.formats import detect
from composer.system.archives import check_total, open_archive, unpack
from composer.system.paths import expand_home

MAX_ARCHIVE = 512 * 1024 * 1024
"""Maximum number of bytes that the members of one archive may expand to."""

_CORPUS = "corpus:"


def stdin() -> bytes:
    """Return all of stdin, or one byte more than a Source may hold. Raises ReadError if it is closed or unreadable."""
    if sys.stdin is None or sys.stdin.closed:
        raise ReadError("stdin is closed", "name a file instead of -")
    try:
        return read_up_to(sys.stdin.buffer, raised(MAX_SOURCE_BYTES))
    except OSError as error:
        raise ReadError(f"cannot read stdin: {error.strerror or error}", "name a file instead of -") from error


def sources(
    arguments: Sequence[str],
    suffixes: Sequence[str],
    read_stdin: Callable[[], bytes] = stdin,
    *,
    repeats: bool = False,
) -> Iterator[Source | ReadError]:
    """Yield the sources that `arguments` name, in a fixed order, and a ReadError for each that cannot be opened.

    A named file is read whatever its suffix; `suffixes` select files in folders, archives and corpora. A file without
    suffix is selected if it is music whose usual suffix is among them. Hidden files are skipped. `read_stdin` returns
    the content of `-`. What several arguments name is yielded once, unless `repeats`. Raises ReadError, before yielding
    anything, if an argument names nothing.
    """
    seen = set[str]()
    for path in _expand_all(arguments):
        here = {absolute_argument(path)}
        if here <= seen and not repeats:
            continue
        for source in _open(path, suffixes, read_stdin):
            place = absolute_argument(str(source.path)) if isinstance(source, Source) else ""
            if place not in seen or repeats:
                here.add(place)
                yield source
        seen |= here - {""}


def suffixes_in(arguments: Sequence[str]) -> Counter[str]:
    """Count the suffixes of the files in the folders that `arguments` name; "" is none."""
    folders = (Path(path) for path in _expand_all(arguments) if Path(path).is_dir())
    return Counter(_suffix(path) for folder in folders for path in _walk(folder, []))


def is_pattern(argument: str) -> bool:
    """Return whether `argument` is a pattern for files, or names a corpus."""
    return argument.startswith(_CORPUS) or glob.has_magic(argument)


def public_name(argument: str) -> str:
    """Return a name for an argument without the folders of this machine: a corpus, or the last part of a path."""
    if argument == "-" or argument.startswith(_CORPUS):
        return argument
    return Path(os.path.realpath(expand_home(argument))).name


def absolute_argument(argument: str) -> str:
    """Return the argument in a form that does not depend on the current folder."""
    return argument if argument == "-" or argument.startswith(_CORPUS) else str(expand_home(argument).absolute())


def _expand_all(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the paths that `arguments` name, with patterns expanded. Raises ReadError as `sources` does."""
    if not arguments:
        raise ReadError("nothing to read", "name files, folders, or corpus:NAME")
    for paths in [_expand(argument) for argument in arguments]:
        yield from paths


def _expand(argument: str) -> list[str]:
    """Return the argument itself, or the files that a pattern matches. Raises ReadError if there are none."""
    if not argument:  # Path("") is the current folder, but an empty argument is more likely an unset shell variable
        raise ReadError("empty file name", "write . for the current folder")
    if argument == "-":
        return [argument]
    if argument.startswith(_CORPUS):
        _corpus_folder(argument)
        return [argument]
    path = expand_home(argument)
    if path.exists():
        return [str(path)]
    if glob.has_magic(argument):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if matches:
            return matches
        raise ReadError(f"no files match {argument}", "check the folder, and quote the pattern")
    raise missing_file_error(str(path))


def _open(path: str, suffixes: Sequence[str], read_stdin: Callable[[], bytes]) -> Iterator[Source | ReadError]:
    if path == "-":
        yield Source(Path("-"), name="stdin", data=read_stdin())
    elif path.startswith(_CORPUS):
        folder, pattern = _corpus_folder(path)
        yield from _folder(folder, suffixes, f"{_CORPUS}{folder.name}/", pattern)
    elif Path(path).is_dir():
        yield from _folder(Path(path), suffixes)
    elif Path(path).suffix.lower() == ".zip":
        yield from _archive(Path(path), suffixes)
    else:
        yield _named_file(Path(path), path)


def _named_file(path: Path, name: str) -> Source | ReadError:
    """Return the source of a file; a pipe or a device is read now, since it can be read only once."""
    source = Source(path, name=name)
    try:
        if path.is_file() or not path.exists():
            return source
        return replace(source, data=source.bytes())
    except OSError as error:
        return ReadError(f"cannot read {name}: {error.strerror or error}", "check its name and permissions")
    except ReadError as error:
        return error


def _folder(root: Path, suffixes: Sequence[str], prefix: str = "", pattern: str = "*") -> Iterator[Source | ReadError]:
    """Yield the files below `root` that match."""
    failures: list[OSError] = []
    for path in _walk(root, failures):
        inside = path.relative_to(root).as_posix()
        source = Source(path, name=prefix + inside if prefix else str(path), root=root)
        # a named pipe would block
        if fnmatch(inside, pattern) and _may_match(path, suffixes) and path.is_file() and _matches(source, suffixes):
            yield source
    for failure in failures:
        yield ReadError(f"cannot read {failure.filename}: {failure.strerror}")


def _walk(root: Path, failures: list[OSError]) -> Iterator[Path]:
    """Yield everything below `root` that is no folder and not hidden, sorted by name folder by folder."""
    for folder, below, names in os.walk(root, onerror=failures.append):
        below[:] = sorted(name for name in below if not _is_hidden(name))
        yield from (Path(folder) / name for name in sorted(names) if not _is_hidden(name))


def _suffix(path: Path) -> str:
    """Return the suffix of `path` in lower case; empty if what follows the last dot is a number or has spaces."""
    suffix = path.suffix.lower()
    return "" if suffix[1:].isdecimal() or " " in suffix else suffix


def _may_match(path: Path, suffixes: Sequence[str]) -> bool:
    """Return whether a file has one of `suffixes`, or none, so that its content decides."""
    return _suffix(path) in ("", *suffixes)


def _matches(source: Source, suffixes: Sequence[str]) -> bool:
    """Return whether `source` has one of `suffixes`, or none and is music with such a suffix."""
    if _suffix(source.path):
        return True
    try:
        found = detect(source.bytes())
    except ReadError:
        return True  # whoever reads it reports the error
    return found is not None and found.suffixes[0] in suffixes


def _archive(path: Path, suffixes: Sequence[str]) -> Iterator[Source | ReadError]:
    """Yield the members of a zip archive, unpacked in memory, MAX_ARCHIVE bytes at most."""
    try:
        with path.open("rb") as file, open_archive(file, str(path)) as archive:
            members = [info for info in archive.infolist() if _is_selected(info, suffixes)]
            check_total(members, str(path), MAX_ARCHIVE)
            for info in sorted(members, key=lambda info: info.filename):
                found = _member(archive, info, path)
                if isinstance(found, ReadError) or _matches(found, suffixes):
                    yield found
    except ReadError as error:
        yield error
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        yield ReadError(f"cannot read {path} as a zip archive: {error}", "unpack it, and name its folder")


def _is_selected(info: zipfile.ZipInfo, suffixes: Sequence[str]) -> bool:
    inside = _safe_member_path(info)
    return not info.is_dir() and _may_match(inside, suffixes) and not any(map(_is_hidden, inside.parts))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Source | ReadError:
    name = f"{path}/{info.filename}"
    source = Source(path / _safe_member_path(info), name=name, root=path)
    limit = raised(source.limit)
    if info.file_size > limit:
        hint = limit_hint("unpack the archive, and split this file", info.file_size, source.limit)
        return ReadError(f"{name} unpacks to more than {limit // 2**20:,} MB", hint)
    try:
        return replace(source, data=unpack(archive, info, limit))
    except (OSError, RuntimeError, zipfile.BadZipFile, EOFError, ValueError) as error:
        return ReadError(f"cannot read {name}: {error}")
    except Exception as error:  # zlib.error and those of other compressions share no base
        return ReadError(f"cannot unpack {name}: {error}")


def _safe_member_path(info: zipfile.ZipInfo) -> Path:
    """Return the path of a member without roots and parents, so that it is always below its archive."""
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    return Path(*[part for part in parts if part not in ("/", "..")] or ["unnamed"])


def _corpus_folder(argument: str) -> tuple[Path, str]:
    """Return the folder and the pattern of `corpus:NAME[/GLOB]`. Raises ReadError with the nearest names."""
    name, _, pattern = argument.removeprefix(_CORPUS).partition("/")
    found = find_spec("music21")
    if found is None or not found.submodule_search_locations:
        raise ReadError(f"{argument} needs music21, which is not installed", "pip install music21")
    corpora = Path(next(iter(found.submodule_search_locations))) / "corpus"
    folders = {entry.name.lower(): entry for entry in corpora.iterdir() if entry.is_dir() and entry.name[0] not in "_."}
    if name.lower() not in folders:
        near = get_close_matches(name.lower(), list(folders), 3, 0.4) or sorted(folders)[:3]
        *names, last = [f"corpus:{folders[match].name}" for match in near]
        hint = f"did you mean {', '.join(names)}{' or ' * bool(names)}{last}?"
        raise ReadError(f"music21 has no corpus '{name}'", hint)
    return folders[name.lower()], pattern or "*"


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
