"""Comparison of generated pieces with a corpus."""

import pytest
from melodies import melodies_of

from composer.analysis.comparison import MetricComparison, Summary, compare
from composer.analysis.metrics import Metric
from composer.analysis.piece_metrics import metrics_for
from composer.api import ComposerError, Piece, ReadError, Source
from composer.checkpoints.load import load_model
from composer.generation.request import GenerationRequest
from composer.registry import plugins as registry

LENGTH = Metric("length", "length", "time")


@pytest.fixture
def player(checkpoint):
    return load_model(checkpoint, "abc")


@pytest.fixture
def pieces(player, tune_file):
    return [piece for piece in player.representation.read(Source(tune_file)) if isinstance(piece, Piece)]


def comparison(player, pieces, count=6, **settings):
    return compare(
        player, pieces, GenerationRequest(400, count, seed=3), player.representation.constraint(), **settings
    )


def rows_of(comparison):
    return {row.metric.name: row for row in comparison.metrics}


class TestSummary:
    def test_mean_and_deviation(self):
        assert Summary.of_values([1.0, 3.0]) == Summary(2.0, pytest.approx(2**0.5), 2)
        assert Summary.of_values([1.0]) == Summary(1.0, None, 1)
        assert Summary.of_values([]) is None

    def test_distance_is_in_standard_deviations_of_the_corpus(self):
        row = MetricComparison(LENGTH, generated=Summary(5.0, 9.0, 10), corpus=Summary(4.0, 0.5, 10))
        assert row.distance == 2
        assert MetricComparison(LENGTH, row.corpus, row.generated).distance == pytest.approx(-1 / 9)

    def test_distance_from_identical_pieces(self):
        alike = Summary(4.0, 0.0, 10)
        assert MetricComparison(LENGTH, alike, alike).distance == 0
        assert MetricComparison(LENGTH, Summary(5.0, 1.0, 10), alike).distance is None
        assert MetricComparison(LENGTH, None, alike).distance is None

    def test_distance_from_a_single_piece(self):
        one = Summary(4.0, None, 1)
        assert MetricComparison(LENGTH, Summary(4.0, 1.0, 10), one).distance is None
        assert MetricComparison(LENGTH, one, Summary(4.0, 1.0, 10)).distance == 0


class TestCompare:
    def test_both_sides(self, player, pieces):
        result = comparison(player, pieces)
        rows = rows_of(result)
        assert (result.generated, result.corpus, result.against_training_data) == (6, 4, False)
        assert rows["pitch_range"].corpus.pieces == 4
        assert rows["pitch_range"].generated.pieces == 6 - result.silent
        assert rows["without_error"].generated.mean == rows["bars_filled"].generated.mean == 1, "by constraint"

    def test_reproducible(self, player, pieces):
        assert comparison(player, pieces).metrics == comparison(player, pieces).metrics

    def test_tunes_are_not_copies_of_themselves(self, player, pieces):
        assert rows_of(comparison(player, pieces))["longest_run"].corpus.mean < 10

    def test_copies_are_searched_in_the_training_data(self, player, pieces):
        result = comparison(player, pieces, training_melodies=melodies_of([], player.representation))
        assert result.against_training_data
        assert rows_of(result)["longest_run"].generated.mean == 0

    def test_rejections_are_counted(self, player, pieces):
        unknown = Piece("T:A\nM:4/4\nL:1/8\nK:C\n$8|]\n", source="odd.abc: tune 9")
        result = comparison(player, [*pieces, pieces[0], unknown])
        assert result.corpus == 4
        assert sorted(result.rejections.counts.values()) == [1, 1]
        with pytest.raises(ReadError, match=r"no piece can be compared; 1 skipped: .*odd\.abc"):
            comparison(player, [unknown])

    def test_progress(self, player, pieces):
        reports = []
        comparison(player, pieces, progress=lambda done, of: reports.append((done, of)))
        assert reports == [(number, 10) for number in range(1, 11)]


def metrics_with_corpus(representation, pieces):
    metrics = metrics_for(representation)
    for piece in pieces:
        metrics.add_corpus_piece(representation.encode(piece))
    return metrics


def test_copy_of_a_corpus_tune(player, pieces):
    metrics = metrics_with_corpus(player.representation, pieces)
    own, other = next(metrics.corpus_values()), metrics.values(player.representation.encode(pieces[0]))
    assert other["longest_run"] == len(player.representation.score(pieces[0]).notes) > own["longest_run"]
    assert {**own, "longest_run": 0, "copied": 0} == {**other, "longest_run": 0, "copied": 0}


def test_incomplete_bar(player):
    metrics = metrics_for(player.representation)
    tunes = (Piece(f"M:4/4\nL:1/8\nK:C\nC4D4|{bar}|C8|]\n") for bar in ("E8", "E4"))
    whole, short = (metrics.values(player.representation.encode(tune)) for tune in tunes)
    assert (whole["bars_filled"], short["bars_filled"], short["without_error"]) == (1, 0, 0)


def test_empty_piece_has_no_values(player):
    assert metrics_for(player.representation).values([]) is None


def test_text():
    text = registry.representation("text")()
    poems = [Piece("the fox is here\nand so am I\n"), Piece("the fox is here\nthe moon is not\n")]
    text.fit(poems)
    metrics = metrics_with_corpus(text, poems)
    own = next(metrics.corpus_values())
    assert own["lines_copied"] == 0.5
    assert metrics.values(text.encode(poems[0]))["lines_copied"] == 1
    assert metrics.values([]) is None
    assert {measure.name for measure in metrics.metrics} == set(own)


def test_empty_side_is_an_error(player, pieces, monkeypatch):
    abc, score = type(player.representation), type(player.representation).score
    corpus = {piece.content for piece in pieces}
    monkeypatch.setattr(abc, "score", lambda self, piece: score(self, piece) if piece.content in corpus else None)
    with pytest.raises(ComposerError, match="all generated pieces are empty"):
        comparison(player, pieces)
    monkeypatch.setattr(abc, "score", lambda self, piece: None)
    with pytest.raises(ReadError, match="they are empty"):
        comparison(player, pieces)
