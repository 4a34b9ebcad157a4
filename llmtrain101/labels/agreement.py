"""Do people who label the same texts mean the same? Agreement, beyond what chance would give.

A table has one row for each item and one column for each rater (a DataFrame, or anything that numpy
makes two-dimensional); None or nan is a rating that is missing. Ratings are names or numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

LEVELS = ("nominal", "ordinal", "interval")


def codes(table: ArrayLike | pd.DataFrame) -> tuple[NDArray[np.int64], list[Any]]:
    """Ratings as numbers of the values in their order, -1 for a missing one; and the values.

    Examples
    --------
    >>> found, values = codes([["b", "a"], ["b", None]])
    >>> found.tolist(), values
    ([[1, 0], [1, -1]], ['a', 'b'])
    """
    import pandas as pd

    cells = _cells(table)
    found, values = pd.factorize(cells.ravel(), sort=True)
    if len({isinstance(value, str) for value in values}) > 1:
        raise ValueError("The ratings are partly text and partly numbers: make them one.")
    return found.reshape(cells.shape).astype(np.int64), list(values)


def _cells(table: ArrayLike | pd.DataFrame) -> NDArray[np.object_]:
    cells = np.asarray(table, dtype=object)
    if cells.ndim != 2 or cells.size == 0:
        raise ValueError(
            f"A table of ratings has a row for each item and a column for each rater, got shape "
            f"{cells.shape}."
        )
    return cells


def items(table: ArrayLike | pd.DataFrame, n: int) -> pd.Index[Any]:
    """The names of the n items: the index of a DataFrame, else numbers from 0."""
    import pandas as pd

    return table.index if isinstance(table, pd.DataFrame) else pd.RangeIndex(n)


def counts(table: ArrayLike | pd.DataFrame) -> tuple[NDArray[np.float64], list[Any]]:
    """How many raters gave each value to each item, shape (items, values); and the values."""
    found, values = codes(table)
    n = np.zeros((len(found), len(values)))
    for code in range(len(values)):
        n[:, code] = (found == code).sum(1)
    return n, values


def percent(table: ArrayLike | pd.DataFrame) -> float:
    """The share of pairs of raters that agree: over all pairs on an item, then over the items.

    Items with fewer than two ratings say nothing; nan if there are no others.

    Examples
    --------
    >>> percent([["a", "a", "a"], ["a", "a", "b"]])           # 3 of 3 pairs, 1 of 3
    0.6666666666666666
    """
    n, _ = counts(table)
    shares = _agreeing(n)
    known = shares[~np.isnan(shares)]
    return float(known.mean()) if len(known) else float("nan")


def _agreeing(n: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of pairs of raters that agree on each item, nan where there is no pair."""
    raters = n.sum(1)
    pairs = raters * (raters - 1)
    out = np.full(len(n), np.nan)
    return np.asarray(np.divide((n * (n - 1)).sum(1), pairs, out=out, where=pairs > 0))


def cohen(first: ArrayLike, second: ArrayLike, *, weights: str | None = None) -> float:
    """Cohen's κ of two raters: the share of the way from chance agreement to full agreement.

    Chance is what two people would agree on who keep their own frequencies of each value, and deal
    them out blindly. 0 is chance, 1 full agreement.

    Parameters
    ----------
    first, second : sequences of n ratings
        An item that one of them did not rate is left out.
    weights : {None, "linear", "quadratic"}
        Whether a near miss counts less than a far one: by the distance of the places that the two
        values have in their order, or by its square (numbers only).

    Returns
    -------
    float
        nan if there is nothing to compare, or chance alone gives full agreement (both raters used
        one value only).

    Raises
    ------
    ValueError
        If the raters did not rate the same items, or text is to be weighted.

    References
    ----------
    Cohen (1960), Educational and Psychological Measurement 20; weighted: Cohen (1968).

    Examples
    --------
    >>> cohen(["a", "a", "b", "b"], ["a", "a", "b", "a"])      # 3 of 4 agree; by chance 2 of 4
    0.5
    """
    if weights not in (None, "linear", "quadratic"):
        raise ValueError(f'weights must be None, "linear" or "quadratic", got {weights!r}.')
    a, b = np.asarray(first, dtype=object), np.asarray(second, dtype=object)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"Both must rate the same items, got shapes {a.shape} and {b.shape}.")
    if not len(a):
        return float("nan")
    found, values = codes(np.stack([a, b], 1))
    if weights:
        _check_ordered(values, f"weights={weights!r}")
    found = found[(found >= 0).all(1)]
    if not len(found):
        return float("nan")
    used = np.unique(found)  # places count among values that the compared items have
    found = np.searchsorted(used, found)
    observed = np.zeros((len(used), len(used)))
    np.add.at(observed, (found[:, 0], found[:, 1]), 1.0)
    expected = np.outer(observed.sum(1), observed.sum(0)) / observed.sum()
    places = np.arange(len(used))
    distance = np.abs(places[:, None] - places).astype(float)
    distance = {None: distance > 0, "linear": distance, "quadratic": distance**2}[weights]
    by_chance = float((distance * expected).sum())
    return 1 - float((distance * observed).sum()) / by_chance if by_chance else float("nan")


