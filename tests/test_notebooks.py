"""Lessons become notebooks, notebooks are compared, and what they promise of cost is kept."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from llmtrain101.course import build, execute, exercises, lessons, results
from tests import trial_course

ROOT = Path(__file__).resolve().parent.parent
LESSONS = lessons.lesson_paths(ROOT)
OFFLINE = str(ROOT / "tests" / "offline")


def compare(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run nbval as the course's own tests do, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "notebooks"]
        + ["--nbval-sanitize-with", str(ROOT / "tests" / "nbval-sanitize.cfg"), "-c", os.devnull],
        cwd=root,
        env={**os.environ, "LLMTRAIN101_COURSE": str(root), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trial")
    trial_course.write(root)
    build.build(root=root)
    return root


@pytest.fixture
def copy(trial: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trial, tmp_path / "copy"))


def notebook_path(root: Path) -> Path:
    return root / "notebooks" / "99-trial.ipynb"


# --- building ---------------------------------------------------------------------------------


def test_what_is_built_is_stable_and_has_no_noise(trial: Path, copy: Path) -> None:
    build.build(root=copy, force=True)
    first, second = (json.loads(notebook_path(r).read_text("utf-8")) for r in (trial, copy))
    assert first["metadata"] == second["metadata"]
    assert set(first["metadata"]) == {"kernelspec", "language_info", "llmtrain101"}
    for one, other in zip(first["cells"], second["cells"], strict=True):
        outputs = [cell.pop("outputs", []) for cell in (one, other)]
        assert one == other
        assert set(one["metadata"]) <= {"tags"}
        if "course.varies" not in "".join(one["source"]) and "start(" not in "".join(one["source"]):
            assert outputs[0] == outputs[1]
    text = notebook_path(copy).read_text("utf-8")
    assert "widget-view" not in text and "return x + x" not in text


def test_only_what_changed_is_built_again(copy: Path) -> None:
    said: list[str] = []
    assert build.build(root=copy, say=said.append) == []
    assert said == ["99-trial.py: up to date"]
    source = copy / "lessons" / "99-trial.py"
    source.write_text(source.read_text("utf-8").replace("Short, but", "Small, but"), "utf-8")
    assert build.build(root=copy, say=said.append) == [notebook_path(copy)]


def test_the_stamp_follows_the_imports_and_nothing_else(tmp_path: Path) -> None:
    package = tmp_path / "llmtrain101"
    for name, text in {
        "__init__": "",
        "near": "def f():\n    from llmtrain101 import far",
        "far": "",
        "aside": "",
        "course/__init__": "",
        "course/checks/__init__": "",
        "course/checks/lesson_99": "import llmtrain101.course",
    }.items():
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    lesson = tmp_path / "99-x.py"
    lesson.write_text("from llmtrain101.near import f\n", "utf-8")

    def changes(path: Path) -> bool:
        before = build.fingerprint(lesson, package)
        path.write_text(path.read_text("utf-8") + "\n# changed\n", "utf-8")
        return build.fingerprint(lesson, package) != before

    assert changes(lesson)
    for name in ("__init__", "near", "far", "course/checks/lesson_99", "course/__init__"):
        assert changes(package / f"{name}.py"), name
    assert not changes(package / "aside.py")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("total = sum(numbers)", "total = 1 / 0", r"cell 5 \(under “By hand”\).*ZeroDivisionError"),
        ("return x + x", "return x * x", 'solution of exercise 99.1 is not "passed".*the square'),
        (
            "def double(x):\n    ...",
            "def double(x):\n    return 6",
            'starter of.* not "unattempted"',
        ),
        ('course.check("99.1", double)', "", "needs a cell of its own"),
    ],
)
def test_a_lesson_with_a_fault_names_it_and_leaves_the_old_notebook(
    copy: Path, old: str, new: str, message: str
) -> None:
    source = copy / "lessons" / "99-trial.py"
    cells = source.read_text("utf-8").split("\n# %%")
    text = "\n# %%".join(cell for cell in cells if "Figure" not in cell)  # quicker without
    assert old in text
    source.write_text(text.replace(old, new), "utf-8")
    before = notebook_path(copy).read_bytes()
    with pytest.raises(execute.LessonError, match=f"(?s)(Lesson 99|99-trial.py).*{message}"):
        build.build(root=copy)
    assert notebook_path(copy).read_bytes() == before


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (("stream", {"name": "stdout", "text": "<f at 0x7f00>"}), "shows an address in memory"),
        (("display_data", {"data": {"text/plain": "<f at 0x7f00>"}}), "shows an address"),
        (("stream", {"name": "stderr", "text": "/home/me: a warning"}), "writes to standard error"),
        (("display_data", {"data": {"image/png": "AAAA"}}), "without alt text"),
        (("display_data", {"data": {"text/html": '<img src="a.png">'}}), "without alt text"),
        (("display_data", {"data": {"text/html": '<img alt="" src="a.png">'}}), "without alt text"),
        (("error", {"ename": "NameError", "evalue": "", "traceback": []}), "the error NameError"),
    ],
)
def test_outputs_that_would_not_hold_elsewhere_are_faults(
    output: tuple[str, dict[str, object]], message: str
) -> None:
    kind, fields = output
    shown = nbformat.v4.new_output(kind, **fields)
    good = nbformat.v4.new_output("stream", name="stdout", text="6 at 0x and [0, 7]")
    cells = [nbformat.v4.new_code_cell("f", outputs=[good, shown])]
    (fault,) = build.faults(nbformat.v4.new_notebook(cells=cells))
    assert fault.startswith("cell 1 ") and message in fault


def test_a_folder_that_disagrees_is_noticed(copy: Path) -> None:
    assert build.disagreements(copy) == []
    notebook = notebook_path(copy)
    notebook.write_text(notebook.read_text("utf-8").replace("Short, but", "Long, and"), "utf-8")
    assert "99-trial.ipynb, cell 1 is not what its lesson has" in build.disagreements(copy)[0]
    shutil.move(notebook, notebook.with_name("98-other.ipynb"))
    assert build.disagreements(copy) == [
        "lessons/99-trial.py has no notebook: run `llmtrain101 build 99`.",
        "notebooks/98-other.ipynb has no lesson: delete it.",
    ]


def test_the_results_keep_what_each_lesson_found(copy: Path) -> None:
    facts = results.read(copy)["99"]
    assert [facts["verdicts"][0][key] for key in ("low", "high")] == [0.025, 0.037]
    assert facts["seconds"] >= 0 and 10 < facts["peak_memory_mb"] < 4000
    page = (copy / "docs" / "results.md").read_text("utf-8")
    assert (
        "| 99 | b beats a | accuracy | +0.031 | +0.025 to +0.037 | 0.02 | 8 | **supported**" in page
    )


def test_a_lesson_runs_without_a_browser(
    trial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMTRAIN101_COURSE", str(trial))
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    (verdict,) = execute.run_lesson("99", solutions=True, say=said.append)
    assert verdict["verdict"] == "supported"
    assert said[:3] == ["A trial lesson", "By hand", "Look"]
    assert said[-2] == "b beats a: supported (accuracy +0.031 [+0.025, +0.037], n = 8)"
    assert re.fullmatch(r"Lesson 99: \d+ s, at most \d+ MB, 1 verdict\.", said[-1])
    assert list(tmp_path.iterdir()) == []


# --- comparing --------------------------------------------------------------------------------


def test_without_a_network_only_this_machine_is_reached() -> None:
    code = """
