"""The table of sums: its rule, its split, and the baseline against a loop."""

from __future__ import annotations

import torch

from llmtrain101 import sums


def test_the_answer_is_the_sum_of_the_two_marked_columns() -> None:
    inputs, answers = sums.table(7)
    for row in range(49):
        first, second = inputs[row].nonzero().flatten().tolist()
        assert (first, second - 7) == divmod(row, 7)
        assert answers[row] == (first + second - 7) % 7


def test_no_row_is_in_two_parts_and_none_is_lost() -> None:
    parts = sums.split(41, 0.15, seed=3)
    assert torch.equal(torch.cat(list(parts.values())).sort().values, torch.arange(41 * 41))
    assert len(parts["training"]) == round(0.15 * 41 * 41)
    assert torch.equal(parts["unseen"], sums.split(41, 0.15, seed=3)["unseen"])
    assert not torch.equal(parts["unseen"], sums.split(41, 0.15, seed=4)["unseen"])


def test_the_baseline_looks_up_the_turned_sum() -> None:
    p, parts = 23, sums.split(23, 0.4, seed=1)
    shown = {divmod(row, p) for row in parts["training"].tolist()}
    unseen = [divmod(row, p) for row in parts["unseen"].tolist()]
    right = sum((b, a) in shown or (a + b) % p == 0 for a, b in unseen)
    assert sums.other_way_round(p, 0.4, seed=1) == right / len(unseen)