def fleiss(table: ArrayLike | pd.DataFrame) -> float:
    """Fleiss' κ: like Cohen's for any number of raters, who need not be the same for each item.

    Chance is that everybody draws from the same frequencies, those of all ratings together.

    Raises
    ------
    ValueError
        If the items have different numbers of ratings: the formula has no answer then. Use `alpha`.

    References
    ----------
    Fleiss (1971), Psychological Bulletin 76, equation 7.

    Examples
    --------
    >>> round(fleiss([["a", "a", "a"], ["a", "b", "b"], ["b", "b", "b"]]), 4)
    0.55
    """
    n, _ = counts(table)
    raters = n.sum(1)
    if raters.min() != raters.max() or raters[0] < 2:
        raise ValueError(
            f"Fleiss' κ needs equally many ratings of each item, at least 2; here it is "
            f"{raters.min():.0f} to {raters.max():.0f}. alpha() takes missing ratings."
        )
    share = n.sum(0) / n.sum()
    by_chance = float((share**2).sum())
    return (percent(table) - by_chance) / (1 - by_chance) if by_chance < 1 else float("nan")


def alpha(table: ArrayLike | pd.DataFrame, level: str = "nominal") -> float:
    """Krippendorff's α: any number of raters, missing ratings, and near misses that count less.

    1 minus the disagreement within items over the disagreement within the whole heap of ratings,
    as if they had been dealt out to the items at random. 1 is full agreement, 0 chance.

    Parameters
    ----------
    table : items by raters
    level : {"nominal", "ordinal", "interval"}
        What a difference between two values counts: 1 whatever they are; by how many ratings lie
        between them; or the square of their difference (the last two for numbers only).

    Returns
    -------
    float
        nan if no item has two ratings, or all ratings are the same.

    Raises
    ------
    ValueError
        If there is no such level, or it needs numbers and the ratings are text.

    References
    ----------
    Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011).

    Examples
    --------
    >>> table = [[1, 1, None], [2, 2, 3], [3, 3, 3], [1, 2, 1]]
    >>> round(alpha(table), 3), round(alpha(table, "interval"), 3)
    (0.5, 0.773)
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, got {level!r}.")
    n, values = counts(table)
    n = n[n.sum(1) > 1]  # a rating alone on its item has nothing to agree with
    if not len(n):
        return float("nan")
    totals = n.sum(0)
    together = coincidences(n)
    by_chance = (np.outer(totals, totals) - np.diag(totals)) / (totals.sum() - 1)
    distance = _distances(totals, values, level)
    chance = float((distance * by_chance).sum())
    return 1 - float((distance * together).sum()) / chance if chance > 0 else float("nan")


def coincidences(n: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often two values met on an item, over all pairs of raters; each rating counts once.

    Parameters
    ----------
    n : float array of shape (items, values)
        From `counts`, items with at least two ratings.

    Returns
    -------
    float array of shape (values, values)
        Symmetric; a row sums to how often its value was given.

    Examples
    --------
    >>> coincidences(np.array([[2.0, 1.0]])).tolist()              # a, a, b: 6 ordered pairs
    [[1.0, 1.0], [1.0, 0.0]]
    """
    shared = n / (n.sum(1, keepdims=True) - 1)
    together: NDArray[np.float64] = shared.T @ n - np.diag(shared.sum(0))
    return together


def _distances(totals: NDArray[np.float64], values: list[Any], level: str) -> NDArray[np.float64]:
    if level == "nominal":
        return 1 - np.eye(len(values))
    if level == "ordinal":
        _check_ordered(values, 'level="ordinal"')
        upto = np.cumsum(totals) - totals / 2  # how many ratings lie below the middle of each
        return np.asarray((upto[:, None] - upto) ** 2)
    try:
        numbers = np.array(values, dtype=float)
    except ValueError:
        raise ValueError(f'level="interval" needs numbers, got {values[:5]}.') from None
    return np.asarray((numbers[:, None] - numbers) ** 2)


