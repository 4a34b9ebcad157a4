"""JSON Lines (one object a line), JSON arrays of objects, and objects of entries; all streamed."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from llmtrain101.formats import _rows
from llmtrain101.formats._rows import FormatError, Report, Row, Rows, Where

LAYOUTS = ("lines", "array", "object")
_SPACE = " \t\r\n"
_LONG = re.compile(rb"[0-9]{20}")
# Dates and dataclasses, which orjson would turn into text unasked, are errors instead: they would
# not come back as they were. (It leaves no choice for UUID and Enum.)
_AS_IS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def read(
    path: Where, *, types: Mapping[str, Any] | None = None, errors: str = "raise",
    layout: str | None = None, largest: int = _rows.LARGEST,
) -> Rows:  # fmt: skip
    """The rows of a JSON file.

    Parameters
    ----------
    path : path
        Packed by gzip or not.
    types : mapping from name to type, optional
        For example `{"text": str, "label": int | None}`; each value is checked.
    errors : "raise" or "report"
        Whether to go on past a damaged line and count it in `.report`. In an array nothing says
        where the next element begins: reading ends there.
    layout : "lines", "array" or "object", optional
        "object": one object, each of whose entries is a row `{"key": …, "value": …}`. Seen from
        the name and the first characters if left out.
    largest : int
        The most bytes of one line or element.

    Raises
    ------
    FormatError
        While reading: no JSON, not an object, not of the declared type, or too long.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels.jsonl"
    ...     _ = path.write_text('{"label": 1}\\n{"label":\\n{"label": 3}\\n', encoding="utf-8")
    ...     rows = read(path, types={"label": int}, errors="report")
    ...     print(list(rows), rows.report.first[0].line)
    [{'label': 1}, {'label': 3}] 2
    """
    report = Report(path, errors)
    layout = layout or _seen_layout(report.path)
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {LAYOUTS}, got {layout!r}.")
    if layout == "lines":
        return Rows(_lines(report, _rows.kinds(types), largest), report)
    return Rows(_elements(report, _rows.kinds(types), largest, layout == "array"), report)


def write(
    path: Where, rows: Iterable[Row], *, types: Mapping[str, Any] | None = None,
    layout: str | None = None,
) -> int:  # fmt: skip
    """Write rows as lines, or as an array if the name ends in `.json`; returns how many.

    The old file stays until the new one is whole. NaN, infinities and bytes, which JSON has not,
    are a `FormatError` that names the row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.jsonl"
    ...     write(path, [{"text": "é", "tags": ["a", "b"]}]), path.read_text(encoding="utf-8")
    (1, '{"text":"é","tags":["a","b"]}\\n')
    """
    layout = layout or ("array" if ".json" in _rows.endings(path) else "lines")
    if layout not in LAYOUTS[:2]:
        raise ValueError(f'layout must be "lines" or "array", got {layout!r}.')
    count = 0
    before, between, after = ("[\n", ",\n", "\n]\n") if layout == "array" else ("", "\n", "\n")
    with _rows.writing(path) as file:
        file.write(before.encode())
        for first, batch in _rows.batches(rows, path, _rows.kinds(types)):
            try:
                lines = list(map(_quick_dumps, batch))
            except TypeError:
                lines = [_dumps(row, path, first + place) for place, row in enumerate(batch)]
            joined = between.encode().join(lines)
            if b"null" in joined:  # orjson writes NaN as null, which is an error here
                for place, (row, line) in enumerate(zip(batch, lines, strict=True)):
                    found = line.count(b"null")
                    if found and found != [*row.values()].count(None):
                        _dumps(row, path, first + place)
            file.write(between.encode() if count else b"")
            file.write(joined)
            count += len(batch)
        file.write(after.encode() if count or layout == "array" else b"")
    return count


_quick_dumps = functools.partial(orjson.dumps, option=_AS_IS)


def _dumps(row: Row, path: Where, place: int) -> bytes:
    def refuse(value: Any) -> Any:
        raise TypeError(f"{type(value).__name__} ({_rows.brief(value)})")

    try:
        if wrong := [name for name in _names(row) if type(name) is not str]:
            raise TypeError(f"a name that is {type(wrong[0]).__name__}, not str")
        text = json.dumps(
            row, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=refuse
        )
        return text.encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise FormatError(f"JSON does not hold {problem}", path, record=place) from None


def _names(value: Any) -> Iterator[Any]:
    for key, each in value.items() if isinstance(value, dict) else ():
        yield key
        yield from _names(each)
    for each in value if isinstance(value, list) else ():
        yield from _names(each)


def _loads(line: bytes) -> Any:
    value = orjson.loads(line)  # the one judge of what is JSON
    return _exact(line) if _LONG.search(line) else value


def _exact(line: bytes) -> Any:
    """With integers beyond 64 bits as they are: orjson rounds them to floats without a word."""
    return _DECODER.decode(line.decode())


def _long_numbers(block: bytes, lines: int) -> list[int]:
    """The lines that may hold a run of 20 digits, found without looking at each byte in Python."""
    if len(block) < 20:
        return []
    other = (np.frombuffer(block, np.uint8) ^ 0x30) & 0xF0  # 0: a digit, or one of `:;<=>?`
    for shift in (1, 2, 4, 8, 4):  # 0: 2, then 4, 8, 16, 20 of them in a row
        other = other[:-shift] | other[shift:]
    if other.all():
        return []
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10)
    places = np.unique(np.searchsorted(ends, np.flatnonzero(other == 0)))
    return [int(place) for place in places if place < lines]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON; write null, or use TFRecord or Parquet")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _lines(report: Report, declared: Mapping[str, Any], largest: int) -> Iterator[list[Row]]:
    for number, lines, block in _rows.line_blocks(report.path, report, largest):
        numbers: Sequence[int] = range(number, number + len(lines))
        try:
            rows = list(map(orjson.loads, lines))
            for place in _long_numbers(block, len(lines)):
                rows[place] = _exact(lines[place])
        except (ValueError, RecursionError):
            rows, numbers = _one_by_one(lines, number, report)
        if set(map(type, rows)) != {dict}:
            rows, numbers = _objects(rows, numbers, report)
        rows = _rows.conform(rows, declared, report, "line", numbers)
        report.rows += len(rows)
        yield rows


def _one_by_one(lines: list[bytes], number: int, report: Report) -> tuple[list[Any], list[int]]:
    rows, numbers = [], []
    for place, line in enumerate(lines, number):
        if not line.strip():
            continue
        try:
            rows.append(_loads(line))
            numbers.append(place)
        except (ValueError, RecursionError) as problem:
            report.damage(
                f"no JSON: {problem}; it begins {_rows.brief(line)}", len(line) + 1, line=place
            )
    return rows, numbers


def _objects(
    rows: list[Any], numbers: Sequence[int], report: Report
) -> tuple[list[Any], list[int]]:
    kept = []
    for row, place in zip(rows, numbers, strict=True):
        if isinstance(row, dict):
            kept.append((row, place))
        else:
            report.damage(f"a row must be an object, got {_rows.brief(row)}", line=place)
    return [row for row, _ in kept], [place for _, place in kept]


# --- one value of any size, in pieces -----------------------------------------------------------


def _seen_layout(path: Path) -> str:
    with _rows.opened(path, Report(path, "report")) as read:
        start = read(_rows.CHUNK).removeprefix(_rows.BOM).lstrip()
    if ".json" not in _rows.endings(path):
        return "lines"
    if not start.startswith(b"{"):
        return "array"
    first, _, second = start.partition(b"\n")
    try:
        orjson.loads(first)
    except ValueError:
        return "object"
    return "lines" if second.lstrip().startswith(b"{") else "object"


class Scanner:
    """Reads JSON from left to right, one element at a time, holding little more than one."""

    def __init__(self, read: Callable[[int], bytes], report: Report, largest: int) -> None:
        self.read, self.report, self.largest = read, report, largest
        self.text, self.at, self.ended, self.passed = "", 0, False, 0
        self.undecoded = b""

    def more(self) -> None:
        size = max(_rows.CHUNK, len(self.text) - self.at)
        data = self.read(size)
        self.ended = not data
        data = self.undecoded + data
        try:
            new, self.undecoded = data.decode(), b""
        except UnicodeDecodeError as problem:
            if self.ended or len(data) - problem.start > 3:
                raise self.error(f"not UTF-8 ({problem.reason})") from None
            new, self.undecoded = data[: problem.start].decode(), data[problem.start :]
        self.passed += len(self.text[: self.at].encode())
        self.text, self.at = self.text[self.at :] + new, 0

    def error(self, message: str) -> FormatError:
        at = self.passed + len(self.text[: self.at].encode())
        return FormatError(message, self.report.path, byte=at)

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in _SPACE:
                    return self.text[self.at]
                self.at += 1
            if self.ended:
                return ""
            self.more()

    def expect(self, characters: str) -> str:
        found = self.peek()
        if not found or found not in characters:
            wanted = " or ".join(map(repr, characters))
            raise self.error(f"expected {wanted}, got {found or 'the end of the file'!r}")
        self.at += 1
        return found

    def value(self) -> Any:
        self.peek()
        while True:
            problem = "the file ends within a value"
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
                if end < len(self.text) or self.ended:  # else a number may go on
                    self.at = end
                    return value
            except RecursionError:
                raise self.error("nested too deep") from None
            except ValueError as no_json:
                if getattr(no_json, "pos", 0) < len(self.text):
                    problem = f"no JSON: {no_json}"
            if self.ended:
                raise self.error(problem)
            if len(self.text) - self.at > self.largest:
                raise self.error(
                    f"no JSON, or an element of more than {self.largest:,} bytes ({problem})"
                )
            self.more()

    def elements(self) -> Iterator[Any]:
        """The elements of an array."""
        self.expect("[")
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            yield self.value()
            if self.expect(",]") == "]":
                return

    def entries(self) -> Iterator[str]:
        """The keys of an object; the caller takes the value that follows each."""
        self.expect("{")
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            if self.peek() != '"':
                raise self.error("expected a name in quotes")
            key = self.value()
            self.expect(":")
            yield key
            if self.expect(",}") == "}":
                return


def _elements(
    report: Report, declared: Mapping[str, Any], largest: int, array: bool
) -> Iterator[list[Row]]:
    with _rows.opened(report.path, report) as read:
        scanner = Scanner(read, report, largest)
        try:
            if scanner.peek() == "\ufeff":
                scanner.at += 1
            found = (
                scanner.elements()
                if array
                else ({"key": key, "value": scanner.value()} for key in scanner.entries())
            )
            for record, row in enumerate(found):
                if type(row) is not dict:
                    report.damage(f"a row must be an object, got {_rows.brief(row)}", record=record)
                    continue
                if _rows.conform([row], declared, report, "record", [record]):
                    report.rows += 1
                    yield [row]
            if scanner.peek():
                raise scanner.error(f"more follows where the file should end: {scanner.peek()!r}")
        except FormatError as problem:
            report.count(problem)
