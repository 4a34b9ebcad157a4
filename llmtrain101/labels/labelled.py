"""A file of labelled texts as two lists: which column is which is seen from what is in them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from llmtrain101 import formats
from llmtrain101.formats._rows import opened

MOST_LABELS = 50
# Names by which a column is known for what it is, where there is a line of names.
TEXTS = ("text", "message", "sentence", "question", "review", "content")
LABELS = ("label", "class", "sentiment", "category", "target", "topic", "type")


class Labelled(NamedTuple):
    """Texts and their labels, no text twice.

    Attributes
    ----------
    texts, labels : lists of str
    columns : tuple of two str
        The names of the columns that were taken for text and label; numbers if there are no names.
    dropped : dict of str to int
        How many rows were left out, by reason: "damaged", "empty", "repeated" (the same text with
        the same label) or "contradicted" (with another label, though the first one stays).
    """

    texts: list[str]
    labels: list[str]
    columns: tuple[str, str]
    dropped: dict[str, int]


def read(path: str | Path, *, text: str | None = None, label: str | None = None) -> Labelled:
    r"""Texts and labels of a file in any format of `formats`, such as CSV, TSV or JSON Lines.

    In a `.txt` file the first word of a line is its label. Texts that differ only in blanks and in
    upper and lower case count as the same, and the first one stays: do this before you split.

    Parameters
    ----------
    path : path
        CSV and TSV with a line of names or without, also parted by semicolons; UTF-8, or else
        Latin-1.
    text, label : str, optional
        Names of columns. Else the label is the one that is called so (`LABELS`), or that with
        fewest different values, of two or more; the text likewise, or that with the longest values.

    Raises
    ------
    FormatError
        If the file is of no known format.
    ValueError
        If no row can be read, a column is not there, two have one name, or none can be the label.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "mail.tsv"
    >>> _ = file.write_text("ham\tsee you\nspam\tWIN now\nham\tSee  you\n", "utf-8")
    >>> found = read(file)
    >>> found.texts, found.labels, found.dropped
    (['see you', 'WIN now'], ['ham', 'spam'], {'repeated': 1})
    """
    kind, shown = formats.format_of(path), str(path)
    options: dict[str, Any] = {}
    if kind is formats.tabular:
        encoding, width, mark = _look(path)
        options = {"encoding": encoding, "columns": [str(place) for place in range(width)]}
        options |= {} if mark == "," else {"delimiter": mark}
        shown = f"{path} (its columns parted by {mark!r})"
    elif kind is formats.lines:
        options = {"label": True}
    rows = kind.read(path, errors="report", **options)
    found = list(rows)
    if not found and rows.report.damaged:
        raise ValueError(f"No row of {shown} could be read: {rows.report}")
    names = list(dict.fromkeys(name for row in found for name in row))
    table = [[row.get(name) for name in names] for row in found]
    dropped = Counter({"damaged": rows.report.damaged})
    if kind is formats.tabular and table and _is_header(table):
        names = [str(value).strip() for value in table.pop(0)]
        if again := {name for name in names if name and names.count(name) > 1}:
            raise ValueError(f"{shown} has several columns of the name {', '.join(sorted(again))}.")
    return _select(table, names, shown, (text, label), dropped)


def _look(path: str | Path) -> tuple[str, int, str]:
    """The encoding of a file, the number of its columns, and what parts them."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding = "utf-8"
    with opened(Path(path), formats.Report(path, "report")) as read_bytes:
        start = part = read_bytes(1 << 20)
        try:
            while part:
                decoder.decode(part)
                part = read_bytes(1 << 20)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            encoding = "latin-1"
    head = start.decode(encoding, "replace").removeprefix("\ufeff")
    line = re.split("\r\n?|\n", head, maxsplit=1)[0]  # splitlines() would end it at \x85 too
    if "\t" in line:
        return encoding, line.count("\t") + 1, "\t"
    widths = {mark: _width(head, line, mark) for mark in ",;"}
    mark = ";" if widths[","] < 2 <= widths[";"] else ","
    return encoding, widths[mark], mark


def _width(head: str, line: str, mark: str) -> int:
    """How many values the first row has; there may be line ends in its quotes."""
    try:
        return len(next(csv.reader(io.StringIO(head, newline=""), delimiter=mark), []))
    except csv.Error:  # a quote that nothing closes
        return line.count(mark) + 1


def _is_header(table: Sequence[Sequence[Any]]) -> bool:
    """Whether the first row holds names: known ones, or none of its values comes again."""
    first = [str(value).strip().lower() for value in table[0]]
    if len(set(first)) == len(first) and {*TEXTS, *LABELS} & set(first):
        return True
    kinds = [{str(row[place]).strip().lower() for row in table[1:]} for place in range(len(first))]
    few = [place for place, found in enumerate(kinds) if 2 <= len(found) <= MOST_LABELS]
    return bool(few) and all(first[place] not in kinds[place] for place in few)


def _select(
    table: Sequence[Sequence[Any]],
    names: Sequence[str],
    path: str,
    wanted: tuple[str | None, str | None],
    dropped: Counter[str],
) -> Labelled:
    columns = {name: [_clean(row[place]) for row in table] for place, name in enumerate(names)}
    for name in wanted:
        if name is not None and name not in columns:
            raise ValueError(f"{path} has no column {name!r}; it has {', '.join(names)}.")
    text, label = wanted
    text = text or _known(names, TEXTS, label)
    if text is None and len(names) > (label is not None):
        text = max((n for n in names if n != label), key=lambda name: sum(map(len, columns[name])))
    label = label or _known(names, LABELS, text)
    if label is None:
        kinds = {name: len(set(columns[name]) - {""}) for name in names if name != text}
        fit = {name: n for name, n in kinds.items() if 2 <= n <= MOST_LABELS and n < len(table)}
        if text is None or not fit:
            raise ValueError(
                f"{path} has no column that could be the label, with 2 to {MOST_LABELS} different "
                f"values that come again; different values: {kinds or 'no columns'}. Name it: "
                'read(path, label="…").'
            )
        label = min(fit, key=lambda name: fit[name])
    assert text is not None
    kept: dict[str, tuple[str, str]] = {}
    for pair in zip(columns[text], columns[label], strict=True):
        key = " ".join(pair[0].lower().split())
        if not key or not pair[1]:
            dropped["empty"] += 1
        elif key in kept:
            dropped["repeated" if kept[key][1] == pair[1] else "contradicted"] += 1
        else:
            kept[key] = pair
    texts, labels = zip(*kept.values(), strict=True) if kept else ((), ())
    reasons = {reason: n for reason, n in dropped.items() if n}
    return Labelled(list(texts), list(labels), (text, label), reasons)


def _known(names: Sequence[str], known: Sequence[str], taken: str | None) -> str | None:
    lower = {name.lower(): name for name in names if name != taken}
    return next((lower[name] for name in known if name in lower), None)


def _clean(value: Any) -> str:
    return "" if value is None else str(value).strip()
