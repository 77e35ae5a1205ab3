"""Position features are stored beside the steps and come with their batches."""

import numpy as np
import pytest
import torch

from composer.api import Constraint, Piece, PluginError, Representation, SequenceSpec, StepKind
from composer.data.batches import BPTTBatches
from composer.data.dataset import prepare
from composer.data.encoded_split import NO_POSITIONS
from composer.data.splits import SplitSettings
from composer.training.batch_rows import BatchAxes, rows_of

WORDS = "abba bab a b babab aaaa bbb abab ba bbaab aba bb"


class NoCapitals(Constraint):
    """Words without capitals; the features are the place in the word, and the letters left by the plan."""

    def __init__(self, plan):
        self.length = int(plan)

    def start(self, primer):
        return len(primer)

    def step(self, state, step):
        return state + 1

    def allowed(self, state):
        return 0b111

    def features(self, state):
        return state, max(0, self.length - state)

    def complete(self, state):
        return [0]


class Words(Representation):
    """Words of a, b and C, letter by letter."""

    api, name, summary, version, kind = 1, "words", "words", 1, StepKind.TOKENS
    suffixes, formats, native, positional = (".txt",), ("text",), "text", True
    sizes = {"place": 300, "left": 9}  # noqa: RUF012

    def read(self, source):
        yield from (Piece(word, source=word) for word in source.text().split())

    @property
    def spec(self):
        return SequenceSpec(StepKind.TOKENS, size=4, end=0, features=self.sizes)

    def prime(self, piece):
        return [" abC".index(letter) for letter in piece.content]

    def decode(self, steps):
        return Piece("".join(" abC"[step] for step in steps).strip())

    def plan(self, piece):
        return str(len(piece.content))

    def constraint(self, controls=None, context=None):
        return NoCapitals(context.plan)


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text(WORDS)
    return path


def test_the_features_of_each_step_are_stored_and_found_again(words):
    for cached in (False, True):
        data = prepare(Words(), [str(words)], SplitSettings(valid=0))
        split = data.splits["train"]
        assert data.cached == cached
        assert split.features.dtype == np.uint16
        lengths = [len(word) for word in WORDS.split()]
        assert split.features[:].tolist() == [[at, n - at] for n in lengths for at in range(n + 1)]


@pytest.mark.parametrize("damaged", [b"", b"\xff"])
def test_damaged_features_are_built_again(words, home, damaged):
    first = prepare(Words(), [str(words)], SplitSettings(valid=0))
    (path,) = (home / "cache").glob("words-*/train-features.0.steps")
    path.write_bytes(damaged + path.read_bytes()[1:])
    second = prepare(Words(), [str(words)], SplitSettings(valid=0))
    assert not second.cached
    assert second.encoded_digest == first.encoded_digest


def test_the_digest_of_the_encoded_data_depends_on_the_features(words):
    class Other(Words):
        version = 2

        def plan(self, piece):
            return "1"

    one, other = (prepare(kind(), [str(words)], SplitSettings(valid=0)) for kind in (Words, Other))
    assert one.digest == other.digest
    assert one.encoded_digest != other.encoded_digest


def test_pieces_that_the_constraint_rejects_are_counted(words):
    words.write_text(WORDS + " aCb")
    data = prepare(Words(), [str(words)], SplitSettings(valid=0))
    assert data.report.rejected == {NO_POSITIONS: 1}
    assert "step 2 violates the constraint of `words`" in data.report.places[NO_POSITIONS][0]
    assert data.report.pieces["train"] == len(WORDS.split())


def test_features_outside_of_the_spec_name_the_plugin(words):
    class Broken(Words):
        sizes = {"place": 300, "left": 2}  # noqa: RUF012

    with pytest.raises(PluginError, match="features that `words` counts are not those of its spec"):
        prepare(Broken(), [str(words)], SplitSettings(valid=0))


def test_batches_have_the_features_of_their_targets(words):
    data = prepare(Words(), [str(words)], SplitSettings(valid=0))
    batches = BPTTBatches(data.splits["train"], data.spec, batch_size=2, seq_length=8, align=4, seed=1)
    places = []
    for batch in batches.epoch_batches(0):
        assert batch.features.shape == (*batch.targets.shape, 2)
        assert batch.features.dtype == torch.int64
        counted = batch.weight.bool()
        assert not batch.features[~counted].any()
        places += batch.features[counted].tolist()
        half = batch.slice_time(1, 3)
        assert torch.equal(half.features, batch.features[:, 1:3])
        assert torch.equal(rows_of(batch, range(1)).features, batch.features[:1])
    assert sorted(places) == sorted(data.splits["train"].features[:].tolist())


def test_micro_batches_of_a_network_with_features_add_up(words):
    from composer_lstm import Lstm, LstmConfig

    data = prepare(Words(), [str(words)], SplitSettings(valid=0))
    batch = BPTTBatches(data.splits["train"], data.spec, batch_size=4, seq_length=8, align=1).batch_at(0, 0)
    network = Lstm().network(data.spec, LstmConfig(hidden=8, layers=1, embedding=4, position=4)).eval()
    axes = BatchAxes(network, batch)
    whole, state = network.evaluate(batch, None)
    halves = [network.evaluate(rows_of(batch, rows), None) for rows in (range(2), range(2, len(batch.inputs)))]
    assert sum(measured.total for measured, _ in halves) == pytest.approx(whole.total, rel=1e-5)
    joined = axes.concat_rows([after for _, after in halves])
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(joined, state, strict=True))
