"""Docstrings of the installed packages: real English on every machine, read with `ast`.

Nothing is imported, so nothing is run. A first read takes seconds, later ones come from a cache.
It runs in one process on purpose: with the garbage collector off, as below, the whole takes about
10 s, and of that a second process would win back little more than its own start.
"""

from __future__ import annotations

import ast
import gc
import gzip
import hashlib
import json
import os
import platform
import warnings
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from llmtrain101.folders import cache_folder, replacing
from llmtrain101.progress import bar
from llmtrain101.sources import _installed

if TYPE_CHECKING:
    import pandas as pd

PACKAGES = (
    "numpy", "scipy", "pandas", "matplotlib", "sklearn", "torch", "transformers", "python",
)  # fmt: skip
DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # where the name to install is not the one to import

# Tests hold few sentences and many copies: two of three files, one text in seven.
TEST_FOLDERS = {"test", "tests", "idle_test"}
LARGEST = 4_000_000  # bytes; a longer file is generated code, and its tree would fill the memory

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = (
    ast.Module, *_DEFINITIONS, ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith,
    ast.Try, ast.TryStar, ast.ExceptHandler, ast.Match, ast.match_case,
)  # fmt: skip
_FIELDS = ("body", "handlers", "orelse", "finalbody", "cases")


class _File(NamedTuple):
    """A Python file: its path as shown (relative, with slashes), its size in bytes, its place."""

    path: str
    size: int
    place: str


def docstrings(packages: str | Sequence[str] = PACKAGES, *, show: bool = True) -> pd.DataFrame:
    """Every docstring of the given packages, in the order of the files.

    Parameters
    ----------
    packages : str or sequence of str
        Names as they are imported (`"sklearn"`); `"python"` is the standard library. The default
        are the eight that come with the course.
    show : bool
        Whether to show a progress bar; a first read takes seconds, later ones come from a cache.

    Returns
    -------
    DataFrame, one row for each docstring, with columns of strings
        text : the docstring, its indentation removed (`inspect.cleandoc`); never blank, and always
            encodable as UTF-8;
        package : one of `packages`;
        module : dotted name, for example `"json.decoder"`;
        name : qualified name in the module, for example `"JSONDecoder.decode"` (a function in a
            function is `"outer.<locals>.inner"`); empty for the module itself;
        kind : `"module"`, `"class"` or `"function"` (methods too);
        path : of the file, relative, with slashes on every system.

        `table.attrs["skipped"]` maps the path of each file that could not be read to the reason.
        Tests are left out, and files whose path could not be imported.

    Raises
    ------
    ModuleNotFoundError
        If a package is not installed; all that are missing are named.
    ValueError
        If a name has a dot in it, or if no name is given.

    Examples
    --------
    >>> table = docstrings("json", show=False)
    >>> list(table.columns)
    ['text', 'package', 'module', 'name', 'kind', 'path']
    >>> decoder = table[table.name == "JSONDecoder"].iloc[0]
    >>> decoder.module, decoder.kind, decoder.path
    ('json.decoder', 'class', 'json/decoder.py')
    >>> decoder.text.splitlines()[0]
    'Simple JSON <https://json.org> decoder'
    """
    import pandas as pd

    names = list(dict.fromkeys([packages] if isinstance(packages, str) else packages))
    if not names:
        raise ValueError("docstrings() got no package. Name some, or leave `packages` out.")
    files = {name: list(_files(name)) for name in names}
    if absent := {name: DISTRIBUTIONS.get(name, name) for name in names if not files[name]}:
        raise _installed.missing("docstrings()", absent)

    caches = {name: _cache_file(name, files[name]) for name in names}
    known = {name: _from_cache(caches[name]) for name in names}
    read = sum(len(files[name]) for name in names if known[name] is not None)
    columns: dict[str, list[str]] = {
        key: [] for key in ("text", "package", "module", "name", "kind", "path")
    }
    skipped: dict[str, str] = {}
    total = sum(map(len, files.values()))
    # shown also if all is in the cache: a notebook then prints the same at each run
    with bar(total, "reading docstrings, this once", unit="file", done=read, show=show) as progress:
        for package in names:
            records = known[package]
            if records is None:
                records = _read_all(files[package], progress)
                _to_cache(caches[package], records)
            for record in records:
                if "skipped" in record:
                    skipped[record["path"]] = record["skipped"]
                    continue
                module = _module(record["path"])
                for kind, name, text in record["found"]:
                    row = (text, package, module, name, kind, record["path"])
                    for column, value in zip(columns.values(), row, strict=True):
                        column.append(value)
    table = pd.DataFrame(columns)
    table.attrs["skipped"] = skipped
    return table


