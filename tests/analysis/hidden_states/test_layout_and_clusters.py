"""Clusters and the layout of points that form groups."""

import numpy as np
import pytest

from composer.analysis.hidden_states import layout
from composer.analysis.hidden_states.clusters import describe, find_clusters
from composer.analysis.hidden_states.layout import lay_out, principal_components
from composer.analysis.hidden_states.piece_vectors import in_common_key, similarities
from composer.api import Piece, Representation

GROUPS = np.repeat(np.arange(3), 12)


@pytest.fixture
def points():
    """Three groups of twelve points in eight dimensions."""
    rng = np.random.default_rng(3)
    centers = 6 * np.eye(3, 8)
    return principal_components((centers[GROUPS] + rng.normal(size=(36, 8))).astype(np.float32))


def same_group(found):
    """Whether `found` puts the same points together as GROUPS."""
    return np.array_equal(found[:, None] == found, GROUPS[:, None] == GROUPS)


def test_the_number_of_clusters_is_found(points):
    found = find_clusters(points, None, seed=1)
    assert same_group(found.of_piece)
    assert found.silhouette > 0.4
    assert np.array_equal(found.of_piece, find_clusters(points, None, seed=1).of_piece)


def test_a_given_number_of_clusters_is_at_most_that_of_the_pieces(points):
    assert find_clusters(points, 5, seed=1).number == 5
    assert find_clusters(points[:2], 5, seed=1).number == 2
    assert find_clusters(np.zeros((4, 2), np.float32), 3, seed=1).number == 1


@pytest.mark.parametrize("most", [100, 20], ids=["all placed by t-SNE", "some beside others"])
def test_neighbors_stay_together(points, monkeypatch, most):
    monkeypatch.setattr(layout, "MAX_EXACT", most)
    placed = lay_out(points)
    distances = ((placed[:, None] - placed) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (GROUPS[distances.argmin(axis=1)] == GROUPS).all()
    assert np.array_equal(placed, lay_out(points))


@pytest.mark.parametrize("count", [2, 5])
def test_few_pieces_have_places(points, count):
    placed = lay_out(principal_components(points[:count]))
    assert placed.shape == (count, 2)
    assert len(np.unique(placed, axis=0)) == count


def test_labels_that_are_more_common_than_elsewhere_describe_a_cluster():
    labels = [{"rhythm": "jig" if number < 6 else "reel", "mode": "major"} for number in range(12)]
    first, second = describe(labels, np.repeat([0, 1], 6))
    assert (first, second) == ("jig 100%", "reel 100%")
    assert describe(labels, np.zeros(12, np.int64)) == [""]


def test_similarity_of_equal_and_opposite_vectors():
    reference = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    assert similarities(reference[:1], reference)[0] == pytest.approx([1, -1, 0, 0], abs=1e-6)


class Transposing:
    """A representation with variants in C and D, which makes all of them."""

    variants_in = Representation.variants_in

    def variants(self, piece):
        yield from (Piece(f"in {key}", labels={"key": key}) for key in ("D", "C"))


def test_pieces_are_compared_in_a_key_without_signs():
    common = [
        in_common_key(Transposing(), Piece("as it is", labels=labels)) for labels in ({"key": "G"}, {"key": "Am"}, {})
    ]
    assert [piece.content for piece in common] == ["in C", "as it is", "as it is"]
