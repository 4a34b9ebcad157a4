"""What is hidden is asked for, and nothing else; the windows are those of plain batches."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from llmtrain101.masked import (
    fill_from_both_sides,
    hide,
    log_probabilities,
    masked_batches,
    try_candidates,
)
from llmtrain101.model import IGNORE, LanguageModel, ModelConfig, language_model_loss
from llmtrain101.seeds import generator
from llmtrain101.train import TrainConfig, text_batches, train


def test_inputs_and_targets_together_are_the_text() -> None:
    plain = text_batches(range(1000), 4, 30, seed=5)
    masked = masked_batches(range(1000), 4, 30, 1000, seed=5)
    for (whole, _), (inputs, targets) in islice(zip(plain, masked, strict=False), 20):
        assert torch.equal(torch.where(targets == IGNORE, inputs, targets), whole)
        assert torch.equal(inputs == 1000, targets != IGNORE)


def test_every_place_is_hidden_equally_often_and_anew_each_time() -> None:
    ids = torch.zeros(20_000, 20, dtype=torch.int64)
    _, targets = hide(ids, 9, generator=generator(0, "mask"), share=0.15)
    share = (targets != IGNORE).double().mean(dim=0)
    # sd of one place is 0.0025, so that one of 20 misses this bound once in 10 million runs
    assert (share - 0.15).abs().max() < 0.015
    first, second = islice(masked_batches([7] * 65, 1, 64, 9, seed=0), 2)
    assert not torch.equal(first[0], second[0])


def test_a_short_text_still_has_a_gap_and_a_share_must_be_one() -> None:
    inputs, _ = hide(torch.zeros(3, 2, dtype=torch.int64), 9, generator=generator(0, "mask"))
    assert (inputs == 9).sum(dim=1).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="share must be above 0"):
        hide(inputs, 9, generator=generator(0, "mask"), share=0)


def test_the_seed_decides() -> None:
    def first(seed: int) -> torch.Tensor:
        return next(masked_batches(range(500), 4, 30, 500, seed=seed))[0]

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_a_bidirectional_model_learns_what_only_the_right_side_tells() -> None:
    # each letter comes before its number: a gap at the letter is known from the right alone
    letters = torch.randint(0, 4, (2000,), generator=generator(0, "letters"))
    ids = torch.stack([letters, letters + 4], dim=1).flatten()
    config = ModelConfig(vocab_size=9, context_length=16, d_model=32, n_layers=1, causal=False)
    model = LanguageModel(config, generator=generator(0, "init"))
    batches = masked_batches(ids, 16, 16, 8, seed=0)
    history = train(model, batches, language_model_loss, TrainConfig(max_steps=150), progress=False)
    # guessing scores ln 4 = 1.386; a gap whose partner is hidden too can only be guessed
    assert sum(record["loss"] for record in history[-20:]) / 20 < 0.7


def small_model() -> LanguageModel:
    config = ModelConfig(vocab_size=9, context_length=16, d_model=32, n_layers=1)
    model = LanguageModel(config, generator=generator(0, "init"))
    with torch.no_grad():  # it starts by knowing nothing, where every answer would be the same
        model.head.weight.normal_(generator=generator(0, "head"))
    return model


def test_log_probabilities_are_those_of_the_softmax_for_each_token() -> None:
    model = small_model()
    ids = torch.randint(0, 9, (7, 12), generator=generator(0, "ids"))
    with torch.inference_mode():
        whole = model(ids).softmax(-1)
    expected = [
        [whole[row, place - 1, ids[row, place]].log().item() for place in range(1, 12)]
        for row in range(7)
    ]
    np.testing.assert_allclose(log_probabilities(model, ids), expected, rtol=1e-4, atol=1e-5)
    late = log_probabilities(model, ids.numpy(), first=5, batch_size=2)
    np.testing.assert_allclose(late, np.array(expected)[:, 4:], rtol=1e-4, atol=1e-5)
    for shape, first in (((12,), 1), ((2, 4), 0), ((2, 4), 4)):
        with pytest.raises(ValueError, match="a place from 1 on"):
            log_probabilities(model, np.zeros(shape), first=first)


def test_candidates_are_judged_by_the_whole_text_and_each_by_its_own() -> None:
    model = small_model()
    texts = np.random.default_rng(0).integers(0, 9, (20, 6))
    candidates = np.array([np.random.default_rng(row).permutation(9)[:4] for row in range(20)])
    found = try_candidates(texts, 2, candidates, lambda ids: log_probabilities(model, ids))
    for text, four, choice in zip(texts, candidates, found, strict=True):
        totals = [log_probabilities(model, [[*text[:2], each, *text[3:]]]).sum() for each in four]
        assert choice == four[int(np.argmax(totals))]
    assert len(set((candidates == found[:, None]).argmax(axis=1))) > 1


def test_a_gap_is_filled_by_what_is_likely_before_and_after_it_not_by_what_stood_there() -> None:
    model = small_model()
    texts = np.random.default_rng(1).integers(0, 9, (15, 7))
    candidates, choice = fill_from_both_sides(model, texts, 3, n_candidates=4)
    with torch.inference_mode():
        left = model(torch.from_numpy(texts[:, :3]))[:, -1]
    assert candidates.tolist() == left.argsort(dim=1, descending=True)[:, :4].tolist()
    by_hand = try_candidates(texts, 3, candidates, lambda ids: log_probabilities(model, ids))
    assert choice.tolist() == by_hand.tolist()
    assert (choice != candidates[:, 0]).any()  # the right side had a say
    texts[:, 3] = 0
    assert fill_from_both_sides(model, texts, 3, n_candidates=4)[1].tolist() == choice.tolist()
