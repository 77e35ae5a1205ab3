"""Place pieces on a plane so that similar ones are near each other: PCA, then t-SNE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

COMPONENTS = 50
"""Dimensions that PCA keeps for clusters and neighbors."""

MAX_EXACT = 2_000
"""Number of pieces up to which t-SNE compares all pairs; of more, some are placed by it and the rest beside them."""

MIN_TSNE = 6
"""With fewer pieces, the layout is that of PCA."""

PERPLEXITY = 30.0
"""Effective number of neighbors of each piece."""

UPDATES, EXAGGERATED = 400, 100
"""Updates of t-SNE, and the first ones, in which neighbors attract each other more."""

EXAGGERATION = 12.0
NEIGHBORS = 3
"""Number of pieces beside which one of the rest is placed."""


def principal_components(values: Floats, count: int = COMPONENTS) -> Floats:
    """Return the coordinates (N, D) of `values` on their first principal axes, D at most `count`, signs fixed."""
    centered = values - values.mean(axis=0)
    left, scales, axes = np.linalg.svd(centered, full_matrices=False)
    kept = max(min(count, int((scales > 1e-6 * max(float(scales[0]), 1e-9)).sum())), 2)
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    found = (left * scales * signs)[:, :kept]
    return np.asarray(np.pad(found, ((0, 0), (0, kept - found.shape[1]))), np.float32)


def lay_out(points: Floats, progress: Callable[[int, int], object] | None = None) -> Floats:
    """Return a place (N, 2) for each of the `points` (N, D), from `principal_components`; always the same.

    `progress` is called with the number of updates so far and of all.
    """
    if len(points) < MIN_TSNE:
        return points[:, :2]
    if len(points) <= MAX_EXACT:
        return _tsne(points, progress)
    some = np.unique(np.linspace(0, len(points) - 1, MAX_EXACT).astype(int))
    placed = _tsne(points[some], progress)
    found = np.zeros((len(points), 2), np.float32)
    for index, point in enumerate(points):
        distances = ((points[some] - point) ** 2).sum(axis=1)
        nearest = np.argsort(distances, kind="stable")[:NEIGHBORS]
        weights = 1 / (distances[nearest] + 1e-6)
        found[index] = (weights[:, None] * placed[nearest]).sum(axis=0) / weights.sum()
    found[some] = placed
    return found


def _tsne(points: Floats, progress: Callable[[int, int], object] | None) -> Floats:
    """Return the layout of t-SNE (van der Maaten and Hinton 2008), with all pairs, from the first two components."""
    count = len(points)
    wanted = _neighbor_probabilities(points, min(PERPLEXITY, (count - 1) / 3))
    places = points[:, :2] / max(float(points[:, 0].std()), 1e-9) * np.float32(1e-4)
    rate, velocity, gains = max(count / EXAGGERATION, 50.0), np.zeros_like(places), np.ones_like(places)
    for update in range(UPDATES):
        exaggeration = EXAGGERATION if update < EXAGGERATED else 1.0
        squared = (places**2).sum(axis=1)
        closeness = 1 / (1 + np.maximum(squared[:, None] + squared - 2 * places @ places.T, 0))
        np.fill_diagonal(closeness, 0)
        forces = (exaggeration * wanted - closeness / closeness.sum()) * closeness
        gradient = 4 * (forces.sum(axis=1)[:, None] * places - forces @ places)
        gains = np.maximum(np.where(gradient * velocity < 0, gains + 0.2, gains * 0.8), 0.01)
        velocity = (0.5 if update < EXAGGERATED else 0.8) * velocity - rate * gains * gradient
        places = np.asarray(places + velocity, np.float32)
        places -= places.mean(axis=0)
        if progress is not None:
            progress(update + 1, UPDATES)
    return np.asarray(places, np.float32)


def _neighbor_probabilities(points: Floats, perplexity: float) -> Floats:
    """Return the symmetric probabilities (N, N) of pairs of neighbors, which sum to 1."""
    squared = (points**2).sum(axis=1)
    distances = np.maximum(squared[:, None] + squared - 2 * points @ points.T, 0).astype(float)
    np.fill_diagonal(distances, np.inf)
    distances -= distances.min(axis=1, keepdims=True)
    low, high = np.zeros(len(points)), np.full(len(points), np.inf)
    precision = 1 / np.maximum(np.median(np.where(np.isfinite(distances), distances, 0), axis=1), 1e-9)
    for _ in range(50):  # bisection: the entropy of each row shall be the logarithm of the perplexity
        weights = np.exp(-distances * precision[:, None])
        total = weights.sum(axis=1)
        finite = np.where(np.isfinite(distances), distances, 0)
        entropy = np.log(total) + precision * (weights * finite).sum(axis=1) / total
        broad = entropy > np.log(perplexity)
        low, high = np.where(broad, precision, low), np.where(broad, high, precision)
        precision = np.where(np.isinf(high), precision * 2, (low + high) / 2)
    conditional = weights / total[:, None]
    joint = (conditional + conditional.T) / (2 * len(points))
    return np.asarray(np.maximum(joint, 1e-12), np.float32)
