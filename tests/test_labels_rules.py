"""Rules and what is counted of their votes: checked against counting by hand, item by item."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from llmtrain101.labels import rules
from llmtrain101.labels.rules import ABSTAIN, Rule

TABLES = hnp.arrays(
    np.int64, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(-1, 2)
)


@pytest.mark.parametrize(
    ("phrases", "text", "found"),
    [
        (("free",), "FREE entry", True),
        (("free",), "freedom, carefree", False),
        (("free*",), "freedom", True),
        (("you have won",), "You have\n won!", True),
        (("c++",), "C++ code", True),
        (("c++",), "c code", False),
        (("a.b",), "axb", False),
        (("été",), "un Été chaud", True),
        (("x", "y"), "only y", True),
    ],
)
def test_words_are_whole_and_special_characters_are_themselves(
    phrases: tuple[str, ...], text: str, found: bool
) -> None:
    assert (rules.words("spam", *phrases)(text) == "spam") is found


def test_votes_are_places_in_the_classes() -> None:
    both = [Rule("first", lambda text: text[0]), Rule("never", lambda text: None)]
    assert rules.apply(both, ["b", "a", "c"], "abc").tolist() == [[1, -1], [0, -1], [2, -1]]
    assert rules.apply([], ["x"], "ab").shape == (1, 0)
    assert rules.apply(both, [], "ab").shape == (0, 2)


def test_a_label_nobody_declared_and_a_rule_that_fails_are_named() -> None:
    with pytest.raises(ValueError, match=r"rule 'odd' gave 'x' for item 1.*\['a', 'b'\]"):
        rules.apply([Rule("odd", lambda text: text)], ["a", "x"], ["a", "b"])
    for odd in (True, np.False_, ["a"]):  # True == 1, but says "yes", which is no class
        with pytest.raises(ValueError, match=r"rule 'odd' gave .* for item 0; the classes are"):
            rules.apply([Rule("odd", lambda text, odd=odd: odd)], ["x"], [0, 1])
    assert rules.apply([Rule("long", lambda x: len(x) > 1)], ["x"], [False, True]).tolist() == [[0]]
    with pytest.raises(RuntimeError, match="rule 'short' failed on item 1, '': IndexError"):
        rules.apply([Rule("short", lambda text: text[0])], ["a", ""], ["a"])
    with pytest.raises(ValueError, match="each class must be there once"):
        rules.apply([], [], ["a", "a"])
    with pytest.raises(ValueError, match="letters or digits"):
        rules.words("spam", "!")
    with pytest.raises(ValueError, match="letters or digits"):
        rules.words("spam")


@settings(deadline=None)
@given(TABLES, st.integers(0, 2**32 - 1))
def test_the_summary_is_what_counting_by_hand_gives(votes: np.ndarray, seed: int) -> None:
    gold = np.random.default_rng(seed).integers(-1, 3, len(votes))
    table = rules.summary(votes, [Rule(f"r{j}", str) for j in range(votes.shape[1])], gold)
    for j in range(votes.shape[1]):
        rows = [(list(np.delete(v, j)), v[j], g) for v, g in zip(votes, gold, strict=True)]
        spoken = [(others, own, g) for others, own, g in rows if own != ABSTAIN]
        known = [own == g for _, own, g in spoken if g != ABSTAIN]
        expected = [
            len(spoken),
            sum(any(o != ABSTAIN for o in others) for others, _, _ in spoken),
            sum(any(o not in (ABSTAIN, own) for o in others) for others, own, _ in spoken),
        ]
        row = table.loc[f"r{j}"]
        assert (row[:3] * len(votes)).round(9).tolist() == expected
        right = np.mean(known) if known else np.nan
        assert np.array_equal(row["accuracy"], right, equal_nan=True)


@pytest.mark.parametrize(
    ("votes", "names", "gold", "said"),
    [
        (np.zeros((0, 1), int), 1, None, "got 0 items, 1 columns and 1 rules"),
        ([[0, 1]], 1, None, "got 1 items, 2 columns and 1 rules"),
        ([[0], [1]], 1, [0], r"gold must be 2 whole numbers.*shape \(1,\)"),
        ([[0]], 1, ["ham"], "gold must be 1 whole numbers"),
        ([[0]], 1, [0.0], "gold must be 1 whole numbers.*float64"),
    ],
)
def test_a_summary_of_what_does_not_fit_is_refused(
    votes: Any, names: int, gold: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        rules.summary(votes, [str] * names, gold)


@settings(deadline=None)
@given(TABLES)
def test_the_majority_is_the_one_label_with_most_votes(votes: np.ndarray) -> None:
    shares = rules.vote_shares(votes, 3)
    np.testing.assert_allclose(shares.sum(1), 1)
    for row, label in zip(votes, rules.majority_vote(votes, 3), strict=True):
        counts = [int((row == c).sum()) for c in range(3)]
        winners = [c for c in range(3) if counts[c] == max(counts)]
        assert label == (winners[0] if len(winners) == 1 else ABSTAIN)


def test_copies_of_a_rule_change_the_majority_and_no_accuracy() -> None:
    votes = np.array([[0, 1, 1], [1, 0, 0]])
    copied = votes[:, [0, 0, 0, 1, 2]]
    assert rules.majority_vote(votes, 2).tolist() == [1, 0]
    assert rules.majority_vote(copied, 2).tolist() == [0, 1]
    assert rules.summary(votes, [str] * 3, [1, 0])["accuracy"].tolist() == [0, 1, 1]
    assert rules.summary(copied, [str] * 5, [1, 0])["accuracy"].tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    "votes", [np.array([0, 1]), np.array([[0.5]]), np.array([[2]]), np.array([[-2]])]
)
def test_what_is_no_table_of_votes_is_refused(votes: np.ndarray) -> None:
    with pytest.raises(ValueError, match="vote"):
        rules.majority_vote(votes, 2)


def test_suggested_words_are_those_that_tell_the_classes_apart() -> None:
    rng = np.random.default_rng(0)
    common, own = ["the", "a", "is"], {"x": ["prize", "cash"], "y": ["dinner", "home"]}
    texts, labels = [], []
    for _ in range(100):
        label = "xy"[rng.integers(2)]
        chosen = [w for w in common if rng.random() < 0.5]
        texts.append(" ".join([*chosen, own[label][rng.integers(2)]]))
        labels.append(label)
    found = rules.suggest(texts, labels, per_class=2)
    assert {(each.name, each("the " + each.name)) for each in found} == {
        (word, label) for label, words in own.items() for word in words
    }
    order = rng.permutation(100)
    again = rules.suggest([texts[i] for i in order], [labels[i] for i in order], per_class=2)
    assert [each.name for each in again] == [each.name for each in found]


def test_a_word_that_occurs_alike_everywhere_is_no_rule() -> None:
    assert rules.suggest(["same", "same", "same", "same"], [0, 0, 1, 1]) == []
    with pytest.raises(ValueError, match="two different"):
        rules.suggest(["a", "b"], [1, 1])
    with pytest.raises(ValueError, match="2 texts and 1 labels"):
        rules.suggest(["a", "b"], [1])
