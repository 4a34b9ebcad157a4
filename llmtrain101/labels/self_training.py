"""Self-training: a classifier labels what nobody has labelled, and is trained on its own labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


class SelfTrained(NamedTuple):
    """What came of it.

    Attributes
    ----------
    classifier : the classifier of the last round
    history : DataFrame, one row a round
        `round`; `coverage`, the share of the unlabelled items that were given a label;
        `confidence`, the mean chance that the classifier gave these labels; `accuracy`, the share
        of them that is right, nan without gold. Round 0 is the classifier before it hears itself:
        what it would say.
    labels : array of shape (n_unlabelled,)
        The last labels, chosen or not.
    chosen : bool array of shape (n_unlabelled,)
        Which of them the last round was trained on.
    """

    classifier: Any
    history: pd.DataFrame
    labels: NDArray[Any]
    chosen: NDArray[np.bool_]


def self_train(
    classifier: Any,
    X: Any,
    y: ArrayLike,
    X_unlabelled: Any,
    *,
    threshold: float | None = 0.9,
    rounds: int = 10,
    gold: ArrayLike | None = None,
) -> SelfTrained:
    """Train on the labelled items; then, in rounds, on these and on labels of its own.

    Every round labels anew, and may take a label back.

    Parameters
    ----------
    classifier : anything with `fit`, `predict_proba` and `classes_`
        Cloned for each round, so that the one given stays as it is.
    X, y : labelled items
        X an array or a sparse matrix of shape (n, d).
    X_unlabelled : the others, of shape (n_unlabelled, d)
    threshold : float or None
        Only labels with at least this chance are taken. None takes all.
    rounds : int
        It stops before where a round would be trained on the same labels as the one before.
    gold : array of shape (n_unlabelled,), optional
        The true labels, to see what happens; they are never trained on.

    Raises
    ------
    ValueError
        If a threshold is not from 0 to 1, rounds is below 1, or the lengths disagree.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = np.array([[-2.0], [2.0]]), ["no", "yes"]
    >>> found = self_train(LogisticRegression(), X, y, np.array([[-3.0], [0.1], [3.0]]),
    ...                    threshold=0.8, rounds=3, gold=["no", "no", "yes"])
    >>> found.history[["round", "coverage", "accuracy"]].iloc[1].tolist()[:2]
    [1.0, 0.6666666666666666]
    """
    import pandas as pd
    from scipy import sparse
    from sklearn.base import clone

    n_unlabelled, y = X_unlabelled.shape[0], np.asarray(y)
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be from 0 to 1, or None, got {threshold}.")
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}.")
    if len(y) != X.shape[0] or (gold is not None and len(np.asarray(gold)) != n_unlabelled):
        raise ValueError(
            f"X has {X.shape[0]} items and y {len(y)} labels; X_unlabelled has {n_unlabelled}, and "
            "gold, if it is given, needs as many."
        )
    stack = sparse.vstack if sparse.issparse(X) else np.concatenate
    model = clone(classifier).fit(X, y)
    labels, chosen = np.full(n_unlabelled, y[0]), np.zeros(n_unlabelled, bool)
    history: list[dict[str, float]] = []
    for number in range(rounds + 1):
        chances = model.predict_proba(X_unlabelled)  # (n_unlabelled, K)
        said, confidence = model.classes_[chances.argmax(1)], chances.max(1)
        taken = confidence >= (threshold or 0)
        right = np.nan
        if gold is not None and taken.any():
            right = float((said == np.asarray(gold))[taken].mean())
        history.append({
            "round": number,
            "coverage": float(taken.mean()),
            "confidence": float(confidence[taken].mean()) if taken.any() else np.nan,
            "accuracy": right,
        })  # fmt: skip
        same = number > 0 and (taken == chosen).all() and (said == labels)[taken].all()
        labels, chosen = said, taken
        if same or number == rounds or not taken.any():
            break
        own = np.nonzero(taken)[0]
        model = clone(classifier).fit(
            stack([X, X_unlabelled[own]]), np.concatenate([y, labels[own]])
        )
    return SelfTrained(model, pd.DataFrame(history), labels, chosen)
