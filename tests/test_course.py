"""Exercises, quizzes, promises, progress and the learner's folder, each without a kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmtrain101 import course
from llmtrain101.course import exercises, kernel, layout, lessons, machine, progress_store, promise
from tests import trial_course


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts without exercises, hints, promises or progress of another."""
    for module, name in (
        (exercises, "_exercises"),
        (exercises, "_hints_given"),
        (promise, "_made"),
        (progress_store, "_memory"),
    ):
        monkeypatch.setattr(module, name, {})
    monkeypatch.setattr(exercises, "_solution_asked", set())
    monkeypatch.delenv("LLMTRAIN101_FOLDER", raising=False)


@pytest.fixture
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMTRAIN101_FOLDER", str(tmp_path))
    return tmp_path


def double_exercise(**changes: object) -> None:
    settings: dict[str, object] = dict(title="Double", minutes=2, difficulty=1, hints=["a", "b"])

    @course.exercise("99.1", **(settings | changes))  # type: ignore[arg-type]
    def _(answer: Callable[[int], int]) -> str:
        if answer(3) == 9:
            raise course.Wrong("that is the square")
        if answer(3) != 6:
            raise course.Wrong(f"`f(3)` is {answer(3)}")
        return "Well done."


def state(answer: object) -> tuple[str, str]:
    kind, lines = exercises.judge(exercises.find("99.1"), answer)
    return kind, "\n".join(lines)


# --- exercises --------------------------------------------------------------------------------


def test_importing_the_course_imports_nothing_heavy() -> None:
    code = "import sys; from llmtrain101 import course; course.check; course.Quiz; course.figure;"
    heavy = "{'torch', 'IPython', 'matplotlib', 'ipywidgets', 'jupytext', 'nbformat'}"
    code += f"print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_documented() -> None:
    assert course.__all__ == sorted(course.__all__)
    for name in course.__all__:
        assert getattr(course, name).__doc__
    with pytest.raises(AttributeError, match="no 'chekc'"):
        course.chekc  # noqa: B018


def test_a_right_and_two_wrong_answers_are_told_apart() -> None:
    double_exercise()
    assert state(lambda x: 2 * x) == ("passed", "Well done.")
    assert state(lambda x: x * x) == ("failed", "that is the square")
    assert state(lambda x: x) == ("failed", "`f(3)` is 3")


def test_what_a_starter_may_look_like_is_unattempted() -> None:
    double_exercise()

    def dots(x: int) -> int: ...
    def returns_dots(x: int) -> object:
        "With a docstring."
        return ...

    def raises(x: int) -> int:
        raise NotImplementedError

    def half(x: int) -> int:
        factor = ...
        return factor * x  # type: ignore[operator, no-any-return]

    for starter in (None, ..., dots, returns_dots, raises, half):
        assert state(starter)[0] == "unattempted"
    assert "still a `...`" in state(half)[1]


def test_a_forgotten_return_is_not_taken_for_a_starter() -> None:
    double_exercise()

    def forgot(x: int) -> None:
        x + x  # noqa: B018

    assert state(forgot) == ("failed", "`forgot` gives back `None`: is a `return` missing?")


def test_an_answer_that_raises_shows_the_input() -> None:
    double_exercise()

    def divide(x: int) -> float:
        return x / 0

    kind, said = state(divide)
    assert kind == "failed"
    assert "`divide(3)` stopped with `ZeroDivisionError: division by zero`" in said


@pytest.mark.parametrize(
    ("wanted", "answer", "said"),
    [
        (Callable[[int], int], 6, "needs your function, and got `6` (an `int`)"),
        (float, lambda x: x, "needs a value, and got the function `<lambda>`"),
        (float, "six", "needs a `float`, and got `'six'` (a `str`)"),
        (int, 1.5, "needs a number, and got `1.5` (a `float`)"),
        (list[int], (1, 2), "needs a `list`, and got `(1, 2)` (a `tuple`)"),
    ],
)
def test_another_kind_of_answer_is_named(wanted: object, answer: object, said: str) -> None:
    @course.exercise("99.1", title="t", minutes=1, difficulty=1)
    def check(answer: float) -> None:
        pytest.fail("the check must not see it")

    check.__annotations__["answer"] = wanted
    kind, text = state(answer)
    assert kind == "failed"
    assert said in text


