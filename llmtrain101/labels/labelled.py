"""A file of labelled texts as two lists: which column is which is seen from what is in them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

MOST_LABELS = 50


class Labelled(NamedTuple):
    """Texts and their labels, no text twice.

    Attributes
    ----------
    texts, labels : lists of str
    dropped : dict of str to int
        How many rows were left out, by reason.
    """

    texts: list[str]
    labels: list[str]
    dropped: dict[str, int]


def read(path: str | Path) -> Labelled:
    """Texts and labels of a file: CSV, TSV, or one `label text` a line (`.txt`).

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "mail.tsv"
    >>> _ = file.write_text("ham\\tsee you\\nspam\\tWIN now\\nham\\tSee  you\\n", "utf-8")
    >>> read(file)
    Labelled(texts=['see you', 'WIN now'], labels=['ham', 'spam'], dropped={'repeated': 1})
    """
    raw = Path(path).read_bytes()
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        content = raw.decode("latin-1")
    lines = content.split("\n")
    kind = Path(path).suffix.lower()
    rows: list[list[str]]
    if kind == ".txt":
        rows = [line.strip().split(None, 1) for line in lines]
    elif kind == ".tsv":
        rows = [line.rstrip("\r").split("\t") for line in lines]  # quotes are part of the text
    else:
        rows = list(csv.reader(lines))
    return select([row for row in rows if len(row) > 1], name=str(path))


def select(rows: Sequence[Sequence[Any]], *, name: str = "the table") -> Labelled:
    """The column with the longest values is the text, of the others that with fewest the label.

    A line of names is recognised by a label that nothing else has. Texts that differ only in
    blanks and in upper and lower case count as the same; the first one stays.

    Raises
    ------
    ValueError
        If there are fewer than two columns, or no column is a label.

    Examples
    --------
    >>> select([["id", "text", "mood"], [1, "fine day", "good"], [2, "bad day", "bad"],
    ...         [3, "good day", "good"], [4, "rain", "bad"]]).labels
    ['good', 'bad', 'good', 'bad']
    """
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    table = [[str(value).strip() for value in row] for row in rows if len(row) == width]
    if width < 2:
        raise ValueError(f"{name} must have a column of texts and one of labels, got {width}.")
    columns = list(zip(*table, strict=True))
    text = max(range(width), key=lambda place: sum(map(len, columns[place])))
    kinds = {place: len(set(columns[place])) for place in range(width) if place != text}
    label = min(kinds, key=lambda place: (kinds[place] < 2, kinds[place]))
    if not 2 <= kinds[label] <= min(MOST_LABELS, max(3, len(table) // 2)):
        raise ValueError(
            f"{name} has no column that could be the label: the one with fewest different values "
            f"has {kinds[label]} in {len(table)} rows; 2 to {MOST_LABELS} are expected."
        )
    counts = Counter(columns[label])
    first = counts[table[0][label]] == 1 and len(counts) > 2  # a line of names
    kept: dict[str, tuple[str, str]] = {}
    dropped: Counter[str] = Counter()
    if short := len(rows) - len(table):
        dropped["another number of columns"] = short
    for row in table[first:]:
        if not row[text] or not row[label]:
            dropped["empty"] += 1
        elif (key := " ".join(row[text].lower().split())) in kept:
            dropped["repeated"] += 1
        else:
            kept[key] = row[text], row[label]
    return Labelled([t for t, _ in kept.values()], [c for _, c in kept.values()], dict(dropped))
