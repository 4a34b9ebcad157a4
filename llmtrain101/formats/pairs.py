"""Sentence pairs: one file with tabs, or two files whose lines belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmtrain101.formats import _rows, tabular
from llmtrain101.formats._rows import FormatError, Kind, Report, Row, Rows, Where

_LANGUAGES = re.compile(r"(?:^|\.)([a-z]{2,3})-([a-z]{2,3})\.")
Files = Where | tuple[Where, Where]


def read(
    path: Files, *, types: Mapping[str, Any] | None = None, errors: str = "raise",
    columns: Sequence[str] | None = None, largest: int = _rows.LARGEST,
) -> Rows:  # fmt: skip
    """Rows of a source and its translation.

    Parameters
    ----------
    path : path, or two of them
        A file `source<TAB>target`, with or without a third column, the attribution; or two files.
    types, errors, largest
        As in `tabular.read`.
    columns : sequence of str, optional
        The names; else the languages in a name like `tatoeba.eng-fra.tsv`, or in two endings
        (`news.en`, `news.fr`), or "source" and "target".

    Raises
    ------
    FormatError
        While reading: a line with other columns, or two files of different length.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = Path(folder) / "a.en", Path(folder) / "a.fr"
    ...     _ = write(files, [{"en": "Hi.", "fr": "Salut."}])
    ...     list(read(files))
    [{'en': 'Hi.', 'fr': 'Salut.'}]
    """
    _rows.several("columns", columns)
    if isinstance(path, tuple):
        first, second = map(Path, path)
        report = Report(first, errors)
        names = list(columns or [(_rows.endings(each) or ["."])[-1][1:] for each in path])
        if columns is None and (len(set(names)) < 2 or "" in names):
            names = ["source", "target"]
        if len(names) != 2 or names[0] == names[1]:
            raise ValueError(f"columns must be two different names, got {columns!r}.")
        declared = _rows.kinds(types)
        return Rows(_aligned(report, Report(second, errors), names, declared, largest), report)
    names = list(columns or _named(path))
    return tabular.read(
        path, columns=names, types=types, errors=errors, delimiter="\t", quote=False,
        largest=largest,
    )  # fmt: skip


def _named(path: Where) -> list[str]:
    languages = _LANGUAGES.search(Path(path).name.lower())
    names = list(languages.groups()) if languages else ["source", "target"]
    with _rows.opened(Path(path), Report(path, "report")) as read:
        tabs = read(1 << 16).split(b"\n")[0].count(b"\t")
    extra = ["attribution"] if tabs == 2 else [f"column {n}" for n in range(3, tabs + 2)]
    return names + extra


def _aligned(
    report: Report, other: Report, names: list[str], declared: dict[str, Kind], largest: int
) -> Iterator[list[Row]]:
    left, right = _texts(report, largest), _texts(other, largest)
    for number, source in enumerate(left, 1):
        target = next(right, None)
        if target is None:
            report.damage(f"{other.path} ends before this line", line=number)
            return
        rows = [dict(zip(names, (source, target), strict=True))]
        rows = _rows.conform(rows, declared, report, "line", [number])
        report.rows += len(rows)
        yield rows
    if next(right, None) is not None:
        report.damage(f"it has fewer lines than {other.path}")


def _texts(report: Report, largest: int) -> Iterator[str]:
    for first, lines, _ in _rows.line_blocks(report.path, report, largest):
        for number, line in enumerate(lines, first):
            try:
                yield line.decode().removesuffix("\r")
            except UnicodeDecodeError as problem:
                # an error even where errors are counted: a pair less would shift all that follow
                message = f"not UTF-8 ({problem.reason}): {_rows.brief(line)}"
                raise FormatError(message, report.path, line=number) from None


def write(path: Files, rows: Iterable[Row], *, types: Mapping[str, Any] | None = None) -> int:
    """Write pairs into one file with tabs, or into two files; returns how many.

    Raises
    ------
    FormatError
        If a text holds a tab or a line end, or into two files a row has not two columns of text.
    """
    if not isinstance(path, tuple):
        return tabular.write(
            path, rows, types=types, header=False, delimiter="\t", quote=False
        )  # fmt: skip
    count, names = 0, None
    with _rows.writing(path[0]) as left, _rows.writing(path[1]) as right:
        for first, batch in _rows.batches(rows, path[0], _rows.kinds(types)):
            for place, row in enumerate(batch, first):
                names = names or list(row)
                texts = [row.get(name) for name in names]
                if len(row) != 2 or any(not isinstance(t, str) or "\n" in t for t in texts):
                    raise FormatError(
                        f"no pair of lines: {_rows.brief(texts)}", path[0], record=place
                    )
                for file, text in zip((left, right), texts, strict=True):
                    file.write(f"{text}\n".encode())
            count += len(batch)
    return count
