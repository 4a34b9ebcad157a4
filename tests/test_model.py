"""What the model computes, and what it must not see."""

import math

import pytest
import torch

from llmtrain101.model import (
    IGNORE,
    Cache,
    Classifier,
    LanguageModel,
    ModelConfig,
    SpanFinder,
    Tagger,
    count_parameters,
    next_token_loss,
    rotary_waves,
    rotate,
)
from llmtrain101.seeds import generator

SHAPE = ModelConfig(vocab_size=11, context_length=16, d_model=12, n_layers=2, n_heads=2)


def language_model(config=SHAPE, seed=0):
    """A model whose blocks and head do something (they start at zero)."""
    model = LanguageModel(config, generator=generator(seed, "init"))
    return shaken(model)


def shaken(model):
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.add_(torch.randn(weight.shape, generator=generator(1, name)), alpha=0.3)
    return model


def ids(*shape, stream="ids", vocab_size=11):
    return torch.randint(vocab_size, shape, generator=generator(0, stream))


def test_an_untrained_model_guesses_uniformly():
    model = LanguageModel(SHAPE, generator=generator(0, "init"))
    batch = ids(3, 16)
    assert next_token_loss(model(batch), batch).item() == pytest.approx(math.log(11), abs=1e-6)


def test_the_seed_decides_the_weights_and_the_global_stream_is_left_alone():
    before = torch.random.get_rng_state()
    first, same = (LanguageModel(SHAPE, generator=generator(0, "init")) for _ in range(2))
    other = LanguageModel(SHAPE, generator=generator(1, "init"))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.embed.weight, same.embed.weight)
    assert not torch.equal(first.embed.weight, other.embed.weight)


def test_a_causal_model_does_not_see_the_future():
    model, batch = language_model(), ids(1, 10)
    changed = batch.clone()
    changed[0, 6:] = (changed[0, 6:] + 1) % 11
    assert torch.equal(model(batch)[0, :6], model(changed)[0, :6])
    assert not torch.allclose(model(batch)[0, 6:], model(changed)[0, 6:])


def test_a_bidirectional_model_sees_both_sides():
    model = language_model(ModelConfig(vocab_size=11, d_model=12, n_heads=2, causal=False))
    batch = ids(1, 10)
    changed = batch.clone()
    changed[0, 9] = (changed[0, 9] + 1) % 11
    assert not torch.allclose(model(batch)[0, 0], model(changed)[0, 0])


def test_positions_matter_only_by_their_distance():
    waves = rotary_waves(20, 4)
    q, k = (torch.randn(4, generator=generator(0, name)) for name in "qk")

    def score(i, j):
        return rotate(q[None], waves[:, i : i + 1])[0] @ rotate(k[None], waves[:, j : j + 1])[0]

    assert score(3, 1).item() == pytest.approx(score(12, 10).item(), abs=1e-5)
    assert score(3, 1).item() != pytest.approx(score(3, 2).item(), abs=1e-3)


@pytest.mark.parametrize("causal", [True, False])
def test_padding_changes_nothing(causal):
    config = ModelConfig(vocab_size=11, d_model=12, n_heads=2, causal=causal)
    model = shaken(Classifier(config, 3, generator=generator(0, "init")))
    batch = ids(2, 6)
    padded = torch.cat([batch, torch.zeros(2, 5, dtype=torch.int64)], dim=1)
    real = torch.arange(11).expand(2, 11) < 6
    torch.testing.assert_close(model(padded, real), model(batch))
    torch.testing.assert_close(model(batch, torch.ones(2, 6, dtype=torch.bool)), model(batch))


def test_a_row_of_padding_alone_gives_numbers():
    model = Classifier(SHAPE, 3, generator=generator(0, "init"))
    assert torch.isfinite(model(ids(1, 4), torch.zeros(1, 4, dtype=torch.bool))).all()


def test_heads_have_the_shapes_they_promise():
    real = torch.tensor([[True, True, False]])
    batch = ids(1, 3)
    init = {"generator": generator(0, "init")}
    assert Tagger(SHAPE, 5, **init)(batch, real).shape == (1, 3, 5)
    spans = SpanFinder(SHAPE, **init)(batch, real)
    assert spans.shape == (1, 3, 2)
    assert torch.isinf(spans[0, 2]).all() and torch.isfinite(spans[0, :2]).all()


def test_a_cache_gives_the_same_logits_piece_by_piece():
    model, batch = language_model(), ids(3, 12)
    cache = Cache(model, batch_size=3, capacity=12)
    pieces = [model(piece, cache=cache) for piece in batch.split([5, 1, 4, 1, 1], dim=1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(batch))
    with pytest.raises(ValueError, match="13 tokens do not fit into a cache for 12"):
        model(batch[:, :1], cache=cache)


def test_a_text_longer_than_the_context_still_gets_logits():
    model = language_model()
    assert model(ids(1, 40)).shape == (1, 40, 11)


def test_bfloat16_is_close_to_float32():
    model, batch = language_model(), ids(2, 16)
    exact = model(batch)
    model.compute_dtype = torch.bfloat16
    assert model.embed.weight.dtype == torch.float32
    # 8 bits of mantissa: about 1 % of the size of the logits
    assert (model(batch).float() - exact).abs().max() < 0.05 * exact.abs().max()


def test_the_loss_counts_only_what_counts():
    logits = torch.randn(1, 3, 5, generator=generator(0, "logits"))
    whole = next_token_loss(logits[:, :2], torch.tensor([[1, 2]]))
    part = next_token_loss(logits, torch.tensor([[1, 2, IGNORE]]))
    assert part.item() == pytest.approx(whole.item())


def test_the_loss_names_what_does_not_fit():
    with pytest.raises(ValueError, match=r"need targets of shape \(1, 3\), got \(1, 2\)"):
        next_token_loss(torch.zeros(1, 3, 5), torch.zeros(1, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match="Every target is IGNORE"):
        next_token_loss(torch.zeros(1, 1, 5), torch.full((1, 1), IGNORE))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"d_model": 10, "n_heads": 3}, "d_model=10 and n_heads=3"),
        ({"d_model": 6, "n_heads": 2}, "whole, even number"),
        ({"n_layers": 0}, "n_layers must be at least 1, got 0"),
    ],
)
def test_impossible_shapes_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig.tiny(11, **changes)


def test_ids_of_the_wrong_shape_are_named():
    with pytest.raises(ValueError, match=r"shape \(batch, tokens\), got \(4,\)"):
        language_model()(ids(4))


def test_parameters_are_counted():
    D, V, L = 128, 65, 2
    assert (
        count_parameters(LanguageModel(ModelConfig.tiny(V), generator=generator(0, "init")))
        == 2 * V * D + L * 12 * D * D
    )
