"""What all formats share: rows that stream, errors that say where, declared types, bounded reads.

A row is a plain dict from column to value: str, int, float, bool, None, bytes, or a list of these;
nested formats also hold dicts.
"""

from __future__ import annotations

import functools
import gzip
import os
import types as _types
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, NamedTuple, Union, get_args, get_origin

from llmtrain101.folders import replacing

Row = dict[str, Any]
Where = str | os.PathLike[str]
LARGEST = 2**26  # bytes of one record or line; a longer one is an error, never an allocation
CHUNK = 2**17  # bytes read at a time: what fits into the processor's cache goes fastest
BATCH = 1024  # rows checked and written at a time
KEPT = 100  # errors that a report keeps word for word
BOM = b"\xef\xbb\xbf"  # what some Windows programs put before UTF-8


class FormatError(ValueError):
    """A file, or a row to be written, is not what its format allows; says where.

    Attributes
    ----------
    path, message : str
    line, record, byte : int or None
        Lines count from 1; records and bytes, as offsets, from 0.
    """

    def __init__(
        self, message: str, path: Where, *,
        line: int | None = None, record: int | None = None, byte: int | None = None,
    ) -> None:  # fmt: skip
        self.path, self.line, self.record, self.byte = os.fspath(path), line, record, byte
        where = self.path
        where += f", line {line}" if line is not None else ""
        where += f", record {record}" if record is not None else ""
        where += f" at byte {byte}" if byte is not None else ""
        self.message = message
        super().__init__(f"{where}: {message}")


class Report:
    """What came of reading a file; `Rows.report`.

    Attributes
    ----------
    rows : int
        Good rows so far.
    damaged : int
        Damaged places so far; above 0 only with `errors="report"`.
    lost_bytes : int
        Bytes that belong to no row, as far as known.
    first : list of FormatError
        The first 100 errors.
    notes : Counter
        What was not an error, but read in a way worth knowing, and how often.
    """

    def __init__(self, path: Where, errors: str = "raise") -> None:
        if errors not in ("raise", "report"):
            raise ValueError(f'errors must be "raise" or "report", got {errors!r}.')
        self.path, self.raises = Path(path), errors == "raise"
        self.rows = self.damaged = self.lost_bytes = 0
        self.first: list[FormatError] = []
        self.notes: Counter[str] = Counter()

    def damage(self, message: str, lost: int = 0, **where: int | None) -> None:
        """Raise a `FormatError`, or with `errors="report"` count it."""
        self.count(FormatError(message, self.path, **where), lost)

    def count(self, error: FormatError, lost: int = 0) -> None:
        """The same with an error that there is already."""
        if self.raises:
            raise error
        self.damaged += 1
        self.lost_bytes += lost
        if len(self.first) < KEPT:
            self.first.append(error)

    def __str__(self) -> str:
        text = f"{self.rows:,} rows, {self.damaged:,} damaged, {self.lost_bytes:,} bytes lost"
        lines = [*map(str, self.first[:5]), *(f"{n:,} × {note}" for note, n in self.notes.items())]
        return "\n  ".join([text, *lines])


class Rows(Iterator[Row]):
    """The rows of a file, one after the other, never all in memory; `report` says what came of it.

    Examples
    --------
    >>> rows = Rows(iter([[{"a": 1}], [{"a": 2}]]), Report("numbers.csv"))
    >>> next(rows), list(rows)
    ({'a': 1}, [{'a': 2}])
    """

    def __init__(self, blocks: Iterator[list[Row]], report: Report) -> None:
        self._rows, self.report = chain.from_iterable(blocks), report

    def __iter__(self) -> Iterator[Row]:
        return self._rows  # in C: a loop pays nothing for this class

    def __next__(self) -> Row:
        return next(self._rows)


