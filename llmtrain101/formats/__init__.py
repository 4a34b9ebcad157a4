"""Files of labelled data, all by the same two verbs: `read(path)` and `write(path, rows)`.

A row is a plain dict. Reading streams, writing replaces the old file in one step, types are what
you declare, and an error says where it is.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import GenericAlias, ModuleType
from typing import Any

from llmtrain101.folders import replacing
from llmtrain101.formats import conll, jsonlines, lines, pairs, parquet, squad, tabular, tfrecord
from llmtrain101.formats._rows import (
    FormatError,
    Report,
    Row,
    Rows,
    Where,
    brief,
    endings,
    opened,
)

__all__ = [
    "Conversion",
    "FormatError",
    "Report",
    "Rows",
    "conll",
    "convert",
    "format_of",
    "jsonlines",
    "lines",
    "pairs",
    "parquet",
    "read",
    "squad",
    "tabular",
    "tfrecord",
    "write",
]

_BY_NAME = {
    ".csv": tabular, ".tsv": tabular, ".tab": tabular,
    ".jsonl": jsonlines, ".ndjson": jsonlines, ".json": jsonlines,
    ".tfrecord": tfrecord, ".tfrecords": tfrecord, ".parquet": parquet, ".pq": parquet,
    ".conll": conll, ".conllu": conll, ".conllup": conll, ".iob": conll, ".iob2": conll,
    ".bio": conll, ".txt": lines,
}  # fmt: skip
_PAIRS = re.compile(r"(?:^|\.)[a-z]{2,3}-[a-z]{2,3}\.tsv(?:\.gz)?$")
_SQUAD = re.compile(rb'"(paragraphs|qas)"\s*:\s*\[')


def format_of(path: Where) -> ModuleType:
    """The module that reads and writes a file: by its name, or by how it begins.

    Raises
    ------
    FormatError
        If neither says what it is.

    Examples
    --------
    >>> format_of("labels.jsonl.gz").__name__
    'llmtrain101.formats.jsonlines'
    """
    path = Path(path)
    ending = "".join(endings(path)[-1:])
    found = pairs if _PAIRS.search(path.name.lower()) else _BY_NAME.get(ending)
    if found is not None and ending != ".json":
        return found
    start = b""
    if path.exists():
        with opened(path, Report(path, "report"), tfrecord.is_record) as read_bytes:
            start = read_bytes(1 << 16)
    if ending == ".json":
        return squad if _SQUAD.search(start) and b'"data"' in start else jsonlines
    if start.startswith(b"PAR1"):
        return parquet
    if tfrecord.is_record(start[:12]):
        return tfrecord
    if start.lstrip()[:1] == b"{":
        return jsonlines
    raise FormatError(
        f"neither its name nor its beginning says what it is; rename it to one of "
        f"{', '.join(_BY_NAME)}, or call the format: formats.tabular.read(…)", path,
    )  # fmt: skip


def read(
    path: Where, *, types: Mapping[str, Any] | None = None, errors: str = "raise", **options: Any
) -> Rows:
    """The rows of a file whose format its name tells; options are those of that format's `read`.

    A name that ends like `eng-fra.tsv` stands for pairs, without a line of names.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "spam.tsv"
    ...     _ = path.write_text('ham\\t"Ok lar\\nspam\\tWIN!\\n', encoding="utf-8")
    ...     rows = list(read(path, columns=["label", "text"]))
    >>> rows
    [{'label': 'ham', 'text': '"Ok lar'}, {'label': 'spam', 'text': 'WIN!'}]
    """
    rows: Rows = format_of(path).read(path, types=types, errors=errors, **options)
    return rows


def write(
    path: Where, rows: Iterable[Row], *, types: Mapping[str, Any] | None = None, **options: Any
) -> int:
    """Write rows in the format that the name tells, in one step; returns how many."""
    count: int = format_of(path).write(path, rows, types=types, **options)
    return count


@dataclass(frozen=True)
class Conversion:
    """What `convert` did.

    Attributes
    ----------
    rows : int
    types : dict of str to type
        What the values were; a format without types wants them when it is read.
    lost : dict of str to str
        For each column that came out other than it went in: how many values, and the first.
    """

    rows: int
    types: dict[str, Any]
    lost: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        losses = [f"{name}: {what}" for name, what in self.lost.items()] or ["nothing is lost"]
        return "\n  ".join([f"{self.rows:,} rows", *losses])


def convert(
    source: Where, target: Where, *, lossy: bool = False,
    reading: Mapping[str, Any] | None = None, writing: Mapping[str, Any] | None = None,
) -> Conversion:  # fmt: skip
    """Write the rows of one file as another format, and say what would be lost.

    It is not promised but tried: the new file is read back and held against the old one, value by
    value. It takes its place if all is there, or if you accept the loss.

    Parameters
    ----------
    source, target : path
    lossy : bool
        Whether to go on if values change, for example to float32 in a TFRecord.
    reading, writing : mapping, optional
        Options of the two formats, for example `reading={"types": {"age": int}}`.

    Raises
    ------
    FormatError
        If the target cannot hold a row at all; or if something would be lost and `lossy` is False.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = write(folder / "a.jsonl", [{"text": "two\\nlines", "score": 0.1}])
    >>> print(convert(folder / "a.jsonl", folder / "a.parquet"))
    1 rows
      nothing is lost
    >>> print(convert(folder / "a.jsonl", folder / "a.tfrecord", lossy=True))
    1 rows
      score: 1 changed, first 0.1 → 0.10000000149011612
    """
    reading, options = dict(reading or {}), dict(writing or {})
    seen: dict[str, set[Any]] = {}

    def observed() -> Iterator[Row]:
        for row in read(source, **reading):
            for name, value in row.items():
                seen.setdefault(name, set()).update(_types(value))
            yield row

    target = Path(target)
    with replacing(target) as part:
        # under its own name: that decides the format
        with tempfile.TemporaryDirectory(dir=part.parent, prefix=f".{target.name}.") as folder:
            trial = Path(folder) / target.name
            try:
                count = write(trial, observed(), **options)
            except FormatError as problem:
                if problem.path != str(trial):
                    raise
                message = problem.message
                raise FormatError(message, target, record=problem.record) from None
            types = {name: declared for name, found in seen.items() if (declared := _type(found))}
            back = {key: value for key, value in options.items() if key in _SHARED}
            if format_of(target) is pairs or options.get("header") is False:
                back["columns"] = list(seen)
            held = {name: kind for name, kind in types.items() if _declarable(target, kind)}
            lost = _differences(read(source, **reading), read(trial, types=held, **back))
            if lost and not lossy:
                what = "; ".join(f"{name}: {text}" for name, text in lost.items())
                raise FormatError(f"would be lost: {what}. Pass lossy=True if it may", target)
            os.replace(trial, part)
    return Conversion(count, types, lost)


_SHARED = {"delimiter", "quote", "formulas", "columns", "layout", "largest"}


def _declarable(target: Path, kind: Any) -> bool:
    return format_of(target) not in (tabular, pairs, lines) or "list" not in str(kind)


def _types(value: Any) -> set[Any]:
    if type(value) is not list:
        return {type(value)}
    return {GenericAlias(list, (type(each),)) for each in value} or {list}


def _type(found: set[Any]) -> Any:
    """The one type of a column as `types` takes it, or None if there is not one."""
    optional = type(None) in found
    rest = found - {type(None), list if len(found) > 1 else None}
    if len(rest) != 1:
        return None
    (kind,) = rest
    if kind not in (str, int, float, bool, bytes, dict) and "list[" not in str(kind):
        return None
    if isinstance(kind, GenericAlias) and kind.__args__[0] in (dict, list, type(None)):
        return None
    return kind | None if optional else kind


def _differences(before: Iterable[Row], after: Iterable[Row]) -> dict[str, str]:
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    missing = object()
    nothing: Row = {}
    for old, new in zip_longest(before, after, fillvalue=nothing):
        for name in old.keys() | new.keys():
            a, b = old.get(name, missing), new.get(name, missing)
            if not _same(a, b):
                counts[name] += 1
                texts = ["absent" if each is missing else brief(each) for each in (a, b)]
                first.setdefault(name, " → ".join(texts))
    return {name: f"{counts[name]:,} changed, first {first[name]}" for name in sorted(counts)}


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return bool(a == b or a != a and b != b)
