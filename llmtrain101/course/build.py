"""From `lessons/NN-name.py` to `notebooks/NN-name.ipynb`: executed, outputs kept, no solutions.

A notebook is built again only where the lesson, its checks, or the code of this package that it
uses changed.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from llmtrain101.course import results
from llmtrain101.course.execute import LessonError, execute
from llmtrain101.course.lessons import (
    course_root,
    learner_notebook,
    lesson_path,
    lesson_paths,
    read_lesson,
    tags,
)
from llmtrain101.folders import replacing

if TYPE_CHECKING:
    from nbformat import NotebookNode

_WIDGET = "application/vnd.jupyter.widget-view+json"


def build(
    lessons: Iterable[str] = (),
    *,
    root: Path | None = None,
    force: bool = False,
    fresh_cache: bool = True,
    say: Callable[[str], None] = print,
) -> list[Path]:
    """Build the notebooks that are out of date, and `docs/results.md` from what they measured.

    Parameters
    ----------
    lessons : iterable of str
        Numbers, for example `["01"]`; all of them if empty.
    root : Path, optional
        The folder with `lessons/`; by default the course's own.
    force : bool
        Build also what is up to date.
    fresh_cache : bool
        Start from an empty cache, as a learner's machine does, and note what the lesson took.
        False is quicker while a lesson is being written; nothing is then noted.
    say : callable
        Gets a line about each lesson.

    Returns
    -------
    list of Path
        The notebooks that were written.

    Raises
    ------
    LessonError
        If a cell fails, a starter is not "unattempted", a solution does not pass, or an output
        could not be the same on another machine. The old notebook stays as it was.
    """
    root = root or course_root()
    written = []
    for number in list(lessons) or list(lesson_paths(root)):
        source = lesson_path(number, root)
        target = root / "notebooks" / f"{source.stem}.ipynb"
        stamp = fingerprint(source)
        if not force and _stamp_of(target) == stamp:
            say(f"{source.name}: up to date")
            continue
        say(f"{source.name}: running")
        notebook = learner_notebook(source)
        count = len(notebook.cells)
        whole = copy.deepcopy(notebook)
        whole.cells += _proofs(source)  # run in the same kernel, after the lesson
        environment = {"LLMTRAIN101_COURSE": str(root)}
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as cache:
            if fresh_cache:
                environment["LLMTRAIN101_CACHE"] = cache
            run = execute(whole, f"Lesson {number}", environment, measured=count)
        notebook.cells = whole.cells[:count]
        _tidy(notebook)
        found = faults(notebook) + _wrong_states(source, notebook, whole.cells[count:])
        if found:
            raise LessonError("\n".join(f"Lesson {number}, {fault}" for fault in found))
        notebook.metadata["llmtrain101"] = {"built_from": stamp}
        write_notebook(notebook, target)
        if fresh_cache:
            results.note(root, number, notebook, run)
        say(f"{source.name}: built in {run.seconds:.0f} s, {run.peak_memory_mb:.0f} MB")
        written.append(target)
    return written


def fingerprint(lesson: Path, package: Path | None = None) -> str:
    """A hash of all the code that the outputs of a lesson come from.

    That is the lesson, its module of checks, and every module of this package that these import,
    directly or not.
    """
    package = package or Path(__file__).resolve().parent.parent
    checks = package / "course" / "checks" / f"lesson_{lesson.name[:2]}.py"
    found: set[Path] = set()
    todo = [lesson, *([checks] if checks.exists() else [])]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _imported(path, package)
    digest = hashlib.blake2b(digest_size=12)
    for path in sorted(found - {lesson}) + [lesson]:
        name = path.relative_to(package).as_posix() if path != lesson else path.name
        text = path.read_text(encoding="utf-8")  # so that line ends do not count
        digest.update(f"{name}\n{len(text)}\n{text}".encode())
    return digest.hexdigest()


def disagreements(root: Path | None = None) -> list[str]:
    """Where `lessons/` and `notebooks/` tell different stories: cells, tags or whole files.

    Outputs are not looked at: running the notebooks compares them.
    """
    root = root or course_root()
    found = []
    built = {path.stem: path for path in (root / "notebooks").glob("*.ipynb")}
    for number, source in lesson_paths(root).items():
        path = built.pop(source.stem, None)
        how = f"run `llmtrain101 build {number}`."
        if path is None:
            found.append(f"lessons/{source.name} has no notebook: {how}")
            continue
        old, new = _read(path).cells, learner_notebook(source).cells
        if len(old) != len(new):
            found.append(f"{path.name} has {len(old)} cells, its lesson {len(new)}: {how}")
        for place, (there, here) in enumerate(zip(old, new, strict=False), start=1):
            if any(there[key] != here[key] for key in ("cell_type", "source", "metadata", "id")):
                found.append(f"{path.name}, cell {place} is not what its lesson has: {how}")
                break
    found += [f"notebooks/{path.name} has no lesson: delete it." for path in built.values()]
    return found


def faults(notebook: NotebookNode) -> list[str]:
    """What in the outputs would not hold on another machine or not reach every reader.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_notebook, new_output
    >>> printed = new_output("stream", name="stdout", text="<object at 0x7f12>")
    >>> faults(new_notebook(cells=[new_code_cell("print(x)", outputs=[printed])]))
    ['cell 1 shows an address in memory (0x7f12), another one each time: end its last line with `;`\
 or print something else.']
    """
    found = []
    for place, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text = output.get("text", "") + data.get("text/plain", "")
            if output.output_type == "error":
                found.append(f"cell {place} shows the error {output.ename}.")
            if output.get("name") == "stderr":
                found.append(
                    f"cell {place} writes to standard error, which differs between machines: "
                    f"{text.strip()[:200]}"
                )
            if address := re.search(r"\b0x[0-9a-f]{4,}\b", text):
                found.append(
                    f"cell {place} shows an address in memory ({address[0]}), another one each "
                    "time: end its last line with `;` or print something else."
                )
            markup = data.get("text/html", "")
            images = re.findall(r"<img\b[^>]*>", markup)
            named = all(re.search(r'\balt="[^"]*\w', image) for image in images)
            if not named or (any(kind.startswith("image/") for kind in data) and not images):
                found.append(
                    f"cell {place} shows a picture without alt text: use `course.figure(ax, alt)`."
                )
    return found


def to_html(path: Path) -> str:
    """A notebook as a page on its own; its pictures keep their alt text."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(embed_images=True)  # type: ignore[no-untyped-call]
    page, _ = exporter.from_filename(str(path))
    return str(page)


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook as one that git can compare; an old one is replaced in one step."""
    import nbformat

    with replacing(path) as part:
        text = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
        part.write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")


def _stamp_of(path: Path) -> str:
    if not path.exists():
        return ""
    return str(_read(path).metadata.get("llmtrain101", {}).get("built_from"))


def _read(path: Path) -> NotebookNode:
    import nbformat

    notebook: NotebookNode = nbformat.read(path, 4)  # type: ignore[no-untyped-call]
    return notebook


def _imported(path: Path, package: Path) -> list[Path]:
    """The files of this package that a file imports, at whatever depth of its code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = []
    for name in names:
        first, *parts = name.split(".")
        if first == package.name:
            # importing a.b.c runs a and a.b too
            folders = [package.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
            files += [folder / "__init__.py" for folder in folders]
            files.append(package.joinpath(*parts).with_suffix(".py"))
    return [file for file in files if file.is_file()]


def _check_cell(cells: Iterable[NotebookNode], id: str) -> int | None:
    """Which cell calls the check of an exercise (a line that is commented out does not)."""
    call = re.compile(rf"""^[^#\n]*\bcheck\(\s*["']{re.escape(id)}["']""", re.MULTILINE)
    for place, cell in enumerate(cells):
        if cell.cell_type == "code" and call.search(cell.source):
            return place
    return None


def _solutions(source: Path) -> list[tuple[str, NotebookNode]]:
    cells = read_lesson(source).cells
    return [
        (tag.removeprefix("exercise-"), cell)
        for cell in cells
        if "solution" in tags(cell)
        for tag in tags(cell)
        if tag.startswith("exercise-")
    ]


def _proofs(source: Path) -> list[NotebookNode]:
    """Cells to run after a lesson: every solution, and behind it the check of its exercise."""
    cells = learner_notebook(source).cells
    proofs = []
    for id, solution in _solutions(source):
        place = _check_cell(cells, id)
        if place is None or "starter" in tags(cells[place]):
            raise LessonError(
                f"{source.name}: exercise {id} needs a cell of its own, after its starter and "
                f'its solution, that calls `course.check("{id}", …)`.'
            )
        proofs += [solution, cells[place]]
    return proofs


def _wrong_states(source: Path, notebook: NotebookNode, proofs: list[NotebookNode]) -> list[str]:
    """Exercises whose starter is not "unattempted" or whose solution does not pass."""
    found = []
    for number, (id, _) in enumerate(_solutions(source)):
        place = _check_cell(notebook.cells, id)
        assert place is not None  # _proofs looked
        for what, cell, state in (
            ("starter", notebook.cells[place], "unattempted"),
            ("solution", proofs[2 * number + 1], "passed"),
        ):
            shown = "\n".join(
                output.get("text", "") or output.get("data", {}).get("text/plain", "")
                for output in cell.outputs
            )
            if f"Exercise {id} {state}" not in shown:
                found.append(f'the {what} of exercise {id} is not "{state}": {shown.strip()}')
    return found


def _tidy(notebook: NotebookNode) -> None:
    """Keep of the outputs what is the same at every run: no widget ids, no passed progress."""
    for cell in notebook.cells:
        kept: list[NotebookNode] = []
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data.pop(_WIDGET, None)
            before = kept[-1] if kept else {}
            if output.output_type == "stream" and before.get("name") == output.name:
                before["text"] += output.text
            else:
                kept.append(output)
        for output in kept:
            if output.output_type == "stream":  # a progress bar rewrites its line
                output.text = re.sub(r"(?m)^.*\r(?=[^\n])", "", output.text)
        if cell.cell_type == "code":
            cell.outputs = kept
