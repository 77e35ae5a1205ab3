"""Pieces as arrays on the disk: made once, then mapped into memory by every run on the same data.

    dataset = prepare(representation, ["tunes/"], Split())      # fits, or restores, the representation

An encoding is a folder of flat files. Its name is a digest of the sources' contents and of everything else that
decides what it holds, so that it is never out of date; one that is damaged is made again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import composer
from composer.api import (
    ComposerError,
    EncodeError,
    Piece,
    ReadError,
    Representation,
    SequenceSpec,
    Source,
)
from composer.api.folders import cache_folder
from composer.core.arrays import Part, open_part, write_part
from composer.core.corpus import Refusals, read
from composer.core.sources import sources
from composer.core.split import PARTS, Parts, Split, divide, read_list

LAYOUT = 2
"""The number of the layout of the files; it goes into every encoding's name."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the pieces that were read.

    `refused` and `places` are by reason, `pieces` by part; `losses` are what the steps of these do not hold, by phrase.
    """

    pieces: Mapping[str, int]
    refused: Mapping[str, int]
    places: Mapping[str, Sequence[str]]
    unreadable: Sequence[str] = ()
    duplicates: int = 0
    notes: Sequence[str] = ()
    losses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """An encoded corpus.

    `digest` is of the sources' contents and `encoded` of the encoded steps; `arguments`, `split` and `augment` are what
    `prepare` was given, and `cached` says that the encoding had been made before.
    """

    spec: SequenceSpec
    parts: Mapping[str, Part]
    report: Report
    digest: str
    encoded: str
    arguments: Sequence[str]
    split: Split
    augment: bool
    cached: bool


def prepare(
    representation: Representation,
    arguments: Sequence[str],
    split: Split | None = None,
    *,
    fitted: bool = False,
    augment: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Dataset:
    """Read, split and encode what `arguments` name, and fit `representation` to the training part.

    With `fitted`, the representation stays as it was restored from a checkpoint, and pieces that it has no steps for
    are refused. `augment` adds every piece's variants to the training part. `progress` is as in `corpus.read`.
    Raises ReadError where there is nothing to learn from, and ComposerError where the cache cannot be written.
    """
    split = split or Split()
    found = {"": list(sources(arguments, representation.suffixes))}
    found |= {part: list(sources(files, representation.suffixes)) for part, files in split.files.items()}
    digests = {part: [_source_digest(source) for source in each] for part, each in found.items()}
    key = _key(representation, split, found, digests, fitted=fitted, augment=augment)
    folder = cache_folder() / f"{representation.name}-{key}"
    corpus_digest = _digest(*(digest for part in sorted(digests) for digest in digests[part]))
    asked = (tuple(arguments), split, augment)
    opened = _open(folder, representation, corpus_digest, asked, cached=True)
    if opened is not None:
        return opened
    corpora = {
        part: read(representation, arguments if not part else split.files[part], each, progress)
        for part, each in found.items()
    }
    refused = Refusals()
    for corpus in corpora.values():
        refused.merge(corpus.refused)
    parts = divide(split, corpora[""].pieces, {part: corpora[part].pieces for part in split.files})
    training = _Training(representation, parts.pieces["train"], augment)
    if not fitted:
        representation.fit(training)
    unreadable = [line for corpus in corpora.values() for line in corpus.unreadable]
    _write(folder, representation, training, parts, refused=refused, unreadable=unreadable)
    opened = _open(folder, representation, corpus_digest, asked, cached=False)
    if opened is None:
        raise ComposerError(f"the encoding in {folder} cannot be read back", "is the disk sound?")
    return opened


class _Training:
    """The training pieces, with their variants where asked for; they can be gone through more than once.

    `lacking` says that variants were asked for, and that the last time through there were none.
    """

    def __init__(self, representation: Representation, pieces: Sequence[Piece], augment: bool) -> None:
        self._representation, self._pieces, self._augment = representation, pieces, augment
        self.lacking = False

    def __iter__(self) -> Iterator[Piece]:
        self.lacking = self._augment
        for piece in self._pieces:
            yield piece
            for variant in self._representation.variants(piece) if self._augment else ():
                self.lacking = False
                yield variant


def _write(
    folder: Path,
    representation: Representation,
    training: _Training,
    parts: Parts,
    *,
    refused: Refusals,
    unreadable: Sequence[str],
) -> None:
    """Encode all parts into a new folder, and give it its name only when it is whole."""
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
        pieces = {part: training if part == "train" else parts.pieces[part] for part in PARTS}
        written = {part: write_part(temporary / part, representation, pieces[part], refused.add) for part in PARTS}
        if not written["train"]["pieces"]:
            raise EncodeError(f"no piece can be encoded: {refused.commonest()}", "train a new model, without --from")
        lacking = [f"`{representation.name}` has no variants of these pieces: --augment adds nothing"]
        report = Report(
            {part: written[part]["pieces"] for part in PARTS},
            refused.counts, refused.places, unreadable, parts.duplicates,
            [*parts.notes, *(lacking if training.lacking else ())],
            dict(sum((Counter(written[part]["losses"]) for part in PARTS), Counter())),
        )  # fmt: skip
        manifest = {"state": representation.state(), "report": asdict(report), "parts": written}
        (temporary / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    except OSError as error:
        raise ComposerError(
            f"cannot keep the encoded pieces in {folder.parent}: {error.strerror or error}",
            _way_out(error, folder.parent),
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _way_out(error: OSError, folder: Path) -> str:
    """What to do where `folder` cannot be written to."""
    if error.errno != errno.ENOSPC:
        return "set COMPOSER_HOME to a folder that you may write to"
    there = next(each for each in (folder, *folder.parents) if each.is_dir())
    return f"{shutil.disk_usage(there).free // 2**20} MB are free there; set COMPOSER_HOME to a folder with more"


def _open(
    folder: Path,
    representation: Representation,
    digest: str,
    asked: tuple[tuple[str, ...], Split, bool],
    cached: bool,
) -> Dataset | None:
    """Map an encoding and restore the representation from it; None where there is none, or it is damaged."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        representation.restore(manifest["state"])
        spec = representation.spec
        parts = {part: open_part(folder / part, spec, manifest["parts"][part]) for part in PARTS}
        encoded = _digest(json.dumps([manifest["parts"][part]["sums"] for part in PARTS]))
        return Dataset(spec, parts, Report(**manifest["report"]), digest, encoded, *asked, cached)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key(
    representation: Representation,
    split: Split,
    found: Mapping[str, Sequence[Source | ReadError]],
    digests: Mapping[str, Sequence[str]],
    *,
    fitted: bool,
    augment: bool,
) -> str:
    """The name of an encoding: a digest of all that decides what it holds."""
    listing = sorted(read_list(split.listing).items()) if split.listing else None
    parts = {
        part: [[_place(source), digest] for source, digest in zip(found[part], digests[part], strict=True)]
        for part in found
    }
    decides = [
        LAYOUT, composer.__version__, _code(type(representation)), representation.name, representation.version,
        repr(representation.options), representation.state() if fitted else None,
        [split.valid, split.test, listing, sorted(split.files)], augment, parts,
    ]  # fmt: skip
    return _digest(json.dumps(decides, sort_keys=True))


def _code(kind: type[Any]) -> str:
    """A digest of the plugin's modules and of `composer.formats`, which its readers stand on."""
    digest = hashlib.blake2b(digest_size=16)
    for name in (kind.__module__.partition(".")[0], "composer.formats"):
        try:
            found = find_spec(name)  # whether it has been imported yet must not matter
        except ValueError:  # a class of the interpreter's own session has no file
            continue
        if found is None or found.origin is None:
            continue
        whole = found.submodule_search_locations is not None
        for path in sorted(Path(found.origin).parent.rglob("*.py")) if whole else [Path(found.origin)]:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _place(source: Source | ReadError) -> str:
    """What of a source's place may matter to a reader: its path below the folder that was named."""
    if isinstance(source, ReadError):
        return ""
    return source.path.relative_to(source.root).as_posix() if source.root else source.path.name


def _source_digest(source: Source | ReadError) -> str:
    try:
        if isinstance(source, ReadError):
            raise source
        return hashlib.blake2b(source.bytes(), digest_size=16).hexdigest()
    except ReadError as error:
        return _digest(error.message)


def _digest(*parts: str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part.encode())
    return digest.hexdigest()