def test_a_number_of_numpy_counts_as_a_number() -> None:
    import numpy as np

    @course.exercise("99.1", title="t", minutes=1, difficulty=1)
    def _(answer: float) -> str:
        return type(answer).__name__

    assert state(np.float32(0.5)) == ("passed", "float")


def test_a_check_that_stumbles_over_an_answer_still_gives_a_sentence() -> None:
    @course.exercise("99.1", title="t", minutes=1, difficulty=1)
    def _(answer: list[int]) -> None:
        answer[5]

    kind, said = state([1])
    assert kind == "failed"
    assert "could not be used: `IndexError: list index out of range`. It was `[1]`" in said


def test_each_hint_call_adds_one(capsys: pytest.CaptureFixture[str]) -> None:
    double_exercise()
    for _ in range(3):
        course.hint("99.1")
    assert capsys.readouterr().out.split("→ ")[1:] == [
        "Hint 1 of 2 for exercise 99.1\n  a\n",
        "Hint 2 of 2 for exercise 99.1\n  a\n  b\n",
        "All 2 hints for exercise 99.1\n  a\n  b\n"
        '  There are no more. `course.solution("99.1")` shows one way to do it.\n',
    ]


def test_an_unknown_exercise_names_those_that_there_are() -> None:
    double_exercise()
    with pytest.raises(ValueError, match=r"no exercise '99.7'; this lesson has \"99.1\""):
        course.check("99.7", 1)


def test_the_solution_comes_at_the_second_asking_or_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trial_course.write(tmp_path)
    monkeypatch.setenv("LLMTRAIN101_COURSE", str(tmp_path))
    double_exercise()
    course.solution("99.1")
    first = capsys.readouterr().out
    course.solution("99.1")
    second = capsys.readouterr().out
    assert "Try exercise 99.1 first" in first and "return x + x" not in first
    assert "    def double(x):\n        return x + x" in second
    exercises._solution_asked.clear()
    course.solution("99.1", force=True)
    assert "return x + x" in capsys.readouterr().out
    course.check("99.1", lambda x: x)  # tried once, so it is shown at the first asking
    exercises._solution_asked.clear()
    capsys.readouterr()
    course.solution("99.1")
    assert "return x + x" in capsys.readouterr().out


def test_text_of_a_learner_is_escaped() -> None:
    from llmtrain101.course.cards import card_forms

    plain, markup = card_forms("failed", "a < b", "`<script>` & <b>")
    assert plain == "✗ a < b\n  `<script>` & <b>"
    assert "a &lt; b" in markup and "<code>&lt;script&gt;</code> &amp; &lt;b&gt;" in markup


# --- quiz and promises ------------------------------------------------------------------------


def test_a_quiz_knows_its_answer_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    quiz = course.Quiz("99")
    quiz.ask("Which?", ["no", "yes"], answer=True, why="Because.")
    quiz.answer(1, "A)")
    assert "✗ Question 1: a is not it" in capsys.readouterr().out
    quiz.answer(1, "b")
    out = capsys.readouterr().out
    assert "✓ Question 1: b is right" in out and "Because." in out
    assert progress_store.state_of("quizzes", "99.1") == "passed"


def test_a_question_asked_twice_is_one_question() -> None:
    quiz = course.Quiz("99")
    for answer in (0, 1):
        quiz.ask("Which?", ["no", "yes"], answer=answer, why="")
    assert [question.answer for question in quiz.questions] == [1]


