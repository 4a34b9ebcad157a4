"""Training, validation and test parts in which no text has a twin in another part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmtrain101.seeds import stream_seed
from llmtrain101.sources._docstrings import docstrings
from llmtrain101.sources._near_duplicates import near_duplicates

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("train", "validation", "test")


def split(
    table: pd.DataFrame,
    *,
    seed: int,
    by: str | None = "module",
    text: str = "text",
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    unique: bool = False,
) -> pd.Series[str]:
    """A part for each row: whole modules go to one part, and no near-duplicate crosses parts.

    Near-duplicates are as in `near_duplicates`, chains included. Where a group of them falls in
    several parts, it stays in one, the first of test, validation, train; its other members are
    `"dropped"`. So the test part keeps all its texts, and training has seen none of them.

    Parameters
    ----------
    table : DataFrame
        One text in each row.
    seed : int
        Another seed is another split. With the same seed a module keeps its part as a rule when the
        table grows, since the modules are ordered by a hash of their names.
    by : str or None
        The column whose equal values stay together. None keeps only near-duplicates together, and
        then nothing is dropped.
    text : str
        The column with the texts.
    fractions : three floats
        Shares of train, validation and test, before anything is dropped; they sum to 1.
    unique : bool
        Whether of near-duplicates in one part only the first is kept, the others being
        `"dropped"`.

    Returns
    -------
    Series of str, named "split", with the index of the table
        `"train"`, `"validation"`, `"test"` or `"dropped"`.

    Raises
    ------
    KeyError
        If a column is not there.
    ValueError
        If the fractions are not three shares of 1, or a part that was asked for would be empty.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({
    ...     "module": ["a", "a", "b", "c", "d"],
    ...     "text": ["One text.", "Same old text.", "Two apples.", "Same old text", "Three pears."],
    ... })
    >>> parts = split(table, seed=0, fractions=(0.5, 0.25, 0.25))
    >>> sorted(set(parts) - {"dropped"})
    ['test', 'train', 'validation']
    >>> same = parts[table.text.str.startswith("Same")]
    >>> same.nunique() == 1 or "dropped" in same.tolist()  # never in two parts
    True
    """
    import numpy as np
    import pandas as pd

    shares = np.array(fractions, dtype=float)
    if shares.shape != (3,) or (shares < 0).any() or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(
            "fractions are the shares of train, validation and test: three numbers from 0 to 1 "
            f"that sum to 1, got {tuple(fractions)}."
        )
    for column in (text, by):
        if column is not None and column not in table:
            raise KeyError(
                f"the table has no column {column!r}; it has {', '.join(map(str, table.columns))}"
            )
    texts = table[text].tolist()
    group = near_duplicates(texts)
    if by is None:  # a group is named by its first text
        names = pd.Series(texts).groupby(group).transform("first")
    else:
        names = table[by].reset_index(drop=True)
    unit, unit_names = pd.factorize(names, use_na_sentinel=False)

    # Units in the order of their hashes, cut where the texts so far reach the shares.
    draw = np.array([stream_seed(seed, f"split/{name}") for name in unit_names], dtype=np.int64)
    order = np.argsort(draw, kind="stable")
    texts_in = np.bincount(unit, minlength=len(order))[order]
    middle = np.cumsum(texts_in) - texts_in / 2
    cuts = np.searchsorted(middle, np.cumsum(shares)[:2] * len(texts))
    wanted = (shares > 0).astype(int)  # each part asked for gets a unit, if there are enough
    after_train = max(min(cuts[0], len(order) - wanted[1:].sum()), wanted[0])
    after_validation = max(min(cuts[1], len(order) - wanted[2]), after_train + wanted[1])
    part_of = np.full(len(order), 2)
    part_of[order[:after_validation]] = 1
    part_of[order[:after_train]] = 0
    part = part_of[unit]

    last = np.zeros(len(texts), np.int64)  # of each group: test before validation before train
    np.maximum.at(last, group, part)
    dropped = part < last[group]
    if unique:
        dropped |= pd.Series(group).where(~dropped).duplicated().to_numpy() & ~dropped
    for number, name in enumerate(PARTS):
        if shares[number] > 0 and not ((part == number) & ~dropped).any():
            raise ValueError(
                f"no text is left for {name!r}: the table has {len(texts):,} texts in {len(order)} "
                f"{'groups of near-duplicates' if by is None else f'values of {by!r}'}, too few "
                f"for shares of {tuple(fractions)}."
            )
    named = np.where(dropped, "dropped", np.array(PARTS)[part])
    return pd.Series(named, index=table.index, name="split", dtype="str")


def pretraining_text(
    packages: str | Sequence[str] = ("numpy", "scipy", "pandas"),
    *,
    seed: int,
    fractions: Sequence[float] = (0.9, 0.05, 0.05),
    show: bool = True,
) -> dict[str, list[str]]:
    """Docstrings to pre-train on and to test on, without near-duplicates in or between the parts.

    Parameters
    ----------
    packages : str or sequence of str
        As for `docstrings`. The default is some 8 million characters, `"numpy"` alone a sixth of
        that, and `PACKAGES` nearly three times as many.
    seed, fractions
        As for `split`; whole modules go to one part.
    show : bool
        Whether a first read shows a progress bar.

    Returns
    -------
    dict with keys "train", "validation", "test"
        Lists of texts, in the order of the files.

    Examples
    --------
    >>> parts = pretraining_text("json", seed=0, fractions=(0.5, 0.25, 0.25), show=False)
    >>> list(parts)
    ['train', 'validation', 'test']
    >>> set(parts["train"]) & set(parts["test"])
    set()
    """
    table = docstrings(packages, show=show)
    parts = split(table, seed=seed, fractions=fractions, unique=True)
    return {name: table.text[parts == name].tolist() for name in PARTS}
