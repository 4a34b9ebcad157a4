"""Labelling by rule: small functions that name a label or say nothing, and what becomes of them.

What a set of rules gives is a table of votes, one row an item and one column a rule. The items can
be anything that the rules can read: texts, or the visual features of an image.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

ABSTAIN = -1


@dataclass(frozen=True)
class Rule:
    """A named function from an item to a label, or to None where it has no opinion.

    Examples
    --------
    >>> shouts = Rule("shouts", lambda text: "spam" if text.isupper() else None)
    >>> shouts("CALL NOW"), shouts("call me")
    ('spam', None)
    """

    name: str
    function: Callable[[Any], Any]

    def __call__(self, item: Any) -> Any:
        """The label for one item, or None."""
        return self.function(item)


def rule(function: Callable[[Any], Any]) -> Rule:
    """Make a function a rule that bears its name; a decorator.

    Examples
    --------
    >>> @rule
    ... def is_short(text):
    ...     return "ham" if len(text) < 20 else None
    >>> is_short.name, is_short("see you")
    ('is_short', 'ham')
    """
    return Rule(function.__name__, function)


def words(label: Any, *anyof: str, name: str = "") -> Rule:
    """A rule that gives the label where one of the words or phrases occurs, in upper or lower case.

    Only whole words count. `*` at the end of a word stands for any ending.

    Raises
    ------
    ValueError
        If there is no word, or one without a letter or digit.

    Examples
    --------
    >>> wins = words("spam", "win*", "for free")
    >>> wins("Three WINNERS!"), wins("It is for  free."), wins("Darwin"), wins.name
    ('spam', 'spam', None, 'win*')
    """
    if not anyof or any(not re.search(r"\w", word) for word in anyof):
        raise ValueError(f"words() needs words with letters or digits, got {list(anyof)}.")
    parts = [
        r"\s+".join(map(re.escape, word.rstrip("*").split())) + (r"\w*" if word[-1] == "*" else "")
        for word in anyof
    ]
    return pattern(label, rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", name=name or anyof[0])


def pattern(label: Any, regex: str, *, name: str = "") -> Rule:
    r"""A rule that gives the label where the regular expression is found; case is ignored.

    Examples
    --------
    >>> money = pattern("spam", r"£\s*\d")
    >>> money("win £ 500"), money("win")
    ('spam', None)
    """
    found = re.compile(regex, re.IGNORECASE).search
    return Rule(name or regex, lambda text: label if found(text) else None)


def apply(
    rules: Iterable[Callable[[Any], Any]], items: Iterable[Any], classes: Sequence[Any]
) -> NDArray[np.int64]:
    """The vote of every rule on every item.

    Parameters
    ----------
    rules : functions, or `Rule`s
    items : n texts, or what else the rules read
    classes : sequence of labels
        A label is stored as its place in here.

    Returns
    -------
    int64 array of shape (n_items, n_rules)
        `ABSTAIN` (-1) where a rule has no opinion.

    Raises
    ------
    ValueError
        If two classes are the same, or a rule gives a label that is not among them, or True or
        False where no class is either: Python would take them for the classes 1 and 0.
    RuntimeError
        If a rule fails; the message says which, and on which item.

    Examples
    --------
    >>> rules = [words("spam", "prize"), words("ham", "dinner")]
    >>> apply(rules, ["a prize", "dinner?", "ok"], ["ham", "spam"]).tolist()
    [[1, -1], [-1, 0], [-1, -1]]
    """
    rules, items, place = list(rules), list(items), {name: i for i, name in enumerate(classes)}
    if len(place) < len(classes):
        raise ValueError(f"each class must be there once, got {list(classes)}.")
    votes = np.full((len(items), len(rules)), ABSTAIN)
    for column, each in enumerate(rules):
        for row, item in enumerate(items):
            try:
                label = each(item)
            except Exception as error:
                raise RuntimeError(
                    f"rule {rule_name(each)!r} failed on item {row}, {str(item)[:60]!r}: "
                    f"{type(error).__name__}: {error}"
                ) from error
            if label is not None:
                if not _is_class(label, place):
                    raise ValueError(
                        f"rule {rule_name(each)!r} gave {label!r} for item {row}; the classes are "
                        f"{list(classes)}, and None is for no opinion."
                    )
                votes[row, column] = place[label]
    return votes


def _is_class(label: Any, place: Mapping[Any, int]) -> bool:
    if isinstance(label, (bool, np.bool_)) and not any(
        isinstance(c, (bool, np.bool_)) for c in place
    ):
        return False
    try:
        return label in place
    except TypeError:  # a list, or what else cannot be looked up
        return False


def rule_name(each: Callable[[Any], Any]) -> str:
    """What a rule or a plain function is called.

    Examples
    --------
    >>> rule_name(len)
    'len'
    """
    return str(getattr(each, "name", "") or getattr(each, "__name__", repr(each)))


def summary(
    votes: ArrayLike, rules: Sequence[Callable[[Any], Any]], gold: ArrayLike | None = None
) -> pd.DataFrame:
    """For each rule: how often it speaks, together with others, against others, and is right.

    Parameters
    ----------
    votes : int array of shape (n_items, n_rules)
    rules : n_rules rules, for their names
    gold : int array of shape (n_items,), optional
        The true class of each item, or `ABSTAIN` where nobody knows. Never that of the test part:
        rules that were chosen with a look at it have seen the answers.

    Returns
    -------
    DataFrame with the names as index and as columns the shares of all items
        `coverage` (it votes), `overlap` (another one votes too), `conflict` (another one votes
        otherwise), and `accuracy`, of those of its votes that gold knows; nan if there is none.

    Raises
    ------
    ValueError
        If there is no item, not one rule for each column, or not one class for each item.

    Examples
    --------
    >>> rules = [words("spam", "prize"), words("ham", "dinner")]
    >>> votes = [[1, 0], [1, -1], [-1, 0], [-1, -1]]
    >>> summary(votes, rules, gold=[1, 1, 0, 0]).loc["dinner"].tolist()
    [0.5, 0.25, 0.25, 0.5]
    """
    import pandas as pd

    table = checked(votes)  # (n, m)
    if not len(table) or len(rules) != table.shape[1]:
        raise ValueError(
            f"summary() needs at least one item and one rule for each column, got {len(table)} "
            f"items, {table.shape[1]} columns and {len(rules)} rules."
        )
    spoke = table != ABSTAIN
    others = spoke.sum(1, keepdims=True) - spoke  # (n, m): how many others vote
    same = np.stack([((table == c) & spoke).sum(1) for c in range(table.max(initial=0) + 1)], 1)
    agreeing = np.take_along_axis(same, np.maximum(table, 0), 1) - 1  # of the others
    columns = {
        "coverage": spoke.mean(0),
        "overlap": (spoke & (others > 0)).mean(0),
        "conflict": (spoke & (others > agreeing)).mean(0),
        "accuracy": np.full(table.shape[1], np.nan),
    }
    if gold is not None:
        given = np.asarray(gold)
        if given.shape != (len(table),) or given.dtype.kind not in "iu":
            raise ValueError(
                f"gold must be {len(table)} whole numbers, one an item, the place of its class or "
                f"{ABSTAIN}; got {given.dtype} of shape {given.shape}."
            )
        truth = given[:, None]  # (n, 1)
        known = spoke & (truth != ABSTAIN)
        right, n = (known & (table == truth)).sum(0), known.sum(0)
        columns["accuracy"] = np.divide(right, n, out=columns["accuracy"], where=n > 0)
    return pd.DataFrame(columns, index=pd.Index([rule_name(each) for each in rules], name="rule"))


def vote_shares(votes: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """The share of the votes that each class got, shape (n_items, n_classes).

    Where no rule votes, each class gets the same: nothing is known.

    Examples
    --------
    >>> vote_shares([[0, 1, 1, -1], [-1, -1, -1, -1]], 2).round(2).tolist()
    [[0.33, 0.67], [0.5, 0.5]]
    """
    table = checked(votes, n_classes)
    counts = np.stack([(table == c).sum(1) for c in range(n_classes)], 1)  # (n, K)
    total = counts.sum(1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), 1 / n_classes)


def majority_vote(votes: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """The class with most votes, shape (n_items,); `ABSTAIN` for ties and where nobody votes.

    Examples
    --------
    >>> majority_vote([[0, 1, 1], [0, 1, -1], [-1, -1, -1]], 2).tolist()
    [1, -1, -1]
    """
    shares = vote_shares(votes, n_classes)
    best = shares.max(1, keepdims=True)
    tied = (np.isclose(shares, best)).sum(1) > 1
    return np.where(tied, ABSTAIN, shares.argmax(1))


def checked(votes: ArrayLike, n_classes: int | None = None) -> NDArray[np.int64]:
    """The votes as an int array of shape (n_items, n_rules).

    Raises
    ------
    ValueError
        If it has another shape, or a vote is no class and not `ABSTAIN`.

    Examples
    --------
    >>> checked([[0, -1]]).shape
    (1, 2)
    """
    table = np.asarray(votes)
    if table.ndim != 2 or table.dtype.kind not in "iu":
        raise ValueError(
            "votes must be whole numbers, one row an item and one column a rule, got "
            f"{table.dtype} of shape {table.shape}."
        )
    most = table.max(initial=ABSTAIN)
    if table.min(initial=0) < ABSTAIN or (n_classes is not None and most >= n_classes):
        raise ValueError(
            f"a vote is a class from 0 to {(n_classes or most + 1) - 1}, or {ABSTAIN} for none; "
            f"got votes from {table.min()} to {most}."
        )
    return table.astype(np.int64)


def suggest(
    texts: Sequence[str], labels: Sequence[Any], *, per_class: int = 6, least: int = 2
) -> list[Rule]:
    """Rules of one word each, found by counting in a few labelled texts.

    For each class those words that speak for it most clearly: with n texts of the class and m of
    the others that hold the word, and half a text added to each count, the share of the class
    among its texts against that among the others', times the square root of n. A person who reads
    the same texts will find better rules than these; read the list, and strike out what is luck.

    Parameters
    ----------
    texts, labels : n texts and their labels
        Never those of the test part.
    per_class : int
        How many rules each class gets at most.
    least : int
        A word must occur in so many texts of its class.

    Raises
    ------
    ValueError
        If there is not one label for each text, or fewer than two classes.

    Examples
    --------
    >>> texts = ["win a prize", "a prize for you", "see you home", "home at last", "a home"]
    >>> labels = ["spam", "spam", "ham", "ham", "ham"]
    >>> [(each.name, each(each.name)) for each in suggest(texts, labels, per_class=1)]
    [('home', 'ham'), ('prize', 'spam')]
    """
    classes = sorted(set(labels), key=str)
    if len(texts) != len(labels) or len(classes) < 2:
        raise ValueError(
            "suggest() needs one label for each text and at least two different ones, got "
            f"{len(texts)} texts and {len(labels)} labels of {len(classes)} kinds."
        )
    held = [set(re.findall(r"\w\w+", text.lower())) for text in texts]
    counts = {name: Counter[str]() for name in classes}
    for each, label in zip(held, labels, strict=True):
        counts[label].update(each)
    sizes, all_counts = Counter(labels), sum(counts.values(), Counter[str]())
    found = []
    for name in classes:
        inside, outside = sizes[name] + 1, len(texts) - sizes[name] + 1
        worth = {}
        for word, n in counts[name].items():
            if n >= least:
                m = all_counts[word] - n
                worth[word] = n**0.5 * math.log((n + 0.5) / inside * outside / (m + 0.5))
        best = sorted(worth, key=lambda word: (-worth[word], word))[:per_class]  # noqa: B023
        found += [words(name, word) for word in best if worth[word] > 0]
    return found
