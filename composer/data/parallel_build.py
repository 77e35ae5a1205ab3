"""Several ranks that make one encoding: each reads a share of the sources, and encodes a share of the pieces.

Source i is read by rank i modulo their number, and what it gave waits in a file. The first rank goes through these
files source by source, as if it had read all itself, divides the pieces and fits the representation. Each rank then
encodes a stretch of each part, and the first one joins them. So the result is that of one process, byte for byte.

All ranks have to see the same cache folder.
"""

from __future__ import annotations

import json
import pickle
from array import array
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from composer.api import ReadError, Representation, SequenceSpec, Source
from composer.data import source_reader
from composer.data.encoded_split import files_of, join_parts
from composer.data.source_reader import Outcome
from composer.data.spill import Spill
from composer.data.staging import Files, Pieces
from composer.distributed.environment import shard
from composer.distributed.group import ProcessGroup
from composer.music.contour import MelodyCollection
from composer.system.cache_dir import reporting_write_errors, temporary_folder

CODES, ENDS = "codes", "ends"
"""The files in which the first rank leaves what Pieces and Spill need."""


class Crew:
    """All ranks of `group`, at work in `folder`, which will be renamed to the encoding `target`."""

    def __init__(self, group: ProcessGroup, folder: Path, target: Path) -> None:
        self.group, self.folder, self.target = group, folder, target
        self._rank, self._world = group.process.rank, group.process.world_size
        self._encoding = self._world

    def share(self, count: int) -> range:
        """This rank's stretch of `count` pieces."""
        return shard(range(count), self._rank, self._encoding)

    def read(self, representation: Representation, files: Files, part: str) -> None:
        """Read this rank's share of the sources of a part, and wait for the others."""
        with reporting_write_errors(self.target), self._path("read", part, self._rank).open("wb") as file:
            for number, source in enumerate(files.of(part)):
                if number % self._world == self._rank:
                    file.writelines(_sendable(representation, source))
        self.group.any(False)  # nobody goes on before all are done

    def outcomes(
        self, representation: Representation, found: Iterator[Source | ReadError], files: Files, part: str
    ) -> Generator[Outcome]:
        """The outcomes of all sources `found` of a part, in order; for the first rank, which reads its share first."""
        self.read(representation, files, part)
        with ExitStack() as stack:
            paths = [self._path("read", part, rank) for rank in range(self._world)]
            read = [stack.enter_context(path.open("rb")) for path in paths]
            for number, source in enumerate(found):
                count = 0
                while (outcome := pickle.load(read[number % self._world])) is not None:
                    yield outcome
                    count += 1
                    if outcome.last:
                        break
                else:
                    yield from islice(source_reader.read(representation, source), count, None)
        for path in paths:
            path.unlink()

    def publish(self, representation: Representation, pieces: Pieces) -> None:
        """Let the others know what the first rank has read and fitted; what stayed in its memory, it encodes alone."""
        plan = {"state": representation.state(), "alone": not pieces.spill.whole}
        self._encoding = self._world if pieces.spill.whole else 1
        with reporting_write_errors(self.target):
            (self.folder / CODES).write_bytes(pieces.codes)
            (self.folder / ENDS).write_bytes(pieces.spill.ends.tobytes())
        self.group.broadcast_bytes(lambda: json.dumps(plan).encode())

    def published(self, representation: Representation) -> Pieces:
        """What the first rank has read, for the others; `representation` becomes as it is there."""
        plan = json.loads(self.group.broadcast_bytes(bytes))
        representation.restore(plan["state"])
        if plan["alone"]:
            return Pieces(Spill.written(self.folder / "pieces", array("Q", [0])), bytearray())
        ends = array("Q")
        ends.frombytes((self.folder / ENDS).read_bytes())
        return Pieces(Spill.written(self.folder / "pieces", ends), bytearray((self.folder / CODES).read_bytes()))

    def everyone(self, written: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        """What each rank has written, in order."""
        return [json.loads(data) for data in self.group.all_gather_bytes(json.dumps(written).encode())]

    def stem(self, part: str, rank: int | None = None) -> Path:
        """Where a rank, by default this one, writes its share of a part."""
        return self._path("share", part, self._rank if rank is None else rank)

    def clear(self) -> None:
        """All have encoded, and what was published is needed no more."""
        for name in (CODES, ENDS):
            (self.folder / name).unlink()

    def join(self, spec: SequenceSpec, part: str, shares: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Make one part of the shares of all ranks. Raises OSError."""
        written = {self.stem(part, rank): share["parts"][part] for rank, share in enumerate(shares)}
        joined = join_parts(self.folder / part, spec, written)
        for stem, share in written.items():
            for path in files_of(stem, share):
                path.unlink()
        return joined

    def join_melodies(self, name: str) -> None:
        """Make one file of the melodies that each rank has written under `name`. Raises OSError."""
        stems = [self.stem(name, rank) for rank in range(self._world)]
        joined = MelodyCollection.joined(MelodyCollection.from_bytes(stem.read_bytes()) for stem in stems)
        (self.folder / name).write_bytes(joined.to_bytes())
        for stem in stems:
            stem.unlink()

    def _path(self, what: str, part: str, rank: int) -> Path:
        return self.folder / f"{what}-{part}-{rank}"


def share_disk(group: ProcessGroup, cache: Path) -> bool:
    """Whether all ranks see the same folder. Raises ComposerError where it cannot be written."""
    if group.is_single:
        return True
    if not group.is_main:
        seen = (cache / group.broadcast_bytes(bytes).decode()).exists()
        return not group.any(not seen)[0]
    with temporary_folder(cache) as marker:
        group.broadcast_bytes(marker.name.encode)
        return not group.any(False)[0]


def _sendable(representation: Representation, source: Source | ReadError) -> Iterator[bytes]:
    """What reading `source` gives, pickled; None in place of what cannot be, and of all after it."""
    for outcome in source_reader.read(representation, source):
        try:
            yield pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
        except Exception:  # pieces may hold anything
            yield pickle.dumps(None)
            return
