"""What holds for the exercises of every lesson."""

from __future__ import annotations

from typing import Any

import pytest

from llmtrain101.course import exercises
from llmtrain101.course.lessons import lesson_paths
from tests.judging import judged

IDS = [each.id for lesson in lesson_paths() for each in exercises.of_lesson(lesson)]


def starter(*_: Any, **__: Any) -> Any:
    return ...


@pytest.mark.parametrize("answer", [None, ...])
@pytest.mark.parametrize("id", IDS)
def test_no_answer_is_unattempted(id: str, answer: Any) -> None:
    assert judged(id, answer)[0] == "unattempted"


@pytest.mark.parametrize("id", [id for id in IDS if id != "00.1"])  # that one is no function
def test_what_is_not_yet_written_is_unattempted(id: str) -> None:
    assert judged(id, starter)[0] == "unattempted"
