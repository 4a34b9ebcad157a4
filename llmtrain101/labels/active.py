"""Active learning: which item should a person label next?

A strategy is a function `(chances, vectors, rng) -> scores`; the items with the highest scores are
asked about. `chances` is what the classifier gives them, shape (n, K), `vectors` what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Strategy = Callable[[NDArray[np.float64], Any, np.random.Generator], NDArray[np.float64]]


def random(chances: ArrayLike, vectors: Any, rng: np.random.Generator) -> NDArray[np.float64]:
    """Any order: the control.

    Examples
    --------
    >>> random([[0.5, 0.5]] * 3, None, np.random.default_rng(0)).shape
    (3,)
    """
    return rng.random(len(np.asarray(chances)))


def margin(chances: ArrayLike, vectors: Any, rng: np.random.Generator) -> NDArray[np.float64]:
    """High where the two likeliest classes are close.

    Examples
    --------
    >>> margin([[0.5, 0.4, 0.1], [0.8, 0.1, 0.1]], None, np.random.default_rng(0)).round(1).tolist()
    [-0.1, -0.7]
    """
    ordered = np.sort(np.asarray(chances, dtype=float), axis=1)
    return np.asarray(ordered[:, -2] - ordered[:, -1])


def entropy(chances: ArrayLike, vectors: Any, rng: np.random.Generator) -> NDArray[np.float64]:
    """High where the chances are spread over many classes, in nats. For two classes: as margin.

    Examples
    --------
    >>> entropy([[0.5, 0.5], [1.0, 0.0]], None, np.random.default_rng(0)).round(2).tolist()
    [0.69, 0.0]
    """
    p = np.asarray(chances, dtype=float)
    return np.asarray((p * -np.log(np.clip(p, 1e-300, 1))).sum(1))


def density(chances: ArrayLike, vectors: Any, rng: np.random.Generator) -> NDArray[np.float64]:
    """Entropy times the mean likeness to the other items: unsure, and not an odd one out.

    Likeness is the cosine, negative ones being taken as 0 (Settles, 2012, section 5.2).

    Examples
    --------
    >>> density([[0.5, 0.5]] * 3, np.eye(3)[[0, 0, 1]], np.random.default_rng(0)).round(2).tolist()
    [0.46, 0.46, 0.23]
    """
    from sklearn.preprocessing import normalize

    units = normalize(vectors)  # (n, d)
    total = np.asarray(units.sum(axis=0)).ravel()  # the mean cosine with all is one product
    likeness = np.asarray(units @ total).ravel() / units.shape[0]
    return np.asarray(entropy(chances, vectors, rng) * np.maximum(likeness, 0))


STRATEGIES: Mapping[str, Strategy] = {
    "random": random,
    "margin": margin,
    "entropy": entropy,
    "density": density,
}


def learn(
    classifier: Any,
    X: Any,
    ask: Callable[[int], Any],
    first: Sequence[int],
    strategy: Strategy,
    *,
    n_labels: int,
    batch: int = 10,
    rng: np.random.Generator,
    watch: Callable[[Any, list[int]], None] = lambda model, asked: None,
) -> list[int]:
    """Train, ask about the items that the strategy chooses, train again, until the labels are used.

    Parameters
    ----------
    classifier : anything with `fit`, `predict_proba` and `classes_`
        Cloned for each training.
    X : array or sparse matrix of shape (n, d)
        The pool: everything that could be asked about.
    ask : function from a place in the pool to its label
        A person, or gold where that is tested. Asked once for each item.
    first : places to begin with
        While all the labels so far are the same, the next ones are chosen at random.
    strategy : function, for example `margin`
    n_labels : int
        How many labels there may be in all, with the first.
    batch : int
        How many are asked about before the next training. Those of one batch are chosen without
        regard to each other, so that a large one holds the same case many times.
    rng : numpy Generator
    watch : function of the classifier and the list of places
        Called after each training, to measure.

    Returns
    -------
    list of int
        The places asked about, in order.

    Raises
    ------
    ValueError
        If the numbers do not fit the pool, or the first places are not different places in it.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.linspace(-3, 3, 13)[:, None]
    >>> asked = learn(LogisticRegression(), X, lambda place: int(place > 7), [0, 12], margin,
    ...               n_labels=5, batch=1, rng=np.random.default_rng(0))
    >>> sorted(asked[2:])                       # the border lies between 7 and 8
    [6, 7, 9]
    """
    from sklearn.base import clone

    n, asked = X.shape[0], [int(place) for place in first]
    if batch < 1 or not 1 <= len(asked) <= n_labels <= n:
        raise ValueError(
            f"there must be from 1 to n_labels = {n_labels} first places, a pool as large (it has "
            f"{n}), and a batch of at least 1, got {len(asked)} and {batch}."
        )
    if len(set(asked)) < len(asked) or not 0 <= min(asked) <= max(asked) < n:
        raise ValueError(f"the first places must be different ones from 0 to {n - 1}, got {asked}.")
    labels = [ask(place) for place in asked]
    while True:
        trained = len(set(labels)) > 1
        if trained:
            model = clone(classifier).fit(X[asked], labels)
            watch(model, list(asked))
        if len(asked) >= n_labels:
            return asked
        left = np.setdiff1d(np.arange(n), asked)
        scores = rng.random(len(left))
        if trained:
            scores = strategy(model.predict_proba(X[left]), X[left], rng)
        order = np.lexsort((rng.random(len(left)), -scores))  # ties in random order
        new = [int(place) for place in left[order[: min(batch, n_labels - len(asked))]]]
        asked += new
        labels += [ask(place) for place in new]
