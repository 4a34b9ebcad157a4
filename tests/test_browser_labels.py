"""Labelling in JupyterLab in a real browser: by keyboard and mouse, after crashes, two at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import nbformat
import psutil
import pytest

from llmtrain101.labels.store import Store
from tests import browser
from tests.browser import PATIENCE, Lab, playwright

pytestmark = browser.MARKS

LESSON = "05-labelling-by-hand.ipynb"
TEXTS = [f"Review {n} <b>bold</b> & <script>alert({n})</script>" for n in range(60)]
CODE = """\
from llmtrain101.labels.store import Store
from llmtrain101.labels.widget import Labeller

Labeller(Store("{file}"), "{who}")
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """With a learner's copy of the course."""
    with browser.lab(tmp_path_factory.mktemp("labels")) as lab:
        yield lab


def write(lab: Lab, notebook: str, code: str) -> str:
    """A notebook of one cell in the learner's folder."""
    cells = [nbformat.v4.new_code_cell(code)]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    nbformat.write(made, lab.folder / notebook)
    return notebook


def kill_kernels(lab: Lab) -> int:
    """Kill every kernel, as a lack of memory would; how many there were."""
    kernels = [
        process
        for process in psutil.Process(lab.process).children(recursive=True)
        if "ipykernel_launcher" in " ".join(process.cmdline())
    ]
    for kernel in kernels:
        kernel.kill()
    return len(kernels)


