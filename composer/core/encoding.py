"""Pieces as arrays on the disk: made once, then mapped into memory by every run on the same data.

    dataset = prepare(representation, ["tunes/"], Split())      # fits, or restores, the representation

An encoding is a folder of flat files. Its name is a digest of the sources' contents and of everything else that
decides what it holds, so that it is never out of date; one that is damaged is made again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from composer.api import ComposerError, EncodeError, Piece, Representation, SequenceSpec
from composer.api.folders import cache_folder
from composer.core import naming, stamps
from composer.core.arrays import Part, files_of, open_part, size_of, write_part
from composer.core.cache import MANIFEST, check_room, keeping, making, prune, use
from composer.core.collecting import Collected, Files
from composer.core.split import PARTS, Split

LAYOUT = 3
"""The number of the layout of the files; it goes into every encoding's name."""

CHECKED = "checked.json"
"""The file in an encoding that says when its others had last been changed when they were read and found sound."""

SAMPLE = 16
"""So many training pieces, from all over, tell how much room the encoding will take."""


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
    are refused. `augment` adds every piece's variants to the training part. `progress` is as in `corpus.Stream`.
    Raises ReadError where there is nothing to learn from, and ComposerError where the cache cannot be written.
    """
    split = split or Split()
    asked = _Asked(representation, tuple(arguments), split, fitted, augment)
    files = Files(arguments, split, representation.suffixes)
    folder = cache_folder()
    decides = naming.decisions(LAYOUT, representation, split, fitted=fitted, augment=augment)
    stamp = stamps.stamp(decides, files.named, representation.suffixes)
    known = stamps.recall(folder, stamp)
    opened = _open(folder / known.name, asked, known.digest) if known else None
    if opened is not None:
        return opened
    placed, digest = naming.contents({part: files.of(part) for part in files.named})
    known = stamps.Known(f"{representation.name}-{naming.digest(decides, placed)}", digest)
    opened = _open(folder / known.name, asked, digest)
    if opened is None:
        _make(folder / known.name, asked, files, stamp.size if stamp else 0, progress)
        opened = _open(folder / known.name, asked, digest, cached=False)
        prune(folder, keep=folder / known.name)
        stamps.prune(folder)
    if opened is None:
        raise ComposerError(f"the encoding in {folder / known.name} cannot be read back", "is the disk sound?")
    stamps.remember(folder, stamp, known)
    return opened


@dataclass(frozen=True, slots=True)
class _Asked:
    """What `prepare` was asked for."""

    representation: Representation
    arguments: tuple[str, ...]
    split: Split
    fitted: bool
    augment: bool


def _make(folder: Path, asked: _Asked, files: Files, size: int, progress: Callable[[int, int], object] | None) -> None:
    """Make a new encoding of `files`, which have about `size` bytes, in `folder`."""
    representation = asked.representation
    with making(folder) as temporary:
        with keeping(folder):
            pieces = Collected(temporary / "pieces", asked.split)
        try:
            pieces.collect(representation, files, folder, size, progress)
            training = _Training(representation, pieces, asked.augment)
            if not asked.fitted:
                representation.fit(training)
            sampled = size_of(representation, training.sample())
            check_room(folder, sampled * max(1, pieces.division.count("train") / SAMPLE))
            with keeping(folder):
                _write(temporary, representation, training, pieces)
        finally:
            pieces.drop()


class _Training:
    """The training pieces, with their variants where asked for; they can be gone through more than once.

    `lacking` says that variants were asked for, and that the last time through there were none.
    """

    def __init__(self, representation: Representation, pieces: Collected, augment: bool) -> None:
        self._representation, self._pieces, self._augment = representation, pieces, augment
        self.lacking = False

    def __iter__(self) -> Iterator[Piece]:
        return self._with_variants(self._pieces.part("train"))

    def sample(self) -> Iterator[Piece]:
        """Some of them."""
        return self._with_variants(self._pieces.part("train", SAMPLE))

    def _with_variants(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        self.lacking = self._augment
        for piece in pieces:
            yield piece
            for variant in self._representation.variants(piece) if self._augment else ():
                self.lacking = False
                yield variant


def _write(folder: Path, representation: Representation, training: _Training, pieces: Collected) -> None:
    """Encode all parts into `folder`. Raises OSError, and EncodeError where there is nothing to learn from."""
    refused = pieces.refused
    each = {part: training if part == "train" else pieces.part(part) for part in PARTS}
    written = {part: write_part(folder / part, representation, each[part], refused.add) for part in PARTS}
    if not written["train"]["pieces"]:
        raise EncodeError(f"no piece can be encoded: {refused.commonest()}", "train a new model, without --from")
    lacking = [f"`{representation.name}` has no variants of these pieces: --augment adds nothing"]
    report = Report(
        {part: written[part]["pieces"] for part in PARTS},
        refused.counts, refused.places, pieces.unreadable, pieces.division.duplicates,
        [*pieces.division.notes, *(lacking if training.lacking else ())],
        dict(sum((Counter(written[part]["losses"]) for part in PARTS), Counter())),
    )  # fmt: skip
    manifest = {"state": representation.state(), "report": asdict(report), "parts": written}
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")


def _open(folder: Path, asked: _Asked, digest: str, *, cached: bool = True) -> Dataset | None:
    """Map an encoding and restore the representation from it; None where there is none, or it is damaged.

    Files that are as they were when they were found sound are not read again.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        written = manifest["parts"]
        asked.representation.restore(manifest["state"])
        spec = asked.representation.spec
        paths = [path for part in PARTS for path in files_of(folder / part, written[part])]
        status = [stamps.status_of(path.stat()) for path in paths]
        check = status != _checked(folder)
        parts = {part: open_part(folder / part, spec, written[part], check=check) for part in PARTS}
        report = Report(**manifest["report"])
        encoded = naming.digest(json.dumps([written[part]["sums"] for part in PARTS]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if check and stamps.at_rest(status):
        with suppress(OSError):
            (folder / CHECKED).write_text(json.dumps(status), "utf-8")
    use(folder)
    return Dataset(spec, parts, report, digest, encoded, asked.arguments, asked.split, asked.augment, cached)


def _checked(folder: Path) -> object:
    """The status of the files when they were found sound; None where that is not known."""
    try:
        return json.loads((folder / CHECKED).read_text("utf-8"))
    except (OSError, ValueError):
        return None
