"""A folder of texts as rows. Files that hold many rows each are read by `formats`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     _ = (Path(place) / "b.txt").write_bytes("café".encode("cp1252"))
    ...     _ = (Path(place) / "a.txt").write_bytes("café".encode("utf-8"))
    ...     [(row["path"], row["text"], row["problem"]) for row in folder(place)]
    [('a.txt', 'café', None), ('b.txt', 'café', 'not utf-8-sig, read as cp1252')]
    """
    root = Path(path)
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root}")
    inside = root.resolve()
    files = sorted(file for file in root.glob(pattern) if file.is_file())
    if not files:
        raise FileNotFoundError(f"no file in {root} is called {pattern}")
    rows: list[dict[str, Any]] = []
    for file in files:
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