def test_a_quiz_that_cannot_be_answered_is_refused() -> None:
    quiz = course.Quiz("99")
    with pytest.raises(ValueError, match="2 to 8 different options"):
        quiz.ask("Which?", ["42", "42"], answer=0, why="")
    with pytest.raises(ValueError, match="0 to 1, got 2"):
        quiz.ask("Which?", ["a", "b"], answer=2, why="")
    quiz.ask("Which?", ["a", "b"], answer=1, why="")
    with pytest.raises(ValueError, match="letters are a, b, got 'c'"):
        quiz.answer(1, "c")
    with pytest.raises(ValueError, match="questions 1 to 1, got 2"):
        quiz.answer(2, "a")


def test_promises_are_ticked_when_their_exercise_is_passed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    double_exercise()
    course.promises("99", "double", "halve", "count", minutes=3)
    capsys.readouterr()
    course.promises_kept("99")
    assert "☐ double (exercise 99.1 proves it)\n  ☑ halve" in capsys.readouterr().out
    course.check("99.1", lambda x: 2 * x)
    capsys.readouterr()
    course.promises_kept("99")
    assert "☑ double\n" in capsys.readouterr().out
    with pytest.raises(ValueError, match="run the lesson's first cells"):
        course.promises_kept("98")
    with pytest.raises(ValueError, match="3 promises, got 1"):
        course.promises("99", "double", minutes=3)


# --- what is shown ----------------------------------------------------------------------------


def test_a_figure_must_say_what_there_is_to_see() -> None:
    from matplotlib.figure import Figure

    for empty in ("", "  ", None):
        with pytest.raises(ValueError, match="in words what there is to see"):
            course.figure(Figure().subplots(), empty)  # type: ignore[arg-type]


def test_a_band_is_printed_and_leaving_it_is_not_hidden(
    capsys: pytest.CaptureFixture[str],
) -> None:
    course.within("loss", 1.95, 1.8, 2.1)
    course.within("loss", float("nan"), 1.8, 2.1)
    course.within("loss", 2.25, 1.8, 2.1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "loss: ⟪1.95⟫ (usually 1.8 to 2.1)"
    assert lines[1].startswith("loss: nan, outside the usual 1.8 to 2.1.")
    assert lines[2].startswith("loss: 2.25, outside the usual 1.8 to 2.1.")
    with pytest.raises(ValueError, match="low must not exceed high"):
        course.within("loss", 1, 2, 1)


# --- progress ---------------------------------------------------------------------------------


def test_what_was_passed_stays_passed(learner: Path) -> None:
    for one in ("failed", "passed", "failed", "unattempted"):
        assert progress_store.record("exercises", "01.1", one) == ""
    assert progress_store.state_of("exercises", "01.1") == "passed"
    data = json.loads((learner / ".llmtrain101" / "progress.json").read_text(encoding="utf-8"))
    assert data["exercises"]["01.1"]["tries"] == 3


def test_two_notebooks_that_write_at_once_lose_nothing(learner: Path) -> None:
    def write(number: int) -> str:
        return progress_store.record("exercises", f"01.{number}", "passed")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(40))) == {""}
    data, _ = progress_store.read()
    assert len(data["exercises"]) == 40


@pytest.mark.parametrize("content", ["{", "[]", '{"exercises": {"01.1": 3}}', "\udcff"])
def test_a_damaged_file_is_kept_under_another_name(learner: Path, content: str) -> None:
    path = learner / ".llmtrain101" / "progress.json"
    path.parent.mkdir()
    damaged = content.encode(errors="surrogateescape")
    path.write_bytes(damaged)
    assert "was damaged: it is kept as" in progress_store.record("exercises", "01.1", "passed")
    assert progress_store.state_of("exercises", "01.1") == "passed"
    (aside,) = path.parent.glob("progress-damaged-*.json")
    assert aside.read_bytes() == damaged


