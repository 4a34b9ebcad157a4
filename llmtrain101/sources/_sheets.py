"""A data sheet for each source: what it is, whose, what is wrong with it, how to split it.

The prose is in `sheets.toml`; sizes that change with versions are counted when asked for.
"""

from __future__ import annotations

import platform
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

from llmtrain101.sources._digits import digits
from llmtrain101.sources._docstrings import DISTRIBUTIONS, docstrings
from llmtrain101.sources._manual import manual
from llmtrain101.sources._natural import pairs, questions, review_guidelines, reviews
from llmtrain101.sources._near_duplicates import near_duplicates
from llmtrain101.sources._ratings import ratings
from llmtrain101.sources._translations import translations

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class DataSheet:
    """What to know about a source before using it; `print` it, or end a notebook cell with it."""

    name: str
    title: str
    what: str
    how_much: str
    licence: str
    origin: str
    traps: tuple[str, ...]
    how_to_split: str
    versions: tuple[str, ...]  # "Python", or the packages whose versions decide the counts
    counts: Mapping[str, int] | None = None

    def _repr_markdown_(self) -> str:
        """The sheet as Markdown: notebooks show it so."""
        lines = [
            f"## `sources.{self.name}()`: {self.title}",
            "",
            f"- **What**: {self.what}",
            f"- **How much**: {self.how_much}",
            f"- **Licence**: {self.licence}",
            f"- **From**: {self.origin}",
            f"- **Split**: {self.how_to_split}",
            "- **Traps**:",
            *(f"  - {trap}" for trap in self.traps),
        ]
        if self.counts is not None:
            counted = "; ".join(f"{what} {number:,}" for what, number in self.counts.items())
            used = ", ".join(f"{name} {_version(name)}" for name in self.versions)
            lines.append(f"- **Counted** with {used}: {counted}.")
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        """The same without mark-up."""
        return re.sub(r"\*\*|`|^## ", "", self._repr_markdown_())


def data_sheet(name: str, *, count: bool = False) -> DataSheet:
    """The data sheet of a source.

    Parameters
    ----------
    name : str
        One of `SOURCES`.
    count : bool
        Whether to read the source and count what is in it here. For the docstrings that takes
        seconds, and at the first time some more.

    Raises
    ------
    ValueError
        If there is no such source.

    Examples
    --------
    >>> print(data_sheet("digits").how_to_split)
    in blocks of neighbouring rows, not at random.
    >>> data_sheet("digits", count=True).counts
    {'images': 1797}
    """
    if name not in _SHEETS:
        raise ValueError(f"there is no source {name!r}; expected one of {', '.join(SOURCES)}.")
    sheet = _SHEETS[name]
    return replace(sheet, counts=_COUNTS[name]()) if count else sheet


def data_page(*, count: bool = False) -> str:
    """All sheets on one page of Markdown: `docs/data.md`, without the lines of counts.

    Examples
    --------
    >>> data_page().splitlines()[0]
    '# Where the data comes from'
    """
    head = (
        "# Where the data comes from\n\n"
        "Every source below is on your machine once the course is installed. The first five are of "
        "other packages: they are read in place and never copied into this repository. The others "
        "were written for this course and lie in `data/`. The same sheets are in Python: "
        '`sources.data_sheet("ratings")`, and `sources.data_sheet("ratings", count=True)` counts '
        "with the versions that you have.\n\n"
        "Near-duplicates are texts that share at least half of their runs of three words "
        "(`sources.near_duplicates`). This page is made by `python -m llmtrain101.sources "
        "docs/data.md`.\n"
    )
    sheets = [data_sheet(name, count=count)._repr_markdown_() for name in SOURCES]
    return "\n".join([head, *sheets])


def _version(name: str) -> str:
    return platform.python_version() if name == "Python" else metadata.version(name)


