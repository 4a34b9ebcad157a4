"""The checks of the exercises, one module for each lesson: `lesson_01` and so on.

A check compares behaviour, not digits, and tells apart the ways in which an answer can be wrong::

    from collections.abc import Callable

    from llmtrain101.course.checks import Wrong, exercise


    @exercise("01.1", title="The gap", minutes=5, difficulty=1, hints=["Which error is larger?"])
    def gap(answer: Callable[[float, float], float]) -> str:
        if answer(0.1, 0.3) < 0:
            raise Wrong("`gap(0.1, 0.3)` is negative: training error minus test error?")
        ...
        return "The gap grows when the model memorises."
"""

from __future__ import annotations

from typing import Any

from llmtrain101.course.exercises import Unattempted, Wrong, exercise

__all__ = ["Unattempted", "Wrong", "brief", "exercise", "number"]


def brief(value: Any) -> str:
    """What an answer gave, as code, on one line and cut short."""
    text = " ".join(repr(value).split())
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`"


def number(value: Any, what: str = "one number") -> float:
    """An answer as a float; `Wrong` if it is not `what`.

    Examples
    --------
    >>> number([0.5])
    0.5
    """
    import numpy as np

    try:
        found = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.size != 1 or isinstance(value, (str, bytes)):
        raise Wrong(f"It gives {brief(value)}; it should be {what}.")
    return float(found.reshape(()))
