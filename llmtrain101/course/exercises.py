"""Exercises: a check says what is wrong, hints come one at a time, the solution when asked for."""

from __future__ import annotations

import functools
import html
import importlib
import inspect
import operator
import reprlib
import textwrap
from ast import Constant, Expr, FunctionDef, Pass, Raise, Return, parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_origin, get_type_hints

from llmtrain101.course import progress_store
from llmtrain101.course.cards import card, card_forms, emit

Check = Callable[..., str | None]


class Wrong(Exception):
    """Raised by a check: the message says what is wrong with the answer and what to look at."""


class Unattempted(Exception):
    """Raised by a check: there is no answer yet."""


@dataclass(frozen=True)
class Exercise:
    """One exercise; `exercise` makes it."""

    id: str
    title: str
    minutes: int
    difficulty: int
    hints: tuple[str, ...]
    check: Check


_exercises: dict[str, Exercise] = {}
_hints_given: dict[str, int] = {}
_solution_asked: set[str] = set()


def exercise(
    id: str, *, title: str, minutes: int, difficulty: int, hints: Sequence[str] = ()
) -> Callable[[Check], Check]:
    """Make a check of a function: it gets the answer, and returns (right) or raises `Wrong`.

    What it returns, if it is text, is shown with "passed". The annotation of its first argument
    says what an answer is: for `Callable[…]` a function is asked for, for `float`, `int`, `str`,
    `list`, … a value; another kind of answer is turned away with a sentence before the check
    runs. A function given as an answer is wrapped: an exception in it becomes a `Wrong` that
    shows the input, `...` or `NotImplementedError` an `Unattempted`. (`answer.__wrapped__` is
    the bare function.)

    Parameters
    ----------
    id : str
        Lesson and number, for example `"01.2"`.
    title : str
    minutes : int
        What it takes somebody who has read the lesson.
    difficulty : {1, 2, 3}
    hints : sequence of str
        From a nudge to nearly the answer.

    Examples
    --------
    >>> @exercise("99.1", title="Twice", minutes=1, difficulty=1, hints=["What is `2 * x`?"])
    ... def twice(answer: Callable[[int], int]) -> None:
    ...     if answer(3) == 9:
    ...         raise Wrong("`f(3)` is 9: that is the square.")
    ...     if answer(3) != 6:
    ...         raise Wrong(f"`f(3)` is {answer(3)}, not 6.")
    >>> check("99.1", lambda x: x * x)
    ✗ Exercise 99.1 failed: Twice
      `f(3)` is 9: that is the square.
      For a hint: `course.hint("99.1")`
    >>> check("99.1", lambda x: x + x)
    ✓ Exercise 99.1 passed: Twice
    """
    if difficulty not in (1, 2, 3):
        raise ValueError(f"difficulty must be 1, 2 or 3, got {difficulty!r}.")

    def register(function: Check) -> Check:
        _exercises[id] = Exercise(id, title, minutes, difficulty, tuple(hints), function)
        return function

    return register


def of_lesson(lesson: str) -> list[Exercise]:
    """The exercises of a lesson, in order; none if it has no module of checks."""
    module = f"llmtrain101.course.checks.lesson_{lesson}"
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:  # a check that fails to import something is a fault of ours
            raise
    return [_exercises[id] for id in sorted(_exercises) if id.startswith(f"{lesson}.")]


def find(id: str) -> Exercise:
    """One exercise.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists those of the lesson.
    """
    known = of_lesson(str(id).split(".")[0])
    for one in known:
        if one.id == id:
            return one
    from llmtrain101.course import kernel

    known = known or of_lesson(kernel.started())
    listed = ", ".join(f'"{one.id}"' for one in known) or "none"
    quotes = "" if isinstance(id, str) else " Its name stands in quotes."
    raise ValueError(f"There is no exercise {id!r}; this lesson has {listed}.{quotes}")


def check(id: str, answer: Any = None) -> None:
    """Say whether an answer is right, and if not, what is wrong with it.

    Parameters
    ----------
    id : str
        For example `"01.2"`.
    answer
        What the exercise asks for, mostly a function: the function itself, not a call of it.
    """
    one = find(id)
    state, lines = judge(one, answer)
    if state == "unattempted":
        stars = "●" * one.difficulty + "○" * (3 - one.difficulty)
        lines.append(f"About {one.minutes} min, difficulty {stars}.")
    if state != "passed" and one.hints:
        lines.append(f'For a hint: `course.hint("{id}")`')
    trouble = progress_store.record("exercises", id, state)
    card(state, f"Exercise {id} {state}: {one.title}", *lines, *([trouble] if trouble else []))


def judge(one: Exercise, answer: Any) -> tuple[str, list[str]]:
    """The state of an answer, and what to say about it; shows and saves nothing."""
    try:
        if answer is None or answer is ...:
            raise Unattempted
        said = one.check(_fitting(one, answer))
        return "passed", [said] if isinstance(said, str) else []
    except Wrong as wrong:
        return "failed", [str(wrong)]
    except (Unattempted, NotImplementedError) as missing:
        text = str(missing) if isinstance(missing, Unattempted) else ""
        return "unattempted", [
            text or "Write your answer in the cell above, run it, then run this one again."
        ]
    except Exception as error:  # whatever an answer may be, the learner gets a sentence
        return "failed", [
            f"Your answer could not be used: `{type(error).__name__}: {error}`. "
            f"It was {_kind(answer)}."
        ]


