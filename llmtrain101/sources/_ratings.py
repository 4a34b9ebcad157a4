"""How positive or negative 10 people found each of thousands of words: the VADER lexicon."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llmtrain101.sources import _installed

if TYPE_CHECKING:
    import pandas as pd

RATERS = 10


def ratings() -> pd.DataFrame:
    """The word ratings of vaderSentiment, in the order of its file.

    Returns
    -------
    DataFrame, one row for each line of the file
        word : str, a word, an abbreviation or an emoticon;
        mean, sd : float64, as the file gives them (the standard deviation divides by 10, not 9);
        rating_1 … rating_10 : int64, from -4 (extremely negative) to 4 (extremely positive).
        `table.filter(like="rating_").to_numpy()` has shape (n_words, 10).

    Raises
    ------
    ModuleNotFoundError
        If vaderSentiment is not installed.
    ValueError
        If a line of its file is not as expected; the line is named.

    Examples
    --------
    >>> table = ratings()
    >>> table.filter(like="rating_").shape[1]
    10
    >>> great = table[table.word == "great"].iloc[0]
    >>> float(great["mean"]), [int(great[f"rating_{k}"]) for k in (1, 2, 3)]
    (3.1, [2, 4, 4])
    """
    import pandas as pd

    files = [folder / "vader_lexicon.txt" for folder in _installed.folders("vaderSentiment")]
    if not files or not files[0].is_file():
        raise _installed.missing("ratings()", {"vaderSentiment": "vaderSentiment"})
    rows = []
    lines = files[0].read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            word, mean, sd, given = line.split("\t")
            numbers = json.loads(given)
            if len(numbers) != RATERS or not all(-4 <= rating <= 4 for rating in numbers):
                raise ValueError(f"expected {RATERS} ratings from -4 to 4")
            rows.append((word, float(mean), float(sd), *map(int, numbers)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{files[0].name}, line {number}: {error}; got {line!r}") from error
    people = [f"rating_{number}" for number in range(1, RATERS + 1)]
    return pd.DataFrame(rows, columns=["word", "mean", "sd", *people])
