"""Lesson 00: what its exercises say to each kind of answer, its map of the course, its words."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmtrain101 import experiment
from llmtrain101.course import exercises, lessons
from llmtrain101.course.checks import lesson_00
from llmtrain101.train import TrainConfig
from tests.judging import judged

ROOT = Path(__file__).resolve().parent.parent
LESSON = lessons.lesson_path("00", ROOT)


def by_mean(low: float, high: float, smallest: float) -> str:
    return "supported" if (low + high) / 2 > 0 else "not supported"


def by_zero(low: float, high: float, smallest: float) -> str:
    if low > 0:
        return "supported"
    return "not supported" if high < 0 else "no effect found"


def harm_only(low: float, high: float, smallest: float) -> str:
    if low >= smallest:
        return "supported"
    if -smallest < low and high < smallest:
        return "no effect found"
    return "not supported" if high < 0 else "undecided"


def shouted(low: float, high: float, smallest: float) -> str:
    return experiment.judge(low, high, smallest).upper()


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("00.1", TrainConfig(max_steps=600)),
        ("00.2", lambda p: -np.log(p)),
        ("00.2", lambda p: float(f"{np.log(1 / p):.2f}")),
        ("00.3", experiment.judge),
    ],
)
def test_right_answers_pass(id: str, answer: Any) -> None:
    assert judged(id, answer)[0] == "passed"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (TrainConfig(max_steps=300), "not longer"),
        (TrainConfig(max_steps=400), "less than twice"),
        (TrainConfig(max_steps=900), "more than twice"),
        (TrainConfig(max_steps=600, learning_rate=0.1), "changed `learning_rate` too"),
        (600, "needs a `TrainConfig`"),
        (TrainConfig, "TrainConfig"),
    ],
)
def test_settings_that_differ_otherwise_are_named(answer: Any, said: str) -> None:
    state, text = judged("00.1", answer)
    assert state == "failed" and said in text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (np.log, "minus sign"),
        (lambda p: -np.log2(p), "bits"),
        (lambda p: -np.log10(p), "log10"),
        (lambda p: 1 - p, "1 - p"),
        (lambda p: 1 / p, "among how many"),
        (lambda p: p, "the chance itself"),
        (lambda p: 1.3863, "`surprised(0.9)` is 1.39, and should be 0.11"),
        (lambda p: "1.39 nats", "should be a number"),
        (lambda p: -undefined(p), "NameError"),  # type: ignore[name-defined]  # noqa: F821
        (-np.log(0.25), "needs your function"),
    ],
)
def test_each_wrong_surprise_hears_what_it_is(answer: Any, said: str) -> None:
    state, text = judged("00.2", answer)
    assert state == "failed" and said in text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (by_mean, "its lower end is too small"),
        (by_zero, "its lower end is too small"),
        (harm_only, "a gain that matters is ruled out"),
        (shouted, "the verdicts are"),
    ],
)
def test_each_wrong_judge_is_shown_a_case_that_it_gets_wrong(
    answer: Callable[[float, float, float], str], said: str
) -> None:
    state, text = judged("00.3", answer)
    assert state == "failed" and said in text


def test_the_check_and_the_lesson_mean_the_same_first_training() -> None:
    code = "\n".join(cell.source for cell in code_cells())
    assert f"TrainConfig(max_steps={lesson_00.FIRST_STEPS})" in code
    assert f"TrainConfig(max_steps={2 * lesson_00.FIRST_STEPS})" in exercises.solution_source(
        "00.1"
    )


def test_a_model_is_trained_in_the_second_cell() -> None:
    calls = [
        node.func.id
        for cell in code_cells()[:2]
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert "train" in calls and "write" in calls


def test_the_lesson_is_short_and_its_cells_are() -> None:
    lines = [len([line for line in cell.source.splitlines() if line.strip()])
             for cell in code_cells()]  # fmt: skip
    assert 60 <= sum(lines) <= 250
    assert max(lines) <= 17


def test_the_map_of_the_course_is_true() -> None:
    text = markdown(LESSON)
    here = set(re.findall(r"^- (\d\d) [^\n]*: (?:here|this one)\.", text, re.MULTILINE))
    assert here == set(lessons.lesson_paths(ROOT))


EMPHASIS = {"not"}  # bold, but no terms; so is what begins with these:
NO_TERM = re.compile(r"Exercise \d|What (carries over|does not)")


@pytest.mark.parametrize("path", lessons.lesson_paths(ROOT).values(), ids=lambda path: path.stem)
def test_every_term_that_a_lesson_defines_is_in_the_glossary(path: Path) -> None:
    bold = [" ".join(found.split()) for found in re.findall(r"\*\*([^*]+)\*\*", markdown(path))]
    defined = {
        term if term in glossary() else term[0].lower() + term[1:]
        for term in bold
        if term not in EMPHASIS and not NO_TERM.match(term)
    }
    table = glossary()
    found = {term if term in table else term.removesuffix("s") for term in defined}
    assert found <= set(table)
    assert {term for term, lesson in table.items() if lesson == path.name[:2]} <= found


def test_the_glossary_is_in_order_and_has_each_term_once() -> None:
    words = [re.findall(r"\w+", name.lower()) for name in glossary()]
    assert all(earlier < later for earlier, later in pairwise(words))


def glossary() -> dict[str, str]:
    """Each term, and the lesson that defines it."""
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("|")]
    assert {len(row) for row in rows} == {6}  # a stray | would hide a column
    return {row[1].strip(): row[4].strip() for row in rows[2:]}


def code_cells() -> list[Any]:
    return [cell for cell in lessons.learner_notebook(LESSON).cells if cell.cell_type == "code"]


def markdown(path: Path) -> str:
    cells = lessons.learner_notebook(path).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