def test_a_right_answer_stands_even_if_it_cannot_be_saved(
    learner: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (learner / ".llmtrain101").write_text("a file where the folder should be", encoding="utf-8")
    double_exercise()
    course.check("99.1", lambda x: 2 * x)
    out = capsys.readouterr().out
    assert "passed" in out and "Progress could not be saved in" in out


def test_progress_counts_what_is_done(
    learner: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trial_course.write(tmp_path)
    monkeypatch.setenv("LLMTRAIN101_COURSE", str(tmp_path))
    double_exercise()
    course.check("99.1", lambda x: 2 * x)
    capsys.readouterr()
    course.progress()
    assert "99 A trial lesson  1 of 1     0 right" in capsys.readouterr().out


def test_without_a_course_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    progress_store.record("exercises", "01.1", "passed")
    assert progress_store.state_of("exercises", "01.1") == "passed"
    assert list(tmp_path.iterdir()) == []


# --- the learner's folder ---------------------------------------------------------------------


def shipped(root: Path, **sources: str) -> Path:
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    from llmtrain101.course.build import write_notebook

    for name, source in sources.items():
        shown = [new_output("stream", name="stdout", text="spoiler")]
        cell = new_code_cell(source, id="a", outputs=shown, execution_count=1)
        write_notebook(new_notebook(cells=[cell]), root / "notebooks" / f"{name}.ipynb")
    return root


def test_laying_out_leaves_out_the_outputs_and_does_nothing_twice(tmp_path: Path) -> None:
    root, mine = shipped(tmp_path / "root", a="1", b="2"), tmp_path / "mine"
    assert layout.lay_out(mine, root) == ["a.ipynb: laid out", "b.ipynb: laid out"]
    assert "spoiler" not in (mine / "a.ipynb").read_text(encoding="utf-8")
    before = (mine / "a.ipynb").stat().st_mtime_ns
    assert layout.lay_out(mine, root) == []
    assert (mine / "a.ipynb").stat().st_mtime_ns == before


def test_an_update_replaces_what_is_untouched_and_keeps_work(tmp_path: Path) -> None:
    root, mine = shipped(tmp_path / "root", a="1", b="2", c="3"), tmp_path / "mine"
    layout.lay_out(mine, root)
    (mine / ".llmtrain101" / "progress.json").write_text("{}", encoding="utf-8")
    work = (mine / "b.ipynb").read_text(encoding="utf-8").replace('"2"', '"my work"')
    (mine / "b.ipynb").write_text(work, encoding="utf-8")
    (mine / "c.ipynb").unlink()
    shipped(root, a="1, better", b="2, better")
    assert layout.lay_out(mine, root) == [
        "a.ipynb: updated",
        "b.ipynb has your work in it and was kept; its new version is b.new.ipynb",
        "c.ipynb: laid out",
    ]
    assert "better" in (mine / "a.ipynb").read_text(encoding="utf-8")
    assert (mine / "b.ipynb").read_text(encoding="utf-8") == work
    assert "better" in (mine / "b.new.ipynb").read_text(encoding="utf-8")
    assert (mine / ".llmtrain101" / "progress.json").read_text(encoding="utf-8") == "{}"
    assert layout.lay_out(mine, root) == []  # the message is not repeated

    shipped(root, b="2, best")  # the new version beside it was left alone, so it is replaced
    assert "its new version is b.new.ipynb" in layout.lay_out(mine, root)[0]
    assert "best" in (mine / "b.new.ipynb").read_text(encoding="utf-8")
    (mine / "b.new.ipynb").write_text("work here too", encoding="utf-8")
    shipped(root, b="2, the very best")
    assert "its new version is b.new2.ipynb" in layout.lay_out(mine, root)[0]


def test_a_lost_manifest_loses_no_work(tmp_path: Path) -> None:
    root, mine = shipped(tmp_path / "root", a="1"), tmp_path / "mine"
    layout.lay_out(mine, root)
    (mine / ".llmtrain101" / "manifest.json").write_text("{", encoding="utf-8")
    assert layout.lay_out(mine, root) == []
    (mine / ".llmtrain101" / "manifest.json").unlink()
    (mine / "a.ipynb").write_text("my work", encoding="utf-8")
    layout.lay_out(mine, root)
    assert (mine / "a.ipynb").read_text(encoding="utf-8") == "my work"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(layout.LayOutError, match=r"laid out in .*file.*: .+\. Make room there"):
        layout.lay_out(tmp_path / "file", shipped(tmp_path / "root", a="1"))


def test_a_full_disk_leaves_the_old_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, mine = shipped(tmp_path / "root", a="1"), tmp_path / "mine"
    layout.lay_out(mine, root)
    before = (mine / "a.ipynb").read_bytes()
    shipped(root, a="2")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(layout.LayOutError, match="no space left on device"):
        layout.lay_out(mine, root)
    assert (mine / "a.ipynb").read_bytes() == before


# --- lessons, names, machine ------------------------------------------------------------------


def test_a_missing_lesson_names_those_that_there_are(tmp_path: Path) -> None:
    trial_course.write(tmp_path)
    with pytest.raises(ValueError, match="no lesson '98'; there are 99"):
        lessons.lesson_path("98", tmp_path)


def test_the_learners_notebook_has_starters_and_no_solutions(tmp_path: Path) -> None:
    notebook = lessons.learner_notebook(trial_course.write(tmp_path))
    sources = "\n".join(cell.source for cell in notebook.cells)
    assert "def double(x):\n    ..." in sources
    assert "return x + x" not in sources
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert lessons.learner_notebook(next(tmp_path.glob("lessons/*"))) == notebook


def test_the_names_a_cell_makes() -> None:
    source = """
%time a = 1
b, *c = d[0] = 1, 2
for e in b: f = e
with open(g) as h: pass
def i(j): k = 1
class L: m = 1
import n.o, p as q
from r import s as t
if (u := 1): v: int = w
x = [y for y in z]
"""
    assert lessons.names_made(source) == set("b c e f h i L n q t u v x".split())
    assert lessons.names_made("this is not python") == set()


def test_where_a_name_is_made_depends_on_the_order() -> None:
    cells = [
        lessons.Cell("a = 1", ""),
        lessons.Cell("a = 2", "By hand"),
        lessons.Cell("print(a, b)", "Look"),
        lessons.Cell("b = 1", "Later"),
    ]
    assert "under “By hand”, which has not run" in kernel.where_made("a", "print(a, b)", cells)
    assert "under “Later” further down" in kernel.where_made("b", "print(a, b)", cells)
    assert "at the top, which has not run" in kernel.where_made("a", "a = 2", cells[:2])
    assert kernel.where_made("c", "print(c)", cells) == ""


def test_the_machine_report_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "speed", lambda: 20.0)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1e8}))
    rows = {row.name: row for row in machine.machine_report(tmp_path / "not" / "yet" / "there")}
    assert rows["Disk"].state == "problem" and "Make room" in rows["Disk"].advice
    assert rows["Speed"].state == "warning" and "10 times" in rows["Speed"].advice
    assert rows["Python"].state == rows["Jupyter"].state == rows["PyTorch"].state == "ok"