def _count_docstrings() -> dict[str, int]:
    table = docstrings()
    group = near_duplicates(table.text)
    packages = table.package.groupby(group).transform("nunique")
    own = [
        package in text.lower() or DISTRIBUTIONS.get(package, package) in text.lower()
        for package, text in zip(table.package, table.text, strict=True)
    ]
    return {
        "texts": len(table),
        "different texts": table.text.nunique(),
        "groups of near-duplicates": int(group.max()) + 1,
        "texts with a near-duplicate in another package": int((packages > 1).sum()),
        "texts that name their own package": sum(own),
        "texts of one line": int((~table.text.str.contains("\n")).sum()),
        "characters": int(table.text.str.len().sum()),
        "modules": table.module.nunique(),
        "files that could not be read": len(table.attrs["skipped"]),
    }


def _paragraphs(table: pd.DataFrame) -> pd.DataFrame:
    """Paragraphs of at least 8 words, with their topic."""
    long = table.assign(text=table.text.str.split("\n\n")).explode("text")
    return long[long.text.str.count(r"\S+") >= 8]


def _count_manual() -> dict[str, int]:
    table = manual()
    paragraphs = _paragraphs(table)
    topics = paragraphs.groupby("text").topic.transform("nunique")
    return {
        "topics": len(table),
        "characters": int(table.text.str.len().sum()),
        "paragraphs of 8 words or more": len(paragraphs),
        "of them in more than one topic": int((topics > 1).sum()),
    }


def _count_ratings() -> dict[str, int]:
    table = ratings()
    people = table.filter(like="rating_").to_numpy()
    given = ((people.mean(axis=1) - table["mean"]).abs() > 0.051) | (
        (people.std(axis=1) - table["sd"]).abs() > 0.001
    )
    return {
        "lines": len(table),
        "different words": table.word.nunique(),
        "ratings": people.size,
        "lines whose mean or sd is not that of their ratings": int(given.sum()),
    }


def _count_translations() -> dict[str, int]:
    table = translations()
    return {
        "pairs": len(table),
        "different English texts": table.english.nunique(),
        "pairs of one English word": int((table.words == 1).sum()),
        "with placeholders": int(table.placeholder.sum()),
        "of several lines": int((table.lines > 1).sum()),
        "the same in both languages": int(table.same.sum()),
        "with plural forms": int(table.plural.sum()),
    }


def _shares(column: pd.Series[str]) -> dict[str, int]:
    return {str(each): int(n) for each, n in column.value_counts().sort_index().items()}


def _count_reviews() -> dict[str, int]:
    table = reviews()
    return {
        "reviews": len(table),
        **_shares(table.sentiment),
        "words": int(table.text.str.count(r"\S+").sum()),
        "for testing": int((table.split == "test").sum()),
    }


def _count_review_guidelines() -> dict[str, int]:
    table = review_guidelines()
    answers = table.groupby("id").sentiment.nunique()
    return {
        "labels": len(table),
        "reviews": len(answers),
        "of them not labelled alike by all three": int((answers > 1).sum()),
    }


def _count_questions() -> dict[str, int]:
    table = questions()
    return {
        "questions": len(table),
        **_shares(table.type),
        "for testing": int((table.split == "test").sum()),
    }


def _count_pairs() -> dict[str, int]:
    table = pairs()
    return {
        "pairs": len(table),
        "different English sentences": table.en.nunique(),
        "English words": int(table.en.str.count(r"\S+").sum()),
        "for testing": int((table.split == "test").sum()),
    }


_COUNTS: dict[str, Callable[[], dict[str, int]]] = {
    "docstrings": _count_docstrings,
    "manual": _count_manual,
    "ratings": _count_ratings,
    "translations": _count_translations,
    "digits": lambda: {"images": len(digits().labels)},
    "reviews": _count_reviews,
    "review_guidelines": _count_review_guidelines,
    "questions": _count_questions,
    "pairs": _count_pairs,
}


def _read_sheets() -> dict[str, DataSheet]:
    source = resources.files(__package__).joinpath("sheets.toml").read_text(encoding="utf-8")
    sheets: dict[str, dict[str, Any]] = tomllib.loads(source)
    return {
        name: DataSheet(
            name=name,
            traps=tuple(sheet.pop("traps")),
            versions=tuple(sheet.pop("versions")),
            **sheet,
        )
        for name, sheet in sheets.items()
    }


_SHEETS = _read_sheets()
SOURCES = tuple(_SHEETS)