# --- types --------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """A declared type: `list[int] | None` is `Kind(int, many=True, optional=True)`."""

    base: type
    many: bool
    optional: bool

    def __str__(self) -> str:
        name = f"list[{self.base.__name__}]" if self.many else self.base.__name__
        return f"{name} | None" if self.optional else name

    def cast(self, value: Any) -> Any:
        """The value if it is of this type; an int where a float is declared becomes one."""
        if value is None and self.optional:
            return None
        if self.many and type(value) is list:
            single = Kind(self.base, False, False)
            return [single.cast(each) for each in value]
        if not self.many and type(value) is self.base:
            return value
        if not self.many and self.base is float and type(value) is int:
            with_point = float(value) if abs(value) < 2**1023 else 0.0
            if with_point == value:
                return with_point
        if value is None:
            raise ValueError(f"is missing; declare {self} | None if it may be")
        raise ValueError(f"is {brief(value)} ({type(value).__name__}), not {self}")


def kinds(types: Mapping[str, Any] | None) -> dict[str, Kind]:
    """The declared types, taken apart.

    Examples
    --------
    >>> print(*kinds({"label": int, "tags": list[str] | None}).values())
    int list[str] | None
    """
    found = {}
    for name, declared in (types or {}).items():
        choices = [declared]
        if isinstance(declared, _types.UnionType) or get_origin(declared) is Union:
            choices = [each for each in get_args(declared) if each is not type(None)]
        optional = len(choices) < len(get_args(declared)) and get_origin(declared) is not list
        base = choices[0]
        many = get_origin(base) is list
        base = get_args(base)[0] if many else base
        if len(choices) != 1 or base not in (str, int, float, bool, bytes, dict):
            raise ValueError(
                f"the type of {name!r} must be str, int, float, bool, bytes, dict or a list of "
                f"one, with or without `| None`, got {declared!r}."
            )
        found[name] = Kind(base, many, optional)
    return found


def brief(value: Any, longest: int = 60) -> str:
    """A value, cut short for a message."""
    text = repr(value[: longest + 1] if isinstance(value, (str, bytes, list)) else value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def several(name: str, values: Sequence[str] | None) -> None:
    """Refuse one text where a list is meant: it would be taken letter by letter."""
    if isinstance(values, str):
        raise TypeError(f"{name} must be a list of str, got {values!r}; write [{values!r}].")


def conform(
    rows: list[Row], declared: Mapping[str, Kind], report: Report, what: str, numbers: Sequence[int]
) -> list[Row]:
    """The rows that are as declared; each other is damage, at that "line" or "record"."""
    bad: set[int] = set()
    for name, kind in declared.items():
        exact = {kind.base, type(None)} if kind.optional else {kind.base}
        column = [row.get(name) for row in rows]
        if not kind.many and set(map(type, column)) <= exact:
            continue
        for place, value in enumerate(column):
            try:
                if (cast := kind.cast(value)) is not value:
                    rows[place][name] = cast
            except ValueError as problem:
                if place not in bad:
                    bad.add(place)
                    report.damage(f"{name!r} {problem}", **{what: numbers[place]})
    return [row for place, row in enumerate(rows) if place not in bad] if bad else rows


@functools.lru_cache(256)
def row_maker(names: tuple[str, ...]) -> Callable[[Sequence[Iterable[Any]]], list[Row]]:
    """A function from columns to rows; written out for these names, it takes a third of the time.

    Examples
    --------
    >>> row_maker(("a", "b"))([[1, 2], ["x", "y"]])
    [{'a': 1, 'b': 'x'}, {'a': 2, 'b': 'y'}]
    """
    if not 1 <= len(names) <= 200:
        return lambda columns: [
            dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)
        ]
    values = "".join(f"v{i}, " for i in range(len(names)))
    pairs = ", ".join(f"{name!r}: v{i}" for i, name in enumerate(names))
    made: Callable[[Sequence[Iterable[Any]]], list[Row]] = eval(
        f"lambda columns: [{{{pairs}}} for {values}in zip(*columns, strict=True)]"
    )
    return made


# --- files --------------------------------------------------------------------------------------


