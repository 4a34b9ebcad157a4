"""What an exercise says to an answer."""

from __future__ import annotations

from typing import Any

from llmtrain101.course import exercises


def judged(id: str, answer: Any) -> tuple[str, str]:
    """The state and what is said, as one text."""
    state, lines = exercises.judge(exercises.find(id), answer)
    return state, "\n".join(lines)
