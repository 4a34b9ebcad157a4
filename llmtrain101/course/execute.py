"""Run a lesson's cells in a kernel of its own, without a browser, and measure what it costs."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmtrain101.course.lessons import headings, learner_notebook, lesson_path, read_lesson

if TYPE_CHECKING:
    from nbformat import NotebookNode

CELL_LIMIT = 600  # seconds after which a cell is given up; what it *may* take is a test's business


class LessonError(Exception):
    """A lesson that does not build or run; the message names lesson, cell and error."""


@dataclass
class Run:
    """What running a notebook cost, and the verdicts that its experiments reached."""

    seconds: float = 0.0
    cell_seconds: list[float] = field(default_factory=list)  # one for each cell, 0 for text
    peak_memory_mb: float = 0.0  # resident memory of the kernel and its children, added up
    verdicts: list[dict[str, Any]] = field(default_factory=list)  # as `experiment` records them


def execute(
    notebook: NotebookNode,
    name: str,
    environment: Mapping[str, str] | None = None,
    *,
    measured: int | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Run a notebook from top to bottom in a fresh kernel and an empty folder; fill in its outputs.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    name : str
        Of the lesson, for messages.
    environment : mapping, optional
        Set for the kernel, beside what this process has.
    measured : int, optional
        How many cells, from the first, count in the times; by default all.
    say : callable, optional
        Gets each heading when its first cell runs.

    Raises
    ------
    LessonError
        If a cell raises, takes more than `CELL_LIMIT` seconds or kills the kernel.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    run = Run(cell_seconds=[0.0] * len(notebook.cells))
    under = headings(notebook.cells)
    clock = {"cell": -1, "begin": 0.0, "end": 0.0}
    told = [""]

    def begin(cell: NotebookNode, cell_index: int) -> None:
        if say and under[cell_index] != told[-1]:
            told.append(under[cell_index])
            say(told[-1])
        clock.update(cell=cell_index, begin=time.perf_counter())

    def end(cell: NotebookNode, cell_index: int, execute_reply: object) -> None:
        run.cell_seconds[cell_index] = time.perf_counter() - clock["begin"]
        if measured is None or cell_index < measured:
            clock["end"] = time.perf_counter()
            run.verdicts = read_record()

    def read_record() -> list[dict[str, Any]]:
        if not record.exists():
            return []
        return [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        record = Path(scratch, "verdicts.jsonl")
        folder = Path(scratch, "course")
        folder.mkdir()
        variables = {
            **os.environ,
            "IPYTHONDIR": str(Path(scratch, "ipython")),  # nobody's own start-up files
            "LLMTRAIN101_FOLDER": "",  # and nobody's progress
            "LLMTRAIN101_RECORD": str(record),
            **(environment or {}),
        }
        client = NotebookClient(
            notebook,
            timeout=CELL_LIMIT,
            kernel_name="python3",
            store_widget_state=False,  # its ids are random
            record_timing=False,
            extra_arguments=["--IPKernelApp.log_level=40"],  # its start-up notes are not ours
            on_cell_execute=begin,
            on_cell_executed=end,
        )
        started = time.perf_counter()
        try:
            with _peak_memory(run):
                client.execute(env=variables, cwd=str(folder))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            place = int(clock["cell"])
            where = f"{name}, cell {place + 1}" + (
                f" (under “{under[place]}”)" if under[place] else ""
            )
            if isinstance(error, CellExecutionError):
                what = f"{error.ename}: {error.evalue}\n{notebook.cells[place].source}"
            elif isinstance(error, CellTimeoutError):
                what = f"it took more than {CELL_LIMIT} s"
            else:
                what = "its kernel died; often there was not enough memory"
            raise LessonError(f"{where} stopped: {what}") from error
        run.seconds = clock["end"] - started
    return run


def run_lesson(
    lesson: str, *, solutions: bool = False, say: Callable[[str], None] = print
) -> list[dict[str, Any]]:
    """Run a lesson without a browser, in a folder of its own, and tell its verdicts.

    Parameters
    ----------
    lesson : str
        For example `"09"`.
    solutions : bool
        Run the solution cells too (a learner's notebook has none).
    say : callable
        Gets each heading as it is reached, then each verdict.

    Returns
    -------
    list of dict
        One for each verdict, as `llmtrain101.experiment` records it.

    Raises
    ------
    ValueError
        If there is no such lesson.
    LessonError
        If a cell fails.
    """
    path = lesson_path(lesson)
    notebook = read_lesson(path) if solutions else learner_notebook(path)
    run = execute(notebook, f"Lesson {lesson}", say=say)
    for verdict in run.verdicts:
        say(verdict_line(verdict))
    say(
        f"Lesson {lesson}: {run.seconds:.0f} s, at most {run.peak_memory_mb:.0f} MB, "
        f"{len(run.verdicts)} verdict{'' if len(run.verdicts) == 1 else 's'}."
    )
    return run.verdicts


def verdict_line(verdict: Mapping[str, Any]) -> str:
    """One verdict as a line.

    Examples
    --------
    >>> verdict_line({"claim": "b beats a", "verdict": "supported", "effect": 0.031, "low": 0.02,
    ...               "high": 0.042, "n": 8, "metric": "accuracy"})
    'b beats a: supported (accuracy +0.031 [+0.02, +0.042], n = 8)'
    """
    return (
        "{claim}: {verdict} ({metric} {effect:+.3g} [{low:+.3g}, {high:+.3g}], n = {n})"
    ).format_map(verdict)


@contextmanager
def _peak_memory(run: Run) -> Iterator[None]:
    """Add up, five times a second, the memory of everything that this process started."""
    import psutil

    done = threading.Event()

    def watch() -> None:
        me = psutil.Process()
        while not done.wait(0.2):
            total = 0
            for child in me.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.Error:  # it ended meanwhile
                    continue
            run.peak_memory_mb = max(run.peak_memory_mb, total / 1e6)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