def _check_ordered(values: list[Any], what: str) -> None:
    if any(isinstance(value, str) for value in values):  # "bad" < "good" < "ok" is no order
        raise ValueError(
            f"{what} needs numbers, since text has only the order of the alphabet; got "
            f"{values[:5]}. Put numbers in their place, as with table.replace({{…: 1, …: 2}})."
        )


def ratings(rows: Iterable[Mapping[str, Any]] | pd.DataFrame, *, least: int = 2) -> pd.DataFrame:
    """The columns that are raters: of rows as `formats.read` gives them, or of a store's table.

    A column in which hardly a value comes twice (a text, an id), or that holds lists, is none.

    Parameters
    ----------
    rows : rows, or DataFrame
        A row for each text, a column for each rater.
    least : int
        How many raters there must be, and ratings of each of ten texts.

    Returns
    -------
    DataFrame
        Texts by raters; `.attrs["left_out"]` names the other columns.

    Raises
    ------
    ValueError
        If there are too few raters or ratings, or all ratings are the same.

    Examples
    --------
    >>> rows = [{"text": f"review {n}", "ada": n % 2, "bob": n % 3 % 2} for n in range(12)]
    >>> found = ratings(rows)
    >>> list(found), found.attrs["left_out"]
    (['ada', 'bob'], ['text'])
    """
    import pandas as pd

    table = pd.DataFrame(rows if isinstance(rows, pd.DataFrame) else list(rows), dtype=object)
    table = table.astype(object).where(table.notna(), None)
    raters = [name for name in table if _repeats(table[name].dropna())]
    others = [str(name) for name in table if name not in raters]
    found = table[raters].dropna(how="all")
    what = f"Raters are {', '.join(map(str, raters)) or 'none'} of {len(table)} rows"
    what += f"; {', '.join(others)}: empty, or hardly a value comes twice" if others else ""
    if len(raters) < least:
        raise ValueError(f"{what}. At least {least} columns of ratings are needed.")
    enough = int((found.notna().sum(axis=1) >= least).sum())
    if enough < 10:
        raise ValueError(f"{what}. Ten texts with {least} ratings are needed, here are {enough}.")
    if found.stack().nunique() < 2:
        raise ValueError(f"{what}. All ratings are the same: there is nothing to compare.")
    found.columns = found.columns.astype(str)
    found.attrs["left_out"] = others
    return found


def _repeats(given: pd.Series[Any]) -> bool:
    try:
        return 0 < given.nunique() <= max(3, len(given) / 2)
    except TypeError:  # lists
        return False


# --- who disagrees on what ------------------------------------------------------------------------


def disagreements(table: ArrayLike | pd.DataFrame) -> pd.DataFrame:
    """The items, most disputed first, with what was said of each: where guidelines are unclear.

    Returns
    -------
    DataFrame, indexed as the table
        agreement : share of pairs of raters that agree;
        ratings : such as "3 good, 2 bad", the most frequent first.
        Items with fewer than two ratings are left out.

    Examples
    --------
    >>> disagreements([["a", "a"], ["a", "b"]])
       agreement   ratings
    1        0.0  1 a, 1 b
    0        1.0       2 a
    """
    import pandas as pd

    n, values = counts(table)
    said = [
        ", ".join(
            f"{row[at]:.0f} {values[at]}" for at in np.argsort(-row, kind="stable") if row[at]
        )
        for row in n
    ]
    columns = {"agreement": _agreeing(n), "ratings": said}
    frame = pd.DataFrame(columns, index=items(table, len(n))).dropna(subset="agreement")
    return frame.sort_values("agreement", kind="stable")


def confusions(table: ArrayLike | pd.DataFrame) -> pd.DataFrame:
    """Which values meet: of the pairs in which one rater said the row, how many said the column.

    Each row sums to 1; the diagonal is how reliably a value is given.

    Examples
    --------
    >>> confusions([["a", "a"], ["a", "b"]])
              a         b
    a  0.666667  0.333333
    b  1.000000  0.000000
    """
    import pandas as pd

    n, values = counts(table)
    together = coincidences(n[n.sum(1) > 1])
    totals = together.sum(1, keepdims=True)
    shares = np.divide(together, totals, out=np.full_like(together, np.nan), where=totals > 0)
    return pd.DataFrame(shares, index=values, columns=values)


