"""Encoded data sets: built once, then mapped into memory by every run on the same data.

    dataset = prepare(representation, ["tunes/"], SplitSettings())      # fits, or restores, the representation

A data set is a folder of flat files in the cache. Its name is a digest of the sources' contents and of everything else
that determines it, so it is never out of date. A damaged one is built again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer.api import ComposerError, DataSize, Representation, SequenceSpec
from composer.data.build import MELODIES_FILE, BuildSpec, Report, build
from composer.data.cache_key import build_settings_key, digest, source_digests
from composer.data.conditions import with_conditions
from composer.data.encoded_split import EncodedSplit, open_split
from composer.data.splits import SPLITS, SplitSettings
from composer.data.staging import CorpusFiles
from composer.distributed.group import ProcessGroup
from composer.formats.read import suffixes_of
from composer.music.contour import MelodyCollection
from composer.system.cache_dir import MANIFEST, check_private, mark_used, prune
from composer.system.files import read_regular
from composer.system.paths import cache_folder

MAX_MANIFEST_BYTES = 256 * 1024 * 1024

LAYOUT_VERSION = 8
"""Version of the layout of the files; it is part of every data set's name."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """An encoded corpus.

    `digest` is of the sources' contents and `encoded_digest` of the encoded steps. `arguments`, `split` and `augment`
    are those of `prepare`, and `cached` says that the data set was built before. `melodies` are those of the training
    pieces, packed by `MelodyCollection.to_bytes`, and `originals` is the number of these pieces without variants.
    """

    spec: SequenceSpec
    splits: Mapping[str, EncodedSplit]
    report: Report
    digest: str
    encoded_digest: str
    arguments: Sequence[str]
    split: SplitSettings
    augment: bool
    cached: bool
    melodies: bytes
    originals: int

    @property
    def size(self) -> DataSize:
        """The size of the training data; variants of a piece count as being of the same length."""
        train = self.splits["train"]
        originals = min(self.originals, train.pieces)
        steps = round(train.count * originals / max(1, train.pieces))
        return DataSize(originals, steps, train.count, self.splits["valid"].pieces)


def prepare(
    representation: Representation,
    arguments: Sequence[str],
    split: SplitSettings | None = None,
    *,
    fitted: SequenceSpec | None = None,
    augment: bool = False,
    conditions: Sequence[str] | None = None,
    progress: Callable[[int, int], object] | None = None,
    group: ProcessGroup | None = None,
) -> Dataset:
    """Read, split and encode what `arguments` name, and fit `representation` to the training data.

    `fitted` is the spec of the checkpoint that it was restored from, if any; then it stays as it is, and pieces with
    unknown symbols are rejected. `augment` adds every piece's variants to the training data. `conditions` are the
    labels that a new model is conditioned on, by default those of `default_conditions` that differ. `progress` is as
    in CorpusReader. All ranks of a `group` must call this together; the main process builds the data set, or one of
    each machine if they share no disk.
    Raises ReadError if there is no training data, and ComposerError if the cache cannot be written.
    """
    split, group, cache = split or SplitSettings(), group or ProcessGroup(), cache_folder()
    spec = BuildSpec(
        representation, tuple(arguments), split, fitted, augment, None if conditions is None else tuple(conditions)
    )
    files = CorpusFiles(arguments, split, suffixes_of(representation))
    settings = build_settings_key(LAYOUT_VERSION, spec)
    digests = source_digests({name: files.sources_of(name) for name in files.named})
    check_private(cache)
    folder = cache / f"{representation.name}-{digest(settings, digests.placed)}"
    dataset = _open(folder, spec, digests.contents)
    if not group.any(dataset is None)[0]:
        assert dataset is not None
        return dataset
    with group.main_process_first():
        if _open(folder, spec, digests.contents) is None:
            build(folder, spec, files, digests.size, progress)
    dataset = _open(folder, spec, digests.contents, cached=False)
    if dataset is None:
        raise ComposerError(f"cannot read back the encoded pieces in {folder}", "check the disk")
    if group.is_main:
        prune(cache, keep=folder)
    return dataset


def _open(folder: Path, spec: BuildSpec, digest_of_sources: str, *, cached: bool = True) -> Dataset | None:
    """Map a data set into memory and restore the representation; None if there is none that `build` made."""
    try:
        manifest = json.loads(read_regular(folder / MANIFEST, MAX_MANIFEST_BYTES))
        written = manifest["splits"]
        if spec.fitted is not None and _as_json(manifest["state"]) != _as_json(spec.representation.state()):
            return None
        spec.representation.restore(manifest["state"])
        steps = with_conditions(spec.representation.spec, manifest["conditions"])
        splits = {split: open_split(folder / split, steps, written[split]) for split in SPLITS}
        report = Report.from_json(manifest["report"])
        melodies = read_regular(folder / MELODIES_FILE, MAX_MANIFEST_BYTES)
        MelodyCollection.from_bytes(melodies)  # raises if damaged
        originals = int(written["train"]["originals"])
        encoded = digest(json.dumps([written[split]["sums"] for split in SPLITS]))
    except Exception:  # whatever is wrong with it, it can be built again
        return None
    mark_used(folder)
    return Dataset(
        steps, splits, report, digest_of_sources, encoded, spec.arguments, spec.split, spec.augment, cached, melodies,
        originals,
    )  # fmt: skip


def _as_json(state: Any) -> str:
    return json.dumps(state, sort_keys=True)
