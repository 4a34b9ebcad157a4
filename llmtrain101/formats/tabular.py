"""CSV and TSV: rows of text, with the types that you declare.

pyarrow splits a block of rows once its quotes are known to be in order; a block that is not, or
that asks for more, is taken apart here, value by value, so that an error can say where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from llmtrain101.formats import _rows
from llmtrain101.formats._rows import FormatError, Kind, Report, Row, Rows, Where

_MADE = 1 << 12  # rows made from columns at a time
_BLOCK = 6 * _rows.CHUNK
_TRUE, _FALSE = {"true", "True", "TRUE", "1"}, {"false", "False", "FALSE", "0"}
_BOOLS = {*_TRUE, *_FALSE, None}
# What a spreadsheet would run as a formula, or would show without our mark
_RUNS = re.compile(r"'*[=+\-@\t\r]")
_UNCLOSED = re.compile(r' *"(?:[^"]++|"")*+\Z')
_MARKED = re.compile(r"'+[=+\-@\t\r]")


def read(
    path: Where, *, types: Mapping[str, Any] | None = None, errors: str = "raise",
    columns: Sequence[str] | None = None, delimiter: str | None = None,
    quote: bool | None = None, spaces: bool = False, missing: Sequence[str] = ("",),
    formulas: bool = False, encoding: str = "utf-8", largest: int = _rows.LARGEST,
) -> Rows:  # fmt: skip
    """The rows of a CSV or TSV file.

    Nothing is guessed: a value is text unless `types` says otherwise (so "007" stays "007").

    Parameters
    ----------
    path : path
        Packed by gzip or not.
    types : mapping from name to type, optional
        For example `{"age": int, "job": str | None}`.
    errors : "raise" or "report"
        Whether to go on past a damaged row and count it in `.report`.
    columns : sequence of str, optional
        The names, for a file without a header.
    delimiter : str, optional
        A comma, or for a name with `.tsv` or `.tab` a tab.
    quote : bool, optional
        Whether values may stand in double quotes, as in CSV. In TSV a quote is a character like
        others, unless you say True.
    spaces : bool
        Whether to drop spaces at the beginning of a value, as after the commas of `a, b, c`.
    missing : sequence of str
        The values that mean None where they stand without quotes. Nothing between two commas
        is one; in a column declared as `str` it is the empty text.
    formulas : bool
        Whether to undo what `write(…, formulas=True)` did.
    encoding : str
        For example "latin-1".
    largest : int
        The most bytes of one row.

    Raises
    ------
    FormatError
        While reading, with the line: not in this encoding, a quote where none may be, too many or
        too few values, not of the declared type, missing, too long.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "adults.csv"
    ...     _ = path.write_text("25, Private\\n18, ?\\n", encoding="utf-8")
    ...     types = {"age": int, "job": str | None}
    ...     list(read(path, columns=["age", "job"], types=types, spaces=True, missing=["?"]))
    [{'age': 25, 'job': 'Private'}, {'age': 18, 'job': None}]
    """
    report = Report(path, errors)
    _rows.several("missing", missing)
    _rows.several("columns", columns)
    if "" not in missing:
        missing = ["", *missing]
    reader = _Reader(
        report, _rows.kinds(types), columns, delimiter or _delimiter(path),
        _delimiter(path) == "," if quote is None else quote,
        spaces, frozenset(missing), formulas, encoding, largest,
    )  # fmt: skip
    return Rows(reader.blocks(), report)


def _delimiter(path: Where) -> str:
    return "\t" if {".tsv", ".tab"} & set(_rows.endings(path)) else ","


def _check(delimiter: str) -> None:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n ':
        raise ValueError(f"delimiter must be one ASCII character, got {delimiter!r}.")


class _Reader:
    def __init__(
        self, report: Report, declared: dict[str, Kind], columns: Sequence[str] | None,
        delimiter: str, quote: bool, spaces: bool, missing: frozenset[str], formulas: bool,
        encoding: str, largest: int,
    ) -> None:  # fmt: skip
        _check(delimiter)
        if "\n".encode(encoding) != b"\n":
            raise ValueError(f"encoding must hold ASCII as it is, got {encoding!r}.")
        if wrong := [name for name, kind in declared.items() if kind.many or kind.base is dict]:
            raise ValueError(f"CSV holds no lists: {wrong}; use JSON Lines, TFRecord or Parquet.")
        self.report, self.declared, self.quote, self.spaces = report, declared, quote, spaces
        self.delimiter, self.missing, self.formulas = delimiter, missing, formulas
        self.encoding, self.largest = encoding, largest
        self.names = self._named(list(columns)) if columns is not None else None
        mark = re.escape(delimiter)
        quoted = '"((?:[^"]++|"")*+)"' if quote else "(?!)()"
        plain = f'([^{mark}\r\n"]*)' if quote else f"([^{mark}\r\n]*)"
        self.value = re.compile(f"{' *' if spaces else ''}(?:{quoted}|{plain})({mark}|\r?\n|\r|$)")

    def _named(self, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            hint = "if this is a row and no header, pass columns=[…]"
            shown = _rows.brief(names, 200)
            raise FormatError(f"columns must differ, got {shown}; {hint}", self.report.path, line=1)
        if absent := set(self.declared) - set(names):
            there = f"no column {sorted(absent)}, but {_rows.brief(names, 200)}"
            hint = "pass columns=[…] for a file without a header"
            raise FormatError(f"{there}; {hint}", self.report.path, line=1)
        return names

    # --- blocks of whole rows

    def blocks(self) -> Iterator[list[Row]]:
        line, buffer = 1, bytearray(_BLOCK + _rows.CHUNK)
        with _rows.opened(self.report.path, self.report) as source:
            start = source(len(_rows.BOM)).removeprefix(_rows.BOM)
            size = len(start)
            buffer[:size] = start
            while True:
                if size > len(buffer) // 2:  # a long row
                    buffer = buffer[:size] + bytearray(len(buffer))
                read = source.into(memoryview(buffer)[size:])
                size += read
                data = memoryview(buffer)[:size]
                quotes = self._quotes(data)
                cut = _last_end(buffer, size, quotes) if read else size
                if size - cut > self.largest:
                    cut = buffer.rfind(b"\n", 0, size) + 1  # a stray quote: go on line by line
                    if size - cut > self.largest:
                        problem = f"a row of more than {self.largest:,} bytes; pass largest=…"
                        self.report.damage(problem, size - cut, line=line)
                        return
                block = data[:cut]
                if block:
                    if self.names is None:
                        head = self._header(block[: _first_end(buffer, cut, quotes)], line)
                        line += buffer.count(b"\n", 0, head)
                        block, quotes = block[head:], quotes[quotes >= head] - head
                    fast = self._in_order(block, quotes[: np.searchsorted(quotes, len(block))])
                    columns = self._columns(block) if block and fast else None
                    careful = self._careful(bytes(block), line) if columns is None else None
                    for rows in careful or self._made(columns or []):
                        self.report.rows += len(rows)
                        yield rows
                    line += int(np.count_nonzero(np.frombuffer(block, np.uint8) == 10))
                if not read:
                    return
                size -= cut
                buffer[:size] = buffer[cut : cut + size]

    def _quotes(self, data: memoryview) -> np.ndarray[Any, Any]:
        """Where the quotes are."""
        return np.flatnonzero(np.frombuffer(data if self.quote else b"", np.uint8) == 34)

    def _header(self, row: memoryview, line: int) -> int:
        """Takes the names from the first row; returns its bytes."""
        text = bytes(row).decode(self.encoding, "surrogateescape")
        values, _, end, _, problem = next(self._split(text, line))
        head = text[:end].encode(self.encoding, "surrogateescape")
        try:
            head.decode(self.encoding)
        except UnicodeDecodeError:
            problem = f"not {self.encoding}"
        if problem:
            raise FormatError(f"the header: {problem}", self.report.path, line=line)
        self.names = self._named([value or "" for value, _ in values])
        return len(head)

    # --- the fast way

    def _in_order(self, block: memoryview, quotes: np.ndarray[Any, Any]) -> bool:
        """Whether each quote opens or closes a value: then there is one way to read the block."""
        if self.spaces or self.encoding != "utf-8" or len(quotes) % 2:
            return False
        if block[:3] == _rows.BOM:  # arrow would drop it at the beginning of any block
            return False
        bytes_ = np.frombuffer(block, np.uint8)
        returns = np.count_nonzero(bytes_ == 13)
        if returns and returns != bytes(block).count(b"\r\n"):
            return False
        if not len(quotes):
            return True
        # two quotes within a value close it and open it again
        edges = np.zeros(256, bool)
        edges[[10, 13, 34, ord(self.delimiter)]] = True
        opens = edges[bytes_[quotes[::2] - 1]]
        closes = edges[bytes_[(quotes[1::2] + 1) % len(bytes_)]]
        opens[0] |= quotes[0] == 0
        closes[-1] |= quotes[-1] == len(bytes_) - 1
        return bool(opens.all() and closes.all())

    def _columns(self, block: memoryview) -> list[tuple[Any, Kind]] | None:
        """The columns by arrow, or None if a value is not as it should be."""
        import pyarrow as pa
        import pyarrow.compute as pc
        from pyarrow import csv

        assert self.names is not None
        kinds = [self.declared.get(name) or Kind(str, False, True) for name in self.names]
        types = [pa.float64() if kind.base is float else pa.string() for kind in kinds]
        try:
            # arrow's own reader: another thread asks it, and would wait for Python's
            whole_lines = block if block[-1] == 10 else bytes(block) + b"\n"
            source: Any = pa.BufferReader(pa.py_buffer(whole_lines))
            table = csv.read_csv(
                source,
                csv.ReadOptions(
                    use_threads=False, block_size=len(block) + 2, column_names=self.names
                ),
                csv.ParseOptions(
                    delimiter=self.delimiter, quote_char='"' if self.quote else False,
                    newlines_in_values=self.quote, ignore_empty_lines=len(self.names) > 1,
                ),
                csv.ConvertOptions(
                    column_types=dict(zip(self.names, types, strict=True)),
                    strings_can_be_null=True, quoted_strings_can_be_null=False,
                    null_values=list(self.missing),
                ),
            )  # fmt: skip
            whole = []
            for pieces, kind in zip(table.columns, kinds, strict=True):
                column: Any = pieces.chunk(0) if pieces.num_chunks == 1 else pieces.combine_chunks()
                if column.null_count and not kind.optional:
                    if kind.base is not str or len(self.missing) > 1:
                        return None
                    column = column.fill_null("")
                if kind.base is int:
                    text = bytes(column.buffers()[2] or b"")
                    if b"x" in text or b"X" in text:  # arrow takes 0x1f for a number, we do not
                        return None
                    column = column.cast(pa.int64())
                if (
                    kind.base is float
                    and b"(" in bytes(block)
                    and pc.any(pc.is_nan(column)).as_py()
                ):
                    return None  # arrow takes nan(1) for a number, we do not
                if kind.base is bool and not _BOOLS.issuperset(column.unique().to_pylist()):
                    return None
                whole.append((column, kind))
            return whole
        except (pa.ArrowException, ValueError):
            return None

    def _made(self, columns: list[tuple[Any, Kind]]) -> Iterator[list[Row]]:
        """Rows from the columns, few at a time: what fits into the cache goes fastest."""
        make = _rows.row_maker(tuple(self.names or ()))
        for start in range(0, len(columns[0][0]), _MADE):
            yield make([self._values(column.slice(start, _MADE), kind) for column, kind in columns])

    def _values(self, column: Any, kind: Kind) -> list[Any]:
        values: list[Any] = column.to_pylist()
        if kind.base is bool:
            return [None if value is None else value in _TRUE for value in values]
        if self.formulas and kind.base is str:
            return [v[1:] if v is not None and _MARKED.match(v) else v for v in values]
        return values

    # --- the careful way

    def _careful(self, block: bytes, line: int) -> Iterator[list[Row]]:
        unreadable: set[int] = set()
        try:
            text = block.decode(self.encoding)
        except UnicodeDecodeError:
            text = self._salvaged(block, line, unreadable)
        assert self.names is not None
        rows: list[Row] = []
        for values, start, end, number, problem in self._split(text, line):
            if not problem and len(values) == 1 and values[0][0] == "" and len(self.names) > 1:
                continue  # an empty line
            if unreadable and not unreadable.isdisjoint(
                range(number, number + text.count("\n", start, end - 1) + 1)
            ):
                continue
            if not problem and len(values) != len(self.names):
                problem = f"{len(values)} values for {len(self.names)} columns"
            if not problem:
                try:
                    rows.append(self._row(values))
                    if len(rows) == _rows.BATCH:
                        yield rows
                        rows = []
                    continue
                except ValueError as error:
                    problem = str(error)
            yield rows  # those before the damage come before it is told
            rows = []
            lost = len(text[start:end].encode(self.encoding, "replace"))
            self.report.damage(f"{problem}: {_rows.brief(text[start:end])}", lost, line=number)
        yield rows

    def _salvaged(self, block: bytes, line: int, unreadable: set[int]) -> str:
        """Only the lines that are not in this encoding are lost."""
        kept = []
        for number, each in enumerate(block.split(b"\n"), line):
            try:
                kept.append(each.decode(self.encoding))
            except UnicodeDecodeError as problem:
                hint = "" if self.encoding == "latin-1" else '; perhaps encoding="latin-1"'
                message = f"not {self.encoding} ({problem.reason}){hint}: {_rows.brief(each)}"
                self.report.damage(message, len(each) + 1, line=number)
                kept.append("")
                unreadable.add(number)
        return "\n".join(kept)

    def _row(self, values: list[tuple[str | None, bool]]) -> Row:
        row: Row = {}
        for name, (text, quoted) in zip(self.names or (), values, strict=True):
            kind = self.declared.get(name)
            value = None if text in self.missing and not quoted else text
            if value is None and text == "" and kind and kind.base is str and not kind.optional:
                value = ""
            if self.formulas and value is not None and _MARKED.match(value):
                value = value[1:]
            row[name] = _typed(value, kind, repr(name)) if kind else value
        return row

    def _split(
        self, text: str, line: int
    ) -> Iterator[tuple[list[tuple[str | None, bool]], int, int, int, str]]:
        """Each row: its values and whether they stood in quotes, where it lies, what is wrong."""
        at, size = 0, len(text)
        while at < size:
            start, values, problem, ended = at, [], "", False
            while not ended:
                match = self.value.match(text, at)
                if match is None:
                    problem = (
                        "a quote that is never closed"
                        if _UNCLOSED.match(text, at)
                        else "a quote within a value, or text behind one"
                    ) + " (quote=False takes quotes for text)"
                    at = (text.find("\n", at) + 1) or size
                    break
                quoted, plain, end = match.groups()
                at = match.end()
                ended = end != self.delimiter
                if quoted is not None and self.quote:
                    values.append((quoted.replace('""', '"'), True))
                else:
                    values.append((plain, False))
            yield values, start, at, line, problem
            line += text.count("\n", start, at)


def _first_end(data: bytearray, size: int, quotes: np.ndarray[Any, Any]) -> int:
    """Behind the first line end that is not within quotes, else behind all."""
    end = data.find(b"\n", 0, size) + 1
    if np.searchsorted(quotes, end) % 2:
        ends = _ends(data, size, quotes)
        end = int(ends[0]) if len(ends) else 0
    return end or size


def _last_end(data: bytearray, size: int, quotes: np.ndarray[Any, Any]) -> int:
    """Behind the last line end that is not within quotes, or 0."""
    end = data.rfind(b"\n", 0, size) + 1
    if np.searchsorted(quotes, end) % 2:
        ends = _ends(data, size, quotes)
        end = int(ends[-1]) if len(ends) else 0
    return end


def _ends(data: bytearray, size: int, quotes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Behind each line end that is not within quotes."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8, size) == 10) + 1
    return np.extract(np.searchsorted(quotes, ends) % 2 == 0, ends)


def _typed(text: str | None, kind: Kind, name: str) -> Any:
    if text is None:
        if kind.optional:
            return None
        raise ValueError(f"{name} is missing; declare {kind} | None if it may be")
    if kind.base is bool and text in _TRUE | _FALSE:
        return text in _TRUE
    if kind.base is str:
        return text
    if kind.base in (int, float) and text.isascii() and "_" not in text:
        try:
            return kind.base(text)
        except ValueError:
            pass
    raise ValueError(f"{name} is {_rows.brief(text)}, not {kind}")


# --- writing ------------------------------------------------------------------------------------


def write(
    path: Where, rows: Iterable[Row], *, types: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None, header: bool = True, delimiter: str | None = None,
    quote: bool | None = None, formulas: bool = False,
) -> int:  # fmt: skip
    """Write rows as CSV or TSV, in one step; returns how many.

    Text stands in quotes, None as nothing, so that the two come back apart. In TSV there are no
    quotes, unless you ask for them: there a tab or a line end within a value is an error.

    Parameters
    ----------
    path, rows, types, delimiter, quote
        As in `read`.
    columns : sequence of str, optional
        The order of the columns; else that of the first row. All rows have the same.
    header : bool
        Whether the first line holds the names.
    formulas : bool
        Whether to put `'` before text that a spreadsheet would run (`=cmd…`, `+`, `-`, `@`).
        `read(…, formulas=True)` takes it off again.

    Raises
    ------
    FormatError
        If rows differ in their columns, or hold what CSV has not: bytes, lists.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = write(path, [{"text": "=1+1", "n": 1}, {"text": None, "n": 2}], formulas=True)
    ...     print(path.read_text(encoding="utf-8"), end="")
    "text","n"
    "'=1+1",1
    ,2
    """
    delimiter = delimiter or _delimiter(path)
    _check(delimiter)
    _rows.several("columns", columns)
    quote = _delimiter(path) == "," if quote is None else quote
    names = list(columns) if columns is not None else None
    count = 0
    with _rows.writing(path) as file:
        for first, batch in _rows.batches(rows, path, _rows.kinds(types), 8192):
            names = list(batch[0]) if names is None else names
            if count == 0 and header:
                row: Row = dict(zip(names, names, strict=True))
                file.write(_plainly([row], names, path, 0, delimiter, quote, False))
            block = None
            if quote and not formulas:
                block = _with_arrow(batch, names, delimiter)
            file.write(block or _plainly(batch, names, path, first, delimiter, quote, formulas))
            count += len(batch)
        if count == 0 and names and header:
            row = dict(zip(names, names, strict=True))
            file.write(_plainly([row], names, path, 0, delimiter, quote, False))
    return count


def _with_arrow(batch: list[Row], names: list[str], delimiter: str) -> memoryview | None:
    """The same bytes as `_plainly` gives, or None if pyarrow cannot be trusted with these rows."""
    import pyarrow as pa
    from pyarrow import csv

    if len(names) < 2 or sum(map(len, batch)) != len(names) * len(batch):
        return None
    known: dict[type, Any] = {str: pa.string(), bool: pa.bool_()}
    known |= {int: pa.int64(), float: pa.float64()}
    try:
        arrays = []
        for name in names:
            column = [row[name] for row in batch]
            (kind,) = set(map(type, column)) - {type(None)}
            arrays.append(pa.array(column, known[kind]))
        buffer = pa.BufferOutputStream()
        options = csv.WriteOptions(include_header=False, delimiter=delimiter)
        csv.write_csv(pa.table(arrays, names=names), buffer, options)
    except (KeyError, ValueError, pa.ArrowException, OverflowError):
        return None
    return memoryview(buffer.getvalue())


def _plainly(
    batch: list[Row], names: list[str], path: Where, first: int, delimiter: str, quote: bool,
    formulas: bool,
) -> bytes:  # fmt: skip
    lines = []
    for place, row in enumerate(batch, first):
        try:
            if row.keys() != set(names):
                wrong = sorted(map(str, row.keys() ^ set(names)))
                raise ValueError(
                    f"the rows before have the columns {names}, this differs in {wrong}"
                )
            values = [_as_text(row[name], delimiter, quote, formulas) for name in names]
            lines.append((delimiter.join(values) + "\n").encode())
        except ValueError as problem:
            raise FormatError(str(problem), path, record=place) from None
    return b"".join(lines)


def _as_text(value: Any, delimiter: str, quote: bool, formulas: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if isinstance(value, int) else repr(float(value))
    if not isinstance(value, str):
        raise ValueError(f"CSV holds no {type(value).__name__}: {_rows.brief(value)}")
    text = f"'{value}" if formulas and _RUNS.match(value) else str(value)
    if quote:
        return '"' + text.replace('"', '""') + '"'
    if delimiter in text or "\n" in text or "\r" in text:
        raise ValueError(
            f"without quotes no value holds a delimiter or line end: {_rows.brief(text)}"
        )
    return text