def hint(id: str) -> None:
    """Show the next hint of an exercise; each call adds one.

    Examples
    --------
    >>> @exercise("99.2", title="t", minutes=1, difficulty=1, hints=["Look at the sign."])
    ... def _(answer: float) -> None: ...
    >>> hint("99.2")
    → Hint 1 of 1 for exercise 99.2
      Look at the sign.
    """
    one = find(id)
    if not one.hints:
        card("note", f"Exercise {id} has no hints.")
        return
    given = min(_hints_given.get(id, 0) + 1, len(one.hints) + 1)
    _hints_given[id] = given
    count = len(one.hints)
    if given > count:
        card(
            "note",
            f"All {count} hints for exercise {id}",
            *one.hints,
            f'There are no more. `course.solution("{id}")` shows one way to do it.',
        )
    else:
        card("note", f"Hint {given} of {count} for exercise {id}", *one.hints[:given])


def solution(id: str, *, force: bool = False) -> None:
    """Show the code of one right answer.

    An exercise that was never tried is first answered by "try first"; the second call (or
    `force=True`) shows it in any case.
    """
    one = find(id)
    tried = progress_store.state_of("exercises", id) != "unattempted"
    if not (tried or force or id in _solution_asked):
        _solution_asked.add(id)
        card(
            "note",
            f"Try exercise {id} first: a wrong answer teaches more than a read one.",
            f'`course.hint("{id}")` gives a hint. Run this cell once more to see the solution.',
        )
        return
    source = solution_source(id)
    plain, markup = card_forms("note", f"One solution of exercise {id}: {one.title}")
    emit(
        plain + "\n" + textwrap.indent(source, "    "),
        f'{markup}<pre style="padding: 0 1.2em">{html.escape(source)}</pre>',
    )


def solution_source(id: str) -> str:
    """The code of the solution cell in the lesson's source."""
    from llmtrain101.course.lessons import lesson_path, read_lesson, tags

    for cell in read_lesson(lesson_path(id.split(".")[0])).cells:
        if {"solution", f"exercise-{id}"} <= set(tags(cell)):
            return str(cell.source)
    raise ValueError(f"The lesson has no cell tagged `solution` and `exercise-{id}`.")


def _fitting(one: Exercise, answer: Any) -> Any:
    """The answer as the check takes it, or `Wrong` if it is another kind of thing."""
    try:
        hints = get_type_hints(one.check)
    except NameError:  # an annotation that is imported for type checkers only
        hints = {}
    hints.pop("return", None)
    wanted: Any = next(iter(hints.values()), object)
    wanted = get_origin(wanted) or wanted  # `list[float]` is looked at as `list`
    if wanted in (Any, Union, UnionType):
        wanted = object
    call = f'`course.check("{one.id}", name_of_your_function)`'
    if wanted is Callable:
        if not callable(answer):
            raise Wrong(
                f"The check needs your function, and got {_kind(answer)}. "
                f"Pass the function itself, without calling it: {call}."
            )
        return _guarded(answer) if inspect.isroutine(answer) else answer  # a class, a model: bare
    if wanted is not object and inspect.isroutine(answer):
        raise Wrong(
            f"The check needs a value, and got {_kind(answer)}. Call it, and pass what it returns."
        )
    if wanted in (float, int) and not isinstance(answer, str | bool):
        try:
            return float(answer) if wanted is float else operator.index(answer)
        except (TypeError, ValueError):
            raise Wrong(f"The check needs a number, and got {_kind(answer)}.") from None
    if isinstance(wanted, type) and not isinstance(answer, wanted):
        raise Wrong(f"The check needs a `{wanted.__name__}`, and got {_kind(answer)}.")
    return answer


def _guarded(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The learner's function, whose failures become messages that show the input."""
    name = getattr(answer, "__name__", "your function")
    name = "your function" if name == "<lambda>" else name

    @functools.wraps(answer)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            result = answer(*args, **kwargs)
        except NotImplementedError:
            raise Unattempted from None
        except Exception as error:
            if "ellipsis" in str(error):  # a line of the starter is still `...`
                raise Unattempted(
                    f"There is still a `...` in {name}: put your code there."
                ) from None
            given = ", ".join(
                [_short(value) for value in args]
                + [f"{key}={_short(value)}" for key, value in kwargs.items()]
            )
            raise Wrong(
                f"`{name}({given})` stopped with `{type(error).__name__}: {error}`."
            ) from error
        if result is ... or (result is None and _is_empty(answer)):
            raise Unattempted
        if result is None:
            raise Wrong(f"`{name}` gives back `None`: is a `return` missing?")
        return result

    return guarded


def _is_empty(function: Callable[..., Any]) -> bool:
    """Whether the body is still the starter's: only text, `...`, `pass` or `return`."""
    try:
        tree = parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return True  # a function without source that returns nothing: ask for an answer
    body = tree.body[0].body if isinstance(tree.body[0], FunctionDef) else []
    return all(
        isinstance(line, Pass | Raise)
        or (isinstance(line, Expr) and isinstance(line.value, Constant))
        or (isinstance(line, Return) and (line.value is None or isinstance(line.value, Constant)))
        for line in body
    )


_brief = reprlib.Repr()  # its defaults cut numbers and strings at 30 to 40 characters
_brief.maxstring = _brief.maxother = 60


def _short(value: Any) -> str:
    return " ".join(_brief.repr(value).split())


def _kind(value: Any) -> str:
    if inspect.isroutine(value):
        return f"the function `{getattr(value, '__name__', value)}`"
    kind = type(value).__name__
    return f"`{_short(value)}` ({'an' if kind[0] in 'aeioAEIO' else 'a'} `{kind}`)"
