"""The trial lesson in JupyterLab in a real browser: what a learner sees and presses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llmtrain101.course.build import build
from tests import browser, trial_course
from tests.browser import PATIENCE, playwright

pytestmark = browser.MARKS


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[playwright.Page]:
    """The trial lesson, open, with all cells run."""
    root = tmp_path_factory.mktemp("browser")
    trial_course.write(root)
    build(root=root)
    with browser.lab(root, LLMTRAIN101_COURSE=str(root)) as lab:
        page = lab.open("99-trial.ipynb", height=3000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        promised = page.get_by_text("What this lesson promised")
        playwright.expect(promised).to_be_visible(timeout=PATIENCE)
        yield page


def cell(page: playwright.Page, having: str) -> playwright.Locator:
    return page.locator(".jp-CodeCell").filter(has_text=having)


def put(page: playwright.Page, having: str, code: str) -> None:
    """Write other code into a cell and run it."""
    cell(page, having).locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")


def test_nothing_stands_in_front_of_the_lesson(page: playwright.Page) -> None:
    playwright.expect(page.locator(".Toastify__toast, .jp-Dialog")).to_have_count(0)


def test_a_figure_says_what_there_is_to_see(page: playwright.Page) -> None:
    name = 'A line rises from left to right: "steady" & straight.'
    picture = page.get_by_role("img", name=name)
    playwright.expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100


def test_a_slider_draws_anew_and_its_alt_text_follows(page: playwright.Page) -> None:
    playwright.expect(page.get_by_role("img", name="A line of slope 1.")).to_be_visible()
    page.get_by_role("slider").first.focus()
    page.keyboard.press("End")
    playwright.expect(page.get_by_role("img", name="A line of slope 5.")).to_be_visible()


def test_a_quiz_is_answered_by_keyboard_and_by_mouse(page: playwright.Page) -> None:
    quiz = page.locator(".llmtrain101-quiz")
    said = quiz.get_by_role("status")
    options = quiz.get_by_role("radio")
    playwright.expect(options).to_have_count(3)
    assert quiz.locator("i, .widget-html-content p b").count() == 1  # “Question 1.” and no markup

    quiz.get_by_role("button", name="Check").click()
    playwright.expect(said).to_contain_text("Choose an answer first.")

    options.first.focus()
    page.keyboard.press("Space")
    playwright.expect(options.first).to_be_checked()
    for _ in range(3):  # past the other two options to the button
        page.keyboard.press("Tab")
    playwright.expect(quiz.get_by_role("button", name="Check")).to_be_focused()
    page.keyboard.press("Enter")
    playwright.expect(said).to_contain_text("a is not it")

    quiz.get_by_text("b) 6 <i>apples</i>").click()
    quiz.get_by_role("button", name="Check").click()
    playwright.expect(said).to_contain_text("b is right")
    playwright.expect(said).to_contain_text("One and two and three.")
    playwright.expect(options.first).not_to_be_checked()


def test_a_check_fails_then_passes_and_the_promise_is_ticked(page: playwright.Page) -> None:
    check = cell(page, 'course.check("99.1", double)')
    playwright.expect(check).to_contain_text("Exercise 99.1 unattempted")
    for code, said in (
        ("def double(x):\n    return x * x", "Exercise 99.1 failed"),
        ("def double(x):\n    return 2 * x", "Exercise 99.1 passed"),
    ):
        put(page, "def double(x)", code)
        check.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        playwright.expect(check).to_contain_text(said)
    kept = cell(page, "course.promises_kept")
    playwright.expect(kept).to_contain_text("☐ double a number")
    kept.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    playwright.expect(kept).to_contain_text("☑ double a number")