def test_the_speed_is_that_of_real_products() -> None:
    assert 0.1 < machine.speed(0.05) < 1e6


def test_small_slips_are_understood_or_answered(capsys: pytest.CaptureFixture[str]) -> None:
    quiz = course.Quiz("99")
    quiz.ask("Which?", ["no", "yes"], answer=1, why="Because.")
    quiz.answer("1", "b")
    assert "b is right" in capsys.readouterr().out
    with pytest.raises(ValueError, match="There are questions 1 to 1, got 'x'"):
        quiz.answer("x", "b")
    assert lessons.lesson_path("9").name.startswith("09-")
    with pytest.raises(ValueError, match="There is no lesson '77'"):
        course.progress("77")


def test_an_exercise_named_by_a_number_is_answered_with_those_of_the_lesson(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    double_exercise()
    monkeypatch.setattr(kernel, "_lesson", "99")
    with pytest.raises(ValueError, match=r'this lesson has "99\.1"\. Its name stands in quotes'):
        course.hint(0.1)  # type: ignore[arg-type]


def test_a_file_name_without_quotes_is_answered_so() -> None:
    from llmtrain101.course.kernel import help_with

    said = help_with("my", "own = my-text.txt", set())
    assert said == "There is no `my`: the name of a file stands in quotes."
    assert "quotes" not in help_with("my", 'own = "my-text.txt" + my', set())
