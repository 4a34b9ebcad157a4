"""How a lesson begins, and what helps when its cells run out of order."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from llmtrain101.course.lessons import Cell, code_cells, course_root, names_made

if TYPE_CHECKING:
    from collections.abc import Iterator

_lesson = ""  # the one that `start` was called with

_STARTUP = """\
# Written by llmtrain101: a name that is missing is looked up in the lesson, even when the kernel
# was restarted and the lesson's first cell has not run again.
try:
    from llmtrain101.course.kernel import install_name_help
except ImportError:
    pass
else:
    install_name_help()
"""


def start(lesson: str) -> None:
    """Begin a lesson: say what runs it, and help from now on when a name is missing.

    Examples
    --------
    >>> start("99")                                                       # doctest: +ELLIPSIS
    Lesson 99 is ready.
    ⟪Python ..., PyTorch ..., ... cores⟫
    """
    global _lesson
    from llmtrain101.course.show import varies

    _lesson = lesson
    install_name_help()
    print(f"Lesson {lesson} is ready.")
    python = ".".join(str(part) for part in sys.version_info[:3])
    varies(f"Python {python}, PyTorch {version('torch')}, {os.cpu_count()} cores")


def started() -> str:
    """The lesson that this kernel has begun, or "" if none."""
    return _lesson


def install_name_help() -> None:
    """Let IPython explain a `NameError`; without IPython nothing is done."""
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((NameError,), _explain)


def kernel_environment(folder: Path) -> dict[str, str]:
    """What the kernels of a learner's folder need in their environment; writes what it names.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(kernel_environment(Path(folder)))
    ['IPYTHONDIR', 'LLMTRAIN101_FOLDER']
    """
    ipython = folder.resolve() / ".llmtrain101" / "ipython"
    startup = ipython / "profile_default" / "startup" / "00-llmtrain101.py"
    startup.parent.mkdir(parents=True, exist_ok=True)
    startup.write_text(_STARTUP, encoding="utf-8", newline="\n")
    return {"IPYTHONDIR": str(ipython), "LLMTRAIN101_FOLDER": str(folder.resolve())}


def where_made(name: str, running: str, cells: list[Cell]) -> str:
    """A sentence that says which cell makes a name; empty if none does.

    Parameters
    ----------
    name : str
    running : str
        Source of the cell that missed it.
    cells : list of Cell
        The lesson, in order.

    Examples
    --------
    >>> cells = [Cell("model = 1", "By hand"), Cell("print(model)", "Look")]
    >>> where_made("model", "print(model)", cells)
    '`model` is made in a cell under “By hand”, which has not run since the kernel started. \
Run the cells above first: menu Run → Run All Above Selected Cell.'
    >>> where_made("modle", "print(modle)", cells)
    ''
    """
    places = [place for place, cell in enumerate(cells) if name in names_made(cell.source)]
    if not places:
        return ""
    here = next((i for i, cell in enumerate(cells) if cell.source.strip() == running.strip()), None)
    before = [place for place in places if here is None or place < here]
    heading = cells[before[-1] if before else places[0]].heading
    made = f"`{name}` is made in a cell " + (f"under “{heading}”" if heading else "at the top")
    if before:
        return (
            f"{made}, which has not run since the kernel started. "
            "Run the cells above first: menu Run → Run All Above Selected Cell."
        )
    if here in places:
        return f"{made}, this one: but it is used there before it is made."
    return f"{made} further down: run that cell first, then this one again."


def _notebooks(running: str) -> Iterator[list[Cell]]:
    """The cells of the notebook that is open, or else of the lesson that holds this cell."""
    opened = os.environ.get("JPY_SESSION_NAME")  # set by the server: path of the open notebook
    paths = [Path(opened)] if opened else []
    shipped = sorted((course_root() / "notebooks").glob("*.ipynb"))
    paths += [path for path in shipped if _lesson and path.name.startswith(f"{_lesson}-")]
    known = set(paths)
    paths += [path for path in shipped if path not in known]
    for path in paths:
        try:
            cells = code_cells(json.loads(path.read_text(encoding="utf-8"))["cells"])
        except (OSError, ValueError, KeyError):
            continue
        if path in known or any(cell.source.strip() == running.strip() for cell in cells):
            yield cells


def help_with(name: str, running: str, existing: set[str]) -> str:
    """What to tell a learner who used a name that does not exist (yet)."""
    import difflib

    if re.search(
        rf"(?<![\"'\w])[\w-]*\b{re.escape(name)}\b[\w-]*\.(txt|md|csv|tsv|jsonl?)\b", running
    ):
        return f"There is no `{name}`: the name of a file stands in quotes."
    try:
        notebooks = list(_notebooks(running))
    except OSError:
        notebooks = []
    for cells in notebooks:
        if said := where_made(name, running, cells):
            return said
    lesson_names = {
        made for cells in notebooks for cell in cells for made in names_made(cell.source)
    }
    near = difflib.get_close_matches(name, sorted(existing | lesson_names), n=1, cutoff=0.7)
    if near:
        return f"There is no `{name}`. Did you mean `{near[0]}`?"
    return f"There is no `{name}`: no cell of this lesson makes it. Is it spelled as you meant?"


def _explain(
    shell: Any,
    kind: type[BaseException],
    error: NameError,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> list[str]:
    """IPython's handler: the usual traceback, then one sentence of help as its last line."""
    lines: list[str] = shell.InteractiveTB.structured_traceback(
        kind, error, trace, tb_offset=tb_offset
    )
    last = trace
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    in_a_cell = last is not None and last.tb_frame.f_globals is shell.user_ns
    if in_a_cell and error.name and not isinstance(error, UnboundLocalError):
        inputs = shell.user_ns.get("In") or [""]
        existing = {name for name in shell.user_ns if not name.startswith("_")}
        lines = [*lines, "", f"→ {help_with(error.name, inputs[-1], existing)}"]
    shell._showtraceback(kind, error, lines)
    return lines
