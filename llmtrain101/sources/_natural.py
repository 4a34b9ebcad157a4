"""Small labelled sets written for this course: reviews, questions, English–French pairs.

They are files of the course itself, in `data/` of a clone and inside the installed package.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SENTIMENTS = ("positive", "negative", "mixed")
QUESTION_TYPES = ("abbreviation", "description", "entity", "human", "location", "number")


def reviews() -> pd.DataFrame:
    """600 reviews of eight kinds of product, each with the stance of its writer.

    Returns
    -------
    DataFrame of strings, one row for each review
        id : `"r001"` … `"r600"`;
        kind : of product, for example `"desk lamp"`;
        sentiment : `"positive"`, `"negative"` or `"mixed"`;
        text : the review, on one line;
        split : `"train"` (400) or `"test"` (200). Tune nothing on the test part.

    Raises
    ------
    FileNotFoundError
        If the course was installed without its data.
    ValueError
        If the file is damaged.

    Examples
    --------
    >>> table = reviews()
    >>> list(table.columns), len(table)
    (['id', 'kind', 'sentiment', 'text', 'split'], 600)
    >>> table.groupby("split").size().to_dict()
    {'test': 200, 'train': 400}
    """
    return _read("reviews.csv", ["id", "kind", "sentiment", "text", "split"])


def review_guidelines() -> pd.DataFrame:
    """60 of the training reviews, each labelled three times, by three differing guidelines.

    Returns
    -------
    DataFrame of strings, 180 rows
        id : of the review, as in `reviews`;
        guideline : `"A"`, `"B"` or `"C"`;
        sentiment : the label that this guideline leads to.

        `table.attrs["guidelines"]` maps each letter to its page, in Markdown.

    Raises
    ------
    FileNotFoundError, ValueError
        As `reviews`.

    Examples
    --------
    >>> table = review_guidelines()
    >>> len(table), table.id.nunique(), sorted(table.attrs["guidelines"])
    (180, 60, ['A', 'B', 'C'])
    """
    table = _read("reviews.guidelines.csv", ["id", "guideline", "sentiment"])
    pages = _place("guidelines.md").read_text(encoding="utf-8")
    found = re.finditer(r"^## Guideline ([A-Z])\b.*?(?=^## |^---$|\Z)", pages, re.M | re.S)
    table.attrs["guidelines"] = {page[1]: page[0].strip() for page in found}
    return table


def questions() -> pd.DataFrame:
    """200 questions, each with the type of answer that it asks for.

    Returns
    -------
    DataFrame of strings, one row for each question
        id : `"q001"` … `"q200"`;
        type : `"abbreviation"`, `"description"`, `"entity"`, `"human"`, `"location"` or `"number"`;
        text;
        split : `"train"` (130) or `"test"` (70). Tune nothing on the test part.

    Raises
    ------
    FileNotFoundError, ValueError
        As `reviews`.

    Examples
    --------
    >>> sorted(questions().type.unique())
    ['abbreviation', 'description', 'entity', 'human', 'location', 'number']
    """
    return _read("questions.csv", ["id", "type", "text", "split"])


def pairs() -> pd.DataFrame:
    """120 English sentences with a French translation.

    A few English sentences are there twice, with two translations, and then both are in one part.
    French spacing is kept: there is a no-break space before `;`, `:`, `!`, `?` and within « ».

    Returns
    -------
    DataFrame of strings, one row for each pair
        id : `"p001"` … `"p120"`;
        en, fr : the sentence in English and in French;
        split : `"train"` (80) or `"test"` (40). Tune nothing on the test part.

    Raises
    ------
    FileNotFoundError, ValueError
        As `reviews`.

    Examples
    --------
    >>> table = pairs()
    >>> list(table.columns), len(table)
    (['id', 'en', 'fr', 'split'], 120)
    """
    return _read("pairs.en-fr.csv", ["id", "en", "fr", "split"])


def _place(name: str) -> Path:
    """A file of `data/`: that of the clone, or what the installed package carries."""
    package = Path(__file__).resolve().parent.parent
    folders = (package.parent / "data", package / "_course" / "data")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"{name} is in neither {folders[0]} nor {folders[1]}. Install llmtrain101 again, or start "
        "it from a clone of its repository."
    )


def _read(name: str, columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    place = _place(name)
    try:  # "NA" and "null" are words here, not gaps
        table = pd.read_csv(place, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, pd.errors.ParserError) as error:
        raise ValueError(f"{place} cannot be read as a table: {error}") from error
    if list(table.columns) != list(columns):
        raise ValueError(
            f"{place} must have the columns {', '.join(columns)}, got {', '.join(table.columns)}."
        )
    return table
