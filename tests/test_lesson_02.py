"""The exercises of lesson 02: right answers pass, each kind of wrong one hears what is wrong."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.judging import judged


def frequent(labels: list[Any]) -> Any:
    return Counter(labels).most_common(1)[0][0]


def dumb(training: list[Any], new: list[Any]) -> float:
    return new.count(frequent(training)) / len(new)


def chance(word: str, counted: Counter[str], vocabulary: list[str], added: float) -> float:
    return (counted[word] + added) / (sum(counted.values()) + added * len(vocabulary))


def enough(curve: dict[int, float], wanted: float) -> float:
    good = [n for n in curve if all(curve[m] >= wanted for m in curve if m >= n)]
    return min(good, default=math.inf)


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("02.1", dumb),
        ("02.1", lambda training, new: np.mean([label == frequent(training) for label in new])),
        ("02.2", chance),
        ("02.2", lambda *given: np.array([chance(*given)])),
        ("02.3", enough),
        ("02.3", lambda curve, wanted: np.float64(enough(curve, wanted))),
    ],
)
def test_every_way_of_being_right_passes(id: str, answer: Callable[..., Any]) -> None:
    state, text = judged(id, answer)
    assert state == "passed", text


def total(counted: Counter[str]) -> int:
    return sum(counted.values())


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("02.1", lambda training, new: new.count(frequent(new)) / len(new), "nobody knows those"),
        ("02.1", lambda t, new: t.count(frequent(t)) / len(t), "its share in training"),
        ("02.1", lambda t, new: new.count(frequent(t)), "number of rows"),
        ("02.1", lambda t, new: 1 - dumb(t, new), "wrong"),
        ("02.1", lambda t, new: 100 * dumb(t, new), "per cent"),
        ("02.1", lambda t, new: new.count(frequent(t)) / len(t), "training rows"),
        ("02.1", lambda t, new: frequent(t), "should be one number"),
        ("02.1", lambda t, new: 0.25, "expected 0.2"),
        ("02.1", lambda t, new: [0.2, 0.1], "should be one number"),
        ("02.2", lambda w, c, v, a: c[w] / max(1, total(c)), "nothing is added"),
        ("02.2", lambda w, c, v, a: (c[w] + a) / max(1, total(c)), "and not below"),
        ("02.2", lambda w, c, v, a: (c[w] + a) / (total(c) + a), "counts once for each word"),
        ("02.2", lambda w, c, v, a: (c[w] + a) / (len(c) + a * len(v)), "different words"),
        ("02.2", lambda w, c, v, a: (c[w] + a) / (total(c) + a * len(c)), "needs its share too"),
        ("02.2", lambda w, c, v, a: (c[w] + 1) / (total(c) + len(v)), "whatever `added` says"),
        ("02.2", lambda w, c, v, a: 0.25, "add up to 1.250"),
        ("02.2", lambda w, c, v, a: 1 / len(v), "expected 0.2800"),
        ("02.2", lambda w, c, v, a: "often", "should be one number"),
        ("02.3", lambda c, w: min((n for n in c if c[n] >= w), default=math.inf), "by luck"),
        ("02.3", lambda c, w: max((n for n in c if c[n] < w), default=math.inf), "one too few"),
        (
            "02.3",
            lambda c, w: enough({n: v - 1e-9 for n, v in c.items()}, w),
            "holds for equal ones",
        ),
        ("02.3", lambda c, w: c.get(enough(c, w), 0), "expected 300"),
        ("02.3", lambda c, w: True, "expected 300"),
        ("02.3", lambda c, w: enough(c, w) if c else 0, "expected inf"),
    ],
)
def test_each_kind_of_wrong_answer_hears_what_is_wrong(id: str, answer: Any, said: str) -> None:
    state, text = judged(id, answer)
    assert state == "failed", text
    assert re.search(said, text), text
