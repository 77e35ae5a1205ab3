"""What is composed beside a corpus: both measured alike, and how far apart they are."""

import pytest

from composer.analysis.comparison import MetricComparison, Summary, compare
from composer.analysis.metrics import Metric
from composer.analysis.piece_metrics import metrics_for
from composer.api import ComposerError, Piece, ReadError, Source
from composer.checkpoints.load import load_model
from composer.generation.generate import Request
from composer.music.contour import melodies_of
from composer.registry import plugins as registry

LENGTH = Metric("length", "length", "time")


@pytest.fixture
def player(checkpoint):
    return load_model(checkpoint, "abc")


@pytest.fixture
def pieces(player, tune_file):
    return [piece for piece in player.representation.read(Source(tune_file)) if isinstance(piece, Piece)]


def composed(player, pieces, count=6, **settings):
    return compare(player, pieces, Request(400, count, seed=3), player.representation.constraint(), **settings)


def rows_of(comparison):
    return {row.metric.name: row for row in comparison.metrics}


class TestSpread:
    def test_mean_and_deviation(self):
        assert Summary.of_values([1.0, 3.0]) == Summary(2.0, pytest.approx(2**0.5), 2)
        assert Summary.of_values([1.0]) == Summary(1.0, None, 1)
        assert Summary.of_values([]) is None

    def test_a_distance_is_in_deviations_of_the_corpus(self):
        row = MetricComparison(LENGTH, generated=Summary(5.0, 9.0, 10), corpus=Summary(4.0, 0.5, 10))
        assert row.distance == 2
        assert MetricComparison(LENGTH, row.corpus, row.generated).distance == pytest.approx(-1 / 9)

    def test_beside_pieces_that_are_all_alike_only_the_same_is_near(self):
        alike = Summary(4.0, 0.0, 10)
        assert MetricComparison(LENGTH, alike, alike).distance == 0
        assert MetricComparison(LENGTH, Summary(5.0, 1.0, 10), alike).distance is None
        assert MetricComparison(LENGTH, None, alike).distance is None

    def test_beside_one_piece_nothing_is_near(self):
        one = Summary(4.0, None, 1)
        assert MetricComparison(LENGTH, Summary(4.0, 1.0, 10), one).distance is None
        assert MetricComparison(LENGTH, one, Summary(4.0, 1.0, 10)).distance == 0


class TestCompare:
    def test_both_sides_are_measured(self, player, pieces):
        told = composed(player, pieces)
        rows = rows_of(told)
        assert (told.generated, told.corpus, told.against_training_data) == (6, 4, False)
        assert rows["pitch_range"].corpus.pieces == 4
        assert rows["pitch_range"].generated.pieces == 6 - told.silent
        assert rows["without_error"].generated.mean == rows["bars_filled"].generated.mean == 1, "the rules see to it"

    def test_the_same_request_gives_the_same_figures(self, player, pieces):
        assert composed(player, pieces).metrics == composed(player, pieces).metrics

    def test_what_a_tune_shares_with_itself_is_not_copied(self, player, pieces):
        assert rows_of(composed(player, pieces))["longest_run"].corpus.mean < 10

    def test_what_was_taught_is_where_copies_are_looked_for(self, player, pieces):
        told = composed(player, pieces, training_melodies=melodies_of([], player.representation))
        assert told.against_training_data
        assert rows_of(told)["longest_run"].generated.mean == 0

    def test_copies_and_what_there_are_no_steps_for_are_counted(self, player, pieces):
        strange = Piece("T:99 $\nM:4/4\nL:1/8\nK:C\nC8|]\n", source="odd.abc: tune 9")
        told = composed(player, [*pieces, pieces[0], strange])
        assert told.corpus == 4
        assert sorted(told.rejections.counts.values()) == [1, 1]
        with pytest.raises(ReadError, match=r"no piece can be compared: 1 rejected because .*odd\.abc"):
            composed(player, [strange])

    def test_it_tells_how_far_it_is(self, player, pieces):
        told = []
        composed(player, pieces, progress=lambda done, of: told.append((done, of)))
        assert told == [(number, 10) for number in range(1, 11)]


def beside(representation, pieces):
    by = metrics_for(representation)
    for piece in pieces:
        by.add_corpus_piece(representation.encode(piece))
    return by


def test_a_tune_of_the_corpus_is_known_where_another_piece_is_it(player, pieces):
    by = beside(player.representation, pieces)
    own, other = next(by.corpus_values()), by.values(player.representation.encode(pieces[0]))
    assert other["longest_run"] == len(player.representation.score(pieces[0]).notes) > own["longest_run"]
    assert {**own, "longest_run": 0, "copied": 0} == {**other, "longest_run": 0, "copied": 0}


def test_a_bar_that_does_not_fill_its_meter_is_found(player):
    by = metrics_for(player.representation)
    tunes = (Piece(f"M:4/4\nL:1/8\nK:C\nC4D4|{bar}|C8|]\n") for bar in ("E8", "E4"))
    whole, short = (by.values(player.representation.encode(tune)) for tune in tunes)
    assert (whole["bars_filled"], short["bars_filled"], short["without_error"]) == (1, 0, 0)


def test_what_is_silent_has_no_figures(player):
    assert metrics_for(player.representation).values([]) is None


def test_words_are_measured_by_their_lines():
    text = registry.representation("text")()
    poems = [Piece("the fox is here\nand so am I\n"), Piece("the fox is here\nthe moon is not\n")]
    text.fit(poems)
    by = beside(text, poems)
    own = next(by.corpus_values())
    assert own["lines_copied"] == 0.5
    assert by.values(text.encode(poems[0]))["lines_copied"] == 1
    assert by.values([]) is None
    assert {measure.name for measure in by.metrics} == set(own)


def test_a_side_that_is_silent_cannot_be_compared(player, pieces, monkeypatch):
    abc, heard = type(player.representation), type(player.representation).score
    taken = {piece.content for piece in pieces}
    monkeypatch.setattr(abc, "score", lambda self, piece: heard(self, piece) if piece.content in taken else None)
    with pytest.raises(ComposerError, match="nothing that the model composed can be heard or read"):
        composed(player, pieces)
    monkeypatch.setattr(abc, "score", lambda self, piece: None)
    with pytest.raises(ReadError, match="nothing in them can be heard or read"):
        composed(player, pieces)
