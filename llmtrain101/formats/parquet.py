"""Parquet: columns, compressed, each page with a checksum; by pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from llmtrain101.folders import replacing
from llmtrain101.formats import _rows
from llmtrain101.formats._rows import FormatError, Kind, Report, Row, Rows, Where

GROUP = 1 << 16  # rows that are compressed together, and that damage takes along


def read(
    path: Where, *, types: Mapping[str, Any] | None = None, errors: str = "raise",
    columns: list[str] | None = None,
) -> Rows:  # fmt: skip
    """The rows of a Parquet file, its page checksums checked where it has them.

    Parameters
    ----------
    path : path
    types : mapping from name to type, optional
        The file has types; these are what you expect them to be.
    errors : "raise" or "report"
        "report" goes on with the next group of rows behind a damaged one.
    columns : list of str, optional
        Only these are read.

    Raises
    ------
    FormatError
        While reading, with the first row that is not to be had.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.parquet"
    ...     _ = write(path, [{"text": "a", "label": 1}, {"text": "b", "label": None}])
    ...     list(read(path, columns=["label"], types={"label": int | None}))
    [{'label': 1}, {'label': None}]
    """
    report = Report(path, errors)
    return Rows(_groups(report, _rows.kinds(types), columns), report)


def _groups(
    report: Report, declared: dict[str, Kind], columns: list[str] | None
) -> Iterator[list[Row]]:
    import pyarrow as pa
    from pyarrow import parquet

    wrong = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError)
    with report.path.open("rb") as source:
        try:
            file = parquet.ParquetFile(source, page_checksum_verification=True)
            counts = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
            if absent := set(columns or ()) - set(file.schema_arrow.names):
                raise ValueError(f"no column {sorted(absent)}, but {file.schema_arrow.names}")
        except wrong as problem:
            report.damage(f"no Parquet, or damaged: {_first_line(problem)}")
            return
        for group, count in enumerate(counts):
            first = row = sum(counts[:group])
            try:
                table = file.iter_batches(_rows.BATCH, row_groups=[group], columns=columns)
                for batch in table:
                    rows: list[Row] = batch.to_pylist()
                    numbers = range(row, row := row + len(rows))
                    rows = _rows.conform(rows, declared, report, "record", numbers)
                    report.rows += len(rows)
                    yield rows
            except FormatError:
                raise
            except wrong as problem:
                lost = f"{count - (row - first):,} rows are lost: {_first_line(problem)}"
                report.damage(lost, record=row)


def _first_line(problem: BaseException) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0]


def write(path: Where, rows: Iterable[Row], *, types: Mapping[str, Any] | None = None) -> int:
    """Write rows as Parquet (zstd, page checksums), in one step; returns how many.

    The type of a column is the declared one, or that of its values in the first 65,536 rows.

    Raises
    ------
    FormatError
        If a column mixes types, or a row has a column that the rows before had not.
    """
    import pyarrow as pa
    from pyarrow import parquet

    declared = _rows.kinds(types)
    checked = _rows.batches(rows, path, declared)
    head = list(islice(checked, GROUP // _rows.BATCH))
    names = list(dict.fromkeys(name for _, batch in head for row in batch for name in row))
    names += [name for name in declared if name not in names]
    known: dict[type, Any] = {str: pa.string(), bytes: pa.binary(), bool: pa.bool_()}
    known |= {int: pa.int64(), float: pa.float64()}
    fields = []
    for name in names:
        kind = declared.get(name)
        if kind and kind.base in known:
            type_ = pa.list_(known[kind.base]) if kind.many else known[kind.base]
        else:
            values = [row.get(name) for _, batch in head for row in batch]
            try:
                (single,) = set(map(type, values)) - {type(None)} or {type(None)}
                type_ = known.get(single) or pa.array(values).type
            except (ValueError, TypeError, pa.ArrowException, OverflowError) as problem:
                reason = f"the values of {name!r} have no common type ({_first_line(problem)})"
                raise FormatError(f"{reason}; declare it in types", path) from None
        fields.append(pa.field(name, type_))
    try:
        schema = pa.schema(fields)
    except (pa.ArrowException, TypeError, UnicodeError) as problem:
        raise FormatError(f"Parquet does not hold these columns: {problem}", path) from None
    count, known_names = 0, set(names)
    with (
        replacing(Path(path)) as part,
        parquet.ParquetWriter(part, schema, compression="zstd", write_page_checksum=True) as file,
    ):
        group: list[Row] = []
        for first, batch in chain(head, checked):
            for place, row in enumerate(batch, first):
                if not row.keys() <= known_names:
                    new = sorted(row.keys() - known_names)
                    raise FormatError(f"{new} came up late; declare it", path, record=place)
            group += batch
            count += len(batch)
            if len(group) >= GROUP:
                file.write_table(_table(group, schema, path, count - len(group)))
                group = []
        if group:
            file.write_table(_table(group, schema, path, count - len(group)))
    return count


def _table(rows: list[Row], schema: Any, path: Where, first: int) -> Any:
    import pyarrow as pa

    try:
        return pa.Table.from_pylist(rows, schema)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        for place, row in enumerate(rows, first):
            for field in schema:
                try:
                    pa.array([row.get(field.name)], field.type)
                except (pa.ArrowException, TypeError, ValueError, OverflowError):
                    value = _rows.brief(row.get(field.name))
                    message = f"{field.name!r} is {value}, the rows before have {field.type}"
                    raise FormatError(f"{message}; declare it", path, record=place) from None
        raise
