"""Plain text, a row a line: `label text`, as in TREC, or text alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llmtrain101.formats import _rows
from llmtrain101.formats._rows import FormatError, Kind, Report, Row, Rows, Where

_WHOLE = re.compile(r"[+-]?[0-9]{1,4000}")  # Python refuses more digits
_NOTE = "line that is not UTF-8, read as Latin-1"


def read(
    path: Where, *, types: Mapping[str, Any] | None = None, errors: str = "raise",
    label: bool | None = None, encoding: str | None = None, largest: int = _rows.LARGEST,
) -> Rows:  # fmt: skip
    """Rows `{"label": …, "text": …}`, or `{"text": …}`; empty lines are left out.

    Parameters
    ----------
    path : path
        Packed by gzip or not.
    types : mapping from name to type, optional
        `{"label": int}` makes numbers of the labels.
    errors : "raise" or "report"
        Whether to go on past a line that is not as declared.
    label : bool, optional
        Whether the first word of each line is its label. If left out: whether the first words of
        the beginning are few and come again and again.
    encoding : str, optional
        If left out, a line that is not UTF-8 is read as Latin-1, and `.report.notes` counts it.
    largest : int
        The most bytes of one line.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "questions.txt"
    ...     _ = path.write_bytes(b"4 Where is Orl\\xe9ans ?\\n3 Who was Galileo ?\\n")
    ...     rows = read(path, label=True, types={"label": int})
    ...     print(next(rows), dict(rows.report.notes))
    {'label': 4, 'text': 'Where is Orléans ?'} {'line that is not UTF-8, read as Latin-1': 1}
    """
    report = Report(path, errors)
    if label is None:
        label = _has_labels(report)
    return Rows(_read(report, _rows.kinds(types), label, encoding, largest), report)


def _has_labels(report: Report) -> bool:
    with _rows.opened(report.path, Report(report.path, "report")) as read:
        lines = [line.split(None, 1) for line in read(1 << 16).split(b"\n")[:-1] if line.strip()]
    firsts = {words[0] for words in lines}
    return len(lines) > 1 and len(firsts) <= len(lines) / 5 and all(len(w) == 2 for w in lines)


def _read(
    report: Report, declared: dict[str, Kind], label: bool, encoding: str | None, largest: int
) -> Iterator[list[Row]]:
    number_kind = declared.get("label")
    for first, lines, _ in _rows.line_blocks(report.path, report, largest):
        rows, places = [], []
        for number, raw in enumerate(lines, first):
            try:
                text = raw.decode(encoding or "utf-8").removesuffix("\r")
            except UnicodeDecodeError as problem:
                if encoding is not None:
                    report.damage(f"not {encoding} ({problem.reason})", len(raw) + 1, line=number)
                    continue
                text = raw.decode("latin-1").removesuffix("\r")
                report.notes[_NOTE] += 1
            if not text.strip(" \t"):
                continue
            row: Row = {"text": text}
            if label:
                name, space, rest = text.lstrip(" ").partition(" ")
                if not space:
                    report.damage(f"no text behind the label {_rows.brief(name)}", line=number)
                    continue
                row = {"label": name, "text": rest}
                if number_kind and number_kind.base is int and _WHOLE.fullmatch(name):
                    row["label"] = int(name)
            rows.append(row)
            places.append(number)
        rows = _rows.conform(rows, declared, report, "line", places)
        report.rows += len(rows)
        yield rows


def write(path: Where, rows: Iterable[Row], *, types: Mapping[str, Any] | None = None) -> int:
    """Write `label text`, or text alone where rows have no label; returns how many.

    Raises
    ------
    FormatError
        If a label holds a space, or a text a line end or nothing but spaces.
    """
    count = 0
    with _rows.writing(path) as file:
        for first, batch in _rows.batches(rows, path, _rows.kinds(types)):
            for place, row in enumerate(batch, first):
                try:
                    file.write(_line(row))
                except ValueError as problem:
                    raise FormatError(str(problem), path, record=place) from None
            count += len(batch)
    return count


def _line(row: Row) -> bytes:
    text, label = row.get("text"), row.get("label")
    if not isinstance(text, str) or "\n" in text or text.endswith("\r") or not text.strip(" \t"):
        raise ValueError(f"a text is one line that is not empty, got {_rows.brief(text)}")
    if more := row.keys() - {"text", "label"}:
        raise ValueError(f"a line holds a label and a text, not {sorted(more)}")
    if "label" not in row:
        return f"{text}\n".encode()
    word = str(label) if isinstance(label, (str, int)) else ""
    if len(word.split()) != 1 or word != word.strip() or isinstance(label, bool):
        raise ValueError(f"a label is one word or a whole number, got {_rows.brief(label)}")
    return f"{word} {text}\n".encode()
