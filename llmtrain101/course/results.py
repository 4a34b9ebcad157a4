"""What the lessons found and cost: `docs/results.json` keeps it, `docs/results.md` shows it."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmtrain101.course.lessons import headings, lesson_paths, title
from llmtrain101.folders import replacing

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from llmtrain101.course.execute import Run

_VERDICTS = """\
# Results

What the lessons found and what they cost, written by `llmtrain101 build` from its runs: a number
here was measured, never typed. An effect is the mean paired difference over n seeds, signed so
that + is what the claim predicts, with its 95 % interval. The verdict compares the interval with
the smallest effect of interest, which was chosen before the run.

## Verdicts

| lesson | claim | measured by | effect | 95 % interval | of interest from | n | verdict |
| --- | --- | --- | --- | --- | --- | --- | --- |"""
_COSTS = """\
## Cost

Each lesson from top to bottom in a fresh kernel with an empty cache. Memory is what all its
processes hold together at the worst moment; pages that they share are counted in each.

| lesson | time | longest cell | memory |
| --- | --- | --- | --- |"""


def read(root: Path) -> dict[str, Any]:
    """The facts of every lesson that was built, by its number."""
    path = root / "docs" / "results.json"
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return facts


def note(root: Path, lesson: str, notebook: NotebookNode, run: Run) -> None:
    """Replace the facts of one lesson, keep those of the others, and write both files."""
    from llmtrain101.course.machine import speed

    count = len(notebook.cells)
    longest = max(range(count), key=lambda place: run.cell_seconds[place])
    facts = read(root)
    facts[lesson] = {
        "title": title(lesson_paths(root)[lesson]),
        "seconds": round(run.seconds),
        "longest_cell_seconds": round(run.cell_seconds[longest]),
        "longest_cell": headings(notebook.cells)[longest],
        "peak_memory_mb": round(run.peak_memory_mb, -1),
        "machine": {**_machine(), "gflops": round(speed(0.3), -1)},
        "verdicts": run.verdicts,
    }
    there = lesson_paths(root)
    facts = {number: facts[number] for number in sorted(facts) if number in there}
    for name, text in (
        ("results.json", json.dumps(facts, indent=1, ensure_ascii=False) + "\n"),
        ("results.md", as_markdown(facts)),
    ):
        with replacing(root / "docs" / name) as part:
            part.write_text(text, encoding="utf-8", newline="\n")


def as_markdown(facts: dict[str, Any]) -> str:
    """The page that shows the facts.

    Examples
    --------
    >>> machine = {"processor": "x86_64", "cores": 2, "system": "Linux", "python": "3.11",
    ...            "torch": "2.9", "gflops": 200.0}
    >>> page = as_markdown({"00": {"title": "Start here", "seconds": 31, "longest_cell_seconds": 10,
    ...     "longest_cell": "Train", "peak_memory_mb": 610.0, "machine": machine, "verdicts": []}})
    >>> print(page.splitlines()[-3])
    | 00 Start here | 31 s | 10 s (Train) | 610 MB |
    """
    verdicts = [
        f"| {number} | {_cell(one['claim'])} | {_cell(one['metric'])} | {one['effect']:+.3g} "
        f"| {one['low']:+.3g} to {one['high']:+.3g} | {one['smallest_effect']:.3g} "
        f"| {one['n']} | **{one['verdict']}** |"
        for number, fact in facts.items()
        for one in fact["verdicts"]
    ]
    costs = [
        f"| {number} {_cell(fact['title'])} | {fact['seconds']} s "
        f"| {fact['longest_cell_seconds']} s ({_cell(fact['longest_cell'])}) "
        f"| {fact['peak_memory_mb']:.0f} MB |"
        for number, fact in facts.items()
    ]
    machines = "; ".join(sorted({_machine_line(fact["machine"]) for fact in facts.values()}))
    return "\n".join(
        [_VERDICTS, *verdicts, "", _COSTS, *costs, "", f"Measured on: {machines}.", ""]
    )


def _machine() -> dict[str, Any]:
    import os
    from importlib.metadata import version

    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": version("torch"),
    }


def _machine_line(machine: dict[str, Any]) -> str:
    return (
        f"{machine['system']} on {machine['processor']}, {machine['cores']} cores, "
        f"{machine['gflops']:.0f} GFLOP/s in float32 matrix products, "
        f"Python {machine['python']}, PyTorch {machine['torch']}"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
