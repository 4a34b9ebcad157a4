"""Generation: with a cache as without one, and draws that follow the probabilities."""

import pytest
import torch

from llmtrain101.generate import choose, generate
from llmtrain101.model import LanguageModel, ModelConfig
from llmtrain101.seeds import generator
from tests.test_model import language_model


def greedy_without_cache(model, ids, n):
    for _ in range(n):
        ids = torch.cat([ids, model(ids)[:, -1].argmax(-1, keepdim=True)], dim=1)
    return ids


def test_the_cache_changes_nothing():
    model, prompt = language_model(), torch.tensor([[1, 2, 3], [4, 5, 6]])
    assert torch.equal(generate(model, prompt, 13), greedy_without_cache(model, prompt, 13))


def test_past_the_context_the_oldest_half_is_forgotten():
    model, prompt = language_model(), torch.tensor([[1, 2, 3]])  # a context of 16
    out = generate(model, prompt, 40)
    assert out.shape == (1, 43)
    # with 16 tokens seen, the 17th is predicted from the last 8
    assert out[0, 17] == greedy_without_cache(model, out[:, 9:17], 1)[0, -1]


def test_a_prompt_longer_than_the_context_is_cut():
    model = language_model()
    prompt = torch.arange(30).remainder(11).unsqueeze(0)
    assert (
        generate(model, prompt, 1)[0, -1] == greedy_without_cache(model, prompt[:, -16:], 1)[0, -1]
    )


def test_draws_follow_the_probabilities():
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2])).expand(20_000, 3)
    drawn = choose(logits, generator=generator(0, "sample"))
    shares = torch.bincount(drawn, minlength=3) / len(drawn)
    # a share's standard error is at most 0.0036: five of them, a false alarm in a million
    assert (shares - torch.tensor([0.5, 0.3, 0.2])).abs().max() < 0.018


def test_a_low_temperature_sharpens():
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2])).expand(5_000, 3)
    drawn = choose(logits, temperature=0.5, generator=generator(0, "sample"))
    # the probabilities are squared and rescaled: 0.25 / (0.25 + 0.09 + 0.04) = 0.66
    assert (drawn == 0).float().mean().item() == pytest.approx(0.658, abs=0.035)


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ({"top_k": 1}, {0}),
        ({"top_k": 2}, {0, 1}),
        ({"top_k": 99}, {0, 1, 2}),
        ({"top_p": 0.5}, {0}),
        ({"top_p": 0.51}, {0, 1}),
        ({"top_p": 1.0}, {0, 1, 2}),
    ],
)
def test_only_the_likeliest_may_be_drawn(options, allowed):
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2])).expand(300, 3)
    drawn = choose(logits, **options, generator=generator(0, "sample"))
    # the rarest has 0.2: missing in 300 draws has a probability of 0.8 ** 300 = 1e-29
    assert set(drawn.tolist()) == allowed


def test_a_row_that_ended_stays_ended():
    model = language_model()
    free = generate(model, torch.tensor([[1], [2]]), 14)
    end = int(free[0, 4])  # what row 0 says at some point
    out = generate(model, torch.tensor([[1], [2]]), 14, end_id=end)
    for row in out.tolist():
        if end in row[1:]:
            assert set(row[1 + row[1:].index(end) :]) == {end}
    assert end in out[0, 1:].tolist()


def test_generation_is_repeatable_and_needs_a_stream():
    model, prompt = language_model(), torch.tensor([[1, 2]])

    def draw(seed):
        return generate(
            model, prompt, 12, temperature=1.0, generator=generator(seed, "sample")
        ).tolist()

    assert draw(0) == draw(0)
    assert draw(0) != draw(1)
    with pytest.raises(ValueError, match="needs a generator"):
        generate(model, prompt, 1, temperature=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1.0}, "temperature must not be negative, got -1.0"),
        ({"top_k": 0}, "top_k must be at least 1, got 0"),
        ({"top_p": 0.0}, r"top_p must be in \(0, 1\], got 0.0"),
    ],
)
def test_impossible_choices_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        choose(torch.zeros(1, 3), **options)


def test_no_prompt_and_no_causality_are_named():
    with pytest.raises(ValueError, match="at least one token"):
        generate(language_model(), torch.zeros(1, 0, dtype=torch.int64), 1)
    config = ModelConfig.tiny(11, causal=False)
    encoder = LanguageModel(config, generator=generator(0, "init"))
    with pytest.raises(ValueError, match="causal"):
        generate(encoder, torch.tensor([[1]]), 1)
