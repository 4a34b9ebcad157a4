"""Muon for the matrices, AdamW for the rest: more learnt from each step than AdamW alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

# Coefficients of the odd polynomial a x + b x^3 + c x^5 that drives every singular value to about 1
# (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): steep at 0, not exact, and fast.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """Nearly the closest matrices whose singular values are all 1 (Newton-Schulz iteration).

    Parameters
    ----------
    matrices : Tensor of shape (n, rows, columns)
        Worked on together: n small products in one call cost little more than one.
    steps : int
        Five bring singular values between 0.01 and 1 into about 0.7 to 1.2.

    Examples
    --------
    >>> stretched = torch.diag(torch.tensor([3.0, 0.2])).unsqueeze(0)
    >>> [round(value) for value in torch.linalg.svdvals(orthogonalise(stretched))[0].tolist()]
    [1, 1]
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices  # the products below are then of the smaller side
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp_min(1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum whose every update is orthogonalised, so that no direction dominates a step.

    The same rule as `torch.optim.Muon` with Nesterov momentum and its "original" adjustment of the
    learning rate, but matrices of one shape are orthogonalised together, and a weight that holds
    several matrices one below the other (queries, keys and values) is treated as that many.

    Parameters
    ----------
    weights : iterable of Parameter of shape (rows, columns), or of parameter groups
        Matrices only: embeddings and heads are AdamW's. A group may say `"stacked": 3`.
    lr : float
        Step size; 0.02 suits these models.
    momentum : float
        Share of the past in the running mean of the gradients.
    weight_decay : float
        Decoupled, as in AdamW: each step first shrinks the weights by `lr * weight_decay`.
    dtype : torch.dtype
        What the iteration computes in; its result need not be exact.

    References
    ----------
    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon
    """

    def __init__(
        self,
        weights: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "stacked": 1}
        super().__init__(weights, defaults)
        self.dtype = dtype
        for weight in self._weights():
            if weight.ndim != 2:
                raise ValueError(f"Muon takes matrices only, got shape {tuple(weight.shape)}.")

    def _weights(self) -> list[Tensor]:
        return [weight for group in self.param_groups for weight in group["params"]]

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every weight that has a gradient."""
        by_shape: dict[tuple[int, ...], list[tuple[Tensor, Tensor, float]]] = {}
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                for part, update in self._parts(weight, group):
                    rows, columns = part.shape
                    step_size = group["lr"] * max(1.0, rows / columns) ** 0.5
                    wide = (part, update) if rows <= columns else (part.mT, update.mT)
                    by_shape.setdefault(wide[0].shape, []).append((*wide, step_size))
        for together in by_shape.values():
            weights, updates, step_sizes = zip(*together, strict=True)
            straight = orthogonalise(torch.stack(updates).to(self.dtype)).to(weights[0].dtype)
            straight *= straight.new_tensor(step_sizes)[:, None, None]
            torch._foreach_sub_(weights, straight.unbind())

    def _parts(self, weight: Tensor, group: dict[str, Any]) -> Iterable[tuple[Tensor, Tensor]]:
        """The matrices in a weight, each with its momentum update (Nesterov: one step ahead)."""
        gradient, state = weight.grad, self.state[weight]
        assert gradient is not None
        if not state:
            state["mean_gradient"] = torch.zeros_like(weight)
        mean = state["mean_gradient"].lerp_(gradient, 1 - group["momentum"])
        update = gradient.lerp(mean, group["momentum"])
        if group["weight_decay"]:
            weight.mul_(1 - group["lr"] * group["weight_decay"])
        return zip(weight.chunk(group["stacked"]), update.chunk(group["stacked"]), strict=True)


def make_optimizers(
    model: nn.Module,
    *,
    matrices: float,
    embedding: float,
    head: float,
    momentum: float = 0.95,
    weight_decay: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for everything else.

    Parameters
    ----------
    model : Module
        Weights that do not require a gradient are left out.
    matrices, embedding, head : float
        Learning rates of Muon, of `embed.weight`, and of the rest.
    """
    inside: list[nn.Parameter] = []
    stacked: list[nn.Parameter] = []
    embeddings: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, weight in model.named_parameters():
        if not weight.requires_grad:
            continue
        if name.startswith("blocks.") and weight.ndim == 2:
            (stacked if name.endswith("qkv.weight") else inside).append(weight)
        else:
            (embeddings if name == "embed.weight" else rest).append(weight)
    muon_groups: list[dict[str, Any]] = [{"params": inside}, {"params": stacked, "stacked": 3}]
    adam_groups: list[dict[str, Any]] = [
        {"params": embeddings, "lr": embedding},
        {"params": rest, "lr": head},
    ]
    muon_groups = [group for group in muon_groups if group["params"]]
    adam_groups = [group for group in adam_groups if group["params"]]
    optimizers: list[torch.optim.Optimizer] = []
    if muon_groups:
        optimizers.append(Muon(muon_groups, matrices, momentum, weight_decay, dtype))
    if adam_groups:
        # a short memory (0.95) suits runs of a few hundred steps
        optimizers.append(
            torch.optim.AdamW(
                adam_groups, betas=(0.8, 0.95), eps=1e-10, weight_decay=0.0, fused=True
            )
        )
    return optimizers
