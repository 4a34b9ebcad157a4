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

from llmtrain101.course.exercises import Unattempted, Wrong, exercise

__all__ = ["Unattempted", "Wrong", "exercise"]
