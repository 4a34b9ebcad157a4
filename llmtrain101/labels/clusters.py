"""Cluster, then label: ask for the label of one text in each cluster, and give it to the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Clusters(NamedTuple):
    """Items in groups.

    Attributes
    ----------
    cluster : int array of shape (n_items,)
        From 0 to k - 1.
    centres : int array of shape (k,)
        For each cluster, the item nearest to its centre: the one to ask about.
    """

    cluster: NDArray[np.int64]
    centres: NDArray[np.int64]


def embed(texts: Sequence[str], *, n_dimensions: int = 50, seed: int = 0) -> NDArray[np.float64]:
    """Texts as short vectors of length 1: TF-IDF, then its strongest directions (SVD).

    Parameters
    ----------
    texts : n texts
    n_dimensions : int
        As many, or one less than the number of texts or of words, if that is less.
    seed : int
        Of the approximate SVD.

    Raises
    ------
    ValueError
        If there are fewer than three texts, or they have no words.

    Examples
    --------
    >>> texts = ["red car", "blue car", "red sky", "green tea", "black tea"]
    >>> embed(texts, n_dimensions=2).shape
    (5, 2)
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    if len(texts) < 3:
        raise ValueError(f"embed() needs at least three texts, got {len(texts)}.")
    sparse = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit_transform(texts)
    size = max(1, min(n_dimensions, min(sparse.shape) - 1))
    dense = TruncatedSVD(size, random_state=seed).fit_transform(sparse)  # (n, size)
    return np.asarray(normalize(dense))


def group(vectors: ArrayLike, k: int, *, seed: int = 0) -> Clusters:
    """k-means, and the item nearest to each centre.

    Parameters
    ----------
    vectors : float array of shape (n, d)
    k : int
        From 1 to n.
    seed : int
        Of the first centres.

    Raises
    ------
    ValueError
        If k does not fit.

    Examples
    --------
    >>> cluster, centres = group([[0.0], [0.1], [0.2], [5.0], [5.2], [5.1]], 2)
    >>> sorted(centres.tolist()), bool(cluster[0] == cluster[2] != cluster[3])
    ([1, 5], True)
    """
    from sklearn.cluster import KMeans

    points = np.asarray(vectors, dtype=float)
    if not 1 <= k <= len(points):
        raise ValueError(f"k must be from 1 to the number of items, {len(points)}, got {k}.")
    means = KMeans(k, n_init=3, random_state=seed).fit(points)
    cluster = means.labels_.astype(np.int64)
    distance = ((points - means.cluster_centers_[cluster]) ** 2).sum(1)
    order = np.lexsort((distance, cluster))  # by cluster, the nearest first
    found, first = np.unique(cluster[order], return_index=True)
    renumbered = np.searchsorted(found, cluster)  # equal items can leave a cluster empty
    return Clusters(renumbered.astype(np.int64), order[first])


def propagate(clusters: Clusters, ask: Callable[[int], Any]) -> NDArray[Any]:
    """A label for every item: that of the item at the centre of its cluster.

    Parameters
    ----------
    clusters : Clusters
    ask : function from the place of an item to its label
        Is asked once for each cluster: a person, or gold where that is tested.

    Examples
    --------
    >>> clusters = group([[0.0], [0.1], [0.2], [5.0]], 2)
    >>> propagate(clusters, lambda place: ["a", "a", "b", "c"][place]).tolist()
    ['a', 'a', 'a', 'c']
    """
    return np.asarray([ask(int(place)) for place in clusters.centres])[clusters.cluster]


def purity(cluster: ArrayLike, gold: ArrayLike) -> float:
    """The share of items that have the commonest true label of their cluster.

    It is what propagation could reach at best, and grows with the number of clusters: 1 where
    each item is its own. Compare it with the share of the commonest label.

    Examples
    --------
    >>> purity([0, 0, 0, 1], ["a", "a", "b", "b"])
    0.75
    """
    from sklearn.metrics.cluster import contingency_matrix

    table = contingency_matrix(gold, cluster)  # (labels, clusters)
    return float(table.max(0).sum() / table.sum())
