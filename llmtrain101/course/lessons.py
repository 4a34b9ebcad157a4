"""The lessons as files: where they lie, their cells, and which cell makes a name."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """The source of one lesson.

    Raises
    ------
    ValueError
        If there is no such lesson; the message lists those that there are.
    """
    paths = lesson_paths(root)
    if lesson not in paths:
        raise ValueError(f"There is no lesson {lesson!r}; there are {', '.join(paths) or 'none'}.")
    return paths[lesson]


def read_lesson(path: Path) -> NotebookNode:
    """A lesson's source as a notebook without outputs, solutions included."""
    import jupytext

    notebook: NotebookNode = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
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


def code_cells(notebook: dict[str, object]) -> list[Cell]:
    """The code cells of a notebook (as `json` or `nbformat` reads it), each with its heading.

    Examples
    --------
    >>> cells = [{"cell_type": "markdown", "source": "## By hand"},
    ...          {"cell_type": "code", "source": ["x = 1\\n", "y = 2"]}]
    >>> code_cells({"cells": cells})
    [Cell(source='x = 1\\ny = 2', heading='By hand')]
    """
    heading, found = "", []
    cells: Iterable[dict[str, object]] = notebook["cells"]  # type: ignore[assignment]
    for cell in cells:
        lines = cell["source"]
        source = lines if isinstance(lines, str) else "".join(lines)  # type: ignore[arg-type]
        if cell["cell_type"] == "markdown":
            for match in re.finditer(r"^#{1,6} +(.+)$", source, re.MULTILINE):
                heading = match.group(1).strip()
        elif cell["cell_type"] == "code":
            found.append(Cell(source, heading))
    return found


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
