"""All sums of two numbers on a clock of p hours: a table whose relation is exact."""

from __future__ import annotations

from torch import Tensor, nn, tensor
from torch.nn import functional

from llmtrain101 import seeds


def table(p: int) -> tuple[Tensor, Tensor]:
    """Every pair of numbers below p, and its sum modulo p; row a · p + b is a + b.

    Returns
    -------
    inputs : float Tensor of shape (p * p, 2 * p)
        A column for each value of the first number and one for each of the second: 1 where the
        number has it, else 0, so that nothing tells which numbers are neighbours.
    answers : int64 Tensor of shape (p * p,)

    Examples
    --------
    >>> inputs, answers = table(3)
    >>> inputs[5].tolist(), answers[5].item()              # 1 + 2 = 0 on a clock of 3 hours
    ([0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 0)
    """
    pairs = tensor([(a, b) for a in range(p) for b in range(p)])  # (p * p, 2)
    return functional.one_hot(pairs, p).flatten(1).float(), pairs.sum(1) % p


def split(p: int, share: float, *, seed: int) -> dict[str, Tensor]:
    """Rows of the table to train on; of the others a quarter to choose by, the rest for the score.

    Examples
    --------
    >>> {part: len(rows) for part, rows in split(41, 0.45, seed=0).items()}
    {'training': 756, 'check': 231, 'unseen': 694}
    """
    order = tensor(seeds.rng(seed, "split").permutation(p * p))
    n = round(share * p * p)
    m = n + (p * p - n) // 4
    return {"training": order[:n], "check": order[n:m], "unseen": order[m:]}


def other_way_round(p: int, share: float, *, seed: int) -> float:
    """Accuracy on the unseen rows of looking up b + a for a + b, and else saying 0.

    Examples
    --------
    >>> 0.4 < other_way_round(41, 0.45, seed=0) < 0.5
    True
    """
    parts = split(p, share, seed=seed)
    turned = parts["unseen"] % p * p + parts["unseen"] // p
    known = (turned[:, None] == parts["training"]).any(1)
    return float((known | (table(p)[1][turned] == 0)).double().mean())


class Square(nn.Module):
    """The square of each number, as the bend between two layers."""

    def forward(self, x: Tensor) -> Tensor:
        """Square, shape kept."""
        return x**2