def _files(package: str) -> Iterator[_File]:
    for root in _installed.folders(package):
        if root.suffix == ".py":
            yield _File(root.name, root.stat().st_size, str(root))
        elif root.is_dir():
            yield from _walk(str(root), "" if package == "python" else f"{root.name}/")


def _walk(folder: str, prefix: str) -> Iterator[_File]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            # what is no identifier cannot be imported: site-packages, data, scripts
            if entry.is_dir(follow_symlinks=False):
                if entry.name.isidentifier() and entry.name not in TEST_FOLDERS:
                    yield from _walk(entry.path, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".py") and entry.name[:-3].isidentifier():
                if not entry.name.startswith("test_") and entry.name != "conftest.py":
                    yield _File(prefix + entry.name, entry.stat().st_size, entry.path)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _read_all(files: list[_File], progress: Any) -> list[dict[str, Any]]:
    """One record for each file that has docstrings or that could not be read."""
    records: list[dict[str, Any]] = []
    collects = gc.isenabled()
    gc.disable()  # a tree is a million small objects in no cycle: collecting costs half the time
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other people's escapes such as "\d"
            for file in files:
                try:
                    if found := _read(file):
                        records.append({"path": file.path, "found": found})
                # a null byte is a ValueError, deep nesting a RecursionError or a MemoryError
                except (SyntaxError, ValueError, RecursionError, MemoryError, OSError) as error:
                    reason = f"{type(error).__name__}: {getattr(error, 'msg', None) or error}"
                    records.append({"path": file.path, "skipped": reason})
                    count = sum("skipped" in record for record in records)
                    progress.set_postfix_str(f"{count} skipped", refresh=False)
                progress.update()
    finally:
        if collects:
            gc.enable()
    return records


def _read(file: _File) -> list[tuple[str, str, str]]:
    """Kind, qualified name and text of each docstring of a file, in its order."""
    if file.size > LARGEST:
        raise ValueError(f"longer than {LARGEST:,} bytes")
    found = []
    todo: list[tuple[ast.AST, str]] = [(ast.parse(Path(file.place).read_bytes()), "")]
    while todo:  # not recursive: a chain of `elif` nests as deep as it is long
        node, inside = todo.pop()
        if isinstance(node, (ast.Module, *_DEFINITIONS)):
            name = "" if isinstance(node, ast.Module) else inside + node.name
            kind = {ast.Module: "module", ast.ClassDef: "class"}.get(type(node), "function")
            text = ast.get_docstring(node) or ""
            if text.strip():  # half of a surrogate pair is legal in Python, but not in UTF-8
                found.append((kind, name, text.encode("utf-8", "replace").decode("utf-8")))
            if name:
                inside = f"{name}." if kind == "class" else f"{name}.<locals>."
        children = [child for field in _FIELDS for child in getattr(node, field, ())]
        todo += [(child, inside) for child in reversed(children) if isinstance(child, _BLOCKS)]
    return found


def _cache_file(package: str, files: list[_File]) -> Path:
    """A name that changes with the files read, with Python, and with the code of this module."""
    digest = hashlib.blake2b(Path(__file__).read_bytes(), digest_size=8)
    digest.update(platform.python_version().encode())
    for file in files:
        digest.update(f"\n{file.path} {file.size}".encode())
    return cache_folder() / "docstrings" / f"{package}-{digest.hexdigest()}.jsonl.gz"


def _from_cache(cache: Path) -> list[dict[str, Any]] | None:
    try:
        with gzip.open(cache, "rt", encoding="utf-8") as lines:
            length, *records = [json.loads(line) for line in lines]
    except (OSError, EOFError, ValueError, zlib.error):  # missing or damaged: made again
        return None
    return records if length == len(records) else None


def _to_cache(cache: Path, records: list[dict[str, Any]]) -> None:
    try:
        with replacing(cache) as part, gzip.open(part, "wt", 5, "utf-8", newline="\n") as lines:
            for record in [len(records), *records]:
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")
    except OSError as error:
        warnings.warn(
            f"The docstrings were read but could not be kept in {cache.parent} ({error}), so the "
            "next read takes as long. LLMTRAIN101_CACHE can name another folder.",
            RuntimeWarning,
            stacklevel=3,
        )
