"""Batches for masked language modelling: some tokens are hidden, and only those are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from llmtrain101.model import IGNORE
from llmtrain101.seeds import generator
from llmtrain101.train import text_batches


def hide(
    ids: Tensor, mask_id: int, *, generator: torch.Generator, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Hide some tokens of each text behind the mask; they are the targets, and nothing else is.

    Every hidden token becomes the mask. (BERT leaves one in ten as it is and replaces another by a
    random token, to prepare for texts without masks; filling gaps, as here, does not need it.)

    Parameters
    ----------
    ids : int64 Tensor of shape (B, T)
    mask_id : int
        `Tokenizer.mask_id` of a tokenizer made with `mask=True`.
    generator : torch.Generator
        Draws what is hidden.
    share : float
        Of the tokens; at least one in each text is hidden.

    Returns
    -------
    inputs, targets : int64 Tensors of shape (B, T)
        In `targets`, `IGNORE` stands where nothing is hidden.

    Examples
    --------
    >>> ids = torch.arange(40).view(2, 20)
    >>> inputs, targets = hide(ids, 99, generator=torch.Generator().manual_seed(0))
    >>> hidden = inputs == 99
    >>> hidden.sum(dim=1).tolist()
    [3, 3]
    >>> bool((targets[hidden] == ids[hidden]).all()), bool((targets[~hidden] == IGNORE).all())
    (True, True)
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share}.")
    B, T = ids.shape
    order = torch.rand(B, T, generator=generator).argsort(dim=1)
    hidden = order.argsort(dim=1) < max(1, round(share * T))  # the same number in each text
    return ids.masked_fill(hidden, mask_id), ids.masked_fill(~hidden, IGNORE)


def masked_batches(
    ids: Any,
    batch_size: int,
    context_length: int,
    mask_id: int,
    *,
    seed: int,
    share: float = 0.15,
) -> Iterator[tuple[Tensor, Tensor]]:
    """The windows of `text_batches`, in the same order, with tokens hidden anew each time.

    Yields
    ------
    (inputs, targets), int64 Tensors of shape (batch_size, context_length)

    Examples
    --------
    >>> inputs, targets = next(masked_batches(range(100), 2, 20, mask_id=100, seed=0))
    >>> bool(((inputs == 100) == (targets != IGNORE)).all())
    True
    """
    draws = generator(seed, "mask")
    for windows, _ in text_batches(ids, batch_size, context_length, seed=seed):
        yield hide(windows, mask_id, generator=draws, share=share)
