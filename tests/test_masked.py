"""What is hidden is asked for, and nothing else; the windows are those of plain batches."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from llmtrain101.masked import hide, masked_batches
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