def between(table: ArrayLike | pd.DataFrame, *, weights: str | None = None) -> pd.DataFrame:
    """Cohen's κ of each two raters; a rater who is out of line has a row of small numbers.

    Examples
    --------
    >>> between([["a", "a", "b"], ["b", "b", "a"], ["a", "a", "a"], ["b", "b", "b"]]).round(2)
         0    1    2
    0  1.0  1.0  0.0
    1  1.0  1.0  0.0
    2  0.0  0.0  1.0
    """
    import pandas as pd

    cells = _cells(table)
    people = list(table.columns) if isinstance(table, pd.DataFrame) else range(cells.shape[1])
    kappa = np.eye(cells.shape[1])
    for a, b in combinations(range(cells.shape[1]), 2):
        kappa[a, b] = kappa[b, a] = cohen(cells[:, a], cells[:, b], weights=weights)
    return pd.DataFrame(kappa, index=people, columns=people)


# --- against a reference --------------------------------------------------------------------------


def class_f1(labels: Sequence[Any], predictions: Sequence[Any]) -> pd.DataFrame:
    """Precision, recall and F1 of each class, and how often it occurs among the labels.

    Where a class is never predicted, or never occurs, the share of nothing is taken as 0. The mean
    of the column f1 is `evaluate.macro_f1`.

    Examples
    --------
    >>> class_f1(["a", "a", "b"], ["a", "b", "b"])
       precision  recall        f1  count
    a        1.0     0.5  0.666667      2
    b        0.5     1.0  0.666667      1
    """
    if len(labels) != len(predictions):
        raise ValueError(f"As many labels as predictions, got {len(labels)}, {len(predictions)}.")
    right = Counter(a for a, b in zip(labels, predictions, strict=True) if a == b)
    names = sorted(set(labels) | set(predictions))
    return _scores(names, right, Counter(predictions), Counter(labels))


def entities(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """The entities in IOB2 tags: type, first token, the token after the last.

    An I- that continues nothing begins an entity, as in the scorer of CoNLL.

    Examples
    --------
    >>> entities(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
    [('PER', 0, 2), ('LOC', 3, 4), ('LOC', 4, 5)]
    """
    found: list[tuple[str, int, int]] = []
    start, kind = 0, ""
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        if prefix not in "BIO" or (prefix == "O") == bool(name):
            raise ValueError(f"Tag {place} must be O, B-TYPE or I-TYPE, got {tag!r}.")
        if kind and (prefix != "I" or name != kind):
            found.append((kind, start, place))
            kind = ""
        if prefix != "O" and not kind:
            start, kind = place, name
    return found


def entity_f1(
    labels: Iterable[Sequence[str]], predictions: Iterable[Sequence[str]]
) -> pd.DataFrame:
    """Precision, recall and F1 of entities, by type and over "all": right is only type and extent.

    Parameters
    ----------
    labels, predictions : sequences of sentences, each a sequence of IOB2 tags

    Examples
    --------
    >>> entity_f1([["B-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "B-LOC"]])
         precision  recall   f1  count
    LOC        1.0     1.0  1.0      1
    PER        0.0     0.0  0.0      1
    all        0.5     0.5  0.5      2
    """
    gold, found = [], []
    for number, (a, b) in enumerate(zip(labels, predictions, strict=True)):
        if len(a) != len(b):
            raise ValueError(f"Sentence {number} has {len(a)} tags and {len(b)} predicted ones.")
        gold += [(number, *entity) for entity in entities(a)]
        found += [(number, *entity) for entity in entities(b)]
    each = (set(gold) & set(found), found, gold)
    right, predicted, true = (Counter(entity[1] for entity in part) for part in each)
    kinds = sorted(predicted.keys() | true.keys())
    for part in (right, predicted, true):
        part["all"] = part.total()
    return _scores([*kinds, "all"], right, predicted, true)


def _scores(
    names: list[Any], right: Counter[Any], predicted: Counter[Any], true: Counter[Any]
) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            "precision": right[name] / max(predicted[name], 1),
            "recall": right[name] / max(true[name], 1),
            "f1": 2 * right[name] / max(predicted[name] + true[name], 1),
            "count": true[name],
        }
        for name in names
    ]
    return pd.DataFrame(rows, index=names)