def endings(path: Where) -> list[str]:
    """What a name ends in, in lower case and without `.gz`: what tells the format.

    Examples
    --------
    >>> endings("tatoeba.eng-fra.TSV.gz")
    ['.eng-fra', '.tsv']
    """
    return [each for each in _lower(path) if each != ".gz"]


def _lower(path: Where) -> list[str]:
    return [each.lower() for each in Path(path).suffixes]


class Source:
    """A file, or what gzip packed into it; where the packing is damaged it ends, and that is told.

    `source(size)` gives so many bytes, fewer only at the end; `source.into(buffer)` fills a buffer
    and says how far.
    """

    def __init__(self, file: IO[bytes], report: Report) -> None:
        self._file, self._report = file, report

    def __call__(self, size: int) -> bytes:
        return self._told(self._file.read, size) or b""

    def into(self, buffer: memoryview) -> int:
        return self._told(self._file.readinto, buffer) or 0  # type: ignore[attr-defined]

    def _told(self, read: Callable[[Any], Any], what: Any) -> Any:
        try:
            return read(what)
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            self._report.damage(f"the gzip stream is damaged or cut off ({problem})")
            return None


@contextmanager
def opened(
    path: Path, report: Report, is_plain: Callable[[bytes], bool] = lambda start: False
) -> Iterator[Source]:
    """A file to read, unpacked if it is packed."""
    with path.open("rb") as file:
        start = file.read(12)
        packed = start.startswith(b"\x1f\x8b") and not is_plain(start)
        file.seek(0)
        yield Source(gzip.GzipFile(fileobj=file) if packed else file, report)  # type: ignore[arg-type]


def line_blocks(
    path: Path, report: Report, largest: int = LARGEST
) -> Iterator[tuple[int, list[bytes], bytes]]:
    """Blocks of lines without their ends: the number of the first, the lines, where they stood."""
    number, rest = 1, b""
    with opened(path, report) as read:
        while True:
            chunk = read(max(CHUNK, len(rest)))  # as much again, so that long lines cost no square
            data = rest + chunk
            if number == 1:
                data = data.removeprefix(BOM)
            if not chunk:
                if data:
                    yield number, [data], data
                return
            lines = data.split(b"\n")
            rest = lines.pop()
            if len(data) > largest:
                for place, line in enumerate(lines):
                    if len(line) > largest:
                        report.damage(_too_long(largest), len(line), line=number + place)
                        lines[place] = b""
            if lines:
                yield number, lines, data
                number += len(lines)
            if len(rest) > largest:
                lost, stop = len(rest), -1
                while stop < 0 and (chunk := read(CHUNK)):
                    stop = chunk.find(b"\n")
                    lost += len(chunk) if stop < 0 else stop
                report.damage(_too_long(largest), lost, line=number)
                number, rest = number + 1, chunk[stop + 1 :] if stop >= 0 else b""


def _too_long(largest: int) -> str:
    return f"longer than {largest:,} bytes; pass largest=… if that is right"


@contextmanager
def writing(path: Where) -> Iterator[IO[bytes]]:
    """A file that takes the place of the old one once it is whole; `.gz` is packed."""
    path = Path(path)
    with replacing(path) as part, part.open("wb") as file:
        if ".gz" in _lower(path)[-1:]:
            # no name and no time inside: the same rows give the same bytes
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
                yield packed  # type: ignore[misc]
        else:
            yield file


def batches(
    rows: Iterable[Row], path: Where, declared: Mapping[str, Kind] | None = None, size: int = BATCH
) -> Iterator[tuple[int, list[Row]]]:
    """The rows to be written, checked, so many at a time; with the place of the first."""
    remaining, first = iter(rows), 0
    while batch := list(islice(remaining, size)):
        if set(map(type, batch)) != {dict}:
            for place, row in enumerate(batch):
                if not isinstance(row, dict):
                    message = f"a row must be a dict, got {brief(row)}"
                    raise FormatError(message, path, record=first + place)
        if declared:
            numbers = range(first, first + len(batch))
            batch = conform([dict(row) for row in batch], declared, Report(path), "record", numbers)
        yield first, batch
        first += len(batch)
