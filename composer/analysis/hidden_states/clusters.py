"""Groups of similar pieces: k-means, the number of groups by silhouette, and what is typical of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

MAX_CLUSTERS = 12
MAX_ROUNDS = 100
STARTS = 4
"""k-means starts from this many choices of centers, and the best result counts."""

SILHOUETTE_PIECES = 1_000
"""Number of pieces from which the silhouette is estimated."""

MIN_SHARE, MIN_LIFT = 0.2, 1.2
"""A label is typical of a cluster if it has this share there, and that many times the share of all pieces."""

MAX_TERMS = 2
"""Number of labels that describe a cluster."""


class Clusters(NamedTuple):
    """The cluster (N,) of each piece, from 0, the largest first, and the mean silhouette, from -1 to 1.

    Near 0, the clusters overlap; with one cluster, it is 0.
    """

    of_piece: Ints
    silhouette: float

    @property
    def number(self) -> int:
        """Number of clusters."""
        return int(self.of_piece.max()) + 1


def find_clusters(
    points: Floats, count: int | None, seed: int, progress: Callable[[int, int], object] | None = None
) -> Clusters:
    """Return `count` clusters of `points` (N, D); by default the number from 2 on with the highest silhouette.

    `progress` is called with how many numbers of clusters were tried and how many will be.
    """
    rng = np.random.default_rng(seed)
    distinct = len(np.unique(points, axis=0))
    if count is not None:
        found = _k_means(points, min(count, distinct), rng)
        return Clusters(found, _silhouette(points, found))
    best = Clusters(np.zeros(len(points), np.int64), 0.0)
    numbers = range(2, min(MAX_CLUSTERS, distinct - 1, max(len(points) // 3, 2)) + 1)
    for tried, number in enumerate(numbers):
        if progress is not None:
            progress(tried, len(numbers))
        found = _k_means(points, number, rng)
        silhouette = _silhouette(points, found)
        if silhouette > best.silhouette:
            best = Clusters(found, silhouette)
    return best


def _k_means(points: Floats, count: int, rng: np.random.Generator) -> Ints:
    """Return the best of several runs of k-means (Arthur and Vassilvitskii 2007), the largest cluster first."""
    runs = [_one_k_means(points, count, rng) for _ in range(STARTS)]
    _, found = min(runs, key=lambda run: run[0])
    sizes = np.bincount(found, minlength=count)
    order = sorted(range(count), key=lambda cluster: (-sizes[cluster], int(np.flatnonzero(found == cluster)[0])))
    ranks = np.empty(count, np.int64)
    ranks[order] = np.arange(count)
    return ranks[found]


def _one_k_means(points: Floats, count: int, rng: np.random.Generator) -> tuple[float, Ints]:
    """Return the sum of squared distances and the clusters; each has a point."""
    centers = points[[int(rng.integers(len(points)))]]
    while len(centers) < count:
        nearest = _squared(points, centers).min(axis=1)
        chosen = rng.choice(len(points), p=nearest / nearest.sum()) if nearest.sum() > 0 else len(centers)
        centers = np.concatenate([centers, points[[int(chosen)]]])
    found = np.full(len(points), -1)
    for _ in range(MAX_ROUNDS):
        distances = _squared(points, centers)
        nearest = distances.argmin(axis=1)
        for cluster in range(count):  # an empty cluster gets the point that is farthest from its own center
            if not (nearest == cluster).any():
                own = distances[np.arange(len(points)), nearest]
                alone = np.bincount(nearest, minlength=count)[nearest] == 1
                nearest[int(np.where(alone, -1, own).argmax())] = cluster
        if np.array_equal(nearest, found):
            break
        found = nearest
        centers = np.stack([points[found == cluster].mean(axis=0) for cluster in range(count)])
    return float(_squared(points, centers)[np.arange(len(points)), found].sum()), found


def _squared(one: Floats, other: Floats) -> Floats:
    """Return the squared distances (N, M)."""
    products = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.maximum(products, 0))


def _silhouette(points: Floats, found: Ints) -> float:
    """Return the mean silhouette (Rousseeuw 1987) of evenly spaced points; 0 for a single cluster."""
    sizes = np.bincount(found)
    if len(sizes) < 2:
        return 0.0
    some = np.unique(np.linspace(0, len(points) - 1, min(len(points), SILHOUETTE_PIECES)).astype(int))
    distances = np.sqrt(_squared(points[some], points))
    sums = np.stack([distances[:, found == cluster].sum(axis=1) for cluster in range(len(sizes))], axis=1)
    rows, own = np.arange(len(some)), found[some]
    inside = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[rows, own] = np.inf
    outside = means.min(axis=1)
    values = np.where(sizes[own] > 1, (outside - inside) / np.maximum(np.maximum(inside, outside), 1e-9), 0)
    return float(values.mean())


def describe(labels: Sequence[Mapping[str, str]], found: Ints) -> list[str]:
    """Return what is typical of each cluster, such as `reel 62 %, 4/4 95 %`; empty if nothing is."""
    overall = _shares(labels)
    texts = []
    for cluster in range(int(found.max()) + 1):
        own = _shares([each for each, number in zip(labels, found, strict=True) if number == cluster])
        gains = {
            term: share * log(share / overall[term])
            for term, share in own.items()
            if share >= MIN_SHARE and share >= MIN_LIFT * overall[term]
        }
        terms, kinds = list[str](), set[str]()
        for kind, value in sorted(gains, key=lambda term: (-gains[term], term)):
            if kind not in kinds and len(terms) < MAX_TERMS:
                kinds.add(kind)
                terms.append(f"{value} {own[kind, value]:.0%}")
        texts.append(", ".join(terms))
    return texts


def _shares(labels: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], float]:
    """Return the share of the pieces that have each label."""
    counts = Counter(item for each in labels for item in each.items())
    return {item: count / len(labels) for item, count in counts.items()}