def run(page: playwright.Page, having: str = "Labeller(") -> playwright.Locator:
    """Run the cell that makes the widget, and give its place on the page."""
    page.locator(".jp-CodeCell").filter(has_text=having).locator(".cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    widget = page.locator(".llmtrain101-labels").last
    playwright.expect(widget.locator(".shown")).to_be_visible(timeout=PATIENCE)
    return widget


def run_lesson(page: playwright.Page) -> playwright.Locator:
    """Run lesson 05 down to its labelling widget, and give the widget's place on the page."""
    cell = page.locator(".jp-CodeCell").filter(has_text='Labeller(store, "me")')
    cell.locator(".cm-content").first.click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Above Selected Cell").click()
    return run(page, 'Labeller(store, "me")')


def expect_place(widget: playwright.Locator, number: int) -> None:
    playwright.expect(widget.get_by_text(f"Text {number} of ")).to_be_visible()


def focus(page: playwright.Page) -> str:
    """What has the focus: the text of a button, or the kind of element."""
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.tagName"))


def test_labels_by_keyboard_and_mouse_outlive_page_and_kernel(lab: Lab) -> None:
    page = lab.open(LESSON)
    widget = run_lesson(page)
    playwright.expect(widget.get_by_text("Guideline A: the verdict")).to_be_visible()
    store = Store(lab.folder / "my-labels.sqlite")
    texts = [item.text for item in store.items()]

    # 5 by keys in the box, 5 from button to button
    box = widget.get_by_role("textbox")
    box.focus()
    for key in "12p3n":
        page.keyboard.press(key)
    expect_place(widget, 6)
    assert focus(page) == "INPUT"
    mixed = widget.get_by_role("button", name="mixed")
    positive = widget.get_by_role("button", name="positive")
    positive.focus()
    for number, key in enumerate(("Space", "Enter"), start=7):
        page.keyboard.press(key)
        expect_place(widget, number)
        playwright.expect(positive).to_be_focused()  # or one would have to start anew each time
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    playwright.expect(mixed).to_be_focused()
    for number in (9, 10, 11):
        page.keyboard.press("Space")
        expect_place(widget, number)
    playwright.expect(mixed).to_be_focused()

    # 10 by mouse, then two undone
    heights = set()  # of the buttons, whatever the length of the text above them
    for number, name in enumerate(["negative", "positive"] * 5, start=12):
        place, top = mixed.bounding_box(), widget.bounding_box()
        assert place is not None and top is not None
        heights.add(round(place["y"] - top["y"]))
        widget.get_by_role("button", name=name).click()
        expect_place(widget, number)
    assert len(heights) == 1
    for number in (20, 19):
        widget.get_by_role("button", name="undo").click()
        expect_place(widget, number)

    # a key on a button is meant for the labels: JupyterLab would make the cell a text, or cut it
    for number, key in ((20, "m"), (20, "x"), (19, "z")):
        page.keyboard.press(key)
        expect_place(widget, number)
    playwright.expect(box).to_be_focused()

    expected = [
        *("positive", "negative", "positive", "mixed", "negative"),
        *("positive", "positive", "mixed", "mixed", "mixed"),
        *("negative", "positive") * 4,
    ]
    assert [row["label"] for row in store.rows("me")] == expected
    page.close()  # without a word, and nothing saved
    assert kill_kernels(lab) >= 1

    page = lab.open(LESSON)
    widget = run_lesson(page)
    expect_place(widget, 19)
    playwright.expect(widget.locator(".shown")).to_have_text(texts[18])
    playwright.expect(widget.get_by_text("18 labelled")).to_be_visible()
    widget.get_by_role("button", name="undo").click()  # also what was done before the crash
    expect_place(widget, 18)
    assert [row["label"] for row in store.rows("me")] == expected[:-1]
    actions = [event["action"] for event in store.events()]
    assert actions == ["label"] * 20 + ["undo"] * 2 + ["label"] + ["undo"] * 2
    assert all(event["seconds"] > 0 for event in store.events() if event["action"] == "label")
    page.close()


OTHER = """
import sys, time
from llmtrain101.labels.store import Store
store = Store(sys.argv[1])
while item := store.next("eve"):
    store.label(item, "eve", "negative")
    time.sleep(0.01)
"""


def test_two_pages_and_a_process_at_once_lose_nothing(lab: Lab) -> None:
    store = Store(lab.folder / "both.sqlite", labels=["positive", "negative"])
    store.add(TEXTS)
    pages = [
        lab.open(write(lab, f"{who}.ipynb", CODE.format(file="both.sqlite", who=who)))
        for who in ("ada", "bob")
    ]
    widgets = [run(page) for page in pages]
    eve = subprocess.Popen([sys.executable, "-c", OTHER, str(store.path)])
    for widget in widgets:
        widget.get_by_role("textbox").focus()
    for _ in range(20):
        pages[0].keyboard.press("1")
        pages[1].keyboard.press("2")
    for widget in widgets:
        expect_place(widget, 21)
    assert eve.wait(timeout=60) == 0
    found = {who: [row["label"] for row in store.rows(who)] for who in ("ada", "bob", "eve")}
    assert found["ada"] == ["positive"] * 20 and found["bob"] == ["negative"] * 20
    assert found["eve"] == ["negative"] * 60
    assert [event["event"] for event in store.events()] == list(range(1, 101))
    for page in pages:
        page.close()


def test_markup_in_a_text_is_text_and_spans_are_marked_without_a_mouse(lab: Lab) -> None:
    store = Store(lab.folder / "spans.sqlite", labels=["PER", "LOC"], kind="spans")
    store.add(
        ["Ada met <img src=x onerror='document.title=1'> Bob\x00 in \u202ePar\u202cis.", "One."]
    )
    page = lab.open(write(lab, "spans.ipynb", CODE.format(file="spans.sqlite", who="ada")))
    title = page.title()
    widget = run(page)
    playwright.expect(widget.locator(".shown")).to_have_text(
        "Ada met <img src=x onerror='document.title=1'> Bob[NUL] in [RLO]Par[PDF]is."
    )
    assert widget.locator(".shown img").count() == 0
    widget.get_by_role("button", name="1 Ada").focus()
    page.keyboard.press("Enter")
    widget.get_by_role("button", name="1 · PER").focus()
    page.keyboard.press("Enter")
    playwright.expect(widget.locator("mark")).to_have_text("Ada" + "PER")
    box = widget.get_by_role("textbox")
    box.click()
    page.keyboard.type("13-14 PER")
    page.keyboard.press("Enter")
    playwright.expect(widget.locator("mark")).to_have_count(2)
    page.keyboard.type("d")
    page.keyboard.press("Enter")
    expect_place(widget, 2)
    assert page.title() == title  # no markup of the text has run
    (row,) = store.rows()
    assert row["label"] == ["PER", "PER"] and row["tags"][0] == "B-PER"
    page.close()


def test_buttons_of_a_pair_are_large_enough_for_a_thumb(lab: Lab) -> None:
    store = Store(lab.folder / "pairs.sqlite", kind="pairs")
    store.add([("One text.", "Another text.\n" * 3), ("Three.", "Four.")])
    notebook = write(lab, "pairs.ipynb", CODE.format(file="pairs.sqlite", who="ada"))
    page = lab.open(notebook, has_touch=True)
    widget = run(page)
    for button in widget.get_by_role("button").all():
        place = button.bounding_box()
        assert place is not None and place["height"] >= 44 and place["width"] >= 44
    widget.get_by_role("button", name="left").tap()
    expect_place(widget, 2)
    assert len(store.rows()) == 1
    page.close()
