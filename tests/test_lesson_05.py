"""The exercises of lesson 05: right answers pass, each kind of wrong one hears what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from llmtrain101.labels import crowd
from tests.judging import judged


def with_library(counts: Any) -> float:
    cells = [(i, j) for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]
    return float(cohen_kappa_score(*zip(*cells, strict=True)))


def parts(counts: Any) -> tuple[float, Any, Any]:
    share = np.array(counts) / np.sum(counts)
    return share.trace(), share.sum(1), share.sum(0)


def against(chance: Callable[[Any, Any], float]) -> Callable[[Any], float]:
    def answer(counts: Any) -> float:
        agree, rows, columns = parts(counts)
        by_chance = chance(rows, columns)
        return (agree - by_chance) / (1 - by_chance)

    return answer


def by_counter(given: list[Any]) -> Any:
    most = Counter(label for label in given if label is not None).most_common(2)
    if not most or (len(most) == 2 and most[0][1] == most[1][1]):
        return "?"
    return most[0][0]


def by_the_library(given: list[Any]) -> Any:
    label = crowd.majority([given])[0] if given else None
    return "?" if label is None else label


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("05.1", with_library),
        ("05.1", against(lambda rows, columns: rows @ columns)),
        ("05.2", by_counter),
        ("05.2", by_the_library),
        ("05.3", lambda p: (2 + 2 * p * (1 - p), 3 * p**2 * (1 - p) + p**3)),
        ("05.3", lambda p: [3 - p**2 - (1 - p) ** 2, p**2 * (3 - 2 * p)]),
    ],
)
def test_every_way_of_being_right_passes(id: str, answer: Callable[..., Any]) -> None:
    assert judged(id, answer)[0] == "passed", judged(id, answer)


def first_of_ties(given: list[Any]) -> Any:
    given = [label for label in given if label is not None]
    return max(given, key=given.count) if given else "?"


def counts_silence(given: list[Any]) -> Any:
    most = Counter(str(label) for label in given).most_common(2)
    if not most or (len(most) == 2 and most[0][1] == most[1][1]):
        return "?"
    return most[0][0]


def more_than_half(given: list[Any]) -> Any:
    given = [label for label in given if label is not None]
    return next((label for label in given if given.count(label) > len(given) / 2), "?")


def trusts_truth(given: list[Any]) -> Any:
    return by_counter([label or None for label in given])


def takes_out(given: list[Any]) -> Any:
    while None in given:
        given.remove(None)
    return by_counter(given)


def stops_at_nobody(given: list[Any]) -> Any:
    most = Counter(label for label in given if label is not None).most_common()
    return "?" if len(most) > 1 and most[0][1] == most[1][1] else most[0][0]


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("05.1", lambda c: parts(c)[0], "plain agreement"),
        ("05.1", lambda c: parts(c)[0] - parts(c)[1] @ parts(c)[2], "still to be divided"),
        ("05.1", against(lambda rows, columns: 1 / len(rows)), "1 over the number of labels"),
        ("05.1", against(lambda r, c: ((r + c) / 2) @ ((r + c) / 2)), "Scott's π"),
        ("05.1", against(lambda rows, columns: rows @ rows), "row shares were multiplied"),
        ("05.1", lambda c: 0.5, "expected"),
        ("05.1", lambda c: c, "one number"),
        ("05.2", first_of_ties, "another order"),
        ("05.2", lambda given: "a", "most people said 'b'"),
        ("05.2", counts_silence, "did not answer, and no label"),
        ("05.2", more_than_half, "not more than half"),
        ("05.2", trusts_truth, "the number 0"),
        ("05.2", takes_out, "is changed"),
        ("05.2", stops_at_nobody, "IndexError"),
        ("05.3", lambda p: (3, p**2 * (3 - 2 * p)), "only where two differ"),
        ("05.3", lambda p: (2 * p * (1 - p), p**2 * (3 - 2 * p)), "are missing"),
        ("05.3", lambda p: (2 + p * (1 - p), p**2 * (3 - 2 * p)), "either of them may be"),
        ("05.3", lambda p: (2 + 2 * p * (1 - p), p * p), "the third may save it"),
        ("05.3", lambda p: (2 + 2 * p * (1 - p), p), "one person alone"),
        ("05.3", lambda p: (2 + 2 * p * (1 - p), p * p + 2 * p * (1 - p)), "not always right"),
        ("05.3", lambda p: (2 + 2 * p * (1 - p), 1 - 2 * p * (1 - p) * (1 - p)), "both be wrong"),
        ("05.3", lambda p: p, "two numbers"),
    ],
)
def test_each_kind_of_wrong_answer_hears_what_is_wrong(id: str, answer: Any, said: str) -> None:
    state, text = judged(id, answer)
    assert state == "failed"
    assert re.search(said, text), text