import socket, urllib.request
for try_it in (
    lambda: socket.getaddrinfo("example.org", 80),
    lambda: socket.gethostbyname("example.org"),
    lambda: socket.create_connection(("192.0.2.1", 80), timeout=5),
    lambda: urllib.request.urlopen("http://192.0.2.1", timeout=5),
):
    try:
        try_it()
    except OSError as error:
        print("offline" in str(error))
print(socket.socket().connect_ex(("192.0.2.1", 80)) != 0)
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
    print("here")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": OFFLINE},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True"] * 5 + ["here"], done.stderr


def test_a_built_notebook_passes_and_a_changed_verdict_fails(copy: Path) -> None:
    good = compare(copy, PYTHONPATH=OFFLINE)
    assert good.returncode == 0, good.stdout
    text = notebook_path(copy).read_text("utf-8")
    changed = text.replace('"supported (8 seeds)\\n"', '"undecided (8 seeds)\\n"')
    assert changed != text
    notebook_path(copy).write_text(changed, "utf-8")
    bad = compare(copy)
    assert bad.returncode == 1 and "1 failed" in bad.stdout and "undecided" in bad.stdout


def test_alt_text_bands_and_what_a_bar_is_for_are_compared(copy: Path) -> None:
    notebook = nbformat.read(notebook_path(copy), 4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = json.dumps(output)
            text = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,AAAA", text)  # no difference
            text = text.replace("A line rises", "A line falls")
            text = text.replace("(usually 6 to 6.1)", "(usually 5 to 6.1)")
            text = re.sub("⟪6[^⟫]*⟫", "⟪6.05⟫", text)  # no difference
            output.update(json.loads(text))
    build.write_notebook(notebook, notebook_path(copy))
    # where CI is set, pytest repeats each message in its summary
    compared = compare(copy).stdout
    failed = dict.fromkeys(re.findall(r"mismatch '(\S+)'", compared))
    assert list(failed) == ["text/html"]
    assert "A line falls" in compared and "(usually 5 to 6.1)" in compared
    assert re.search(r"\b2 failed", compared)


def test_a_page_made_of_a_notebook_keeps_the_alt_text(trial: Path) -> None:
    page = BeautifulSoup(build.to_html(notebook_path(trial)), "html.parser")
    (image,) = page.find_all("img")
    assert image["alt"] == 'A line rises from left to right: "steady" & straight.'


# --- the lessons of the course ------------------------------------------------------------------


def test_lessons_and_notebooks_tell_the_same_story() -> None:
    assert build.disagreements(ROOT) == []


@pytest.mark.parametrize("number", LESSONS)
def test_each_picture_of_a_lesson_has_alt_text(number: str) -> None:
    path = ROOT / "notebooks" / f"{LESSONS[number].stem}.ipynb"
    assert build.faults(nbformat.read(path, 4)) == []
    page = build.to_html(path)
    assert "No description has been provided for this image" not in page
    for image in BeautifulSoup(page, "html.parser").find_all("img"):
        assert len(str(image.get("alt", ""))) > 15, str(image)[:200]


@pytest.mark.parametrize("number", LESSONS)
def test_each_lesson_keeps_to_its_budget(number: str) -> None:
    facts = results.read(ROOT).get(number)
    assert facts, f"not measured: run `llmtrain101 build {number}`"
    assert facts["seconds"] <= (45 if number == "00" else 120)
    assert facts["longest_cell_seconds"] <= 60
    assert facts["peak_memory_mb"] <= 2000
    page = (ROOT / "docs" / "results.md").read_text("utf-8")
    assert page == results.as_markdown(results.read(ROOT))


def exercise_cells(source: Path) -> list[nbformat.NotebookNode]:
    """Each exercise's starter, check, solution, check, and the cells whose names these need."""
    cells = lessons.read_lesson(source).cells
    wanted: set[str] = {"course"}
    kept: list[nbformat.NotebookNode] = []  # from the last to the first
    check = None
    for cell in reversed(cells):
        if cell.cell_type != "code":
            continue
        if re.search(r"^course\.check\(", cell.source, re.MULTILINE):
            check = cell
        elif not lessons.names_made(cell.source) & wanted:
            continue
        kept.append(copy_of(cell))
        wanted |= set(re.findall(r"[A-Za-z_]\w*", cell.source))
        if "solution" in lessons.tags(cell):
            kept.append(copy_of(check))  # so it also runs after the starter
    return kept[::-1]


def states(source: Path, root: Path) -> list[tuple[str, str]]:
    """What the checks of a lesson say, in the order in which they run."""
    notebook = nbformat.v4.new_notebook(cells=exercise_cells(source))
    environment = {"LLMTRAIN101_COURSE": str(root), "PYTHONPATH": OFFLINE}
    execute.execute(notebook, source.stem, environment)
    shown = "\n".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.outputs
    )
    return re.findall(r"Exercise (\S+) (unattempted|failed|passed)", shown)


def copy_of(cell: nbformat.NotebookNode | None) -> nbformat.NotebookNode:
    assert cell is not None, "a solution without a check behind it"
    return nbformat.v4.new_code_cell(cell.source)


def test_the_states_of_exercises_are_really_looked_at(copy: Path) -> None:
    source = copy / "lessons" / "99-trial.py"
    assert states(source, copy) == [("99.1", "unattempted"), ("99.1", "passed")]
    source.write_text(source.read_text("utf-8").replace("return x + x", "return x * x"), "utf-8")
    assert states(source, copy) == [("99.1", "unattempted"), ("99.1", "failed")]


@pytest.mark.parametrize("number", LESSONS)
def test_each_starter_is_unattempted_and_each_solution_passes(number: str) -> None:
    known = [one.id for one in exercises.of_lesson(number)]
    assert len(known) >= 3
    expected = [(id, state) for id in known for state in ("unattempted", "passed")]
    assert states(LESSONS[number], ROOT) == expected
