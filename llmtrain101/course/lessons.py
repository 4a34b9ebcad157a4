"""The lessons as files: where they lie, their cells, and which cell makes a name."""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode


def course_root() -> Path:
    """The folder with `lessons/` and `notebooks/`: the clone's, or what the wheel carries.

    `LLMTRAIN101_COURSE` names another one, for lessons of your own.

    Raises
    ------
    FileNotFoundError
        If the lessons are in none of these places.
    """
    package = Path(__file__).resolve().parent.parent
    if chosen := os.environ.get("LLMTRAIN101_COURSE"):
        places = [Path(chosen)]
    else:
        places = [package.parent, package / "_course"]
    for place in places:
        if (place / "lessons").is_dir():
            return place
    raise FileNotFoundError(
        f"No lessons in {' or '.join(str(place) for place in places)}. "
        "Install llmtrain101 again, or start it from a clone of its repository."
    )


def lesson_paths(root: Path | None = None) -> dict[str, Path]:
    """The source of every lesson by its number, in order: `{"00": …/00-start-here.py}`."""
    folder = (root or course_root()) / "lessons"
    return {path.name[:2]: path for path in sorted(folder.glob("[0-9][0-9]-*.py"))}


def lesson_path(lesson: str, root: Path | None = None) -> Path:
    """The source of one lesson; `"9"` is `"09"`.

    Raises
    ------
    ValueError
        If there is no such lesson; the message lists those that there are.
    """
    paths = lesson_paths(root)
    lesson = lesson.zfill(2)
    if lesson not in paths:
        raise ValueError(f"There is no lesson {lesson!r}; there are {', '.join(paths) or 'none'}.")
    return paths[lesson]


def read_lesson(path: Path) -> NotebookNode:
    """A lesson's source as a notebook without outputs, solutions included."""
    import jupytext

    notebook: NotebookNode = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    return notebook


def learner_notebook(path: Path) -> NotebookNode:
    """The notebook that a lesson becomes, not yet executed: without the solution cells.

    Ids of cells come from what they hold, so that building twice gives the same file.
    """
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cells, seen = [], Counter[str]()
    for cell in read_lesson(path).cells:
        if "solution" in tags(cell):
            continue
        key = f"{cell.cell_type}\n{cell.source}"
        seen[key] += 1
        id = hashlib.blake2b(f"{key}\n{seen[key]}".encode(), digest_size=4).hexdigest()
        new = new_code_cell if cell.cell_type == "code" else new_markdown_cell
        kept = ("tags", "jupyter")  # `jupyter={"source_hidden": true}` folds a cell's code away
        metadata = {key: cell.metadata[key] for key in kept if cell.metadata.get(key)}
        cells.append(new(cell.source, id=id, metadata=metadata))  # type: ignore[no-untyped-call]
    python = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook: NotebookNode = new_notebook(  # type: ignore[no-untyped-call]
        cells=cells,
        metadata={"kernelspec": kernel, "language_info": {**python, "pygments_lexer": "ipython3"}},
    )
    return notebook


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def title(path: Path) -> str:
    """The first heading of a lesson, read without jupytext because every lesson starts with it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "00-start-here.py"
    ...     _ = path.write_text("# %% [markdown]\\n# # Start here\\n", encoding="utf-8")
    ...     title(path)
    'Start here'
    """
    found = re.search(r"^# # (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1).strip() if found else path.stem[3:].replace("-", " ")


@dataclass(frozen=True)
class Cell:
    """A code cell and the heading it stands under."""

    source: str
    heading: str


def headings(cells: Iterable[Mapping[str, Any]]) -> list[str]:
    """The nearest heading above (or in) each cell; empty before the first.

    Examples
    --------
    >>> text = {"cell_type": "markdown", "source": "## By hand"}
    >>> headings([{"cell_type": "code", "source": "# no heading"}, text])
    ['', 'By hand']
    """
    heading, found = "", []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            for match in re.finditer(r"^#{1,6} +(.+)$", _source(cell), re.MULTILINE):
                heading = match.group(1).strip()
        found.append(heading)
    return found


def code_cells(cells: Sequence[Mapping[str, Any]]) -> list[Cell]:
    """The code cells of a notebook (as `json` or `nbformat` reads it), each with its heading.

    Examples
    --------
    >>> cells = [{"cell_type": "markdown", "source": "## By hand"},
    ...          {"cell_type": "code", "source": ["x = 1\\n", "y = 2"]}]
    >>> code_cells(cells)
    [Cell(source='x = 1\\ny = 2', heading='By hand')]
    """
    return [
        Cell(_source(cell), heading)
        for cell, heading in zip(cells, headings(cells), strict=True)
        if cell["cell_type"] == "code"
    ]


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]  # a list of lines in the file
    return source if isinstance(source, str) else "".join(source)


def names_made(source: str) -> set[str]:
    """The names that a cell binds when it runs: assigned, defined, imported, looped over.

    Lines that only IPython knows (`%time`, `!ls`, `name?`) are skipped; a cell that is not
    Python makes nothing.

    Examples
    --------
    >>> sorted(names_made("%matplotlib inline\\nimport math as m\\nx, y = 1, [i for i in 'ab']"))
    ['m', 'x', 'y']
    """
    lines = ["" if re.match(r"\s*[%!?]|.*\?\s*$", line) else line for line in source.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return set()
    made: set[str] = set()
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)  # what is inside belongs to it
        elif isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp):
            pass
        elif isinstance(node, ast.GeneratorExp):
            pass
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
        else:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                made.add(node.id)
            todo.extend(ast.iter_child_nodes(node))
    return made
