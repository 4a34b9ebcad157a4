"""Our Muon against torch's, and which weight goes to which optimiser."""

import pytest
import torch
from torch import nn

from llmtrain101.model import LanguageModel, ModelConfig
from llmtrain101.optim import Muon, make_optimizers, orthogonalise
from llmtrain101.seeds import generator


def parameters(*shapes):
    return [
        nn.Parameter(torch.randn(shape, generator=generator(i, "weight")))
        for i, shape in enumerate(shapes)
    ]


@pytest.mark.parametrize("shape", [(8, 8), (4, 12), (12, 4)])
def test_singular_values_come_out_near_one(shape):
    matrices = torch.randn(3, *shape, generator=generator(0, "matrix"))
    values = torch.linalg.svdvals(orthogonalise(matrices))
    assert values.min() > 0.3 and values.max() < 1.3
    assert torch.linalg.svdvals(matrices).max() > 2  # they were not before


def test_a_gradient_of_zeros_stays_zero():
    assert not orthogonalise(torch.zeros(1, 3, 3)).any()


def test_muon_equals_torchs():
    shapes = [(8, 8), (4, 12), (12, 4), (8, 8)]
    ours, theirs = parameters(*shapes), parameters(*shapes)
    options = {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}
    optimizers = [
        Muon(ours, **options, dtype=torch.bfloat16),  # torch's iterates in bfloat16
        torch.optim.Muon(theirs, **options, nesterov=True),
    ]
    for step in range(4):
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            a.grad = b.grad = torch.randn(a.shape, generator=generator(step, f"grad/{i}"))
        for optimizer in optimizers:
            optimizer.step()
    for a, b in zip(ours, theirs, strict=True):
        # the order of bfloat16 sums may differ between one product and a batch of them
        torch.testing.assert_close(a, b, atol=2e-3, rtol=0)


def test_stacked_matrices_are_updated_as_if_apart():
    apart = parameters((4, 4), (4, 4), (4, 4))
    (stacked,) = [nn.Parameter(torch.cat([weight.detach() for weight in apart]))]
    for i, weight in enumerate(apart):
        weight.grad = torch.randn(4, 4, generator=generator(i, "grad"))
    stacked.grad = torch.cat([weight.grad for weight in apart])
    Muon(apart).step()
    Muon([{"params": [stacked], "stacked": 3}]).step()
    torch.testing.assert_close(torch.cat([weight.detach() for weight in apart]), stacked.detach())


def test_muon_refuses_vectors():
    with pytest.raises(ValueError, match=r"matrices only, got shape \(3,\)"):
        Muon(parameters((3,)))


def test_each_weight_has_one_optimiser():
    model = LanguageModel(ModelConfig.tiny(9), generator=generator(0, "init"))
    model.head.weight.requires_grad_(False)
    muon, adam = make_optimizers(model, matrices=0.1, embedding=0.2, head=0.3)
    inside = {id(p) for group in muon.param_groups for p in group["params"]}
    outside = {id(p) for group in adam.param_groups for p in group["params"]}
    assert inside == {id(p) for p in model.blocks.parameters()}
    assert outside == {id(model.embed.weight)}  # the head is frozen
