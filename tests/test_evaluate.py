"""Scores equal a plain computation by hand, and do not depend on how the work was cut up."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from llmtrain101.evaluate import (
    accuracy,
    bits_per_byte,
    calibration,
    macro_f1,
    perplexity,
    text_loss,
)
from llmtrain101.model import LanguageModel, ModelConfig
from llmtrain101.seeds import generator, rng


@pytest.fixture
def model():
    config = ModelConfig(vocab_size=11, context_length=8, d_model=12, n_layers=1, n_heads=2)
    model = LanguageModel(config, generator=generator(0, "init"))
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(generator=generator(0, "weights"))
    return model


@pytest.mark.parametrize("n_tokens", [2, 8, 9, 10, 16, 17, 100])
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_every_token_is_predicted_once_from_its_window(model, n_tokens, batch_size):
    ids = rng(0, "ids").integers(0, 11, n_tokens)
    losses = []
    for target in range(1, n_tokens):
        start = (target - 1) // 8 * 8
        logits = model(torch.from_numpy(ids[None, start:target]))[0, -1]
        losses.append(-logits.log_softmax(-1)[ids[target]].item())
    assert text_loss(model, ids, batch_size=batch_size) == pytest.approx(
        sum(losses) / len(losses), abs=1e-5
    )


def test_a_memory_map_a_list_and_a_tensor_give_the_same(model, tmp_path):
    ids = rng(0, "ids").integers(0, 11, 50)
    ids.astype(np.uint16).tofile(tmp_path / "ids")
    mapped = np.memmap(tmp_path / "ids", np.uint16, "r")
    expected = text_loss(model, ids)
    for same in (mapped, ids.tolist(), torch.tensor(ids)):
        assert text_loss(model, same) == expected


def test_a_longer_context_is_another_measure(model):
    ids = rng(0, "ids").integers(0, 11, 50)
    assert text_loss(model, ids, 4) != text_loss(model, ids, 8)


def test_the_model_is_left_as_it_was(model):
    model.train()
    text_loss(model, range(10))
    assert model.training
    assert all(weight.grad is None for weight in model.parameters())


def test_one_token_has_no_loss(model):
    with pytest.raises(ValueError, match="at least two tokens, got 1"):
        text_loss(model, [3])


def test_bits_per_byte_does_not_depend_on_how_the_text_was_cut():
    # the same text, probability 1/16 in all: as one token of 2 bytes, or as two of probability 1/4
    assert bits_per_byte(math.log(16), 1, 2) == bits_per_byte(math.log(4), 2, 2) == 2.0
    with pytest.raises(ValueError, match="n_bytes must be at least 1, got 0"):
        bits_per_byte(1.0, 3, 0)


def test_perplexity_is_the_number_of_equal_choices():
    assert perplexity(-(0.5 * math.log(0.25) + 0.5 * math.log(0.25))) == pytest.approx(4)


def test_macro_f1_counts_rare_classes_as_much_as_common_ones():
    labels, guesses = ["a"] * 9 + ["b"], ["a"] * 10
    assert accuracy(labels, guesses) == 0.9
    assert macro_f1(labels, guesses) == pytest.approx((2 * 0.9 / 1.9 + 0) / 2)
    random = rng(0, "labels").integers(0, 4, (2, 200))
    by_hand = np.mean([f1_score(random[0] == c, random[1] == c) for c in range(4)])
    assert macro_f1(*random) == pytest.approx(by_hand)


def test_calibration_is_small_when_confidence_is_honest_and_large_when_it_is_not():
    draw = rng(0, "calibration")
    confidence = draw.uniform(0.5, 1, 20_000)
    honest = (draw.uniform(size=20_000) > confidence).astype(int)  # class 0 with that probability
    rows = np.column_stack([confidence, 1 - confidence])
    # 5 bins of 4,000: each is off by about 0.4 / sqrt(4,000) = 0.006; 0.02 is 7 times the mean
    assert calibration(rows, honest) < 0.02
    coin = (draw.uniform(size=20_000) > 0.5).astype(int)
    assert calibration(rows, coin) == pytest.approx(0.25, abs=0.02)


def test_calibration_by_hand():
    rows = torch.tensor([[0.95, 0.05], [0.95, 0.05], [0.65, 0.35], [1.0, 0.0]])
    labels = torch.tensor([0, 1, 1, 0])
    # bins: [0.65] 0 right of 1; [0.95, 0.95, 1.0] 2 right of 3
    expected = 0.25 * 0.65 + 0.75 * abs(2 / 3 - 2.9 / 3)
    assert calibration(rows, labels) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        ([[0.5, 0.5]], [0, 1], "need N >= 1 labels"),
        ([0.5, 0.5], [0, 1], "need N >= 1 labels"),
        ([[3.0, 0.5]], [0], "must sum to 1: take a softmax"),
    ],
)
def test_mistakes_are_explained(rows, labels, message):
    with pytest.raises(ValueError, match=message):
        calibration(rows, labels)
