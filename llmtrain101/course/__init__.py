"""What a lesson needs beside its subject: exercises, quizzes, promises, figures with alt text.

A lesson writes `from llmtrain101 import course` and `course.check(…)`; each name is imported from
its module on first use, so that importing this costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmtrain101.course.exercises import (
        Unattempted,
        Wrong,
        check,
        exercise,
        hint,
        solution,
    )
    from llmtrain101.course.kernel import start
    from llmtrain101.course.progress_store import progress
    from llmtrain101.course.promise import promises, promises_kept
    from llmtrain101.course.quiz import Quiz
    from llmtrain101.course.show import figure, play, varies, within

_HOME = {
    "Quiz": "quiz",
    "Unattempted": "exercises",
    "Wrong": "exercises",
    "check": "exercises",
    "exercise": "exercises",
    "figure": "show",
    "hint": "exercises",
    "play": "show",
    "progress": "progress_store",
    "promises": "promise",
    "promises_kept": "promise",
    "solution": "exercises",
    "start": "kernel",
    "varies": "show",
    "within": "show",
}

__all__ = [
    "Quiz",
    "Unattempted",
    "Wrong",
    "check",
    "exercise",
    "figure",
    "hint",
    "play",
    "progress",
    "promises",
    "promises_kept",
    "solution",
    "start",
    "varies",
    "within",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"llmtrain101.course has no {name!r}; it has {', '.join(__all__)}.")
    return getattr(import_module(f"llmtrain101.course.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
