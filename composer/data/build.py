"""Build an encoded data set: read and split the pieces, fit the representation, encode each split."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from composer.api import EncodeError, Piece, Representation, SequenceSpec
from composer.data.conditions import LabeledPieces, with_conditions
from composer.data.corpus import Rejections
from composer.data.encoded_split import encoded_size, write_split
from composer.data.splits import SPLITS, SplitSettings
from composer.data.staging import CorpusFiles, PieceFile, StagedCorpus
from composer.music.contour import MelodyCollector
from composer.system.cache_dir import MANIFEST, atomic_folder, check_room, reporting_write_errors

MELODIES_FILE = "melodies"
"""Holds the packed melodies of the training pieces."""

SAMPLE_PIECES = 16
"""Number of training pieces, evenly spaced, from which the size of the encoded data set is estimated."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the pieces that were read.

    `pieces` are counted by split, `rejected` pieces by reason, and `losses`, which the encoded pieces do not contain,
    by phrase; `places` says where the first of both are. `duplicates`, `moved` and `copies` are those of SplitAssigner.
    """

    pieces: Mapping[str, int]
    rejected: Mapping[str, int]
    places: Mapping[str, Sequence[str]]
    unreadable: Sequence[str] = ()
    duplicates: int = 0
    moved: int = 0
    copies: int = 0
    notes: Sequence[str] = ()
    losses: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Return the report whose fields are `data`. Raises ValueError, TypeError or AttributeError for other data."""
        report = cls(**data)
        counts = [*report.pieces.values(), *report.rejected.values(), *report.losses.values()]
        counts += [report.duplicates, report.moved, report.copies]
        texts = [*report.pieces, *report.rejected, *report.losses, *report.unreadable, *report.notes]
        texts += [text for reason in {*report.rejected, *report.places} for text in report.places[reason]]
        if not all(type(count) is int for count in counts) or not all(type(text) is str for text in texts):
            raise ValueError("a value of a wrong type")
        if report.pieces.keys() != {*SPLITS}:
            raise ValueError("counts of other splits")
        return report


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """What to encode and how: the arguments of `dataset.prepare`.

    `conditions` are names of labels; if None, the representation chooses, and labels that do not differ are left out.
    """

    representation: Representation
    arguments: tuple[str, ...]
    split: SplitSettings
    fitted: SequenceSpec | None
    augment: bool
    conditions: tuple[str, ...] | None = None


def build(
    folder: Path, spec: BuildSpec, files: CorpusFiles, size: int, progress: Callable[[int, int], object] | None
) -> None:
    """Encode `files`, of about `size` bytes, in a new `folder`.

    Raises ReadError or EncodeError if there is no training data, and ComposerError if the disk is too small.
    """
    representation = spec.representation
    with atomic_folder(folder) as temporary:
        with reporting_write_errors(folder):
            file = PieceFile(temporary / "pieces")
        try:
            corpus = StagedCorpus(file, spec.split)
            corpus.read(representation, files, size, folder, progress)
            encoded_spec = _fit(spec, _TrainingPieces(spec, corpus))
            count = corpus.count("train")
            sample = range(0, count, max(1, count // SAMPLE_PIECES))
            sample_size = encoded_size(representation, encoded_spec, _TrainingPieces(spec, corpus, sample))
            check_room(folder, sample_size * count / len(sample))
            with reporting_write_errors(folder):
                _encode(temporary, spec, corpus, encoded_spec)
        finally:
            file.remove()


class _TrainingPieces:
    """The training pieces, or those at `indices`, with their variants if asked for; can be iterated repeatedly.

    `without_variants` says that variants were asked for, but the last iteration had none.
    """

    def __init__(
        self, spec: BuildSpec, corpus: StagedCorpus, indices: range | None = None,
        melodies: MelodyCollector | None = None,
    ) -> None:  # fmt: skip
        """The melodies of the pieces, but not of their variants, are added to `melodies`."""
        self._spec, self._corpus, self._indices, self._melodies = spec, corpus, indices, melodies
        self.without_variants = spec.augment

    def __iter__(self) -> Iterator[Piece]:
        self.without_variants = self._spec.augment
        for piece, melody in self._corpus.with_melodies("train", self._indices):
            if self._melodies is not None and melody is not None:
                self._melodies.append(*melody)
            yield piece
            for variant in self._spec.representation.variants(piece) if self._spec.augment else ():
                self.without_variants = False
                yield replace(variant, is_variant=True)


def _fit(spec: BuildSpec, pieces: Iterable[Piece]) -> SequenceSpec:
    """Fit the representation, unless it is, and return the spec of the sequences with their conditions.

    Raises OptionError for labels that cannot be conditions.
    """
    representation = spec.representation
    if spec.fitted is not None:
        return with_conditions(representation.spec, spec.fitted.conditions)
    chosen = representation.default_conditions() if spec.conditions is None else spec.conditions
    labeled = LabeledPieces(pieces, chosen)
    representation.fit(labeled)
    return with_conditions(representation.spec, labeled.conditions(varying=spec.conditions is None))


def _encode(folder: Path, spec: BuildSpec, corpus: StagedCorpus, encoded_spec: SequenceSpec) -> None:
    """Write all files of the data set. Raises OSError, and EncodeError if there is no training data."""
    representation, rejected, melodies = spec.representation, corpus.rejected, MelodyCollector()
    training = _TrainingPieces(spec, corpus, melodies=melodies)
    written = {}
    for split in SPLITS:
        not_encodable = Rejections()
        pieces = map(representation.training_view, training) if split == "train" else corpus.pieces(split)
        written[split] = write_split(folder / split, representation, encoded_spec, pieces, not_encodable.add)
        rejected.merge(not_encodable)
    written["train"]["originals"] = corpus.count("train")
    (folder / MELODIES_FILE).write_bytes(melodies.melodies().to_bytes())
    if not written["train"]["pieces"]:
        raise EncodeError(f"no piece can be encoded; {rejected.most_common()}", "train a new model, without --from")
    pieces_in = {split: written[split]["pieces"] for split in SPLITS}
    losses = dict(sum((Counter(written[split]["losses"]) for split in SPLITS), Counter()))
    places = {phrase: [place] for split in reversed(SPLITS) for phrase, place in written[split]["places"].items()}
    assigner = corpus.assigner
    notes = assigner.notes
    if training.without_variants:
        notes = [*notes, f"`{representation.name}` has no variants of these pieces, so --augment has no effect"]
    report = Report(
        pieces_in, rejected.counts, {**places, **rejected.places}, corpus.unreadable, assigner.duplicates,
        assigner.moved, assigner.copies, notes, losses,
    )  # fmt: skip
    manifest = {
        "state": representation.state(), "conditions": encoded_spec.conditions, "report": asdict(report),
        "splits": written,
    }  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
