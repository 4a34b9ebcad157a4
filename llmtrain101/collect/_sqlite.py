"""Tables of an SQLite file as DataFrames, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# what `sqlite3` says to a value too large, or to a text with half a character in it, too
_REFUSED = (sqlite3.Error, OverflowError, UnicodeEncodeError)


def sqlite(
    path: str | Path, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> pd.DataFrame:
    """What a query finds in an SQLite file. The file is opened for reading only.

    Parameters
    ----------
    path : str or Path
    query : str
        SQL, or the name of a table, which means all of it.
    parameters : sequence or mapping
        What stands for the `?` (or `:name`) of the query. Never paste a value into the query
        itself: a text with a quote in it breaks it, and a hostile one rewrites it.

    Returns
    -------
    DataFrame
        Whole numbers stay whole where some are missing (pandas' nullable types).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no database, or the query is not understood or gives no table; the tables that
        there are are named.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     path = Path(place) / "shop.db"
    ...     _ = to_sqlite(path, "orders", [{"item": "tea", "n": 2}, {"item": "milk", "n": None}])
    ...     table = sqlite(path, "select item from orders where n > ?", [1])
    >>> table["item"].tolist()
    ['tea']
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            found = connection.execute(
                "select name from sqlite_master where type in ('table', 'view')"
            )
            tables = [name for (name,) in found]
            if query in tables:
                query = f"select * from {_quoted(query)}"
            return pd.read_sql_query(
                query, connection, params=parameters or None, dtype_backend="numpy_nullable"
            )
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{path.name} is no SQLite database: {error}") from error
        except (pd.errors.DatabaseError, TypeError) as error:
            reason: object = error.__cause__ or error
            if isinstance(error, TypeError):
                if connection.execute(query, parameters).description is not None:
                    raise
                reason = f"{query!r} gives no table"
            raise ValueError(
                f"{path.name}: {reason}. Its tables: {', '.join(tables) or 'none'}."
            ) from error


def to_sqlite(path: str | Path, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Add rows to a table of an SQLite file, all of them or none; both are made if need be.

    Parameters
    ----------
    path : str or Path
    table : str
    rows : iterable of mappings
        str, int, float, bytes, bool or None, or numpy's own of these; the columns are those of the
        first row.

    Returns
    -------
    int
        The number of rows added.

    Raises
    ------
    ValueError
        If rows differ in their columns, or a value cannot be kept in SQLite (row and column are
        named), or the table there has other columns, or the file is no database.
    """
    rows = list(rows)
    if not rows:
        return 0
    columns = list(rows[0])
    for place, row in enumerate(rows):
        if set(row) != set(columns):
            raise ValueError(f"rows[{place}] has the columns {list(row)}, the first has {columns}.")
    names = ", ".join(map(_quoted, columns))
    holes = ", ".join("?" * len(columns))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    place = -1

    def values() -> Iterator[list[Any]]:
        nonlocal place
        for place, row in enumerate(rows):  # noqa: B007
            yield [_plain(row[name]) for name in columns]

    with closing(sqlite3.connect(path)) as connection:
        try:
            with connection:  # commits, or takes everything back
                connection.execute("begin")  # else the new table would be kept by itself
                connection.execute(f"create table if not exists {_quoted(table)} ({names})")
                connection.executemany(
                    f"insert into {_quoted(table)} ({names}) values ({holes})", values()
                )
        except _REFUSED as error:
            for name in columns if place >= 0 else ():
                if not _kept(connection, rows[place][name]):
                    raise ValueError(
                        f"rows[{place}], column {name!r}: {rows[place][name]!r:.60} cannot be kept "
                        f"in SQLite ({error})."
                    ) from error
            at = f", rows[{place}]" if place >= 0 else ""
            raise ValueError(f"{Path(path).name}, table {table!r}{at}: {error}.") from error
    return len(rows)


def _plain(value: Any) -> Any:
    """A number of numpy's as Python's own; SQLite would take its bytes."""
    return value.item() if getattr(value, "shape", None) == () else value


def _kept(connection: sqlite3.Connection, value: Any) -> bool:
    try:
        connection.execute("select ?", [_plain(value)])
    except _REFUSED:
        return False
    return True


def _quoted(name: str) -> str:
    if "\0" in name:
        raise ValueError(f"{name!r} cannot be the name of a table or column.")
    return '"' + name.replace('"', '""') + '"'
