"""Making an encoding: read, fit, encode, in one process or by all ranks together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from composer.api import EncodeError, Piece, Representation
from composer.data.corpus import Reading, Refusals
from composer.data.encoded_split import size_of, write_part
from composer.data.parallel_build import Crew
from composer.data.source_reader import outcomes
from composer.data.splits import PARTS, Split
from composer.data.staging import Collection, Files, Pieces
from composer.distributed.group import ProcessGroup
from composer.music.contour import MelodyCollector
from composer.system.cache_dir import MANIFEST, atomic_folder, check_room, reporting_write_errors

MELODIES = "melodies"
"""The file in an encoding that holds the melodies of its training pieces, packed."""

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


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be encoded and how, as `encoding.prepare` was asked."""

    representation: Representation
    arguments: tuple[str, ...]
    split: Split
    fitted: bool
    augment: bool


def make(
    folder: Path, job: Job, files: Files, size: int, progress: Callable[[int, int], object] | None, group: ProcessGroup
) -> None:
    """Make a new encoding of `files`, which have about `size` bytes, in `folder`; all ranks of `group` together."""
    if not group.is_main:
        _help(Crew(group, folder.parent / group.broadcast_bytes(bytes).decode(), folder), job, files)
        return
    with atomic_folder(folder) as temporary:
        crew = None
        if not group.is_single:
            group.broadcast_bytes(temporary.name.encode)
            crew = Crew(group, temporary, folder)
        with reporting_write_errors(folder):
            collection = Collection(temporary / "pieces", job.split)
        try:
            _lead(folder, temporary, job, collection, files, size, progress, crew)
        finally:
            collection.drop()


def _lead(
    folder: Path,
    temporary: Path,
    job: Job,
    collection: Collection,
    files: Files,
    size: int,
    progress: Callable[[int, int], object] | None,
    crew: Crew | None,
) -> None:
    """What the first rank does, or the only one: all of it in `temporary`, but for the shares of the others."""
    representation = job.representation

    def how(part: str) -> Reading:
        return outcomes if crew is None else partial(crew.outcomes, files=files, part=part)

    pieces = collection.collect(representation, files, folder, size, progress, how)
    if not job.fitted:
        representation.fit(_Training(job, pieces))
    count = pieces.count("train")
    sample = range(0, count, max(1, count // SAMPLE))
    check_room(folder, size_of(representation, _Training(job, pieces, sample)) * count / len(sample))
    if crew is None:
        with reporting_write_errors(folder):
            share = _encode(job, pieces, lambda part: temporary / part, range)
            _finish(temporary, job, collection, share["parts"], [share])
        return
    crew.publish(representation, pieces)
    with reporting_write_errors(folder):
        shares = crew.everyone(_encode(job, pieces, crew.stem, crew.share))
        crew.clear()
        joined = {part: crew.join(representation.spec, part, shares) for part in PARTS}
        crew.join_melodies(MELODIES)
        _finish(temporary, job, collection, joined, shares)


def _help(crew: Crew, job: Job, files: Files) -> None:
    """What the other ranks do."""
    for part in files.parts:
        crew.read(job.representation, files, part)
    pieces = crew.published(job.representation)
    with reporting_write_errors(crew.target):
        crew.everyone(_encode(job, pieces, crew.stem, crew.share))


class _Training:
    """The training pieces, or those at the places `within`, with their variants where asked for.

    They can be gone through more than once. `lacking` says that variants were asked for, and that the last time
    through there were none.
    """

    def __init__(
        self,
        job: Job,
        pieces: Pieces,
        within: range | None = None,
        meet: Callable[[Piece, Representation], object] | None = None,
    ) -> None:
        """`meet` is called with each piece, but not with its variants."""
        self._job, self._pieces, self._within, self._meet = job, pieces, within, meet
        self.lacking = job.augment

    def __iter__(self) -> Iterator[Piece]:
        self.lacking = self._job.augment
        for piece in self._pieces.part("train", self._within):
            if self._meet is not None:
                self._meet(piece, self._job.representation)
            yield piece
            for variant in self._job.representation.variants(piece) if self._job.augment else ():
                self.lacking = False
                yield variant


def _encode(job: Job, pieces: Pieces, stem: Callable[[str], Path], within: Callable[[int], range]) -> dict[str, Any]:
    """Encode a share of each part, as JSON for `_finish`. Raises OSError."""
    melodies = MelodyCollector()
    training = _Training(job, pieces, within(pieces.count("train")), melodies.add)
    written, refused = {}, {}
    for part in PARTS:
        refusals = Refusals()
        each = training if part == "train" else pieces.part(part, within(pieces.count(part)))
        written[part] = write_part(stem(part), job.representation, each, refusals.add)
        refused[part] = asdict(refusals)
    stem(MELODIES).write_bytes(melodies.melodies().to_bytes())
    return {"parts": written, "refused": refused, "lacking": training.lacking}


def _finish(
    folder: Path,
    job: Job,
    collection: Collection,
    written: Mapping[str, Mapping[str, Any]],
    shares: Sequence[Mapping[str, Any]],
) -> None:
    """Write down what the encoding is. Raises OSError, and EncodeError where there is nothing to learn from."""
    refused, division = collection.refused, collection.division
    for part in PARTS:
        for share in shares:
            refused.merge(Refusals(**share["refused"][part]))
    if not written["train"]["pieces"]:
        raise EncodeError(f"no piece can be encoded: {refused.commonest()}", "train a new model, without --from")
    lacking = [f"`{job.representation.name}` has no variants of these pieces: --augment adds nothing"]
    report = Report(
        {part: written[part]["pieces"] for part in PARTS},
        refused.counts,
        refused.places,
        collection.unreadable,
        division.duplicates,
        [*division.notes, *(lacking if all(share["lacking"] for share in shares) else ())],
        dict(sum((Counter(written[part]["losses"]) for part in PARTS), Counter())),
    )
    manifest = {"state": job.representation.state(), "report": asdict(report), "parts": written}
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
