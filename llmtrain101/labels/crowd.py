"""One label of several people's: by majority, or by how reliable each of them seems to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from llmtrain101.labels.agreement import codes, counts, items

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

_LEAST = 1e-10  # no chance is taken to be smaller: one vote must not rule a class out for ever


def shares(table: ArrayLike | pd.DataFrame) -> pd.DataFrame:
    """Of the ratings of each item, the share of each value; nan where there is no rating.

    Examples
    --------
    >>> shares([["a", "a", "b", None]]).round(3).to_dict("records")
    [{'a': 0.667, 'b': 0.333}]
    """
    import pandas as pd

    n, values = counts(table)
    total = n.sum(1, keepdims=True)
    part = np.divide(n, total, out=np.full_like(n, np.nan), where=total > 0)
    return pd.DataFrame(part, index=items(table, len(n)), columns=values)


def majority(
    table: ArrayLike | pd.DataFrame, *, ties: str = "none", rng: np.random.Generator | None = None
) -> pd.Series[Any]:
    """The value that most raters gave, for each item.

    Parameters
    ----------
    table : items by raters
    ties : {"none", "first", "random"}
        What an item gets if several values have the most votes: None, so that a person decides;
        the first of them in alphabetical or numerical order, which favours that value; or one of
        them by lot, drawn from `rng`.

    Returns
    -------
    Series
        None for an item without ratings.

    Examples
    --------
    >>> majority([["a", "b", "b"], ["a", "b", None]]).tolist()
    ['b', None]
    >>> majority([["a", "b", "b"], ["a", "b", None]], ties="first").tolist()
    ['b', 'a']
    """
    import pandas as pd

    if ties not in ("none", "first", "random"):
        raise ValueError(f'ties must be "none", "first" or "random", got {ties!r}.')
    if ties == "random" and rng is None:
        raise ValueError('ties="random" draws lots: pass rng=, such as seeds.rng(0, "ties").')
    n, values = counts(table)
    if not values:
        return pd.Series([None] * len(n), index=items(table, len(n)), dtype=object, name="label")
    most = n == n.max(1, keepdims=True)
    order = n if rng is None or ties != "random" else most * rng.random(n.shape)
    chosen = order.argmax(1)  # the first of equals
    known = n.sum(1) > 0
    if ties == "none":
        known &= most.sum(1) == 1
    labels = [values[at] if there else None for at, there in zip(chosen, known, strict=True)]
    return pd.Series(labels, index=items(table, len(n)), dtype=object, name="label")


def against_others(
    table: ArrayLike | pd.DataFrame, raters: int, *, apart: int = 3, rng: np.random.Generator
) -> float:
    """How often the majority of some raters says of a text what its other raters say.

    The ratings of each text are dealt out anew, gaps aside: the first `raters` decide, and those
    after the first `apart` are the others. What is tied among the first is decided by lot; texts
    with fewer than `apart` + 2 ratings, or on which the others are tied, do not count; nan if the
    others are tied on all.

    Raises
    ------
    ValueError
        If `raters` is not from 1 to `apart`, or no text has enough ratings.

    Examples
    --------
    >>> table = [["a", "a", "a", "a", None, "a"], ["b", "b", None, None, "b", "a"]]
    >>> against_others(table, 1, rng=np.random.default_rng(0))     # the second has too few
    1.0
    """
    found, values = codes(table)
    found = found[(found >= 0).sum(1) >= apart + 2]
    if not 1 <= raters <= apart or not len(found):
        raise ValueError(
            f"{raters} raters of {apart}, and {len(found)} texts with {apart + 2} ratings: from 1 "
            f"to {apart} can decide, and at least one text is needed."
        )
    hands = rng.permuted(found, axis=1)
    gaps_last = np.argsort(hands < 0, axis=1, kind="stable")
    named = np.array([*values, None], dtype=object)  # the last for the gaps, which are -1
    dealt = named[np.take_along_axis(hands, gaps_last, axis=1)]
    others = majority(dealt[:, apart:])
    ours = majority(dealt[:, :raters], ties="random", rng=rng)
    known = others.notna()
    return float((ours[known] == others[known]).mean()) if known.any() else float("nan")


@dataclass(frozen=True)
class Reliability:
    """What `dawid_skene` found.

    Attributes
    ----------
    labels : Series
        The likeliest value of each item, the first of equals; None without ratings.
    probabilities : DataFrame, items by values
    errors : dict of DataFrame
        For each rater a table: in a row the true value, in the columns how often each value is
        then said. On the diagonal is what this rater gets right.
    frequencies : Series
        How frequent each value is among the items.
    rounds : int
        Of expectation and maximisation.
    """

    labels: pd.Series[Any]
    probabilities: pd.DataFrame
    errors: dict[Any, pd.DataFrame]
    frequencies: pd.Series[float]
    rounds: int


def dawid_skene(
    table: ArrayLike | pd.DataFrame, *, max_rounds: int = 100, tolerance: float = 1e-5
) -> Reliability:
    """True values and each rater's errors, found together from the ratings alone.

    Begins with the shares of votes. Then in turn: how often does each rater say what, if these were
    the true values (M step)? And how likely is each true value, if raters err like that (E step)?

    Parameters
    ----------
    table : items by raters
    max_rounds : int
    tolerance : float
        Stops when the lower bound of the log-likelihood grows by less, in nats for each rating.

    Raises
    ------
    ValueError
        If there is no rating at all, or max_rounds is below 1.

    Notes
    -----
    It takes raters to err independently of each other. With few ratings of each rater the tables
    are guesses; with raters of equal quality it can do no better than a majority.

    References
    ----------
    Dawid and Skene (1979), Journal of the Royal Statistical Society C 28, 20-28.

    Examples
    --------
    >>> table = [["a", "a", "b"], ["b", "b", "a"], ["a", "a", "a"], ["b", "b", "a"]] * 5
    >>> found = dawid_skene(table)
    >>> found.labels.tolist()[:4]
    ['a', 'b', 'a', 'b']
    >>> float(found.errors[2].loc["b", "a"].round(2))         # what is b, the third calls a
    1.0
    """
    import pandas as pd

    if max_rounds < 1:
        raise ValueError(f"max_rounds must be at least 1, got {max_rounds}.")
    found, values = codes(table)
    n_items, raters = found.shape
    K = len(values)
    rated: NDArray[np.bool_] = np.asarray((found >= 0).any(1))
    if K == 0:
        raise ValueError("There is no rating in the table.")
    votes = (found[rated, :, None] == np.arange(K)).reshape(-1, raters * K).astype(float)  # (I, RK)
    chance = votes.reshape(-1, raters, K).sum(1)
    chance /= chance.sum(1, keepdims=True)  # (I, K): the shares of votes
    said = votes.any(0)  # a value that a rater never uses tells nothing about the values they use
    bound, n_votes = -np.inf, votes.sum()
    prior, errors = _maximise(votes, chance, said, K)
    for rounds in range(1, max_rounds + 1):  # noqa: B007
        chance = _expect(votes, prior, errors)
        prior, errors = _maximise(votes, chance, said, K)
        new = _lower_bound(votes, chance, prior, errors) / n_votes
        if new - bound < tolerance:
            break
        bound = new
    whole = np.full((n_items, K), np.nan)
    whole[rated] = chance
    index = items(table, n_items)
    people = list(table.columns) if isinstance(table, pd.DataFrame) else list(range(raters))
    tables = errors.reshape(raters, K, K)  # rater, said, true
    labels = [
        values[row.argmax()] if there else None for row, there in zip(whole, rated, strict=True)
    ]
    return Reliability(
        pd.Series(labels, index=index, dtype=object, name="label"),
        pd.DataFrame(whole, index=index, columns=values),
        {
            who: pd.DataFrame(tables[place].T, index=values, columns=values)
            for place, who in enumerate(people)
        },
        pd.Series(prior, index=values),
        rounds,
    )


def _maximise(
    votes: NDArray[np.float64], chance: NDArray[np.float64], said: NDArray[np.bool_], K: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How frequent each value is, shape (K,), and how often each is said for each, (R * K, K)."""
    errors = np.where(said[:, None], np.maximum(votes.T @ chance, _LEAST), 0)  # (RK, K)
    by_rater = errors.reshape(-1, K, K)
    total = by_rater.sum(1, keepdims=True)
    by_rater = np.divide(by_rater, total, out=np.zeros_like(by_rater), where=total > 0)
    return chance.mean(0), by_rater.reshape(errors.shape)


def _expect(
    votes: NDArray[np.float64], prior: NDArray[np.float64], errors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The chance of each true value of each item, shape (I, K)."""
    likely = votes @ _log(errors) + np.log(np.maximum(prior, _LEAST))
    chance = np.exp(likely - likely.max(1, keepdims=True))
    return np.asarray(chance / chance.sum(1, keepdims=True))


def _lower_bound(
    votes: NDArray[np.float64],
    chance: NDArray[np.float64],
    prior: NDArray[np.float64],
    errors: NDArray[np.float64],
) -> float:
    """Each vote brings its log-chance and that of the value, as crowd-kit counts it."""
    n = votes.sum(1, keepdims=True)  # votes on each item
    log_prior = np.log(np.maximum(prior, _LEAST))
    joint = (chance * (votes @ _log(errors) + n * log_prior)).sum()
    kept = np.maximum(chance, _LEAST)
    return float(joint - (kept * np.log(kept)).sum())


def _log(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.where(errors > 0, errors, 1.0)))  # never said: never asked for
