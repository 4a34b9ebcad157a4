"""First paragraphs of docstrings as a task: which package is it from?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmtrain101.sources._docstrings import DISTRIBUTIONS, docstrings
from llmtrain101.sources._splits import split

if TYPE_CHECKING:
    import pandas as pd

SHORT = {"numpy": "np", "pandas": "pd", "matplotlib": "mpl|plt|pyplot", "sklearn": "scikit"}


def first_paragraphs(
    packages: Sequence[str] = ("numpy", "scipy", "pandas", "matplotlib", "sklearn"),
    *,
    seed: int,
    names: bool = False,
    show: bool = True,
) -> pd.DataFrame:
    """First paragraphs of 5 to 100 words with their package, split so that nothing leaks.

    Parameters
    ----------
    packages : sequence of str
        Two or more, as in `docstrings`.
    seed : int
        Of the split: whole modules go to one part, near-duplicates to one part.
    names : bool
        Whether names stay. By default each word that holds the name of any of the packages, or is
        its usual short form ("np"), is taken out: else a text that names its package gives
        the answer away, and one that names another misleads.
    show : bool
        Whether a first read shows a progress bar.

    Returns
    -------
    DataFrame of strings, one row for each text, none twice
        text; package; module; split : `"train"` (70 %), `"validation"` (10 %) or `"test"` (20 %).

    Examples
    --------
    >>> table = first_paragraphs(["json", "csv", "email", "asyncio"], seed=0, show=False)
    >>> list(table.columns)
    ['text', 'package', 'module', 'split']
    >>> bool(table.text.str.contains("json", case=False).any())
    False
    """
    table = docstrings(packages, show=show)[["text", "package", "module"]]
    table["text"] = table.text.str.split("\n\n").str[0]
    if not names:
        table["text"] = table.text.str.replace(_any_name(packages), " ", regex=True)
    table["text"] = table.text.str.split().str.join(" ")
    table = table[table.text.str.count(" ").between(4, 99)].drop_duplicates("text")
    table["split"] = split(table, seed=seed, fractions=(0.7, 0.1, 0.2), unique=True)
    return table[table.split != "dropped"].reset_index(drop=True)


def _any_name(packages: Sequence[str]) -> re.Pattern[str]:
    """Words that hold the name of one of the packages, and short forms as words of their own."""
    names = {form for name in packages for form in (name, DISTRIBUTIONS.get(name, name))}
    short = [form for name in packages if name in SHORT for form in SHORT[name].split("|")]
    holds = "|".join(sorted(map(re.escape, names), key=lambda name: (-len(name), name)))
    alone = rf"|\b(?:{'|'.join(short)})\b" if short else ""
    return re.compile(rf"\w*(?:{holds})\w*{alone}", re.IGNORECASE)
