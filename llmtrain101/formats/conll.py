"""Sentences of tagged tokens, one token a line: IOB2, CoNLL-U, CoNLL-U Plus and their like.

A row is a sentence: for each column the list of its values. A sentence ends with an empty line, or
with one that holds only tabs or spaces, as some files have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from llmtrain101.formats import _rows
from llmtrain101.formats._rows import FormatError, Kind, Report, Row, Rows, Where

CONLLU = (
    "id", "tokens", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc",
)  # fmt: skip
LAYOUTS = {  # by the number of columns, where nothing names them
    2: ("tokens", "tags"),
    3: ("tokens", "pos", "tags"),
    4: ("tokens", "pos", "chunks", "tags"),  # as in CoNLL-2003
    5: ("id", "tokens", "tags", "misc", "annotator"),  # as in Universal NER
}
_COMMENT = re.compile(r"# ?(sent_id|text) ?= ?(.*)")


def read(
    path: Where, *, types: Mapping[str, Any] | None = None, errors: str = "raise",
    columns: Sequence[str] | None = None, largest: int = _rows.LARGEST,
) -> Rows:  # fmt: skip
    """The sentences of a file.

    Columns behind the tenth of CoNLL-U are `predicates`, and in `arguments` one list for each that
    follows, as in Universal Propositions. Where the first sentence has comments, each row has
    `comments` (whole lines), and `sent_id` and `text`, which may be None.

    Parameters
    ----------
    path : path
        Packed by gzip or not; UTF-8.
    types : mapping from name to type, optional
        For example `{"tags": list[str]}`.
    errors : "raise" or "report"
        Whether to go on behind a damaged sentence and count it in `.report`.
    columns : sequence of str, optional
        The names of the columns; else as `# global.columns` says, or by their number.
    largest : int
        The most bytes of one sentence.

    Raises
    ------
    FormatError
        While reading, with the line: not UTF-8, or lines of one sentence that differ in columns.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "names.iob2"
    ...     _ = path.write_text("Ada\\tB-PER\\n#\\tO\\n\\t\\nYes\\tO\\n", encoding="utf-8")
    ...     list(read(path))
    [{'tokens': ['Ada', '#'], 'tags': ['B-PER', 'O']}, {'tokens': ['Yes'], 'tags': ['O']}]
    """
    report = Report(path, errors)
    return Rows(_sentences(report, _rows.kinds(types), columns, largest), report)


def _sentences(
    report: Report, declared: dict[str, Kind], columns: Sequence[str] | None, largest: int
) -> Iterator[list[Row]]:
    reader = _Reader(report, columns)
    comments: list[str] = []
    tokens: list[list[str]] = []
    size, start, spoilt = 0, 1, ""

    def finished(line: int) -> list[Row]:
        nonlocal comments, tokens, size, spoilt
        rows = []
        if spoilt:
            report.damage(spoilt, size, line=line)
        elif tokens:
            rows = [reader.row(comments, tokens)]
            rows = _rows.conform(rows, declared, report, "line", [start])
        comments, tokens, size, spoilt = [], [], 0, ""
        report.rows += len(rows)
        return rows

    worst = 1
    for first, lines, _ in _rows.line_blocks(report.path, report, largest):
        found: list[Row] = []
        for number, raw in enumerate(lines, first):
            size += len(raw) + 1
            if not raw.strip():
                found += finished(worst)
                start = number + 1
                continue
            if spoilt:
                continue
            try:
                text = raw.decode().removesuffix("\r")
                if not tokens and reader.is_comment(text):
                    comments.append(text)
                else:
                    tokens.append(reader.values(text, tokens))
                if size > largest:
                    raise ValueError(f"a sentence of more than {largest:,} bytes")
            except ValueError as problem:
                spoilt, worst, tokens = str(problem), number, []
                if report.raises:
                    finished(worst)
        yield found
    yield finished(worst)


class _Reader:
    def __init__(self, report: Report, columns: Sequence[str] | None) -> None:
        self.report, self.mark = report, "\t"
        self.names = list(columns) if columns is not None else None
        self.commented: bool | None = None

    def is_comment(self, text: str) -> bool:
        if not text.startswith("#"):
            return False
        if self.names is None and (named := re.match(r"# ?global\.columns ?= ?(.+)", text)):
            self.names = [_name(each) for each in named[1].split()]
        return _is_comment(text, len(self.names or ()))

    def values(self, text: str, tokens: list[list[str]]) -> list[str]:
        """The values of a line; ValueError if they do not fit to the sentence or to the file."""
        if self.commented is None and not tokens and "\t" not in text:
            self.mark = " "
        values = text.split(self.mark) if self.mark == "\t" else text.split()
        if self.names is None:
            names = LAYOUTS.get(len(values), CONLLU if len(values) >= 10 else None)
            if names is None:
                raise ValueError(f"{len(values)} columns; pass columns=[…] to name them")
            self.names = list(names)
        wanted = len(tokens[0]) if tokens else len(self.names)
        more = not tokens and self.names[:10] == list(CONLLU[: len(self.names)])
        if len(values) != wanted and not (more and len(values) > wanted):
            raise ValueError(f"{len(values)} columns, not {wanted}: {_rows.brief(text)}")
        return values

    def row(self, comments: list[str], tokens: list[list[str]]) -> Row:
        if self.commented is None:
            self.commented = bool(comments)
        row: Row = {}
        if self.commented:
            row = {"sent_id": None, "text": None, "comments": comments}
            row.update((m[1], m[2]) for each in comments if (m := _COMMENT.match(each)))
        columns = [list(column) for column in zip(*tokens, strict=True)]
        names = self.names or []
        row.update(zip(names, columns, strict=False))
        if len(columns) > len(names):
            row["predicates"] = columns[len(names)]
            row["arguments"] = columns[len(names) + 1 :]
        return row


def _is_comment(text: str, columns: int) -> bool:
    # `#` is a token too: then a tab follows, and as many values as there are columns
    if not text.startswith("#"):
        return False
    return text.startswith("# ") and "\t" not in text[:3] or text.count("\t") + 1 < max(columns, 2)


def _name(column: str) -> str:
    return "tokens" if column == "FORM" else column.lower()


def write(
    path: Where, rows: Iterable[Row], *, types: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
) -> int:  # fmt: skip
    """Write sentences, in one step; returns how many.

    Comments come from `comments`, or if a row has none from its `sent_id` and `text`. Columns are
    all that hold lists, in the order of the first row, unless `columns` names them.

    Raises
    ------
    FormatError
        If the lists of a row differ in length, or a value holds a tab or a line end, or is no str.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.conll"
    ...     _ = write(path, [{"text": "Ada", "tokens": ["Ada"], "tags": ["B-PER"]}])
    ...     path.read_text(encoding="utf-8")
    '# text = Ada\\nAda\\tB-PER\\n\\n'
    """
    count = 0
    with _rows.writing(path) as file:
        for first, batch in _rows.batches(rows, path, _rows.kinds(types)):
            parts = []
            for place, row in enumerate(batch, first):
                if columns is None:
                    columns = [
                        name for name, value in row.items()
                        if isinstance(value, list) and name not in ("comments", "arguments")
                    ]  # fmt: skip
                try:
                    parts.append(_sentence(row, columns))
                except ValueError as problem:
                    raise FormatError(str(problem), path, record=place) from None
            file.write("".join(parts).encode())
            count += len(batch)
    return count


def _sentence(row: Row, columns: Sequence[str]) -> str:
    lists: list[Any] = [row.get(name) for name in columns]
    lists += row.get("arguments") or []
    if not lists or any(not isinstance(each, list) for each in lists):
        raise ValueError(f"a sentence needs a list for each of {list(columns)}")
    if len({len(each) for each in lists}) != 1 or not lists[0]:
        lengths = [len(each) for each in lists]
        raise ValueError(f"the columns {list(columns)} have {lengths} values")
    comments = row.get("comments")
    if comments is None:
        comments = [f"# {n} = {row[n]}" for n in ("sent_id", "text") if row.get(n) is not None]
    lines = ["\t".join(map(_clean, values)) for values in zip(*lists, strict=True)]
    for each in comments:
        if not isinstance(each, str) or not each.startswith("#") or "\n" in each:
            raise ValueError(f"a comment is one line that begins with #, got {_rows.brief(each)}")
    if any(not line.strip() for line in lines):
        raise ValueError("a token and its tags are all empty")
    if _is_comment(lines[0], len(columns)):
        token = _rows.brief(lists[0][0])
        raise ValueError(f"a sentence that begins with {token} would be read as a comment")
    text = "\n".join([*comments, *lines, "", ""])
    text.encode()  # half of a surrogate pair is a ValueError
    return text


def _clean(value: Any) -> str:
    if not isinstance(value, str) or "\t" in value or "\n" in value or "\r" in value:
        raise ValueError(f"a value is text without tab or line end, got {_rows.brief(value)}")
    return value
