"""The exercises of lesson 07: right answers pass, each kind of wrong one hears what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from llmtrain101.labels import rules
from tests.judging import judged


def counted(votes: list[int]) -> int:
    best = Counter(vote for vote in votes if vote != -1).most_common(2)
    tie = len(best) == 2 and best[0][1] == best[1][1]
    return -1 if not best or tie else best[0][0]


def by_library(votes: list[int]) -> int:
    return int(rules.majority_vote([votes], 5)[0]) if votes else -1


def conflict(votes: Any, number: int) -> float:
    return float(rules.summary(votes, list(map(str, range(votes.shape[1])))).conflict.iloc[number])


def by_loop(votes: Any, number: int) -> float:
    n = 0
    for row in votes:
        n += row[number] != -1 and any(vote not in (-1, row[number]) for vote in row)
    return n / len(votes)


def posterior(votes: Any, hits: Any, alarms: Any, share: float) -> float:
    odds = share / (1 - share)
    for vote, hit, alarm in zip(votes, hits, alarms, strict=True):
        odds *= {1: hit / alarm, 0: (1 - hit) / (1 - alarm), -1: 1}[int(vote)]
    return odds / (1 + odds)


def story(votes: Any, hits: Any, share: float) -> float:
    return share * float(np.prod([h if v else 1 - h for v, h in zip(votes, hits, strict=True)]))


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("07.1", counted),
        ("07.1", by_library),
        ("07.2", conflict),
        ("07.2", by_loop),
        ("07.3", posterior),
    ],
)
def test_every_way_of_being_right_passes(id: str, answer: Callable[..., Any]) -> None:
    state, said = judged(id, answer)
    assert state == "passed", said


def test_who_weighs_votes_is_shown_what_copies_do() -> None:
    said = judged("07.3", posterior)[1]
    assert "0.60" in said and "0.88" in said and "copies fool" in said


def in_place(votes: Any, number: int) -> float:
    found = by_loop(votes, number)
    votes[0, 0] = 9
    return found


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("07.1", lambda v: Counter(v).most_common(1)[0][0] if v else -1, "abstains has no vote"),
        ("07.1", lambda v: max([x for x in v if x != -1], key=v.count, default=-1), "a tie"),
        ("07.1", lambda v: int(np.median(v)) if v else -1, "abstains|tie|share"),
        ("07.1", lambda v: counted([x for x in v if x > 0]), "0 is a label|abstains has no vote"),
        ("07.1", lambda v: "spam", "one number"),
        ("07.2", lambda v, j: ((v[:, j] != -1) & (np.delete(v, j, 1) != -1).any(1)).mean(), "over"),
        ("07.2", lambda v, j: ((v[:, j] != -1) & (v != v[:, [j]]).any(1)).mean(), "its -1 out"),
        ("07.2", lambda v, j: ((v != -1) & (v != v[:, [j]])).any(1).mean(), "itself abstains"),
        ("07.2", lambda v, j: by_loop(v, j) * len(v), "a number of items"),
        ("07.2", lambda v, j: by_loop(v, j) / (v[:, j] != -1).mean(), "of \\*all\\* items"),
        ("07.2", in_place, "table of votes is changed"),
        ("07.3", lambda v, h, a, s: posterior(np.maximum(v, 0), h, a, s), "one that says “ham”"),
        ("07.3", lambda v, h, a, s: posterior(np.abs(v), h, a, s), "one that says “spam”"),
        ("07.3", lambda v, h, a, s: posterior(v, h, a, 0.5), "the share of spam is left out"),
        ("07.3", lambda v, h, a, s: story(v, h, s), "divide by that of the votes|true"),
        ("07.3", lambda v, h, a, s: 1 - posterior(v, h, a, s), "the chance of ham"),
        ("07.3", lambda v, h, a, s: posterior(np.where(v, v, -1), h, a, s), "a vote too"),
        ("07.3", lambda v, h, a, s: 0.3, "it gives 0.3"),
    ],
)
def test_each_kind_of_wrong_answer_hears_what_is_wrong(id: str, answer: Any, said: str) -> None:
    state, text = judged(id, answer)
    assert state == "failed"
    assert re.search(said, text), text
