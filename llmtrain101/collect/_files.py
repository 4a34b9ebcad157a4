"""Folders as rows: of texts, a row each, or of files that `formats` reads, many rows each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmtrain101 import formats

LARGEST = 50_000_000  # bytes


def folder(
    path: str | Path,
    pattern: str = "**/*.txt",
    *,
    encodings: Sequence[str] = ("utf-8-sig", "cp1252"),
    largest: int = LARGEST,
) -> list[dict[str, Any]]:
    """One row for each file of a folder, in the order of their names.

    Parameters
    ----------
    path : str or Path
    pattern : str
        Which files, as for `Path.glob`; `**/` means in folders below too.
    encodings : sequence of str
        Tried in this order. UTF-8 first: a text in another encoding is hardly ever valid UTF-8,
        while cp1252 reads almost anything, rightly or not. A `Pipeline` with `repair_encoding`
        mends what was read wrongly.
    largest : int
        A file of more bytes is not read.

    Returns
    -------
    list of dict
        path : relative to the folder, with slashes on every system;
        text : str, or None if the file could not be read;
        problem : str, what was wrong, or None.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no such file in it.
    TypeError
        If `encodings` is one str.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     _ = (Path(place) / "b.txt").write_bytes("café".encode("cp1252"))
    ...     _ = (Path(place) / "a.txt").write_bytes("café".encode("utf-8"))
    ...     [(row["path"], row["text"], row["problem"]) for row in folder(place)]
    [('a.txt', 'café', None), ('b.txt', 'café', 'not utf-8-sig, read as cp1252')]
    """
    if isinstance(encodings, str):
        raise TypeError(f"encodings takes several; for one, write encodings=[{encodings!r}].")
    root = Path(path)
    inside = root.resolve()
    rows: list[dict[str, Any]] = []
    for file in _found(root, pattern):
        name = file.relative_to(root).as_posix()
        text: str | None
        problem: str | None
        if not file.resolve().is_relative_to(inside):  # a link that leads elsewhere
            text, problem = None, "leads out of the folder"
        elif file.stat().st_size > largest:
            text, problem = None, f"longer than {largest:,} bytes"
        else:
            text, problem = _text(file, encodings)
        rows.append({"path": name, "text": text, "problem": problem})
    return rows


def files(path: str | Path, pattern: str = "**/*.csv", **options: Any) -> list[dict[str, Any]]:
    """All rows of all files of a folder, in the order of the names of the files.

    Parameters
    ----------
    path : str or Path
    pattern : str
        Which files: CSV, JSON Lines, or whatever else `formats.read` knows.
    **options
        For `formats.read`, the same for all files. With `errors="report"` it goes on past rows
        that are damaged, and warns of how many there were.

    Returns
    -------
    list of dict
        The columns of the files, and `path`: the file, relative to the folder, with slashes.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no such file in it.
    ValueError
        If a file has a column called `path`, or is damaged; file and line are named.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     for year in (2023, 2024):
    ...         text = f"item,sold\\ntea,{year}\\n"
    ...         _ = (Path(place) / f"{year}.csv").write_text(text, encoding="utf-8")
    ...     files(place)[1]
    {'path': '2024.csv', 'item': 'tea', 'sold': '2024'}
    """
    root = Path(path)
    rows: list[dict[str, Any]] = []
    for file in _found(root, pattern):
        name = file.relative_to(root).as_posix()
        found = formats.read(file, **options)
        for row in found:
            if "path" in row:
                raise ValueError(f"{name} has a column 'path'; read it with formats.read().")
            rows.append({"path": name, **row})
        if found.report.damaged:
            warnings.warn(f"{name}: {found.report}", RuntimeWarning, stacklevel=2)
    return rows


def _found(root: Path, pattern: str) -> list[Path]:
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root}")
    found = sorted(file for file in root.glob(pattern) if file.is_file())
    if not found:
        raise FileNotFoundError(f"no file in {root} is called {pattern}")
    return found


def _text(file: Path, encodings: Sequence[str]) -> tuple[str | None, str | None]:
    try:
        data = file.read_bytes()
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        first = encoding == encodings[0]
        return text, None if first else f"not {encodings[0]}, read as {encoding}"
    return None, f"in none of the encodings {', '.join(encodings)}"
