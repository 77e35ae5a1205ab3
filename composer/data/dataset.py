"""Pieces as arrays on the disk: made once, then mapped into memory by every run on the same data.

    dataset = prepare(representation, ["tunes/"], Split())      # fits, or restores, the representation

An encoding is a folder of flat files. Its name is a digest of the sources' contents and of everything else that
decides what it holds, so that it is never out of date; one that is damaged is made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from composer.api import ComposerError, Representation, SequenceSpec
from composer.data import cache_key, file_stamps
from composer.data.build import MELODIES, Job, Report, make
from composer.data.encoded_split import Part, files_of, open_part
from composer.data.parallel_build import share_disk
from composer.data.splits import PARTS, Split
from composer.data.staging import Files
from composer.distributed.group import ProcessGroup
from composer.music.contour import MelodyCollection
from composer.system.cache_dir import MANIFEST, mark_used, prune
from composer.system.paths import cache_folder

__all__ = ["LAYOUT", "Dataset", "Report", "prepare"]

LAYOUT = 4
"""The number of the layout of the files; it goes into every encoding's name."""

CHECKED = "checked.json"
"""The file in an encoding that says when its others had last been changed when they were read and found sound."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """An encoded corpus.

    `digest` is of the sources' contents and `encoded` of the encoded steps; `arguments`, `split` and `augment` are what
    `prepare` was given, and `cached` says that the encoding had been made before. `melodies` are those of the training
    pieces, as `MelodyCollection.to_bytes` packs them.
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
    melodies: bytes


def prepare(
    representation: Representation,
    arguments: Sequence[str],
    split: Split | None = None,
    *,
    fitted: bool = False,
    augment: bool = False,
    progress: Callable[[int, int], object] | None = None,
    group: ProcessGroup | None = None,
) -> Dataset:
    """Read, split and encode what `arguments` name, and fit `representation` to the training part.

    With `fitted`, the representation stays as it was restored from a checkpoint, and pieces that it has no steps for
    are refused. `augment` adds every piece's variants to the training part. `progress` is as in `corpus.Stream`. All
    ranks of a `group` call this together, and share the work where they share the cache's disk.
    Raises ReadError where there is nothing to learn from, and ComposerError where the cache cannot be written.
    """
    split, group, cache = split or Split(), group or ProcessGroup(), cache_folder()
    job = Job(representation, tuple(arguments), split, fitted, augment)
    files = Files(arguments, split, representation.suffixes)
    decides = cache_key.decisions(LAYOUT, representation, split, fitted=fitted, augment=augment)
    stamp = file_stamps.stamp(decides, files.named, representation.suffixes)
    known = file_stamps.recall(cache, stamp)
    opened = _open(cache / known.name, job, known.digest) if known else None
    if group.any(opened is None)[0]:
        placed, digest = cache_key.contents({part: files.of(part) for part in files.named})
        known = file_stamps.Known(f"{representation.name}-{cache_key.digest(decides, placed)}", digest)
        opened = _open(cache / known.name, job, digest)
        if group.any(opened is None)[0]:
            opened = _made(cache, known, job, files, stamp.size if stamp else 0, progress, group)
        file_stamps.remember(cache, stamp, known)
    assert opened is not None
    return opened


def _made(
    cache: Path,
    known: file_stamps.Known,
    job: Job,
    files: Files,
    size: int,
    progress: Callable[[int, int], object] | None,
    group: ProcessGroup,
) -> Dataset:
    """Make the encoding, together where all ranks see the same cache, else each machine its own; and open it."""
    folder = cache / known.name
    if len(set(group.all_gather_bytes(known.name.encode()))) == 1 and share_disk(group, cache):
        make(folder, job, files, size, progress, group)
        group.any(False)  # the others wait until it has its name
    else:
        with group.main_process_first():
            if _open(folder, job, known.digest) is None:
                make(folder, job, files, size, progress, ProcessGroup())
    opened = _open(folder, job, known.digest, cached=False)
    if opened is None:
        raise ComposerError(f"the encoding in {folder} cannot be read back", "is the disk sound?")
    if group.is_main:
        prune(cache, keep=folder)
        file_stamps.prune(cache)
    return opened


def _open(folder: Path, job: Job, digest: str, *, cached: bool = True) -> Dataset | None:
    """Map an encoding and restore the representation from it; None where there is none, or it is damaged.

    Files that are as they were when they were found sound are not read again.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        written = manifest["parts"]
        job.representation.restore(manifest["state"])
        spec = job.representation.spec
        paths = [path for part in PARTS for path in files_of(folder / part, written[part])] + [folder / MELODIES]
        status = [file_stamps.status_of(path.stat()) for path in paths]
        check = status != _checked(folder)
        parts = {part: open_part(folder / part, spec, written[part], check=check) for part in PARTS}
        report = Report(**manifest["report"])
        melodies = (folder / MELODIES).read_bytes()
        if check:
            MelodyCollection.from_bytes(melodies)
        encoded = cache_key.digest(json.dumps([written[part]["sums"] for part in PARTS]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if check and file_stamps.at_rest(status):
        with suppress(OSError):
            (folder / CHECKED).write_text(json.dumps(status), "utf-8")
    mark_used(folder)
    return Dataset(spec, parts, report, digest, encoded, job.arguments, job.split, job.augment, cached, melodies)


def _checked(folder: Path) -> object:
    """The status of the files when they were found sound; None where that is not known."""
    try:
        return json.loads((folder / CHECKED).read_text("utf-8"))
    except (OSError, ValueError):
        return None
