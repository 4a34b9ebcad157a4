"""SQuAD JSON: questions on paragraphs, with answers that are stretches of the paragraph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from llmtrain101.formats import _rows
from llmtrain101.formats._rows import FormatError, Kind, Report, Row, Rows, Where
from llmtrain101.formats.jsonlines import Scanner


def read(
    path: Where, *, types: Mapping[str, Any] | None = None, errors: str = "raise",
    largest: int = _rows.LARGEST,
) -> Rows:  # fmt: skip
    """One row for each question, article by article.

    A row is `{"id", "title", "context", "question", "answers": {"text": […], "answer_start": […]},
    "is_impossible"}`. Offsets are characters; each answer is held against the paragraph.
    The `plausible_answers` of SQuAD 2.0 are left out.

    Parameters
    ----------
    path, types, errors, largest
        As in `jsonlines.read`; `largest` is for one article.

    Raises
    ------
    FormatError
        While reading, with the question: no SQuAD, or an answer that is not where it is said to be
        (the message says if its offset counts bytes or UTF-16 units).
    """
    report = Report(path, errors)
    return Rows(_articles(report, _rows.kinds(types), largest), report)


def _articles(report: Report, declared: dict[str, Kind], largest: int) -> Iterator[list[Row]]:
    with _rows.opened(report.path, report) as read:
        scanner, record, found = Scanner(read, report, largest), 0, False
        try:
            for key in scanner.entries():
                if key != "data":
                    scanner.value()
                    continue
                found = True
                for article in scanner.elements():
                    rows: list[Row] = []
                    for row in _questions(article):
                        if isinstance(row, dict):
                            rows.append(row)
                        else:
                            report.damage(row, record=record + len(rows))
                    numbers = range(record, record := record + len(rows))
                    rows = _rows.conform(rows, declared, report, "record", numbers)
                    report.rows += len(rows)
                    yield rows
            if scanner.peek() or not found:
                raise scanner.error("no SQuAD: an object with a list `data` is expected")
        except FormatError as problem:
            report.count(problem)


def _questions(article: Any) -> Iterator[Row | str]:
    """The rows of an article, and for each question that is none, what is wrong."""
    try:
        title = article.get("title", "")
        paragraphs = [(each["context"], each["qas"]) for each in article["paragraphs"]]
    except (AttributeError, TypeError, KeyError) as problem:
        yield f"no article with paragraphs ({type(problem).__name__}: {problem})"
        return
    for context, questions in paragraphs:
        each: Any
        for each in questions if isinstance(questions, list) else [None]:
            try:
                answers = each.get("answers") or []
                row = {
                    "id": each["id"], "title": title, "context": context,
                    "question": each["question"],
                    "answers": {
                        "text": [answer["text"] for answer in answers],
                        "answer_start": [answer["answer_start"] for answer in answers],
                    },
                    "is_impossible": bool(each.get("is_impossible", not answers)),
                }  # fmt: skip
                _check(row)
                yield row
            except (AttributeError, TypeError, KeyError, ValueError) as problem:
                yield f"no question: {problem}"


def _check(row: Row) -> None:
    for name in ("id", "title", "context", "question"):
        if not isinstance(row[name], str):
            raise ValueError(f"{name!r} is {_rows.brief(row[name])}, not text")
    context, answers = row["context"], row["answers"]
    for text, start in zip(answers["text"], answers["answer_start"], strict=True):
        if type(start) is not int or not isinstance(text, str):
            raise ValueError(f"answer {_rows.brief(text)} at {_rows.brief(start)}")
        if start >= 0 and context.startswith(text, start) and start <= len(context):
            continue
        hint = ""
        for unit, code, width in (("bytes", "utf-8", 1), ("UTF-16 units", "utf-16-le", 2)):
            if start >= 0 and context.encode(code, "surrogatepass")[width * start :].startswith(
                text.encode(code, "surrogatepass")
            ):
                hint = f"; its offset counts {unit}, not characters"
        stands = _rows.brief(context[start : start + len(text)]) if start >= 0 else "nothing"
        raise ValueError(
            f"answer {_rows.brief(text)} of {row['id']!r}: {stands} is at {start}{hint}"
        )


def write(path: Where, rows: Iterable[Row], *, types: Mapping[str, Any] | None = None) -> int:
    """Write questions as SQuAD, in one step; returns how many.

    Rows that follow each other and have the same title, or paragraph, are put together.

    Raises
    ------
    FormatError
        If a row is no question as `read` gives it, or its answers are not in its paragraph.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> row = {"id": "1", "title": "", "context": "Ada slept.", "question": "Who slept?",
    ...        "answers": {"text": ["Ada"], "answer_start": [0]}, "is_impossible": False}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.json"
    ...     _ = write(path, [row])
    ...     list(read(path)) == [row]
    True
    """
    count = 0

    def checked() -> Iterator[Row]:
        nonlocal count
        for _, batch in _rows.batches(rows, path, _rows.kinds(types)):
            for row in batch:
                try:
                    _check(row)
                except (KeyError, TypeError, ValueError) as problem:
                    message = f"no question: {type(problem).__name__} {problem}"
                    raise FormatError(message, path, record=count) from None
                count += 1
                yield row

    with _rows.writing(path) as file:
        file.write(b'{"version": "1.1", "data": [')
        for place, (title, article) in enumerate(groupby(checked(), lambda row: row["title"])):
            paragraphs = [
                {"context": context, "qas": [_question(row) for row in group]}
                for context, group in groupby(article, lambda row: row["context"])
            ]
            text = json.dumps({"title": title, "paragraphs": paragraphs}, ensure_ascii=False)
            try:
                file.write((",\n" if place else "\n").encode() + text.encode())
            except UnicodeEncodeError as problem:
                raise FormatError(f"article {place}: {problem}", path) from None
        file.write(b"\n]}\n")
    return count


def _question(row: Row) -> Row:
    pairs = zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)
    answers = [{"text": text, "answer_start": start} for text, start in pairs]
    made = {"id": row["id"], "question": row["question"], "answers": answers}
    impossible = bool(row.get("is_impossible", not answers))
    return made | ({"is_impossible": impossible} if impossible or not answers else {})
