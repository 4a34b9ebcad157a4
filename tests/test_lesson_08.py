"""The exercises of lesson 08: right answers pass, each kind of wrong one hears what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from llmtrain101.labels import active
from tests.judging import judged


def by_loop(chances: Any, classes: Any, threshold: float) -> Any:
    places = [place for place, row in enumerate(chances) if max(row) >= threshold]
    return places, [classes[list(chances[place]).index(max(chances[place]))] for place in places]


def as_arrays(chances: Any, classes: Any, threshold: float) -> Any:
    places = np.flatnonzero(chances.max(1) >= threshold)
    return places, np.array(classes)[chances.argmax(1)[places]]


def margins(chances: Any) -> Any:
    ordered = np.sort(chances, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def by_library(chances: Any, k: int) -> Any:
    return np.argsort(-active.margin(chances, None, np.random.default_rng(0)))[:k]


def walk(sizes: Any, scores: Any, target: float) -> float:
    if target <= scores[0]:
        return float(sizes[0])
    curve = list(zip(sizes, scores, strict=True))
    for (a, low), (b, high) in pairwise(curve):
        if low <= target <= high:
            return float(a + (b - a) * (target - low) / (high - low))
    return math.inf


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("08.1", by_loop),
        ("08.1", as_arrays),
        ("08.2", lambda p, k: np.argsort(margins(p))[:k].tolist()),
        ("08.2", by_library),
        ("08.2", lambda p, k: sorted(range(len(p)), key=lambda i: margins(p)[i])[:k]),
        ("08.3", walk),
        ("08.3", lambda n, s, t: np.interp(t, s, n, right=np.inf)),
    ],
)
def test_every_way_of_being_right_passes(id: str, answer: Callable[..., Any]) -> None:
    state, said = judged(id, answer)
    assert state == "passed", said


def strictly(chances: Any, classes: Any, threshold: float) -> Any:
    places = np.flatnonzero(chances.max(1) > threshold)
    return places, np.array(classes)[chances.argmax(1)[places]]


def columns(chances: Any, classes: Any, threshold: float) -> Any:
    places = np.flatnonzero(chances.max(1) >= threshold)
    return places, chances.argmax(1)[places]


def in_place(chances: Any, k: int) -> Any:
    chances.sort(axis=1)
    return np.argsort(chances[:, -1] - chances[:, -2])[:k]


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("08.1", strictly, "equal will do"),
        ("08.1", columns, "these are columns"),
        ("08.1", lambda p, c, t: (p.max(1) >= t, [c[k] for k in p.argmax(1)]), "true or false"),
        ("08.1", lambda p, c, t: (range(len(p)), [c[k] for k in p.argmax(1)]), "is taken"),
        ("08.1", lambda p, c, t: (by_loop(p, c, t)[0], [c[k] for k in p.argmax(1)]), "only the"),
        ("08.1", lambda p, c, t: (by_loop(p, c, t)[0][:1], ["ham"]), "left out"),
        (
            "08.1",
            lambda p, c, t: (by_loop(p, c, t)[0], ["ham"] * len(by_loop(p, c, t)[0])),
            "the likeliest class of each",
        ),
        ("08.1", lambda p, c, t: by_loop(p, c, t)[1], "two lists"),
        ("08.2", lambda p, k: np.argsort(-margins(p))[:k], "most sure"),
        ("08.2", lambda p, k: np.argsort(p.max(1))[:k], "likeliest class alone"),
        (
            "08.2",
            lambda p, k: np.argsort((p * np.log(np.maximum(p, 1e-12))).sum(1))[:k],
            "order by entropy",
        ),
        ("08.2", lambda p, k: np.argsort(np.ptp(p, axis=1))[:k], "least"),
        ("08.2", lambda p, k: np.argsort(abs(p[:, 0] - p[:, 1]))[:k], "first two columns"),
        ("08.2", lambda p, k: np.argsort(margins(p))[:k][::-1], "not the smallest margin first"),
        ("08.2", lambda p, k: np.argsort(margins(p)), "not 2"),
        ("08.2", lambda p, k: margins(p)[:k], "whole numbers"),
        ("08.2", in_place, "The chances are changed"),
        ("08.3", lambda n, s, t: np.interp(t, s, n), "ends at 0.75"),
        (
            "08.3",
            lambda n, s, t: n[int(np.searchsorted(s, t))] if t <= s[-1] else math.inf,
            "the next",
        ),
        ("08.3", lambda n, s, t: np.interp(t, n, s), "for a score"),
        ("08.3", lambda n, s, t: np.exp(np.interp(t, s, np.log(n), right=np.inf)), "logarithms"),
        ("08.3", lambda n, s, t: math.inf if t < s[0] else walk(n, s, t), "begins above"),
        ("08.3", lambda n, s, t: "many", "one number"),
    ],
)
def test_each_kind_of_wrong_answer_hears_what_is_wrong(id: str, answer: Any, said: str) -> None:
    state, text = judged(id, answer)
    assert state == "failed"
    assert re.search(said, text), text
