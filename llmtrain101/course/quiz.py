"""Quizzes: radio buttons where there are widgets, `quiz.answer(1, "b")` where there are none."""

from __future__ import annotations

import html
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any, SupportsIndex

from llmtrain101.course import progress_store
from llmtrain101.course.cards import card, card_forms, in_notebook, marked

_STYLE = """<style>
.llmtrain101-quiz .widget-radio-box label {
  display: flex; align-items: baseline; gap: 0.5em; height: auto; line-height: 1.5;
  white-space: normal; font-size: var(--jp-content-font-size1, 14px);
  color: var(--jp-content-font-color1, #212121) }
.llmtrain101-quiz .widget-radio-box label > input {
  margin: 0.3em 0 0; flex: none; align-self: flex-start; order: -1 }
.llmtrain101-quiz .widget-radio, .llmtrain101-quiz .widget-radio-box { width: auto; height: auto }
.llmtrain101-quiz input:focus-visible, .llmtrain101-quiz button:focus-visible {
  outline: 3px solid var(--jp-brand-color1, #1565c0); outline-offset: 2px }
.llmtrain101-quiz p { margin: 0.6em 0 0.2em; font-size: var(--jp-content-font-size1, 14px);
  line-height: 1.5; color: var(--jp-content-font-color1, #212121) }
</style>"""


@dataclass(frozen=True)
class Question:
    """One question; `answer` is the index of the right option."""

    text: str
    options: tuple[str, ...]
    answer: int
    why: str


class Quiz:
    """The questions at the end of a lesson.

    Examples
    --------
    >>> quiz = Quiz("99")
    >>> quiz.ask("How much is 6 · 7?", ["36", "42"], answer=1, why="Seven times six.")
    >>> quiz.show()
    Question 1. How much is 6 · 7?
      a) 36
      b) 42
      Answer with quiz.answer(1, "a"), or another letter.
    >>> quiz.answer(1, "b")
    ✓ Question 1: b is right
      Seven times six.
    """

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson
        self.questions: list[Question] = []

    def ask(
        self, question: str, options: Sequence[str], *, answer: SupportsIndex, why: str
    ) -> None:
        """Add a question; asked again (a cell run twice), it replaces the first.

        Parameters
        ----------
        question : str
            Plain text; what stands between backticks is code.
        options : sequence of str
            2 to 8 different ones.
        answer : int
            Index of the right option, best computed by the lesson's own code.
        why : str
            Shown with the right answer.

        Raises
        ------
        ValueError
            If `answer` is no index of `options`, or two options are the same.
        """
        choices = tuple(str(option) for option in options)
        index = operator.index(answer)
        if not 2 <= len(choices) <= 8 or len(set(choices)) != len(choices):
            raise ValueError(f"A question needs 2 to 8 different options, got {list(choices)}.")
        if not 0 <= index < len(choices):
            raise ValueError(
                f"answer must be the index of an option, 0 to {len(choices) - 1}, got {index}."
            )
        asked = Question(question, choices, index, why)
        for place, earlier in enumerate(self.questions):
            if earlier.text == question:
                self.questions[place] = asked
                return
        self.questions.append(asked)

    def show(self) -> None:
        """Show the questions: as widgets in a notebook, as text elsewhere."""
        for number, question in enumerate(self.questions, start=1):
            plain, markup = _as_text(number, question)
            if in_notebook():
                from llmtrain101.course.show import show_widget

                show_widget(self._widget(number, question), plain, markup)
            else:
                print(plain)

    def answer(self, number: int | str, letter: str) -> None:
        """Answer a question by its number and a letter: the way without widgets.

        Raises
        ------
        ValueError
            If there is no such question or letter; the message says which there are.
        """
        number = int(number) if str(number).isdecimal() else number
        if not isinstance(number, int) or number not in range(1, len(self.questions) + 1):
            raise ValueError(f"There are questions 1 to {len(self.questions)}, got {number!r}.")
        question = self.questions[number - 1]
        letters = ascii_lowercase[: len(question.options)]
        chosen = str(letter).strip().lower().rstrip(")")
        if len(chosen) != 1 or chosen not in letters:
            raise ValueError(f"The letters are {', '.join(letters)}, got {letter!r}.")
        card(*self._judge(number, letters.index(chosen)))

    def _judge(self, number: int, chosen: int) -> tuple[str, ...]:
        question, letter = self.questions[number - 1], ascii_lowercase[chosen]
        state = "passed" if chosen == question.answer else "failed"
        trouble = progress_store.record("quizzes", f"{self.lesson}.{number}", state)
        said = (
            (f"Question {number}: {letter} is right", question.why)
            if state == "passed"
            else (f"Question {number}: {letter} is not it", "Think again, then choose another.")
        )
        return (state, *said, trouble) if trouble else (state, *said)

    def _widget(self, number: int, question: Question) -> Any:
        import ipywidgets

        options = [
            (f"{letter}) {option}", index)
            for index, (letter, option) in enumerate(
                zip(ascii_lowercase, question.options, strict=False)
            )
        ]
        choice = ipywidgets.RadioButtons(options=options, value=None)
        button = ipywidgets.Button(
            description="Check", tooltip=f"Check your answer to question {number}"
        )
        feedback = ipywidgets.HTML()

        def judge(_: object) -> None:
            if choice.index is None:
                said: tuple[str, ...] = ("note", "Choose an answer first.")
            else:
                said = self._judge(number, choice.index)
            # a status region, so that a screen reader says what appeared
            feedback.value = f'<div role="status">{card_forms(*said)[1]}</div>'

        button.on_click(judge)
        heading = ipywidgets.HTML(
            f"{_STYLE}<p><b>Question {number}.</b> {marked(question.text)}</p>"
        )
        box = ipywidgets.VBox([heading, choice, button, feedback])
        box.add_class("llmtrain101-quiz")
        return box


def _as_text(number: int, question: Question) -> tuple[str, str]:
    how = f'quiz.answer({number}, "a")'
    lettered = list(zip(ascii_lowercase, question.options, strict=False))
    plain = [
        f"Question {number}. {question.text}",
        *(f"  {letter}) {option}" for letter, option in lettered),
        f"  Answer with {how}, or another letter.",
    ]
    items = "".join(f"<br>{letter}) {html.escape(option)}" for letter, option in lettered)
    markup = (
        f"<p><b>Question {number}.</b> {marked(question.text)}{items}"
        f"<br>Answer with <code>{html.escape(how, quote=False)}</code>, or another letter.</p>"
    )
    return "\n".join(plain), markup
