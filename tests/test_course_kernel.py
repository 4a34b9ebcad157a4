"""What a learner meets in a real kernel: cells out of order, a restart, wrong answers, a rerun."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

from llmtrain101.course.build import write_notebook
from llmtrain101.course.kernel import kernel_environment
from llmtrain101.course.lessons import learner_notebook
from tests import trial_course


class Learner:
    """Somebody with the trial lesson open in a kernel."""

    def __init__(self, root: Path) -> None:
        source = trial_course.write(root)
        self.notebook = learner_notebook(source)
        write_notebook(self.notebook, root / "notebooks" / "99-trial.ipynb")
        self.folder = root / "mine"
        self.environment = {
            **os.environ,
            **kernel_environment(self.folder),
            "LLMTRAIN101_COURSE": str(root),
        }
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=self.environment, cwd=str(self.folder))
        self._connect()

    def _connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def restart(self) -> None:
        self.client.stop_channels()
        self.manager.restart_kernel(now=True, env=self.environment, cwd=str(self.folder))
        self._connect()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code: str) -> str:
        """What the learner reads below a cell."""
        shown: list[str] = []

        def collect(message: dict[str, dict[str, object]]) -> None:
            content = message["content"]
            data = content.get("data", {})
            assert isinstance(data, dict)
            shown.append(str(content.get("text", "")) + str(data.get("text/plain", "")))
            shown.extend(str(line) + "\n" for line in content.get("traceback", []))  # type: ignore[attr-defined]

        self.client.execute_interactive(code, timeout=60, output_hook=collect)
        return re.sub(r"\x1b\[[\d;]*m", "", "".join(shown))  # without colours

    def run_cell(self, having: str) -> str:
        (source,) = [cell.source for cell in self.notebook.cells if having in cell.source]
        return self.run(source)


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learner]:
    someone = Learner(tmp_path_factory.mktemp("course"))
    yield someone
    someone.close()


MISSING = "which has not run since the kernel started. Run the cells above first: menu Run → "


def test_a_cell_in_the_middle_before_any_other_says_what_is_missing(learner: Learner) -> None:
    learner.restart()  # not even `course` is imported
    said = learner.run_cell("course.figure(axes")
    assert said.rstrip().endswith(
        f"→ `numbers` is made in a cell under “By hand”, {MISSING}Run All Above Selected Cell."
    )
    said = learner.run_cell("course.promises_kept")
    assert "→ `course` is made in a cell under “A trial lesson”, which has not run" in said
    assert "Traceback" in said  # the usual text comes first


def test_after_start_the_help_is_still_there(learner: Learner) -> None:
    learner.restart()
    assert "Lesson 99 is ready." in learner.run_cell("course.start")
    assert "`double` is made in a cell under “Exercises”" in learner.run_cell('check("99.1"')


def test_a_slip_of_the_pen_is_named(learner: Learner) -> None:
    learner.restart()
    learner.run_cell("course.start")
    learner.run_cell("numbers = ")
    assert "There is no `nubmers`. Did you mean `numbers`?" in learner.run("nubmers")
    assert "There is no `zzz`: no cell of this lesson makes it." in learner.run("zzz")


def test_an_error_of_another_kind_or_place_is_left_as_it_is(learner: Learner) -> None:
    learner.restart()
    assert "→" not in learner.run("1 / 0").replace("---->", "")
    said = learner.run("def f():\n    print(x)\n    x = 1\nf()")
    assert "UnboundLocalError" in said and "no cell of this lesson" not in said


def test_wrong_then_right_answers_and_a_second_run(learner: Learner) -> None:
    learner.restart()
    cells = [cell.source for cell in learner.notebook.cells if cell.cell_type == "code"]
    for _ in range(2):
        for source in cells:
            said = learner.run(source)
            assert "Traceback" not in said
            if "course.check(" in source:
                assert "Exercise 99.1 unattempted" in said
    learner.run("def double(x):\n    return x * x")
    assert "that is the square. Did you" in learner.run_cell('check("99.1"')
    learner.run("double = 6")
    assert "needs your function, and got `6`" in learner.run_cell('check("99.1"')
    learner.run("double = lambda x: x + x")
    assert "Exercise 99.1 passed" in learner.run_cell('check("99.1"')
    learner.restart()  # progress outlives the kernel
    learner.run_cell("course.start")
    assert "99 A trial lesson" in learner.run("course.progress()")
    learner.run_cell("course.promises(")
    learner.run_cell("course.exercise(")
    assert "☑ double a number" in learner.run_cell("course.promises_kept")
