"""The exercises of lesson 09: right answers pass, each kind of wrong one hears what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from llmtrain101.course import exercises
from tests.judging import judged


def counted(sentences: list[str], before: str) -> tuple[list[str], list[str]]:
    lines = [line.split() for line in sentences]
    return [w for line in lines for w in line], [
        b for line in lines for a, b in pairwise(line) if a == before
    ]


def mixed(s: list[str], before: str, word: str, share: float = 0.8) -> float:
    words, follows = counted(s, before)
    frequency = words.count(word) / len(words)
    if not follows:
        return frequency
    return share * follows.count(word) / len(follows) + (1 - share) * frequency


def no_fallback(s: list[str], before: str, word: str, share: float) -> float:
    words, follows = counted(s, before)
    return share * follows.count(word) / max(1, len(follows)) + (1 - share) * words.count(
        word
    ) / len(words)


def divides(s: list[str], before: str, word: str, share: float) -> float:
    words, follows = counted(s, before)
    return share * follows.count(word) / len(follows) + (1 - share) * words.count(word) / len(words)


def across(s: list[str], before: str, word: str, share: float) -> float:
    return mixed([" ".join(s)], before, word, share)


def by_all(s: list[str], before: str, word: str, share: float) -> float:
    words, follows = counted(s, before)
    bigram = follows.count(word) / max(1, words.count(before))
    return share * bigram + (1 - share) * words.count(word) / len(words)


def across_by_all(s: list[str], before: str, word: str, share: float) -> float:
    return by_all([" ".join(s)], before, word, share)


def by_end(s: list[str], before: str, word: str, share: float) -> float:
    words, follows = counted(s, before)
    if before not in words:
        return words.count(word) / len(words)
    return no_fallback(s, before, word, share)


def seen(
    scores: Any, width: int, future: bool = True, far: bool = True, shift: int = 0
) -> torch.Tensor:
    place = torch.arange(len(scores))
    back = place[:, None] - place
    return ~((back < 0) & future | (back >= width + shift) & far)


def attends(scores: Any, values: Any, width: int, fill: float = -math.inf, **how: Any) -> Any:
    return scores.masked_fill(~seen(scores, width, **how), fill).softmax(-1) @ values


def by_loops(scores: Any, values: Any, width: int) -> Any:
    rows = []
    for t in range(len(scores)):
        start = max(0, t - width + 1)
        weights = [math.exp(score) for score in scores[t, start : t + 1].tolist()]
        parts = [w * v for w, v in zip(weights, values[start : t + 1], strict=True)]
        rows.append(sum(parts) / sum(weights))
    return torch.stack(rows)


def with_minus_a_billion(scores: Any, values: Any, width: int) -> Any:
    return attends(scores, values, width, fill=-1e9)


def in_place(scores: Any, values: Any, width: int) -> Any:
    scores.masked_fill_(~seen(scores, width), -math.inf)
    return scores.softmax(-1) @ values


def after_softmax(scores: Any, values: Any, width: int) -> Any:
    return (scores.softmax(-1) * seen(scores, width)) @ values


def columns(scores: Any, values: Any, width: int) -> Any:
    return scores.masked_fill(~seen(scores, width), -math.inf).softmax(0) @ values


def turned(scores: Any, values: Any, width: int) -> Any:
    return scores.masked_fill(~seen(scores, width).T, -math.inf).softmax(-1) @ values


def not_itself(scores: Any, values: Any, width: int) -> Any:
    hidden = ~seen(scores, width) | torch.eye(len(scores), dtype=torch.bool)
    return scores.masked_fill(hidden, -math.inf).softmax(-1) @ values


def plain_mean(scores: Any, values: Any, width: int) -> Any:
    return attends(scores * 0, values, width)


def three(scores: Any, values: Any, width: int) -> Any:
    return attends(scores, values, 3)


def leaks(scores: Any, values: Any, width: int) -> Any:
    return attends(scores, values, width) + values.mean(dim=0)


def scaled(values: Any) -> Any:
    return np.array(values) / np.sum(values)


def softmax_of_logs(p: Any, temperature: float) -> list[float]:
    powers = [math.exp(math.log(x) / temperature) for x in p]
    return [x / sum(powers) for x in powers]


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("09.1", lambda p: sum(-math.log(x) for x in p) / len(p)),
        ("09.1", lambda p: -np.log(p).mean()),
        ("09.1", lambda p: -math.log(math.prod(p)) / len(p)),
        ("09.2", mixed),
        ("09.3", attends),
        ("09.3", by_loops),
        ("09.3", with_minus_a_billion),
        ("09.4", softmax_of_logs),
        ("09.4", lambda p, t: scaled(np.array(p) ** (1 / t))),
    ],
)
def test_every_way_of_being_right_passes(id: str, answer: Callable[..., Any]) -> None:
    state, said = judged(id, answer)
    assert state == "passed", said


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("09.1", lambda p: np.log(p).mean(), "sign"),
        ("09.1", lambda p: -np.log(p).sum(), "the mean is asked for"),
        ("09.1", lambda p: -np.log(np.mean(p)), "loss of the mean probability"),
        ("09.1", lambda p: -np.log2(p).mean(), "bits"),
        ("09.1", lambda p: -np.log10(p).mean(), "base 10"),
        ("09.1", lambda p: np.exp(-np.log(p).mean()), "perplexity"),
        ("09.1", lambda p: np.mean(p), "without a logarithm"),
        ("09.1", lambda p: 1.0, "should be"),
        ("09.1", lambda p: [1.0], "a `list`"),
        ("09.1", lambda p: -math.log(p), "TypeError"),
        ("09.1", 3.0, "needs your function"),
        ("09.2", lambda s, b, w, share: mixed(s, b, w, 1 - share), "the other way round"),
        ("09.2", lambda s, b, w, share: mixed(s, b, w, 1.0), "bigrams alone"),
        ("09.2", lambda s, b, w, share: mixed(s, b, w, 0.0), "frequency alone"),
        ("09.2", lambda s, b, w, share: mixed(s, b, w, 1.0) + mixed(s, b, w, 0.0), "weights"),
        ("09.2", across, "across the end of a sentence: the a"),
        ("09.2", by_all, ": you divided by how often `before` occurs"),
        ("09.2", across_by_all, "of a sentence, and you divided by how often `before` occurs"),
        ("09.2", by_end, "`d` occurs, but nothing ever follows it"),
        ("09.2", no_fallback, "all the weight goes to the frequency"),
        ("09.2", divides, "ZeroDivisionError"),
        ("09.2", lambda s, b, w, share: mixed(s, b, w, 0.7), "should be"),
        ("09.3", lambda s, v, w: attends(s, v, w, future=False, far=False), "nothing is hidden"),
        ("09.3", lambda s, v, w: attends(s, v, w, far=False), "only the future is hidden"),
        ("09.3", lambda s, v, w: attends(s, v, w, future=False), "the future is seen"),
        ("09.3", lambda s, v, w: attends(s, v, w, shift=1), "too far back"),
        ("09.3", lambda s, v, w: attends(s, v, w, shift=-1), "too little back"),
        ("09.3", lambda s, v, w: attends(s, v, w, fill=0.0), "`exp(0)` is 1"),
        ("09.3", lambda s, v, w: seen(s, w).float() @ v, "all with the same weight"),
        ("09.3", lambda s, v, w: seen(s, w), "returns the shape (6, 6)"),
        ("09.3", lambda s, v, w: "x", "a `str`"),
        ("09.3", turned, "the wrong way round"),
        ("09.3", in_place, "is changed"),
        ("09.3", after_softmax, "*after* the softmax"),
        ("09.3", columns, "down the columns"),
        ("09.3", not_itself, "are nan"),
        ("09.3", plain_mean, "plain mean"),
        ("09.3", leaks, "must not see it"),
        ("09.3", three, "a width of 1"),
        ("09.4", lambda p, t: np.array(p) ** (1 / t), "not yet scaled"),
        ("09.4", lambda p, t: scaled(np.array(p) ** t), "upside down"),
        ("09.4", lambda p, t: scaled(np.exp(np.array(p) / t)), "taken for scores"),
        ("09.4", lambda p, t: scaled(np.array(p) / t), "nothing changed"),
        ("09.4", lambda p, t: np.array(p) / t, "themselves were divided"),
        ("09.4", lambda p, t: p[:2], "returns 2 numbers"),
        ("09.4", lambda p, t: 0.5, "a list of numbers"),
        ("09.4", lambda p, t: [0.6, 0.3, 0.1], "should be"),
    ],
)
def test_each_kind_of_wrong_hears_what_is_wrong(id: str, answer: Any, said: str) -> None:
    state, text = judged(id, answer)
    assert state == "failed"
    assert said in text


def loss_of(probabilities: Any) -> Any: ...


def half_done(probabilities: Any, temperature: Any) -> Any:
    return [p * ... for p in probabilities]  # type: ignore[operator]


@pytest.mark.parametrize(("id", "answer"), [("09.1", loss_of), ("09.1", None), ("09.4", half_done)])
def test_a_starter_is_no_answer(id: str, answer: Any) -> None:
    assert judged(id, answer)[0] == "unattempted"


def test_every_exercise_has_hints_that_lead_on() -> None:
    found = exercises.of_lesson("09")
    assert [one.id for one in found] == ["09.1", "09.2", "09.3", "09.4"]
    assert all(len(one.hints) >= 2 and one.minutes > 0 for one in found)


def test_the_slider_for_minutes_starts_where_asked() -> None:
    from llmtrain101.course.minutes import minutes_slider

    slider = minutes_slider(0.1)
    assert slider.value == pytest.approx(0.1)
    slider.value = 5
    assert slider.value == pytest.approx(5)
    with pytest.raises(ValueError, match="at most 60"):
        minutes_slider(90)
