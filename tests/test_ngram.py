"""Counts become probabilities: by hand, as a whole, and where nothing was counted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from llmtrain101.ngram import NGram


def text(n: int, vocab_size: int, seed: int = 0) -> np.ndarray:
    """Tokens of which each depends on the one before it."""
    rng = np.random.default_rng(seed)
    table = rng.dirichlet([0.2] * vocab_size, size=vocab_size)
    ids = [0]
    while len(ids) < n:
        ids.append(int(rng.choice(vocab_size, p=table[ids[-1]])))
    return np.array(ids)


def test_a_bigram_by_hand() -> None:
    # In 0 1 0 1 0 2, after 0 comes 1 twice and 2 once. Of the pairs, one was seen once and two
    # twice, so that with Y = n1 / (n1 + 2 n2) = 0.2 the discounts are D1 = 1 - 2 Y n2 / n1 = 0.2
    # and D2 = 2, as nothing was seen three times: kept at 1.8.
    model = NGram([0, 1, 0, 1, 0, 2], vocab_size=3, order=2)
    shorter = model.next_token([[2]])[0]  # nothing ever followed 2
    counts, discounts = np.array([0, 2, 1]), np.array([0, 1.8, 0.2])
    expected = (counts - discounts + discounts.sum() * shorter) / 3
    assert model.next_token([[0]])[0] == pytest.approx(expected)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_of_all_tokens_sum_to_one(order: int) -> None:
    ids = text(400, 6)
    contexts = np.random.default_rng(1).integers(0, 6, (20, 4))  # most of them never seen
    p = NGram(ids, 6, order).next_token(contexts)
    assert p.sum(axis=1) == pytest.approx(np.ones(20))
    assert (p > 0).all()


def test_a_token_never_seen_costs_something_finite() -> None:
    model = NGram([0, 0, 0, 0], vocab_size=5, order=3)
    assert math.isfinite(model.loss([0, 4, 4, 2]))
    assert model.loss([0, 0, 0]) < model.loss([0, 4, 4])


def test_a_row_is_judged_as_if_it_were_alone() -> None:
    ids = text(500, 5)
    model = NGram(ids, 5, 4)
    rows = text(60, 5, seed=2).reshape(6, 10)
    together = model.probabilities(rows)
    alone = [model.probabilities(row) for row in rows]
    assert together == pytest.approx(np.array(alone))
    assert together.shape == (6, 9)


def test_next_token_agrees_with_probabilities() -> None:
    model = NGram(text(500, 5), 5, 3)
    row = text(8, 5, seed=3)
    assert model.next_token([row[:-1]])[0, row[-1]] == pytest.approx(model.probabilities(row)[-1])


def test_looking_back_helps_where_the_past_decides_and_reaches_the_entropy() -> None:
    ids, new = text(20_000, 6), text(20_000, 6, seed=0)[10_000:]
    losses = [NGram(ids, 6, order).loss(new) for order in (1, 2)]
    pairs = np.zeros((6, 6))
    np.add.at(pairs, (new[:-1], new[1:]), 1)
    share = pairs / pairs.sum(axis=1, keepdims=True)
    best = -(pairs * np.log(np.where(pairs > 0, share, 1))).sum() / pairs.sum()
    assert losses[0] > losses[1] + 0.3
    assert losses[1] == pytest.approx(best, abs=0.01)


def test_a_shorter_context_counts_different_neighbours_not_how_often() -> None:
    # 1 is as frequent as 2, but always after 0: where the context is new, 2 is likelier
    ids = [0, 1] * 20 + [3, 2, 4, 2, 5, 2, 0, 2, 6, 2] * 4
    p = NGram(ids, 8, 2).next_token([[7]])[0]
    assert p[2] > 2 * p[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([0, 1], 2, 3), "at most the 2 tokens"),
        (([0, 1], 2, 0), "at least 1"),
        (([0, 5], 2, 1), r"\[0, vocab_size=2\), got 0 to 5"),
        ((range(20), 1000, 7), "at most 6"),
    ],
)
def test_what_cannot_be_counted_is_said(arguments: tuple[object, int, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        NGram(*arguments)


def test_one_token_has_no_past() -> None:
    with pytest.raises(ValueError, match="one before it"):
        NGram([0, 1, 0], 2, 2).probabilities([0])
